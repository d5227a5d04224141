"""Flows hashed onto members: beside drawing them, and the figures of the field notes."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from twin.traffic.load_balancing import worst_over_mean


@pytest.mark.parametrize(
    ("n_flows", "n_members", "notes"),
    [(64, 8, 1.53), (128, 8, 1.37), (512, 8, 1.18), (512, 64, 1.91), (2048, 64, 1.44)],
)
def test_the_figures_of_the_field_notes(n_flows: int, n_members: int, notes: float) -> None:
    assert worst_over_mean(np.array([float(n_flows)]), np.array([n_members]))[0] == pytest.approx(notes, rel=0.04)


@pytest.mark.parametrize(
    ("n_flows", "n_members"), [(1, 64), (2, 8), (3, 2), (6, 8), (40, 16), (64, 8), (300, 16), (1000, 2), (5000, 64)]
)
def test_beside_drawing_them(n_flows: int, n_members: int) -> None:
    draw = np.random.default_rng(n_flows)
    drawn = [np.bincount(draw.integers(0, n_members, n_flows), minlength=n_members).max() for _ in range(1500)]
    found = worst_over_mean(np.array([float(n_flows)]), np.array([n_members]))[0]
    assert found == pytest.approx(np.mean(drawn) / (n_flows / n_members), rel=0.04)


@pytest.mark.parametrize("n_flows", [63, 64])
@pytest.mark.parametrize("n_members", [10_000, 1_000_000])
def test_few_flows_on_very_many_members_hardly_meet(n_flows: int, n_members: int) -> None:
    """Some two of them on one member: n (n - 1) / 2 pairs, each with a chance of one in `n_members`."""
    found = worst_over_mean(np.array([float(n_flows)]), np.array([n_members]))[0] * n_flows / n_members
    assert found == pytest.approx(1.0 + n_flows * (n_flows - 1) / 2 / n_members, rel=0.02)


def test_one_member_or_no_flow_has_no_collisions_and_more_flows_have_fewer() -> None:
    assert worst_over_mean(np.array([5.0, 500.0, 0.0]), np.array([1, 1, 8])).tolist() == [1.0, 1.0, 1.0]
    ratios = worst_over_mean(np.array([8.0, 80.0, 800.0, 8e4, 8e6]), np.full(5, 8))
    assert (np.diff(ratios) < 0).all()
    assert ratios[-1] == pytest.approx(1.0, abs=0.002)
    assert not len(worst_over_mean(np.zeros(0), np.zeros(0, np.int64)))


def test_part_of_a_flow_counts_as_a_flow() -> None:
    """One flow on 8 members is 8 times the mean, two are 4 times the mean or, one time in 8, 8 times."""
    found = worst_over_mean(np.array([0.01, 1.0, 1.2, 2.0, 2.001]), np.full(5, 8))
    assert found == pytest.approx([8.0, 8.0, 4.5, 4.5, 4.5], rel=1e-12)


def fullest_of_two(n: int) -> float:
    """Expected flows on the fuller of two members, over the mean: heads or tails, whichever there are more of."""
    return sum(comb(n, x) * max(x, n - x) for x in range(n + 1)) / 2**n / (n / 2)


def test_below_64_flows_the_figure_is_exact() -> None:
    assert worst_over_mean(np.array([63.0]), np.array([2]))[0] == pytest.approx(fullest_of_two(63), rel=1e-12)


def test_from_64_flows_members_are_taken_as_independent() -> None:
    """As if each of the two drew for itself: 2.6 % below the exact figure."""
    found = worst_over_mean(np.array([64.0]), np.array([2]))[0]
    at_most = np.cumsum([comb(64, x) / 2**64 for x in range(65)])
    assert found == pytest.approx((1.0 - at_most**2).sum() / 32, rel=1e-12)
    assert found == pytest.approx(fullest_of_two(64) * 0.9737, rel=1e-4)
