"""Several planes: every host has a port in each of some separate leaf-spine fabrics."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twin.model.network import Expansion
from twin.model.records import Link, Node

from .generator import Generator, Ports, padded
from .hosts import SwitchFabric, host, host_link, switch, switch_link

Few = Annotated[int, Field(ge=1, le=10_000)]


class MultiPlane(SwitchFabric):
    """Parameters of a fabric of planes."""

    n_planes: Annotated[int, Field(ge=1, le=1000)]
    """Planes; no link joins two of them."""
    n_leaves: Few
    """Leaves of a plane."""
    n_spines: Few
    """Spines of a plane; each of its leaves is linked to all of them."""
    n_hosts_per_leaf: Few
    """Hosts of a group; they are linked to the leaf with the same number in every plane."""
    n_parallel: Ports = 1
    """Members of the bundle between a leaf and a spine."""


def size(params: MultiPlane) -> tuple[int, int]:
    """Count nodes and links: planes * (leaves + spines) + hosts, and planes * (leaves * spines + hosts)."""
    n_hosts = params.n_leaves * params.n_hosts_per_leaf
    n_switches = params.n_planes * (params.n_leaves + params.n_spines)
    return n_switches + n_hosts, params.n_planes * (params.n_leaves * params.n_spines + n_hosts)


def top_tier(block: str, params: MultiPlane) -> tuple[str, ...]:
    """Return the spines; adjacent ones are of different planes."""
    planes = padded(f"{block}/spine-", params.n_planes)
    return tuple(f"{plane}-{spine}" for spine in padded("", params.n_spines) for plane in planes)


def build(block: str, params: MultiPlane) -> Expansion:
    """Build nodes `block/leaf-1-01` (plane, number), `block/spine-1-1`, `block/host-01-1` and their links."""
    nodes: list[Node] = []
    links: list[Link] = []
    numbers = padded("", params.n_leaves)
    for plane in padded("", params.n_planes):
        leaves = [f"{block}/leaf-{plane}-{number}" for number in numbers]
        spines = padded(f"{block}/spine-{plane}-", params.n_spines)
        nodes += [switch(name, "leaf", params, params.part) for name in leaves]
        nodes += [switch(name, "spine", params, params.part) for name in spines]
        links += [switch_link(leaf, spine, params, params.n_parallel) for leaf in leaves for spine in spines]
    for number in numbers:
        for name in padded(f"{block}/host-{number}-", params.n_hosts_per_leaf):
            nodes.append(host(name, params))
            links += [
                host_link(name, f"{block}/leaf-{plane}-{number}", params) for plane in padded("", params.n_planes)
            ]
    return Expansion(tuple(nodes), tuple(links))


MULTI_PLANE = Generator(
    MultiPlane, size, build, "Separate leaf-spine planes; each host has a link to one leaf of every plane.", top_tier
)
