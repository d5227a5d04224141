"""Demands as columns: what blocks of traffic make, with a record of a demand only where one is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from .records import Demand

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DemandBlock:
    """Demands of one block of traffic, by source and target."""

    id: str
    source: Rows
    """Rows of nodes in `DemandColumns.node_ids`."""
    target: Rows
    gbps: npt.NDArray[np.float64]
    traffic_class: str | None = None

    def ids(self, node_ids: Sequence[str], rows: Rows) -> list[str]:
        """Return the ids of some demands: `block/source>target`."""
        pairs = zip(self.source[rows].tolist(), self.target[rows].tolist(), strict=True)
        return [f"{self.id}/{node_ids[a]}>{node_ids[b]}" for a, b in pairs]

    def records(self, node_ids: Sequence[str]) -> Iterator[Demand]:
        """Yield a record of each demand."""
        for a, b, gbps in zip(self.source.tolist(), self.target.tolist(), self.gbps.tolist(), strict=True):
            yield Demand(f"{self.id}/{node_ids[a]}>{node_ids[b]}", node_ids[a], node_ids[b], gbps, self.traffic_class)


@dataclass(frozen=True, eq=False)
class DemandColumns(Sequence[Demand]):
    """A sequence of demands: first records that a document states, then those of blocks.

    A record takes some 300 bytes, an entry of a block 24.
    """

    node_ids: Sequence[str]
    """Nodes that the rows of blocks stand for."""
    blocks: tuple[DemandBlock, ...] = ()
    stated: tuple[Demand, ...] = ()

    @cached_property
    def _n(self) -> int:
        return len(self.stated) + sum(len(block.gbps) for block in self.blocks)

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[Demand]:
        yield from self.stated
        for block in self.blocks:
            yield from block.records(self.node_ids)

    @overload
    def __getitem__(self, index: int) -> Demand: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Demand, ...]: ...

    def __getitem__(self, index: int | slice) -> Demand | tuple[Demand, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        at = range(len(self))[index]
        if at < len(self.stated):
            return self.stated[at]
        at -= len(self.stated)
        for block in self.blocks:
            if at < len(block.gbps):
                one = slice(at, at + 1)
                part = replace(block, source=block.source[one], target=block.target[one], gbps=block.gbps[one])
                return next(part.records(self.node_ids))
            at -= len(block.gbps)
        raise IndexError(index)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, DemandColumns):
            return NotImplemented
        if self.stated != other.stated or self._key != other._key or list(self.node_ids) != list(other.node_ids):
            return False
        return all(
            np.array_equal(getattr(a, name), getattr(b, name))
            for a, b in zip(self.blocks, other.blocks, strict=True)
            for name in ("source", "target", "gbps")
        )

    def __hash__(self) -> int:
        return hash((self._key, self.stated))

    @property
    def _key(self) -> tuple[tuple[str, str | None, int], ...]:
        return tuple((block.id, block.traffic_class, len(block.gbps)) for block in self.blocks)

    def among(self, index: Mapping[str, int]) -> DemandColumns:
        """Return the demands whose two nodes are in an index; these same ones if all are."""
        is_known = np.array([name in index for name in self.node_ids], dtype=np.bool_)
        kept = [is_known[block.source] & is_known[block.target] for block in self.blocks]
        stated = tuple(d for d in self.stated if d.source in index and d.target in index)
        if len(stated) == len(self.stated) and all(rows.all() for rows in kept):
            return self
        blocks = (
            replace(block, source=block.source[rows], target=block.target[rows], gbps=block.gbps[rows])
            for block, rows in zip(self.blocks, kept, strict=True)
        )
        return DemandColumns(self.node_ids, tuple(blocks), stated)

    def beside(self, stated: Sequence[Demand]) -> DemandColumns:
        """Return these demands behind those that a document states."""
        return replace(self, stated=(*stated, *self.stated))


def demand_pairs(demands: Sequence[Demand], index: Mapping[str, int]) -> tuple[Rows, Rows, npt.NDArray[np.float64]]:
    """Add demands up by pair of nodes.

    Args:
        demands: the demands; those from a node to itself are left out.
        index: row of each node id.

    Returns:
        Source, target and Gb/s of each pair, by source and target.
    """
    n = max(len(index), 1)
    columns = demands if isinstance(demands, DemandColumns) else DemandColumns((), (), tuple(demands))
    row_of = np.array(
        [index.get(name, -1) for name in columns.node_ids], dtype=np.int64
    )  # -1: removed with its demands
    key = np.concatenate(
        [
            np.array([index[d.source] * n + index[d.target] for d in columns.stated], dtype=np.int64),
            *(row_of[block.source] * n + row_of[block.target] for block in columns.blocks),
        ]
    )
    gbps = np.concatenate(
        [np.array([d.offered_gbps for d in columns.stated], dtype=np.float64), *(b.gbps for b in columns.blocks)]
    )
    order = np.argsort(key, kind="stable")
    order = order[key[order] // n != key[order] % n]
    is_first = np.diff(key[order], prepend=-1) != 0
    pairs = key[order][is_first]
    gbps = gbps[order]
    first = np.append(np.flatnonzero(is_first), len(gbps))
    total = gbps[first[:-1]]
    for i in np.flatnonzero(np.diff(first) > 1).tolist():
        total[i] = math.fsum(gbps[first[i] : first[i + 1]].tolist())  # in any order the same
    return pairs // n, pairs % n, total
