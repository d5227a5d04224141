"""Parts of a graph that links hold together."""

import numpy as np
import numpy.typing as npt

from twin.kernels.jit import kernel


@kernel
def label_parts(
    ends: npt.NDArray[np.int64],
    usable: npt.NDArray[np.bool_],
    out_label: npt.NDArray[np.int64],
) -> None:
    """Label each node with the least node that usable links join it to.

    Args:
        ends: int64[n_links, 2], nodes.
        usable: bool[n_links], links that join their ends.
        out_label: int64[n_nodes], overwritten.

    Source:
        Union-find with path halving (Tarjan and van Leeuwen 1984); the lesser root stays.
    """
    for node in range(out_label.size):
        out_label[node] = node
    for link in range(usable.size):
        if not usable[link]:
            continue
        a = ends[link, 0]
        b = ends[link, 1]
        while out_label[a] != a:
            out_label[a] = out_label[out_label[a]]
            a = out_label[a]
        while out_label[b] != b:
            out_label[b] = out_label[out_label[b]]
            b = out_label[b]
        if a < b:
            out_label[b] = a
        elif b < a:
            out_label[a] = b
    for node in range(out_label.size):
        # a root never exceeds its members, so all lesser labels are final
        out_label[node] = out_label[out_label[node]]
