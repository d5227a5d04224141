"""Bounds of a study on its own estimate of time."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..errors import TopologyError


class StudyBounds(NamedTuple):
    """Estimated times above which a study of failures simplifies, or computes nothing."""

    alike_above_s: float = math.inf
    """Time of the job above which links that are alike count as equal."""
    most_s: float = math.inf
    """Longest study; longer ones are refused before they start."""

    def check(self, taken_s: float, what: str) -> None:
        """Raise TopologyError for a study that is too long.

        Args:
            taken_s: its estimated time.
            what: what is computed.
        """
        if taken_s > self.most_s:
            long = f"{taken_s:,.0f} s" if taken_s < 600.0 else f"{taken_s / 60.0:,.0f} minutes"
            raise TopologyError(f"{what} take some {long}", where="of", expected=f"at most {self.most_s:,.0f} s")


STUDY_BOUNDS = StudyBounds()
"""Exact, however long it takes."""
BRIEF_BOUNDS = StudyBounds(alike_above_s=10.0, most_s=60.0)
"""Part of a report."""
