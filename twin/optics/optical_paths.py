"""Optical paths between two transponders; links that are alike to their optical signal are computed once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays import Floats, Ints, State
from ..arrays.node_ports import link_port_gbps
from ..catalogue.figure_reader import FigureReader
from ..kernels.groups import group_rows

OPTICS = ("", "copper", "direct_detect", "coherent")
"""Technologies of transceivers, by index; the first is a link without one."""
COHERENT = OPTICS.index("coherent")
LINK_COLUMNS = (
    "link_capacity_gbps",
    "link_age_years",
    "link_launch_dbm",
    "link_measured_received_dbm",
    "link_measured_years",
)
"""Columns that, with the installed parts, tell links without spans apart; NaN where nothing is stated."""


@dataclass(frozen=True, eq=False)
class OpticalPaths:
    """Kinds of links (K) that are alike to their optical signal, and the optical paths (N) of each kind.

    A kind has one path; it has several where the signal is regenerated or a standby path exists. The paths of kind k
    are rows `first_path[k]:first_path[k + 1]`, those of the working path first. Each link with spans is its own kind.
    """

    kind_of_link: Ints
    link_of_kind: Ints
    """The first link of each kind, int64[K]."""
    first_path: Ints
    """The first path of each kind, int64[K + 1]."""
    kind_of_path: Ints
    """int64[N]."""
    span_first: Ints
    span_last: Ints
    """Spans of each path: rows of `span_*` from `span_first` up to, but without, `span_last`."""
    path_of_span: Ints
    """Path of each row of `span_*`; N where the span belongs to none of these paths."""

    @property
    def n_kinds(self) -> int:
        """Number of kinds of links."""
        return len(self.link_of_kind)

    @property
    def link_of_path(self) -> Ints:
        """The first link of each path's kind, int64[N]."""
        return np.asarray(self.link_of_kind[self.kind_of_path])

    def sum_over_spans(self, by_span: Floats) -> Floats:
        """Sum a column of spans over each path, float64[N].

        Spans add in their order, so the bits of a sum do not depend on the row of the path.
        """
        sums = np.bincount(self.path_of_span, weights=by_span, minlength=len(self.kind_of_path) + 1)
        return sums[: len(self.kind_of_path)].astype(np.float64)

    def spread_to_spans(self, by_kind: Floats) -> Floats:
        """Spread a column of kinds over all spans; 0 for spans of none of these paths."""
        return np.append(by_kind[self.kind_of_path], 0.0)[self.path_of_span]


def optical_paths_of(state: State, reader: FigureReader) -> OpticalPaths:
    """Find the optical paths of all links of a state.

    Links without spans are alike where their parts, ports, ages and measurements are equal.
    """
    n_spans = np.diff(state["span_first"])
    n_codes = len(state.parts) + 1
    installed = (state["link_transceiver"] * n_codes + state["link_mux"]) * n_codes + state["link_protection"]
    ports = _port_codes(state, reader)
    columns = [installed, np.where(n_spans > 0, np.arange(state.n_links), -1 - ports)]
    if state["link_at_roadm"].any():
        columns.append(state["link_at_roadm"].astype(np.int64))
    card_gbps = link_port_gbps(state, reader)
    if not np.isnan(card_gbps).all():
        columns.append(card_gbps.view(np.int64))
    for name in LINK_COLUMNS:
        if not np.isnan(state[name]).all():
            columns.append(state[name].view(np.int64))
    return _paths_of_kinds(state, *group_alike(np.stack(columns, axis=1)))


def optical_paths_of_links(state: State, links: Ints) -> OpticalPaths:
    """Find the optical paths of these links alone, each its own kind; `kind_of_link` is -1 for other links."""
    kind_of_link = np.full(state.n_links, -1)
    kind_of_link[links] = np.arange(len(links))
    return _paths_of_kinds(state, kind_of_link, links)


def _paths_of_kinds(state: State, kind_of_link: Ints, links: Ints) -> OpticalPaths:
    first_path, kind_of_path, spans = _split_at_transponders(state, links)
    path_of_span = np.full(len(state["span_link"]), len(kind_of_path))
    n_spans = spans[:, 1] - spans[:, 0]
    rows = np.arange(n_spans.sum()) + np.repeat(spans[:, 0] - (np.cumsum(n_spans) - n_spans), n_spans)
    path_of_span[rows] = np.repeat(np.arange(len(kind_of_path)), n_spans)
    return OpticalPaths(kind_of_link, links, first_path, kind_of_path, spans[:, 0], spans[:, 1], path_of_span)


def group_alike(table: Ints) -> tuple[Ints, Ints]:
    """Group the equal rows of a table; floats are compared by their bits.

    Returns:
        The group of each row, and the first row of each group.
    """
    n = len(table)
    group, first = np.empty(n, np.int64), np.empty(n, np.int64)
    slots = np.full(1 << max(2 * n, 1).bit_length(), -1, np.int64)
    n_groups = group_rows(table, slots, group, first)
    return group, first[:n_groups]


def _port_codes(state: State, reader: FigureReader) -> Ints:
    """One number for the switches at both ends of a coherent link, whose ports limit its modes; 0 for other links."""
    ports = np.zeros(state.n_links, dtype=np.int64)
    coherent = np.flatnonzero(link_optics(state, reader) == COHERENT)
    part = state["node_part"][state["link_ends"][coherent]] + 1
    ports[coherent] = part[:, 0] * (len(state.parts) + 1) + part[:, 1]
    return ports


def _split_at_transponders(state: State, links: Ints) -> tuple[Ints, Ints, Ints]:
    """(first path of each link, link of each path, spans of each path), by row of `links`.

    A link is split at its regenerators and where its standby path begins.
    """
    n_spans = np.diff(state["span_first"])
    if not (state["span_regenerated"].any() or state["span_standby"].any()):
        ranges = np.stack((state["span_first"][links], state["span_first"][links + 1]), axis=1)
        ranges[n_spans[links] == 0] = 0
        return np.arange(len(links) + 1), np.arange(len(links)), ranges
    n_paths = np.ones(len(links), dtype=np.int64)
    spans: list[tuple[int, int]] = []
    for k, link in enumerate(links):
        if not n_spans[link]:
            spans.append((0, 0))
            continue
        begin, end = state["span_first"][link : link + 2]
        is_last = state["span_regenerated"][begin : end - 1]
        is_last = is_last | (state["span_standby"][begin : end - 1] != state["span_standby"][begin + 1 : end])
        bounds = [begin, *(begin + 1 + np.flatnonzero(is_last)), end]
        n_paths[k] = len(bounds) - 1
        spans += pairwise(bounds)
    first_path = np.concatenate((np.zeros(1, np.int64), np.cumsum(n_paths)))
    link_of_path = np.repeat(np.arange(len(links)), n_paths)
    return first_path, link_of_path, np.array(spans, dtype=np.int64).reshape(-1, 2)


def link_optics(state: State, reader: FigureReader, links: Ints | None = None) -> Ints:
    """Look up the index into OPTICS of each link, or of the requested links."""
    codes = state["link_transceiver"] if links is None else state["link_transceiver"][links]
    table = np.zeros(len(state.parts) + 1, dtype=np.int64)
    for code in codes_in(codes, len(state.parts)):
        table[code] = OPTICS.index(reader.catalogue.get(state.parts[code]).optics or "")
    return np.asarray(table[codes])


def codes_in(codes: Ints, n_parts: int) -> Ints:
    """List the codes of parts in a column, ascending, without -1."""
    return np.flatnonzero(np.bincount(codes + 1, minlength=n_parts + 1)[1:])
