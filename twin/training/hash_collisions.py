"""Flows hashed onto the members of a bundle: how much fuller the fullest member is than the mean."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log

import numpy as np
from scipy.special import bdtr

from ..arrays import TIERS, Floats, Ints, State
from ..catalogue.figure_reader import FigureReader
from ..model.records import Lossless
from .placement import Placed
from .step_inputs import UnitLinkLoads

FEW = 64
"""Flows; so many at the least are looked at as a binomial distribution for each member."""


def worst_over_mean(n_flows: Floats, n_members: Ints) -> Floats:
    """Expected load of the fullest of `n_members` over the mean, for so many equal flows placed at random.

    E[max] = sum over x of 1 - P(max <= x). Exact below FEW flows; from there on P(max <= x) = F(x)^k, F the binomial
    distribution of one member's flows, members taken as independent: within 4 % of drawing them (tests).
    """
    out = np.ones(len(n_flows))
    several = np.flatnonzero((n_members > 1) & (n_flows > 0))
    if not len(several):
        return out
    # three figures of the flow count are plenty, and leave few cases to work out
    flows = np.maximum(np.array([float(f"{n:.3g}") for n in n_flows[several]]), 1.0)
    pairs, rows = np.unique(np.stack((np.ceil(flows), n_members[several])), axis=1, return_inverse=True)
    ratios = np.array([_expected_ratio(int(n), int(k)) for n, k in pairs.T])
    out[several] = ratios[rows.reshape(-1)]
    return out


@lru_cache(maxsize=4096)
def _expected_ratio(n: int, k: int) -> float:
    mean, sigma = n / k, np.sqrt(n / k * (1.0 - 1.0 / k))
    if n < FEW:
        return sum(1.0 - _at_most(n, k, x) for x in range(n)) / mean
    x = np.arange(0.0, np.ceil(mean + 12.0 * sigma) + 12.0)
    return float((1.0 - bdtr(np.minimum(x, n), n, 1.0 / k) ** k).sum() / mean)


def _at_most(n: int, k: int, x: int) -> float:
    """Chance that none of k members gets more than x of n flows: n! / k^n times the coefficient of z^n in
    (1 + z + ... + z^x / x!)^k."""
    # in chances of a Poisson distribution of n / k, so that neither powers nor factorials leave what a float holds
    mean = n / k
    factor = np.array([exp(j * log(mean) - mean - lgamma(j + 1)) if j <= x else 0.0 for j in range(n + 1)])
    power = np.eye(1, n + 1)[0]
    while k:
        if k & 1:
            power = np.convolve(power, factor)[: n + 1]
        factor, k = np.convolve(factor, factor)[: n + 1], k >> 1
    return float(power[n] / exp(n * log(n) - n - lgamma(n + 1)))


def n_flows_per_accelerator(lossless: Lossless, reader: FigureReader) -> float:
    """Flows that an accelerator keeps to another site: as the document says, else the catalogue's figure."""
    stated = lossless.n_flows_per_accelerator
    return reader.general("n_flows_per_accelerator") if stated is None else stated


def collision_ratio(state: State, placed: Placed, loads: UnitLinkLoads, n_flows_each: float) -> Floats:
    """By row of `loads`: fullest member over mean of wide-area bundles, 1 elsewhere.

    Every accelerator of the smaller of two sites keeps so many flows to the other; those of a pair of sites spread over
    its routes as its traffic does, and each stays on the member that its hash gave it.
    """
    out = np.ones(len(loads.arc))
    wide = np.flatnonzero(state.link_tier[loads.arc // 2] == TIERS.index("wide_area"))
    if not len(wide) or not loads.wide:
        return out
    sites = placed.sites
    n_placed = [sum(len(group.rack) for group in placed.groups if group.site == site) for site in sites]
    flows = np.zeros(len(wide))
    for (i, j), unit in loads.wide.items():
        flows += n_flows_each * min(n_placed[i], n_placed[j]) * unit[wide]
    out[wide] = worst_over_mean(flows, state.n_members_up[loads.arc[wide] // 2])
    return out
