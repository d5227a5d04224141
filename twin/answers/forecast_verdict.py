"""Verdict on a forecast: the first link with a problem, its dates, and the measurement that narrows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..catalogue.ageing import AgeingCase
from ..errors.wording import counted
from ..render.forecast_rows import CASE_NAMES, moment_text
from ..render.quantities import names_text
from .data import to_data
from .forecast_records import LinkForecast, Moment, Narrowing

CASES_NAMED: tuple[AgeingCase, ...] = ("value", "high")
"""Cases that a verdict names; the optimistic one is never first."""
EVENTS = {"margin_gone": "no margin", "required_margin_gone": "less than the required margin"}


def forecast_verdict(links: Sequence[LinkForecast], n_years: int, narrowing: Narrowing | None) -> Iterator[str]:
    """Return the verdict as sentences.

    Args:
        links: forecasts, the first problem in the central case first.
        n_years: length of the forecast.
        narrowing: effect of a measurement on the first link that loses margin.
    """
    yield from _state_sentences(links)
    sentences = [*_margin_sentences(links, n_years), *_rate_sentences(links), *_load_sentences(links)]
    yield from sentences
    n_excluded = sum(_is_down(link) or _is_unknown(link) for link in links)
    if not sentences and n_excluded < len(links):
        which = "other link" if n_excluded else "link"
        yield f"No {which} loses its margin, its rate or its spare capacity within {n_years} years, in any ageing case."
    if narrowing is not None:
        before = _span_text(narrowing.earliest, narrowing.latest, n_years)
        after = _span_text(narrowing.earliest_measured, narrowing.latest_measured, n_years)
        what = f"{narrowing.measurement} of {narrowing.link}"
        what = what[0].upper() + what[1:]
        if before == after:
            yield f"{what} would not narrow the date of {EVENTS[narrowing.event]}, {before}."
        else:
            yield f"Date of {EVENTS[narrowing.event]}: {before}. {what} narrows it to {after}."


def _state_sentences(links: Sequence[LinkForecast]) -> Iterator[str]:
    """Sentences on links that are down today, and on links of unknown rate."""
    for is_excluded, text in ((_is_down, "down already"), (_is_unknown, "of unknown rate, so of unknown utilisation")):
        rows = [link for link in links if is_excluded(link)]
        if rows:
            names = [link.id if link.n_alike == 1 else f"{link.id} and {link.n_alike - 1:,} alike" for link in rows]
            yield f"{counted(sum(link.n_alike for link in rows), 'link')} {text}: {names_text(names)}."


def _is_down(link: LinkForecast) -> bool:
    return link.cases["value"].member_gbps[0] == 0.0


def _is_unknown(link: LinkForecast) -> bool:
    return link.cases["value"].member_gbps[0] is None


def _margin_sentences(links: Sequence[LinkForecast], n_years: int) -> Iterator[str]:
    for event, text in EVENTS.items():
        first = first_link(links, event)
        if first is not None:
            dates = [(CASE_NAMES[case], getattr(first.cases[case], event)) for case in CASES_NAMED]
            listed = ", ".join(f"{name} case {_moment(moment, n_years)}" for name, moment in dates)
            yield f"First link with {text}: {first.id}; {listed}."
            return


def first_link(links: Sequence[LinkForecast], event: str) -> LinkForecast | None:
    """The link with the earliest event, in the central case if it happens there, else in the pessimistic one.

    Links that are down today do not count: they have no margin to lose.
    """
    for case in CASES_NAMED:
        moments = [(getattr(link.cases[case], event), link) for link in links if not _is_down(link)]
        known = [(moment.years, i) for i, (moment, _) in enumerate(moments) if moment is not None]
        if known:
            return moments[min(known)[1]][1]
    return None


def _rate_sentences(links: Sequence[LinkForecast]) -> Iterator[str]:
    drops = [(drop.years, i) for i, link in enumerate(links) for drop in link.cases["value"].drops[:1]]
    if drops:
        link = links[min(drops)[1]]
        drop = link.cases["value"].drops[0]
        rate = f"falls to {drop.member_gbps:g} Gb/s" if drop.member_gbps else "goes down"
        yield f"First link that {rate}, central case: {link.id}, {_text(drop)}."


def _load_sentences(links: Sequence[LinkForecast]) -> Iterator[str]:
    full = [
        (runout.years, i)
        for i, link in enumerate(links)
        if (runout := link.cases["value"].runout.planned) is not None and not _is_down_by(link, runout.years)
    ]
    if full:
        link = links[min(full)[1]]
        yield f"First link at 70 % utilisation: {link.id}, {_text(link.cases['value'].runout.planned)}."


def _is_down_by(link: LinkForecast, years: float) -> bool:
    """Tell whether a link is down in the central case at a time: then nothing is utilised."""
    return any(not drop.member_gbps and drop.years <= years for drop in link.cases["value"].drops)


def _text(moment: Moment | None) -> str:
    return moment_text(None if moment is None else to_data(moment))


def _moment(moment: Moment | None, n_years: int) -> str:
    return f"not within {n_years} years" if moment is None else _text(moment)


def _span_text(earliest: Moment | None, latest: Moment | None, n_years: int) -> str:
    """Both ends of the range of a date: `between 2029-01 and 2031-06`."""
    if earliest is None:
        return f"not within {n_years} years"
    if latest is None:
        return f"{_text(earliest)} at the earliest, perhaps not within {n_years} years"
    first, last = _text(earliest), _text(latest)
    return first if first == last else f"between {first} and {last}"
