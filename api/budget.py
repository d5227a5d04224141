"""Budget of a question: its time and memory are estimated from the size of the network before any work starts."""

from __future__ import annotations

import math

from twin.topologies import n_records_of

from twin.model.document import TopologyDocument

from .problems import NO_BOUND, ProblemError

S_PER_RECORD = 40e-6
"""Time to make, check and compile one node or link and to evaluate it once; 500,000 take 20 s on one core of 2023."""
BYTES_PER_RECORD = 1_800
"""Memory of one node or link and its arrays; 500,000 take 0.9 GiB at the peak."""
MIN_ESTIMATE_S = 1.0
"""An estimate below it never refuses a question: the deadline decides alone."""


def check_budget(document: TopologyDocument, allowed_s: float, allowed_gib: float) -> None:
    """Refuse a question about a network that is too large for its time or memory, before its records are made.

    Args:
        document: document of the network, with fabrics that are not expanded.
        allowed_s: time that is left.
        allowed_gib: memory that the question may take.

    Raises:
        ProblemError: 422 with the estimate.
    """
    if math.isinf(allowed_s) and math.isinf(allowed_gib):
        return
    n_records = len(document.nodes) + len(document.links) + len(document.demands)
    n_records += sum(map(n_records_of, document.fabrics))
    needed_s, needed_gib = n_records * S_PER_RECORD, n_records * BYTES_PER_RECORD / 2**30
    for needed, allowed, unit in ((needed_s, allowed_s, "s"), (needed_gib, allowed_gib, "GiB of memory")):
        if needed > max(allowed, MIN_ESTIMATE_S):
            detail = (
                f"{n_records:,} nodes, links and demands take some {needed:.2g} {unit}; a question may take "
                f"{allowed:.2g} {unit}"
            )
            raise ProblemError(422, detail, "BudgetError", hint=f"ask about a smaller network; {NO_BOUND}")
