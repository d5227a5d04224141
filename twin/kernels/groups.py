"""Groups of equal rows of a table, so that their results are computed once."""

import numpy as np
import numpy.typing as npt

from twin.kernels.jit import kernel


@kernel
def group_rows(
    table: npt.NDArray[np.int64],
    slots: npt.NDArray[np.int64],
    out_group: npt.NDArray[np.int64],
    out_first: npt.NDArray[np.int64],
) -> int:
    """Number the distinct rows in the order of first appearance.

    Args:
        table: int64[n, k].
        slots: int64[m], all -1 on entry, m a power of two above n; room for an open-addressed hash.
        out_group: int64[n], the number of each row's group.
        out_first: int64[n], the first row of each group.

    Returns:
        The number of distinct rows.
    """
    n, k = table.shape
    mask = slots.size - 1
    n_groups = 0
    for i in range(n):
        code = 0
        for j in range(k):
            word = table[i, j]
            # 44 bits at a time, so that nothing overflows where Python's integers meet numpy's
            code = ((code * 33) ^ (word & 0xFFFFFFFF)) & 0xFFFFFFFFFFF
            code = ((code * 33) ^ ((word >> 32) & 0xFFFFFFFF)) & 0xFFFFFFFFFFF
        slot = (code ^ (code >> 15) ^ (code >> 29)) & mask
        while True:
            group = slots[slot]
            if group < 0:
                slots[slot] = n_groups
                out_first[n_groups] = i
                out_group[i] = n_groups
                n_groups += 1
                break
            same = True
            for j in range(k):
                same = same and table[i, j] == table[out_first[group], j]
            if same:
                out_group[i] = group
                break
            slot = (slot + 1) & mask
    return n_groups


@kernel
def sort_by(
    key: npt.NDArray[np.int64],
    before: npt.NDArray[np.int64],
    out_first: npt.NDArray[np.int64],
    out_order: npt.NDArray[np.int64],
) -> None:
    """Sort entries by a number, equal ones as they were.

    Args:
        key: int64[n], from 0.
        before: int64[n], entries in their order so far.
        out_first: int64[n_keys + 1], zero on entry: entries of key k are out_order[out_first[k]:out_first[k + 1]].
        out_order: int64[n], overwritten.
    """
    for i in range(key.size):
        out_first[key[i] + 1] += 1
    for k in range(out_first.size - 1):
        out_first[k + 1] += out_first[k]
    free = out_first.copy()
    for entry in before:
        out_order[free[key[entry]]] = entry
        free[key[entry]] += 1
