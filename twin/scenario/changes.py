"""The changes of structure and state, and the `Change` union of all changes.

Each change edits one level: structure, workload or state.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

import numpy as np
from pydantic import Field

from ..arrays import NO_CODE, NODE_KINDS, CompiledNetwork, Ints, State
from ..catalogue import Kind
from ..economics.cost import node_power_w, site_power_w
from ..errors import ChangeError
from ..model.globs import Globs, names_matching
from ..model.records import FORWARDING_KINDS, Link, Node, Site
from .balancing_change import SetLoadBalancing
from .card_ports import check_card_ports
from .change import Context, Fields, StateChange, StructureChange, WorkloadChange
from .fibre_changes import Age, CutFibre, SetFibre, require_spans, without_measured_power
from .job_changes import CutJob, LeaveSites, PlaceJob, RecoverJob, ScaleDemands, SplitWork, Synchronise, UseAccelerator
from .lease_change import AddLease
from .select import Links, Nodes
from .wcmp_change import SetWcmpGroups

FORWARDING_CODES = [NODE_KINDS.index(kind) for kind in NODE_KINDS if kind in FORWARDING_KINDS]
"""Codes of the kinds of nodes that are switches."""

# --- structure ------------------------------------------------------------------------------------------------


class AddNode(StructureChange):
    """Add a node."""

    kind: Literal["add_node"] = "add_node"
    example: ClassVar[Fields] = {"node": {"id": "c1/probe", "kind": "host"}}
    node: Node
    """The new node."""
    new_site: Site | None = None
    """Site of the node, where the network has none of that id yet."""

    def edit_graph(self, network: CompiledNetwork, context: Context) -> CompiledNetwork:
        """Return the network with the node."""
        if self.node.id in network.arrays.node_index:
            raise ChangeError(f"node {self.node.id!r} exists already", where=context.where)
        if self.new_site is not None:
            if self.new_site.id != self.node.site:
                problem = f"new_site is {self.new_site.id!r}, the site of the node {self.node.site!r}"
                raise ChangeError(problem, where=context.where, hint="name the same site")
            sites = (*network.document.sites, self.new_site)
            network = network.with_document(network.document.model_copy(update={"sites": sites}))
        return network.with_added(nodes=[self.node])


class AddLink(StructureChange):
    """Add a link."""

    kind: Literal["add_link"] = "add_link"
    example: ClassVar[Fields] = {
        "link": {
            "id": "wan-2-3",
            "ends": ["c2/border-2", "c3/border-2"],
            "n_parallel": 4,
            "transceiver": "400ZR",
            "n_fibre_pairs": 4,
            "spans": [{"length_km": 9.5, "fibre": "G.652.D", "srlgs": ["duct-23"]}],
        }
    }
    link: Link
    """The new link; its ends exist."""

    def edit_graph(self, network: CompiledNetwork, context: Context) -> CompiledNetwork:
        """Return the network with the link."""
        if self.link.id in network.arrays.link_index:
            raise ChangeError(f"link {self.link.id!r} exists already", where=context.where)
        return network.with_added(links=[self.link])


class RemoveLinks(StructureChange):
    """Remove links."""

    kind: Literal["remove_links"] = "remove_links"
    example: ClassVar[Fields] = {"links": "wan-1-3"}
    links: Links
    """Links to remove, by a selector."""

    def edit_graph(self, network: CompiledNetwork, context: Context) -> CompiledNetwork:
        """Return the network without the links."""
        rows = context.links(State.of(network.arrays), self.links)
        return network.without(links=[network.arrays.link_ids[row] for row in rows])


class RemoveNodes(StructureChange):
    """Remove nodes, and the links that end at them."""

    kind: Literal["remove_nodes"] = "remove_nodes"
    example: ClassVar[Fields] = {"nodes": {"kind": "border", "site": "c3"}}
    nodes: Nodes
    """Nodes to remove, by a selector."""

    def edit_graph(self, network: CompiledNetwork, context: Context) -> CompiledNetwork:
        """Return the network without the nodes."""
        rows = context.nodes(State.of(network.arrays), self.nodes)
        return network.without(nodes=[network.arrays.node_ids[row] for row in rows])


# --- state ----------------------------------------------------------------------------------------------------


class SetTransceivers(StateChange):
    """Replace the transceivers of links by new ones of one model."""

    kind: Literal["set_transceivers"] = "set_transceivers"
    example: ClassVar[Fields] = {"links": "wan-*", "part": "400ZR"}
    links: Links
    """Links to change, by a selector."""
    part: str
    """Catalogue id of the new transceiver."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with the new transceivers; the capacity follows the part."""
        rows = context.links(state, self.links)
        state, code = context.part(state, self.part, "transceiver")
        state = self._shift_measured_power(state, rows, context)
        state = state.with_values("link_transceiver", rows, code).with_values("link_age_years", rows, 0.0)
        return state.with_capacity_gbps(rows, np.nan)

    def _shift_measured_power(self, state: State, rows: Ints, context: Context) -> State:
        """Shift a measured received power to the launch power of the new laser.

        The difference between measurement and model belongs to the fibre plant, so it stays.
        """
        measured_dbm = state["link_measured_received_dbm"][rows]
        if np.isnan(measured_dbm).all():
            return state
        reader = context.reader
        old_launch_dbm = reader.by_code(state.parts, state["link_transceiver"][rows], "launch_dbm", "transceiver")
        new_launch_dbm = reader.part_or(self.part, "launch_dbm", np.nan)
        launch_change_db = np.where(np.isnan(state["link_launch_dbm"][rows]), new_launch_dbm - old_launch_dbm, 0.0)
        droop_years = np.nan_to_num(state["link_age_years"][rows] - state["link_measured_years"][rows])
        droop_db = reader.general("laser_droop_db_per_year") * np.maximum(droop_years, 0.0)
        return state.with_values("link_measured_received_dbm", rows, measured_dbm + launch_change_db + droop_db)


