"""A dragonfly: groups of switches that are fully linked inside, and links between all pairs of groups.

Source: Kim, Dally, Scott and Abts, Technology-driven, highly-scalable dragonfly topology, ISCA 2008.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Annotated

from pydantic import Field

from twin.errors import TopologyError
from twin.model.network import Expansion
from twin.model.records import Link

from .generator import Generator, Ports, padded
from .hosts import SwitchFabric, hosts_of, switch, switch_link

Few = Annotated[int, Field(ge=1, le=256)]


class Dragonfly(SwitchFabric):
    """Parameters of a dragonfly; a balanced one has a = 2 p = 2 h."""

    n_switches_per_group: Few
    """Switches of a group (a); each is linked to all others of the group."""
    n_global_per_switch: Few
    """Ports of a switch to other groups (h)."""
    n_hosts_per_switch: Annotated[int, Field(ge=0, le=10_000)] = 1
    """Hosts on each switch (p)."""
    n_groups: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Groups; None = a h + 1, the largest number: one link for each pair of groups."""
    n_parallel_local: Ports = 1
    """Members of each bundle inside a group."""


def n_groups(params: Dragonfly) -> int:
    """Return the number of groups."""
    return params.n_groups or params.n_switches_per_group * params.n_global_per_switch + 1


def size(params: Dragonfly) -> tuple[int, int]:
    """Count nodes and links: g a (1 + p), and g a (a - 1) / 2 + the bundles between groups + g a p.

    Links of a pair of groups between the same two switches are one bundle. With a h + 1 groups there are g (g - 1) / 2.
    """
    g, a, p = n_groups(params), params.n_switches_per_group, params.n_hosts_per_switch
    n_global = sum((g - distance) * len(_bundles_at(distance, params)) for distance in range(1, g))
    return g * a * (1 + p), g * a * (a - 1) // 2 + n_global + g * a * p


def top_tier(block: str, params: Dragonfly) -> tuple[str, ...]:
    """Return all switches; adjacent ones are of different groups."""
    groups, switches = padded(f"{block}/switch-g", n_groups(params)), padded("", params.n_switches_per_group)
    return tuple(f"{group}-{number}" for number in switches for group in groups)


def build(block: str, params: Dragonfly) -> Expansion:
    """Build nodes `block/switch-g1-1`, `block/host-g1-1-1`, the meshes of groups and the links between groups."""
    groups = [
        [f"{group}-{number}" for number in padded("", params.n_switches_per_group)]
        for group in padded(f"{block}/switch-g", n_groups(params))
    ]
    bundles = [_bundles_at(distance, params) for distance in range(1, len(groups))]
    names = [name for group in groups for name in group]
    nodes = [switch(name, "switch", params, params.part) for name in names]
    links: list[Link] = []
    for group in groups:
        links += [switch_link(a, b, params, params.n_parallel_local) for a, b in combinations(group, 2)]
    for (i, first), (j, second) in combinations(enumerate(groups), 2):
        links += [switch_link(first[a], second[b], params, n) for (a, b), n in bundles[j - i - 1].items()]
    hosts, host_links = hosts_of(block, names, params.n_hosts_per_switch, params)
    return Expansion((*nodes, *hosts), (*links, *host_links))


def _bundles_at(distance: int, params: Dragonfly) -> Counter[tuple[int, int]]:
    """Members between two groups by (switch of the first, switch of the second).

    A group numbers the other groups around the ring of groups. It links to them in that order, in rounds of one link to
    each, from its first switch on.

    Args:
        distance: number of the second group minus that of the first.
        params: parameters.

    Raises:
        TopologyError: too few global ports for the groups.
    """
    g, n_ports = n_groups(params), params.n_switches_per_group * params.n_global_per_switch
    n_rounds = n_ports // (g - 1)
    if n_rounds < 1:
        raise TopologyError(
            f"{g} groups, with {n_ports} global ports in each", expected=f"at most {n_ports + 1} groups"
        )
    first_ports = [turn * (g - 1) for turn in range(n_rounds)]
    h = params.n_global_per_switch
    return Counter(((port + distance - 1) // h, (port + g - distance - 1) // h) for port in first_ports)


DRAGONFLY = Generator(
    Dragonfly, size, build, "Groups of fully linked switches, and links between all pairs of groups.", top_tier
)
