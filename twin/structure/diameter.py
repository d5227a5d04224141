"""Diameter: the longest of the shortest ways between end points, in hops and in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..kernels.most_hops import most_hops
from ..kernels.paths import shortest_distances, shortest_hops
from .fabric import Fabric, TooLargeError

MAX_WORK = 400_000_000
"""Most groups of end points times nodes and lit links."""
BATCH = 64
US_DECIMALS = 6
LEAST_US = 1e-9
"""Weight of an arc without latency in a search, which needs weights above 0."""


@dataclass(frozen=True)
class Diameter:
    """The two end points that are farthest apart, among pairs with a path."""

    value: float
    source: str
    target: str


def hop_diameter(state: State, lit: Bools, fabric: Fabric) -> Diameter | None:
    """Find the pair of end points with the most hops on its shortest way; None without a pair with a path.

    The fewest hops count, whatever the routing weights.

    Args:
        state: columns of the network.
        lit: links that carry traffic, bool[n_links].
        fabric: the lit part of the network.

    Raises:
        TooLargeError: beyond the bound on work.
    """

    rows = _representatives(fabric, None)
    _check_work(state, fabric, rows)
    counts = np.zeros(state.n_nodes, np.bool_)
    counts[fabric.end_points] = True
    n_hops = np.empty(len(rows), np.int64)
    most_hops(state.graph, lit, rows, counts, n_hops)

    def hops(rows: Ints, out: Floats) -> None:
        shortest_hops(state.graph, lit, rows, out)

    return _farthest(state, fabric, rows[n_hops == n_hops.max(initial=0)][:1], hops)


def latency_diameter(state: State, lit: Bools, fabric: Fabric, arc_latency_us: Floats) -> Diameter | None:
    """Find the pair of end points with the largest latency on its fastest way, µs one way and unloaded.

    Args:
        state: columns of the network.
        lit: links that carry traffic, bool[n_links].
        fabric: the lit part of the network.
        arc_latency_us: float64[2 * n_links].

    Raises:
        TooLargeError: beyond the bound on work.
    """
    weight_us = np.maximum(arc_latency_us, LEAST_US)

    def latencies(rows: Ints, out: Floats) -> None:
        shortest_distances(state.graph, weight_us, lit, rows, out)

    rows = _representatives(fabric, arc_latency_us)
    _check_work(state, fabric, rows)
    found = _farthest(state, fabric, rows, latencies)
    return None if found is None else replace(found, value=round(found.value, US_DECIMALS))


def _representatives(fabric: Fabric, arc_latency_us: Floats | None) -> Ints:
    """One end point of each group with the same attachments, and the same latency to them if that counts.

    The others of a group are as far from everything as their representative, and as far from it as from each other.
    """
    position = np.full(fabric.n_nodes, -1)
    position[fabric.end_points] = np.arange(len(fabric.end_points))
    tail, head = np.concatenate((fabric.ends, fabric.ends[:, ::-1])).T
    arc = np.concatenate((2 * fabric.links, 2 * fabric.links + 1))
    at = np.flatnonzero(position[tail] >= 0)
    at = at[np.lexsort((arc[at], head[at], position[tail[at]]))]
    groups: dict[tuple[object, ...], int] = {}
    keys: dict[int, list[object]] = {}
    for i, other, a in zip(position[tail[at]].tolist(), head[at].tolist(), arc[at].tolist(), strict=True):
        latency = () if arc_latency_us is None else (float(arc_latency_us[a]), float(arc_latency_us[a ^ 1]))
        keys.setdefault(i, []).append((other, latency))
    for i, row in enumerate(fabric.end_points.tolist()):
        own = (row,) if fabric.forwards[row] else ()
        groups.setdefault((own, *sorted(set(keys.get(i, [])), key=repr)), row)
    return np.array(sorted(groups.values()), dtype=np.int64)


def _check_work(state: State, fabric: Fabric, rows: Ints) -> None:
    if len(rows) * (state.n_nodes + len(fabric.ends)) > MAX_WORK:
        raise TooLargeError(
            f"{len(rows):,} groups of end points over {len(fabric.ends):,} links; the diameter is computed up to "
            f"{MAX_WORK:,} groups times nodes and links"
        )


def _farthest(state: State, fabric: Fabric, rows: Ints, search: Callable[[Ints, Floats], None]) -> Diameter | None:
    best: tuple[float, int, int] | None = None
    for first in range(0, len(rows), BATCH):
        batch = rows[first : first + BATCH]
        out = np.empty((len(batch), state.n_nodes))
        search(batch, out)
        out = np.where(np.isfinite(out), out, -1.0)[:, fabric.end_points]
        farthest = out.argmax(axis=1) if out.size else np.zeros(0, np.int64)
        for i, j in enumerate(farthest.tolist()):
            value, source = float(out[i, j]), int(fabric.end_points[j])
            if value > 0.0 and (best is None or value > best[0]):
                best = value, source, int(batch[i])
    return None if best is None else Diameter(best[0], state.node_ids[best[1]], state.node_ids[best[2]])
