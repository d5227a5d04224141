"""A binary heap of nodes, least key first."""

import numpy as np
import numpy.typing as npt

from twin.kernels.jit import inner_kernel


@inner_kernel
def heap_push(
    heap_key: npt.NDArray[np.float64], heap_node: npt.NDArray[np.uint32], size: int, key: float, node: int
) -> int:
    """Add an entry to a heap, least key first; returns the new size."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if heap_key[parent] <= key:
            break
        heap_key[hole] = heap_key[parent]
        heap_node[hole] = heap_node[parent]
        hole = parent
    heap_key[hole] = key
    heap_node[hole] = node
    return size + 1


@inner_kernel
def heap_pop(heap_key: npt.NDArray[np.float64], heap_node: npt.NDArray[np.uint32], size: int) -> int:
    """Remove the top of a heap; returns the new size."""
    size -= 1
    key, node = heap_key[size], heap_node[size]
    hole = 0
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        if child + 1 < size and heap_key[child + 1] < heap_key[child]:
            child += 1
        if key <= heap_key[child]:
            break
        heap_key[hole] = heap_key[child]
        heap_node[hole] = heap_node[child]
        hole = child
    heap_key[hole] = key
    heap_node[hole] = node
    return size
