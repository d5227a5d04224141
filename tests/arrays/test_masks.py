"""Masks by link and numbers of distinct rows equal those of numpy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twin.arrays import at_an_end, at_both_ends, distinct_rows


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_masks_by_link_equal_reductions(pairs):
    mask = np.array(pairs, dtype=np.bool_).reshape(-1, 2)
    assert at_both_ends(mask).tolist() == mask.all(axis=1).tolist()
    assert at_an_end(mask).tolist() == mask.any(axis=1).tolist()


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_distinct_rows_equal_unique(first, second):
    a, b = np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)
    distinct, (of_a, of_b) = distinct_rows(10, a, b)
    expected, inverse = np.unique(np.concatenate((a, b)), return_inverse=True)
    assert distinct.tolist() == expected.tolist()
    assert [*of_a, *of_b] == inverse.tolist()
