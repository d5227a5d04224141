"""Summary of a study of failures: the verdict first, then what is worse together, full, or unknown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from ..arrays import Bools
from ..errors.wording import counted
from ..render.quantities import frequency_text, hours_text, percent_text
from .closer_look import OVERLOAD_RATIO, TOO_MANY
from .failure_records import FailureRow, LinkRow

ROUNDING_RATIO = 1e-9
"""Share of all demand below which what is left of it is rounding."""


class DemandPart(NamedTuple):
    """Effect of failures on demands."""

    n_possible: int
    n_classes: int
    unrouted_gbps: float
    failures: list[FailureRow]
    links: list[LinkRow]
    unknown: Bools
    """Links of unknown rate that carry traffic, intact or after a failure; bool[n_links]."""
    intact_not_carried_gbps: float | None = None
    n_intact_full: int = 0
    """Links that are overloaded without a failure."""


def _worse(rows: list[FailureRow]) -> list[FailureRow] | None:
    """Pairs that lose demand which neither failure loses alone; None where it is unknown, and for single failures."""
    if any(row.n_demand_pairs_lost_together is None for row in rows):
        return None
    return [row for row in rows if row.n_demand_pairs_lost_together]


def _fuller_together(rows: list[FailureRow]) -> list[FailureRow]:
    """Pairs that overload a link, though neither failure alone does."""
    return [
        row
        for row in rows
        if row.worst_utilisation_alone_ratio is not None
        and row.worst_utilisation_alone_ratio <= OVERLOAD_RATIO < greatest_ratio(row)
    ]


def n_worse(rows: list[FailureRow]) -> int | None:
    """Return the number of pairs that lose demand which neither failure loses alone; None as in `_worse`."""
    worse = _worse(rows)
    return None if worse is None else sum(row.n_equal for row in worse)


def greatest_ratio(row: FailureRow) -> float:
    """Return the utilisation of the fullest link.

    Infinite for load without capacity, 0 where no loaded link has a known rate.
    """
    if row.worst_utilisation_ratio is None:
        return 0.0 if row.worst_link is None else math.inf
    return row.worst_utilisation_ratio


def _verdict(noun: tuple[str, str], failures: list[FailureRow], part: DemandPart) -> str:
    """Return the sentence on failures that leave demand without a path, and on those that leave links too full."""
    counts = counted(sum(row.n_equal for row in failures), *noun)
    least_gbps = (part.intact_not_carried_gbps or 0.0) * (1.0 + ROUNDING_RATIO)
    congested = [row for row in failures if (row.not_carried_gbps or 0.0) > least_gbps]
    more = ""
    if congested:
        n_congested = sum(row.n_equal for row in congested)
        most_gbps = max(row.not_carried_gbps or 0.0 for row in congested)
        verb, up_to = ("leaves", "") if n_congested == 1 else ("leave", "up to ")
        more = f"; {n_congested:,} {verb} {up_to}{most_gbps:,.4g} Gb/s not carried"
    losing = [row for row in failures if row.lost_gbps > part.unrouted_gbps]
    if losing:
        n_losing = sum(row.n_equal for row in losing)
        verb = "loses" if n_losing == 1 else "lose"
        after = f"after {losing[0].id} {losing[0].lost_gbps:,.4g} Gb/s have no path"
        return f"{n_losing:,} of {counts} {verb} demand: {after}{more}."
    is_known = all(row.not_carried_gbps is not None for row in failures)
    return f"None of {counts} {'loses demand' if is_known and not more else 'cuts demand off'}{more}."


def _intact_sentences(part: DemandPart) -> Iterator[str]:
    """Tell what is lost without a failure already, since each row counts it, too."""
    if part.unrouted_gbps:
        yield f"Without a failure {part.unrouted_gbps:,.4g} Gb/s have no path already; all rows count them."
    if part.intact_not_carried_gbps:
        yield f"Without a failure {part.intact_not_carried_gbps:,.4g} Gb/s are not carried already."
    if part.n_intact_full:
        verb = "is" if part.n_intact_full == 1 else "are"
        yield f"Without a failure {counted(part.n_intact_full, 'link')} {verb} overloaded already."


def failure_summary(noun: tuple[str, str], failures: list[FailureRow], part: DemandPart) -> Iterator[str]:
    """Yield the sentences on demands and links.

    Args:
        noun: name of one failure and of several.
        failures: rows, the worst first.
        part: effect on demands.
    """
    n, links = sum(row.n_equal for row in failures), part.links
    yield _verdict(noun, failures, part)
    worse = _worse(failures)
    if worse:
        most = max(worse, key=lambda row: row.lost_together_gbps or 0.0)
        yield (
            f"{n_worse(failures):,} of them lose demand that neither failure loses alone, "
            f"most {most.id} ({most.lost_together_gbps:,.4g} Gb/s)."
        )
    elif worse is not None:
        yield "No pair loses demand that neither of its failures loses alone."
    if fuller := _fuller_together(failures):
        most = max(fuller, key=greatest_ratio)
        n_fuller, use = sum(row.n_equal for row in fuller), most.worst_utilisation_ratio
        yield (
            f"{n_fuller:,} {'overloads' if n_fuller == 1 else 'overload'} a link that neither failure overloads alone, "
            f"most {most.id} ({most.worst_link} at {'no capacity' if use is None else percent_text(use)})."
        )
    elif worse is not None:
        yield "No pair overloads a link that neither of its failures overloads alone."
    yield from _intact_sentences(part)
    n_full = sum(row.n_equal for row in failures if greatest_ratio(row) > OVERLOAD_RATIO)
    if n_full and not part.n_intact_full:
        verb = "overloads" if n_full == 1 else "overload"
        yield f"{counted(n_full, *noun)} {verb} a link."
    fails = "fail" if len(failures[0].ids) > 1 else "fails"
    if links and links[0].worst_utilisation_ratio is not None:
        first = links[0]
        after = f"after {first.cause} {fails}" if first.cause else "without a failure"
        percent = percent_text(links[0].worst_utilisation_ratio)
        yield f"Fullest link: {first.id} ({first.direction}), {percent} {after}."
    costly = max(failures, key=lambda row: row.lost_gbit_per_year or 0.0)
    if costly.lost_gbit_per_year and costly.n_failures_per_year and costly.repair_h:
        yield (
            f"Most expected loss: {costly.id} {fails} {frequency_text(costly.n_failures_per_year)}, "
            f"{hours_text(costly.repair_h)} to repair."
        )
    n_unknown = sum(row.n_equal for row in failures if row.why_unknown == TOO_MANY)
    if n_unknown:
        yield f"Of {n_unknown:,} it is unknown what full links do not carry, or which sites are cut off: {TOO_MANY}."
    if part.n_classes < n:
        yield f"{part.n_classes:,} classes of {n:,} failures were computed; the others stand in equal places."
    if n < part.n_possible:
        yield f"{n:,} of {part.n_possible:,} pairs were drawn; others may be worse."
