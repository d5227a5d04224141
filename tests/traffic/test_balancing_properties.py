"""What must hold of load balancing on any symmetric fabric and pattern."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive_hashing import Fabric
from tests.traffic.fabrics import Pairs, leaf_spine, patterns, permutation, routes_of, shift
from twin.model.records import BalancingName
from twin.traffic.balancing_modes import MODES, Flows

PLACED_WHOLE = [name for name, mode in MODES.items() if mode.is_hashed]
SERIES_RATIO = 1e-3
"""The series for many flows may be off by so much."""


def mean(mode: str, fabric: Fabric, pairs: Pairs, n_flows: int, n_rehashes: int = 1) -> float:
    return MODES[mode].times(routes_of(fabric, pairs), Flows(n_flows, n_rehashes)).mean_efficiency_ratio  # type: ignore[index]


@pytest.mark.parametrize("mode", ["ecmp", "polarised", "pinned"])
@given(case=patterns(), n_flows=st.integers(1, 12), times=st.integers(2, 5))
def test_each_flow_cut_into_several_never_lowers_efficiency(
    mode: str, case: tuple[Fabric, Pairs], n_flows: int, times: int
) -> None:
    """A multiple of the flows: three flows on two links are worse than two, because they cannot be even."""
    assert mean(mode, *case, n_flows * times) >= mean(mode, *case, n_flows) * (1.0 - SERIES_RATIO)


@pytest.mark.parametrize("mode", PLACED_WHOLE)
@given(case=patterns(), n_flows=st.integers(1, 40))
def test_spraying_is_never_worse(mode: str, case: tuple[Fabric, Pairs], n_flows: int) -> None:
    assert mean("spray", *case, n_flows) == 1.0
    assert 0.0 < mean(mode, *case, n_flows, 4) <= 1.0 + 1e-12


@given(
    st.integers(2, 4), st.integers(1, 6), st.integers(1, 8), st.integers(1, 16), st.integers(0, 50), st.integers(1, 3)
)
def test_more_uplinks_never_lower_the_expected_throughput(
    n_leaves: int, per_leaf: int, n_spines: int, n_flows: int, seed: int, more: int
) -> None:
    few, many = leaf_spine(n_leaves, per_leaf, n_spines), leaf_spine(n_leaves, per_leaf, n_spines + more)
    pairs = permutation(few, seed) or shift(few, per_leaf)
    rates = []
    for fabric in (few, many):
        times = MODES["ecmp"].times(routes_of(fabric, pairs), Flows(n_flows))
        rates.append(times.mean_efficiency_ratio / times.even_s)
    assert rates[1] >= rates[0] * (1.0 - SERIES_RATIO)


@pytest.mark.parametrize("mode", MODES)
@given(case=patterns(), n_flows=st.integers(1, 9), seed=st.integers(0, 1000))
def test_names_and_order_change_no_bit(
    mode: BalancingName, case: tuple[Fabric, Pairs], n_flows: int, seed: int
) -> None:
    """Cards and switches with other numbers, pairs in another order; parallel links keep their order."""
    fabric, pairs = case
    draw = random.Random(seed)
    cards = draw.sample(range(fabric.n_cards), fabric.n_cards)
    switches = draw.sample(range(fabric.n_cards, fabric.n_nodes), fabric.n_nodes - fabric.n_cards)
    new = cards + switches
    renamed = fabric._replace(ends=[(new[a], new[b]) for a, b in fabric.ends])
    shuffled = draw.sample([(new[a], new[b]) for a, b in pairs], len(pairs))
    first = MODES[mode].times(routes_of(fabric, pairs), Flows(n_flows, 3))
    again = MODES[mode].times(routes_of(renamed, shuffled), Flows(n_flows, 3))
    assert first.even_s == again.even_s
    assert np.array_equal(first.time_s, again.time_s)
    assert np.array_equal(first.ended_ratio, again.ended_ratio)


@given(patterns(), st.integers(1, 8), st.sampled_from([0.25, 3.0, 1e9]))
def test_larger_pairs_take_longer_in_proportion(case: tuple[Fabric, Pairs], n_flows: int, scale: float) -> None:
    fabric, pairs = case
    one = MODES["ecmp"].times(routes_of(fabric, pairs), Flows(n_flows))
    other = MODES["ecmp"].times(routes_of(fabric, pairs, [scale] * len(pairs)), Flows(n_flows))
    assert other.even_s == pytest.approx(one.even_s * scale)
    assert other.mean_efficiency_ratio == pytest.approx(one.mean_efficiency_ratio, rel=1e-9)
