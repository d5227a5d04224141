"""Figures of failures by link, which colour the lines of a drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ..arrays import Floats, State


class FailureFigures(NamedTuple):
    """Figures of failures of single links, by link id."""

    worst_utilisation_ratio: Mapping[str, float]
    """Largest utilisation of the link after any one failure."""
    rate_lost_ratio: Mapping[str, float]
    """Share of the job's step rate that the failure of the link takes, 1 where the job stops."""


NO_FAILURES = FailureFigures({}, {})


def by_link(state: State, values: Mapping[str, float]) -> Floats:
    """Return values by row of links, float64[n_links]; NaN for links without one."""
    index, out = state.arrays.link_index, np.full(state.n_links, np.nan)
    for name, value in values.items():
        if name in index:
            out[index[name]] = value
    return out
