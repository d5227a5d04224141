"""Bounds on the demands of a block of traffic, before they are made."""

from __future__ import annotations

import re

from ..arrays import NetworkArrays
from ..model.document import TrafficBlock
from .demand_generators import MAX_DEMANDS, Place, end_points, generator_of

GLOB = re.compile(r"[*?\[]")
"""Characters of a name that may match several nodes."""


def n_demands_at_most(block: TrafficBlock, n_end_points: int, n_nodes: int) -> int:
    """Return a bound on the demands of a block; names of nodes are not looked up.

    Args:
        block: the block.
        n_end_points: nodes that send and receive where the block names none, at most.
        n_nodes: all nodes, at most.

    Raises:
        CatalogueError: unknown generator.
        DocumentError: bad parameters.
    """
    row, params = generator_of(block)
    names = getattr(params, "nodes", None)
    names = (names,) if isinstance(names, str) else names or ()
    n_named = n_nodes if any(GLOB.search(name) for name in names) else min(len(names), n_nodes)
    return min(row.n_most(params, lambda: n_named if names else n_end_points), MAX_DEMANDS)


def n_most_demands(block: TrafficBlock, arrays: NetworkArrays) -> int:
    """Return the most demands that a block makes, without making them. Raises TwinError as `generate` does."""
    row, params = generator_of(block)
    place = Place(arrays, f"traffic[{block.id}]", MAX_DEMANDS)
    return min(row.n_most(params, lambda: len(end_points(params, place, 1))), MAX_DEMANDS)
