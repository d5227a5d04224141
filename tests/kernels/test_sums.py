"""Sums in any order: the exactly rounded sum, as `math.fsum` gives it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.kernels.sums import add_exactly, exact_total, exact_totals, lost_in_sum

AMOUNTS = st.floats(0.0, 1e9, allow_subnormal=False).map(lambda value: value if value > 1e-9 else 0.0)


@given(st.lists(AMOUNTS, max_size=60), st.randoms(use_true_random=False))
def test_a_total_is_the_exact_one_in_any_order(values: list[float], random) -> None:
    shuffled = random.sample(values, len(values))
    assert exact_total(np.array(values)) == exact_total(np.array(shuffled)) == math.fsum(values)


@given(st.lists(st.tuples(st.integers(0, 3), AMOUNTS), max_size=60))
def test_totals_by_row_are_the_exact_ones(rows: list[tuple[int, float]]) -> None:
    total = np.zeros(4)
    exact_totals(np.array([row for row, _ in rows], np.int64), np.array([value for _, value in rows], float), total)
    assert total.tolist() == [math.fsum(value for row, value in rows if row == i) for i in range(4)]


def test_totals_by_row_are_added_to_what_is_there() -> None:
    total = np.array([1.0, 2.0])
    exact_totals(np.array([1, 1]), np.array([0.5, 0.25]), total)
    assert total.tolist() == [1.0, 2.75]


def test_plain_sums_depend_on_the_order() -> None:
    values = np.array([1.0, *[2.0**-53] * 4])
    plain, rest = np.zeros(1), np.zeros(1)
    for value in values:
        add_exactly(plain, rest, 0, value)
    assert plain[0] == 1.0
    assert rest[0] == 4 * 2.0**-53
    assert exact_total(values) == exact_total(values[::-1].copy()) == 1.0 + 2.0**-51


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_infinite_and_unknown_values_stay(value: float) -> None:
    assert str(exact_total(np.array([1.0, value, 2.0]))) == str(value)


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_what_rounding_takes_is_exact(a: float, b: float) -> None:
    assert a + b == math.fsum((a + b, lost_in_sum(a, b, a + b))) or math.isinf(a + b)
    if not math.isinf(a + b):
        assert math.fsum((a, b, -(a + b), -lost_in_sum(a, b, a + b))) == 0.0
