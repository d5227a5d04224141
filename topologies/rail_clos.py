"""A rail-optimised Clos: rack links by rail to the pod's leaves, spines by rail and block, cores by rail and spine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from twin.catalogue import catalogue
from twin.errors import TopologyError
from twin.model.network import Expansion
from twin.model.records import Id, Link, Node

from .generator import FabricParams, Generator, Params, Ports, n_ports, padded

SmallCount = Annotated[int, Field(ge=1, le=1000)]


class RackGroup(Params):
    """Racks of one kind; a pod contains racks of one group only."""

    accelerator: Id
    """Catalogue id of the accelerators."""
    n_racks: Annotated[int, Field(ge=1, le=1_000_000)]
    """Racks of this kind."""
    n_accelerators_per_rack: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """None = the number in the catalogue's rack."""
    n_racks_per_pod: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """None = as many as fit on half of a leaf's ports."""
    transceiver: Id = "400G-DR4"
    """Transceiver between rack and leaf; one network port per accelerator."""
    installed: date | None = None
    """None = the date of the fabric."""


class RailClos(FabricParams):
    """Parameters of a rail-optimised Clos of two or three tiers of switches."""

    racks: Annotated[tuple[RackGroup, ...], Field(min_length=1, max_length=1000)]
    """Groups of equal racks."""
    n_rails: SmallCount = 8
    """Rails: leaves of each pod. The ports of a rack are spread over them."""
    n_tiers: Literal[2, 3] = 3
    """2: leaves and spines. 3: leaves, spines in blocks of pods, and cores."""
    n_spines_per_rail: SmallCount = 8
    """Per block of pods with three tiers; in the whole fabric with two tiers."""
    n_pods_per_block: SmallCount = 8
    """Pods that share their spines, with three tiers."""
    n_cores_per_spine_group: SmallCount = 8
    """Cores that connect the spines of one rail and index of all blocks."""
    n_parallel_leaf_spine: Ports | None = None
    """Members of each bundle; None = half of the leaf's ports divided by its spines."""
    n_parallel_spine_core: Ports | None = None
    """Members of each bundle; None = half of the spine's ports divided by its cores."""
    leaf_part: Id = "leaf-51.2T"
    """Catalogue id of the leaves."""
    spine_part: Id = "spine-51.2T"
    """Catalogue id of the spines."""
    core_part: Id = "core-modular-230T"
    """Catalogue id of the cores, with three tiers."""
    transceiver: Id = "400G-DR4"
    """Transceiver between switches."""


@dataclass(frozen=True, slots=True)
class _PodSizes:
    """Sizes of the pods of one group of racks."""

    n_accelerators: int
    n_parallel: int
    n_racks_per_pod: int
    n_pods: int


