"""Rounding to significant digits."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twin.arrays.rounding import N_DIGITS, rounded, rounded_column


def test_the_order_of_a_sum_changes_no_bit() -> None:
    assert 0.1 + 0.2 + 0.3 != 0.3 + 0.2 + 0.1
    assert rounded(0.1 + 0.2 + 0.3) == rounded(0.3 + 0.2 + 0.1) == 0.6
    assert rounded_column(np.array([0.1 + 0.2 + 0.3, 0.0, np.inf, np.nan]))[:3].tolist() == [0.6, 0.0, np.inf]


def test_other_figures_stay_apart() -> None:
    assert rounded(1.0 + 2e-10) != 1.0
    assert rounded(123456789012.0) == 123456789010.0
    assert rounded_column(np.array([1.0 + 2e-10, 1.0])).tolist() != [1.0, 1.0]


@given(st.floats(1e-200, 1e200))
def test_both_forms_are_near_the_number(number: float) -> None:
    for found in (rounded(number), float(rounded_column(np.array([number]))[0])):
        assert abs(found - number) <= 10.0 ** (1 - N_DIGITS) * number
