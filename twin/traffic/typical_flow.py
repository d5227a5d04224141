"""Slowdown of a typical hashed flow: the busiest link of its own path, not of the whole network."""

from __future__ import annotations

import numpy as np
from scipy.special import bdtr

from ..arrays.rounding import rounded
from ..arrays.sums import sum_of
from .hash_groups import HashedRoutes, LinkFlows

N_TIMES = 96
"""End times that are looked at."""
EXCESS_RATIO = 0.7
"""Part of the slowdown by the busiest link that a flow has under max-min fair rates; fitted to 207 simulated cases."""


def typical_slowdown_ratio(routes: HashedRoutes, n_flows_per_pair: int) -> float:
    """Compute the mean time of a flow over the time of the phase under even splitting.

    A flow meets 1 + Binomial(n - 1, 1/k) flows on its link of a group. The busiest link of its path slows it down, less
    what flows leave free that other links slow down more. Links of a path are taken as independent.
    """
    flows = LinkFlows.of(routes)
    if not len(flows.link):
        return 1.0
    total = flows.total_of_group(flows.load_bytes)
    n_links = np.maximum(1.0, total / flows.total_of_group(flows.load_bytes * flows.chance_ratio))
    n_flows = np.maximum(1.0, total * n_links / flows.flow_bytes * n_flows_per_pair)
    flow_s = flows.flow_s / n_flows_per_pair
    mean = n_flows / n_links
    last_s = ((1.0 + mean + 8.0 * np.sqrt(mean) + 8.0) * flow_s).max()
    time_s = np.linspace(routes.floor_s, max(last_s, routes.floor_s), N_TIMES + 1)
    n_others = np.ceil(n_flows).astype(np.int64) - 1
    others = np.floor(time_s[:, None] / flow_s * (1.0 + 1e-9) + 1e-9) - 1.0
    chance = np.where(others < 0, 0.0, bdtr(np.clip(others, 0, n_others), n_others, 1.0 / n_links))
    # groups on the path of each route, weighted by the part of the route's flows that crosses a link of the group
    n_groups = len(n_flows)
    key = flows.route * n_groups + flows.group[flows.link]
    pairs, rows = np.unique(key, return_inverse=True)
    crossing = np.bincount(
        rows.ravel(),
        weights=flows.load_bytes / (routes.n_pairs * routes.pair_bytes)[flows.route] * routes.n_members[flows.link],
    )
    route, group = pairs // n_groups, pairs % n_groups
    with np.errstate(divide="ignore"):
        logs = np.log(chance[:, group]) * np.minimum(1.0, crossing)
    sent = routes.n_pairs * routes.pair_bytes
    starts = np.flatnonzero(np.append(True, np.diff(route) > 0))
    ended = np.exp(np.add.reduceat(logs, starts, axis=1))
    weight = sent[route[starts]]
    mean_ended = ended @ (weight / sum_of(weight))
    end_s = time_s[0] + float(((1.0 - mean_ended[:-1]) * np.diff(time_s)).sum())
    return 1.0 + EXCESS_RATIO * max(0.0, rounded(float(end_s / routes.even_s)) - 1.0)
