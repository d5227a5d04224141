"""The causes of a step's length, from the outcomes of an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError
from ..training.balancing_rules import BalancingRules
from ..training.causes import Attribution, CauseInputs, attribute
from .evaluation import Evaluation


def step_causes(e: Evaluation, reader: FigureReader, notify: Callable[[str], None] | None = None) -> Attribution:
    """Attribute the length of a step to its causes.

    Args:
        e: the evaluation of a case with a job.
        reader: source of figures.
        notify: told which limits are removed next.

    Returns:
        The step with each combination of causes removed.

    Raises:
        ChangeError: the case has no step.
    """
    case, demands = e.case, e.demands
    if e.step is None or case.job is None or e.placed is None or e.flows is None or e.accelerators is None:
        raise ChangeError("there is no step to explain", where="explain", hint=e.why_no_step)
    assert e.loads is not None
    assert e.clean_loads is not None
    assert e.hashed_flows is not None
    assert e.free_capacity is not None
    inputs = CauseInputs(
        state=case.state,
        document=case.document,
        job=case.job,
        placed=e.placed,
        flows=e.flows,
        accelerators=e.accelerators,
        loads=e.loads,
        clean_loads=e.clean_loads,
        health=e.health,
        carried_gbps=None if demands is None else demands.arc_carried_gbps,
        hashed=e.hashed_flows,
        balancing=cast(BalancingRules, e.outcome("arc_balancing")),
        limits=e.free_capacity,
    )
    return attribute(inputs, reader.fresh(), notify)
