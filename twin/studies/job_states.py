"""Answers whether a training job goes on in a state of the components: paths of its traffic and lost network cards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np

from ..arrays import Bools, Ints, at_both_ends
from ..errors import TopologyError
from ..reliability.components import Components
from ..reliability.likely_states import LikelyStates
from ..stages.engine import Engine
from ..stages.evaluation import Evaluation
from ..traffic.network_cards import CardPorts, fabric_parts
from ..traffic.routing import Router
from ..training.cards import CardLoss
from ..training.placement import JobPlacement
from ..training.step_inputs import UnitLinkLoads

STATE_S, RECORD_S, PAIR_S = 5e-3, 8e-8, 2e-6
"""Estimated time of a state: whatever the network, for each node and arc, and for each pair of nodes of the job."""


class Stopped(NamedTuple):
    """Share of time in which a job does not go on."""

    least_ratio: float
    """Probability of the states that were found to stop it."""
    rest_ratio: float
    """Probability of the states that were not looked at."""
    n_states: int


class JobStates:
    """A job in states of a network. It goes on in the states in which a what-if of all that is down gives a step."""

    def __init__(self, e: Evaluation, components: Components) -> None:
        """Find the ports of the job.

        Args:
            e: evaluation of the intact network with the job.
            components: independent components of the network.
        """
        self._e, self._components = e, components
        e.outcome("unit_link_loads")  # the router then knows paths that most states leave as they are
        self._engine, self._router = cast(Engine, e.runner).branch(e), cast(Router, e.outcome("router"))
        state, ports = e.case.state, cast(CardPorts, e.outcome("card_ports"))
        is_job_node = np.zeros(state.n_nodes, np.bool_)
        for group in cast(JobPlacement, e.outcome("allocation")).groups:
            is_job_node[group.rack] = True
        of_job = is_job_node[ports.node]
        self._switches = np.unique(ports.switch[of_job])
        self._is_port = np.zeros(state.n_links, np.bool_)
        self._is_port[ports.link[of_job]] = True
        self._between_switches = at_both_ends(state["node_forwards"][state["link_ends"]])
        self._known: dict[tuple[int, ...], tuple[bool, Ints]] = {}

    @staticmethod
    def estimated_s(e: Evaluation, n_pairs: int) -> float:
        """Return the estimated time of a state of a job with so many pairs of nodes."""
        state = e.case.state
        return STATE_S + RECORD_S * (state.n_nodes + 2 * state.n_links) + PAIR_S * n_pairs

    def ask(self, modes: Ints) -> tuple[bool, Ints]:
        """Evaluate the job when components are in these modes.

        Returns:
            Whether it goes on, and the components on which that depends, ascending: those of the links that carry its
            traffic, of its ports, and of links that join its switches.
        """
        key = tuple(modes.tolist())
        if key not in self._known:
            self._known[key] = self._evaluated(modes)
        return self._known[key]

    def goes_on(self, modes: Ints) -> bool:
        """Return whether the job goes on; of components that are down, only those count on which the answer depends."""
        counted = np.zeros(0, np.int64)
        while True:
            goes_on, depends = self.ask(counted)
            more = modes[np.isin(self._components.component[modes], depends) & ~np.isin(modes, counted)]
            if not len(more):
                return goes_on
            counted = np.sort(np.concatenate((counted, more)))

    def stopped(self, rest_below: float, max_states: int, advance: Callable[[], None]) -> Stopped:
        """Look at the most probable states first, until the others are less probable than `rest_below`, together."""
        states, least = LikelyStates(self._components, rest_below, max_states), 0.0
        for found, goes_on in states.run(self.ask):
            if not goes_on:
                least += found.probability_ratio
            advance()
        return Stopped(least, states.rest, states.n_states)

    def _evaluated(self, modes: Ints) -> tuple[bool, Ints]:
        case, kept_ratio = self._e.case, self._components.kept_of_links(modes)
        state = case.state
        n_up = np.round(kept_ratio * state.n_members_up).astype(np.int64)
        changed = np.flatnonzero(kept_ratio < 1.0)
        state = state.with_values("link_n_failed", changed, state["link_n_parallel"][changed] - n_up[changed])
        after = Evaluation(replace(case, state=state), None, self._engine)
        carries = self._is_port.copy()
        try:
            goes_on = not cast(CardLoss, after.cards).why_stopped
            if goes_on:
                for check in ("memory_fit", "stated_split"):
                    after.outcome(check)
                router = cast(Router, after.outcome("router"))
                if router is not self._router:
                    router.start_from(self._router)
                loads = cast(UnitLinkLoads, after.outcome("unit_link_loads"))
                goes_on = not loads.unreachable
                carries[loads.arc // 2] = True
        except TopologyError:
            goes_on = False
        return goes_on, self._components.used_by(self._joining(after, carries))

    def _joining(self, after: Evaluation, carries: Bools) -> Bools:
        """Add the links that hold the switches of the job together, if those that carry its traffic do not."""
        lit = cast(Bools, after.outcome("routed_links"))
        of_all, of_these = cast(Ints, after.outcome("fabric_parts")), fabric_parts(after.case.state, lit & carries)
        pairs = np.unique(np.stack((of_all[self._switches], of_these[self._switches])), axis=1)
        is_joined = len(np.unique(pairs[0])) == pairs.shape[1]
        return carries if is_joined else carries | (lit & self._between_switches)
