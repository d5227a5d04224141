"""Rules of amplifiers and boosters: settings need their amplifier, and gain and output power exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Issue
from .records import Link, Span

SPAN_SETTINGS = ("amplifier_gain_db", "amplifier_output_dbm", "amplifier_noise_figure_db")
LINK_SETTINGS = ("booster_gain_db", "booster_noise_figure_db")


def amplifier_issues(link: Link, where: str) -> Iterator[Issue]:
    """Find faults of the amplifiers of a link."""
    yield from _without_part(link, LINK_SETTINGS, "booster", where)
    if link.booster is not None and not link.spans:
        yield Issue(f"{where}.booster", "a booster of a link without spans", "list the spans of the line")
    if link.n_design_channels is not None and not link.spans:
        yield Issue(f"{where}.n_design_channels", "channels of a line without spans", "list the spans of the line")
    for i, span in enumerate(link.spans):
        place = f"{where}.spans[{i}]"
        yield from _without_part(span, SPAN_SETTINGS, "amplifier", place)
        if span.amplifier_gain_db is not None and span.amplifier_output_dbm is not None:
            yield Issue(f"{place}.amplifier_output_dbm", "stands beside amplifier_gain_db", "keep one of them")


def _without_part(record: Link | Span, settings: tuple[str, ...], part: str, where: str) -> Iterator[Issue]:
    """Find settings of an amplifier that the record does not name."""
    if getattr(record, part) is not None:
        return
    stated = [name for name in settings if getattr(record, name) is not None]
    stated += [f"{part}_voa_db"] * bool(getattr(record, f"{part}_voa_db"))
    for name in stated:
        yield Issue(f"{where}.{name}", f"a setting without {part}", f"name the part of the {part}")
