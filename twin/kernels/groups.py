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
