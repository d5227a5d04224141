"""Collects the candidates of a question, finds which exclude each other, and prepares their trials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..answers.metrics import METRICS
from ..errors import ChangeError, TwinError
from ..scenario.apply import Scenario, edited, edited_case
from ..scenario.change import StructureChange
from ..scenario.changes import Change
from ..scenario.fibre_changes import Age
from ..stages.engine import Engine
from ..stages.evaluation import Case
from ..studies.points import problem_text
from .candidate import Candidate, Footprint, check_ids, exclusions, footprint
from .generators import generated, not_generated
from .question import PlanQuestion, Sense
from .ready import Deadline, WorkDays, works_of_candidate
from .records import Omitted
from .sets import SetRules, all_sets, mask_of
from .situation import Situation
from .trial import Figure, Trials, TrialTask, masks_by_level

WHERE = "candidates"
MAX_CANDIDATES = 400
"""Most candidates of one question."""
MAX_STRUCTURE_WORK = 5_000_000
"""Most sets of changes of structure, times nodes and links: each set is compiled once."""


@dataclass(frozen=True, eq=False)
class Collected:
    """Candidates of a question, ready to be searched."""

    candidates: tuple[Candidate, ...]
    omitted: tuple[Omitted, ...]
    rules: SetRules
    task: TrialTask
    late: tuple[Omitted, ...] = ()
    """Candidates among `omitted` that are not built by the day of the question."""

    @cached_property
    def masks(self) -> tuple[int, int, int]:
        """Candidates that change structure, state and workload."""
        return masks_by_level(self.candidates)

    @cached_property
    def here(self) -> Trials:
        """Trials on this thread, beside those of the search."""
        return Trials(self.task)


def collect(
    question: PlanQuestion,
    origin: Scenario,
    engine: Engine,
    own: Sequence[Candidate],
    with_generated: bool,
    deadline: Deadline | None = None,
) -> Collected:
    """Collect the candidates of a question.

    Args:
        question: the checked question.
        origin: the network as it is.
        engine: engine of the network.
        own: candidates of the user.
        with_generated: look for candidates of the table of generators, too.
        deadline: day by which a plan must be built; None = any.

    Raises:
        ChangeError: an own candidate does not apply or cannot be built, or too many candidates; it is named.
    """
    listed, none_of = list(own), list[Omitted]()
    if with_generated:
        looked_at = situation(question, origin, engine)
        listed += generated(looked_at)
        none_of = not_generated(looked_at, {candidate.kind for candidate in listed})
    check_ids(listed, WHERE)
    if len(listed) > MAX_CANDIDATES:
        raise ChangeError(f"{len(listed)} candidates", where=WHERE, expected=f"at most {MAX_CANDIDATES}")
    listed.sort(key=_order)
    kept, omitted = _applicable(listed, origin, engine)
    kept, late = (kept, []) if deadline is None else _in_time(kept, listed, origin, engine, deadline)
    kept, too_many = _few_structures(kept, origin)
    candidates = tuple(candidate for candidate, _ in kept)
    rules = _rules(candidates, [place for _, place in kept])
    task = _task(question, origin, engine, candidates, rules)
    if deadline is not None:
        task = replace(task, works=_works(candidates, listed, origin, engine, deadline), deadline=deadline)
    found = Collected(candidates, (*none_of, *omitted, *late, *too_many), rules, task, tuple(late))
    _check_own(found)
    return found


def unchanged(origin: Scenario, engine: Engine, metric: str, sense: Sense, years: tuple[float, ...]) -> float | None:
    """Return the worst value over years of a metric of the network without changes; None where it has none."""
    rules = SetRules((), ())
    figures = (Figure(metric, max if sense == "<=" else min),)
    task = TrialTask(
        origin.case, {}, (), {0: origin.case}, figures, years, None, engine.reader.catalogue, engine.reader.prices
    )
    return Collected((), (), rules, task).here.values(0, origin.case)[0][0]


def _order(candidate: Candidate) -> tuple[int, str]:
    """Return the place of a candidate: structure first, workload last, so that neighbouring sets share most."""
    structure, state, _ = masks_by_level([candidate])
    return (0 if structure else 1 if state else 2, candidate.id)


def situation(question: PlanQuestion, origin: Scenario, engine: Engine) -> Situation:
    """Return the situation that generators look at."""
    later = origin.case
    if question.years[-1]:
        later = edited_case(origin.case, [Age(years=question.years[-1])], engine.reader)
    return Situation(origin, engine.evaluate(origin.case), engine.evaluate(later), engine.reader)


def _applicable(
    listed: Sequence[Candidate], origin: Scenario, engine: Engine
) -> tuple[list[tuple[Candidate, Footprint]], list[Omitted]]:
    """Return the candidates that apply with what they replace, and those that do not."""
    by_id = {item.id: item for item in listed}
    kept, omitted = [], []
    for candidate in listed:
        needed = [change for need in candidate.needs for change in by_id[need].changes]
        try:
            base = edited(origin, needed, engine.reader, WHERE) if needed else origin
            kept.append((candidate, footprint(candidate, base, engine.reader)))
        except TwinError as error:
            if candidate.kind == "own":
                problem = f"candidate {candidate.id!r}: {problem_text(error)}"
                raise ChangeError(problem, where=WHERE, hint=error.hint) from error
            omitted.append(Omitted(candidate.id, candidate.kind, problem_text(error)))
    return kept, omitted


def _works(
    candidates: Sequence[Candidate], listed: Sequence[Candidate], origin: Scenario, engine: Engine, deadline: Deadline
) -> tuple[tuple[WorkDays, ...], ...]:
    by_id = {item.id: item for item in listed}
    return tuple(works_of_candidate(item, by_id, origin, engine.reader, deadline.ask) for item in candidates)


def _in_time(
    kept: Sequence[tuple[Candidate, Footprint]],
    listed: Sequence[Candidate],
    origin: Scenario,
    engine: Engine,
    deadline: Deadline,
) -> tuple[list[tuple[Candidate, Footprint]], list[Omitted]]:
    """Return the candidates that are built by the deadline with what they need, and the others with the day."""
    works = _works([candidate for candidate, _ in kept], listed, origin, engine, deadline)
    by_id = {candidate.id: own for (candidate, _), own in zip(kept, works, strict=True)}
    in_time, late = [], []
    for row in kept:
        candidate = row[0]
        needed = [work for need in candidate.needs for work in by_id.get(need, ())]
        why = deadline.late_text([*needed, *by_id[candidate.id]])
        if why:
            late.append(Omitted(candidate.id, candidate.kind, f"too late for {deadline.day}: {why}"))
        else:
            in_time.append(row)
    return in_time, late


def _few_structures(
    kept: list[tuple[Candidate, Footprint]], origin: Scenario
) -> tuple[list[tuple[Candidate, Footprint]], list[Omitted]]:
    """Leave out generated candidates that would give too many networks to compile, the last ones first."""
    n_records = max(origin.case.state.n_nodes + origin.case.state.n_links, 1)
    limit, omitted = max(MAX_STRUCTURE_WORK // n_records, 2), list[Omitted]()
    while True:
        structural = [row for row in kept if masks_by_level([row[0]])[0]]
        rules = _rules([candidate for candidate, _ in structural], [place for _, place in structural])
        if all_sets(rules, limit) is not None:
            return kept, omitted
        last = next((row for row in reversed(structural) if row[0].kind != "own"), None)
        if last is None:
            n = len(structural)
            raise ChangeError(f"{n} candidates add or remove nodes and links", where=WHERE, hint="give fewer of these")
        kept = [row for row in kept if row is not last]
        omitted.append(Omitted(last[0].id, last[0].kind, "too many sets of added nodes and links for this network"))


def _rules(candidates: Sequence[Candidate], prints: Sequence[Footprint]) -> SetRules:
    rows = {candidate.id: i for i, candidate in enumerate(candidates)}
    needs = tuple(mask_of([rows[need] for need in candidate.needs if need in rows]) for candidate in candidates)
    return SetRules(exclusions(candidates, prints), needs)


def _task(
    question: PlanQuestion, origin: Scenario, engine: Engine, candidates: tuple[Candidate, ...], rules: SetRules
) -> TrialTask:
    better = METRICS[question.goal].better
    figures = [Figure(question.goal, max if better == "lower" else min)]
    figures += [Figure(keep.metric, max if keep.sense == "<=" else min) for keep in question.keeps]
    return TrialTask(
        origin=origin.case,
        faults={} if origin.faults is None else origin.faults(),
        candidates=candidates,
        variants=_variants(origin, candidates, rules, engine),
        figures=tuple(figures),
        years=question.years,
        budget_usd=question.budget_usd,
        catalogue=engine.reader.catalogue,
        prices=engine.reader.prices,
    )


def _variants(
    origin: Scenario, candidates: Sequence[Candidate], rules: SetRules, engine: Engine
) -> Mapping[int, Case | str]:
    """Return the network after each allowed set of changes of structure, or why it cannot be built."""
    structure, _, _ = masks_by_level(candidates)
    variants: dict[int, Case | str] = {}
    for members in all_sets(rules, within=structure) or ():
        changes = _structure_changes(candidates[i] for i in range(len(candidates)) if members >> i & 1)
        try:
            variants[members] = edited(origin, changes, engine.reader).case if changes else origin.case
        except TwinError as error:
            variants[members] = problem_text(error)
    return variants


def _structure_changes(candidates: Iterable[Candidate]) -> list[Change]:
    return [change for item in candidates for change in item.changes if isinstance(change, StructureChange)]


def _check_own(found: Collected) -> None:
    """Raise ChangeError for an own candidate that cannot be built, alone or beside any one other."""
    for i, candidate in enumerate(found.candidates):
        if candidate.kind != "own":
            continue
        alone = found.rules.closure(1 << i)
        why = "what it needs excludes it" if alone is None else found.here.case(alone)
        if not isinstance(why, str):
            continue
        if all(isinstance(found.here.case(members), str) for members in _beside(found, i)):
            raise ChangeError(
                f"candidate {candidate.id!r}: {why}",
                where=WHERE,
                hint="it can be built neither alone nor beside other candidates",
            )


def _beside(found: Collected, row: int) -> Iterator[int]:
    """Yield sets with a candidate: beside each one other, then beside as many others as can stand together."""
    largest = found.rules.closure(1 << row)
    if largest is None:
        return
    for other in range(len(found.candidates)):
        members = found.rules.closure(1 << row | 1 << other)
        if members is not None:
            yield members
        larger = found.rules.closure(largest | 1 << other)
        largest = largest if larger is None else larger
    yield largest
