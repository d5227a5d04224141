"""Options of an import: what a user states in place of what a source leaves out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..catalogue import Part
from ..errors import DocumentError, did_you_mean
from ..errors.wording import quoted
from ..formats.parts_file import read_own_parts
from .cabling import DEVICE_KINDS
from .decimals import decimal_option
from .patterns import BoundedPattern, bounded_pattern

MAX_CAPACITY_GBPS = 1e7
MAX_LENGTH_FACTOR_RATIO = 10.0


@dataclass(frozen=True)
class ImportOptions:
    """Options that a user states for all files of an import."""

    capacity_gbps: float | None = None
    """Rate of links whose rate the source does not state; None = unknown."""
    demand_scale: float | None = None
    """Gb/s of one unit, where the source states amounts without a unit; None = 1, as an assumption."""
    length_factor: float | None = None
    """Length of a route over the straight line between positions; None = the model's own, without spans."""
    sites: tuple[tuple[BoundedPattern, str], ...] = ()
    """(pattern of a name, site) for devices whose location the source does not state; the first that fits counts."""
    roles: tuple[tuple[BoundedPattern, str], ...] = ()
    """(pattern of a role or a name, kind), the first that fits counts."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column of a table -> field."""
    parts: tuple[Part, ...] = ()
    """Own parts; devices of these models name them, and the document holds those that are named."""
    layer: str | None = None
    """Layer to read of a source with several; None = the one on top."""
    decimal: str | None = None
    """Decimal sign of the numbers in a sheet, `.` or `,`; None = as each column shows."""
    keep_management: bool = False
    """True to keep the cables of management ports, which carry no data."""

    def site_of(self, name: str) -> str | None:
        """Return the site that an option states for a device without a location."""
        return next((site for pattern, site in self.sites if pattern.search(name)), None)


def import_options(
    *,
    capacity_gbps: float | None = None,
    demand_scale: float | None = None,
    length_factor: float | None = None,
    site: str | Sequence[str] | None = None,
    roles: Sequence[str] = (),
    columns: Sequence[str] = (),
    parts: str | Path | None = None,
    layer: str | None = None,
    decimal: str | None = None,
    keep_management: bool = False,
) -> ImportOptions:
    """Check options as they are written on a command line; `parts` is a file of own parts.

    site: a name, or texts of the form REGEX=NAME.

    Raises:
        DocumentError: a value out of its range, an unknown kind, or a pattern that is none or could take very long.
    """
    _check("--capacity-gbps", capacity_gbps, MAX_CAPACITY_GBPS)
    _check("--demand-scale", demand_scale, 1e9)
    _check("--length-factor", length_factor, MAX_LENGTH_FACTOR_RATIO)
    if length_factor is not None and length_factor < 1:
        raise DocumentError(f"{length_factor:g} is below 1", where="--length-factor", hint="a route is no shortcut")
    return ImportOptions(
        capacity_gbps,
        demand_scale,
        length_factor,
        tuple(_site(text) for text in ((site,) if isinstance(site, str) else site or ())),
        tuple(_role(text) for text in roles),
        dict(pair_of_option(text, "--map", "column=field") for text in columns),
        () if parts is None else read_own_parts(parts),
        layer,
        decimal_option(decimal),
        keep_management,
    )


def _check(option: str, value: float | None, greatest: float) -> None:
    if value is not None and not 0 < value <= greatest:
        raise DocumentError(f"{value:g} is out of range", where=option, expected=f"above 0, at most {greatest:g}")


def pair_of_option(text: str, option: str, form: str) -> tuple[str, str]:
    """Return both sides of the last equals sign. Raises DocumentError with the form that is expected."""
    left, sign, right = text.rpartition("=")
    if not sign or not left.strip() or not right.strip():
        raise DocumentError(f"{quoted(text)} is no {form}", where=option, hint=f"write {form}")
    return left.strip(), right.strip()


def _site(text: str) -> tuple[BoundedPattern, str]:
    """Return a pattern of names and a site; a name alone is the site of all devices."""
    pattern, name = pair_of_option(text, "--site", "REGEX=NAME") if "=" in text else ("", text)
    return bounded_pattern(pattern, "--site", re.IGNORECASE), name


def _role(text: str) -> tuple[BoundedPattern, str]:
    pattern, kind = pair_of_option(text, "--role", "REGEX=KIND")
    if kind not in DEVICE_KINDS:
        expected = f"one of {', '.join(DEVICE_KINDS)}"
        hint = did_you_mean(kind, DEVICE_KINDS)
        raise DocumentError(f"no kind {quoted(kind)}", where="--role", expected=expected, hint=hint)
    return bounded_pattern(pattern, "--role", re.IGNORECASE), kind
