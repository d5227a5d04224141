"""Work of a study of availability: what is asked, bounds of the work, and an estimate before it starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np

from ..answers.ranking import Ranking
from ..arrays import Ints
from ..errors import ChangeError, TopologyError
from ..reliability.connected import Connections, Pairs, Unconnected
from ..stages.evaluation import Evaluation
from ..stages.outcomes import NodePairs

MAX_SAMPLES, MAX_STATES = 1_000_000, 1_000_000
DEFAULT_SAMPLES = 10_000
MIN_STATES = 50
"""Fewest sets of states, or samples, for which a study is worth its start."""
PART_S = 6.0
"""Estimated time of each of three parts: paths of pairs, probable states, and random ones."""
CONNECTIONS_ALONE_S = 8.0
"""The same for paths of pairs, where there are no demands."""
MAX_S = 300.0
STEPS_PER_S = 2.5e8
"""Steps a second of the kernel that finds paths."""
QUESTION_S = 1e-4
"""Time for each pair besides these steps."""
N_PILOTS = 16
"""Questions about paths from which the work of all is estimated."""
Key = tuple[str, Any]
"""("demand", pair of nodes), ("sites", pair of sites) or ("job", id)."""


@dataclass(frozen=True)
class AvailabilityQuestion:
    """Bounds of the work, and what counts as a loss."""

    rest_below_ratio: float = 1e-9
    """Probability of states that need not be looked at."""
    n_states: int | None = None
    """Most sets of states of the demands; None = as many as fit in some seconds."""
    n_samples: int | None = None
    """Random states; None = 10,000, or as many as fit in some seconds."""
    seed: int = 1
    loss_above_ratio: float = 0.1
    """Lost over offered traffic above which a failure is listed."""
    top: int | None = None
    """Most rows of each list; None = all."""

    def __post_init__(self) -> None:
        _check("rest_below", self.rest_below_ratio, 1e-15, 0.1)
        _check("loss_above", self.loss_above_ratio, 0.0, 1.0)
        _check_whole("seed", self.seed, 0, 2**63 - 1)
        for name, value, most in (("states", self.n_states, MAX_STATES), ("samples", self.n_samples, MAX_SAMPLES)):
            if value is not None:
                _check_whole(name, value, MIN_STATES, most)
        Ranking((), frozenset(), None, self.top)


def _check(where: str, value: float, least: float, most: float) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and least <= value <= most):
        raise ChangeError(f"{value}", where=where, expected=f"a ratio from {least:g} to {most:g}")


def _check_whole(where: str, value: int, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ChangeError(f"{value}", where=where, expected=f"a whole number from {least} to {most:,}")


def job_pairs(e: Evaluation) -> list[tuple[int, int]]:
    """List the pairs of nodes that exchange traffic of a job, each once."""
    found = cast(Any, e.outcome("job_pairs"))
    low, high = np.minimum(found.source, found.target), np.maximum(found.source, found.target)
    n = e.case.state.n_nodes
    keys = np.unique((low * n + high)[low != high])
    return list(zip((keys // n).tolist(), (keys % n).tolist(), strict=True))


def site_pairs(e: Evaluation, pairs: NodePairs) -> dict[tuple[str, str], Ints]:
    """Group the demands between two sites, in both directions: rows of demands by the names of the sites."""
    site, names = e.case.state["node_site"], e.case.state.sites
    a, b = site[pairs.source], site[pairs.target]
    rows = np.flatnonzero((a != b) & (a >= 0) & (b >= 0))
    key = np.minimum(a, b)[rows] * len(names) + np.maximum(a, b)[rows]
    order = np.argsort(key, kind="stable")
    keys, first = np.unique(key[order], return_index=True)
    groups = np.split(rows[order], first[1:]) if len(keys) else []
    sites = [(names[k // len(names)], names[k % len(names)]) for k in keys.tolist()]
    return dict(zip(sites, groups, strict=True))


def connection_questions(
    demands: Pairs, sites: Mapping[tuple[str, str], Ints], jobs: Mapping[str, Pairs | str]
) -> dict[Key, tuple[Pairs, bool]]:
    """List the pairs of nodes of each row of the answer.

    Args:
        demands: pair of nodes of each demand.
        sites: rows of `demands` by pair of sites; one of them suffices.
        jobs: pairs of each job, all of which are needed, or why there are none.
    """
    found: dict[Key, tuple[Pairs, bool]] = {("demand", pair): ([pair], False) for pair in demands}
    for names, rows in sites.items():
        found["sites", names] = [demands[row] for row in rows.tolist()], True
    for name, pairs in jobs.items():
        if not isinstance(pairs, str) and pairs:
            found["job", name] = pairs, False
    return found


def answer_connections(
    connections: Connections,
    questions: Mapping[Key, tuple[Pairs, bool]],
    rest_below: float,
    advance: Callable[[], None],
) -> dict[Key, Unconnected]:
    """Answer all questions about paths, those of few pairs first.

    Each takes at most an equal part of the work that the ones before it have left.

    Raises:
        TopologyError: even a few states of each question would take more than `MAX_S`.
    """
    _check_connections(connections, questions, rest_below)
    has_demands = any(key[0] == "demand" for key in questions)
    n_left = connections.n_not_known(questions.values())
    n_steps_left = (PART_S if has_demands else CONNECTIONS_ALONE_S) * STEPS_PER_S
    found = {}
    for key, (pairs, any_pair) in sorted(questions.items(), key=lambda item: len(item[1][0])):
        is_new = not connections.is_known(pairs, any_pair)
        n_steps = max(int(n_steps_left / max(n_left, 1)), 1)
        found[key] = connections.unconnected(
            pairs, any_pair=any_pair, rest_below=rest_below, max_states=MAX_STATES, max_steps=n_steps
        )
        if is_new:
            n_left -= 1
            n_steps_left = max(n_steps_left - found[key].n_steps, 0.0)
        advance()
    return found


def _check_connections(
    connections: Connections, questions: Mapping[Key, tuple[Pairs, bool]], rest_below: float
) -> None:
    """Refuse questions about paths that take too long, by the work of a state of some of them."""
    asked = list(questions.values())
    if not asked:
        return
    pilots = asked[:: max(len(asked) // N_PILOTS, 1)]
    n_steps = [
        connections.n_steps_of_state(pairs, any_pair=any_pair, rest_below=rest_below) for pairs, any_pair in pilots
    ]
    state_s = sum(n_steps) / len(n_steps) / STEPS_PER_S + QUESTION_S
    seconds = connections.n_not_known(asked) * state_s
    if seconds > MAX_S:
        _refuse(f"paths of {sum(len(pairs) for pairs, _ in asked):,} pairs of nodes", seconds)


class JobCost(NamedTuple):
    """Estimated time of a state of a job, in seconds."""

    paths_s: float
    """To find which pairs have a path."""
    whole_s: float
    """To find whether it goes on."""

    @property
    def n_states(self) -> int:
        """Number of most probable states that fit into a part of the study; 0 where too few do."""
        n = int(PART_S / self.whole_s)
        return n if n >= MIN_STATES else 0


class SamplePlan(NamedTuple):
    """Random states to look at."""

    n: int
    jobs: tuple[str, ...]
    """Jobs about whose paths they are asked; others take too long."""
    whole_jobs: tuple[str, ...] = ()
    """Those of them about which it is also asked whether they go on."""


def most_states(asked: AvailabilityQuestion) -> tuple[int, float]:
    """Return how many sets of states of the demands to look at, and the estimated time after which to end."""
    return (MAX_STATES, PART_S) if asked.n_states is None else (asked.n_states, MAX_S)


def plan_samples(asked: AvailabilityQuestion, traffic_s: float, jobs: Mapping[str, JobCost]) -> SamplePlan:
    """Decide how many random states to look at: none if too few fit. As many again are listed with one component down.

    Args:
        asked: the question.
        traffic_s: time of a state of the demands; 0 without demands.
        jobs: time of a state of each job.
    """
    chosen = tuple(sorted(name for name, cost in jobs.items() if 2 * MIN_STATES * cost.paths_s < PART_S))
    if not (traffic_s or chosen):
        return SamplePlan(0, ())
    whole = tuple(name for name in chosen if 2 * MIN_STATES * jobs[name].whole_s < PART_S)
    n = asked.n_samples or min(int(PART_S / (2.0 * _state_s(traffic_s, jobs, chosen, whole))), DEFAULT_SAMPLES)
    return SamplePlan(n, chosen, whole) if n >= MIN_STATES else SamplePlan(0, ())


def _state_s(traffic_s: float, jobs: Mapping[str, JobCost], paths: tuple[str, ...], whole: tuple[str, ...]) -> float:
    return traffic_s + sum(jobs[name].paths_s for name in paths) + sum(jobs[name].whole_s for name in whole)


def check_work(asked: AvailabilityQuestion, traffic_s: float, jobs: Mapping[str, JobCost]) -> None:
    """Refuse numbers of states that take more than `MAX_S`.

    Args:
        asked: the question.
        traffic_s: time of a state of the demands; 0 without demands.
        jobs: time of a state of each job.
    """
    samples = plan_samples(asked, traffic_s, jobs)
    n_states = 0 if not traffic_s else asked.n_states or min(MIN_STATES, int(PART_S / traffic_s) + 1)
    whole_s = n_states * traffic_s + 2 * samples.n * _state_s(traffic_s, jobs, samples.jobs, samples.whole_jobs)
    if whole_s > MAX_S:
        _refuse(f"{n_states:,} states and {samples.n:,} samples", whole_s)


def _refuse(what: str, seconds: float) -> None:
    raise TopologyError(
        f"{what} take some {seconds / 60.0:,.0f} minutes",
        where="availability",
        expected=f"at most {MAX_S / 60.0:g} minutes",
        hint="fewer demands, states or samples, or one job",
    )
