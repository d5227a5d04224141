"""End of a phase on its busiest arc."""

import numpy as np
import pytest

from tests import naive
from twin.kernels.phase_ends import busiest_arcs


def busiest(rows, efficiency):
    columns = [np.array(column, dtype) for column, dtype in zip(zip(*rows, strict=True), "ddqdq", strict=True)]
    load, gbps, members, pairs, rule = columns
    out = np.full(2, np.nan)
    used = busiest_arcs(load, gbps, members, pairs, np.array(efficiency), rule, out)
    return out.tolist() if used else None


@pytest.mark.parametrize("seed", range(8))
def test_times_equal_the_naive_twin(seed):
    rng = np.random.default_rng(seed)
    n = 12
    load = rng.random(n) * (rng.random(n) < 0.7)
    pairs = np.where(rng.random(n) < 0.5, np.inf, rng.integers(1, 4, n))
    columns = load, rng.random(n) + 0.1, rng.integers(1, 9, n), pairs, rng.integers(-1, 3, n)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    efficiency = [0.5, 0.8, 0.9, 1.0]
    assert busiest(rows, efficiency) == naive.busiest_arcs(rows, efficiency)


def test_nothing_flows_or_an_arc_has_no_capacity():
    assert busiest([(0.0, 5.0, 1, np.inf, -1)], [1.0]) is None
    assert busiest([(1.0, 0.0, 1, np.inf, -1), (1.0, 5.0, 1, np.inf, -1)], [1.0]) is None
    assert busiest([(0.0, 0.0, 1, np.inf, -1), (1.0, 5.0, 4, 2.0, 0)], [0.5, 1.0]) == [0.4, 0.8]
