"""Rates of failure with their repair times, and what follows for units that fail together or one by one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..units import DAYS_PER_YEAR

HOURS_PER_YEAR = 24.0 * DAYS_PER_YEAR
ROUNDING_RATIO = 1e-9
"""A share of a rate below this is rounding."""


class Rate(NamedTuple):
    """Failures per hour in service, and mean hours until the repair (0 where nothing fails); an entry for each unit."""

    n_per_h: Floats
    repair_h: Floats

    def of(self, rows: Ints) -> Rate:
        """Return the rates of some units, by row."""
        return Rate(self.n_per_h[rows], self.repair_h[rows])

    @property
    def mtbf_h(self) -> Floats:
        """Mean hours from a repair to the next failure, infinite where nothing fails."""
        infinite = np.full(len(self.n_per_h), np.inf)
        return np.asarray(np.divide(1.0, self.n_per_h, out=infinite, where=self.n_per_h > 0))

    @property
    def unavailability_ratio(self) -> Floats:
        """Share of time in which the unit is down."""
        load = self.n_per_h * self.repair_h
        return np.asarray(load / (1.0 + load))


def rate_with_repair(n_per_h: Floats, repair_h: float) -> Rate:
    """Return rates with the repair time of those that are above 0."""
    return Rate(n_per_h, np.where(n_per_h > 0, repair_h, 0.0))


def no_failures(n: int) -> Rate:
    """Return the rates of units that never fail."""
    return Rate(np.zeros(n), np.zeros(n))


def select(selected: Bools, rate: Rate, default: Rate) -> Rate:
    """Return `rate` where selected, else `default`."""
    return Rate(*(np.where(selected, a, b) for a, b in zip(rate, default, strict=True)))


def any_of(*causes: Rate) -> Rate:
    """Return failures by any of the causes: rates add, and the repair time is their mean weighted by rate."""
    n_per_h = np.sum([cause.n_per_h for cause in causes], axis=0)
    load = np.sum([cause.n_per_h * cause.repair_h for cause in causes], axis=0)
    return Rate(n_per_h, np.divide(load, n_per_h, out=np.zeros(len(n_per_h)), where=n_per_h > 0))


def without(total: Rate, cause: Rate) -> Rate:
    """Return failures by the other causes, the reverse of `any_of`; what is left by rounding counts as nothing."""
    n_per_h = total.n_per_h - cause.n_per_h
    load = total.n_per_h * total.repair_h - cause.n_per_h * cause.repair_h
    remains = (n_per_h > ROUNDING_RATIO * total.n_per_h) & (load > 0.0)
    repair_h = np.divide(load, n_per_h, out=np.zeros(len(n_per_h)), where=remains)
    return Rate(np.where(remains, n_per_h, 0.0), repair_h)


def both_down(first: Rate, second: Rate) -> Rate:
    """Return failures of two independent units at a time.

    It is close to n1 n2 (m1 + m2) where both are mostly up.
    """
    both_ratio = first.unavailability_ratio * second.unavailability_ratio
    ends_per_h = sum(
        np.divide(1.0, rate.repair_h, out=np.zeros(len(both_ratio)), where=rate.repair_h > 0)
        for rate in (first, second)
    )
    n_per_h = both_ratio * ends_per_h / (1.0 - both_ratio)
    return Rate(n_per_h, np.divide(1.0, ends_per_h, out=np.zeros(len(both_ratio)), where=n_per_h > 0))


def all_down(each: Rate, n_units: Ints) -> Rate:
    """Return failures of all of `n_units` independent equal units at a time; those of one unit are its own."""
    down_ratio = each.unavailability_ratio**n_units
    ends_per_h = np.divide(n_units, each.repair_h, out=np.zeros(len(down_ratio)), where=each.repair_h > 0)
    n_per_h = np.where(n_units == 1, each.n_per_h, down_ratio * ends_per_h / (1.0 - down_ratio))
    return Rate(n_per_h, np.divide(1.0, ends_per_h, out=np.zeros(len(down_ratio)), where=n_per_h > 0))
