"""The graph as arrays for the kernels; this file has no kernel."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class ArcGraph(NamedTuple):
    """Outgoing arcs of every node in CSR form; arc = 2 * link + direction, its reverse is `arc ^ 1`.

    first: int64[n_nodes + 1], the arcs that leave node v are arc[first[v]:first[v + 1]].
    arc: int64[2 * n_links], arc ids, in each node ordered by (head, link).
    head: int64[2 * n_links] by arc id: the node an arc leads to; its tail is head[arc ^ 1].
    forwards: bool[n_nodes], whether a node carries traffic of others; every node sends and receives its own.
    """

    first: npt.NDArray[np.int64]
    arc: npt.NDArray[np.int64]
    head: npt.NDArray[np.int64]
    forwards: npt.NDArray[np.bool_]
