"""Servers and network cards that do not fit: links faster than their ports, and more rack units than a rack has."""

from __future__ import annotations

import numpy as np

from ..arrays import NODE_KINDS, State
from ..arrays.node_ports import figure_of_kind, is_of_kinds, link_port_gbps, n_pieces
from ..catalogue.figure_reader import FigureReader
from ..errors.wording import counted
from .build_fault import BuildFault


def server_faults(state: State, reader: FigureReader) -> dict[str, BuildFault]:
    """Find links whose stated rate is beyond the ports of cards, and racks with too many servers, by key."""
    faults: dict[str, BuildFault] = {}
    port_gbps, link_gbps = link_port_gbps(state, reader), state["link_capacity_gbps"]
    for link in np.flatnonzero(link_gbps > port_gbps * (1 + 1e-9)):
        name, rate_gbps, limit_gbps = state.arrays.link_ids[link], float(link_gbps[link]), float(port_gbps[link])
        problem = f"a member of {rate_gbps:g} Gb/s in a card's port of {limit_gbps:g}; it runs at {limit_gbps:g}"
        faults[f"card port {name}"] = BuildFault(
            f"links[{name}]", "port_gbps", rate_gbps, limit_gbps, problem, "name a faster card, or the rate that it has"
        )
    in_rack = is_of_kinds(state, reader, frozenset({"server"})) & (state["node_kind"] == NODE_KINDS.index("rack"))
    if in_rack.any():
        limit = reader.general("n_rack_units_per_rack", "high")
        pieces = n_pieces(state, reader)
        units = pieces * np.nan_to_num(figure_of_kind(state, reader, "n_rack_units", "server"))
        for node in np.flatnonzero(in_rack & (units > limit)):
            name = state.arrays.node_ids[node]
            problem = f"{counted(pieces[node], 'server')} take {units[node]:g} rack units; a rack has {limit:g} at most"
            faults[f"rack units {name}"] = BuildFault(
                f"nodes[{name}]",
                "n_rack_units",
                float(units[node]),
                float(limit),
                problem,
                "spread them over more racks",
            )
    return faults
