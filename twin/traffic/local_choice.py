"""Time of a phase whose switches send each flow over their own emptiest next link (`dlb`)."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, ndtr

from ..arrays import Floats, Ints
from ..arrays.rounding import rounded
from ..arrays.sums import sums_by
from .hash_groups import HashedRoutes, LinkFlows
from .hash_law import PhaseTimes, end_times_s

MAX_CONVOLVED_FLOWS = 2048
"""Flows that reach a switch whose distribution is added up exactly; that of more flows is normal."""


class Spread(NamedTuple):
    """Flows that an earlier switch spread evenly, and those of them that may go on to this switch."""

    n_spread: float
    """Flows that were spread; infinite where each of them was hashed by itself."""
    n_marked: float
    """Flows of these that go on to the link."""
    chance_ratio: float
    """Part of the spread flows that this switch gets."""


class Arrivals(NamedTuple):
    """Flows that reach the switch before a link, and the number of links that it spreads them over."""

    flow_s: float
    """Time that a flow occupies the link."""
    n_next: int
    spreads: tuple[Spread, ...]


class FlowCount(NamedTuple):
    """Distribution of a number of flows."""

    least: int
    at_most_ratio: Floats
    """Chance of at most `least`, `least` + 1, ... flows."""


def local_choice_times(routes: HashedRoutes, n_flows_per_pair: int) -> PhaseTimes:
    """Compute when a phase ends if each switch places each flow on its own next link with the fewest flows.

    The flows that reach a switch are spread over its next links to a flow. Which flows these are is chance: of the N
    flows that an earlier switch spread evenly, M go on to this switch, and their number is hypergeometric. Loads of
    links are taken as independent.

    Args:
        routes: routes of the phase.
        n_flows_per_pair: queue pairs that a pair of cards sends over, equal parts each.
    """
    flows = LinkFlows.of(routes)
    if not len(flows.link):
        return PhaseTimes(routes.even_s, np.array([routes.even_s]), np.ones(1))
    times: dict[Arrivals, float] = defaultdict(float)
    for found, n_counted in zip(_arrivals(flows, n_flows_per_pair), flows.n_counted().tolist(), strict=True):
        times[found] += n_counted / found.n_next
    kinds = sorted(times)
    counts = [_flow_count(kind.spreads) for kind in kinds]
    flow_s = np.array([kind.flow_s for kind in kinds])
    n_next = np.array([kind.n_next for kind in kinds], dtype=np.float64)
    least = np.array([count.least + int(np.argmax(count.at_most_ratio > 0)) for count in counts])
    most = np.array([count.least + len(count.at_most_ratio) - 1 for count in counts])
    floor_s = max(routes.even_s, float((np.ceil(least / n_next) * flow_s).max()))
    time_s = end_times_s(floor_s, np.ceil(most / n_next), flow_s)
    chance = np.ones(len(time_s))
    for kind, count in zip(kinds, counts, strict=True):
        n_arrived = np.floor(time_s / kind.flow_s * (1.0 + 1e-9) + 1e-9) * kind.n_next
        row = np.clip(n_arrived - count.least, -1, len(count.at_most_ratio) - 1).astype(np.int64)
        chance *= np.where(row < 0, 0.0, count.at_most_ratio[row]) ** times[kind]
    return PhaseTimes.of(routes.even_s, time_s, chance)


def _arrivals(flows: LinkFlows, n_flows_per_pair: int) -> list[Arrivals]:
    """Flows that reach the switch before the links of each group."""
    size = flows.routes.pair_bytes[flows.route] / flows.flow_bytes[flows.group[flows.link]]
    n_flows = flows.n_pairs * size * n_flows_per_pair
    load = sums_by(flows.link, n_flows * flows.chance_ratio, len(flows.group))
    entries = flows.of_first
    group, route = flows.group[flows.link[entries]], flows.route[entries]
    n_next = np.ones(len(flows.flow_s), dtype=np.int64)
    np.maximum.at(n_next, group, flows.n_next[entries])
    source, n_spread = _spread_before(flows, load, entries)
    # flows that are marked alike add up
    ratio = flows.at_node_ratio[entries]
    figures = np.stack((group, np.where(source < 0, -1 - route, source), _rounded(n_spread), _rounded(ratio)))
    kinds, at = np.unique(figures, axis=1, return_inverse=True)
    n_marked = np.bincount(at.reshape(-1), weights=n_flows[entries], minlength=kinds.shape[1]).tolist()
    spreads: list[list[Spread]] = [[] for _ in n_next]
    for i, (of_group, _, total, chance) in enumerate(kinds.T.tolist()):
        spreads[int(of_group)].append(Spread(total, rounded(n_marked[i]), chance))
    flow_s = _rounded(flows.flow_s / n_flows_per_pair).tolist()
    return [
        Arrivals(seconds, n, tuple(sorted(parts)))
        for seconds, n, parts in zip(flow_s, n_next.tolist(), spreads, strict=True)
    ]


def _spread_before(flows: LinkFlows, load: Floats | Ints, entries: Ints) -> tuple[Ints, Floats]:
    """(group of the links to a switch that another one chose from, flows that it spread), by some entries.

    -1 and infinity where no switch chose before. A switch is told by the chance that flows of the route pass it.
    """
    chosen = np.flatnonzero(flows.n_next > 1)
    behind = _chance_behind(flows, chosen)
    digits, codes = np.unique(_digits(np.concatenate((behind, flows.at_node_ratio[entries]))), return_inverse=True)
    route = np.concatenate((flows.route[chosen], flows.route[entries]))
    keys = route * len(digits) + codes.reshape(-1)
    # of several entries the last one counts
    known, last = np.unique(keys[: len(chosen)][::-1], return_index=True)
    if not len(known):
        return np.full(len(entries), -1), np.full(len(entries), np.inf)
    wanted = keys[len(chosen) :]
    row = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found, entry = known[row] == wanted, chosen[len(chosen) - 1 - last[row]]
    link = flows.link[entry]
    n_spread = load[link] / flows.chance_ratio[entry]
    return np.where(found, flows.group[link], -1), np.where(found, n_spread, np.inf)


def _chance_behind(flows: LinkFlows, entries: Ints) -> Floats:
    """Chance that a flow of the route passes the node at the end of the link; float64[len(entries)]."""
    tail, head = flows.routes.tail[flows.link], flows.routes.head[flows.link[entries]]
    n_nodes = int(max(flows.routes.tail.max(), flows.routes.head.max())) + 1
    nodes, first = np.unique(flows.route * n_nodes + tail, return_index=True)
    wanted = flows.route[entries] * n_nodes + head
    row = np.minimum(np.searchsorted(nodes, wanted), len(nodes) - 1)
    return np.where(nodes[row] == wanted, flows.at_node_ratio[first[row]], 1.0)


def _digits(chance: Floats) -> Ints:
    """Chances as whole numbers that agree where sums differ by rounding."""
    return np.round(np.log(chance) * 1e9).astype(np.int64)


def _rounded(values: Floats) -> Floats:
    """Round each value as `rounded` does; equal values are rounded once."""
    distinct, at = np.unique(values, return_inverse=True)
    return np.array([rounded(value) for value in distinct.tolist()])[at.reshape(-1)]


def _flow_count(spreads: tuple[Spread, ...]) -> FlowCount:
    """Distribution of the flows that reach a switch."""
    if sum(part.n_marked for part in spreads) <= MAX_CONVOLVED_FLOWS:
        return FlowCount(0, np.minimum(1.0, np.cumsum(_counts_of(spreads))))
    mean = sum(part.n_marked * part.chance_ratio for part in spreads)
    variance = sum(
        part.n_marked * part.chance_ratio * (1.0 - part.chance_ratio) * _free_ratio(part) for part in spreads
    )
    if variance < 1e-9:
        return FlowCount(int(np.ceil(mean - 1e-6)), np.ones(1))
    sigma = float(np.sqrt(variance))
    first, last = np.floor(mean - 8.0 * sigma), np.ceil(mean + 8.0 * sigma)
    at = np.arange(first, last + 1.0)
    return FlowCount(int(first), np.asarray(ndtr((at + 0.5 - mean) / sigma)))


def _counts_of(spreads: tuple[Spread, ...]) -> Floats:
    """Chances of 0, 1, ... flows of all parts together."""
    chance = np.ones(1)
    for part, same in groupby(spreads):
        n, power = len(tuple(same)), _part_count(part)
        while n:
            if n & 1:
                chance = np.convolve(chance, power)
            n >>= 1
            power = np.convolve(power, power) if n else power
    return chance


def _free_ratio(part: Spread) -> float:
    """Variance of the number of marked flows over that of flows hashed one by one."""
    n = part.n_spread
    return max(0.0, n - part.n_marked) / max(1.0, n - 1.0) if np.isfinite(n) else 1.0


@lru_cache(maxsize=16_384)
def _part_count(part: Spread) -> Floats:
    """Chances of 0, 1, ... marked flows among the part that is drawn from the spread flows."""
    marked = max(1, round(part.n_marked))
    x = np.arange(marked + 1.0)
    if part.chance_ratio > 1.0 - 1e-9:
        return np.append(np.zeros(marked), 1.0)
    if not np.isfinite(part.n_spread):
        logs = _log_choose(marked, x) + x * np.log(part.chance_ratio) + (marked - x) * np.log1p(-part.chance_ratio)
        return np.asarray(np.exp(logs))
    n = max(marked, round(part.n_spread))
    low = float(np.floor(n * part.chance_ratio + 1e-9))
    rest = max(0.0, n * part.chance_ratio - low)
    return (1.0 - rest) * _hypergeometric(n, marked, low, x) + rest * _hypergeometric(n, marked, low + 1.0, x)


def _hypergeometric(n: float, n_marked: float, n_drawn: float, x: Floats) -> Floats:
    """Chance of x marked flows among `n_drawn` of n."""
    out = np.zeros(len(x))
    if n_drawn > n:
        return out
    possible = (x <= n_drawn) & (n_drawn - x <= n - n_marked)
    at = x[possible]
    ways = _log_choose(n_marked, at) + _log_choose(n - n_marked, n_drawn - at)
    out[possible] = np.exp(ways - _log_choose(n, np.array([n_drawn])))
    return out


def _log_choose(n: float, k: Floats) -> Floats:
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0))
