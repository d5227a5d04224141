"""Table of demand generators: all to all, permutation, gravity, hose, incast, and a stated matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from .. import deadline
from ..arrays import LAST_END_POINT, NODE_KINDS, Bools, Floats, Ints, NetworkArrays
from ..errors import CatalogueError, Issue, TopologyError, did_you_mean
from ..errors.wording import counted, quoted
from ..model.document import TrafficBlock
from ..model.globs import match_ids
from ..model.validation import validate_as
from .matrix_csv import read_matrix
from .matrix_npy import matrix_of_npy
from .traffic_params import (
    AllToAll,
    ArrayMatrix,
    EndPointParams,
    Gravity,
    Hose,
    Incast,
    Matrix,
    Permutation,
    TrafficParams,
)

MAX_DEMANDS = 2_000_000
"""Most demands that the blocks of a document make together."""
MAX_ROUNDS = 2000
"""Rounds in which a matrix is balanced."""
SEPARATORS = ("\n", ",", ";", "\t")
"""Characters between the entries of a matrix as text."""
BALANCED_RATIO = 1e-9
"""Largest difference of a balanced row or column from its limit, as a share of the limit."""


@dataclass(frozen=True, eq=False)
class GeneratedDemands:
    """Demands of one block by rows of nodes, sorted by source and target."""

    source: Ints
    target: Ints
    gbps: Floats

    def scaled(self, factor: float) -> GeneratedDemands:
        """Return the same demands times a factor."""
        return replace(self, gbps=self.gbps * factor)


@dataclass(frozen=True)
class Place:
    """What a generator reads: the network, its own place for messages, and how many demands it may make."""

    arrays: NetworkArrays
    where: str
    max_demands: int

    def check_size(self, n_demands: int, n_nodes: int) -> None:
        """Raise TopologyError for too many demands, before they are built."""
        if n_demands > self.max_demands:
            raise TopologyError(
                f"{counted(n_nodes, 'node')} make {n_demands:,} demands",
                where=self.where,
                expected=f"at most {self.max_demands:,} demands of all blocks together",
                hint="choose fewer nodes with `nodes`, or another generator such as permutation",
            )


ParamsT = TypeVar("ParamsT", bound=TrafficParams)


@dataclass(frozen=True, slots=True)
class DemandGenerator(Generic[ParamsT]):
    """A row of the table: parameters, the function that makes the demands, a sentence, and an example."""

    params: type[ParamsT]
    build: Callable[[ParamsT, Place], GeneratedDemands]
    """Function that returns demands; an amount scales them afterwards."""
    n_most: Callable[[ParamsT, Callable[[], int]], int]
    """Function that returns the most demands that it makes, without making them, from a function that counts the nodes
    of the block."""
    sentence: str
    example: dict[str, Any]


def end_points(params: EndPointParams, place: Place, n_least: int = 2) -> Ints:
    """Return the rows of the nodes of a block, ascending.

    Raises:
        ChangeError: a name or glob matches nothing.
        TopologyError: fewer than n_least nodes.
    """
    arrays = place.arrays
    if params.nodes is not None:
        where = f"{place.where}.params.nodes"
        rows = np.unique(np.array(match_ids(arrays.node_ids, arrays.node_index, params.nodes, where, "node"), np.int64))
    else:
        rows = np.flatnonzero(_default_end_points(arrays))
    if len(rows) < n_least:
        raise TopologyError(
            f"{counted(len(rows), 'node')} to choose from",
            where=place.where,
            expected=f"at least {n_least} nodes",
            hint="`nodes` chooses them; without it these are the racks and hosts",
        )
    return rows


def _default_end_points(arrays: NetworkArrays) -> Bools:
    kind = arrays.node_kind
    for chosen in (kind <= LAST_END_POINT, kind == NODE_KINDS.index("leaf")):
        if chosen.any():
            return np.asarray(chosen)
    return np.ones(len(kind), dtype=np.bool_)


def _some_ports(arrays: NetworkArrays, rows: Ints, place: Place) -> Floats:
    """Ports in use of some nodes: members of their links, float64[n]. Raises TopologyError for fewer than two."""
    members = np.repeat(arrays.link_n_parallel, 2).astype(np.float64)
    ports = np.bincount(arrays.link_ends.ravel(), weights=members, minlength=len(arrays.node_ids))[rows]
    n_with = int((ports > 0).sum())
    if n_with < 2:
        raise TopologyError(
            f"{n_with} of {counted(len(rows), 'chosen node')} {'has' if n_with == 1 else 'have'} a link",
            where=place.where,
            expected="at least 2 nodes with links, since amounts go by ports",
            hint="choose others with `nodes`, or state amounts by node (`totals_gbps` of gravity)",
        )
    return np.asarray(ports, dtype=np.float64)


def _random(seed: int) -> np.random.RandomState:
    # numpy keeps the stream of RandomState for good; that of its newer generators may change with a version
    return np.random.RandomState(seed)


def all_to_all(params: AllToAll, place: Place) -> GeneratedDemands:
    """Make the same demand between each pair of nodes, both ways."""
    rows = end_points(params, place)
    place.check_size(len(rows) * (len(rows) - 1), len(rows))
    return _of_matrix(rows, np.ones((len(rows), len(rows))))


def permutation(params: Permutation, place: Place) -> GeneratedDemands:
    """Let each node send to exactly one other, and receive from exactly one other, in one random cycle."""
    rows = end_points(params, place)
    place.check_size(len(rows), len(rows))
    order = rows[_random(params.seed).permutation(len(rows))]
    return _sorted(order, np.roll(order, -1), np.ones(len(rows)))


def gravity(params: Gravity, place: Place) -> GeneratedDemands:
    """Make demands in proportion to sizes of both ends, so that each node sends and receives its own total."""
    arrays = place.arrays
    if params.totals_gbps is None:
        rows = end_points(params, place)
        sizes = _some_ports(arrays, rows, place)
    else:
        rows, sizes = _stated_totals(params.totals_gbps, place)
    place.check_size(len(rows) * (len(rows) - 1), len(rows))
    used = sizes > 0
    return _of_matrix(rows[used], _balanced(np.ones((used.sum(), used.sum())), sizes[used], arrays, rows[used], place))


def _stated_totals(totals_gbps: dict[str, float], place: Place) -> tuple[Ints, Floats]:
    index = place.arrays.node_index
    issues = [
        Issue(f"{place.where}.params.totals_gbps", f"no node {quoted(name)}", did_you_mean(name, index))
        for name in sorted(totals_gbps)
        if name not in index
    ]
    if issues:
        problem = f"totals_gbps names {counted(len(issues), 'node')} that the network lacks"
        raise TopologyError(problem, where=place.where, found=issues)
    by_row = sorted((index[name], gbps) for name, gbps in totals_gbps.items())
    return np.array([row for row, _ in by_row], dtype=np.int64), np.array([gbps for _, gbps in by_row])


def hose(params: Hose, place: Place) -> GeneratedDemands:
    """Draw a random matrix in which each node sends and receives its limit."""
    rows = end_points(params, place)
    place.check_size(len(rows) * (len(rows) - 1), len(rows))
    limits = _some_ports(place.arrays, rows, place) if params.by_ports else np.ones(len(rows))
    used = limits > 0
    n = int(used.sum())
    weights = -np.log1p(-_random(params.seed).random_sample((n, n)))  # exponential: few large, many small demands
    return _of_matrix(rows[used], _balanced(weights, limits[used], place.arrays, rows[used], place))


def incast(params: Incast, place: Place) -> GeneratedDemands:
    """Send from many nodes to one, each the same amount."""
    rows = end_points(params, place, 1)
    random = _random(params.seed)
    target = place.arrays.node_index.get(params.target, -1)
    if target < 0:
        hint = did_you_mean(params.target, place.arrays.node_index)
        raise TopologyError(f"no node {quoted(params.target)}", where=f"{place.where}.params.target", hint=hint)
    others = rows[rows != target]
    n_sources = len(others) if params.n_sources is None else params.n_sources
    if not 1 <= n_sources <= len(others):
        raise TopologyError(
            f"{n_sources} sources of {counted(len(others), 'other node')}",
            where=f"{place.where}.params.n_sources",
            expected=f"1 to {len(others)} sources" if len(others) else "another node than the target",
        )
    place.check_size(n_sources, len(rows))
    sources = np.sort(others[random.permutation(len(others))[:n_sources]])
    return _sorted(sources, np.full(n_sources, target), np.ones(n_sources))


def matrix(params: Matrix, place: Place) -> GeneratedDemands:
    """Read the demands from CSV text."""
    entries = read_matrix(params.csv, f"{place.where}.csv", place.arrays.node_index, place.max_demands)
    return GeneratedDemands(entries.source, entries.target, entries.gbps)


def array_matrix(params: ArrayMatrix, place: Place) -> GeneratedDemands:
    """Take the demands of an array."""
    rows = end_points(params, place)
    gbps = matrix_of_npy(params.npy, f"{place.where}.params.npy", len(rows))
    place.check_size(int(np.count_nonzero(gbps)), len(rows))
    return _of_matrix(rows, gbps)


def _of_matrix(rows: Ints, weights: Floats) -> GeneratedDemands:
    """Demands from each row to each other one; weights: float64[n, n]."""
    source, target = np.nonzero(~np.eye(len(rows), dtype=np.bool_) & (weights > 0))
    return GeneratedDemands(rows[source], rows[target], weights[source, target])


def _sorted(source: Ints, target: Ints, gbps: Floats) -> GeneratedDemands:
    order = np.lexsort((target, source))
    return GeneratedDemands(source[order], target[order], gbps[order])


def _balanced(weights: Floats, limits: Floats, arrays: NetworkArrays, rows: Ints, place: Place) -> Floats:
    """Scale rows and columns of a matrix without its diagonal until both add up to the limits.

    Source: Sinkhorn and Knopp 1967; with equal weights this is the doubly constrained gravity model (Wilson 1967).
    """
    if not len(limits):
        return np.zeros((0, 0))
    largest = int(np.argmax(limits))
    name, others_gbps = quoted(arrays.node_ids[rows[largest]]), float(np.delete(limits, largest).sum())
    spare = (others_gbps - limits[largest]) / limits[largest]
    if spare < -BALANCED_RATIO:
        raise TopologyError(
            f"{name} has more traffic than all other nodes together, {limits[largest]:g} against {others_gbps:g}",
            where=place.where,
            expected="at most the total of the others, since a node sends nothing to itself",
        )
    balanced = np.where(np.eye(len(limits), dtype=np.bool_), 0.0, weights)
    if spare <= BALANCED_RATIO:  # all traffic is to or from this node
        balanced = np.zeros_like(balanced)
        balanced[largest], balanced[:, largest] = limits, limits
        balanced[largest, largest] = 0.0
        return np.asarray(balanced)
    for _ in range(MAX_ROUNDS):
        deadline.check()
        balanced *= (limits / balanced.sum(axis=1))[:, None]
        by_column = limits / balanced.sum(axis=0)
        balanced *= by_column
        if np.abs(by_column - 1.0).max() <= BALANCED_RATIO:
            return np.asarray(balanced)
    raise TopologyError(
        f"cannot be balanced in {MAX_ROUNDS} rounds",
        where=place.where,
        hint=f"{name} has nearly as much as all others together",
    )


def _n_pairs(params: EndPointParams, count: Callable[[], int]) -> int:
    totals = params.totals_gbps if isinstance(params, Gravity) else None
    n = count() if totals is None else len(totals)
    return n * (n - 1)


EXAMPLE_NPY = (
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDIpLCB9ICAgICAg"
    "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAF5AAAAAAAAA"
    "PkAAAAAAAAAAAA=="
)
"""120 Gb/s from the first of two nodes to the second, and 30 Gb/s back."""
DEMAND_GENERATORS: dict[str, DemandGenerator[Any]] = {
    "all_to_all": DemandGenerator(
        AllToAll,
        all_to_all,
        _n_pairs,
        "The same demand between each pair of nodes, both ways.",
        {"total_gbps": 800},
    ),
    "permutation": DemandGenerator(
        Permutation,
        permutation,
        lambda _, count: count(),
        "Each node sends to one other node and receives from one other, in one random cycle.",
        {"gbps_per_node": 100, "seed": 1},
    ),
    "gravity": DemandGenerator(
        Gravity,
        gravity,
        _n_pairs,
        "Demands in proportion to the sizes of both ends: their ports, or stated totals.",
        {"totals_gbps": {"host-1-1": 100, "host-2-1": 80, "host-3-1": 60}},
    ),
    "hose": DemandGenerator(
        Hose,
        hose,
        _n_pairs,
        "A random matrix in which each node sends and receives up to its limit.",
        {"gbps_per_node": 100, "seed": 1},
    ),
    "incast": DemandGenerator(
        Incast,
        incast,
        lambda params, count: params.n_sources or count(),
        "Many nodes send to one node, each the same amount.",
        {"target": "host-1-1", "n_sources": 4, "total_gbps": 400},
    ),
    "matrix": DemandGenerator(
        Matrix,
        matrix,
        lambda params, _: sum(map(params.csv.count, SEPARATORS)),
        "Demands from CSV text: a square matrix with names, or one row for each demand.",
        {"csv": "source,target,gbps\nhost-1-1,host-2-1,120\nhost-2-1,host-1-1,30\n"},
    ),
    "array_matrix": DemandGenerator(
        ArrayMatrix,
        array_matrix,
        _n_pairs,
        "Demands from a square matrix in a NumPy file, for many nodes.",
        {"npy": EXAMPLE_NPY, "nodes": ["host-1-1", "host-2-1"]},
    ),
}
"""All generators that a block of `traffic` can name."""


def generator_of(block: TrafficBlock) -> tuple[DemandGenerator[Any], Any]:
    """Return the generator of a block and its parameters.

    Raises:
        CatalogueError: unknown generator.
        DocumentError: bad parameters.
    """
    where = f"traffic[{block.id}]"
    row = DEMAND_GENERATORS.get(block.generator)
    if row is None:
        raise CatalogueError(
            f"unknown generator {block.generator!r}",
            where=f"{where}.generator",
            expected=f"one of {', '.join(DEMAND_GENERATORS)}",
            hint=did_you_mean(block.generator, DEMAND_GENERATORS),
        )
    return row, validate_as(row.params, block.params, f"{where}.params", prefix=f"{where}.params")


def generate(block: TrafficBlock, arrays: NetworkArrays, max_demands: int = MAX_DEMANDS) -> GeneratedDemands:
    """Make the demands of a block in Gb/s; a peak utilisation is left to the caller, who can route.

    Args:
        block: the block.
        arrays: the network.
        max_demands: most demands.

    Returns:
        The demands; none where the block has no traffic.

    Raises:
        TwinError: unknown generator or node, bad parameters or entries, too many demands.
    """
    row, params = generator_of(block)
    found: GeneratedDemands = row.build(params, Place(arrays, f"traffic[{block.id}]", max_demands))
    total_gbps = params.total_gbps
    if params.gbps_per_node is not None:
        total_gbps = params.gbps_per_node * len(np.unique(found.source))
    if total_gbps is None:
        return found
    weight = float(found.gbps.sum())
    if not weight or not total_gbps:
        return GeneratedDemands(found.source[:0], found.target[:0], found.gbps[:0])
    return found.scaled(total_gbps / weight)
