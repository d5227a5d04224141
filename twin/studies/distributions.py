"""Distributions of uncertain inputs: a value for each probability, between a low and a high end."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import betaincinv

from ..arrays import Floats
from ..model.uncertain import DistributionName

Quantile = Callable[[Floats, float, float, float], Floats]
"""Returns the values at probabilities 0 to 1 of a distribution with a low end, a most likely value and a high end."""
PERT_WEIGHT = 4.0
"""Weight of the most likely value in the mean of a PERT distribution, where both ends weigh one."""


def _triangular(probability: Floats, low: float, value: float, high: float) -> Floats:
    """Density that rises in a line from low to the value, and falls in a line to high."""
    span, rise, fall = high - low, value - low, high - value
    return np.where(
        probability * span < rise,
        low + np.sqrt(probability * span * rise),
        high - np.sqrt((1.0 - probability) * span * fall),
    )


def _pert(probability: Floats, low: float, value: float, high: float) -> Floats:
    """Beta density of mean (low + 4 value + high) / 6 (Malcolm et al. 1959): ends are rarer than in a triangle."""
    span = high - low
    before, after = 1.0 + PERT_WEIGHT * (value - low) / span, 1.0 + PERT_WEIGHT * (high - value) / span
    return np.asarray(low + span * betaincinv(before, after, probability))


def _uniform(probability: Floats, low: float, _: float, high: float) -> Floats:
    """Equal density between both ends."""
    return low + (high - low) * probability


DISTRIBUTIONS: dict[DistributionName, Quantile] = {"triangular": _triangular, "pert": _pert, "uniform": _uniform}
"""Every distribution by name."""


def values_at(name: DistributionName, probability: Floats, low: float, value: float | None, high: float) -> Floats:
    """Return the values of an input at probabilities; a range of a single value gives exactly that.

    Args:
        name: key of `DISTRIBUTIONS`.
        probability: float64[any], 0 to 1.
        low: least value.
        value: most likely value; None = the middle.
        high: greatest value.

    Returns:
        float64, as `probability`, in the unit of the ends.
    """
    if low == high:
        return np.full_like(probability, low)
    mode = (low + high) / 2.0 if value is None else value
    return np.clip(DISTRIBUTIONS[name](probability, low, mode, high), low, high)
