"""Noise figure of an amplifier of two stages, from its noise figures at the least and the most gain."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

STAGE_GAP_DB = 5.0
"""First assumption for the gain of the second stage."""
MIN_SECOND_OVER_FIRST_DB, MAX_SECOND_OVER_FIRST_DB = 0.3, 2.0
"""Range of the noise figure of the second stage over that of the first."""
MIN_GAP_DB, MAX_GAP_DB = 1.0, 11.0
MIN_FIRST_DB = 4.0
"""Least noise figure of a first stage."""
TOLERANCE_DB = 0.01
"""Largest difference between a stated noise figure and that of the stages."""


class Stages(NamedTuple):
    """Noise figures of both stages, and how much the gain of the first is below the whole gain."""

    first_db: float
    second_db: float
    gap_db: float
    max_gain_db: float

    def noise_figure_db(self, gain_db: float) -> float:
        """Compute the noise figure at a gain; an attenuator between the stages sets it (Friis)."""
        first_gain_db = gain_db - self.gap_db - max(self.max_gain_db - gain_db, 0.0)
        return _in_db(_ratio(self.first_db) + _ratio(self.second_db) / _ratio(first_gain_db))


@cache
def two_stages(min_gain_db: float, max_gain_db: float, at_max_gain_db: float, at_min_gain_db: float) -> Stages:
    """Find the two stages that give two stated noise figures.

    Args:
        min_gain_db: least gain.
        max_gain_db: most gain with a flat spectrum.
        at_max_gain_db: noise figure at the most gain.
        at_min_gain_db: noise figure at the least gain.

    Returns:
        The stages.

    Raises:
        ValueError: no plausible stages give these figures.

    Source: the model of GNPy 3.0.1 (`variable_gain`, documentation of amplifier models).
    """
    if not max_gain_db > min_gain_db:
        raise ValueError(f"min_gain_db {min_gain_db:g} is not below max_gain_db {max_gain_db:g}")
    at_max, at_min = _ratio(at_max_gain_db), _ratio(at_min_gain_db)
    gap_db = STAGE_GAP_DB
    # the attenuator takes as much as the gain lacks, so the first stage loses twice that
    lowest_db, highest_db = 2.0 * min_gain_db - max_gain_db - gap_db, max_gain_db - gap_db
    second = (at_max - at_min) / (1.0 / _ratio(highest_db) - 1.0 / _ratio(lowest_db))
    first = at_max - second / _ratio(highest_db)
    first_db = _in_db(first) if first > 0 else -math.inf
    if second <= 0 or first_db < MIN_FIRST_DB:
        raise ValueError(
            f"noise figures {at_min_gain_db:g} and {at_max_gain_db:g} dB fit no two stages: "
            f"the first would have {first_db:.1f} dB; use noise_law linear or noise_figures"
        )
    second_db = _in_db(second)
    low_db, high_db = first_db + MIN_SECOND_OVER_FIRST_DB, first_db + MAX_SECOND_OVER_FIRST_DB
    if not low_db < second_db < high_db:
        second_db = min(max(second_db, low_db), high_db)
        gap_db = max_gain_db - _in_db(_ratio(second_db) / (at_max - first))
        if not MIN_GAP_DB < gap_db < MAX_GAP_DB:
            raise ValueError(
                f"noise figures {at_min_gain_db:g} and {at_max_gain_db:g} dB fit no two stages: "
                f"the second would have {gap_db:.1f} dB; use noise_law linear or noise_figures"
            )
    stages = Stages(first_db, second_db, gap_db, max_gain_db)
    if abs(stages.noise_figure_db(min_gain_db) - at_min_gain_db) > TOLERANCE_DB:
        raise ValueError(
            f"noise figures {at_min_gain_db:g} and {at_max_gain_db:g} dB fit no two stages; "
            "use noise_law linear or noise_figures"
        )
    return stages


def _ratio(db: float) -> float:
    return math.pow(10.0, db / 10.0)


def _in_db(ratio: float) -> float:
    return 10.0 * math.log10(ratio)
