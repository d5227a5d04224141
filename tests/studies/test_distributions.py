"""Distributions of uncertain inputs, against scipy, and points of samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twin.errors import ChangeError
from twin.studies.distributions import DISTRIBUTIONS, values_at
from twin.studies.sample_points import check_sample, unit_points

PROBABILITY = np.linspace(0.0, 1.0, 41)


def test_triangular_and_uniform_are_those_of_scipy() -> None:
    expected = stats.triang.ppf(PROBABILITY, 0.25, loc=2.0, scale=8.0)
    assert values_at("triangular", PROBABILITY, 2.0, 4.0, 10.0) == pytest.approx(expected, abs=1e-12)
    expected = stats.uniform.ppf(PROBABILITY, loc=2.0, scale=8.0)
    assert values_at("uniform", PROBABILITY, 2.0, 4.0, 10.0) == pytest.approx(expected, abs=1e-12)


def test_pert_is_a_beta_distribution_with_its_mean() -> None:
    expected = stats.beta.ppf(PROBABILITY, 2.0, 4.0, loc=2.0, scale=8.0)
    found = values_at("pert", PROBABILITY, 2.0, 4.0, 10.0)
    assert found == pytest.approx(expected, abs=1e-12)
    fine = (np.arange(20_000) + 0.5) / 20_000
    assert values_at("pert", fine, 2.0, 4.0, 10.0).mean() == pytest.approx((2.0 + 4 * 4.0 + 10.0) / 6, rel=1e-6)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@given(ends=st.tuples(*[st.floats(-1e6, 1e6)] * 3).map(sorted))
def test_values_stay_in_the_range_and_rise(name: str, ends: list[float]) -> None:
    low, value, high = ends
    found = values_at(name, PROBABILITY, low, value, high)  # type: ignore[arg-type]
    assert (found >= low).all()
    assert (found <= high).all()
    assert (np.diff(found) >= 0.0).all()
    if high - low > 1e-3:
        assert found[0] == pytest.approx(low, abs=1e-6 * (1 + abs(low)))
        assert found[-1] == pytest.approx(high, abs=1e-6 * (1 + abs(high)))


def test_a_range_of_one_value_gives_exactly_that() -> None:
    value = 0.1 + 0.2
    for name in DISTRIBUTIONS:
        assert set(values_at(name, PROBABILITY, value, value, value).tolist()) == {value}


def test_every_interval_of_every_input_holds_one_point() -> None:
    points = unit_points(64, 7, 3)
    assert points.shape == (64, 7)
    for column in points.T:
        assert sorted(np.floor(column * 64).tolist()) == list(range(64))
    assert (unit_points(64, 7, 3) == points).all()
    assert (unit_points(64, 7, 4) != points).any()


@pytest.mark.parametrize("n", [0, 1, 3, 1000, 2**17, True, 64.0, "64"])
def test_sizes_that_are_no_power_of_two_are_refused(n: object) -> None:
    with pytest.raises(ChangeError, match="samples"):
        check_sample(n, 0)


def test_a_size_near_a_power_of_two_is_corrected() -> None:
    with pytest.raises(ChangeError, match="did you mean 1024"):
        check_sample(1000, 0)
    with pytest.raises(ChangeError, match="seed"):
        check_sample(64, -1)
