"""Time of a phase whose switches send each flow over their own emptiest next link (`dlb`)."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from scipy.special import gammaln, ndtr

from ..arrays import Floats
from .hash_groups import HashedRoutes, LinkFlows
from .hash_law import PhaseTimes, end_times_s

MAX_CONVOLVED_FLOWS = 2048
"""Flows of a link whose distribution is added up exactly; more of them are normal."""


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
        return PhaseTimes(routes.even_s, np.array([max(routes.floor_s, routes.even_s)]), np.ones(1))
    arrivals = _arrivals(flows, n_flows_per_pair)
    flow_s = flows.flow_s / n_flows_per_pair
    kinds: dict[tuple[float, int, tuple[tuple[float, float, float], ...]], float] = defaultdict(float)
    for group, n_counted in enumerate(flows.n_counted().tolist()):
        n_next, parts = arrivals[group]
        kinds[float(f"{flow_s[group]:.11g}"), n_next, parts] += n_counted / n_next
    rows = sorted(kinds)
    loads = [_distribution(parts) for _, _, parts in rows]
    each_s = np.array([row[0] for row in rows])
    n_next = np.array([row[1] for row in rows])
    least = np.array(
        [np.ceil((first + np.argmax(chance > 0)) / n) for (first, chance), n in zip(loads, n_next, strict=True)]
    )
    most = np.array([np.ceil((first + len(chance) - 1) / n) for (first, chance), n in zip(loads, n_next, strict=True)])
    time_s = end_times_s(max(routes.floor_s, float((least * each_s).max())), most, each_s)
    chance = np.ones(len(time_s))
    for i, (first, at_most) in enumerate(loads):
        n_arrived = np.floor(time_s / each_s[i] * (1.0 + 1e-9) + 1e-9) * n_next[i]
        row = np.clip(n_arrived - first, -1, len(at_most) - 1).astype(np.int64)
        chance *= np.where(row < 0, 0.0, at_most[row]) ** kinds[rows[i]]
    return PhaseTimes.of(routes.even_s, time_s, chance)


def _arrivals(flows: LinkFlows, n_flows_per_pair: int) -> dict[int, tuple[int, tuple[tuple[float, float, float], ...]]]:
    """By group: next links of the switch before the link, and (N, M, chance) of the flows that reach that switch."""
    n_flows = flows.routes.n_pairs[flows.route] * n_flows_per_pair
    size = flows.routes.pair_bytes[flows.route] / flows.flow_bytes[flows.group[flows.link]]
    load = np.bincount(flows.link, weights=n_flows * size * flows.chance, minlength=len(flows.group))
    behind = _digits(_chance_behind(flows))
    spread = {}  # (route, chance of a switch) -> group of the links to it that another switch chose from, and N
    chosen = np.flatnonzero(flows.n_next > 1)
    for entry in chosen.tolist():
        link = int(flows.link[entry])
        spread[int(flows.route[entry]), behind[entry]] = int(flows.group[link]), float(load[link] / flows.chance[entry])
    at_node = _digits(flows.at_node)
    parts: dict[int, dict[tuple[int, float, float], float]] = defaultdict(lambda: defaultdict(float))
    n_next: dict[int, int] = {}
    for entry in flows.of_first.tolist():
        group, route = int(flows.group[flows.link[entry]]), int(flows.route[entry])
        chance = float(f"{flows.at_node[entry]:.11g}")
        source, total = spread.get((route, at_node[entry]), (-1 - route, np.inf))
        parts[group][source, float(f"{total:.11g}"), chance] += float(n_flows[entry] * size[entry])
        n_next[group] = max(n_next.get(group, 1), int(flows.n_next[entry]))
    return {
        group: (n_next[group], tuple(sorted((n, float(f"{m:.11g}"), c) for (_, n, c), m in found.items())))
        for group, found in parts.items()
    }


def _chance_behind(flows: LinkFlows) -> Floats:
    """Chance that a flow of the route passes the node at the end of the link; float64[n_entries]."""
    tail, head = flows.routes.tail[flows.link], flows.routes.head[flows.link]
    n_nodes = int(max(flows.routes.tail.max(), flows.routes.head.max())) + 1
    nodes, first = np.unique(flows.route * n_nodes + tail, return_index=True)
    wanted = flows.route * n_nodes + head
    row = np.minimum(np.searchsorted(nodes, wanted), len(nodes) - 1)
    return np.where(nodes[row] == wanted, flows.at_node[first[row]], 1.0)


def _digits(chance: Floats) -> list[int]:
    """Chances as whole numbers that agree where sums differ by rounding."""
    return [int(x) for x in np.round(np.log(chance) * 1e9)]


def _distribution(parts: tuple[tuple[float, float, float], ...]) -> tuple[int, Floats]:
    """(least flows, chance of at most that many and upwards) that reach a switch."""
    total = sum(m for _, m, _ in parts)
    if total > MAX_CONVOLVED_FLOWS:
        mean = sum(m * c for _, m, c in parts)
        free = sum(m * c * (1.0 - c) * (max(0.0, n - m) / (n - 1.0) if np.isfinite(n) else 1.0) for n, m, c in parts)
        if free < 1e-9:
            return int(np.ceil(mean - 1e-6)), np.ones(1)
        first, last = np.floor(mean - 8.0 * np.sqrt(free)), np.ceil(mean + 8.0 * np.sqrt(free)) + 1.0
        at = np.arange(first, last)
        return int(first), ndtr((at + 0.5 - mean) / np.sqrt(free))
    chance = np.ones(1)
    for n, m, c in parts:
        chance = np.convolve(chance, _part(n, m, c))
    return 0, np.minimum(1.0, np.cumsum(chance))


def _part(n: float, m: float, c: float) -> Floats:
    """Chances of 0, 1, ... of M marked flows among the part `c` that is drawn from N flows."""
    marked = max(1, round(m))
    x = np.arange(marked + 1.0)
    if not np.isfinite(n):
        if c >= 1.0 - 1e-9:
            return np.append(np.zeros(marked), 1.0)
        return np.exp(_log_choose(marked, x) + x * np.log(c) + (marked - x) * np.log1p(-c))
    all_flows = max(marked, round(n))
    drawn = all_flows * c
    low = np.floor(drawn + 1e-9)
    part = max(0.0, drawn - low)
    return (1.0 - part) * _hypergeometric(all_flows, marked, low, x) + part * _hypergeometric(
        all_flows, marked, low + 1.0, x
    )


def _hypergeometric(n: float, marked: float, drawn: float, x: Floats) -> Floats:
    """Chance of x marked flows among `drawn` of n."""
    possible = (x <= drawn) & (drawn - x <= n - marked) & (drawn <= n)
    out = np.zeros(len(x))
    at = x[possible]
    out[possible] = np.exp(
        _log_choose(marked, at) + _log_choose(n - marked, drawn - at) - _log_choose(n, np.array([drawn]))
    )
    return out


def _log_choose(n: float, k: Floats) -> Floats:
    return gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
