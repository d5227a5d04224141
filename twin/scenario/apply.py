"""Apply changes to a scenario: first structure, then workload, then state.

A result that cannot be built is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..arrays import CompiledNetwork, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError, Issue, TopologyError, group_text, grouped
from ..model.demand_columns import DemandColumns
from ..model.job_rules import job_shape_issues
from ..model.jobs import TrainingJob
from ..model.validation import validate_as
from ..stages.evaluation import Case
from .build_fault import BuildFault
from .change import Context, StateChange, StructureChange, WorkloadChange
from .changes import Change
from .feasibility import build_faults
from .generated_demands import with_generated
from .refusal import refused_faults

MAX_CHANGES = 1000
Level = type[StructureChange | WorkloadChange | StateChange]
LEVELS: tuple[Level, ...] = (StructureChange, WorkloadChange, StateChange)
"""Kinds of changes in the order in which they are applied."""
MAX_HINTS = 3
"""Hints of a refusal, of different problems."""


@dataclass(frozen=True)
class Scenario:
    """A network and the case to evaluate on it."""

    network: CompiledNetwork
    case: Case
    generated: DemandColumns | None = None
    """Demands that the blocks of `traffic` made on the network without changes; they are part of `case.document`."""
    faults: Callable[[], Mapping[str, BuildFault]] | None = None
    """Function that returns the known faults of the network; None = they are computed where they are needed."""


def parse_changes(data: Sequence[Any], where: str = "changes") -> tuple[Change, ...]:
    """Convert plain data to changes.

    Args:
        data: mappings with `kind`, or change objects.
        where: place of the list, for messages.

    Raises:
        DocumentError: bad fields, all of them, with similar names.
        ChangeError: more than MAX_CHANGES changes.
    """
    changes = validate_as(tuple[Change, ...], [_to_plain_data(item) for item in data], where, prefix=where)
    if len(changes) > MAX_CHANGES:
        raise ChangeError(f"{len(changes)} changes", where=where, expected=f"at most {MAX_CHANGES}")
    return tuple(changes)


def _to_plain_data(item: Any) -> Any:
    return item if isinstance(item, Mapping) else item.model_dump(mode="json") if hasattr(item, "model_dump") else item


def baseline(
    network: CompiledNetwork,
    job: TrainingJob | None,
    ageing: AgeingCase = "value",
    generated: DemandColumns | None = None,
) -> Scenario:
    """Return the unchanged network as a scenario.

    Args:
        network: the network.
        job: job to evaluate, or None.
        ageing: low, value (central) or high.
        generated: demands of the blocks of `traffic`.
    """
    document = with_generated(network.document, generated)
    return Scenario(network, Case(State.of(network.arrays), document, job, ageing), generated)


def apply_changes(
    origin: Scenario, changes: Sequence[Change], reader: FigureReader, where: str = "changes"
) -> Scenario:
    """Apply changes to a scenario.

    Structure changes come first, then workload, then state; within a level the order of the list counts.
    A fault that the origin has is refused only where the changes touch it, see `refused_faults`.

    Args:
        origin: scenario before the changes.
        changes: what to change.
        reader: source of catalogue figures.
        where: place of the list, for messages.

    Raises:
        ChangeError: a target is missing, a change does not apply, or the result cannot be built.
        TopologyError: the changed job is inconsistent.
    """
    scenario = edited(origin, changes, reader, where)
    after = check_buildable(origin, scenario, reader, where)
    scenario = replace(scenario, faults=lambda: after)
    check_job_shape(scenario.case.job, where)
    return scenario


def check_buildable(
    origin: Scenario, scenario: Scenario, reader: FigureReader, where: str = "changes"
) -> Mapping[str, BuildFault]:
    """Return the faults of a changed network that stand as they stood before.

    Raises:
        ChangeError: the changes make a fault, worsen one or touch one.
    """
    case, old = scenario.case, origin.case
    after = build_faults(case.state, case.document, reader, case.job)
    if after:
        known = origin.faults or (lambda: build_faults(old.state, old.document, reader, old.job))
        refuse_faults(known(), after, old.state, case.state, where)
    return after


def refuse_faults(
    before: Mapping[str, BuildFault], after: Mapping[str, BuildFault], old: State, new: State, where: str = "changes"
) -> None:
    """Raise ChangeError for faults that changes from one state to another make, worsen or touch."""
    refused = refused_faults(before, after, old, new)
    if refused:
        raise _build_error([fault.issue for fault in refused], where)


def check_job_shape(job: TrainingJob | None, where: str = "changes") -> None:
    """Raise TopologyError for a job whose parallelism does not hold together."""
    issues = [] if job is None else list(job_shape_issues(job))
    if issues:
        raise TopologyError("the job does not hold together", where=where, found=issues)


def edited(
    origin: Scenario,
    changes: Sequence[Change],
    reader: FigureReader,
    where: str = "changes",
    levels: Sequence[Level] = LEVELS,
) -> Scenario:
    """Apply changes of some levels to a scenario, in the order of the levels; what results may not be buildable.

    Args:
        origin: scenario before the changes.
        changes: what to change; those of other levels are left out.
        reader: source of catalogue figures.
        where: place of the list, for messages.
        levels: kinds of changes to apply.

    Raises:
        ChangeError: a target is missing, or a change does not apply.
    """
    scenario = origin
    for _, changed in apply_one_by_one(origin, changes, reader, where, levels):
        scenario = changed
    return scenario


def apply_one_by_one(
    origin: Scenario,
    changes: Sequence[Change],
    reader: FigureReader,
    where: str = "changes",
    levels: Sequence[Level] = LEVELS,
) -> Iterator[tuple[int, Scenario]]:
    """Yield the position of each change in the list, and the scenario after it and all changes applied before it.

    Arguments and errors are those of `edited`.
    """
    scenario = origin
    for level in levels:
        for i, change in enumerate(changes):
            if isinstance(change, level):
                case = scenario.case
                place, state = f"{where}[{i}] {change.kind}", case.state
                context = Context(place, case.document, state.node_ids, reader, state.arrays)
                scenario = _apply_one(scenario, change, context)
                yield i, scenario


def _apply_one(scenario: Scenario, change: Any, context: Context) -> Scenario:
    case = scenario.case
    if isinstance(change, StructureChange):
        network = change.edit_graph(scenario.network, context)
        try:
            arrays = network.arrays
        except TopologyError as error:
            raise _build_error(list(error.issues), context.where) from error
        # demands that a block made stay as they are; those of a removed node go with it
        generated = scenario.generated and scenario.generated.among(arrays.node_index)
        document = with_generated(network.document, generated)
        return Scenario(network, replace(case, state=State.of(arrays), document=document), generated)
    return replace(scenario, case=_changed_case(case, change, context))


def edited_case(case: Case, changes: Sequence[Change], reader: FigureReader, where: str = "changes") -> Case:
    """Return a case with changes of workload and state, in this order; changes of structure are left out.

    Raises:
        ChangeError: a target is missing, or a change does not apply.
    """
    for level in (WorkloadChange, StateChange):
        for i, change in enumerate(changes):
            if isinstance(change, level):
                place = f"{where}[{i}] {change.kind}"
                context = Context(place, case.document, case.state.node_ids, reader, case.state.arrays)
                case = _changed_case(case, change, context)
    return case


def _changed_case(case: Case, change: Any, context: Context) -> Case:
    if isinstance(change, WorkloadChange):
        document, job = change.edit_workload(case.document, case.job, context)
        return replace(case, document=document, job=job)
    return replace(case, state=change.overlay(case.state, context))


def _build_error(issues: Sequence[Issue], where: str) -> ChangeError:
    groups = grouped(issues)
    hints = list(dict.fromkeys(group[0].hint for group in groups if group[0].hint))[:MAX_HINTS]
    reasons = "; ".join(group_text(group, with_hint=False) for group in groups[:5])
    n_left_out = sum(len(group) for group in groups[5:])
    remainder = f"; and {n_left_out} more" if n_left_out else ""
    return ChangeError(f"cannot be built: {reasons}{remainder}", where=where, hint="; ".join(hints))
