"""Changes applied in order: structure, workload, state; what cannot be built is refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..arrays import CompiledNetwork, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError, Issue, TopologyError
from ..formats.native import validate_as
from ..model.job_rules import job_shape_issues
from ..model.jobs import TrainingJob
from ..stages.evaluation import Case
from .change import Context, StateChange, StructureChange, WorkloadChange
from .changes import Change
from .feasibility import build_issues

MAX_CHANGES = 1000


@dataclass(frozen=True)
class Scenario:
    """A network, and the case that is asked of it."""

    network: CompiledNetwork
    case: Case


def parse_changes(data: Sequence[Any], where: str = "changes") -> tuple[Change, ...]:
    """Plain data as changes. Raises DocumentError with every bad field and near names."""
    changes = validate_as(tuple[Change, ...], [_plain(item) for item in data], where)
    if len(changes) > MAX_CHANGES:
        raise ChangeError(f"{len(changes)} changes", where=where, expected=f"at most {MAX_CHANGES}")
    return tuple(changes)


def _plain(item: Any) -> Any:
    return item if isinstance(item, Mapping) else item.model_dump(mode="json") if hasattr(item, "model_dump") else item


def baseline(network: CompiledNetwork, job: TrainingJob | None, ageing: AgeingCase = "value") -> Scenario:
    """The network as it is."""
    return Scenario(network, Case(State.of(network.arrays), network.document, job, ageing))


def apply_changes(
    origin: Scenario, changes: Sequence[Change], reader: FigureReader, where: str = "changes"
) -> Scenario:
    """The scenario after the changes. Raises ChangeError: target missing, not applicable, cannot be built."""
    known = build_issues(origin.case.state, origin.case.document, reader)
    scenario = origin
    order = [(floor, i) for floor in (StructureChange, WorkloadChange, StateChange) for i, _ in enumerate(changes)]
    for floor, i in order:
        change = changes[i]
        if isinstance(change, floor):
            context = Context(f"{where}[{i}] {change.kind}", scenario.case.document, reader)
            scenario = _apply(scenario, change, context)
    found = build_issues(scenario.case.state, scenario.case.document, reader)
    fresh = [issue for key, issue in found.items() if key not in known]
    if fresh:
        raise _not_buildable(fresh, where)
    if scenario.case.job is not None:
        wrong = list(job_shape_issues(scenario.case.job))
        if wrong:
            raise TopologyError("the job does not hold together", where=where, found=wrong)
    return scenario


def _apply(scenario: Scenario, change: Any, context: Context) -> Scenario:
    case = scenario.case
    if isinstance(change, StructureChange):
        network = change.edit_graph(scenario.network, context)
        try:
            arrays = network.arrays
        except TopologyError as error:
            raise _not_buildable(list(error.issues), context.where) from error
        return Scenario(network, replace(case, state=State.of(arrays), document=network.document))
    if isinstance(change, WorkloadChange):
        document, job = change.edit_workload(case.document, case.job, context)
        return replace(scenario, case=replace(case, document=document, job=job))
    return replace(scenario, case=replace(case, state=change.overlay(case.state, context)))


def _not_buildable(issues: Sequence[Issue], where: str) -> ChangeError:
    reasons = "; ".join(f"{issue.where}: {issue.problem}" for issue in issues[:5])
    more = f"; and {len(issues) - 5} more" if len(issues) > 5 else ""
    return ChangeError(f"cannot be built: {reasons}{more}", where=where, hint=issues[0].hint)
