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
    scenario = origin
    for _, changed in apply_one_by_one(origin, changes, reader, where):
        scenario = changed
    after = build_faults(scenario.case.state, scenario.case.document, reader)
    if after:
        known = origin.faults or (lambda: build_faults(origin.case.state, origin.case.document, reader))
        refused = refused_faults(known(), after, origin.case.state, scenario.case.state)
        if refused:
            raise _build_error([fault.issue for fault in refused], where)
    scenario = replace(scenario, faults=lambda: after)
    if scenario.case.job is not None:
        job_issues = list(job_shape_issues(scenario.case.job))
        if job_issues:
            raise TopologyError("the job does not hold together", where=where, found=job_issues)
    return scenario


def apply_one_by_one(
    origin: Scenario, changes: Sequence[Change], reader: FigureReader, where: str = "changes"
) -> Iterator[tuple[int, Scenario]]:
    """Yield the position of each change in the list, and the scenario after it and all changes applied before it.

    Structure changes come first, then workload, then state. Nothing checks that the scenarios can be built.

    Args:
        origin: scenario before the changes.
        changes: what to change.
        reader: source of catalogue figures.
        where: place of the list, for messages.
    """
    scenario = origin
    order = [(level, i) for level in (StructureChange, WorkloadChange, StateChange) for i, _ in enumerate(changes)]
    for level, i in order:
        change = changes[i]
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
    if isinstance(change, WorkloadChange):
        document, job = change.edit_workload(case.document, case.job, context)
        return replace(scenario, case=replace(case, document=document, job=job))
    return replace(scenario, case=replace(case, state=change.overlay(case.state, context)))


def _build_error(issues: Sequence[Issue], where: str) -> ChangeError:
    groups = grouped(issues)
    reasons = "; ".join(group_text(group, with_hint=False) for group in groups[:5])
    n_left_out = sum(len(group) for group in groups[5:])
    remainder = f"; and {n_left_out} more" if n_left_out else ""
    return ChangeError(f"cannot be built: {reasons}{remainder}", where=where, hint=issues[0].hint)