def _pod_sizes(group: RackGroup, params: RailClos) -> _PodSizes:
    n_accelerators = group.n_accelerators_per_rack or int(
        catalogue().get(group.accelerator, "accelerator").value("n_per_rack")
    )
    n_parallel = -(-n_accelerators // params.n_rails)
    per_pod = group.n_racks_per_pod or n_ports(params.leaf_part) // 2 // n_parallel
    if per_pod < 1:
        raise TopologyError(
            f"a rack of {n_accelerators} {group.accelerator} takes {n_parallel} ports of each rail's leaf",
            expected=f"at most half of the {n_ports(params.leaf_part)} ports of {params.leaf_part}",
            hint="more rails, or state n_racks_per_pod",
        )
    return _PodSizes(n_accelerators, n_parallel, per_pod, -(-group.n_racks // per_pod))


def _n_blocks(params: RailClos) -> int:
    n_pods = sum(_pod_sizes(group, params).n_pods for group in params.racks)
    return -(-n_pods // params.n_pods_per_block) if params.n_tiers == 3 else 1


def size(params: RailClos) -> tuple[int, int]:
    """Count nodes and links, bundles once, from the numbers of racks, pods and blocks."""
    n_racks = sum(group.n_racks for group in params.racks)
    n_leaves = params.n_rails * sum(_pod_sizes(group, params).n_pods for group in params.racks)
    n_columns = params.n_rails * params.n_spines_per_rail
    n_spines = n_columns * _n_blocks(params)
    n_cores = n_columns * params.n_cores_per_spine_group if params.n_tiers == 3 else 0
    n_links = n_racks * params.n_rails + n_leaves * params.n_spines_per_rail
    if params.n_tiers == 3:
        n_links += n_spines * params.n_cores_per_spine_group
    return n_racks + n_leaves + n_spines + n_cores, n_links


def top_tier(block: str, params: RailClos) -> tuple[str, ...]:
    """Return the cores, or the spines with two tiers; adjacent ones are on different rails, then columns."""
    rails, spines = padded("r", params.n_rails), padded("s", params.n_spines_per_rail)
    if params.n_tiers == 2:
        return tuple(f"{block}/spine-{r}-{s}" for s in spines for r in rails)
    cores = padded("k", params.n_cores_per_spine_group)
    return tuple(f"{block}/core-{r}-{s}-{k}" for k in cores for s in spines for r in rails)


def build(block: str, params: RailClos) -> Expansion:
    """Build nodes `block/rack-0001`, `leaf-p001-r1`, `spine-b01-r1-s1`, `core-r1-s1-k1` and their bundles."""
    nodes: list[Node] = []
    links: list[Link] = []
    leaves = _build_pods(block, params, nodes, links)
    spines = _build_spines(block, params, leaves, nodes, links)
    if params.n_tiers == 3:
        _build_cores(block, params, spines, nodes, links)
    return Expansion(tuple(nodes), tuple(links))


def _build_pods(block: str, params: RailClos, nodes: list[Node], links: list[Link]) -> list[list[str]]:
    """Add racks and leaves; returns the leaf names by pod and rail."""
    groups = [(group, _pod_sizes(group, params)) for group in params.racks]
    racks = iter(padded(f"{block}/rack-", sum(group.n_racks for group, _ in groups)))
    pods = iter(padded("p", sum(sizes.n_pods for _, sizes in groups)))
    rails = padded("r", params.n_rails)
    leaves: list[list[str]] = []
    for group, sizes in groups:
        installed = group.installed or params.installed
        for i in range(group.n_racks):
            if i % sizes.n_racks_per_pod == 0:
                pod = next(pods)
                leaves.append([f"{block}/leaf-{pod}-{r}" for r in rails])
                nodes += [
                    _switch(name, "leaf", rail, params, pod=f"{block}/{pod}") for rail, name in enumerate(leaves[-1], 1)
                ]
            rack = next(racks)
            nodes.append(
                Node(
                    rack,
                    "rack",
                    site=params.site,
                    accelerator=group.accelerator,
                    n_accelerators=sizes.n_accelerators,
                    pod=f"{block}/{pod}",
                    installed=installed,
                )
            )
            links += [_link(rack, leaf, sizes.n_parallel, group.transceiver, installed) for leaf in leaves[-1]]
    return leaves


def _build_spines(
    block: str, params: RailClos, leaves: list[list[str]], nodes: list[Node], links: list[Link]
) -> list[list[list[str]]]:
    """Add spines and their bundles to the leaves of their rail and block; returns names by block, rail and index."""
    n_parallel = params.n_parallel_leaf_spine or max(1, n_ports(params.leaf_part) // 2 // params.n_spines_per_rail)
    n_pods = params.n_pods_per_block if params.n_tiers == 3 else len(leaves)
    n_blocks = _n_blocks(params)
    prefixes = padded(f"{block}/spine-b", n_blocks) if params.n_tiers == 3 else [f"{block}/spine"]
    spines = [
        [[f"{prefix}-{r}-{s}" for s in padded("s", params.n_spines_per_rail)] for r in padded("r", params.n_rails)]
        for prefix in prefixes
    ]
    for b, block_spines in enumerate(spines):
        for rail, rail_spines in enumerate(block_spines):
            nodes += [_switch(name, "spine", rail + 1, params) for name in rail_spines]
            for pod in leaves[b * n_pods : (b + 1) * n_pods]:
                links += [_link(pod[rail], s, n_parallel, params.transceiver, params.installed) for s in rail_spines]
    return spines


def _build_cores(
    block: str, params: RailClos, spines: list[list[list[str]]], nodes: list[Node], links: list[Link]
) -> None:
    """Add cores and their bundles to the spines of their rail and index in all blocks."""
    n_cores = params.n_cores_per_spine_group
    n_parallel = params.n_parallel_spine_core or max(1, n_ports(params.spine_part) // 2 // n_cores)
    for rail, r in enumerate(padded("r", params.n_rails)):
        for index, s in enumerate(padded("s", params.n_spines_per_rail)):
            cores = [f"{block}/core-{r}-{s}-{k}" for k in padded("k", n_cores)]
            nodes += [_switch(name, "core", rail + 1, params) for name in cores]
            for block_spines in spines:
                spine = block_spines[rail][index]
                links += [_link(spine, core, n_parallel, params.transceiver, params.installed) for core in cores]


def _switch(
    name: str, kind: Literal["leaf", "spine", "core"], rail: int, params: RailClos, pod: str | None = None
) -> Node:
    part = {"leaf": params.leaf_part, "spine": params.spine_part, "core": params.core_part}[kind]
    return Node(name, kind, site=params.site, part=part, pod=pod, rail=rail, installed=params.installed)


def _link(lower: str, upper: str, n_parallel: int, transceiver: str, installed: date | None) -> Link:
    return Link(f"{lower}~{upper}", (lower, upper), n_parallel=n_parallel, transceiver=transceiver, installed=installed)


RAIL_CLOS = Generator(
    RailClos,
    size,
    build,
    "Racks of accelerators on a rail-optimised Clos of two or three tiers, by rail and pod.",
    top_tier,
)
