"""Two tiers: each leaf has a link to each spine, and hosts are linked to leaves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twin.model.network import Expansion
from twin.model.records import Id, Link, Node

from .generator import FabricParams, Generator, Ports, padded

Capacity = Annotated[float, Field(gt=0, le=1e7)]


class LeafSpine(FabricParams):
    """Parameters of a leaf-spine fabric."""

    n_leaves: Annotated[int, Field(ge=1, le=100_000)]
    """Leaf switches."""
    n_spines: Annotated[int, Field(ge=1, le=10_000)]
    """Spine switches; each leaf is linked to all of them."""
    n_hosts_per_leaf: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Hosts on each leaf."""
    n_parallel: Ports = 1
    """Members of the bundle between a leaf and a spine."""
    n_ports_per_host: Ports = 1
    """Members of the bundle between a host and its leaf."""
    capacity_gbps: Capacity | None = None
    """Capacity per member of a link between leaf and spine; None = the transceiver's rate."""
    host_capacity_gbps: Capacity | None = None
    """Capacity per member of a link between host and leaf; None = the transceiver's rate."""
    transceiver: Id | None = None
    """Transceiver between leaf and spine."""
    host_transceiver: Id | None = None
    """Transceiver between host and leaf."""
    leaf_part: Id | None = None
    """Catalogue id of the leaves."""
    spine_part: Id | None = None
    """Catalogue id of the spines."""
    accelerator: Id | None = None
    """Accelerator of the hosts; None = plain hosts."""
    n_accelerators_per_host: Annotated[int, Field(ge=1, le=10_000)] = 8
    """Used only with `accelerator`."""


def size(params: LeafSpine) -> tuple[int, int]:
    """Count nodes and links: leaves * (1 + hosts) + spines, and leaves * (spines + hosts)."""
    n_hosts = params.n_leaves * params.n_hosts_per_leaf
    return params.n_leaves + params.n_spines + n_hosts, params.n_leaves * params.n_spines + n_hosts


def top_tier(block: str, params: LeafSpine) -> tuple[str, ...]:
    """Return the spines in the order in which border routers are linked to them."""
    return tuple(padded(f"{block}/spine-", params.n_spines))


def build(block: str, params: LeafSpine) -> Expansion:
    """Build nodes `block/leaf-01`, `block/spine-1`, `block/host-01-1` and the links between them."""
    site, installed = params.site, params.installed
    leaves, spines = padded(f"{block}/leaf-", params.n_leaves), top_tier(block, params)
    nodes = [Node(name, "leaf", site=site, part=params.leaf_part, installed=installed) for name in leaves]
    nodes += [Node(name, "spine", site=site, part=params.spine_part, installed=installed) for name in spines]
    links = []
    for leaf in leaves:
        number = leaf.rsplit("-", 1)[1]
        for host in padded(f"{block}/host-{number}-", params.n_hosts_per_leaf):
            nodes.append(_host(host, params))
            links.append(
                Link(
                    f"{host}~{leaf}",
                    (host, leaf),
                    capacity_gbps=params.host_capacity_gbps,
                    n_parallel=params.n_ports_per_host,
                    transceiver=params.host_transceiver,
                    installed=installed,
                )
            )
        links += [
            Link(
                f"{leaf}~{spine}",
                (leaf, spine),
                capacity_gbps=params.capacity_gbps,
                n_parallel=params.n_parallel,
                transceiver=params.transceiver,
                installed=installed,
            )
            for spine in spines
        ]
    return Expansion(tuple(nodes), tuple(links))


def _host(name: str, params: LeafSpine) -> Node:
    return Node(
        name,
        "host",
        site=params.site,
        accelerator=params.accelerator,
        n_accelerators=params.n_accelerators_per_host if params.accelerator else 0,
        installed=params.installed,
    )


LEAF_SPINE = Generator(
    LeafSpine, size, build, "Two tiers: every leaf linked to every spine, hosts on the leaves.", top_tier
)
