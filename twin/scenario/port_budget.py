"""Ports of switches that links take: ports that are broken out, and switches with ports of several speeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..arrays import Floats, State
from ..catalogue import Part
from ..catalogue.records import PortGroup

BROKEN_OUT = "port "
"""Start of the shared risk of links that leave one port, `port leaf-1:Ethernet1/1`; imports name it so."""


def share_broken_out(state: State, n_taken: Floats, rate_gbps: Floats, port_gbps: Floats) -> None:
    """Count each port that is broken out once, in place, however many links leave it.

    Args:
        state: links with their shared risks.
        n_taken: ports that each link takes at each end by itself, float64[n_links, 2]; changed in place.
        rate_gbps: rate of a member of each link, float64[n_links]; NaN if unknown.
        port_gbps: rate of a port of each node, float64[n_nodes]; NaN without a part.
    """
    codes = [code for code, name in enumerate(state.srlgs) if name.startswith(BROKEN_OUT)]
    if not codes:
        return
    arrays, ends = state.arrays, state["link_ends"]
    in_group = np.isin(state["srlg_code"], codes)
    members: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for link, code in zip(state["srlg_link"][in_group].tolist(), state["srlg_code"][in_group].tolist(), strict=True):
        for side in (0, 1):
            node = int(ends[link, side])
            if state.srlgs[code].startswith(f"{BROKEN_OUT}{arrays.node_ids[node]}:"):
                members.setdefault((code, node), []).append((link, side))
    for (_, node), places in members.items():
        links = [link for link, _ in places]
        total_gbps = float((rate_gbps[links] * state["link_n_parallel"][links]).sum())
        n_ports = np.ceil(total_gbps / port_gbps[node] * (1 - 1e-9))
        for i, place in enumerate(places):
            n_taken[place] = 0.0 if i else max(float(np.nan_to_num(n_ports, nan=1.0)), 1.0)


def n_ports_of_groups(groups: Sequence[PortGroup], links: Iterable[tuple[float, float]]) -> float:
    """Count the ports that links take of a switch with ports of several speeds.

    The fastest links choose first, each the slowest ports that are fast enough. A port that is faster than its links
    carries several members of one link.

    Args:
        groups: ports by speed.
        links: (rate of a member in Gb/s, members); a rate that is not known fits any port.

    Returns:
        Ports taken. It exceeds the number of all ports by the members that find none.
    """
    free = {group.port_gbps: float(group.n_ports) for group in sorted(groups, key=lambda group: group.port_gbps)}
    n_all, n_taken, n_left = sum(free.values()), 0.0, 0.0
    for rate_gbps, n_members in sorted(((np.nan_to_num(rate), n) for rate, n in links), reverse=True):
        remaining = n_members
        for port_gbps in free:
            if remaining <= 0 or port_gbps * (1 + 1e-9) < rate_gbps:
                continue
            per_port = max(np.floor(port_gbps / rate_gbps * (1 + 1e-9)), 1.0) if rate_gbps else 1.0
            taken = min(free[port_gbps], np.ceil(remaining / per_port))
            free[port_gbps] -= taken
            n_taken += taken
            remaining -= taken * per_port
        n_left += max(remaining, 0.0)
    return float(n_all + n_left if n_left else n_taken)


def ports_text(part: Part, n_ports: float) -> str:
    """Describe the ports of a switch: `56`, or `8 of 100G and 48 of 25G`."""
    if not part.port_groups:
        return f"{n_ports:.0f}"
    return " and ".join(f"{group.n_ports} of {group.port_gbps:g}G" for group in part.port_groups)
