"""Rows of a table that are alike: the numbers of the naive twin, whatever the hash makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from twin.kernels.groups import group_rows, sort_by

WORDS = st.sampled_from([0, 1, -1, 2**31, -(2**31), 2**32, 2**63 - 1, -(2**63)]) | st.integers(-(2**63), 2**63 - 1)
FEW_WORDS = st.sampled_from([-1, 0, 1])


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    """Up to 40 rows of up to 4 words; of few different words, so that rows are often alike, or of any."""
    k = draw(st.integers(1, 4))
    word = draw(st.sampled_from([FEW_WORDS, WORDS]))
    rows = draw(st.lists(st.lists(word, min_size=k, max_size=k), max_size=40))
    return np.array(rows, dtype=np.int64).reshape(len(rows), k)


def grouped(table: np.ndarray, n_slots: int | None = None) -> tuple[list[int], list[int]]:
    """(group of each row, first row of each group); the least room that a table may have, unless told."""
    n = len(table)
    slots = np.full(n_slots or 1 << n.bit_length(), -1, np.int64)
    group, first = np.full(n, -7, np.int64), np.full(n, -7, np.int64)
    n_groups = group_rows(table, slots, group, first)
    assert (first[n_groups:] == -7).all(), "written beyond the groups there are"
    assert sorted(slots[slots >= 0].tolist()) == list(range(n_groups))
    return group.tolist(), first[:n_groups].tolist()


@given(tables())
def test_it_is_the_naive_twin(table: np.ndarray) -> None:
    assert grouped(table) == naive.group_rows(table.tolist())


@given(tables(), st.integers(1, 6))
def test_the_room_of_the_hash_table_changes_nothing(table: np.ndarray, doublings: int) -> None:
    assert grouped(table, 1 << (len(table).bit_length() + doublings)) == grouped(table)


@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=30))
def test_bits_of_floats_are_words_like_any_other(values: list[float]) -> None:
    """Not a number equals itself here, and the two zeros differ: what counts is bits."""
    table = np.array(values).view(np.int64).reshape(-1, 1)
    assert grouped(table) == naive.group_rows(table.tolist())


def test_rows_that_fall_into_one_slot_are_told_apart() -> None:
    """All rows that differ, in a table that is almost full: some have to look further, round the end."""
    table = np.arange(-500, 523, dtype=np.int64).reshape(-1, 1) * 1024
    assert grouped(table, 1024) == (list(range(1023)), list(range(1023)))


def test_rows_that_differ_in_one_word_only_are_told_apart() -> None:
    base = np.tile(np.int64(7), (65, 3))
    base[np.arange(1, 65), 2] ^= np.int64(1) << np.arange(64, dtype=np.int64)
    assert grouped(base)[1] == list(range(65))


def test_a_single_row_is_a_group() -> None:
    assert grouped(np.array([[5, -5]])) == ([0], [0])


def test_no_rows_are_no_groups() -> None:
    assert grouped(np.empty((0, 3), dtype=np.int64)) == ([], [])


@pytest.mark.parametrize("n_columns", [0, 3])
def test_where_no_column_differs_all_rows_are_one_group(n_columns: int) -> None:
    assert grouped(np.zeros((9, n_columns), dtype=np.int64)) == ([0] * 9, [0])


def test_groups_are_numbered_as_they_first_appear() -> None:
    table = np.array([[3, 1], [2, 1], [3, 1], [1, 2], [2, 1]])
    assert grouped(table) == ([0, 1, 0, 2, 1], [0, 1, 3])


@given(st.lists(st.integers(0, 5), max_size=30), st.randoms(use_true_random=False))
def test_entries_are_sorted_by_key_and_equal_ones_stay_as_they_were(keys: list[int], random) -> None:
    before = list(range(len(keys)))
    random.shuffle(before)
    first, order = np.zeros(7, np.int64), np.full(len(keys), -7, np.int64)
    sort_by(np.array(keys, np.int64), np.array(before, np.int64), first, order)
    assert order.tolist() == sorted(before, key=keys.__getitem__)
    assert first.tolist() == [sum(key < k for key in keys) for k in range(7)]
