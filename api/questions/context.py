"""Context of a question: networks, limits, and a signal that its answer is no longer wanted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from time import perf_counter
from typing import Any, NamedTuple, Protocol

from twin.topologies import MAX_RECORDS

from twin.deadline import CancelledError, time_left_s
from twin.errors import ChangeError
from twin.network import Network
from twin.store import NetworkStore

from ..bodies import NetworkRequest
from ..budget import Budget, check_budget, check_traffic_budget
from ..networks import check_names

MAX_SWEEP_WORK = 10_000_000
"""Points times nodes, links and demands: 1,400 points of `memphis-small`, 50 of `memphis`."""
MAX_SWEEP_S = 120.0
"""Longest time of a sweep, seconds."""
MAX_STUDY_S = 120.0
"""Longest time of any other study, seconds."""
MAX_ANSWER_S = 30.0
"""Longest time of an answer that is no study, seconds."""
MAX_OPTIMUM_WORK = 20_000_000
"""Nodes with demands to send times nodes and links: 120 of `memphis`, all of a fat tree of 320 switches."""


class NetworkSource(Protocol):
    """Networks by name or document, as requests give them."""

    @property
    def store(self) -> NetworkStore | None:
        """Return the store of networks; None where nothing may be written."""

    def get(self, network: Any) -> Network:
        """Return a network that other questions share."""

    def get_separate(self, network: Any) -> Network:
        """Return a network for a question that may take long."""


class Limits(NamedTuple):
    """Bounds on the work of one question."""

    max_records: int = MAX_RECORDS
    """Most nodes and links of a posted document, generators expanded."""
    max_sweep_work: int = MAX_SWEEP_WORK
    """Most points of a sweep times nodes, links and demands."""
    max_sweep_s: float = MAX_SWEEP_S
    """Longest time of a sweep."""
    max_study_s: float = MAX_STUDY_S
    """Longest time of a study of failures, availability, plans or samples."""
    max_optimum_work: int = MAX_OPTIMUM_WORK
    """Most nodes that demands enter at, times nodes and links, for the routing optimum."""
    max_answer_s: float = MAX_ANSWER_S
    """Longest time of an answer that is no study."""
    max_memory_gib: float = math.inf
    """Memory that one question may take."""

    def longest_s(self, *, is_long: bool) -> float:
        """Return the time that an answer may take.

        is_long: whether the question is a study, which loads and evaluates the network before it begins.
        """
        return self.max_answer_s + (max(self.max_study_s, self.max_sweep_s) if is_long else 0.0)


def _ignore(_n_done: int, _n_items: int) -> None:
    """Take notice of no progress."""


@dataclass(frozen=True, slots=True)
class Context:
    """Networks and limits of a question.

    Attributes:
        networks: resolves the network of a request.
        limits: bounds on the work.
        client_gone: set once no client waits for the answer.
        is_separate: whether the network has an engine of its own, so that a long question delays no other.
        progress: called with (finished items, all items) of a study.
    """

    networks: NetworkSource
    limits: Limits
    client_gone: Event
    is_separate: bool = False
    progress: Callable[[int, int], None] = _ignore

    @property
    def store(self) -> NetworkStore:
        """Return the store of networks, where there is one: that of the service."""
        store = self.networks.store
        assert store is not None
        return store

    def network(self, request: NetworkRequest, *more_plans: str | None) -> Network:
        """Return the network of a request. Its job and its plans exist in the document.

        more_plans: ids of plans beside `request.plan`; None is ignored.
        """
        network = self.any_network(request.network)
        check_names(network, request, *more_plans)
        return network

    def any_network(self, network: object) -> Network:
        """Return a network by name, or made from a document."""
        resolve = self.networks.get_separate if self.is_separate else self.networks.get
        found = resolve(network)
        budget = Budget(time_left_s(), self.limits.max_memory_gib)
        check_budget(found.document, budget)
        if found.document.traffic:
            check_traffic_budget(found, budget)
        return found

    def advance(self, items: str, where: str, hint: str, max_time_s: float | None = None) -> Callable[[int, int], None]:
        """Return a function to call after each item. It ends a question whose client left, or that takes too long.

        Args:
            items: name of the items, in the plural.
            where: field of the request that decides how many items there are.
            hint: way to ask for less.
            max_time_s: longest time; without it that of studies.
        """
        start_s = perf_counter()
        bound_s = self.limits.max_study_s if max_time_s is None else max_time_s

        def advance(n_done: int, n_items: int) -> None:
            if self.client_gone.is_set():
                raise CancelledError
            self.progress(n_done, n_items)
            if n_done < n_items and perf_counter() - start_s > bound_s:
                raise ChangeError(
                    f"{n_done:,} of {n_items:,} {items} took all of the {bound_s:g} s that this question may take",
                    where=where,
                    hint=hint,
                )

        return advance
