"""Reads the YAML sheets of the catalogue and completes their short figures (`{value, range, from}`)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import yaml

from twin.errors import did_you_mean

FIGURE_KEYS = ("value", "range", "assumed", "from", "low", "high", "source", "as_of", "status", "assumed_range")


def read_sheet(name: str) -> dict[str, Any]:
    """Return the content of one YAML file of this package."""
    # the C loader of libyaml, if present, is five times faster
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    sheet: dict[str, Any] = yaml.load(text, Loader=loader)
    return sheet


def full_figure(short_figure: Mapping[str, Any], sources: Mapping[str, Any]) -> dict[str, Any]:
    """Complete a short figure; a full figure stays unchanged.

    Args:
        short_figure: `from` names an entry of `sources`. `range: [low, high]` is given by the source,
            `assumed: [low, high]` is an assumption; without both the number is exact.
        sources: sources of the sheet by name.

    Raises:
        ValueError: unknown source, or a range that is not two numbers.
    """
    figure = dict(short_figure)
    origin = figure.pop("from", None)
    if origin is not None:
        figure = {**_source(origin, sources), **figure}
    for key in ("range", "assumed"):
        if key in figure:
            bounds = figure.pop(key)
            if not isinstance(bounds, list | tuple) or len(bounds) != 2:
                raise ValueError(f"{key} is two numbers, [low, high], got {bounds!r}")
            figure["low"], figure["high"] = bounds
            figure["assumed_range"] = key == "assumed"
    if "value" in figure:
        figure.setdefault("low", figure["value"])
        figure.setdefault("high", figure["value"])
    return figure


def _source(origin: object, sources: Mapping[str, Any]) -> Mapping[str, Any]:
    known = [str(name) for name in sources]
    source = sources.get(origin) if isinstance(origin, str) else None
    if source is None:
        raise ValueError(f"unknown source {origin!r}; {did_you_mean(str(origin), known) or f'known: {known}'}")
    if not isinstance(source, Mapping):
        raise ValueError(f"source {origin!r} is a mapping of source, as_of and status, got {source!r}")
    return source
