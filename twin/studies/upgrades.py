"""Upgrades of the links that pass a limit first: more members, at catalogue cost, routed anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from ..answers.forecast_records import Moment
from ..errors import TwinError
from ..progress import Progress
from ..render.quantities import names_text
from ..stages.evaluation import Evaluation
from .growth_model import Event, GrowthModel

MAX_SETS = 3
"""Sets of links that are upgraded together: those that pass first, those up to the second date, and so on."""
TIE_YEARS = 1e-6
"""Links whose dates differ by no more pass together."""


class ModelOf(Protocol):
    """Function that returns the loads over time of an evaluation."""

    def __call__(self, evaluation: Evaluation, progress: Progress) -> GrowthModel:
        """Return the model; its sweeps tell the progress."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """More members of the links that pass first, and what they do."""

    links: tuple[str, ...]
    n_parallel: tuple[int, ...]
    """New number of members of each."""
    capex_usd: float | None
    """Purchases at catalogue prices; null where they cannot be priced or built."""
    passes: Moment | None
    """When the first link passes the limit then, failures included; null if none does in time."""
    gained_years: float | None
    """Later by so much, at least so much where none passes in time; null where it cannot be built."""
    usd_per_year: float | None
    """Purchases over years gained; null without a gain or a price."""
    why: str | None
    """Why there is no price or gain."""
    changes: tuple[dict[str, Any], ...]
    """The changes `set_channels`, as plain data."""


def upgrade_sets(passing: Sequence[tuple[float, str]]) -> list[tuple[str, ...]]:
    """Return links to upgrade together: those of the first date, of the first two, and of the first three.

    Args:
        passing: time and link, ascending.
    """
    sets: list[tuple[str, ...]] = []
    taken: list[str] = []
    last = math.nan
    for years, link in passing:
        if taken and not years - last <= TIE_YEARS:
            sets.append(tuple(taken))
            if len(sets) == MAX_SETS:
                return sets
        taken.append(link)
        last = years
    return [*sets, tuple(taken)] if taken else sets


def price_upgrades(
    e: Evaluation,
    passing: Sequence[tuple[float, str]],
    first: Event,
    apply: Callable[[Sequence[dict[str, Any]]], Evaluation],
    model_of: ModelOf,
    moment: Callable[[float], Moment | None],
    member_usd: float | None,
    progress: Progress,
) -> list[Upgrade]:
    """Evaluate one more member, and twice as many, for each set of links.

    Args:
        e: evaluation of the network.
        passing: time and link, ascending, of the links that pass the limit.
        first: what passes first.
        apply: evaluates the network after more changes, with what they cost.
        model_of: loads over time of an evaluation, and the progress of its sweeps.
        moment: converts years to a moment.
        member_usd: price of one more member of links that name no transceiver; None = unknown.
        progress: told after each upgrade, and in its sweeps.

    Returns:
        Upgrades, the least cost of a year gained first, then those without a price or gain.
    """
    candidates, found = [*_candidates(e, upgrade_sets(passing))], []
    for i, (links, n_parallel) in enumerate(candidates):
        own = partial(model_of, progress=progress.part(i / len(candidates), (i + 1) / len(candidates)))
        found.append(_upgrade(e, links, n_parallel, first, apply, own, moment, member_usd))
        progress.tell((i + 1) / len(candidates))
    return sorted(found, key=_rank)


def _candidates(e: Evaluation, sets: Sequence[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
    index, members = e.case.state.link_index, e.case.state["link_n_parallel"]
    seen = set()
    for links in sets:
        today = [int(members[index[link]]) for link in links]
        for n_parallel in (tuple(n + 1 for n in today), tuple(2 * n for n in today)):
            if (links, n_parallel) not in seen:
                seen.add((links, n_parallel))
                yield links, n_parallel


def _built(
    e: Evaluation,
    links: tuple[str, ...],
    n_parallel: tuple[int, ...],
    apply: Callable[[Sequence[dict[str, Any]]], Evaluation],
) -> tuple[tuple[dict[str, Any], ...], Evaluation]:
    """Return the changes and the network after them; more fibre pairs in proportion if the present ones are full."""
    changes = tuple(
        {"kind": "set_channels", "links": {"id": [link]}, "n_parallel": n}
        for link, n in zip(links, n_parallel, strict=True)
    )
    try:
        return changes, apply(changes)
    except TwinError:
        state = e.case.state
        rows = [state.link_index[link] for link in links]
        has_fibre = np.diff(state["span_first"]) > 0
        if not has_fibre[rows].any():
            raise
        pairs, members = state["link_n_fibre_pairs"], state["link_n_parallel"]
        changes = tuple(
            change | ({"n_fibre_pairs": -(-int(pairs[row]) * n // int(members[row]))} if has_fibre[row] else {})
            for change, row, n in zip(changes, rows, n_parallel, strict=True)
        )
        return changes, apply(changes)


def _upgrade(
    e: Evaluation,
    links: tuple[str, ...],
    n_parallel: tuple[int, ...],
    first: Event,
    apply: Callable[[Sequence[dict[str, Any]]], Evaluation],
    model_of: Callable[[Evaluation], GrowthModel],
    moment: Callable[[float], Moment | None],
    member_usd: float | None,
) -> Upgrade:
    try:
        changes, after = _built(e, links, n_parallel, apply)
    except TwinError as error:
        return Upgrade(links, n_parallel, None, None, None, None, str(error.problem), ())
    model = model_of(after)
    event = model.first_worst()
    gained = (model.horizon_years if event is None else event.years) - first.years
    rows = np.array([e.case.state.link_index[link] for link in links])
    n_more = np.array(n_parallel) - e.case.state["link_n_parallel"][rows]
    is_unnamed = e.case.state["link_transceiver"][rows] < 0
    unnamed = [link for link, is_one in zip(links, (is_unnamed & (n_more > 0)).tolist(), strict=True) if is_one]
    capex_usd, why = _price(after, unnamed, None if member_usd is None else member_usd * int(n_more[is_unnamed].sum()))
    if why is None and gained <= TIE_YEARS:
        why = "another link passes no later"
    return Upgrade(
        links=links,
        n_parallel=n_parallel,
        capex_usd=capex_usd,
        passes=None if event is None else moment(event.years),
        gained_years=gained,
        usd_per_year=capex_usd / gained if capex_usd is not None and gained > TIE_YEARS else None,
        why=why,
        changes=changes,
    )


def _price(after: Evaluation, unnamed: Sequence[str], unnamed_usd: float | None) -> tuple[float | None, str | None]:
    """(price of the purchases, None), or (None, why there is none).

    unnamed: links with more members that name no transceiver; unnamed_usd: price of these, None = unknown.
    """
    money = after.money
    if unnamed and unnamed_usd is None:
        return None, f"no price: {names_text(unnamed)} {'names' if len(unnamed) == 1 else 'name'} no transceiver"
    if money.n_unpriced_switches:
        return None, "no price: a new switch names no part"
    if money.unpriced_purchases:
        return None, f"no price for {money.unpriced_purchases[0]}"
    capex_usd = money.capex_usd + (unnamed_usd or 0.0)
    if capex_usd == 0.0:
        return None, "no price: nothing of it is in the price book"
    return capex_usd, None


def _rank(row: Upgrade) -> tuple[float, float, tuple[str, ...], tuple[int, ...]]:
    cost = math.inf if row.usd_per_year is None else row.usd_per_year
    return cost, -(row.gained_years or 0.0), row.links, row.n_parallel