class SetChannels(StateChange):
    """Set the number of members of links, and optionally their fibre pairs and multiplexers.

    A member is a channel of an optical line or a cable of a bundle.
    """

    kind: Literal["set_channels"] = "set_channels"
    example: ClassVar[Fields] = {"links": "wan-*", "n_parallel": 16, "mux": "mux-64"}
    links: Links
    """Links to change, by a selector."""
    n_parallel: Annotated[int, Field(ge=1, le=1_000_000)]
    """New number of members."""
    n_fibre_pairs: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """New number of fibre pairs. None = as it is."""
    mux: str | None = None
    """Catalogue id of the new multiplexers at both ends. None = as it is."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with this number of members."""
        rows = context.links(state, self.links)
        state = state.with_values("link_n_parallel", rows, self.n_parallel)
        if self.n_fibre_pairs is not None:
            require_spans(state, rows, context)
            state = state.with_values("link_n_fibre_pairs", rows, self.n_fibre_pairs)
        if self.mux is not None:
            state, code = context.part(state, self.mux, "mux")
            state = without_measured_power(state, rows).with_values("link_mux", rows, code)
        return state


class SwapSwitches(StateChange):
    """Replace switches or routers by another model; the cabling stays."""

    kind: Literal["swap_switches"] = "swap_switches"
    example: ClassVar[Fields] = {
        "nodes": {"kind": "border", "installed_before": "2022-01-01"},
        "part": "border-deep-51.2T",
    }
    nodes: Nodes
    """Nodes to change, by a selector."""
    part: str
    """Catalogue id of the new model."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with the new model."""
        rows = context.nodes(state, self.nodes)
        racks = rows[state["node_n_accelerators"][rows] > 0]
        if len(racks):
            name = state.arrays.node_ids[racks[0]]
            raise ChangeError(
                f"{name} holds accelerators and is no switch", where=context.where, hint="narrow the selector"
            )
        state, code = context.part(state, self.part, "switch")
        return state.with_values("node_part", rows, code).with_values("node_age_years", rows, 0.0)


class SwapServers(StateChange):
    """Replace the servers or network cards of racks, hosts and storage by those of one model; the cabling stays.

    Links that state no rate then run at that of the new ports. The age of a node with accelerators stays.
    """

    kind: Literal["swap_servers"] = "swap_servers"
    example: ClassVar[Fields] = {"nodes": "host-*", "part": "card-400G-DD"}
    example_network: ClassVar[str] = "leaf-spine-demo"
    nodes: Nodes
    """Nodes to change, by a selector."""
    part: str
    """Catalogue id of the new server or card."""
    n_cards: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Cards of each node. None = as it is."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with the new servers or cards."""
        rows = context.nodes(state, self.nodes)
        forwarding = rows[np.isin(state["node_kind"][rows], FORWARDING_CODES)]
        if len(forwarding):
            problem = f"{state.arrays.node_ids[forwarding[0]]} is no rack, host or storage"
            raise ChangeError(problem, where=context.where, hint="narrow the selector; swap_switches replaces switches")
        kind: Kind = "server" if context.reader.catalogue.has(self.part, "server") else "card"
        state, code = context.part(state, self.part, kind)
        if kind == "card" and (state["node_n_servers"][rows] != NO_CODE).any():
            state = state.with_values("node_n_servers", rows, NO_CODE)
        if self.n_cards is not None:
            check_card_ports(state, rows, self.n_cards, context.where)
            state = state.with_values("node_n_cards", rows, self.n_cards)
        aged = rows[state["node_n_accelerators"][rows] == 0]
        return state.with_values("node_part", rows, code).with_values("node_age_years", aged, 0.0)


