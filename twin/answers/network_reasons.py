"""Reasons of the network itself: sentences on its busiest links, lost demands and optical links."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..arrays import Bools, at_an_end
from ..errors.wording import counted
from ..optics.link_budget import DOWN, MODE, REACH
from ..optics.link_health import unknown_rates
from ..render.quantities import names_text, percent_text
from ..stages.evaluation import Evaluation
from .arc_text import arc_name, capacity_reason, lacks_transceiver, shortage_text


def demand_sentences(e: Evaluation) -> Iterator[str]:
    """Sentences on the busiest and overloaded links, and on demands that lose traffic."""
    if e.demands is None:
        return
    ratios = e.arc_utilisation_ratio
    unknown = at_an_end(np.isnan(ratios).reshape(-1, 2)) & e.health.rate_unknown
    if unknown.any():
        yield f"Some utilisation is unknown: {unknown_rates(e.case.state, unknown)}."
    known = np.where(np.isnan(ratios), 0.0, ratios)
    arc = int(np.argmax(known)) if len(known) else -1
    if arc >= 0 and known[arc] > 0:
        of_known = " of known rate" if unknown.any() else ""
        busiest = f"Busiest link{of_known}: {arc_name(e, arc)}, {percent_text(float(known[arc]))}."
        yield f"{busiest} Its limit: {capacity_reason(e, arc)}."
    by_link = known.reshape(-1, 2)
    overloaded = np.flatnonzero(by_link.max(axis=1) > 1.0)
    if len(overloaded):
        order = overloaded[np.argsort(-by_link[overloaded].max(axis=1), kind="stable")]
        links = [f"{e.case.state.arrays.link_ids[i]} {percent_text(float(by_link[i].max()))}" for i in order]
        yield f"{counted(len(links), 'overloaded link')}: {names_text(links)}."
    yield from _lost_demand_sentences(e)


def _lost_demand_sentences(e: Evaluation) -> Iterator[str]:
    """Sentences on demands without a path, and on those that carry less than they offer."""
    assert e.demands is not None
    assert e.demand_pairs is not None
    demands, pairs = e.demands, e.demand_pairs
    ids = e.case.state.arrays.node_ids
    names = [f"{ids[s]} → {ids[t]}" for s, t in zip(pairs.source, pairs.target, strict=True)]
    without_path = np.flatnonzero(~demands.reachable & (demands.offered_gbps > 0))
    if len(without_path):
        listed = [names[i] for i in without_path[np.argsort(-demands.offered_gbps[without_path], kind="stable")]]
        yield f"No path for {demands.unrouted_gbps:g} Gb/s of demand: {names_text(listed)}."
    lost_gbps = np.where(demands.reachable, demands.offered_gbps - demands.carried_gbps, 0.0)
    hurt = np.flatnonzero(np.nan_to_num(lost_gbps) > 1e-9 * demands.offered_gbps)
    if len(hurt):
        order = hurt[np.argsort(-lost_gbps[hurt], kind="stable")]
        listed = [f"{names[i]} {demands.carried_gbps[i]:.4g} of {demands.offered_gbps[i]:.4g}" for i in order]
        yield f"{counted(len(hurt), 'demand')} carried in part, Gb/s: {names_text(listed)}."


def optics_sentences(e: Evaluation) -> Iterator[str]:
    """Sentences on links that are down, at a slower mode, below the required margin or without a transceiver."""
    state, health = e.case.state, e.health
    in_service, ids = state.in_service, state.arrays.link_ids
    budget_limit = health.budgets.by_link(health.budgets.limit)
    margin_db = health.margin_db
    rows: tuple[tuple[Bools, str, Callable[[int], str]], ...] = (
        (in_service & (health.arc_limit[0::2] == DOWN), "down", lambda i: f"{ids[i]}, {shortage_text(e, i)}"),
        (in_service & (health.arc_limit[0::2] == REACH), "beyond the reach of the optics", lambda i: ids[i]),
        (
            in_service & (budget_limit == MODE) & health.lit,
            "at a slower mode",
            lambda i: f"{ids[i]}, {float(health.member_gbps[i]):g} Gb/s",
        ),
        (
            in_service & health.lit & (health.worse_margin_db < health.required_margin_db),
            "below the required margin",
            lambda i: f"{ids[i]}, {health.worse_margin_db[i]:.1f} of {health.required_margin_db[i]:g} dB",
        ),
    )
    for mask, text, describe in rows:
        links = np.flatnonzero(mask)
        links = links[np.argsort(np.nan_to_num(margin_db[links]), kind="stable")]
        if len(links):
            yield f"{counted(len(links), 'link')} {text}: {names_text([describe(int(i)) for i in links], 1)}."
    unchecked = np.flatnonzero(in_service & lacks_transceiver(e))
    if len(unchecked):
        listed = names_text([ids[i] for i in unchecked], 1)
        yield f"{counted(len(unchecked), 'fibre link')} without a transceiver, so without a link budget: {listed}."
