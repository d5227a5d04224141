"""Check whether a state can be built: ports, cages, lanes, optical band, amplifiers, site power and rack places."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, State
from ..catalogue.figure_reader import FigureReader
from ..economics.cost import site_power_w
from ..errors import Issue
from ..errors.wording import counted
from ..model.document import TopologyDocument
from ..optics.amplified_lines import amplified_paths, comb_of_link
from ..optics.gn_model import outside_validity
from ..optics.optical_paths import COHERENT, OpticalPaths, link_optics, optical_paths_of
from ..optics.power_budget import compute_launch_conditions


def build_issues(state: State, document: TopologyDocument, reader: FigureReader) -> dict[str, Issue]:
    """Find what cannot be built.

    Returns:
        Issues by key. The same fault has the same key before and after changes. Empty if everything fits.
    """
    reader = reader.fresh()
    issues: dict[str, Issue] = {}
    _port_issues(state, reader, issues)
    _cage_issues(state, reader, issues)
    _band_issues(state, reader, issues)
    _amplifier_issues(state, reader, issues)
    _launch_issues(state, reader, issues)
    _site_issues(state, document, reader, issues)
    return issues


def member_rate_gbps(state: State, reader: FigureReader) -> Floats:
    """Nominal rate of a member of each link: as stated, at most that of its transceiver; NaN where neither is known.

    Returns:
        float64[n_links].
    """
    rate_gbps = reader.by_code(state.parts, state["link_transceiver"], "rate_gbps", "transceiver")
    return np.asarray(np.fmin(state["link_capacity_gbps"], rate_gbps))


def ports_used(state: State, reader: FigureReader) -> tuple[Floats, Floats]:
    """Count the ports of each node in ports of its own speed; slower links share a port.

    Returns:
        (ports used, ports of the part), float64[n_nodes] each; the latter NaN for a node without a part.
    """
    port_gbps = reader.by_code(state.parts, state["node_part"], "port_gbps", "switch")
    n_ports = reader.by_code(state.parts, state["node_part"], "n_ports", "switch")
    rate_gbps = member_rate_gbps(state, reader)
    used = np.zeros(state.arrays.n_nodes)
    for side in (0, 1):
        end = state["link_ends"][:, side]
        # ports split into equal slower ones (an 800G port into two of 400G), so a bundle takes whole ports together
        per_port = np.maximum(np.floor(port_gbps[end] / np.where(np.isnan(rate_gbps), port_gbps[end], rate_gbps)), 1.0)
        n_taken = np.ceil(state["link_n_parallel"] / np.where(np.isnan(per_port), 1.0, per_port))
        used += np.bincount(end, weights=n_taken, minlength=state.arrays.n_nodes)
    return used, n_ports


def _port_issues(state: State, reader: FigureReader, issues: dict[str, Issue]) -> None:
    used, available = ports_used(state, reader)
    for node in np.flatnonzero(used > available):
        name = state.arrays.node_ids[node]
        issues[f"ports {name}"] = Issue(
            f"nodes[{name}]",
            f"no free port: {state.part_id(state['node_part'][node])} has {available[node]:.0f}, "
            f"{used[node]:.0f} are asked for",
            "take a model with more ports, or fewer members",
        )


def _cage_issues(state: State, reader: FigureReader, issues: dict[str, Issue]) -> None:
    """Check that each transceiver fits its ports: form factor, power, lane rate and port rate."""
    n_codes = len(state.parts) + 1
    keys = (np.repeat(state["link_transceiver"], 2) + 1) * n_codes + state["node_part"][state["link_ends"].ravel()] + 1
    for key, arc in zip(*np.unique(keys, return_index=True), strict=True):
        optic_code, switch_code = key // n_codes - 1, key % n_codes - 1
        if optic_code < 0 or switch_code < 0:
            continue
        optic = reader.catalogue.get(state.parts[optic_code])
        switch = reader.catalogue.get(state.parts[switch_code])
        reason = ""
        if switch.cages and optic.form_factor and optic.form_factor not in switch.cages:
            reason = f"wrong cage: {optic.id} is {optic.form_factor}, {switch.id} takes {', '.join(switch.cages)}"
        elif switch.lane_gbps and optic.lane_gbps and optic.lane_gbps > switch.lane_gbps:
            reason = f"wrong lane rate: {optic.id} runs {optic.lane_gbps}G lanes, {switch.id} up to {switch.lane_gbps}G"
        elif optic.value("rate_gbps") > switch.value_or("port_gbps", np.inf):
            reason = f"too fast: {optic.id} at {optic.value('rate_gbps'):g} Gb/s in a port of {switch.id}"
        elif optic.value_or("power_w", 0.0) > switch.value_or("cage_w", np.inf):
            optic_w, cage_w = reader.part(optic.id, "power_w"), reader.part(switch.id, "cage_w")
            reason = f"too hot: {optic.id} draws {optic_w:g} W, a port of {switch.id} cools {cage_w:g}"
        if reason:
            link, side = divmod(int(arc), 2)
            node = state.arrays.node_ids[state["link_ends"][link, side]]
            issues[f"cage {optic.id} {switch.id}"] = Issue(
                f"links[{state.arrays.link_ids[link]}]", reason, f"first seen at {node}"
            )


def _band_issues(state: State, reader: FigureReader, issues: dict[str, Issue]) -> None:
    band_ghz = 1e3 * reader.general("c_band_thz")
    spacing_ghz = reader.by_code(state.parts, state["link_transceiver"], "spacing_ghz", "transceiver")
    mux_channels = reader.by_code(state.parts, state["link_mux"], "n_channels", "mux")
    mux_spacing_ghz = reader.by_code(state.parts, state["link_mux"], "spacing_ghz", "mux")
    n_pairs = state["link_n_fibre_pairs"]
    on_fibre = (np.diff(state.arrays.span_first) > 0) & (state["link_transceiver"] >= 0)
    for link in np.flatnonzero(on_fibre & (state["link_n_parallel"] > n_pairs)):
        name, n = state.arrays.link_ids[link], int(state["link_n_parallel"][link])
        if np.isnan(spacing_ghz[link]) or np.isnan(mux_channels[link]):
            issues[f"mux {name}"] = Issue(
                f"links[{name}]",
                f"{n} channels on {counted(n_pairs[link], 'fibre pair')} without a multiplexer",
                "name a mux for coherent channels, or a fibre pair for each",
            )
            continue
        n_channels_max = int(band_ghz // spacing_ghz[link]) * int(n_pairs[link])
        where = f"links[{name}]"
        if n > n_channels_max:
            issues[f"band {name}"] = Issue(
                where,
                f"{n} channels of {spacing_ghz[link]:g} GHz; room for {n_channels_max} "
                f"on {counted(n_pairs[link], 'fibre pair')}",
                "light more pairs",
            )
        elif not np.isnan(mux_channels[link]) and n > mux_channels[link] * n_pairs[link]:
            ports = int(mux_channels[link] * n_pairs[link])
            issues[f"mux {name}"] = Issue(
                where, f"{n} channels; the multiplexers have {ports} ports", "take a larger mux"
            )
        elif mux_spacing_ghz[link] < spacing_ghz[link]:
            issues[f"grid {name}"] = Issue(
                where,
                f"channels of {spacing_ghz[link]:g} GHz do not pass a {mux_spacing_ghz[link]:g} GHz mux",
                "change the mux too",
            )


def _amplifier_issues(state: State, reader: FigureReader, issues: dict[str, Issue]) -> None:
    """Check amplified paths: coherent channels only, enough gain for the loss before each amplifier, enough power."""
    if not (state["span_amplifier"] >= 0).any():
        return
    paths = optical_paths_of(state, reader)
    optics = link_optics(state, reader)
    spans, into_fibre_dbm = compute_launch_conditions(state, reader, paths, "value")
    for path in amplified_paths(state, paths):
        link = int(paths.link_of_path[path])
        name = state.arrays.link_ids[link]
        where = f"links[{name}]"
        if optics[link] != COHERENT:
            label = state.part_id(state["link_transceiver"][link]) or "a link without transceivers"
            issues[f"amplifier {name}"] = Issue(where, f"{label} does not run over amplifiers", "take a coherent part")
            continue
        comb = comb_of_link(state, reader, link, float(into_fibre_dbm[path]))
        comb_problem = outside_validity(comb)
        if comb_problem:
            issues[f"light {name}"] = Issue(where, comb_problem, "fewer channels a pair, or less power in each")
        # losses as built: ageing is judged by the link budget
        loss_db = spans.fibre_db + spans.connectors_db + spans.lumped_db
        problem = _gain_problem(state, reader, paths, loss_db, int(path), comb.total_dbm)
        if problem:
            hint = "shorter spans, fewer channels or less power in each"
            issues[f"amplifier {name}"] = Issue(where, problem, hint)


def _launch_issues(state: State, reader: FigureReader, issues: dict[str, Issue]) -> None:
    """Check the stated_dbm launch power of links without amplifiers against the transceiver."""
    stated_dbm = state["link_launch_dbm"]
    amplified = np.zeros(state.arrays.n_links, dtype=np.bool_)
    amplified[state.arrays.span_link[state["span_amplifier"] >= 0]] = True
    for link in np.flatnonzero(~np.isnan(stated_dbm) & ~amplified & (state["link_transceiver"] >= 0)):
        part = reader.catalogue.get(state.parts[state["link_transceiver"][link]])
        limit = part.figures.get("launch_dbm")
        if limit is not None and stated_dbm[link] > limit.high:
            name = state.arrays.link_ids[link]
            problem = f"launch of {stated_dbm[link]:g} dBm: {part.id} gives at most {limit.high:g} dBm"
            issues[f"launch {name}"] = Issue(f"links[{name}]", problem, "less, or amplifiers in its spans")


def _gain_problem(
    state: State, reader: FigureReader, paths: OpticalPaths, loss_db: Floats, path: int, total_dbm: float
) -> str:
    """Describe the last amplifier of a path that lacks max_gain_db or max_output_dbm; empty if all have enough.

    loss_db: float64[n_spans], loss of each span. total_dbm: max_output_dbm of all channels.
    """
    problem, loss_since_amplifier_db = "", 0.0
    for row in range(paths.span_first[path], paths.span_last[path]):
        loss_since_amplifier_db += float(loss_db[row])
        part = state.part_id(state["span_amplifier"][row])
        if part is None:
            continue
        max_gain_db, max_output_dbm = reader.part(part, "max_gain_db"), reader.part(part, "max_output_dbm")
        if loss_since_amplifier_db > max_gain_db or total_dbm > max_output_dbm:
            required = f"{loss_since_amplifier_db:.1f} dB and {total_dbm:.1f} dBm are asked for"
            problem = f"{part} gives {max_gain_db:g} dB and {max_output_dbm:g} dBm; {required}"
        loss_since_amplifier_db = 0.0
    return problem


def _site_issues(state: State, document: TopologyDocument, reader: FigureReader, issues: dict[str, Issue]) -> None:
    sites = {site.id: site for site in document.sites}
    power_w = site_power_w(state, document, reader)
    occupied = (state["node_n_accelerators"] > 0) & (state.arrays.node_site >= 0)
    n_racks = np.bincount(state.arrays.node_site[occupied], minlength=len(state.arrays.sites))
    for row, name in enumerate(state.arrays.sites):
        site = sites[name]
        if site.power_megawatts is not None and power_w[row] > site.power_megawatts * 1e6 * (1 + 1e-9):
            issues[f"power {name}"] = Issue(
                f"sites[{name}]",
                f"more megawatts than the site has: {power_w[row] / 1e6:.4g} of {site.power_megawatts:g}",
                "fewer or thriftier racks",
            )
        if site.n_rack_places is not None and n_racks[row] > site.n_rack_places:
            issues[f"places {name}"] = Issue(
                f"sites[{name}]", f"{n_racks[row]} racks in {site.n_rack_places} places", "fewer racks"
            )
