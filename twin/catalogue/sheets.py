"""Reading of the catalogue's YAML sheets: short figures (`{value, range, from}`) become whole ones."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import yaml
from pydantic import ValidationError

from twin.errors import Issue

FIGURE_KEYS = ("value", "range", "assumed", "from", "low", "high", "source", "as_of", "status", "assumed_range")


def read_sheet(name: str) -> dict[str, Any]:
    """One YAML file that lies beside this module."""
    # a safe loader, in C where libyaml is there: five times faster
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    sheet: dict[str, Any] = yaml.load(text, Loader=loader)
    return sheet


def whole_figure(short: Mapping[str, Any], sources: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Spell a short figure out; raises KeyError for an unknown source and ValueError for a bad range.

    `from` names an entry of the sheet's `sources`; `range: [low, high]` is what the source says, `assumed: [low, high]`
    our assumption; with neither the number is exact. A whole figure passes through as it is.
    """
    figure = dict(short)
    origin = figure.pop("from", None)
    if origin is not None:
        figure = {**sources[origin], **figure}
    for key in ("range", "assumed"):
        if key in figure:
            figure["low"], figure["high"] = figure.pop(key)
            figure["assumed_range"] = key == "assumed"
    if "value" in figure:
        figure.setdefault("low", figure["value"])
        figure.setdefault("high", figure["value"])
    return figure


def issues_of(error: ValidationError, where: str) -> list[Issue]:
    """The faults that pydantic found, each with its place below `where`."""
    found = []
    for fault in error.errors(include_url=False):
        place = ".".join([where, *(str(step) for step in fault["loc"])]) if where else ".".join(map(str, fault["loc"]))
        found.append(Issue(place, f"{fault['msg']}, got {fault['input']!r}"[:300]))
    return found
