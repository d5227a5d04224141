"""Amplifiers that several links share: those of a cable, whose failure takes down all of its links together.

The links of one fibre pair that run on a cable are taken to be on the same pair. A protected link goes on over its
other path, and a link of several pairs keeps members on the others, so these count their amplifiers for themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import Ints, State
from ..arrays.cables import cable_runs
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .link_failures import FAILURES_PER_HOUR_OF_FIT, N_DIRECTIONS
from .rates import Rate, no_failures, rate_with_repair


class SharedAmplifiers(NamedTuple):
    """The amplifiers of a cable, and the links that lose their path when one of them fails."""

    risk: int
    """Code of the cable among the shared risks."""
    n_amplifiers: int
    """Number on one fibre pair, in both directions."""
    links: Ints
    """Rows of `link_*`, ascending; at least two."""


def shared_amplifiers(state: State, links: Ints) -> tuple[SharedAmplifiers, ...]:
    """List the cables whose amplifiers take several of `links` (rows) down, by name.

    Amplifiers that only some of the links state at the end of a cable count for these links by themselves.
    """
    if not (state["span_cable"] >= 0).any():
        return ()
    fails = np.zeros(state.n_links, dtype=np.bool_)
    fails[links] = True
    fails &= (state["link_protection"] < 0) & (state["link_n_fibre_pairs"] == 1)
    found = []
    for name, runs in sorted(cable_runs(state).items()):
        chosen = [run for run in runs if fails[run.link]]
        n_amplifiers = min((int((state["span_amplifier"][list(run.spans)] >= 0).sum()) for run in chosen), default=0)
        rows = np.unique(np.array([run.link for run in chosen], dtype=np.int64))
        if n_amplifiers and len(rows) > 1:
            found.append(SharedAmplifiers(state.srlgs.index(name), N_DIRECTIONS * n_amplifiers, rows))
    return tuple(found)


def amplifier_rates(
    reader: FigureReader, shared: Sequence[SharedAmplifiers], n_links: int, case: AgeingCase = "value"
) -> tuple[Rate, Rate]:
    """Compute how often the amplifiers of each cable fail, and how often these failures take each link down.

    Returns:
        (by cable, by link), of `n_links` links.
    """
    if not shared:
        return no_failures(0), no_failures(n_links)
    fit, repair_h = reader.general("amplifier_fit", case), reader.general("amplifier_repair_h", case)
    by_cable = np.array([cable.n_amplifiers for cable in shared]) * fit * FAILURES_PER_HOUR_OF_FIT
    by_link = np.zeros(n_links)
    for cable, n_per_h in zip(shared, by_cable, strict=True):
        by_link[cable.links] += n_per_h
    return rate_with_repair(by_cable, repair_h), rate_with_repair(by_link, repair_h)
