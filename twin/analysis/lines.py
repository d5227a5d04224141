"""Lines of light: what lies between two transponders; links whose light is alike are judged as one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays import Floats, Ints, State
from ..kernels.groups import group_rows
from .figures import FigureReader

OPTICS = ("", "copper", "direct_detect", "coherent")
"""Technologies of transceivers, by index; the first is a link without one."""
COHERENT = OPTICS.index("coherent")


@dataclass(frozen=True, eq=False)
class Lines:
    """Kinds of links (K) that are alike to their light, and the lines (N) that each is made of.

    A kind has one line, or several where light is regenerated on the way or another path stands by; those of kind k
    are rows `first[k]:first[k + 1]`, the working path's first. Links with spans are kinds of their own.
    """

    kind_of_link: Ints
    link: Ints
    """The first link of each kind, int64[K]."""
    first: Ints
    kind: Ints
    """Kind of each line, int64[N]."""
    span_first: Ints
    span_last: Ints
    """Spans of each line, rows of `span_*` from first up to but without last."""
    line_of_span: Ints

    @property
    def n_kinds(self) -> int:
        """How many kinds of links."""
        return len(self.link)

    @property
    def link_of_line(self) -> Ints:
        """The first link of each line's kind."""
        return np.asarray(self.link[self.kind])

    def sum_of_spans(self, by_span: Floats) -> Floats:
        """Sum over the spans of each line, in their order: the same bits wherever the line stands in the table."""
        return np.bincount(self.line_of_span, weights=by_span, minlength=len(self.kind)).astype(np.float64)


def lines_of(state: State, reader: FigureReader) -> Lines:
    """Group the links of a state; links without spans are alike where part, port, age and measurements are."""
    arrays = state.arrays
    n_spans = np.diff(arrays.span_first)
    n_codes = len(state.parts) + 1
    fitted = (state["link_transceiver"] * n_codes + state["link_mux"]) * n_codes + state["link_protection"]
    ends = _port_codes(state, reader)
    columns = [fitted, np.where(n_spans > 0, np.arange(arrays.n_links), -1 - ends)]
    for name in ("link_capacity_gbps", "link_age_years", "link_measured_received_dbm", "link_measured_years"):
        if not np.isnan(state[name]).all():
            columns.append(state[name].view(np.int64))
    kind_of_link, link = _group(np.stack(columns, axis=1))
    first, kind, spans = _cut(state, link, n_spans)
    lines = np.argsort(spans[:, 0], kind="stable")
    of_span = np.repeat(lines, (spans[:, 1] - spans[:, 0])[lines])
    return Lines(kind_of_link, link, first, kind, spans[:, 0], spans[:, 1], of_span)


def _group(table: Ints) -> tuple[Ints, Ints]:
    n = len(table)
    group, first = np.empty(n, np.int64), np.empty(n, np.int64)
    slots = np.full(1 << max(2 * n, 1).bit_length(), -1, np.int64)
    n_groups = group_rows(table, slots, group, first)
    return group, first[:n_groups]


def _port_codes(state: State, reader: FigureReader) -> Ints:
    """One number for the switches at both ends of coherent links, whose ports decide what can run; 0 elsewhere."""
    ends = np.zeros(state.arrays.n_links, dtype=np.int64)
    coherent = np.flatnonzero(link_optics(state, reader) == COHERENT)
    part = state["node_part"][state["link_ends"][coherent]] + 1
    ends[coherent] = part[:, 0] * (len(state.parts) + 1) + part[:, 1]
    return ends


def _cut(state: State, links: Ints, n_spans: Ints) -> tuple[Ints, Ints, Ints]:
    """Lines of each link: cut where light is regenerated and where the standby path begins."""
    arrays = state.arrays
    n_lines = np.ones(len(links), dtype=np.int64)
    spans: list[tuple[int, int]] = []
    special = arrays.span_regenerated.any() or arrays.span_standby.any()
    for k, link in enumerate(links):
        if not n_spans[link]:
            spans.append((0, 0))
            continue
        begin, end = arrays.span_first[link : link + 2]
        cuts = [begin, end]
        if special:
            ends_here = arrays.span_regenerated[begin : end - 1]
            ends_here = ends_here | (arrays.span_standby[begin : end - 1] != arrays.span_standby[begin + 1 : end])
            cuts = [begin, *(begin + 1 + np.flatnonzero(ends_here)), end]
        n_lines[k] = len(cuts) - 1
        spans += pairwise(cuts)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(n_lines)))
    kind = np.repeat(np.arange(len(links)), n_lines)
    return first, kind, np.array(spans, dtype=np.int64).reshape(-1, 2)


def link_optics(state: State, reader: FigureReader) -> Ints:
    """Index into OPTICS of each link."""
    table = np.zeros(len(state.parts) + 1, dtype=np.int64)
    for code in codes_in(state["link_transceiver"], len(state.parts)):
        table[code] = OPTICS.index(reader.catalogue.get(state.parts[code]).optics or "")
    return np.asarray(table[state["link_transceiver"]])


def codes_in(codes: Ints, n_parts: int) -> Ints:
    """Codes of parts that a column holds, ascending, without -1."""
    return np.flatnonzero(np.bincount(codes + 1, minlength=n_parts + 1)[1:])
