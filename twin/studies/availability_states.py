"""Availability of demands over states of a network: sets of probable states in order, and random states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..reliability.components import Components
from ..reliability.likely_states import LikelyStates, StateSet
from ..reliability.state_samples import StateSamples
from ..stages.evaluation import Evaluation
from ..stages.outcomes import NodePairs
from .availability_cost import StateCost
from .failure_kinds import one_failure
from .job_states import JobStates

FULL_RATIO = 1.0 - 1e-9
"""Carried over offered from which on a demand counts as carried in full."""


class Groups(NamedTuple):
    """Groups of demands; no group is empty."""

    rows: Ints
    """Demands, group by group."""
    first: Ints
    """Place of the first one of each group in `rows`."""

    @classmethod
    def of(cls, groups: Sequence[Ints]) -> Groups:
        """Create from the demands of each group."""
        n = np.cumsum([0, *(len(rows) for rows in groups)])[: len(groups)]
        return cls(np.concatenate([np.zeros(0, np.int64), *groups]), n.astype(np.int64))


class Served(NamedTuple):
    """Demands in one state, bool[n_pairs] each."""

    is_connected: Bools
    is_full: Bools
    is_unknown: Bools
    """True where the carried rate depends on a link of unknown rate."""
    lost_gbps: float
    """Demand that is not carried, for whatever reason; NaN where it is unknown."""


class TrafficStates:
    """Answers what a state of the components leaves of the demands."""

    def __init__(self, e: Evaluation, pairs: NodePairs, components: Components) -> None:
        self._pairs, self._components = pairs, components
        self._one = one_failure(e, pairs)
        self._arc_capacity_gbps = e.health.arc_capacity_gbps
        self._cost = StateCost.of(e, pairs.target)
        self.spent_s = 0.0
        """Estimated time of all states so far."""
        self.n_asked = 0

    def ask(self, modes: Ints) -> tuple[Served, Ints]:
        """Route the demands anew and share full links.

        Args:
            modes: modes of the components that are down.

        Returns:
            What is carried, and the components that carry traffic: nothing depends on the others.
        """
        kept_ratio = self._components.kept_of_links(modes)
        routes = self._one.routes(kept_ratio)
        loads = self._one.loads(routes, kept_ratio)
        offered_gbps, carried_gbps = self._pairs.offered_gbps, loads.carried_gbps
        is_unknown = np.isnan(carried_gbps)
        is_full = np.nan_to_num(carried_gbps) >= offered_gbps * FULL_RATIO
        lost_gbps = float(np.maximum(offered_gbps - carried_gbps, 0.0).sum())
        served = Served(routes.reachable, is_full & routes.reachable, is_unknown, lost_gbps)
        full = loads.arc_offered_gbps > self._arc_capacity_gbps * np.repeat(kept_ratio, 2)
        self.n_asked += 1
        self.spent_s += self._cost.of_state_s(int(np.count_nonzero(full)), bool(is_unknown.any()))
        is_loaded = ~(loads.arc_offered_gbps.reshape(-1, 2) == 0.0).all(axis=1)
        return served, self._components.used_by(is_loaded)


@dataclass(eq=False)
class Shares:
    """Probability, or share of samples, in which something is down, by demand and by group of demands."""

    unconnected_ratio: Floats
    """float64[n_pairs]."""
    not_full_ratio: Floats
    is_unknown: Bools
    groups_not_full_ratio: Floats
    """Groups of which at least one demand is not carried in full, float64[n_groups]."""
    groups_unconnected_ratio: Floats
    """Groups none of whose demands has a path."""

    @classmethod
    def empty(cls, n_pairs: int, n_groups: int) -> Shares:
        """Create with zeros."""
        return cls(
            np.zeros(n_pairs), np.zeros(n_pairs), np.zeros(n_pairs, np.bool_), np.zeros(n_groups), np.zeros(n_groups)
        )

    def add(self, served: Served, weight: float, groups: Groups) -> None:
        """Add a state with a weight."""
        self.unconnected_ratio[~served.is_connected] += weight
        self.not_full_ratio[~served.is_full] += weight
        self.is_unknown |= served.is_unknown
        if len(groups.first):
            is_full = np.logical_and.reduceat(served.is_full[groups.rows], groups.first)
            is_connected = np.logical_or.reduceat(served.is_connected[groups.rows], groups.first)
            self.groups_not_full_ratio[~is_full] += weight
            self.groups_unconnected_ratio[~is_connected] += weight


class LosingSet(NamedTuple):
    """States that lose demand."""

    states: StateSet
    lost_gbps: float


@dataclass(frozen=True, eq=False)
class LikelyAnswers:
    """Answers of the sets of probable states."""

    shares: Shares
    rest_ratio: float
    n_states: int
    losing: tuple[LosingSet, ...]
    """Sets that lose more than a limit."""
    intact_lost_gbps: float


def likely_answers(
    traffic: TrafficStates,
    components: Components,
    groups: Groups,
    n_pairs: int,
    lost_above_gbps: float,
    *,
    rest_below: float,
    max_states: int,
    max_s: float,
    advance: Callable[[], None],
) -> LikelyAnswers:
    """Look at the most probable states first, until the others are less probable than `rest_below`, together.

    Args:
        traffic: demands of the network.
        components: its components.
        groups: groups of demands.
        n_pairs: number of demands.
        lost_above_gbps: loss above which a set is listed.
        rest_below: probability.
        max_states: most sets.
        max_s: estimated time after which the search ends.
        advance: called after each set.
    """
    end_s = traffic.spent_s + max_s
    states = LikelyStates(components, rest_below, max_states, lambda: traffic.spent_s >= end_s)
    shares = Shares.empty(n_pairs, len(groups.first))
    losing, intact_lost_gbps = [], 0.0
    for found, served in states.run(traffic.ask):
        shares.add(served, found.probability_ratio, groups)
        if not len(found.modes):
            intact_lost_gbps = served.lost_gbps
        elif served.lost_gbps > lost_above_gbps:
            losing.append(LosingSet(found, served.lost_gbps))
        advance()
    return LikelyAnswers(shares, states.rest, states.n_states, tuple(losing), intact_lost_gbps)


@dataclass(frozen=True, eq=False)
class SampledAnswers:
    """Answers of states that are listed, as probabilities, and of random states, as shares of the samples."""

    listed: Shares
    sampled: Shares
    jobs_listed_ratio: Floats
    """Probability of the listed states in which a job is not connected, and in which it stops; float64[n_jobs, 2]."""
    jobs_sampled_ratio: Floats


class JobPaths:
    """Answers whether a state leaves all pairs of a job connected."""

    def __init__(self, e: Evaluation, pairs: Sequence[tuple[int, int]], components: Components) -> None:
        source, target = np.array(pairs, np.int64).T
        self._components = components
        self._traffic = one_failure(e, NodePairs(source, target, np.ones(len(source))))

    def is_connected(self, modes: Ints) -> bool:
        """Return whether all pairs have a path when components are in these modes."""
        return bool(self._traffic.routes(self._components.kept_of_links(modes)).reachable.all())


def sampled_answers(
    traffic: TrafficStates | None,
    jobs: list[tuple[JobPaths, JobStates | None]],
    samples: StateSamples,
    groups: Groups,
    n_pairs: int,
    advance: Callable[[], None],
) -> SampledAnswers:
    """Look at the listed states and at random ones.

    Args:
        traffic: demands of the network; None without any.
        jobs: paths of each job, and the job itself unless that takes too long.
        samples: the states.
        groups: groups of demands.
        n_pairs: number of demands.
        advance: called after each state.
    """
    found = SampledAnswers(
        Shares.empty(n_pairs, len(groups.first)), Shares.empty(n_pairs, len(groups.first)), *np.zeros((2, len(jobs), 2))
    )
    listed = zip(samples.listed, samples.listed_ratio.tolist(), strict=True)
    drawn = zip(samples.states, (samples.count / max(samples.n, 1)).tolist(), strict=True)
    for states, shares, of_jobs in (
        (listed, found.listed, found.jobs_listed_ratio),
        (drawn, found.sampled, found.jobs_sampled_ratio),
    ):
        for modes, weight in states:
            if traffic is not None:
                shares.add(traffic.ask(modes)[0], float(weight), groups)
            for i, (paths, job) in enumerate(jobs):
                of_jobs[i, 0] += weight * (not paths.is_connected(modes))
                of_jobs[i, 1] += weight * (job is not None and not job.goes_on(modes))
            advance()
    return found
