"""Links that are alike to a job: they carry equal loads, and what surrounds them is equal however far one looks.

Fewer kinds than places that an exchange of nodes maps onto each other, since racks of the job may change places, too.
That two alike links do the same to a job is likely, but not proven: paths can tell apart what colours do not.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, Ints
from ..failures.symmetry import colours
from ..stages.evaluation import Evaluation
from ..traffic.twin_nodes import arcs_of, equal_rows

LOAD_DIGITS = 6
"""Significant digits to which equal loads agree."""


def alike_links(e: Evaluation, links: Ints, arc_code: Ints) -> Ints:
    """Number links so that alike ones have the same number, int64[len(links)].

    Args:
        e: evaluation of a job.
        links: rows of links.
        arc_code: int64[2 * len(links)], equal for arcs that are equal in both directions, their end nodes included.
    """
    state = e.case.state
    ends, nodes = state["link_ends"][links], np.arange(state.n_nodes)
    tail, head = ends.reshape(-1), np.ascontiguousarray(ends[:, ::-1]).reshape(-1)
    code = equal_rows(np.column_stack((arc_code, _both_ways(_load_code(e)[_arcs_of(links)]))))
    order = np.lexsort((code, head, tail))
    ones = np.ones(len(tail))
    arcs = arcs_of(tail[order], head[order], ones, ones, state["node_forwards"])
    colour = colours(arcs, code[order], nodes, np.diff(arcs.first) > 0)
    of_arc = equal_rows(np.column_stack((code, colour[tail], colour[head])))
    return equal_rows(np.sort(of_arc.reshape(-1, 2), axis=1))


def _load_code(e: Evaluation) -> Ints:
    """Number the arcs by their loads of the job, int64[2 * n_links]."""
    out = np.zeros(2 * e.case.state.n_links, np.int64)
    if e.loads is not None and len(e.loads.arc):
        table = np.column_stack([_rounded(column) for column in e.loads.columns()])
        out[e.loads.arc] = 1 + equal_rows(np.ascontiguousarray(table).view(np.int64))
    return out


def _rounded(values: Floats) -> Floats:
    size = 10.0 ** np.floor(np.log10(np.where(values > 0.0, values, 1.0)))
    return np.round(values / size, LOAD_DIGITS - 1) * size + 0.0


def _arcs_of(links: Ints) -> Ints:
    return np.asarray((2 * links[:, None] + np.array([0, 1])).reshape(-1))


def _both_ways(of_arc: Ints) -> Ints:
    """Return the value of each arc beside that of its opposite, int64[n_arcs, 2]."""
    return np.stack((of_arc, of_arc.reshape(-1, 2)[:, ::-1].reshape(-1)), axis=1)
