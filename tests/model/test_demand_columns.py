"""Demands as columns: a sequence of records, and sums by pair of nodes."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.model.demand_columns import DemandBlock, DemandColumns, demand_pairs
from twin.model.records import Demand

NODES = ("a", "b", "c")


def block(name: str, *rows: tuple[int, int, float]) -> DemandBlock:
    source, target = (np.array([row[i] for row in rows], dtype=np.int64) for i in (0, 1))
    return DemandBlock(name, source, target, np.array([row[2] for row in rows], dtype=np.float64))


STATED = (Demand("x", "c", "a", 5.0),)
COLUMNS = DemandColumns(NODES, (block("one", (0, 1, 1.0), (0, 2, 2.0)), block("two", (1, 0, 3.0))), STATED)
RECORDS = (
    *STATED,
    Demand("one/a>b", "a", "b", 1.0),
    Demand("one/a>c", "a", "c", 2.0),
    Demand("two/b>a", "b", "a", 3.0),
)


def test_they_are_a_sequence_of_records() -> None:
    assert len(COLUMNS) == 4
    assert tuple(COLUMNS) == RECORDS
    assert tuple(COLUMNS[i] for i in range(-4, 4)) == RECORDS * 2
    assert COLUMNS[1:3] == RECORDS[1:3]
    assert COLUMNS[::-1] == RECORDS[::-1]
    for i in (4, -5):
        with pytest.raises(IndexError):
            COLUMNS[i]
    assert not DemandColumns(NODES)


def test_equal_columns_are_equal_and_others_are_not() -> None:
    same = DemandColumns(list(NODES), (block("one", (0, 1, 1.0), (0, 2, 2.0)), block("two", (1, 0, 3.0))), STATED)
    assert same == COLUMNS
    assert hash(same) == hash(COLUMNS)
    assert COLUMNS.blocks[0].ids(NODES, np.array([1])) == ["one/a>c"]
    others = (
        DemandColumns(NODES, COLUMNS.blocks),
        DemandColumns(("a", "b", "d"), COLUMNS.blocks, STATED),
        DemandColumns(NODES, COLUMNS.blocks[:1], STATED),
        DemandColumns(NODES, (block("one", (0, 1, 1.0), (0, 2, 2.5)), COLUMNS.blocks[1]), STATED),
    )
    for other in (*others, RECORDS):
        assert other != COLUMNS


def test_demands_of_a_removed_node_go_with_it() -> None:
    assert COLUMNS.among({"a": 7, "b": 1, "c": 0}) is COLUMNS
    kept = COLUMNS.among({"a": 0, "b": 1})
    assert [demand.id for demand in kept] == ["one/a>b", "two/b>a"]
    assert not COLUMNS.among({"c": 0})
    assert tuple(DemandColumns(NODES, COLUMNS.blocks).beside(STATED)) == RECORDS


amounts = st.floats(0.0, 1e9, allow_subnormal=False)
ends = st.integers(0, 2)
stated = st.lists(st.tuples(ends, ends, amounts), max_size=8)
blocks = st.lists(st.lists(st.tuples(ends, ends, amounts), max_size=8), max_size=3)


@given(stated, blocks, st.permutations(range(3)))
def test_pairs_add_up_in_any_order(records, parts, order) -> None:
    """The exact sum of each pair, rounded once, whatever rows the nodes have."""
    demands = DemandColumns(
        NODES,
        tuple(block(f"b{i}", *{(a, b): (a, b, gbps) for a, b, gbps in rows}.values()) for i, rows in enumerate(parts)),
        tuple(Demand(f"a{i}", NODES[a], NODES[b], gbps) for i, (a, b, gbps) in enumerate(records)),
    )
    index = dict(zip(NODES, order, strict=True))
    total: dict[tuple[int, int], list[float]] = {}
    for demand in demands:
        pair = index[demand.source], index[demand.target]
        if pair[0] != pair[1]:
            total.setdefault(pair, []).append(demand.offered_gbps)
    for given_as in (demands, tuple(demands), tuple(demands)[::-1]):
        source, target, gbps = demand_pairs(given_as, index)
        assert list(zip(source.tolist(), target.tolist(), strict=True)) == sorted(total)
        assert gbps.tolist() == [math.fsum(total[pair]) for pair in sorted(total)]


def test_sums_are_exact_where_numbers_are() -> None:
    demands = [Demand(str(i), "a", "b", 0.5) for i in range(7)]
    assert demand_pairs(demands, {"a": 0, "b": 1})[2].tolist() == [float(Fraction(7, 2))]
