"""Order of works: the changes of a plan in waves, each state on the way evaluated by the full engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from math import inf
from typing import Any

import numpy as np

from ..answers.data import Answer
from ..answers.metrics import METRICS, metric_unit
from ..answers.score import data_frame
from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError
from ..errors.wording import counted
from ..progress import Progress
from ..render.numbers import metric_text, number_text
from ..render.schedule_table import schedule_table
from ..scenario.apply import Scenario, apply_changes
from ..scenario.changes import Change
from ..stages.evaluation import Case
from .points import Point
from .works import Wave, Work, WorkQuestion, joined, works_of

REL_TOLERANCE = 1e-9
"""Values that differ by less are equal."""
MAX_STATES = 1000
"""Most states that are evaluated."""
Evaluate = Callable[[Case], Point]
"""A metric of a case: its value, or None and why it has none."""
WaitDays = Callable[[Scenario, int, Scenario | None], float]
"""Days from a day on until budgets are enough for a scenario from then on; infinite where they never are. All budgets
count, or those of which it needs more than another scenario."""


@dataclass(frozen=True, slots=True)
class WorkState:
    """A state on the way: a wave out of service, or the network after it."""

    day: int
    """Days after the day of the document."""
    start: date | None
    n_days: int
    work: str
    """Position and kind of the change: `2 set_channels`."""
    wave: int
    state: str
    """`drained` or `done`."""
    value: float | None
    """Goal metric; null where it does not apply, as where the job cannot run."""
    unrouted_gbps: float | None
    """Demand without a path; null without demands."""
    at_risk: bool
    """True where the goal is worse than before the plan, or more demand has no path."""
    case: Any = field(metadata={"hidden": True}, repr=False, compare=False)
    why: str = field(default="", metadata={"optional": True})
    """Why the goal has no value."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Schedule(Answer):
    """An order of works with its states, the worst of them, and the days at risk."""

    network: str
    as_of: str | None
    plan: str | None
    goal: str
    unit: str
    summary: tuple[str, ...]
    before: float | None
    after: float | None
    worst: float | None
    """Worst value of all states; null where one of them has none."""
    before_unrouted_gbps: float | None
    """Demand without a path before the plan; null without demands."""
    worst_unrouted_gbps: float | None
    """Most demand without a path of all states."""
    n_days: int
    """Days until the last work is done."""
    n_days_at_risk: int
    n_days_without: int
    """Days among them in which the goal has no value: the job cannot run."""
    states: tuple[WorkState, ...]

    def to_pandas(self) -> Any:
        """Return the states as a DataFrame (needs the extra `tables`)."""
        names = [spec.name for spec in fields(WorkState) if spec.name != "case"]
        return data_frame(self.to_dict()["states"], names)

    def _table(self) -> Any:
        return schedule_table(self.to_dict())


