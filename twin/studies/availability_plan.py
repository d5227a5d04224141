"""Work of a study of availability: what is asked, bounds of the work, and an estimate before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from ..answers.ranking import Ranking
from ..arrays import Ints
from ..errors import ChangeError, TopologyError
from ..errors.wording import counted
from ..reliability.components import Components
from ..reliability.connected import Connections
from ..stages.evaluation import Evaluation
from ..stages.outcomes import NodePairs

MAX_SAMPLES, MAX_STATES = 1_000_000, 1_000_000
DEFAULT_SAMPLES = 10_000
MIN_STATES = 50
"""Fewest sets of states, or samples, for which a study is worth its start."""
BUDGET_S = 20.0
"""Estimated time for each of the two methods, unless a number of states is asked for."""
MAX_S = 300.0
STEPS_PER_S = 3e8
"""Steps over links and nodes a second, to find paths."""
Pairs = Sequence[tuple[int, int]]
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
        Ranking("availability", (), frozenset(), None, self.top)


def _check(where: str, value: float, least: float, most: float) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and least <= value <= most):
        raise ChangeError(f"{value}", where=where, expected=f"a ratio from {least:g} to {most:g}")


def _check_whole(where: str, value: int, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ChangeError(f"{value}", where=where, expected=f"a whole number from {least} to {most:,}")


@dataclass(frozen=True, eq=False)
class Work:
    """Planned work."""

    questions: Mapping[Key, tuple[Pairs, bool]]
    """Pairs of nodes of each row of the answer, and whether one of them suffices."""
    connections: Connections
    most_sets: Mapping[Key, int]
    """Most sets of states for each of these."""
    n_states: int
    """Most sets of states of the demands together; 0 without demands."""
    n_samples: int
    sampled_jobs: tuple[str, ...]
    """Jobs that random states are asked about; others take too long."""


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


def plan_work(
    e: Evaluation,
    pairs: NodePairs,
    components: Components,
    questions: Mapping[Key, tuple[Pairs, bool]],
    asked: AvailabilityQuestion,
) -> Work:
    """Decide how many states to look at.

    Raises:
        TopologyError: even the fewest would take more than `MAX_S`.
    """
    connections = Connections(components)
    steps = {key: connections.n_steps(found) for key, (found, _) in questions.items()}
    least_s = MIN_STATES * sum(steps.values()) / STEPS_PER_S
    if least_s > MAX_S:
        n_pairs = sum(len(found) for found, _ in questions.values())
        _refuse(f"paths of {n_pairs:,} pairs of nodes over {counted(e.case.state.n_links, 'link')}", least_s)
    budget = max(BUDGET_S, least_s) * STEPS_PER_S / max(len(steps), 1)
    most_sets = {key: min(MAX_STATES, max(MIN_STATES, int(budget / n))) for key, n in steps.items()}
    traffic_s = _state_s(e, pairs.target) + 2e-5 * len(pairs.source) if len(pairs.source) else 0.0
    job_s = {key[1]: _state_s(e, [b for _, b in found]) for key, (found, _) in questions.items() if key[0] == "job"}
    jobs = tuple(sorted(name for name, state_s in job_s.items() if state_s * MIN_STATES < BUDGET_S))
    fits = int(BUDGET_S / max(traffic_s, 1e-6))
    fits_sample = int(BUDGET_S / max(traffic_s + sum(job_s[name] for name in jobs), 1e-6))
    n_states = (asked.n_states or max(MIN_STATES, min(fits, MAX_STATES))) if traffic_s else 0
    n_samples = asked.n_samples or max(MIN_STATES, min(fits_sample, DEFAULT_SAMPLES))
    if not (traffic_s or jobs):
        n_samples = 0
    whole_s = n_states * traffic_s + n_samples * (traffic_s + sum(job_s[name] for name in jobs))
    if whole_s > MAX_S:
        _refuse(f"{n_states:,} states and {n_samples:,} samples", whole_s)
    return Work(questions, connections, most_sets, n_states, n_samples, jobs)


def _state_s(e: Evaluation, targets: Any) -> float:
    """Estimated seconds to route traffic to these nodes in one state."""
    n_targets, state = len(np.unique(targets)), e.case.state
    return 2e-3 + 5e-5 * n_targets + 10.0 * n_targets * (2 * state.n_links + state.n_nodes) / STEPS_PER_S


def _refuse(what: str, seconds: float) -> None:
    raise TopologyError(
        f"{what} take some {seconds / 60.0:,.0f} minutes",
        where="availability",
        expected=f"at most {MAX_S / 60.0:g} minutes",
        hint="fewer demands, states or samples, or one job",
    )
