"""Hash collisions of a job: how many flows its accelerators send between sites, and how members share them."""

from __future__ import annotations

import numpy as np

from ..arrays import TIERS, Floats, State
from ..catalogue.figure_reader import FigureReader
from ..model.records import Lossless
from ..traffic.load_balancing import worst_over_mean
from .placement import JobPlacement
from .step_inputs import UnitLinkLoads


def n_flows_per_accelerator(lossless: Lossless, reader: FigureReader) -> float:
    """Flows that an accelerator keeps to another site: the document's number, else the catalogue's figure."""
    stated = lossless.n_flows_per_accelerator
    return reader.general("n_flows_per_accelerator") if stated is None else stated


def collision_ratio(state: State, placed: JobPlacement, loads: UnitLinkLoads, n_flows_each: float) -> Floats:
    """Load of the fullest member over the mean, on bundles of the wide area.

    Every accelerator of the smaller of two sites keeps `n_flows_each` flows to the other site. The flows of a pair of
    sites spread over its routes as its traffic does. Each flow stays on the member that its hash chose.

    Returns:
        Ratio by row of `loads`, 1 outside the wide area; float64[n_rows].
    """
    out = np.ones(len(loads.arc))
    wide_rows = np.flatnonzero(state.link_tier[loads.arc // 2] == TIERS.index("wide_area"))
    sites = placed.sites
    n_placed = [sum(len(group.rack) for group in placed.groups if group.site == site) for site in sites]
    n_flows = np.zeros(len(wide_rows))
    for (i, j), unit in loads.wide.items():
        n_flows += n_flows_each * min(n_placed[i], n_placed[j]) * unit[wide_rows]
    out[wide_rows] = worst_over_mean(n_flows, state.n_members_up[loads.arc[wide_rows] // 2])
    return out