class _Planner:
    """Puts works in an order, wave by wave, and keeps the states on the way."""

    def __init__(
        self,
        origin: Scenario,
        goal: str,
        evaluate: Evaluate,
        unrouted_gbps: Evaluate,
        wait_days: WaitDays,
        reader: FigureReader,
        drain: int,
        progress: Progress,
    ) -> None:
        self._origin, self._evaluate, self._wait_days = origin, evaluate, wait_days
        self._unrouted_gbps = unrouted_gbps
        self._reader, self._drain_days = reader, drain
        self._sign = 1.0 if METRICS[goal].better == "lower" else -1.0
        self.before = evaluate(origin.case)[0]
        self.before_unrouted_gbps = unrouted_gbps(origin.case)[0]
        self.day = 0
        self.done: list[tuple[int, Change]] = []
        self.states: list[WorkState] = []
        self._n_evaluated = 0
        self._progress, self._n_settled, self._n_of_work, self._n_most = progress, 0, 0, 1

    def cost(self, value: float | None) -> float:
        """Return a value such that less is better; infinite for none."""
        return inf if value is None else self._sign * value

    def order(self, works: list[Work]) -> None:
        """Do all works: those that can start first, and of these the one whose first wave costs least."""
        left = list(works)
        self._n_most = sum(_n_evaluations(work, n + 1) for n, work in enumerate(works)) or 1
        while left:
            options = [(start, i) for i, work in enumerate(left) if (start := self._start(work)) is not None]
            if not options:
                left = [joined(left)]
                self._n_settled = self._n_most - _n_evaluations(left[0], 1)
                if self._start(left[0]) is None:
                    raise ChangeError("the works of the plan cannot be built together", where="changes")
                continue
            first = min(start for start, _ in options)
            ready = [i for start, i in options if start == first]
            best = ready[0] if len(ready) == 1 else min(ready, key=lambda i: (self._first_cost(left[i]), i))
            work = left.pop(best)
            self._do(work, is_last=not left)
            self._n_settled, self._n_of_work = self._n_settled + _n_evaluations(work, len(left) + 1), 0

    def _start(self, work: Work) -> int | None:
        """Return the first day of a work; None where a wave of it cannot be built yet."""
        done = list(self.done)
        for wave in work.waves:
            done += wave.changes
            try:
                self._scenario(done)
            except ChangeError:
                return None
        return max(self.day, work.lead_days)

    def _scenario(self, done: Sequence[tuple[int, Change]]) -> Scenario:
        """Return the network after some changes, in the order of the plan."""
        ordered = [change for _, change in sorted(done, key=lambda item: item[0])]
        return apply_changes(self._origin, ordered, self._reader)

    def _drained(self, wave: Wave) -> Case:
        case = self._scenario(self.done).case
        state = case.state
        links = np.array([state.link_index[name] for name in wave.links if name in state.link_index], dtype=np.int64)
        nodes = np.array([state.node_index[name] for name in wave.nodes if name in state.node_index], dtype=np.int64)
        state = state.with_values("link_up", links, False) if len(links) else state
        return replace(case, state=state.with_values("node_up", nodes, False) if len(nodes) else state)

    def _value(self, case: Case) -> Point:
        self._n_evaluated += 1
        if self._n_evaluated > MAX_STATES:
            raise ChangeError(f"more than {MAX_STATES} states", where="n_waves", hint="fewer waves, or a smaller plan")
        value = self._evaluate(case)
        self._n_of_work += 1
        self._progress.tell((self._n_settled + self._n_of_work) / self._n_most)
        return value

    def _first_cost(self, work: Work) -> tuple[tuple[float, float], tuple[float, float]]:
        wave = work.waves[0]
        drained = self._harm(self._drained(wave)) if work.drains else (-inf, -inf)
        return drained, self._harm(self._scenario([*self.done, *wave.changes]).case)

    def _harm(self, case: Case) -> tuple[float, float]:
        """Return demand without a path, then the cost of the goal: demand that is cut off relieves other links."""
        return self._unrouted_gbps(case)[0] or 0.0, self.cost(self._value(case)[0])

    def _do(self, work: Work, *, is_last: bool) -> None:
        start = self._start(work)
        assert start is not None
        for number, wave in enumerate(work.waves, start=1):
            after = self._scenario([*self.done, *wave.changes])
            # a wave on the way waits only for what it adds: a later one may lower the needs of what stands there
            before = None if is_last and number == len(work.waves) else self._scenario(self.done)
            wait = self._wait_days(after, start, before)
            if wait == inf:
                problem = f"{work.label}: the budgets of a site stay too small"
                raise ChangeError(problem, where="changes", hint="`twin readiness` names them")
            start += int(wait)
            if wave.links or wave.nodes:
                self._add(work, number, "drained", start, self._drain_days, self._drained(wave))
                start += self._drain_days
            self.done += wave.changes
            self._add(work, number, "done", start, 0, after.case)
        self.day = start

    def _add(self, work: Work, wave: int, name: str, day: int, n_days: int, case: Case) -> None:
        if self.states and self.states[-1].state == "done":  # a state lasts until the next one begins
            last = self.states[-1]
            self.states[-1] = replace(last, n_days=day - last.day)
        (value, why), (unrouted_gbps, _) = self._value(case), self._unrouted_gbps(case)
        worse = self.cost(value) > self.cost(self.before) + REL_TOLERANCE * abs(self.before or 0.0)
        before_gbps = self.before_unrouted_gbps or 0.0
        worse |= (unrouted_gbps or 0.0) > before_gbps * (1.0 + REL_TOLERANCE)
        day_0 = case.document.as_of
        start = None if day_0 is None else day_0 + timedelta(days=day)
        self.states.append(
            WorkState(day, start, n_days, work.label, wave, name, value, unrouted_gbps, worse, case, why)
        )


def _n_evaluations(work: Work, n_left: int) -> int:
    """Return the most states that are evaluated to choose a work among those that are left, and to do it."""
    return 2 * len(work.waves) + (2 * n_left if n_left > 1 else 0)


