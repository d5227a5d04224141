"""Statistics of samples: quantiles, how often one plan is better than another, and what knowing an input is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..arrays import Bools, Floats
from ..arrays.sums import sum_of

ROUNDING_RATIO = 1e-12
"""Smaller gains, as a share of the metric, are rounding."""
N_TERMS = 4
"""Polynomials, from the constant on, by which a metric is smoothed over one input."""


def quantile(values: Sequence[float], ratio: float) -> float:
    """Return the least of the values that this share of them does not exceed; it is one of them."""
    return sorted(values)[max(math.ceil(ratio * len(values)) - 1, 0)]


def wins(values: Floats, other: Floats, sign: float) -> tuple[int, int, int]:
    """Count the samples in which one plan is better than another.

    A plan without a value loses against one with a value; samples in which neither has one do not count.

    Args:
        values: metric of the plan, float64[n_samples], NaN = no value.
        other: metric of the other plan in the same samples.
        sign: 1 where more is better, -1 where less is.

    Returns:
        Samples in which it is better, in which both are equal, and all that count.
    """
    known, other_known = np.isfinite(values), np.isfinite(other)
    better = (sign * values > sign * other) | (known & ~other_known)  # a comparison with NaN is false
    equal = values == other
    return int(np.sum(better)), int(np.sum(equal)), int(np.sum(known | other_known))


def best_of(table: Floats, sign: float) -> Floats:
    """Return how likely each plan is the best one; equal ones share a sample.

    Args:
        table: metric, float64[n_samples, n_plans], NaN = no value.
        sign: 1 where more is better, -1 where less is.

    Returns:
        float64[n_plans], with a sum of 1 unless no plan has a value in any sample.
    """
    goodness = np.where(np.isnan(table), -np.inf, sign * table)
    is_counted = np.asarray(np.isfinite(goodness).any(axis=1))
    is_best = (goodness == goodness.max(axis=1, keepdims=True)) & is_counted[:, None]
    share = is_best / np.maximum(is_best.sum(axis=1, keepdims=True), 1)
    n = int(is_counted.sum())
    return np.array([sum_of(share[:, column]) / n if n else 0.0 for column in range(table.shape[1])])


def complete_rows(table: Floats) -> Bools:
    """Tell in which samples every plan has a value, bool[n_samples]."""
    return np.asarray(~np.isnan(table).any(axis=1))


def value_of_perfect_information(table: Floats, sign: float) -> float:
    """Compute how much better the best plan of each sample is than the plan that is best in the mean.

    Args:
        table: metric, float64[n_samples, n_plans], without NaN.
        sign: 1 where more is better, -1 where less is.

    Returns:
        In the unit of the metric, at least 0.

    Source: Raiffa and Schlaifer 1961, chapter 4.
    """
    if not len(table):
        return 0.0
    goodness = sign * table
    return _gain(goodness, _column_means(goodness))


def value_of_knowing(table: Floats, input_values: Floats, sign: float) -> float:
    """Compute what it is worth to know one input before the choice, the others staying unknown.

    The mean of each plan, given the input, is a polynomial of third degree of the input's rank: the discrete
    orthogonal polynomials on equal steps, so that no system of equations is solved.

    Args:
        table: metric, float64[n_samples, n_plans], without NaN.
        input_values: values of the input in these samples, float64[n_samples].
        sign: 1 where more is better, -1 where less is.

    Returns:
        In the unit of the metric, at least 0.

    Source: Strong, Oakley and Brennan 2014, Estimating multiparameter partial expected value of perfect information.
    """
    n = len(table)
    if n <= N_TERMS or float(np.ptp(input_values)) == 0.0:
        return 0.0
    goodness = (sign * table)[np.argsort(input_values, kind="stable")]
    basis = orthogonal_polynomials(n)
    given = np.stack([smoothed(goodness[:, column], basis) for column in range(table.shape[1])], axis=1)
    return _gain(given, _column_means(goodness))


def orthogonal_polynomials(n: int) -> Floats:
    """Return the first polynomials that are orthogonal on n equal steps, each of length 1; float64[N_TERMS, n]."""
    step = np.linspace(-1.0, 1.0, n)
    rows: list[Floats] = []
    for degree in range(N_TERMS):
        row = step**degree
        for known in rows:
            row = row - sum_of(row * known) * known
        rows.append(row / math.sqrt(sum_of(row * row)))
    return np.stack(rows)


def smoothed(values: Floats, basis: Floats) -> Floats:
    """Return the nearest combination of the polynomials to values, float64[n]; their mean stays."""
    return np.asarray(sum(sum_of(values * row) * row for row in basis))


def _gain(goodness: Floats, means: Floats) -> float:
    """Mean of the best plan of each sample over that of the plan with the best mean; 0 where it is rounding."""
    gain = sum_of(goodness.max(axis=1)) / len(goodness) - float(means.max())
    return gain if gain > ROUNDING_RATIO * float(np.abs(means).max()) else 0.0


def _column_means(table: Floats) -> Floats:
    return np.array([sum_of(np.ascontiguousarray(table[:, column])) for column in range(table.shape[1])]) / len(table)
