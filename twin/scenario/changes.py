"""The changes: each edits exactly one floor, structure, workload or state, and is one row of the `Change` union."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ..arrays import CompiledNetwork, Ints, State
from ..economics.cost import node_power_w, site_power_w
from ..errors import ChangeError, did_you_mean
from ..model.records import Link, Node
from .change import Context, StateChange, StructureChange
from .job_changes import CutJob, LeaveSites, PlaceJob, RecoverJob, ScaleDemands, SplitWork, Synchronise, UseAccelerator
from .select import Links, Nodes

# --- structure ------------------------------------------------------------------------------------------------


class AddNode(StructureChange):
    """Put a node in."""

    kind: Literal["add_node"] = "add_node"
    node: Node

    def edit_graph(self, network: CompiledNetwork, context: Context) -> CompiledNetwork:
        """The network with the node."""
        if self.node.id in network.arrays.node_index:
            raise ChangeError(f"node {self.node.id!r} exists already", where=context.where)
        return network.with_added(nodes=[self.node])


class AddLink(StructureChange):
    """Put a link in."""

    kind: Literal["add_link"] = "add_link"
    link: Link

    def edit_graph(self, network: CompiledNetwork, context: Context) -> CompiledNetwork:
        """The network with the link."""
        if self.link.id in network.arrays.link_index:
            raise ChangeError(f"link {self.link.id!r} exists already", where=context.where)
        return network.with_added(links=[self.link])


class RemoveLinks(StructureChange):
    """Take links out."""

    kind: Literal["remove_links"] = "remove_links"
    links: Links

    def edit_graph(self, network: CompiledNetwork, context: Context) -> CompiledNetwork:
        """The network without the links."""
        rows = context.links(State.of(network.arrays), self.links)
        return network.without(links=[network.arrays.link_ids[row] for row in rows])


class RemoveNodes(StructureChange):
    """Take nodes out, with the links that hang on them."""

    kind: Literal["remove_nodes"] = "remove_nodes"
    nodes: Nodes

    def edit_graph(self, network: CompiledNetwork, context: Context) -> CompiledNetwork:
        """The network without the nodes."""
        rows = context.nodes(State.of(network.arrays), self.nodes)
        return network.without(nodes=[network.arrays.node_ids[row] for row in rows])


# --- state ----------------------------------------------------------------------------------------------------


class SetTransceivers(StateChange):
    """Put other transceivers into the slots of links; they are new."""

    kind: Literal["set_transceivers"] = "set_transceivers"
    links: Links
    part: str

    def overlay(self, state: State, context: Context) -> State:
        """The state with the part in the slots; capacity follows the part."""
        rows = context.links(state, self.links)
        state, code = context.part(state, self.part, "transceiver")
        state = self._remeasured(state, rows, context)
        state = state.with_values("link_transceiver", rows, code).with_values("link_age_years", rows, 0.0)
        return state.with_values("link_capacity_gbps", rows, np.nan)

    def _remeasured(self, state: State, rows: Ints, context: Context) -> State:
        """What was measured beyond the model is the plant's and stays: the reading moves to the new laser's launch."""
        measured = state["link_measured_received_dbm"][rows]
        if np.isnan(measured).all():
            return state
        reader = context.reader
        before = reader.by_code(state.parts, state["link_transceiver"][rows], "launch_dbm", "transceiver")
        after = reader.part_or(self.part, "launch_dbm", np.nan)
        more = np.where(np.isnan(state["link_launch_dbm"][rows]), after - before, 0.0)
        drooped_years = np.nan_to_num(state["link_age_years"][rows] - state["link_measured_years"][rows])
        droop_db = reader.general("laser_droop_db_per_year") * np.maximum(drooped_years, 0.0)
        return state.with_values("link_measured_received_dbm", rows, measured + more + droop_db)


class SetChannels(StateChange):
    """Set the members of links (channels of a line, cables of a bundle), and with them fibre pairs and multiplexers."""

    kind: Literal["set_channels"] = "set_channels"
    links: Links
    n_parallel: Annotated[int, Field(ge=1, le=1_000_000)]
    n_fibre_pairs: Annotated[int, Field(ge=1, le=10_000)] | None = None
    mux: str | None = None

    def overlay(self, state: State, context: Context) -> State:
        """The state with this many members."""
        rows = context.links(state, self.links)
        state = state.with_values("link_n_parallel", rows, self.n_parallel)
        if self.n_fibre_pairs is not None:
            _on_fibre(state, rows, context)
            state = state.with_values("link_n_fibre_pairs", rows, self.n_fibre_pairs)
        if self.mux is not None:
            state, code = context.part(state, self.mux, "mux")
            state = _unmeasured(state, rows).with_values("link_mux", rows, code)
        return state


class SetFibre(StateChange):
    """Lay other glass: new, of one kind, along the same spans."""

    kind: Literal["set_fibre"] = "set_fibre"
    links: Links
    fibre: str
    leased: bool = False
    n_splices: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """A span, beside those within the attenuation of the kind."""

    def overlay(self, state: State, context: Context) -> State:
        """The state with new spans: no age, no repairs."""
        rows = context.links(state, self.links)
        _on_fibre(state, rows, context)
        state, code = context.part(state, self.fibre, "fibre")
        spans = np.flatnonzero(np.isin(state.arrays.span_link, rows))
        for column, value in (
            ("span_fibre", code),
            ("span_age_years", 0.0),
            ("span_n_splices", self.n_splices),
            ("span_leased", self.leased),
            ("span_measured_loss_db", np.nan),
            ("span_measured_years", np.nan),
        ):
            state = state.with_values(column, spans, value)
        return _unmeasured(state, rows)


class SwapSwitches(StateChange):
    """Replace switches or routers by another model, cabling kept."""

    kind: Literal["swap_switches"] = "swap_switches"
    nodes: Nodes
    part: str

    def overlay(self, state: State, context: Context) -> State:
        """The state with the new model."""
        rows = context.nodes(state, self.nodes)
        wrong = rows[state["node_n_accelerators"][rows] > 0]
        if len(wrong):
            name = state.arrays.node_ids[wrong[0]]
            raise ChangeError(
                f"{name} holds accelerators and is no switch", where=context.where, hint="narrow the selector"
            )
        state, code = context.part(state, self.part, "switch")
        return state.with_values("node_part", rows, code).with_values("node_age_years", rows, 0.0)


class SwapAccelerators(StateChange):
    """Refill racks with one kind of accelerator; `fit_power` fills as many as the site's megawatts carry, racks
    of that kind first, then in order of ids.

    Racks beyond that are left empty. Cabling stays, so a fuller rack shares the ports it has.
    """

    kind: Literal["swap_accelerators"] = "swap_accelerators"
    racks: Nodes
    accelerator: str
    n_per_rack: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """None = the catalogue's usual rack."""
    fit_power: bool = False

    def overlay(self, state: State, context: Context) -> State:
        """The state with refilled racks."""
        rows = context.nodes(state, self.racks)
        rows = rows[state["node_n_accelerators"][rows] > 0]
        if not len(rows):
            raise ChangeError("no rack with accelerators among them", where=context.where)
        part = context.reader.catalogue.get(self.accelerator, "accelerator")
        n = self.n_per_rack or int(part.value("n_per_rack"))
        already = state["node_accelerator"][rows] == state.with_part(self.accelerator)[1]
        rows = np.concatenate((rows[already], rows[~already]))
        kept = rows
        if self.fit_power:
            kept = self._fitting(state, rows, n * part.value("rack_w_per_accelerator"), context)
        state, code = context.part(state, self.accelerator, "accelerator")
        fresh = kept[state["node_accelerator"][kept] != code]
        state = state.with_values("node_n_accelerators", rows, 0)
        state = state.with_values("node_n_accelerators", kept, n)
        return state.with_values("node_accelerator", rows, code).with_values("node_age_years", fresh, 0.0)

    def _fitting(self, state: State, rows: Ints, rack_w: float, context: Context) -> Ints:
        """As many of the rows, in order and site by site, as their sites' megawatts carry beside everything else."""
        sites = {site.id: site for site in context.document.sites}
        at_meter = site_power_w(state, context.document, context.reader)
        power = node_power_w(state, context.reader)
        kept: list[Ints] = []
        for code in np.unique(state.arrays.node_site[rows]):
            here = rows[state.arrays.node_site[rows] == code]
            site = sites[state.arrays.sites[code]] if code >= 0 else None
            if site is None or site.power_megawatts is None:
                raise ChangeError("fit_power needs racks at a site with power_megawatts", where=context.where)
            pue = site.pue_ratio or context.reader.general("site_pue_ratio")
            free_w = site.power_megawatts * 1e6 - at_meter[code] + power[here].sum() * pue
            kept.append(here[: max(0, int(free_w // (rack_w * pue)))])
        chosen = np.concatenate(kept)
        if not len(chosen):
            raise ChangeError("not one rack fits the megawatts that are left", where=context.where)
        return chosen


class FailLinks(StateChange):
    """Take links down, or some members of each."""

    kind: Literal["fail_links"] = "fail_links"
    links: Links
    n_members: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """None = all of them."""

    def overlay(self, state: State, context: Context) -> State:
        """The state with fewer members up, or none."""
        rows = context.links(state, self.links)
        if self.n_members is None:
            return state.with_values("link_up", rows, False)
        down = np.minimum(state["link_n_failed"][rows] + self.n_members, state["link_n_parallel"][rows])
        return state.with_values("link_n_failed", rows, down)


class FailNodes(StateChange):
    """Take nodes down, and with them their links."""

    kind: Literal["fail_nodes"] = "fail_nodes"
    nodes: Nodes

    def overlay(self, state: State, context: Context) -> State:
        """The state with the nodes down."""
        return state.with_values("node_up", context.nodes(state, self.nodes), False)


class FailSrlg(StateChange):
    """Cut everything that lies in a shared risk: every link with a span in the duct, protected ones with both paths."""

    kind: Literal["fail_srlg"] = "fail_srlg"
    srlg: str

    def overlay(self, state: State, context: Context) -> State:
        """The state with the group's links down."""
        arrays = state.arrays
        if self.srlg not in arrays.srlgs:
            hint = did_you_mean(self.srlg, arrays.srlgs)
            raise ChangeError(f"no shared risk {self.srlg!r}", where=context.where, hint=hint)
        rows = arrays.srlg_link[arrays.srlg_code == arrays.srlgs.index(self.srlg)]
        return state.with_values("link_up", rows, False)


class Age(StateChange):
    """Let years pass for glass and optics that have an installation date."""

    kind: Literal["age"] = "age"
    years: Annotated[float, Field(ge=0, le=100)]
    links: Links | None = None
    """None = all links."""

    def overlay(self, state: State, context: Context) -> State:
        """The state with older glass and optics."""
        every = np.arange(state.arrays.n_links)
        rows = every if self.links is None else context.links(state, self.links)
        spans = np.flatnonzero(np.isin(state.arrays.span_link, rows))
        for prefix, chosen in (("link", rows), ("span", spans)):
            columns = [f"{prefix}_age_years", f"{prefix}_measured_years"]
            for column in [*columns, "span_amplifier_age_years"] if prefix == "span" else columns:
                if not np.isnan(state[column][chosen]).all():
                    state = state.with_values(column, chosen, state[column][chosen] + self.years)
        return state


class CutFibre(StateChange):
    """Cut the glass of links and mend it: each cut leaves the splices of a repair, beside those the model expects."""

    kind: Literal["cut_fibre"] = "cut_fibre"
    links: Links
    n_cuts: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Of each link, in the longest span of its working path."""

    def overlay(self, state: State, context: Context) -> State:
        """The state with more splices; a loss measured before grows by them."""
        rows = context.links(state, self.links)
        _on_fibre(state, rows, context)
        arrays = state.arrays
        of_path = np.where(arrays.span_standby, -1.0, state["span_length_km"])
        spans = np.array(
            [
                b + int(np.argmax(of_path[b:e]))
                for b, e in ((arrays.span_first[r], arrays.span_first[r + 1]) for r in rows)
            ]
        )
        n_splices = int(self.n_cuts * context.reader.general("n_splices_per_cut"))
        added_db = n_splices * context.reader.general("splice_db")
        state = state.with_values("span_n_splices", spans, state["span_n_splices"][spans] + n_splices)
        measured = state["span_measured_loss_db"][spans] + added_db
        state = state.with_values("span_measured_loss_db", spans, measured)
        # behind a later amplifier the receiver sees nothing of it
        amplified = np.flatnonzero((state["span_amplifier"] >= 0) & ~arrays.span_standby)
        last = np.full(arrays.n_links, -1)
        np.maximum.at(last, arrays.span_link[amplified], amplified)
        received = state["link_measured_received_dbm"][rows] - np.where(spans > last[rows], added_db, 0.0)
        return state.with_values("link_measured_received_dbm", rows, received)


def _unmeasured(state: State, rows: Ints) -> State:
    """What was measured does not hold for links whose light goes through something else now."""
    for column in ("link_measured_received_dbm", "link_measured_years"):
        if not np.isnan(state[column][rows]).all():
            state = state.with_values(column, rows, np.nan)
    return state


def _on_fibre(state: State, rows: Ints, context: Context) -> None:
    without = rows[np.diff(state.arrays.span_first)[rows] == 0]
    if len(without):
        name = state.arrays.link_ids[without[0]]
        raise ChangeError(f"link {name!r} has no spans", where=context.where, hint="choose wide-area links")


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
    | SetTransceivers
    | SetChannels
    | SetFibre
    | SwapSwitches
    | SwapAccelerators
    | FailLinks
    | FailNodes
    | FailSrlg
    | Age
    | CutFibre,
    Field(discriminator="kind"),
]
"""One change, told apart by `kind`."""
