"""Warnings of inputs that a document leaves out, and what the answer assumes for them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import LAST_END_POINT, NODE_KINDS, Bools, Ints, State
from ..arrays.node_ports import stated_gbps
from ..catalogue.figure_reader import FigureReader
from ..errors.wording import counted
from ..optics.fibre import copper_spans
from ..optics.optical_paths import COHERENT, link_optics
from .warning import AnswerWarning

MAX_NAMED = 4
"""Maximum number of links that a warning names."""


def missing_inputs(state: State, reader: FigureReader, links: Ints | None = None) -> tuple[AnswerWarning, ...]:
    """Return one row for each kind of input that some links leave out; `links` are the rows to look at, None = all."""
    chosen = np.ones(state.arrays.n_links, dtype=np.bool_)
    if links is not None:
        chosen = np.isin(np.arange(state.arrays.n_links), links)
    found: list[AnswerWarning] = []
    for mask, rule, problem, effect, hint in _kinds(state, reader):
        rows = np.flatnonzero(mask & chosen)
        if len(rows):
            first_links = tuple(state.arrays.link_ids[row] for row in rows[:MAX_NAMED])
            where = f"links[{first_links[0]}]"
            found.append(AnswerWarning(where, rule, None, None, problem, effect, hint, len(rows), first_links))
    return tuple(found)


def _kinds(state: State, reader: FigureReader) -> Iterator[tuple[Bools, str, str, str, str]]:
    """Yield (links, missing field, what is missing, what is assumed, field to state) for each kind; bool[n_links]."""
    arrays = state.arrays
    without_spans = np.diff(arrays.span_first) == 0
    needs_line = without_spans & (link_optics(state, reader) == COHERENT)
    yield (
        needs_line,
        "spans",
        "with coherent optics and no spans",
        "loss is that of 0 km",
        "State spans: [{length_km: 40}]",
    )
    ratio = reader.general("route_over_straight_ratio")
    is_stated = ~np.isnan(state["arc_stated_latency_us"][0::2])
    yield (
        (state["link_straight_km"] > 0) & ~is_stated,
        "length_km",
        "between sites without a length",
        f"latency and cuts are those of the great circle times {ratio:g}, loss that of 0 km",
        "State spans: [{length_km: 40}]",
    )
    yield (
        np.isnan(state["link_straight_km"]) & ~is_stated,
        "length_km",
        "between sites without a length or positions",
        "loss is that of 0 km, latency has no value",
        "State spans: [{length_km: 40}], latency_us, or latitude_deg and longitude_deg of the sites",
    )
    undated = np.zeros(arrays.n_links, dtype=np.bool_)
    # fibre that was measured ages from that day on
    is_copper = copper_spans(state, reader)
    of_span = state["span_undated"] & np.isnan(state["span_measured_years"]) & ~is_copper
    undated[arrays.span_link[of_span]] = True
    n_spans = counted(int((~is_copper).sum()), "span")
    yield (
        undated,
        "installed",
        "with fibre without a date",
        f"no date: {of_span.sum()} of {n_spans} taken as new at as_of",
        "State installed of the spans, or fibre_installed of the document",
    )
    is_switch = (state["node_kind"] > LAST_END_POINT) & (state["node_kind"] != NODE_KINDS.index("roadm"))
    without_part = (is_switch & (state["node_part"] < 0))[state["link_ends"]] & ~is_stated[:, None]
    n_switches = len(np.unique(state["link_ends"][without_part]))
    yield (
        without_part.any(axis=1),
        "part",
        "at switches without a part",
        f"the latency of {counted(n_switches, 'switch', 'switches')} is not counted",
        "State part of the nodes, or latency_us of the links",
    )
    without_rate = np.isnan(stated_gbps(state, reader)) & (state["link_transceiver"] < 0)
    yield (
        without_rate,
        "capacity_gbps",
        "without a rate",
        "figures that depend on it have no value",
        "State capacity_gbps or a transceiver",
    )
