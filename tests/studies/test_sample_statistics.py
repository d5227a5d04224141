"""Statistics of samples: by hand, and against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.studies.sample_statistics import (
    best_of,
    complete_rows,
    orthogonal_polynomials,
    quantile,
    smoothed,
    value_of_knowing,
    value_of_perfect_information,
    wins,
)


def test_quantiles_are_values_of_the_sample() -> None:
    values = [30.0, 10.0, 20.0, 40.0]
    assert [quantile(values, ratio) for ratio in (0.1, 0.25, 0.5, 0.51, 0.9)] == [10.0, 10.0, 20.0, 30.0, 40.0]
    assert quantile([0.1 + 0.2], 0.5) == 0.1 + 0.2


def test_a_plan_without_a_value_loses_and_two_without_do_not_count() -> None:
    nan = math.nan
    plan, other = np.array([1.0, 2.0, nan, nan, 5.0]), np.array([2.0, 2.0, 3.0, nan, nan])
    assert wins(plan, other, 1.0) == (1, 1, 4)
    assert wins(plan, other, -1.0) == (2, 1, 4)
    assert wins(other, plan, -1.0) == (1, 1, 4)


def test_equal_plans_share_a_sample() -> None:
    table = np.array([[1.0, 1.0, 0.0], [2.0, 1.0, 3.0], [math.nan, 1.0, 0.5], [math.nan, math.nan, math.nan]])
    assert best_of(table, 1.0).tolist() == pytest.approx([0.5 / 3, 1.5 / 3, 1.0 / 3])
    assert best_of(table, -1.0).tolist() == pytest.approx([0.0, 1.0 / 3, 2.0 / 3])
    assert complete_rows(table).tolist() == [True, True, False, False]


def test_polynomials_are_orthogonal_and_keep_a_cubic() -> None:
    basis = orthogonal_polynomials(50)
    assert basis @ basis.T == pytest.approx(np.eye(4), abs=1e-12)
    x = np.arange(50.0)
    cubic = 3.0 - x + 0.2 * x**2 - 0.003 * x**3
    assert smoothed(cubic, basis) == pytest.approx(cubic, abs=1e-9)


def test_worth_of_one_uncertain_input_is_its_closed_form() -> None:
    """Plan A brings x, uniform from -1 to 1, plan B nothing: E max(x, 0) = 1/4, and x alone decides."""
    n = 1024
    x = 2.0 * (np.arange(n) + 0.5) / n - 1.0
    table = np.stack([x, np.zeros(n)], axis=1)
    assert value_of_perfect_information(table, 1.0) == pytest.approx(0.25, rel=1e-3)
    assert value_of_knowing(table, x, 1.0) == pytest.approx(0.25, rel=1e-3)
    assert value_of_knowing(-table, x, -1.0) == pytest.approx(0.25, rel=1e-3)
    noise = np.random.default_rng(0).uniform(size=n)
    assert value_of_knowing(table, noise, 1.0) < 0.03


def test_worth_of_one_of_two_inputs() -> None:
    """Plan A brings x + y, normal with deviations 3 and 4: E max = 5 / sqrt(2 pi), with x alone 3 / sqrt(2 pi)."""
    random = np.random.default_rng(7)
    x, y = 3.0 * random.standard_normal(2**15), 4.0 * random.standard_normal(2**15)
    table = np.stack([x + y, np.zeros_like(x)], axis=1)
    assert value_of_perfect_information(table, 1.0) == pytest.approx(5.0 / math.sqrt(2 * math.pi), rel=0.03)
    assert value_of_knowing(table, x, 1.0) == pytest.approx(3.0 / math.sqrt(2 * math.pi), rel=0.05)


def test_a_decision_that_no_sample_changes_is_worth_nothing() -> None:
    x = np.linspace(0.1, 0.7, 64)
    table = np.stack([x, x + 0.1], axis=1)
    assert value_of_perfect_information(table, 1.0) == 0.0
    assert value_of_knowing(table, x, 1.0) == 0.0
    assert value_of_knowing(table, np.full(64, 2.0), 1.0) == 0.0
    assert value_of_perfect_information(table[:0], 1.0) == 0.0
