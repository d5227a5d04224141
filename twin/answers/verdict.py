"""Verdicts: the first lines of an answer. What changed by how much, the bottleneck, the cost, the main assumptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from ..errors.wording import counted
from ..render.numbers import metric_text, number_text, seconds_text
from ..render.quantities import MINUS, change_percent_text, is_noise, names_text, percent_text, usd_text
from ..stages.evaluation import Evaluation
from .arc_text import arc_name
from .main_assumptions import MainAssumption
from .metrics import METRICS, metric_unit
from .money_metrics import unpriced_purchases_text
from .reasons import bottleneck_text
from .structure import structure_changes, structure_sentences


def score_verdict(e: Evaluation, values: Mapping[str, float | None], main: Sequence[MainAssumption]) -> tuple[str, ...]:
    """Return the verdict on a network as it is.

    Args:
        e: evaluation of the network.
        values: its metrics.
        main: its main assumptions.
    """
    return (*_state(e, values), *_score_assumptions(main))


def diff_verdict(
    before: Evaluation,
    after: Evaluation,
    metrics: Mapping[str, tuple[float | None, float | None]],
    main: Sequence[MainAssumption],
) -> tuple[str, ...]:
    """Return the verdict on a change.

    Args:
        before: evaluation without the change.
        after: evaluation with the change.
        metrics: each metric before and after.
        main: main assumptions of the comparison.
    """
    return (
        *_changes(before, after, metrics),
        *_without_effect(before, after),
        *_cost(after, metrics),
        *_change_assumptions(main),
    )


def _state(e: Evaluation, values: Mapping[str, float | None]) -> Iterator[str]:
    if e.case.job is not None:
        yield from _job_state(e, values)
    elif e.demands is not None:
        text = _demand_text(values)
        yield f"{text[0].upper()}{text[1:]}."
        busiest = _busiest_text(e)
        if busiest:
            yield f"Busiest link: {busiest}."
    else:
        yield from structure_sentences(e)
        yield "The network has no job and no demands, so nothing uses its links. State demands or a job."
    margin = _lowest_margin_text(values)
    if e.case.job is None and margin:
        yield margin


def _job_state(e: Evaluation, values: Mapping[str, float | None]) -> Iterator[str]:
    if e.step is None:
        yield f"The job cannot run: {e.why_no_step}."
        return
    goodput = number_text(values["goodput_tokens_per_s"], "tokens/s")
    yield f"Step {seconds_text(e.step.step_time_s)}, goodput {goodput}, MFU {percent_text(e.step.mfu_ratio)}."
    yield f"Bottleneck: {bottleneck_text(e, e.step)}."


def _changes(
    before: Evaluation, after: Evaluation, metrics: Mapping[str, tuple[float | None, float | None]]
) -> Iterator[str]:
    if after.case.job is not None:
        yield from _job_changes(before, after, metrics)
        return
    if after.demands is not None:
        old, new = ({name: pair[side] for name, pair in metrics.items()} for side in (0, 1))
        texts = [_demand_text(values) for values in (old, new)]
        same = texts[0] == texts[1]
        yield f"As before, {texts[1]}." if same else f"Before: {texts[0]}. After: {texts[1]}."
        busiest = [_busiest_text(e) for e in (before, after)]
        if busiest[0] != busiest[1]:
            yield f"Busiest link before: {busiest[0] or 'none'}; after: {busiest[1] or 'none'}."
        old_db, new_db = metrics["min_margin_db"]
        if old_db is not None and new_db is not None and not is_noise(old_db, new_db):
            yield f"Lowest optical margin: {_db_text(new_db)} instead of {_db_text(old_db)}."
        return
    yield from structure_changes(before, after)
    for name in [name for name in OPTICAL_METRICS if _differs(metrics[name])][:2]:
        old_text, new_text = (metric_text(name, value) for value in metrics[name])
        yield f"{METRICS[name].label.capitalize()}: {new_text} instead of {old_text}."


def _job_changes(
    before: Evaluation, after: Evaluation, metrics: Mapping[str, tuple[float | None, float | None]]
) -> Iterator[str]:
    if after.step is None:
        yield f"After the change the job cannot run: {after.why_no_step}."
        return
    if before.step is None:
        yield f"The job can run after the change: step {seconds_text(after.step.step_time_s)}."
        yield f"Before, it could not run: {before.why_no_step}."
        return
    old_s, new_s = before.step.step_time_s, after.step.step_time_s
    old, new = metrics["goodput_tokens_per_s"]
    if is_noise(old_s, new_s):
        step = f"The step stays at {seconds_text(new_s)}"
    else:
        step = f"Step {seconds_text(new_s)} instead of {seconds_text(old_s)} ({change_percent_text(old_s, new_s)})"
    goodput = ""
    if old is not None and new is not None:
        same = is_noise(old, new)
        share = "" if same else f" ({change_percent_text(old, new)})"
        goodput = f", goodput {'stays at ' if same else ''}{number_text(new, 'tokens/s')}{share}"
    yield f"{step}{goodput}."
    texts = [bottleneck_text(e, e.step) for e in (before, after) if e.step is not None]
    if texts[0] == texts[1]:
        yield f"Bottleneck, unchanged: {texts[1]}."
    else:
        yield f"Bottleneck before: {texts[0]}."
        yield f"Bottleneck after: {texts[1]}."


FAILURES = {"goodput_tokens_per_s": "the job cannot run"}
"""What a missing value of a headline metric means, where it is not a link that is down."""
OPTICAL_METRICS = ("min_margin_db", "n_links_fallen_back", "n_links_below_margin")
"""Metrics beside the structure that a verdict without traffic names."""


def _without_effect(before: Evaluation, after: Evaluation) -> Iterator[str]:
    """Yield what a change is often taken for and does not do."""
    old, new = before.case, after.case
    if new.job is None and old.document.load_balancing != new.document.load_balancing:
        yield "The change of load balancing has no effect: it acts on jobs only, not on demands, and there is no job."
    splices = [case.state["span_n_splices"] for case in (old, new)]
    if len(splices[0]) == len(splices[1]) and (splices[1] > splices[0]).any():
        yield "Cut fibre is repaired: it has more splices and stays in use; for an outage use fail_links."


def _cost(after: Evaluation, metrics: Mapping[str, tuple[float | None, float | None]]) -> Iterator[str]:
    known_usd, (old_opex, new_opex) = after.money.capex_usd, metrics["opex_usd_per_year"]
    buy = f"{usd_text(known_usd)} to buy" if known_usd else "nothing to buy"
    if why := unpriced_purchases_text(after.money):
        buy = f"{buy} and items of unknown price, {why}" if known_usd else f"price unknown, {why}"
    running = "running cost unchanged"
    if old_opex is not None and new_opex is not None and not is_noise(old_opex, new_opex):
        less = new_opex < old_opex
        running = f"running cost {'falls' if less else 'rises'} by {usd_text(abs(new_opex - old_opex))} a year"
    rents = [metrics["lease_income_usd_per_year"][side] or 0.0 for side in (0, 1)]
    rent = f"; leases bring {usd_text(rents[1] - rents[0])} more a year" if rents[1] > rents[0] else ""
    yield f"Cost: {buy}; {running}{rent}."


def _demand_text(values: Mapping[str, float | None]) -> str:
    """Return the share of carried demand: `all demand is carried`, `82 % of the demand is carried`."""
    carried, unrouted_gbps = values["demand_satisfied_ratio"], values["unrouted_gbps"]
    without_path = f", {number_text(unrouted_gbps, 'Gb/s')} without a path" if unrouted_gbps else ""
    if carried is None:
        return f"the share of carried demand is unknown{without_path}"
    if carried >= 1.0:
        return "all demand is carried"
    return f"{percent_text(carried)} of the demand is carried{without_path}"


def _busiest_text(e: Evaluation) -> str:
    ratios = np.nan_to_num(e.arc_utilisation_ratio, posinf=0.0)
    arc = int(np.argmax(ratios)) if len(ratios) else -1
    return f"{arc_name(e, arc)}, {percent_text(float(ratios[arc]))}" if arc >= 0 and ratios[arc] > 0 else ""


def _lowest_margin_text(values: Mapping[str, float | None]) -> str:
    margin_db, n_below = values["min_margin_db"], int(values["n_links_below_margin"] or 0)
    if margin_db is None:
        return ""
    below = f"; {counted(n_below, 'link')} below the required margin" if n_below else ""
    return f"Lowest optical margin: {_db_text(margin_db)}{below}."


def _db_text(value_db: float) -> str:
    return f"{value_db:.1f} dB".replace("-", MINUS)


def _score_assumptions(main: Sequence[MainAssumption]) -> Iterator[str]:
    if main:
        name = main[0].moves
        yield f"Main assumptions: {_labels(main)}."
        ends = _range(main, lambda value: metric_text(name, value))
        yield f"One of them at the ends of its range: {METRICS[name].label} {ends}."


def _change_assumptions(main: Sequence[MainAssumption]) -> Iterator[str]:
    if main:
        name = main[0].moves
        yield f"Main assumptions: {_labels(main)}."
        ends = _range(main, _signed(name))
        yield f"One of them at the ends of its range: change of {METRICS[name].label} {ends}."


def _labels(main: Sequence[MainAssumption]) -> str:
    return names_text([assumption.label for assumption in main])


def _range(main: Sequence[MainAssumption], text: Callable[[float], str]) -> str:
    """The smallest and the largest result, each figure changed alone."""
    ends = [end for row in main for end in (row.at_low, row.at_high, row.at_value)]
    known = [end for end in ends if end is not None]
    fails = f", or {FAILURES.get(main[0].moves, 'a link is down')}" if len(known) < len(ends) else ""
    return f"{text(min(known))} to {text(max(known))}{fails}"


def _signed(metric: str) -> Callable[[float], str]:
    """A function that shows a change: a share as per cent, dB as they are."""
    unit = metric_unit(metric)

    def text(change: float) -> str:
        if unit == "dB":
            return f"{change:+.1f} dB".replace("-", "−")
        return ("+" if change > 0 else "") + percent_text(change)

    return text


def _differs(pair: tuple[float | None, float | None]) -> bool:
    old, new = pair
    return (old is None) != (new is None) or (old is not None and new is not None and not is_noise(old, new))
