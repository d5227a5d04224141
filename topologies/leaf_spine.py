"""Two tiers: each leaf has a link to each spine, and hosts are linked to leaves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twin.errors import TopologyError
from twin.model.network import Expansion
from twin.model.records import Id

from .generator import Generator, Ports, padded
from .hosts import HostFabric, Ratio, hosts_of, n_parallel_for, rates_gbps, switch, switch_link


class LeafSpine(HostFabric):
    """Parameters of a leaf-spine fabric."""

    n_leaves: Annotated[int, Field(ge=1, le=100_000)]
    """Leaf switches."""
    n_spines: Annotated[int, Field(ge=1, le=10_000)]
    """Spine switches; each leaf is linked to all of them."""
    n_hosts_per_leaf: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Hosts on each leaf."""
    n_parallel: Ports | None = None
    """Members of the bundle between a leaf and a spine; None = 1, or what `oversubscription_ratio` needs."""
    oversubscription_ratio: Ratio | None = None
    """Capacity of a leaf towards hosts over its capacity towards spines; None = as `n_parallel` makes it."""
    leaf_part: Id | None = None
    """Catalogue id of the leaves."""
    spine_part: Id | None = None
    """Catalogue id of the spines."""


def size(params: LeafSpine) -> tuple[int, int]:
    """Count nodes and links: leaves * (1 + hosts) + spines, and leaves * (spines + hosts)."""
    n_hosts = params.n_leaves * params.n_hosts_per_leaf
    return params.n_leaves + params.n_spines + n_hosts, params.n_leaves * params.n_spines + n_hosts


def top_tier(block: str, params: LeafSpine) -> tuple[str, ...]:
    """Return the spines in the order in which border routers are linked to them."""
    return tuple(padded(f"{block}/spine-", params.n_spines))


def build(block: str, params: LeafSpine) -> Expansion:
    """Build nodes `block/leaf-01`, `block/spine-1`, `block/host-01-1` and the links between them."""
    n_parallel = _n_parallel(params)
    leaves, spines = padded(f"{block}/leaf-", params.n_leaves), top_tier(block, params)
    nodes = [switch(name, "leaf", params, params.leaf_part) for name in leaves]
    nodes += [switch(name, "spine", params, params.spine_part) for name in spines]
    hosts, links = hosts_of(block, leaves, params.n_hosts_per_leaf, params)
    links += [switch_link(leaf, spine, params, n_parallel) for leaf in leaves for spine in spines]
    return Expansion((*nodes, *hosts), tuple(links))


def _n_parallel(params: LeafSpine) -> int:
    """Return the members of each bundle between leaf and spine; TopologyError if two parameters contradict."""
    if params.oversubscription_ratio is None:
        return params.n_parallel or 1
    if params.n_parallel is not None:
        raise TopologyError("n_parallel and oversubscription_ratio are stated", expected="one of them")
    if not params.n_hosts_per_leaf:
        raise TopologyError("oversubscription_ratio without hosts", hint="state n_hosts_per_leaf, or n_parallel")
    host_gbps, up_gbps = rates_gbps(params)
    down_gbps = params.n_hosts_per_leaf * params.n_ports_per_host * host_gbps
    return n_parallel_for(params.oversubscription_ratio, down_gbps, params.n_spines, up_gbps, "oversubscription_ratio")


LEAF_SPINE = Generator(
    LeafSpine, size, build, "Two tiers: every leaf linked to every spine, hosts on the leaves.", top_tier
)
