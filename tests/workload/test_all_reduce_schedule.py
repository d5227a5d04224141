"""Ways to all-reduce between sites, in parts of G: half of what a reduce-scatter and an all-gather move together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.workload import all_reduce_schedule as exchange
from twin.workload.all_reduce_schedule import (
    MAX_TREE_SITES,
    AllReduceSchedule,
    chains,
    direct,
    mix_trees,
    ring,
    ring_and_direct_schedules,
)

G = 2.0
"""Each pass moves `volume` of the parameters; G of the notes is the mean of both, so a pair of passes moves 2 of it."""


def times(capacity: np.ndarray) -> np.ndarray:
    """Seconds per volume, a row for each ordered pair of sites that have a pipe of their own."""
    n = len(capacity)
    rows = np.zeros((n * n, n, n))
    for i in range(n):
        for j in range(n):
            if i != j:
                rows[i * n + j, i, j] = 1 / capacity[i, j] if capacity[i, j] else np.inf
    return rows[(rows > 0).any(axis=(1, 2))]


def slowest(way: AllReduceSchedule, rows: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(np.einsum("rij,ij->r", rows, way.volume), nan=0.0, posinf=np.inf).max())


def equal(n: int) -> np.ndarray:
    return np.ones((n, n))


def test_the_equal_triangle_of_the_field_notes() -> None:
    """One-way ring 4/3 G on each used arc, direct and two-way ring 2/3 G."""
    one_way, both_ways = ring((0, 1, 2), bidirectional=False), ring((0, 1, 2), bidirectional=True)
    assert G * one_way.volume.max() == pytest.approx(4 / 3)
    assert np.count_nonzero(one_way.volume) == 3
    for way in (both_ways, direct(3)):
        assert G * way.volume.max() == pytest.approx(2 / 3)
        assert np.count_nonzero(way.volume) == 6


def test_with_one_side_down_a_tree_takes_g_and_a_ring_more() -> None:
    capacity = equal(3)
    capacity[0, 2] = capacity[2, 0] = 0.0
    way = mix_trees(3, times(capacity))
    assert way is not None
    assert G * slowest(way, times(capacity)) == pytest.approx(1.0)
    # the ring's arcs between 0 and 2 go over 1, so the arcs on the way carry both
    over_one = np.zeros((4, 3, 3))
    for row, pairs in enumerate([((0, 1), (0, 2)), ((1, 2), (0, 2)), ((2, 1), (2, 0)), ((1, 0), (2, 0))]):
        for i, j in pairs:
            over_one[row, i, j] = 1.0
    assert G * slowest(ring((0, 1, 2), bidirectional=False), over_one) == pytest.approx(4 / 3)
    assert G * slowest(way, over_one) == pytest.approx(1.0)


@pytest.mark.parametrize(("x12", "x13"), [(1.0, 1.0), (2.0, 1.0), (0.25, 4.0)])
def test_two_sites_joined_fat_act_as_one(x12: float, x13: float) -> None:
    capacity = np.full((3, 3), 1e6)
    capacity[0, 1] = capacity[1, 0] = x12
    capacity[0, 2] = capacity[2, 0] = x13
    way = mix_trees(3, times(capacity))
    assert way is not None
    assert G * slowest(way, times(capacity)) == pytest.approx(1 / (x12 + x13), rel=1e-4)


def test_two_sites_exchange_halves() -> None:
    (way,) = ring_and_direct_schedules(2)
    assert G * way.volume.max() == pytest.approx(1.0)
    assert ring_and_direct_schedules(1) == []
    assert mix_trees(2, times(equal(2))) is None


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_every_way_moves_all_parameters_through_every_site(n: int) -> None:
    """In a pass a site takes in at least what the others hold: (n - 1)/n of the parameters, and gives the same."""
    for way in [*ring_and_direct_schedules(n), *(chains(n) if n <= MAX_TREE_SITES else ())]:
        assert not way.volume.diagonal().any()
        assert way.volume.sum() >= (n - 1) - 1e-12
        for side in (0, 1):
            assert (way.volume.sum(axis=side) >= 0.5 - 1e-12).all(), way.name


def test_a_ring_one_way_and_a_chain_by_hand() -> None:
    assert ring((0, 2, 1), bidirectional=False).volume.tolist() == [[0, 0, 2 / 3], [2 / 3, 0, 0], [0, 2 / 3, 0]]
    chain = next(way for way in chains(3) if way.name == "tree 0-1-2")
    assert chain.volume.tolist() == [[0, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0]]
    assert len(chains(3)) == 3
    assert len(chains(4)) == 12


def test_many_sites_have_rings_and_direct_only() -> None:
    assert {way.name for way in ring_and_direct_schedules(6)} == {"direct", "ring", "two-way ring"}
    assert mix_trees(6, times(equal(6))) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 4), st.integers(0, 2**32 - 1))
def test_a_mixture_is_at_least_as_good_as_each_chain(n: int, seed: int) -> None:
    capacity = np.random.default_rng(seed).uniform(0.1, 10, (n, n))
    rows = times(capacity)
    way = mix_trees(n, rows)
    assert way is not None
    assert slowest(way, rows) <= min(slowest(tree, rows) for tree in chains(n)) * (1 + 1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 4), st.integers(0, 2**32 - 1), st.floats(1.0, 5.0))
def test_a_mixture_is_no_better_than_the_cut_allows(n: int, seed: int, factor: float) -> None:
    """T >= max over cuts of G / X(cut); and more capacity is never slower."""
    half = np.random.default_rng(seed).uniform(0.1, 10, (n, n))
    capacity = half + half.T
    way = mix_trees(n, times(capacity))
    assert way is not None
    found = G * slowest(way, times(capacity))
    for cut in range(1, 2 ** (n - 1)):
        inside = np.array([bool(cut >> i & 1) for i in range(n)])
        assert found >= 1 / capacity[np.ix_(inside, ~inside)].sum() * (1 - 1e-9)
    wider = capacity.copy()
    wider[0, 1] *= factor
    again = mix_trees(n, times(wider))
    assert again is not None
    assert G * slowest(again, times(wider)) <= found * (1 + 1e-6)


def test_where_no_tree_is_whole_there_is_none() -> None:
    capacity = equal(3)
    capacity[0, :] = capacity[:, 0] = 0.0
    assert mix_trees(3, times(capacity)) is None


def test_no_rows_no_mixture() -> None:
    assert mix_trees(3, np.zeros((0, 3, 3))) is None


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.sampled_from(["any", "coarse", "sparse", "nearly twice"]),
)
def test_three_chains_are_mixed_as_well_as_linear_programming_does(seed: int, n: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    rows = random.uniform(0.01, 1, (n, 3))
    if kind == "coarse":
        rows = np.ceil(rows * 10) / 10
    elif kind == "sparse":
        rows *= random.uniform(0, 1, (n, 3)) < 0.5
        rows[0, 0] = 1.0
    elif kind == "nearly twice":
        rows = np.repeat(rows, 2, axis=0) * (1 + 1e-16 * random.integers(-2, 3, (2 * n, 3)))
    ours, theirs = exchange._solve_three_shares(rows), exchange._solve_shares(rows)
    assert theirs is not None
    if ours is None:
        assert n > exchange.MAX_ROWS_THREE_TREES
        return
    assert (ours >= 0).all()
    assert ours.sum() == pytest.approx(1.0, abs=1e-12)
    assert (rows @ ours).max() <= (rows @ theirs).max() * (1 + 1e-12) + 1e-15


def test_many_binding_rows_are_left_to_linear_programming() -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 200, endpoint=False)
    bowl = np.stack([1.0 + 0.1 * np.cos(angle - turn) for turn in (0.0, 2.0, 4.0)], axis=1)
    rows = np.zeros((len(bowl), 3, 3))
    for k, tree in enumerate(chains(3)):
        i, j = np.argwhere(tree.volume > 0)[0]
        rows[:, i, j] = bowl[:, k]
    way = mix_trees(3, rows)
    assert way is not None
    assert slowest(way, rows) <= min(slowest(tree, rows) for tree in chains(3)) * (1 + 1e-9)


def test_ways_that_many_ask_for_cannot_be_written_into() -> None:
    for way in [*ring_and_direct_schedules(3), *ring_and_direct_schedules(2), *chains(3)]:
        with pytest.raises(ValueError, match="read-only"):
            way.volume[0, 0] = 1.0
    assert ring_and_direct_schedules(3) is not ring_and_direct_schedules(3)
