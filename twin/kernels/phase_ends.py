"""End of a phase of a job on the arcs that its flows share, without hash collisions."""

import numpy as np
import numpy.typing as npt

from twin.kernels.jit import kernel


@kernel
def busiest_arcs(
    load: npt.NDArray[np.float64],
    gbps: npt.NDArray[np.float64],
    n_members: npt.NDArray[np.int64],
    n_pairs_on_card_link: npt.NDArray[np.float64],
    efficiency_ratio: npt.NDArray[np.float64],
    rule: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> bool:
    """Find the time of the busiest arc, and of the busiest one with the efficiency that its rule has at best.

    Args:
        load: float64[n_rows], traffic in any unit.
        gbps: float64[n_rows], capacity.
        n_members: int64[n_rows], members that are up.
        n_pairs_on_card_link: float64[n_rows], pairs of accelerators; each fills one member of a card's link.
        efficiency_ratio: float64[n_rules + 1], the last is that of arcs without a rule.
        rule: int64[n_rows], rule of each arc, -1 without one.
        out: float64[2], overwritten with both times, in units of load over Gb/s.

    Returns:
        False where nothing flows, or an arc with traffic has no capacity.
    """
    out[:] = 0.0
    any_used = False
    for row in range(load.size):
        if not load[row] > 0.0:
            continue
        if not gbps[row] > 0.0:
            return False
        any_used = True
        seconds = load[row] * max(1.0, n_members[row] / n_pairs_on_card_link[row]) / gbps[row]
        out[0] = max(out[0], seconds)
        out[1] = max(out[1], seconds / efficiency_ratio[rule[row]])
    return any_used
