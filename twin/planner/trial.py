"""Trials: sets of candidates are applied to one network, priced, and evaluated where they are within the budget.

A set is built in three steps: structure, state, workload. Each step is kept for the sets that share it, and the engine
keeps the outcomes of stages, so that a set costs only what it does not share with the sets before it.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import NamedTuple

from ..answers.metrics import METRICS, NotApplicableError
from ..arrays import State
from ..catalogue import Catalogue, PriceBook
from ..economics.lease_terms import lease_streams
from ..economics.present_value import PlanCash, present_value
from ..errors import TwinError
from ..model.document import TopologyDocument
from ..scenario.apply import check_job_shape, edited_case, refuse_faults
from ..scenario.build_fault import BuildFault
from ..scenario.change import StateChange, StructureChange, WorkloadChange
from ..scenario.changes import Change
from ..scenario.feasibility import build_faults
from ..scenario.fibre_changes import Age
from ..scenario.lease_faults import lease_faults
from ..stages.engine import Engine
from ..stages.evaluation import Case, Evaluation
from ..studies.grown_demands import grown
from ..studies.points import problem_text
from .candidate import Candidate
from .ready import Deadline, WorkDays
from .sets import bits_of

OVER_BUDGET = "over the budget"
N_CACHED_SMALL, N_CACHED_LARGE = 48, 6
"""Outcomes of each stage that are kept, for networks of up to `SMALL_RECORDS` nodes and links, and for others."""
SMALL_RECORDS = 20_000
N_STATES = 16
"""States that are kept."""
LEVELS = (StructureChange, StateChange, WorkloadChange)


class Trial(NamedTuple):
    """Cost and effect of a set of candidates."""

    members: int
    """The set; bit i is candidate i."""
    capex_usd: float | None
    """Purchases; None where it cannot be built or priced."""
    values: tuple[float | None, ...]
    """Worst value of each metric over the years; empty where it was not evaluated."""
    why: str = ""
    """Why it was not evaluated, or why the goal has no value."""
    opex_usd_per_year: float | None = None
    """Cost of operation of the whole network; None where it was not priced, or a part has no price."""
    is_unpriced: bool = False
    """True where it can be built, but a purchase has no price."""
    lease_usd: float = 0.0
    """Rent of the leases that it adds, present value over the horizon of the price book."""


class Figure(NamedTuple):
    """A metric of every trial, and which of its values over the years counts."""

    metric: str
    worst: Callable[[Sequence[float]], float]
    """`max` or `min`."""


@dataclass(frozen=True, eq=False)
class TrialTask:
    """Everything that the trials of one question need. Workers receive it once."""

    origin: Case
    """The network as it is."""
    faults: Mapping[str, BuildFault]
    """Rules that it breaks as it stands."""
    candidates: tuple[Candidate, ...]
    variants: Mapping[int, Case | str]
    """The network after each set of changes of structure, or why it cannot be built; bit i is candidate i."""
    figures: tuple[Figure, ...]
    years: tuple[float, ...]
    budget_usd: float | None
    catalogue: Catalogue
    prices: PriceBook
    works: tuple[tuple[WorkDays, ...], ...] = ()
    """Works of each candidate; empty without a deadline."""
    deadline: Deadline | None = None

    def start(self) -> Callable[[Sequence[tuple[int, ...]]], Iterator[tuple[Trial, ...]]]:
        """Return a function that computes groups of sets."""
        return partial(_solve, Trials(self))


def _solve(trials: Trials, groups: Sequence[tuple[int, ...]]) -> Iterator[tuple[Trial, ...]]:
    for group in groups:
        yield tuple(trials.of(members) for members in group)


def masks_by_level(candidates: Sequence[Candidate]) -> tuple[int, int, int]:
    """Return the candidates that change structure, state and workload; one may do several of these."""
    masks = [0, 0, 0]
    for i, candidate in enumerate(candidates):
        for place, level in enumerate(LEVELS):
            if any(isinstance(change, level) for change in candidate.changes):
                masks[place] |= 1 << i
    return masks[0], masks[1], masks[2]


def groups_of(sets: Sequence[int], candidates: Sequence[Candidate]) -> list[tuple[int, ...]]:
    """Return the sets in groups that share structure and state, in the order of their first members."""
    structure, state, _ = masks_by_level(candidates)
    groups: dict[int, list[int]] = {}
    for members in sets:
        groups.setdefault(members & (structure | state), []).append(members)
    return [tuple(group) for group in groups.values()]


@dataclass(eq=False)
class Trials:
    """Computes sets one after the other; one thread uses it."""

    task: TrialTask
    _states: OrderedDict[int, Case | str] = field(default_factory=OrderedDict)
    _aged: OrderedDict[tuple[int, float], State] = field(default_factory=OrderedDict)
    _documents: OrderedDict[tuple[int, float], tuple[TopologyDocument, TopologyDocument]] = field(
        default_factory=OrderedDict
    )

    def __post_init__(self) -> None:
        task = self.task
        arrays = task.origin.state.arrays
        n_cached = N_CACHED_SMALL if arrays.n_nodes + arrays.n_links <= SMALL_RECORDS else N_CACHED_LARGE
        self.engine = Engine(task.catalogue, task.prices, n_cached=n_cached)
        self._masks = masks_by_level(task.candidates)

    def of(self, members: int, *, any_price: bool = False) -> Trial:
        """Return the trial of a set.

        Args:
            members: the set.
            any_price: evaluate it even if it is over the budget.
        """
        budget = None if any_price else self.task.budget_usd
        late = self._late_text(members)
        built = late or self.case(members)
        if isinstance(built, str):
            return Trial(members, None, (), built)
        try:
            capex_usd, opex_usd = self._price(built)
        except NotApplicableError as reason:
            return Trial(members, None, (), str(reason), is_unpriced=True)
        if budget is not None and capex_usd > budget:
            return Trial(members, capex_usd, (), OVER_BUDGET, opex_usd)
        values, why = self.values(members, built)
        return Trial(members, capex_usd, values, why, opex_usd, lease_usd=self._lease_usd(built))

    def case(self, members: int) -> Case | str:
        """Return the case of a set, or why it cannot be built."""
        built = self._built(members)
        if isinstance(built, str):
            return built
        try:
            case = edited_case(built, self._changes(members & self._masks[2], WorkloadChange), self.engine.reader)
            taken = lease_faults(case.state, case.document, case.job)
            refuse_faults(self.task.faults, taken, self.task.origin.state, case.state)
            check_job_shape(case.job)
            if self.task.deadline is not None:
                blocked = self.task.deadline.blocked_text(case, self.task.origin, self.engine.reader.fresh())
                return blocked or case
        except TwinError as error:
            return problem_text(error)
        return case

    def _late_text(self, members: int) -> str:
        """Return why the works of a set are too late; empty where they are not, or without a deadline."""
        if self.task.deadline is None:
            return ""
        return self.task.deadline.late_text(work for i in bits_of(members) for work in self.task.works[i])

    def _changes(self, members: int, level: type) -> list[Change]:
        candidates = self.task.candidates
        return [change for i in bits_of(members) for change in candidates[i].changes if isinstance(change, level)]

    def _built(self, members: int) -> Case | str:
        """Return the network of a set without its changes of workload."""
        key = members & (self._masks[0] | self._masks[1])
        known = self._states.get(key)
        if known is None:
            known = self._states[key] = self._build(key)
            if len(self._states) > N_STATES:
                self._states.popitem(last=False)
        return known

    def _build(self, members: int) -> Case | str:
        variant = self.task.variants[members & self._masks[0]]
        if isinstance(variant, str):
            return variant
        reader, origin = self.engine.reader, self.task.origin
        try:
            case = edited_case(variant, self._changes(members & self._masks[1], StateChange), reader)
            after = build_faults(case.state, case.document, reader)
            refuse_faults(self.task.faults, after, origin.state, case.state)
        except TwinError as error:
            return problem_text(error)
        return case

    def _price(self, case: Case) -> tuple[float, float | None]:
        """Return purchases and yearly cost of a case. Raises NotApplicableError where a purchase has no price."""
        evaluation = Evaluation(case, self.task.origin.state, self.engine)
        money = evaluation.money
        opex_usd = None if money.unpriced_parts else money.opex_usd_per_year
        return float(METRICS["capex_usd"].compute(evaluation)), opex_usd

    def _lease_usd(self, case: Case) -> float:
        """Return the present value of the rent of added leases."""
        known = self.task.origin.document.leases
        if case.document.leases is known:
            return 0.0
        added = [lease for lease in case.document.leases if lease not in known]
        streams = lease_streams(added, case.document.as_of or date.min)
        reader = self.engine.reader.fresh()
        years, discount = reader.price("horizon_years"), reader.price("discount_ratio_per_year")
        return present_value(PlanCash((), 0.0, tuple(streams)), years, discount).leases_usd

    def values(self, members: int, case: Case) -> tuple[tuple[float | None, ...], str]:
        """Return the worst value of each figure over the years, and why the goal has none."""
        found: list[list[float]] = [[] for _ in self.task.figures]
        why = ""
        for years in self.task.years:
            try:
                evaluation = self.engine.evaluate(self.aged(members, case, years), self.task.origin.state)
            except TwinError as error:
                return (None,) * len(found), problem_text(error)
            for i, figure in enumerate(self.task.figures):
                try:
                    value = METRICS[figure.metric].compute(evaluation)
                except NotApplicableError as reason:
                    value, reason_text = math.nan, str(reason)
                else:
                    reason_text = "grows without bound"
                if not math.isfinite(value) and i == 0:
                    why = why or reason_text
                found[i].append(value)
        values = tuple(
            figure.worst(column) if all(map(math.isfinite, column)) else None
            for figure, column in zip(self.task.figures, found, strict=True)
        )
        return values, why

    def aged(self, members: int, case: Case, years: float) -> Case:
        """Return a case some years later: fibre and optics age, demands grow as their classes state."""
        if not years:
            return case
        key = (members & (self._masks[0] | self._masks[1]), years)
        state = self._aged.get(key)
        if state is None:
            state = self._aged[key] = edited_case(case, [Age(years=years)], self.engine.reader).state
            if len(self._aged) > N_STATES * len(self.task.years):
                self._aged.popitem(last=False)
        return replace(case, state=state, document=self._grown(case.document, years))

    def _grown(self, document: TopologyDocument, years: float) -> TopologyDocument:
        """Return a document whose demands have grown; the same object for the same document."""
        known = self._documents.get((id(document), years))
        if known is None or known[0] is not document:
            known = self._documents[id(document), years] = (document, grown(document, years))
            if len(self._documents) > N_STATES * len(self.task.years):
                self._documents.popitem(last=False)
        return known[1]
