"""Sentences of the planner: the verdict, the method, and what the next dollar does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors.wording import counted
from ..render.numbers import metric_text, number_text
from ..render.quantities import change_percent_text, names_text, usd_text
from .choice import Choice
from .question import PlanQuestion
from .records import Omitted, PlanWorth
from .search import Found
from .trial import OVER_BUDGET, Trial

MAX_LATE = 3
"""Most late candidates that a sentence names."""
FAILED = {"link": "a link", "srlg": "a shared risk", "site": "a site"}
"""What fails, by the name of the option."""
NOT_PRICED = "not priced: "
"""Start of the reason of a candidate without a price."""


def plan_verdict(
    choice: Choice, found: Found, best: Trial | None, names: Sequence[str], budget_reached: str, unpriced: str = ""
) -> Iterator[str]:
    """Yield the verdict on a plan.

    Args:
        choice: trials and their order.
        found: the search.
        best: the best set; None where no set meets the conditions.
        names: ids of its candidates.
        budget_reached: sentence on the next dollar.
        unpriced: sentence on candidates without a price.
    """
    question = choice.question
    if found.interrupted:
        yield "Interrupted: this is the best plan found so far, not the best of all."
    today = choice.goal(choice.trials[0])
    if best is None:
        priced = " with a price" if unpriced else ""
        yield f"No set of candidates{priced} meets the conditions{_within(question)}{_when(question)}."
        yield from _nearest(choice)
        if unpriced:
            yield unpriced
        return
    if not best.members:
        stated = any(not keep.is_default for keep in question.keeps)
        if question.aim == "money" and stated:
            yield f"Do nothing: the network as it is meets the conditions{_when(question)}."
        else:
            priced = " with a price" if unpriced else ""
            yield f"Do nothing: no set of candidates{priced} is better{_within(question)}{_when(question)}."
    else:
        after = choice.goal(best)
        change = f" ({text})" if today and after and (text := change_percent_text(today, after)) else ""
        goal = f"{question.goal} {metric_text(question.goal, today)} → {metric_text(question.goal, after)}{change}"
        yield f"{names_text(names, 8)}: {goal} for {usd_text(best.capex_usd or 0.0)}{_when(question)}."
        more_usd = opex_change_usd(choice, best)
        if more_usd:
            yield f"Running cost {'rises' if more_usd > 0 else 'falls'} by {usd_text(abs(more_usd))} a year."
        if best.lease_usd:
            yield f"Rent of what it leases out: {usd_text(best.lease_usd)} in present value."
    if budget_reached:
        yield budget_reached
    if unpriced:
        yield unpriced


def broken_sentence(names: Sequence[str], why: str) -> str:
    """Return which failure breaks the best set without failures; `names` are the ids of its candidates."""
    text = f"With {names_text(names, 8)}" if names else "With the network as it is"
    return f"{text}, the best without failures, a condition breaks {why}."


def losses_sentence(names: Sequence[str], losses: Sequence[tuple[str, float]], *, allowed: bool) -> Iterator[str]:
    """Yield how much demand failures leave without a path; nothing without losses.

    Args:
        names: ids of the candidates of the set.
        losses: id of each failure that cuts demand off, and how much, Gb/s; the most first.
        allowed: the conditions of the question allow it.
    """
    if not losses:
        return
    (first, most_gbps), n = losses[0], len(losses)
    text = f"With {names_text(names, 8)}" if names else "With the network as it is"
    others = f"; {counted(n - 1, 'other failure')} cut{'s' if n == 2 else ''} demand off, too" if n > 1 else ""
    yield f"{text}, the failure of {first} leaves {number_text(most_gbps, 'Gb/s')} of demand without a path{others}."
    if not allowed:
        yield "A condition on unrouted_gbps or demand_satisfied_ratio allows that."


def worth_sentences(worth: PlanWorth | None) -> Iterator[str]:
    """Yield what the plan is worth, and whether it loses money."""
    if worth is None:
        yield "The net present value is unknown: a price is missing."
    elif worth.loss is not None:
        yield worth.loss
    else:
        value, years = usd_text(worth.horizon.npv_usd), worth.horizon.years
        yield f"Net present value {value} over {years:g} years, with work at list rental."


def opex_change_usd(choice: Choice, trial: Trial) -> float | None:
    """Return how much more a year of operation costs than today; None where a part has no price."""
    today = choice.trials[0].opex_usd_per_year
    return None if today is None or trial.opex_usd_per_year is None else trial.opex_usd_per_year - today


def _within(question: PlanQuestion) -> str:
    return "" if question.budget_usd is None else f" within {usd_text(question.budget_usd)}"


def _when(question: PlanQuestion) -> str:
    start = f" from {question.by}" if question.by else ""
    end = f" until the end of {question.until}" if question.until else ""
    failures = f", after any single failure of {FAILED[question.robust_to]}" if question.robust_to else ""
    return f"{start}{end}{failures}"


def _nearest(choice: Choice) -> Iterator[str]:
    """Yield the best value of each condition over all sets that were evaluated."""
    for i, keep in enumerate(choice.question.keeps):
        values = [value for trial in choice.trials.values() if (value := choice.keep_value(trial, i)) is not None]
        if not values:
            yield f"{keep.text}: no set has a value."
            continue
        nearest = max(values) if keep.sense == ">=" else min(values)
        if not keep.holds(nearest):
            yield f"{keep.text}: the nearest that any set comes is {metric_text(keep.metric, nearest)}."


def _not_evaluated(found: Found) -> str:
    """Return how many sets were not evaluated, by reason; empty where all were."""
    rest = [trial for trial in found.trials.values() if not trial.values]
    n_over, n_unpriced = sum(trial.why == OVER_BUDGET for trial in rest), sum(trial.is_unpriced for trial in rest)
    counts = {
        OVER_BUDGET: n_over,
        "without a price": n_unpriced,
        "cannot be built": len(rest) - n_over - n_unpriced,
    }
    text = ", ".join(f"{n:,} {reason}" for reason, n in counts.items() if n)
    return f"; {text}" if text else ""


def unpriced_sentence(rows: Sequence[tuple[str, str]]) -> str:
    """Return a sentence on candidates without a price; empty for none.

    Args:
        rows: (id, reason) of each; no reason where that stands in `left_out`.
    """
    if not rows:
        return ""
    texts = list(dict.fromkeys(why.removeprefix(NOT_PRICED) for _, why in rows if why))
    if not all(why for _, why in rows):
        texts.append("see what is left out")
    reasons = "; ".join(texts)
    names = names_text([name for name, _ in rows])
    return f"No price for {counted(len(rows), 'candidate')}: {names} ({reasons}). They are not compared."


def late_sentence(late: Sequence[Omitted], question: PlanQuestion) -> str:
    """Return a sentence on candidates that are not built by the day of the question; empty for none."""
    if not late:
        return ""
    texts = [f"{row.id}: {row.why.partition(': ')[2]}" for row in late[:MAX_LATE]]
    more = f"; and {counted(len(late) - MAX_LATE, 'other')}" if len(late) > MAX_LATE else ""
    return f"Too late for {question.by}: {'; '.join(texts)}{more}. Lead times are assumed unless stated."


def method_sentence(found: Found, n_candidates: int, n_evaluated: int, bound: float | None, goal: str) -> str:
    """Return a sentence on how far the search decides the question."""
    n = counted(n_candidates, "candidate")
    if found.interrupted:
        return f"Interrupted after {counted(len(found.trials), 'set')} of {n}; better sets may exist."
    if found.is_exact:
        return (
            f"Exact: all {counted(found.n_sets or 0, 'allowed set')} of {n} were looked at, "
            f"{n_evaluated:,} evaluated{_not_evaluated(found)}."
        )
    n_kept = found.kept.bit_count()
    text = (
        f"Not exact over all {n}: every set of the {n_kept} most promising was looked at ({len(found.trials):,} sets), "
        f"and none of the other {n_candidates - n_kept} improves the plan"
    )
    if bound is not None:
        return f"{text}. No set has a better {goal} than {metric_text(goal, bound)}."
    return f"{text}. No bound is known for {goal}."
