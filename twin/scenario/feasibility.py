"""Check whether a state can be built: ports, cages, lanes, band, amplifiers, site power, rack places and leases."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import Floats, State
from ..arrays.node_ports import node_ports, part_of_ports, stated_gbps
from ..catalogue import Part
from ..catalogue.figure_reader import FigureReader
from ..economics.cost import site_power_w
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from .band_faults import band_faults
from .build_fault import BuildFault
from .cable_faults import cable_faults
from .lease_faults import lease_faults
from .line_faults import line_faults
from .port_budget import n_ports_of_groups, ports_text, share_broken_out
from .server_faults import server_faults


def build_faults(
    state: State, document: TopologyDocument, reader: FigureReader, job: TrainingJob | None = None
) -> dict[str, BuildFault]:
    """Find what cannot be built.

    Args:
        state: nodes and links of the network.
        document: sites, jobs and leases.
        reader: source of catalogue figures.
        job: job in place of that of the document with its id; None = those of the document.

    Returns:
        Faults by key. The same fault has the same key before and after changes. Empty if everything fits.
    """
    reader = reader.fresh()
    faults: dict[str, BuildFault] = {}
    _port_faults(state, reader, faults)
    _cage_faults(state, reader, faults)
    faults.update(band_faults(state, reader))
    faults.update(cable_faults(state, reader))
    faults.update(server_faults(state, reader))
    faults.update(line_faults(state, reader))
    _site_faults(state, document, reader, faults)
    faults.update(lease_faults(state, document, job))
    return faults


def member_rate_gbps(state: State, reader: FigureReader) -> Floats:
    """Nominal rate of a member of each link: as stated, at most that of transceiver and card; NaN where none is known.

    Returns:
        float64[n_links].
    """
    rate_gbps = reader.by_code(state.parts, state["link_transceiver"], "rate_gbps", "transceiver")
    return np.asarray(np.fmin(stated_gbps(state, reader), rate_gbps))


def ports_used(state: State, reader: FigureReader) -> tuple[Floats, Floats]:
    """Count the ports of each node in ports of its own speed; slower links share a port.

    Returns:
        (ports used, ports of the part), float64[n_nodes] each; the latter NaN for a node without a part.
    """
    n_ports, port_gbps = node_ports(state, reader)
    rate_gbps = member_rate_gbps(state, reader)
    n_taken = np.empty((state.arrays.n_links, 2))
    for side in (0, 1):
        end = state["link_ends"][:, side]
        # ports split into equal slower ones (an 800G port into two of 400G), so a bundle takes whole ports together
        per_port = np.maximum(np.floor(port_gbps[end] / np.where(np.isnan(rate_gbps), port_gbps[end], rate_gbps)), 1.0)
        n_taken[:, side] = np.ceil(state["link_n_parallel"] / np.where(np.isnan(per_port), 1.0, per_port))
    share_broken_out(state, n_taken, rate_gbps, port_gbps)
    ends = state["link_ends"]
    used = np.zeros(state.arrays.n_nodes)
    used += np.bincount(ends.ravel(), weights=n_taken.ravel(), minlength=state.arrays.n_nodes)
    for node in _nodes_with_groups(state, reader):
        rows, sides = np.nonzero(ends == node)
        alone = n_taken[rows, sides] > 0  # the first link of a port that is broken out stands for all of them
        links = zip(rate_gbps[rows[alone]].tolist(), state["link_n_parallel"][rows[alone]].tolist(), strict=True)
        used[node] = n_ports_of_groups(_part_of(state, reader, node).port_groups, links)
    return used, n_ports


def _part_of(state: State, reader: FigureReader, node: int) -> Part:
    return reader.catalogue.get(state.parts[state["node_part"][node]])


def _nodes_with_groups(state: State, reader: FigureReader) -> list[int]:
    """Return the nodes whose ports have several speeds."""
    codes = [code for code, part_id in enumerate(state.parts) if reader.catalogue.get(part_id).port_groups]
    return np.flatnonzero(np.isin(state["node_part"], codes)).tolist() if codes else []


def _port_faults(state: State, reader: FigureReader, faults: dict[str, BuildFault]) -> None:
    used, available = ports_used(state, reader)
    for node in np.flatnonzero(used > available):
        name = state.arrays.node_ids[node]
        faults[f"ports {name}"] = BuildFault(
            f"nodes[{name}]",
            "n_ports",
            float(used[node]),
            float(available[node]),
            f"no free port: {state.part_id(state['node_part'][node])} has "
            f"{ports_text(_part_of(state, reader, int(node)), available[node])}, "
            f"{used[node]:.0f} are asked for",
            "take a model with more ports, or fewer members",
        )


def _cage_faults(state: State, reader: FigureReader, faults: dict[str, BuildFault]) -> None:
    """Check that each transceiver fits its ports: form factor, power, lane rate and port rate."""
    n_codes = len(state.parts) + 1
    keys = (np.repeat(state["link_transceiver"], 2) + 1) * n_codes + state["node_part"][state["link_ends"].ravel()] + 1
    pairs, of_arc = np.unique(keys, return_inverse=True)
    for i, key in enumerate(pairs.tolist()):
        optic_code, switch_code = key // n_codes - 1, key % n_codes - 1
        if optic_code < 0 or switch_code < 0:
            continue
        optic = reader.catalogue.get(state.parts[optic_code])
        switch = part_of_ports(reader.catalogue.get(state.parts[switch_code]), reader)
        found = list(_misfits(reader, optic, switch))
        for arc in np.flatnonzero(of_arc.reshape(-1) == i).tolist() if found else ():
            link, side = divmod(arc, 2)
            name, node = state.arrays.link_ids[link], state.arrays.node_ids[state["link_ends"][link, side]]
            n_members, hint = int(state["link_n_parallel"][link]), f"optics that fit {switch.id}"
            for rule, value, limit, problem in found:
                faults[f"{rule} {name} {node}"] = BuildFault(
                    f"links[{name}]", rule, value, limit, problem, hint, n_members, is_listed_alone=False
                )


def _misfits(reader: FigureReader, optic: Part, switch: Part) -> Iterator[tuple[str, float | str, float | str, str]]:
    """Yield rule, value, limit and problem of each way in which a transceiver does not fit a port."""
    if switch.cages and optic.form_factor and optic.form_factor not in switch.cages:
        cages = ", ".join(switch.cages)
        problem = f"wrong cage: {optic.id} is {optic.form_factor}, {switch.id} takes {cages}"
        yield "cages", optic.form_factor, cages, problem
    if switch.lane_gbps and optic.lane_gbps and optic.lane_gbps > switch.lane_gbps:
        problem = f"wrong lane rate: {optic.id} runs {optic.lane_gbps}G lanes, {switch.id} up to {switch.lane_gbps}G"
        yield "lane_gbps", float(optic.lane_gbps), float(switch.lane_gbps), problem
    rate_gbps, port_gbps = optic.value("rate_gbps"), switch.value_or("port_gbps", np.inf)
    if rate_gbps > port_gbps:
        problem = f"too fast: {optic.id} at {rate_gbps:g} Gb/s in a port of {switch.id} at {port_gbps:g}"
        yield "port_gbps", rate_gbps, port_gbps, problem
    if optic.value_or("power_w", 0.0) > switch.value_or("cage_w", np.inf):
        optic_w, cage_w = reader.part(optic.id, "power_w"), reader.part(switch.id, "cage_w")
        problem = f"too hot: {optic.id} draws {optic_w:g} W, a port of {switch.id} cools {cage_w:g}"
        yield "cage_w", optic_w, cage_w, problem


def _site_faults(state: State, document: TopologyDocument, reader: FigureReader, faults: dict[str, BuildFault]) -> None:
    sites = {site.id: site for site in document.sites}
    power_w = site_power_w(state, document, reader)
    occupied = (state["node_n_accelerators"] > 0) & (state.arrays.node_site >= 0)
    n_racks = np.bincount(state.arrays.node_site[occupied], minlength=len(state.arrays.sites))
    for row, name in enumerate(state.arrays.sites):
        site = sites[name]
        if site.power_megawatts is not None and power_w[row] > site.power_megawatts * 1e6 * (1 + 1e-9):
            faults[f"power {name}"] = BuildFault(
                f"sites[{name}]",
                "power_megawatts",
                float(power_w[row]) / 1e6,
                site.power_megawatts,
                f"more megawatts than the site has: {power_w[row] / 1e6:.4g} of {site.power_megawatts:g}",
                "fewer or thriftier racks",
            )
        if site.n_rack_places is not None and n_racks[row] > site.n_rack_places:
            problem = f"{n_racks[row]} racks in {site.n_rack_places} places"
            places = float(n_racks[row]), float(site.n_rack_places)
            faults[f"places {name}"] = BuildFault(f"sites[{name}]", "n_rack_places", *places, problem, "fewer racks")
