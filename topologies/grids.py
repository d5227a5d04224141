"""Switches at the points of a grid: torus (neighbours in each dimension) and HyperX (all pairs in each dimension).

Sources: Dally and Towles, Principles and practices of interconnection networks, 2004, chapter 5 (torus); Ahn, Binkert,
Davis, McLaren and Schreiber, HyperX: topology, routing, and packaging of efficient large-scale networks, SC 2009.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Annotated

from pydantic import Field

from twin.model.network import Expansion

from .generator import Generator, Ports, padded
from .hosts import SwitchFabric, hosts_of, switch, switch_link

Point = tuple[int, ...]


class Grid(SwitchFabric):
    """Parameters of a fabric on a grid."""

    sizes: Annotated[tuple[Annotated[int, Field(ge=2, le=10_000)], ...], Field(min_length=1, max_length=8)]
    """Switches along each dimension."""
    n_hosts_per_switch: Annotated[int, Field(ge=0, le=10_000)] = 1
    """Hosts on each switch."""
    n_parallel: Ports = 1
    """Members of each bundle between two switches."""


class Torus(Grid):
    """Parameters of a torus; along a dimension of size 2 the two switches have one link."""


class HyperX(Grid):
    """Parameters of a HyperX."""


def _n_nodes(params: Grid) -> int:
    return math.prod(params.sizes) * (1 + params.n_hosts_per_switch)


def torus_size(params: Torus) -> tuple[int, int]:
    """Count nodes and links: one link a switch for each dimension, half for one of size 2, and those of hosts."""
    n = math.prod(params.sizes)
    n_links = sum(n // 2 if size == 2 else n for size in params.sizes)
    return _n_nodes(params), n_links + n * params.n_hosts_per_switch


def hyperx_size(params: HyperX) -> tuple[int, int]:
    """Count nodes and links: (size - 1) / 2 links a switch for each dimension, and those of hosts."""
    n = math.prod(params.sizes)
    return _n_nodes(params), sum(n * (size - 1) // 2 for size in params.sizes) + n * params.n_hosts_per_switch


def top_tier(block: str, params: Grid) -> tuple[str, ...]:
    """Return all switches, in the order of their coordinates."""
    return tuple(_names(block, params).values())


def _names(block: str, params: Grid) -> dict[Point, str]:
    """Names by coordinates: `block/switch-1-1-1`."""
    labels = [padded("", size) for size in params.sizes]
    points = product(*(range(size) for size in params.sizes))
    return {point: f"{block}/switch-" + "-".join(labels[i][x] for i, x in enumerate(point)) for point in points}


def torus_neighbours(point: Point, sizes: tuple[int, ...]) -> Iterator[Point]:
    """Next point along each dimension, around the end; each pair once."""
    for i, size in enumerate(sizes):
        if size > 2 or point[i] == 0:
            yield (*point[:i], (point[i] + 1) % size, *point[i + 1 :])


def hyperx_neighbours(point: Point, sizes: tuple[int, ...]) -> Iterator[Point]:
    """Points that differ in one coordinate, which is larger; each pair once."""
    for i, size in enumerate(sizes):
        for x in range(point[i] + 1, size):
            yield (*point[:i], x, *point[i + 1 :])


def _build(block: str, params: Grid, neighbours: Callable[[Point, tuple[int, ...]], Iterator[Point]]) -> Expansion:
    """Build nodes `block/switch-1-1`, `block/host-1-1-1`, and the links between neighbours."""
    names = _names(block, params)
    nodes = [switch(name, "switch", params, params.part) for name in names.values()]
    links = []
    for point, name in names.items():
        for other in neighbours(point, params.sizes):
            lower, upper = sorted((name, names[other]))
            links.append(switch_link(lower, upper, params, params.n_parallel))
    hosts, host_links = hosts_of(block, names.values(), params.n_hosts_per_switch, params)
    return Expansion((*nodes, *hosts), (*links, *host_links))


def build_torus(block: str, params: Torus) -> Expansion:
    """Build nodes `block/switch-1-1`, `block/host-1-1-1`, and the rings of each dimension."""
    return _build(block, params, torus_neighbours)


def build_hyperx(block: str, params: HyperX) -> Expansion:
    """Build nodes `block/switch-1-1`, `block/host-1-1-1`, and the full meshes of each dimension."""
    return _build(block, params, hyperx_neighbours)


TORUS = Generator(
    Torus,
    torus_size,
    build_torus,
    "Switches on a grid, each linked to its neighbours along every dimension, around the ends.",
    top_tier,
)
HYPERX = Generator(
    HyperX, hyperx_size, build_hyperx, "Switches on a grid, each linked to all others along every dimension.", top_tier
)
