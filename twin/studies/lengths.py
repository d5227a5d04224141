"""The length of links as an input that can be varied."""

from __future__ import annotations

import numpy as np

from ..arrays import Ints, State
from ..arrays.cables import cable_runs
from ..errors import ChangeError


def with_length(state: State, rows: Ints, length_km: float, maximum_km: float, where: str) -> State:
    """Set the length of links; their spans keep their proportions, and a cable has one length for all links on it.

    Args:
        state: columns of the network.
        rows: rows of the links.
        length_km: new length of each.
        maximum_km: greatest length of a span.
        where: place of the input, for messages.

    Raises:
        ChangeError: no spans, a length out of bounds, or links that need different lengths of one cable.
    """
    spans = np.flatnonzero(np.isin(state.arrays.span_link, rows))
    if not len(spans) or length_km < 1e-6:
        raise ChangeError(f"length_km {length_km:g}", where=where, expected="links with spans, and at least 1e-6 km")
    length_ratio = state["span_length_km"][spans] / state.link_length_km[state.arrays.span_link[spans]]
    if length_km * float(length_ratio.max()) > maximum_km:
        raise ChangeError(f"length_km {length_km:g}", where=where, expected=f"at most {maximum_km:,.0f} km a span")
    scale_ratio = length_km / state.link_length_km[state.arrays.span_link[spans]]
    if (state["span_cable"][spans] < 0).all():
        return state.with_values("span_length_km", spans, state["span_length_km"][spans] * scale_ratio)
    by_span = np.full(len(state["span_link"]), np.nan)
    by_span[spans] = scale_ratio
    for name, runs in cable_runs(state).items():
        on_cable = np.array([row for run in runs for row in run.spans])
        ratios = by_span[on_cable][~np.isnan(by_span[on_cable])]
        if len(ratios) and np.ptp(ratios) > 1e-12 * ratios.max():
            problem = f"these links need different lengths of cable {name!r}, on which they run"
            raise ChangeError(problem, where=where, hint="vary one of them: a cable has one length for all links on it")
        by_span[on_cable] = ratios[0] if len(ratios) else np.nan
    spans = np.flatnonzero(~np.isnan(by_span))
    return state.with_values("span_length_km", spans, state["span_length_km"][spans] * by_span[spans])
