"""Hash collisions of a job: how the members of bundles between sites share the flows of each phase."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import TIERS, Floats, State
from ..traffic.load_balancing import worst_over_mean
from .step_inputs import UnitLinkLoads


def collision_ratio(state: State, loads: UnitLinkLoads, n_flows_each: float) -> Mapping[str, Floats]:
    """Load of the fullest member over the mean, on bundles of the wide area, for each phase that uses them.

    Each pair of accelerators keeps `n_flows_each` flows. They spread over its routes as its traffic does. Each flow
    stays on the member that its hash chose.

    Returns:
        Ratio by kind of flow sets and row of `loads`, 1 outside the wide area; float64[n_rows] each.
    """
    wide_rows = np.flatnonzero(state.link_tier[loads.arc // 2] == TIERS.index("wide_area"))
    n_members = state.n_members_up[loads.arc[wide_rows] // 2]
    ratios = {}
    for kind, n_pairs in loads.n_pairs.items():
        if n_pairs[wide_rows].any():
            ratios[kind] = np.ones(len(loads.arc))
            ratios[kind][wide_rows] = worst_over_mean(n_flows_each * n_pairs[wide_rows], n_members)
    return ratios
