"""The columns of a network: read-only arrays, and values that follow from them alone."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from ..kernels.graph import ArcGraph

NODE_KINDS = ("rack", "host", "storage", "leaf", "spine", "core", "border", "switch", "roadm")
"""Kinds of nodes; end points come first."""
LAST_END_POINT = NODE_KINDS.index("storage")
END_POINTS = NODE_KINDS[: LAST_END_POINT + 1]
"""Kinds of nodes that traffic begins and ends at."""
Tier = Literal["access", "fabric", "border", "wide_area"]
TIERS: tuple[Tier, ...] = get_args(Tier)
"""Tiers of links: at an end point; between switches; at a border router; between sites or with fibre spans. Spans
without amplifiers within one site are indoor or campus cables, and make no link wide-area; nor do those of at most
MAX_INDOOR_KM at nodes without a site."""
MAX_INDOOR_KM = 0.5
"""Length up to which a cable stays in a building or between neighbouring ones, where no site says so.

Source: IEEE 802.3, the reach of the DR optics."""
NO_CODE = -1
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class NetworkArrays:
    """A network as columns; row i of `node_*` is node_ids[i], of `link_*` link_ids[i], both sorted by id.

    `link_straight_km` is the great circle between the sites of a link without spans: 0 where both ends share
    a site or one has none, NaN where a position is not stated. Codes point into `parts`, `sites`, `srlgs`; -1 is none,
    also for `node_rail`, `node_n_cards`, `node_n_servers` and `link_n_design_channels`.
    `span_cable` points into `srlgs`. Fibre without a date (`span_undated`) has age 0.
    Unset numbers are NaN; `*_age_years` and `*_measured_years` are years before `as_of`. `span_*` rows of link l are
    span_first[l]:span_first[l + 1]. Pairs of `srlg_link` and `srlg_code` list the shared risks that take a link down;
    `span_srlg_*` list all memberships of spans.
    `link_capacity_gbps` is the higher of both directions. `arc_capacity_gbps` is stated by direction; NaN where one
    value holds for both.
    Shapes: `node_*` [n_nodes], `link_*` [n_links] except `link_ends` [n_links, 2], `span_*` [n_spans], `arc_first`
    [n_nodes + 1], other `arc_*` [2 * n_links].
    """

    node_ids: tuple[str, ...]
    link_ids: tuple[str, ...]
    parts: tuple[str, ...]
    sites: tuple[str, ...]
    srlgs: tuple[str, ...]
    node_kind: Ints
    node_site: Ints
    node_part: Ints
    node_accelerator: Ints
    node_n_accelerators: Ints
    node_n_cards: Ints
    node_n_servers: Ints
    node_rail: Ints
    node_age_years: Floats
    node_up: Bools
    node_forwards: Bools
    link_ends: Ints
    link_capacity_gbps: Floats
    link_n_parallel: Ints
    link_straight_km: Floats
    arc_weight: Floats
    arc_capacity_gbps: Floats
    arc_stated_latency_us: Floats
    link_transceiver: Ints
    link_mux: Ints
    link_launch_dbm: Floats
    link_booster: Ints
    link_booster_gain_db: Floats
    link_booster_voa_db: Floats
    link_booster_noise_figure_db: Floats
    link_n_design_channels: Ints
    link_n_fibre_pairs: Ints
    link_age_years: Floats
    link_required_margin_db: Floats
    link_loss_ratio: Floats
    link_measured_received_dbm: Floats
    link_measured_years: Floats
    link_protection: Ints
    link_macsec: Bools
    link_n_failed: Ints
    link_up: Bools
    span_first: Ints
    span_link: Ints
    span_length_km: Floats
    span_fibre: Ints
    span_age_years: Floats
    span_undated: Bools
    span_cable: Ints
    span_n_splices: Ints
    span_n_connectors: Ints
    span_lumped_loss_db: Floats
    span_amplifier: Ints
    span_amplifier_gain_db: Floats
    span_amplifier_output_dbm: Floats
    span_amplifier_voa_db: Floats
    span_amplifier_noise_figure_db: Floats
    span_amplifier_age_years: Floats
    span_leased: Bools
    span_measured_loss_db: Floats
    span_measured_years: Floats
    span_regenerated: Bools
    span_standby: Bools
    srlg_link: Ints
    srlg_code: Ints
    span_srlg_span: Ints
    span_srlg_code: Ints
    arc_first: Ints
    arc_sorted: Ints
    arc_head: Ints

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_ids)

    @property
    def n_links(self) -> int:
        """Number of links, bundles counted once."""
        return len(self.link_ids)

    @cached_property
    def graph(self) -> ArcGraph:
        """Outgoing arcs in CSR form, and which nodes forward, for the kernels."""
        return ArcGraph(self.arc_first, self.arc_sorted, self.arc_head, self.node_forwards)

    @cached_property
    def node_index(self) -> dict[str, int]:
        """Row of each node id."""
        return {name: i for i, name in enumerate(self.node_ids)}

    @cached_property
    def link_index(self) -> dict[str, int]:
        """Row of each link id."""
        return {name: i for i, name in enumerate(self.link_ids)}

    @cached_property
    def link_tier(self) -> Ints:
        """Index into TIERS of each link; int64[n_links]."""
        kinds = self.node_kind[self.link_ends]
        border = NODE_KINDS.index("border")
        at_rack = (kinds <= LAST_END_POINT).any(axis=1)
        tier = np.where(at_rack, 0, np.where((kinds == border).any(axis=1), 2, 1))
        site = self.node_site[self.link_ends]
        have_sites, same_site = (site != NO_CODE).all(axis=1), site[:, 0] == site[:, 1]
        amplified = np.bincount(self.span_link[self.span_amplifier != NO_CODE], minlength=self.n_links) > 0
        working_km = np.where(self.span_standby, 0.0, self.span_length_km)
        length_km = np.bincount(self.span_link, weights=working_km, minlength=self.n_links)
        is_line = amplified | (~have_sites & (length_km > MAX_INDOOR_KM))
        tier[(have_sites & ~same_site) | is_line] = TIERS.index("wide_area")
        return tier

    @cached_property
    def link_at_roadm(self) -> Bools:
        """Links with an end at an optical node, through which paths are not modelled; bool[n_links]."""
        return np.asarray((self.node_kind[self.link_ends] == NODE_KINDS.index("roadm")).any(axis=1))

    @cached_property
    def link_n_regenerators(self) -> Ints:
        """Regeneration sites of each link, on working and standby path together; int64[n_links]."""
        return np.bincount(self.span_link[self.span_regenerated], minlength=self.n_links)

    @cached_property
    def derived(self) -> dict[str, npt.NDArray[Any]]:
        """Cache of derived columns of the unchanged network; see `arrays.state.DERIVED`."""
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the arrays as read-only in another process."""
        self.__dict__.update(state)
        freeze(self)

    def code(self, part_id: str) -> int:
        """Return the code of a part; -1 if the network does not use it."""
        return self.parts.index(part_id) if part_id in self.parts else NO_CODE


def freeze(arrays: NetworkArrays) -> NetworkArrays:
    """Make every column read-only."""
    for spec in fields(arrays):
        value = getattr(arrays, spec.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return arrays
