"""The three-tier fat tree of Al-Fares, Loukissas and Vahdat (SIGCOMM 2008), built from switches of k ports."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twin.model.network import Expansion
from twin.model.records import Id, Link

from .generator import Generator, padded
from .hosts import WithHosts, host, switch


class FatTree(WithHosts):
    """Parameters of a k-ary fat tree."""

    k: Annotated[int, Field(ge=2, le=256, multiple_of=2)]
    """Ports of each switch, an even number; also the number of pods."""
    hosts: bool = True
    """False = without the k³/4 hosts and their links."""
    capacity_gbps: Annotated[float, Field(gt=0, le=1e7)] | None = None
    """Capacity of all links; None = the transceiver's rate."""
    transceiver: Id | None = None
    """Transceiver of all links."""
    part: Id | None = None
    """Catalogue id of all switches."""


def size(params: FatTree) -> tuple[int, int]:
    """Count nodes and links: 5 k²/4 switches and k³/4 hosts; k³/4 links in each tier."""
    k = params.k
    n_hosts = k**3 // 4 if params.hosts else 0
    return 5 * k**2 // 4 + n_hosts, 2 * (k**3 // 4) + n_hosts


def top_tier(block: str, params: FatTree) -> tuple[str, ...]:
    """Return the cores; adjacent cores are in different planes, so that they do not share one spine of a pod."""
    half = params.k // 2
    cores = padded(f"{block}/core-", half * half)
    return tuple(cores[plane * half + i] for i in range(half) for plane in range(half))


def build(block: str, params: FatTree) -> Expansion:
    """Build nodes `block/core-1`, `block/spine-p1-1` (aggregation), `block/leaf-p1-1` (edge), `block/host-p1-1-1`."""
    half = params.k // 2
    cores = padded(f"{block}/core-", half * half)
    nodes = [switch(name, "core", params, params.part) for name in cores]
    ends: list[tuple[str, str]] = []
    for pod in padded("p", params.k):
        spines = padded(f"{block}/spine-{pod}-", half)
        leaves = padded(f"{block}/leaf-{pod}-", half)
        nodes += [switch(name, "spine", params, params.part, pod=f"{block}/{pod}") for name in spines]
        nodes += [switch(name, "leaf", params, params.part, pod=f"{block}/{pod}") for name in leaves]
        ends += [(spine, core) for i, spine in enumerate(spines) for core in cores[i * half : (i + 1) * half]]
        ends += [(leaf, spine) for leaf in leaves for spine in spines]
        for leaf in leaves if params.hosts else ():
            hosts = padded(f"{block}/host-{leaf.rsplit('/leaf-', 1)[1]}-", half)
            nodes += [host(name, params, pod=f"{block}/{pod}") for name in hosts]
            ends += [(host, leaf) for host in hosts]
    links = tuple(
        Link(
            f"{lower}~{upper}",
            (lower, upper),
            capacity_gbps=params.capacity_gbps,
            transceiver=params.transceiver,
            installed=params.installed,
        )
        for lower, upper in ends
    )
    return Expansion(tuple(nodes), links)


FAT_TREE = Generator(
    FatTree, size, build, "Three tiers of equal k-port switches: 5 k²/4 of them for k³/4 hosts.", top_tier
)
