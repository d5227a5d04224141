"""Fibre that several links share: the runs of links over a cable, and which spans stand for its stretches.

A run is the spans that one path of a link has on a cable. All runs of a cable have the same stretches, read from either
end (`model/cable_rules.py`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..kernels.parts import label_parts
from .columns import Bools, Ints
from .state import State

STRETCH_COLUMNS = ("span_length_km", "span_age_years", "span_undated", "span_leased", "span_n_splices")
"""Columns of the fibre itself, beside its kind."""


class Run(NamedTuple):
    """The spans of one path of a link on a cable."""

    link: int
    spans: tuple[int, ...]
    """Rows of `span_*`, in the order of the link."""


def cable_runs(state: State) -> dict[str, list[Run]]:
    """Return the runs of each cable, by its name; the runs in the order of links."""
    paths: dict[str, dict[tuple[int, bool], list[int]]] = {}
    cable, link, standby = state["span_cable"], state["span_link"], state["span_standby"]
    for row in np.flatnonzero(cable >= 0).tolist():
        by_path = paths.setdefault(state.srlgs[cable[row]], {})
        by_path.setdefault((int(link[row]), bool(standby[row])), []).append(row)
    return {name: [Run(link, tuple(rows)) for (link, _), rows in by_path.items()] for name, by_path in paths.items()}


def aligned_runs(state: State, runs: list[Run]) -> list[Run]:
    """Turn the runs of a cable that read the stretches of its first run from the other end."""
    first = [stretch_key(state, row) for row in runs[0].spans]
    aligned = []
    for run in runs:
        stretches = [stretch_key(state, row) for row in run.spans]
        is_turned = stretches != first and stretches[::-1] == first
        aligned.append(Run(run.link, run.spans[::-1] if is_turned else run.spans))
    return aligned


def stretch_key(state: State, row: int) -> tuple[object, ...]:
    """Return what is the same for all links on a stretch of fibre: its kind, length, date, lease and repairs."""
    return (state.part_id(int(state["span_fibre"][row])), *(state[column][row].item() for column in STRETCH_COLUMNS))


def on_same_cables(state: State, spans: Ints) -> Ints:
    """Return the given rows of spans and all other spans of their cables, ascending."""
    cable = state["span_cable"]
    cables = np.unique(cable[spans])
    is_among = np.isin(cable, cables[cables >= 0])
    is_among[spans] = True
    return np.flatnonzero(is_among)


def links_on_same_cables(state: State, links: Ints) -> Ints:
    """Return the given rows of links and all other links on their cables, ascending."""
    spans = on_same_cables(state, np.flatnonzero(np.isin(state["span_link"], links)))
    return np.union1d(links, state["span_link"][spans])


def grouped_by_cable(state: State, links: Ints) -> list[list[int]]:
    """Group rows of links such that links on one cable are together; groups and rows in the order given."""
    cable, link = state["span_cable"], state["span_link"]
    on_cable = np.flatnonzero((cable >= 0) & np.isin(link, links))
    n_links = state.n_links
    ends = np.stack((link[on_cable], n_links + cable[on_cable]), axis=1).astype(np.int64)
    label = np.empty(n_links + len(state.srlgs), np.int64)
    label_parts(ends, np.ones(len(ends), np.bool_), label)
    groups: dict[int, list[int]] = {}
    for row in links.tolist():
        groups.setdefault(int(label[row]), []).append(row)
    return list(groups.values())


def counted_spans(state: State) -> Bools:
    """Find the spans that count where each stretch of fibre counts once.

    Of the runs of a cable that with the most kilometres of fibre pairs counts, then that with the most amplifiers; of
    equals nothing depends on which. Spans without a cable all count.

    Returns:
        bool[n_spans].
    """
    counts = state["span_cable"] < 0
    if counts.all():
        return np.asarray(counts)
    counts = counts.copy()
    for runs in cable_runs(state).values():
        counts[list(min(runs, key=lambda run: _rank(state, run)).spans)] = True
    return np.asarray(counts)


def _rank(state: State, run: Run) -> tuple[object, ...]:
    """Return a key by which the run that stands for its cable is the first."""
    rows = list(run.spans)
    pair_km = math.fsum(state["span_length_km"][rows].tolist()) * int(state["link_n_fibre_pairs"][run.link])
    amplifiers = sorted(state.parts[code] for code in state["span_amplifier"][rows].tolist() if code >= 0)
    return -pair_km, -len(amplifiers), amplifiers


def spans_before(before: State, after: State, links: Ints) -> Ints:
    """Find the row that each span had before: at its place in the link, else in the cable if this is known.

    Args:
        before: state before a change.
        after: state after it.
        links: row of each link of `after` before the change, -1 for a new one; int64[n_links].

    Returns:
        int64[n_spans], -1 for a new span.
    """
    link, first = after["span_link"], before["span_first"]
    row_before = links[link]
    old = first[row_before] + np.arange(len(link)) - after["span_first"][link]
    old = np.where((row_before >= 0) & (old < first[row_before + 1]), old, -1)
    if (before["span_cable"] >= 0).any():
        known = cable_runs(before)
        for name, runs in cable_runs(after).items():
            for run in runs if name in known else ():
                spans, rows = list(run.spans), list(known[name][0].spans)
                if links[run.link] < 0 and len(spans) == len(rows):
                    lengths = [state["span_length_km"][r].tolist() for state, r in ((after, spans), (before, rows))]
                    old[spans] = rows[::-1] if lengths[0] == lengths[1][::-1] != lengths[1] else rows
    return np.asarray(old, dtype=np.int64)


def new_pairs_by_span(before: State, after: State, n_pairs_before: Ints) -> Ints:
    """Count the fibre pairs that each span has more than before; on a cable, more than any of its links had.

    Args:
        before: state before a change.
        after: state after it.
        n_pairs_before: int64[n_links], pairs of each link of `after` before the change, 0 for a new link.

    Returns:
        int64[n_spans]; of a shared cable, only the spans that count have any.
    """
    link, cable = after["span_link"], after["span_cable"]
    base = n_pairs_before[link]
    if (cable >= 0).any():
        most: dict[str, int] = {}
        pairs = np.repeat(before["link_n_fibre_pairs"], np.diff(before["span_first"]))
        for code, n in zip(before["span_cable"].tolist(), pairs.tolist(), strict=True):
            if code >= 0:
                most[before.srlgs[code]] = max(n, most.get(before.srlgs[code], 0))
        on_cable = np.array([*(most.get(name, 0) for name in after.srlgs), 0], dtype=np.int64)[cable]
        base = np.where(cable >= 0, on_cable, base)
    return np.asarray(np.maximum(after["link_n_fibre_pairs"][link] - base, 0) * counted_spans(after))
