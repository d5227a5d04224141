"""Lines of light: what lies between two transponders; links whose light is alike are judged as one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays import Floats, Ints, State
from ..catalogue.figure_reader import FigureReader
from ..kernels.groups import group_rows

OPTICS = ("", "copper", "direct_detect", "coherent")
"""Technologies of transceivers, by index; the first is a link without one."""
COHERENT = OPTICS.index("coherent")
OWN_COLUMNS = (
    "link_capacity_gbps",
    "link_age_years",
    "link_launch_dbm",
    "link_measured_received_dbm",
    "link_measured_years",
)
"""What makes the light of links without spans differ beside the parts fitted; NaN where it is not stated."""


@dataclass(frozen=True, eq=False)
class OpticalPaths:
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
    path_of_span: Ints
    """Line of each row of `span_*`; N where no line of these has it."""

    @property
    def n_kinds(self) -> int:
        """How many kinds of links."""
        return len(self.link)

    @property
    def link_of_path(self) -> Ints:
        """The first link of each line's kind."""
        return np.asarray(self.link[self.kind])

    def sum_of_spans(self, by_span: Floats) -> Floats:
        """Sum over the spans of each line, in their order: the same bits wherever the line stands in the table."""
        sums = np.bincount(self.path_of_span, weights=by_span, minlength=len(self.kind) + 1)
        return sums[: len(self.kind)].astype(np.float64)

    def of_spans(self, by_kind: Floats) -> Floats:
        """A column by kind, spread over all spans; 0 for those of no line."""
        return np.append(by_kind[self.kind], 0.0)[self.path_of_span]


def optical_paths_of(state: State, reader: FigureReader) -> OpticalPaths:
    """Group the links of a state; links without spans are alike where part, port, age and measurements are."""
    n_spans = np.diff(state["span_first"])
    n_codes = len(state.parts) + 1
    fitted = (state["link_transceiver"] * n_codes + state["link_mux"]) * n_codes + state["link_protection"]
    ends = _port_codes(state, reader)
    columns = [fitted, np.where(n_spans > 0, np.arange(state.n_links), -1 - ends)]
    for name in OWN_COLUMNS:
        if not np.isnan(state[name]).all():
            columns.append(state[name].view(np.int64))
    return _lines(state, *group_alike(np.stack(columns, axis=1)))


def optical_paths_of_links(state: State, links: Ints) -> OpticalPaths:
    """Lines of these links alone, each a kind of its own; `kind_of_link` is -1 for others."""
    kind_of_link = np.full(state.n_links, -1)
    kind_of_link[links] = np.arange(len(links))
    return _lines(state, kind_of_link, links)


def _lines(state: State, kind_of_link: Ints, links: Ints) -> OpticalPaths:
    first, kind, spans = _cut(state, links)
    of_span = np.full(len(state["span_link"]), len(kind))
    n = spans[:, 1] - spans[:, 0]
    rows = np.arange(n.sum()) + np.repeat(spans[:, 0] - (np.cumsum(n) - n), n)
    of_span[rows] = np.repeat(np.arange(len(kind)), n)
    return OpticalPaths(kind_of_link, links, first, kind, spans[:, 0], spans[:, 1], of_span)


def group_alike(table: Ints) -> tuple[Ints, Ints]:
    """(group of each row, first row of each group) of a table whose equal rows are a group; floats as their bits."""
    n = len(table)
    group, first = np.empty(n, np.int64), np.empty(n, np.int64)
    slots = np.full(1 << max(2 * n, 1).bit_length(), -1, np.int64)
    n_groups = group_rows(table, slots, group, first)
    return group, first[:n_groups]


def _port_codes(state: State, reader: FigureReader) -> Ints:
    """One number for the switches at both ends of coherent links, whose ports decide what can run; 0 elsewhere."""
    ends = np.zeros(state.n_links, dtype=np.int64)
    coherent = np.flatnonzero(link_optics(state, reader) == COHERENT)
    part = state["node_part"][state["link_ends"][coherent]] + 1
    ends[coherent] = part[:, 0] * (len(state.parts) + 1) + part[:, 1]
    return ends


def _cut(state: State, links: Ints) -> tuple[Ints, Ints, Ints]:
    """(first line of each link, link of each line, its spans): cut at regenerators and where another path begins."""
    n_spans = np.diff(state["span_first"])
    if not (state["span_regenerated"].any() or state["span_standby"].any()):
        ends = np.stack((state["span_first"][links], state["span_first"][links + 1]), axis=1)
        ends[n_spans[links] == 0] = 0
        return np.arange(len(links) + 1), np.arange(len(links)), ends
    n_lines = np.ones(len(links), dtype=np.int64)
    spans: list[tuple[int, int]] = []
    for k, link in enumerate(links):
        if not n_spans[link]:
            spans.append((0, 0))
            continue
        begin, end = state["span_first"][link : link + 2]
        ends_here = state["span_regenerated"][begin : end - 1]
        ends_here = ends_here | (state["span_standby"][begin : end - 1] != state["span_standby"][begin + 1 : end])
        cuts = [begin, *(begin + 1 + np.flatnonzero(ends_here)), end]
        n_lines[k] = len(cuts) - 1
        spans += pairwise(cuts)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(n_lines)))
    kind = np.repeat(np.arange(len(links)), n_lines)
    return first, kind, np.array(spans, dtype=np.int64).reshape(-1, 2)


def link_optics(state: State, reader: FigureReader, links: Ints | None = None) -> Ints:
    """Index into OPTICS of each link, or of those asked for."""
    codes = state["link_transceiver"] if links is None else state["link_transceiver"][links]
    table = np.zeros(len(state.parts) + 1, dtype=np.int64)
    for code in codes_in(codes, len(state.parts)):
        table[code] = OPTICS.index(reader.catalogue.get(state.parts[code]).optics or "")
    return np.asarray(table[codes])


def codes_in(codes: Ints, n_parts: int) -> Ints:
    """Codes of parts that a column holds, ascending, without -1."""
    return np.flatnonzero(np.bincount(codes + 1, minlength=n_parts + 1)[1:])
