"""Kinds of devices by the words that people use for their roles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .cabling import Cabling, Device
from .ledger import Ledger
from .options import ImportOptions

ROLE_WORDS: tuple[tuple[str, str], ...] = (
    (r"patch.?panel|patchfeld|odf|splice|cassette", "panel"),
    (r"super.?spine|core", "core"),
    (r"border|edge.?router|wan|gateway|provider.?edge|^pe$|dci|peering", "border"),
    (r"spine|aggregation|^agg|distribution", "spine"),
    (r"leaf|^tor|access|top.?of.?rack", "leaf"),
    (r"storage|nas\b|san\b|filer|disk", "storage"),
    (r"server|host|hypervisor|compute|gpu|^hca|^ca$|node$", "host"),
    (r"\brack\b", "rack"),
    (r"switch|router|firewall|load.?balancer|olt\b|optical.?line|optical.?network|^p$", "switch"),
    (r"roadm", "roadm"),
    (r"trans?ponder|xponder|pdr\b|transceiver", "switch"),
)
"""Patterns of role names and kinds; the first that fits counts. Firewalls, load balancers and optical line terminals
forward, so they are switches."""
NAME_WORDS: tuple[tuple[str, str], ...] = (
    (r"super[-_ ]?spine", "core"),
    (r"[a-z]{0,4}leaf|tor", "leaf"),
    (r"[a-z]{0,4}spine|agg", "spine"),
    (r"core", "core"),
    (r"srv|servers?|hosts?|gpu|compute|clients?", "host"),
)
"""Words of names that count only before a number, as in `leaf-1` and `IBSPINE-02`: a city must not become a server."""
PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), kind) for pattern, kind in ROLE_WORDS)
NAME_PATTERNS = tuple(
    (re.compile(rf"(?:^|[-_. ])(?:{words})[-_ ]?\d", re.IGNORECASE), kind) for words, kind in NAME_WORDS
)
OPTION = "--role REGEX=KIND"


def settle_roles(cabling: Cabling, options: ImportOptions, ledger: Ledger) -> None:
    """Give every device its kind: by option, by what the reader knows, by the words of its role, else a switch."""
    by_role: dict[str, str | None] = {}
    for device in cabling.devices.values():
        stated = _stated(device, options)
        if stated is not None:
            device.kind = stated  # type: ignore[assignment]
            ledger.converted("role", f"{OPTION}: {stated}")
        elif device.kind is None:
            role = device.role.strip()
            if role not in by_role:
                by_role[role] = kind_of_word(role)
            kind = by_role[role]
            if kind is None:
                told = f"role {role[:60]!r}" if role else "no role"
                kind = (None if role else kind_of_word("", device.name)) or "switch"
                why = f"{told} in the source" + ("" if kind == "switch" else "; its name says so")
                ledger.assumed("kind of a device", kind, why, OPTION, device.name)
            else:
                ledger.converted("role", f"{role[:60]} → {kind}")
            device.kind = kind  # type: ignore[assignment]


def kind_of_word(role: str, name: str = "") -> str | None:
    """Return the kind that a role, or else a name such as `leaf-1`, says; None if neither says one."""
    if role:
        return next((kind for pattern, kind in PATTERNS if pattern.search(role)), None)
    return next((kind for pattern, kind in NAME_PATTERNS if pattern.search(name)), None)


def _stated(device: Device, options: ImportOptions) -> str | None:
    texts: Iterator[str] = (text for text in (device.role, device.name) if text)
    if not options.roles or device.kind == "circuit":
        return None
    found = list(texts)
    return next((kind for pattern, kind in options.roles if any(pattern.search(text) for text in found)), None)
