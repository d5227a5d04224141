"""Metrics of traffic: utilisation of links, demands carried, round trip."""

from __future__ import annotations

import numpy as np

from ..arrays import at_an_end
from ..arrays.sums import sum_of
from ..optics.link_health import unknown_lengths, unknown_rates
from ..stages.evaluation import Evaluation
from .metric import NotApplicableError


def _utilisation_ratios(e: Evaluation) -> np.ndarray:
    if e.demands is None and e.step is None:
        raise NotApplicableError("no traffic: the document has no demands, and " + e.why_no_step)
    ratio = e.arc_utilisation_ratio[np.repeat(e.health.lit, 2)]
    if not len(ratio):
        raise NotApplicableError("no link is up")
    if np.isnan(ratio).any():
        unknown = at_an_end(np.isnan(e.arc_utilisation_ratio).reshape(-1, 2)) & e.health.rate_unknown
        raise NotApplicableError(unknown_rates(e.case.state, unknown))
    return ratio


def max_link_utilisation_ratio(e: Evaluation) -> float:
    """Utilisation of the busiest arc: offered bits of a step over step time and capacity, demands included."""
    return float(_utilisation_ratios(e).max())


def p99_link_utilisation_ratio(e: Evaluation) -> float:
    """99th percentile of utilisation over the arcs of links that are up, all tiers."""
    return float(np.quantile(_utilisation_ratios(e), 0.99, method="higher"))


def unrouted_gbps(e: Evaluation) -> float:
    """Demand without a path, Gb/s."""
    if e.demands is None:
        raise NotApplicableError("the document has no demands")
    return e.demands.unrouted_gbps


def demand_satisfied_ratio(e: Evaluation) -> float:
    """Carried (max-min fair) over offered traffic, all demands together."""
    if e.demands is None:
        raise NotApplicableError("the document has no demands")
    if not e.demands.offered_gbps.sum():
        raise NotApplicableError("nothing is demanded between different nodes")
    if np.isnan(e.demands.carried_gbps).any():
        unknown = at_an_end(np.isnan(e.demands.arc_carried_gbps).reshape(-1, 2)) & e.health.rate_unknown
        raise NotApplicableError(unknown_rates(e.case.state, unknown))
    return sum_of(e.demands.carried_gbps) / sum_of(e.demands.offered_gbps)


def worst_rtt_us(e: Evaluation) -> float:
    """Round trip on the slowest path in use, without load."""
    if e.case.job is not None and e.step is None:
        raise NotApplicableError(e.why_no_step)
    if e.worst_round_trip_us is None:
        has_path = e.loads is not None or (e.demands is not None and e.demands.reachable.any())
        why = unknown_lengths(e.case.state, e.health.latency.length_unknown) if has_path else "no traffic with a path"
        raise NotApplicableError(why)
    return e.worst_round_trip_us
