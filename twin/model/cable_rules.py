"""Rules of spans that share a cable: one cable has one length, fibre, date, lease and number of splices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import Issue
from ..errors.wording import counted, quoted
from .records import Link, Span

CABLE_FIELDS = ("length_km", "fibre", "installed", "leased", "n_splices")
"""Fields of the fibre itself. Connectors, attenuators and measured losses belong to the fibres of each link."""
HINT = "state one value for all links on the cable, or name two cables"


def cable_issues(links: Iterable[Link]) -> Iterator[Issue]:
    """Find links whose spans of a cable differ from those of another link on it, read from either end."""
    first_of: dict[str, tuple[Link, list[int]]] = {}
    for link in sorted((link for link in links if link.spans), key=lambda link: link.id):
        runs: dict[tuple[str, bool], list[int]] = {}
        for i, span in enumerate(link.spans):
            if span.cable is not None:
                runs.setdefault((span.cable, span.standby), []).append(i)
        for (cable, _), rows in runs.items():
            first, others = first_of.setdefault(cable, (link, rows))
            yield from _differences(cable, link, rows, first, others)


def _differences(cable: str, link: Link, rows: list[int], first: Link, others: list[int]) -> Iterator[Issue]:
    """Report where the spans of a link differ from those of the first link on the cable."""
    ours, theirs = [_stretch(link.spans[i]) for i in rows], [_stretch(first.spans[i]) for i in others]
    if theirs in (ours, ours[::-1]):
        return
    where = f"links[{link.id}].spans"
    if len(ours) != len(theirs):
        problem = f"{counted(len(ours), 'span')} of cable {quoted(cable)}, but {len(theirs)} in link {quoted(first.id)}"
        yield Issue(where, problem, "name another cable for each stretch that not all of the links run over")
        return
    # of both directions the one with fewer differences is meant
    turned = _n_different(ours, theirs[::-1]) < _n_different(ours, theirs)
    for i, mine, other in zip(rows, ours, theirs[::-1] if turned else theirs, strict=True):
        for name, value, expected in zip(CABLE_FIELDS, mine, other, strict=True):
            if value != expected:
                problem = (
                    f"is {_text(value)}, but {_text(expected)} in link {quoted(first.id)} on cable {quoted(cable)}"
                )
                yield Issue(f"{where}[{i}].{name}", problem, HINT)


def _n_different(ours: list[tuple[object, ...]], theirs: list[tuple[object, ...]]) -> int:
    return sum(a != b for mine, other in zip(ours, theirs, strict=True) for a, b in zip(mine, other, strict=True))


def _stretch(span: Span) -> tuple[object, ...]:
    return tuple(getattr(span, name) for name in CABLE_FIELDS)


def _text(value: object) -> str:
    return "not stated" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
