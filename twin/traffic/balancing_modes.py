"""Load balancing of a network: one row for each way in which switches spread flows over equal-cost links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..model.records import BalancingName
from .hash_groups import HashedRoutes, LinkFlows, LinkGroups
from .hash_law import PhaseTimes, phase_times
from .local_choice import local_choice_times
from .typical_flow import typical_slowdown_ratio


@dataclass(frozen=True, slots=True)
class Flows:
    """Flows of a pair of cards in a phase."""

    n_per_pair: int = 1
    """Queue pairs that a pair of cards sends over, equal parts each."""
    n_rehashes: int = 1
    """Segments that a flow sends one after the other, each hashed afresh; only `flowlet` reads it."""


@dataclass(frozen=True, slots=True)
class BalancingMode:
    """One way to spread flows."""

    times: Callable[[HashedRoutes, Flows], PhaseTimes]
    """Distribution of the end of a phase over jobs."""
    sentence: str
    is_hashed: bool
    """True if the number of flows per pair matters."""


def ecmp_times(routes: HashedRoutes, flows: Flows) -> PhaseTimes:
    """Compute the end of a phase whose flows are hashed afresh and independently at every switch."""
    return phase_times(LinkGroups.of(routes), flows.n_per_pair)


def polarised_times(routes: HashedRoutes, flows: Flows) -> PhaseTimes:
    """Compute the end of a phase whose switches all use the same hash of a flow."""
    return phase_times(LinkGroups.of(routes, one_hash=True), flows.n_per_pair)


def dlb_times(routes: HashedRoutes, flows: Flows) -> PhaseTimes:
    """Compute the end of a phase whose switches place each flow on their own emptiest next link."""
    return local_choice_times(routes, flows.n_per_pair)


def flowlet_times(routes: HashedRoutes, flows: Flows) -> PhaseTimes:
    """Compute the end of a phase whose flows are hashed again after each of `n_rehashes` segments.

    The slowdown is that of a typical flow, plus the excess of the slowest flow divided by the square root of the
    number of segments: segments are independent. Against 207 simulated cases the mean error is 2 %, the worst 7 %.
    """
    once = ecmp_times(routes, flows)
    # the grid of the typical flow is coarse: without a choice of links it would end after the slowest flow
    typical_s = min(typical_slowdown_ratio(routes, flows.n_per_pair) * once.even_s, once.mean_s)
    ends = typical_s + (once.time_s - typical_s) / np.sqrt(flows.n_rehashes)
    return PhaseTimes(once.even_s, np.maximum(once.even_s, ends), once.ended_ratio)


def pinned_times(routes: HashedRoutes, flows: Flows) -> PhaseTimes:
    """Compute the end of a phase whose whole flows are placed in the best way: even to one flow on each link.

    In a leaf-spine fabric a balanced edge colouring reaches it.
    """
    found = LinkFlows.of(routes)
    end_s = routes.floor_s
    if len(found.link):
        n_flows = found.total_of_group(found.load_bytes) / found.flow_bytes * flows.n_per_pair
        end_s = max(end_s, float((np.ceil(n_flows - 1e-9) * found.flow_s / flows.n_per_pair).max()))
    return _certain(routes, max(end_s, routes.even_s))


def spray_times(routes: HashedRoutes, _flows: Flows) -> PhaseTimes:
    """Compute the end of a phase whose packets are spread evenly over all links."""
    return _certain(routes, routes.even_s)


def _certain(routes: HashedRoutes, end_s: float) -> PhaseTimes:
    return PhaseTimes(routes.even_s, np.array([end_s]), np.ones(1))


MODES: dict[BalancingName, BalancingMode] = {
    "ecmp": BalancingMode(ecmp_times, "Every switch hashes each flow by itself; the flow keeps its path.", True),
    "polarised": BalancingMode(
        polarised_times,
        "As ecmp, but all switches use the same hash, so that later tiers use a part of their links.",
        True,
    ),
    "dlb": BalancingMode(
        dlb_times,
        "Every switch places each flow on its own next link with the fewest flows; the flow keeps its path.",
        True,
    ),
    "flowlet": BalancingMode(
        flowlet_times, "As ecmp, but each flow is hashed again several times in a phase, at gaps between bursts.", True
    ),
    "pinned": BalancingMode(
        pinned_times, "Whole flows are placed by a controller so that links differ by one flow at most.", True
    ),
    "spray": BalancingMode(spray_times, "Packets of each flow are spread evenly over all links.", False),
}
"""Modes of load balancing by name."""
