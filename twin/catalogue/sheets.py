"""Reading of the catalogue's YAML sheets: short figures (`{value, range, from}`) become whole ones."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import yaml

from twin.errors import did_you_mean

FIGURE_KEYS = ("value", "range", "assumed", "from", "low", "high", "source", "as_of", "status", "assumed_range")


def read_sheet(name: str) -> dict[str, Any]:
    """One YAML file that lies beside this module."""
    # a safe loader, in C where libyaml is there: five times faster
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    sheet: dict[str, Any] = yaml.load(text, Loader=loader)
    return sheet


def whole_figure(short: Mapping[str, Any], sources: Mapping[str, Any]) -> dict[str, Any]:
    """Spell a short figure out; raises ValueError, in words, for an unknown source or a bad range.

    `from` names an entry of the sheet's `sources`; `range: [low, high]` is what the source says, `assumed: [low, high]`
    our assumption; with neither the number is exact. A whole figure passes through as it is.
    """
    figure = dict(short)
    origin = figure.pop("from", None)
    if origin is not None:
        figure = {**_source(origin, sources), **figure}
    for key in ("range", "assumed"):
        if key in figure:
            ends = figure.pop(key)
            if not isinstance(ends, list | tuple) or len(ends) != 2:
                raise ValueError(f"{key} is two numbers, [low, high], got {ends!r}")
            figure["low"], figure["high"] = ends
            figure["assumed_range"] = key == "assumed"
    if "value" in figure:
        figure.setdefault("low", figure["value"])
        figure.setdefault("high", figure["value"])
    return figure


def _source(origin: object, sources: Mapping[str, Any]) -> Mapping[str, Any]:
    known = [str(name) for name in sources]
    found = sources.get(origin) if isinstance(origin, str) else None
    if found is None:
        raise ValueError(f"unknown source {origin!r}; {did_you_mean(str(origin), known) or f'known: {known}'}")
    if not isinstance(found, Mapping):
        raise ValueError(f"source {origin!r} is a mapping of source, as_of and status, got {found!r}")
    return found
