"""Check that the conditions of a plan hold after every single failure of a link, a shared risk or a site."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import cast

from ..answers.metrics import METRICS, NotApplicableError
from ..arrays import Ints
from ..errors import ChangeError, TopologyError, TwinError
from ..progress import Advance
from ..render.numbers import number_text
from ..stages.engine import Engine
from ..stages.evaluation import Case, Evaluation
from ..studies.failure_kinds import FailureSet, fabric_of, failures_of_kind
from ..studies.failures import NO_PAIRS
from ..studies.job_failure_classes import BY_ORBIT, Failed, FailureClass, JobPlaces
from ..studies.job_failures import failed_of_kind
from ..training.cards import CardLoss
from .question import DEMAND_METRICS, PlanQuestion
from .trial import Trials

MAX_S = 300.0
"""Longest estimate of the failures of one set."""
MAX_ALL_S = 120.0
"""Longest estimate of the failures of all sets together; the best set without failures is always looked at."""
N_STEPS_OF_SET = 3
"""Times of a case that a set takes before its first failure."""
OF_STEP = frozenset({"step_time_s", "tokens_per_s"})
"""Metrics without a value where the job stops."""
N_FIRST = 4
"""Failures that broke most sets: they are tried on each set before its other failures are known."""
NOT_LOOKED_AT = "its failures were not looked at"


@dataclass(eq=False)
class RobustCheck:
    """Checks sets of candidates after every single failure of one kind; failures in equal places are computed once."""

    question: PlanQuestion
    trials: Trials
    trial_s: float
    """Estimated time of one case."""
    advance: Advance | None = None
    """Called with the number of sets that were checked and of all that are known."""
    cancel: threading.Event | None = None
    n_sets: int = 0
    """Sets that are known."""
    is_interrupted: bool = False
    """True once Ctrl-C or `cancel` ended the check: no more sets are looked at."""
    n_checked: int = 0
    is_cut_short: bool = False
    """True where sets were not looked at, since the others took long enough."""
    _taken_s: float = 0.0
    _breaks: dict[int, str | None] = field(default_factory=dict)
    _first: Counter[str] = field(default_factory=Counter)
    """Number of sets that each failure broke: those that broke most are tried first."""

    def __call__(self, members: int) -> bool:
        """Return whether the conditions hold for a set after every single failure."""
        return self.broken_by(members) is None

    def broken_by(self, members: int) -> str | None:
        """Return the failure after which a condition does not hold, and the condition; None where all hold."""
        if members not in self._breaks:
            if self.is_interrupted or (self.cancel is not None and self.cancel.is_set()):
                self.is_interrupted = True
                return NOT_LOOKED_AT
            if self._taken_s > MAX_ALL_S:
                self.is_cut_short = True
                return NOT_LOOKED_AT
            try:
                self._breaks[members] = self._find(members)
            except KeyboardInterrupt:
                self.is_interrupted = True
                return NOT_LOOKED_AT
            self.n_checked += 1
            if self.advance is not None:
                self.advance(self.n_checked, max(self.n_sets, self.n_checked))
        return self._breaks[members]

    def _find(self, members: int) -> str | None:
        case = self.trials.case(members)
        if isinstance(case, str):
            return case
        for years in self.question.years:
            aged = self.trials.aged(members, case, years)
            e = self.trials.engine.evaluate(aged, self.trials.task.origin.state)
            engine = self.trials.engine.branch(e)
            self._taken_s += N_STEPS_OF_SET * self.trial_s
            why = self._broken_again(engine, aged, e)
            if why is not None:
                return why
            for failed, alike in self._failures(e):
                self._taken_s += max(len(alike), 1) * self.trial_s
                why = self._broken(engine, aged, e, failed, alike)
                if why is not None:
                    return why
        return None

    def _broken_again(self, engine: Engine, case: Case, e: Evaluation) -> str | None:
        """Try the failures that broke other sets; return None where none of them breaks this set."""
        if not self._first:
            return None
        found, links = self._kinds(e)
        places = {name: i for i, name in enumerate(found.ids)}
        for name, _ in self._first.most_common(N_FIRST):
            if (i := places.get(name)) is not None:
                one = FailureSet((name,), found.kind)
                (failed,) = failed_of_kind(e.case.state, self._of, one, links[i : i + 1])
                why = self._broken(engine, case, e, failed, [])
                if why is not None:
                    return why
        return None

    def losses(self, members: int) -> list[tuple[str, float]]:
        """Return the failures that cut demand off and the most that each does in a year, Gb/s; the most first."""
        case = self.trials.case(members)
        if isinstance(case, str):
            return []
        most: dict[str, float] = {}
        for years in self.question.years:
            aged = self.trials.aged(members, case, years)
            e = self.trials.engine.evaluate(aged, self.trials.task.origin.state)
            if e.demand_pairs is None:
                continue
            engine = self.trials.engine.branch(e)
            for failed, _ in self._failures(e):
                lost_gbps = _lost_gbps(_after(engine, aged, e, failed), e)
                if lost_gbps > 0.0:
                    most[failed.id] = max(lost_gbps, most.get(failed.id, 0.0))
        return sorted(most.items(), key=lambda row: (-row[1], row[0]))

    def n_failures(self) -> int:
        """Return the failures of the network as it is that are computed for a set.

        Raises:
            ChangeError: nothing of the kind carries traffic.
            TopologyError: too many failures.
        """
        e = self.trials.engine.evaluate(self.trials.task.origin)
        try:
            return len(self._failures(e))
        except ChangeError as error:
            raise ChangeError(error.problem, where="robust_to", expected=error.expected, hint=error.hint) from error

    def check_work(self) -> None:
        """Raise TopologyError where the failures of one set take too long."""
        n = self.n_failures()
        if n * self.trial_s > MAX_S:
            raise TopologyError(
                f"{n:,} failures of a {self.question.robust_to} take some {n * self.trial_s / 60.0:,.0f} minutes a set",
                where="robust_to",
                expected=f"at most {MAX_S / 60.0:g} minutes",
                hint="ask for a kind with fewer failures, or check the plan with `twin failures`",
            )

    @property
    def _of(self) -> str:
        """Kind of what fails."""
        assert self.question.robust_to is not None
        return self.question.robust_to

    def _kinds(self, e: Evaluation) -> tuple[FailureSet, Ints]:
        """Return all failures, and the links that carry traffic."""
        fabric, links = fabric_of(e, e.demand_pairs if e.demand_pairs is not None else NO_PAIRS)
        return failures_of_kind(e, self._of, fabric, links), links

    def _failures(self, e: Evaluation) -> list[tuple[Failed, list[Failed]]]:
        """Return one failure of each class, and all of the class where only one cannot stand for them."""
        found, links = self._kinds(e)
        failed = failed_of_kind(e.case.state, self._of, found, links)
        if e.step is None or e.demand_pairs is not None:
            return [(item, []) for item in failed]
        classes: dict[FailureClass, list[Failed]] = {}
        for item, key in zip(failed, JobPlaces(e, links).classes(failed), strict=True):
            if key is not None:
                classes.setdefault(key, []).append(item)
        return [(items[0], items if key.mode == BY_ORBIT else []) for key, items in classes.items()]

    def _broken(
        self, engine: Engine, case: Case, intact: Evaluation, failed: Failed, alike: list[Failed]
    ) -> str | None:
        after = _after(engine, case, intact, failed)
        if len(alike) > 1 and not _same_cards(after, intact):
            return next((why for item in alike if (why := self._broken(engine, case, intact, item, []))), None)
        why = next(self._faults(after, intact), None)
        if why is not None:
            self._first[failed.id] += 1
            return f"after the failure of {failed.id}: {why}"
        return None

    def _faults(self, after: Evaluation, intact: Evaluation) -> Iterator[str]:
        """Yield the conditions that do not hold; without any, the goal must have a value.

        No failure may cut demand off, unless a condition says how much is carried or has no path. What is carried
        may fall otherwise: links that are left may be full.
        """
        question = self.question
        stated = [keep for keep in question.keeps if not keep.is_default]
        for metric in [] if stated else [question.goal]:
            if (metric in OF_STEP and _stops(after)) or _value(after, metric) is None:
                yield f"{metric} has no value"
        if not {keep.metric for keep in stated} & DEMAND_METRICS:
            lost_gbps = _lost_gbps(after, intact)
            if lost_gbps > 0.0:
                yield f"{number_text(lost_gbps, 'Gb/s')} of demand have no path"
        for keep in question.keeps:
            if keep.is_default and keep.metric in DEMAND_METRICS:
                continue
            if not keep.holds(_value(after, keep.metric)):
                yield f"{keep.text} does not hold"


def _after(engine: Engine, case: Case, intact: Evaluation, failed: Failed) -> Evaluation:
    return Evaluation(replace(case, state=failed.applied(case.state)), intact.before, engine)


def _lost_gbps(after: Evaluation, intact: Evaluation) -> float:
    """Return the demand that a failure leaves without a path between nodes that are left, Gb/s."""
    pairs = intact.demand_pairs
    if pairs is None or after.demands is None or intact.demands is None:
        return 0.0
    up = after.case.state["node_up"]
    lost = intact.demands.reachable & ~after.demands.reachable & up[pairs.source] & up[pairs.target]
    return float(pairs.offered_gbps[lost].sum())


def _stops(e: Evaluation) -> bool:
    """Return whether the job stops because of missing network cards, which is known long before a step is."""
    try:
        return e.cards is not None and bool(e.cards.why_stopped)
    except TwinError:
        return True


def _value(e: Evaluation, metric: str) -> float | None:
    try:
        value = METRICS[metric].compute(e)
    except (NotApplicableError, TwinError):
        return None
    return value if math.isfinite(value) else None


def _same_cards(after: Evaluation, intact: Evaluation) -> bool:
    """Return whether a failure leaves the network cards of the job as they are."""
    try:
        a, b = cast(CardLoss, after.cards), cast(CardLoss, intact.cards)
    except TwinError:
        return False
    return (a.n_cards_lost, a.n_accelerators_idled, a.cause) == (b.n_cards_lost, b.n_accelerators_idled, b.cause)