def schedule_of(
    plan: str | None,
    network: str,
    origin: Scenario,
    changes: Sequence[Change],
    goal: str,
    ask: WorkQuestion,
    evaluate: Evaluate,
    unrouted_gbps: Evaluate,
    wait_days: WaitDays,
    reader: FigureReader,
    where: str,
    progress: Progress,
) -> Schedule:
    """Find an order of works, and evaluate each state on the way.

    Args:
        plan: id of the plan; None for a list of changes.
        network: label of the network.
        origin: scenario without the changes.
        changes: changes of the plan.
        goal: metric of each state.
        ask: waves, lead times and drain windows.
        evaluate: function that returns the metric of a case; None where it does not apply.
        unrouted_gbps: function that returns the demand of a case without a path; None without demands.
        wait_days: see `WaitDays`.
        reader: source of figures.
        where: place of the changes, for messages.
        progress: told after each state.

    Raises:
        ChangeError: too many states, or a budget that is never enough.
    """
    planner = _Planner(origin, goal, evaluate, unrouted_gbps, wait_days, reader, ask.drain_days, progress)
    planner.order(works_of(origin, changes, reader, where, ask))
    progress.tell(1.0)
    states = tuple(planner.states)
    values = [planner.before, *(state.value for state in states)]
    worst = max(values, key=planner.cost)
    unrouted = [planner.before_unrouted_gbps, *(state.unrouted_gbps for state in states)]
    at_risk = [state for state in states if state.at_risk]
    n_without = sum(state.n_days for state in states if state.value is None)
    day_0 = origin.case.document.as_of
    answer = Schedule(
        network=network,
        as_of=None if day_0 is None else day_0.isoformat(),
        plan=plan,
        goal=goal,
        unit=metric_unit(goal),
        summary=(),
        before=planner.before,
        after=values[-1],
        worst=worst,
        before_unrouted_gbps=planner.before_unrouted_gbps,
        worst_unrouted_gbps=max((gbps for gbps in unrouted if gbps is not None), default=None),
        n_days=planner.day,
        n_days_at_risk=sum(state.n_days for state in at_risk),
        n_days_without=n_without,
        states=states,
    )
    return replace(answer, summary=tuple(_summary(answer)))


def _without_value(answer: Schedule) -> Iterator[str]:
    """Yield in which states the goal has no value, and why."""
    label = METRICS[answer.goal].label
    without = [state for state in answer.states if state.value is None]
    if not without or answer.before is None:
        yield f"Worst on the way: unknown, there is no value of {label} today."
        return
    first, others = without[0], len(without) - 1
    more = f", and in {counted(others, 'more state')}" if others else ""
    yield f"Worst on the way: no {label} while {_place(first)}{more}: {first.why}."


def _place(state: WorkState) -> str:
    return f"wave {state.wave} of change {state.work} is {state.state}"


def _days_without(answer: Schedule) -> str:
    n = answer.n_days_without
    return f", on {n} of them {METRICS[answer.goal].label} has no value" if n else ""


def _summary(answer: Schedule) -> Iterator[str]:
    if not answer.states:
        yield "Nothing to do."
        return
    yield (
        f"Done in {counted(answer.n_days, 'day')}; {METRICS[answer.goal].label} "
        f"{metric_text(answer.goal, answer.before)} → {metric_text(answer.goal, answer.after)}."
    )
    if answer.worst is None:
        yield from _without_value(answer)
    else:
        yield f"Worst on the way: {metric_text(answer.goal, answer.worst)}."
    before_gbps, most_gbps = answer.before_unrouted_gbps or 0.0, answer.worst_unrouted_gbps or 0.0
    if most_gbps > before_gbps * (1.0 + REL_TOLERANCE):
        most = next(state for state in answer.states if state.unrouted_gbps == answer.worst_unrouted_gbps)
        yield (
            f"Cut off on the way: {number_text(most_gbps, 'Gb/s')} of demand have no path while "
            f"{_place(most)}; today {number_text(before_gbps, 'Gb/s')}. More waves drain less at a time."
        )
    yield (
        f"Days at risk: {answer.n_days_at_risk}{_days_without(answer)}."
        if any(state.at_risk for state in answer.states)
        else "No day at risk: no state on the way is worse than today."
    )
    yield "Lead times and drain windows are assumed unless stated."
