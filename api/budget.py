"""Budget of a question: its time and memory are estimated from the size of the network before any work starts."""

from __future__ import annotations

from typing import NamedTuple

from twin.topologies import n_records_of

from twin.errors import TwinError
from twin.model.document import TopologyDocument
from twin.network import Network
from twin.traffic.demand_counts import n_most_demands

from .problems import NO_BOUND, ProblemError

S_PER_RECORD = 40e-6
"""Time to make, check and compile one node or link and to evaluate it once; 500,000 take 20 s on one core of 2023."""
BYTES_PER_RECORD = 1_800
"""Memory of one node or link and its arrays; 500,000 take 0.9 GiB at the peak."""
S_PER_GENERATED = 1e-6
"""Time to make one demand of a traffic block and to evaluate it once; a million take 1 s."""
BYTES_PER_GENERATED = 700
"""Memory of one such demand in an evaluation; a million take 0.7 GiB at the peak."""
MIN_ESTIMATE = 1.0
"""Seconds and GiB: an estimate below it never refuses a question; deadline and memory limit decide alone."""


class Budget(NamedTuple):
    """Time and memory that a question may take."""

    s: float
    """Time that is left."""
    gib: float
    """Memory."""

    def check(self, what: str, needed_s: float, needed_bytes: float, way_out: str) -> None:
        """Refuse work that takes more.

        Args:
            what: the work, in words.
            needed_s: time that it takes.
            needed_bytes: memory that it takes.
            way_out: hint.

        Raises:
            ProblemError: 422 with the estimate.
        """
        for needed, allowed, unit in ((needed_s, self.s, "s"), (needed_bytes / 2**30, self.gib, "GiB of memory")):
            if needed > max(allowed, MIN_ESTIMATE):
                detail = f"{what} take some {needed:.2g} {unit}; a question may take {allowed:.2g} {unit}"
                raise ProblemError(422, detail, "BudgetError", hint=f"{way_out}; {NO_BOUND}")


def check_budget(document: TopologyDocument, budget: Budget) -> None:
    """Refuse a question about a network that is too large for its time or memory, before its records are made.

    Args:
        document: document of the network, with fabrics that are not expanded.
        budget: time and memory of the question.

    Raises:
        ProblemError: 422 with the estimate.
    """
    n = len(document.nodes) + len(document.links) + len(document.demands) + sum(map(n_records_of, document.fabrics))
    what, way_out = f"{n:,} nodes, links and demands", "ask about a smaller network"
    budget.check(what, n * S_PER_RECORD, n * BYTES_PER_RECORD, way_out)


def check_traffic_budget(network: Network, budget: Budget) -> None:
    """Refuse a question whose traffic blocks make too many demands for its time or memory, before they are made.

    Args:
        network: the network; its nodes and links are within the budget.
        budget: time and memory of the question.

    Raises:
        ProblemError: 422 with the estimate.
    """
    try:
        n = sum(n_most_demands(block, network.arrays) for block in network.document.traffic)
    except TwinError:
        return  # the question reports it where it reads the demands
    what, way_out = f"{n:,} demands of traffic blocks", "choose fewer nodes with `nodes`, or another generator"
    budget.check(what, n * S_PER_GENERATED, n * BYTES_PER_GENERATED, way_out)