class SwapAccelerators(StateChange):
    """Fill racks with accelerators of one kind.

    With `fit_power` only as many racks are filled as the site's power allows: racks of that kind first, then by id.
    The other selected racks become empty. The cabling stays, so a fuller rack shares its ports.
    """

    kind: Literal["swap_accelerators"] = "swap_accelerators"
    example: ClassVar[Fields] = {"racks": {"site": "c2", "kind": "rack"}, "accelerator": "GB300", "fit_power": True}
    racks: Nodes
    """Racks to fill, by a selector."""
    accelerator: str
    """Catalogue id of the new accelerators."""
    n_per_rack: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Accelerators of each rack; None = the number in the catalogue's rack."""
    fit_power: bool = False
    """True: fill only as many racks as the power of their site allows."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with the new contents of the racks."""
        rows = context.nodes(state, self.racks)
        rows = rows[state["node_n_accelerators"][rows] > 0]
        if not len(rows):
            raise ChangeError("no rack with accelerators among them", where=context.where)
        part = context.reader.catalogue.get(self.accelerator, "accelerator")
        n = self.n_per_rack or int(part.value("n_per_rack"))
        has_kind = state["node_accelerator"][rows] == state.with_part(self.accelerator)[1]
        rows = np.concatenate((rows[has_kind], rows[~has_kind]))
        filled = rows
        if self.fit_power:
            filled = self._racks_within_power(state, rows, n * part.value("rack_w_per_accelerator"), context)
        state, code = context.part(state, self.accelerator, "accelerator")
        replaced = filled[state["node_accelerator"][filled] != code]
        state = state.with_values("node_n_accelerators", rows, 0)
        state = state.with_values("node_n_accelerators", filled, n)
        return state.with_values("node_accelerator", rows, code).with_values("node_age_years", replaced, 0.0)

    def _racks_within_power(self, state: State, rows: Ints, rack_w: float, context: Context) -> Ints:
        """Return the racks that fit the power of their sites beside all other loads, by site and then in order.

        rows: int64[n], racks to fill. rack_w: power of a filled rack, W, before PUE.
        """
        sites = {site.id: site for site in context.document.sites}
        site_w = site_power_w(state, context.document, context.reader)
        node_w = node_power_w(state, context.reader)
        filled: list[Ints] = []
        for code in np.unique(state.arrays.node_site[rows]):
            site_rows = rows[state.arrays.node_site[rows] == code]
            site = sites[state.arrays.sites[code]] if code >= 0 else None
            if site is None or site.power_megawatts is None:
                raise ChangeError("fit_power needs racks at a site with power_megawatts", where=context.where)
            pue = site.pue_ratio or context.reader.general("site_pue_ratio")
            free_w = site.power_megawatts * 1e6 - site_w[code] + node_w[site_rows].sum() * pue
            filled.append(site_rows[: max(0, int(free_w // (rack_w * pue)))])
        selected = np.concatenate(filled)
        if not len(selected):
            raise ChangeError("not one rack fits the megawatts that are left", where=context.where)
        return selected


class FailLinks(StateChange):
    """Fail links, or some members of each link."""

    kind: Literal["fail_links"] = "fail_links"
    example: ClassVar[Fields] = {"links": "wan-1-2", "n_members": 2}
    links: Links
    """Links that fail, by a selector."""
    n_members: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Members of each link that fail, beside those that are down already; None = all members."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with fewer members up, or none."""
        rows = context.links(state, self.links)
        if self.n_members is None:
            return state.with_values("link_up", rows, False)
        n_failed = np.minimum(state["link_n_failed"][rows] + self.n_members, state["link_n_parallel"][rows])
        return state.with_values("link_n_failed", rows, n_failed)


class FailNodes(StateChange):
    """Fail nodes; their links fail too."""

    kind: Literal["fail_nodes"] = "fail_nodes"
    example: ClassVar[Fields] = {"nodes": "c1/border-1"}
    nodes: Nodes
    """Nodes that fail, by a selector."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with the nodes down."""
        return state.with_values("node_up", context.nodes(state, self.nodes), False)


class FailSrlg(StateChange):
    """Fail a shared-risk group (SRLG): all links with a span in it; a protected link only if both paths are in it."""

    kind: Literal["fail_srlg"] = "fail_srlg"
    example: ClassVar[Fields] = {"srlg": "duct-shared"}
    srlg: Globs
    """A name or a glob, or a list of these: all of them fail."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with the group's links down."""
        arrays = state.arrays
        failed = names_matching(arrays.srlgs, self.srlg, context.where, "shared risk")
        codes = [arrays.srlgs.index(name) for name in failed]
        rows = np.unique(arrays.srlg_link[np.isin(arrays.srlg_code, codes)])
        return state.with_values("link_up", rows, False)


Change = Annotated[
    AddNode
    | AddLink
    | RemoveLinks
    | RemoveNodes
    | ScaleDemands
    | PlaceJob
    | LeaveSites
    | UseAccelerator
    | SplitWork
    | Synchronise
    | CutJob
    | RecoverJob
    | AddLease
    | SetLoadBalancing
    | SetWcmpGroups
    | SetTransceivers
    | SetChannels
    | SetFibre
    | SwapSwitches
    | SwapServers
    | SwapAccelerators
    | FailLinks
    | FailNodes
    | FailSrlg
    | Age
    | CutFibre,
    Field(discriminator="kind"),
]
"""Any change; `kind` says which."""

CHANGES: dict[str, type[StructureChange | WorkloadChange | StateChange]] = {
    row.model_fields["kind"].default: row for row in get_args(get_args(Change)[0])
}
"""The classes of `Change` by kind, in their order."""
