"""A bound of the goal that no set of candidates passes, for searches that do not look at all sets."""

from __future__ import annotations

from ..answers.metrics import METRICS, NotApplicableError
from ..errors import TwinError
from ..scenario.apply import edited_case
from ..stages.evaluation import Evaluation
from .collect import Collected
from .sets import all_sets, bits_of

MAX_BOUND_SETS = 512
"""Most sets of candidates of accelerators and parallelism for which a bound is computed."""
NOT_OF_RATES = frozenset(
    {
        *("split_work", "synchronise", "set_load_balancing", "recover_job", "scale_demands", "set_wcmp_groups"),
        *("set_fibre", "set_channels", "set_transceivers", "swap_switches", "add_link", "remove_links"),
        *("age", "fail_links", "fail_srlg", "cut_fibre"),
    }
)
"""Changes that leave the rates of accelerators and the work of a step as they are."""


def goal_bound(goal: str, found: Collected) -> float | None:
    """Return a value that no set's goal is better than; None where none is known.

    A step takes at least the work of its batch over the sum of the rates of its accelerators: as if nothing were
    communicated, no accelerator waited and the pipeline had no bubble. The bound is the least of that over all sets
    of candidates that change accelerators, their number or the parallelism.

    Args:
        goal: metric; a bound is known for `step_time_s` and `tokens_per_s`.
        found: candidates of the question.
    """
    if goal not in ("step_time_s", "tokens_per_s"):
        return None
    within = 0
    for i, candidate in enumerate(found.candidates):
        if any(change.kind not in NOT_OF_RATES for change in candidate.changes):
            within |= 1 << i
    sets = all_sets(found.rules, MAX_BOUND_SETS, within=within)
    if sets is None:
        return None
    bounds = [bound for members in sets if (bound := _bound_of(goal, found, members)) is not None]
    if not bounds:
        return None
    return min(bounds) if METRICS[goal].better == "lower" else max(bounds)


def _bound_of(goal: str, found: Collected, members: int) -> float | None:
    """Return the bound with the accelerators and parallelism of a set; None where the job cannot run so."""
    structure = found.masks[0]
    case = found.task.variants.get(members & structure, "not compiled")
    if isinstance(case, str):
        return None
    changes = [change for i in bits_of(members) for change in found.candidates[i].changes]
    try:
        e = found.here.engine.evaluate(edited_case(case, changes, found.here.engine.reader))
        busy_s = _value(e, "compute_time_s") * (1.0 - _value(e, "straggler_ratio"))
        if goal == "step_time_s":
            return busy_s
        return _value(e, "tokens_per_s") * _value(e, "step_time_s") / busy_s
    except (TwinError, NotApplicableError):
        return None


def _value(e: Evaluation, metric: str) -> float:
    return METRICS[metric].compute(e)
