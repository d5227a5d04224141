"""Three tiers with stated oversubscription: pods of leaves and spines, and planes of cores over the spines."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twin.model.network import Expansion
from twin.model.records import Id, Link, Node

from .generator import Generator, padded
from .hosts import HostFabric, Ratio, host, host_link, n_parallel_for, rates_gbps, switch, switch_link

Few = Annotated[int, Field(ge=1, le=10_000)]


class ThreeTier(HostFabric):
    """Parameters of a fabric of leaves, spines and cores."""

    n_pods: Few
    """Pods; each has its own leaves and spines."""
    n_leaves_per_pod: Few
    """Leaves of a pod; each is linked to all spines of the pod."""
    n_spines_per_pod: Few
    """Spines of a pod; spine i of every pod is linked to the cores of plane i."""
    n_cores_per_plane: Few
    """Cores of a plane; there are as many planes as spines in a pod."""
    n_hosts_per_leaf: Few
    """Hosts on each leaf."""
    leaf_oversubscription_ratio: Ratio = 1.0
    """Capacity of a leaf towards hosts over its capacity towards spines."""
    spine_oversubscription_ratio: Ratio = 1.0
    """Capacity of a spine towards leaves over its capacity towards cores."""
    leaf_part: Id | None = None
    """Catalogue id of the leaves."""
    spine_part: Id | None = None
    """Catalogue id of the spines."""
    core_part: Id | None = None
    """Catalogue id of the cores."""


def size(params: ThreeTier) -> tuple[int, int]:
    """Count nodes and links: hosts, leaves, spines and cores, and the bundles of the three tiers."""
    n_leaves = params.n_pods * params.n_leaves_per_pod
    n_spines = params.n_pods * params.n_spines_per_pod
    n_hosts = n_leaves * params.n_hosts_per_leaf
    n_cores = params.n_spines_per_pod * params.n_cores_per_plane
    n_links = n_hosts + n_leaves * params.n_spines_per_pod + n_spines * params.n_cores_per_plane
    return n_hosts + n_leaves + n_spines + n_cores, n_links


def top_tier(block: str, params: ThreeTier) -> tuple[str, ...]:
    """Return the cores; adjacent ones are of different planes."""
    planes, cores = padded(f"{block}/core-", params.n_spines_per_pod), padded("", params.n_cores_per_plane)
    return tuple(f"{plane}-{core}" for core in cores for plane in planes)


def build(block: str, params: ThreeTier) -> Expansion:
    """Build nodes `block/core-1-1`, `block/spine-p1-1`, `block/leaf-p1-1`, `block/host-p1-1-1` and their bundles."""
    n_leaf_spine, n_spine_core = bundles(params)
    cores = [
        [f"{plane}-{core}" for core in padded("", params.n_cores_per_plane)]
        for plane in padded(f"{block}/core-", params.n_spines_per_pod)
    ]
    nodes: list[Node] = [switch(name, "core", params, params.core_part) for plane in cores for name in plane]
    links: list[Link] = []
    for pod in padded("p", params.n_pods):
        pod_id = f"{block}/{pod}"
        spines = padded(f"{block}/spine-{pod}-", params.n_spines_per_pod)
        leaves = padded(f"{block}/leaf-{pod}-", params.n_leaves_per_pod)
        nodes += [switch(name, "spine", params, params.spine_part, pod=pod_id) for name in spines]
        nodes += [switch(name, "leaf", params, params.leaf_part, pod=pod_id) for name in leaves]
        for spine, plane in zip(spines, cores, strict=True):
            links += [switch_link(spine, core, params, n_spine_core) for core in plane]
        for leaf in leaves:
            links += [switch_link(leaf, spine, params, n_leaf_spine) for spine in spines]
            for name in padded(f"{block}/host-{leaf.rpartition('/leaf-')[2]}-", params.n_hosts_per_leaf):
                nodes.append(host(name, params, pod=pod_id))
                links.append(host_link(name, leaf, params))
    return Expansion(tuple(nodes), tuple(links))


def bundles(params: ThreeTier) -> tuple[int, int]:
    """Return the members of a bundle between leaf and spine, and between spine and core.

    Raises:
        TopologyError: no whole number of members gives a stated ratio.
    """
    host_gbps, up_gbps = rates_gbps(params)
    down_gbps = params.n_hosts_per_leaf * params.n_ports_per_host * host_gbps
    n_leaf_spine = n_parallel_for(
        params.leaf_oversubscription_ratio, down_gbps, params.n_spines_per_pod, up_gbps, "leaf_oversubscription_ratio"
    )
    n_spine_core = n_parallel_for(
        params.spine_oversubscription_ratio,
        params.n_leaves_per_pod * n_leaf_spine * up_gbps,
        params.n_cores_per_plane,
        up_gbps,
        "spine_oversubscription_ratio",
    )
    return n_leaf_spine, n_spine_core


THREE_TIER = Generator(
    ThreeTier,
    size,
    build,
    "Three tiers of pods and core planes, with the oversubscription of leaves and spines stated.",
    top_tier,
)
