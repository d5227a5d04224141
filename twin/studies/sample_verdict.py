"""Verdict of a study of samples: which plan is best with which probability, and what to measure first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors.wording import counted
from ..render.numbers import metric_text
from ..render.quantities import names_text, percent_text

AS_IT_IS = "the network as it is"


def sample_verdict(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the sentences of the verdict, from the data of the answer."""
    metric, plans = report["metric"], report["plans"]
    for row in plans if len(plans) == 1 else _best_rows(report):
        interval = row["metrics"][metric]
        if interval["p50"] is None:
            why = next(iter(interval.get("why", {})), "")
            yield f"{plan_text(row['plan'])} has no {metric} in any sample: {why}."
            continue
        low, mid, high = (metric_text(metric, interval[key]) for key in ("p10", "p50", "p90"))
        spread = f"in eight samples of ten from {low} to {high}" if low != high else "the same in eight samples of ten"
        yield f"{_upper(plan_text(row['plan']))}: {metric} {mid}, {spread}."
    if len(plans) > 1:
        order = sorted(plans, key=lambda row: -row["best_ratio"])
        parts = [f"{plan_text(row['plan'])} in {percent_text(row['best_ratio'])}" for row in order]
        yield f"Best on {metric}: {names_text(parts, 6)} of {report['n_samples']:,} samples."
    yield from _what_to_measure(report)
    yield from _without_value(report)


def plan_text(plan: str | None) -> str:
    """Return the name of a plan for a sentence."""
    return AS_IT_IS if plan is None else plan


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:] if text == AS_IT_IS else text


def _best_rows(report: Mapping[str, Any]) -> list[Any]:
    return [row for row in report["plans"] if row["plan"] == report["best"]]


def _what_to_measure(report: Mapping[str, Any]) -> Iterator[str]:
    metric, rows = report["metric"], report["tornado"]
    if not rows:
        if not report["inputs"]:
            yield f"No input has a range that could move {metric}."
        return
    if len(report["plans"]) == 1:
        first = max(rows, key=lambda row: float("inf") if row["swing"] is None else row["swing"])
        yield f"{_capital(first['label'])} moves it most; settled by {first['settled_by']}."
        return
    top, noise = rows[0], report["worth_noise"]
    if top["worth"] <= noise:
        yield "No single input moves the decision by more than the estimate can tell."
    else:
        worth = metric_text(metric, top["worth"])
        yield f"Measure {top['label']} first ({top['settled_by']}): to know it before the choice is worth {worth}."
    yield f"To know every input before the choice is worth {metric_text(metric, report['worth_of_all'])}."
    flips = [row["label"] for row in rows if row["flips"]]
    if flips:
        yield f"Alone, {names_text(flips)} can make another plan the best one."


def _without_value(report: Mapping[str, Any]) -> Iterator[str]:
    n = report["n_samples"]
    for row in report["plans"]:
        name = _upper(plan_text(row["plan"]))
        if row["n_infeasible"]:
            why = next(iter(row["infeasible"]))
            yield f"{name}: the job cannot run in {row['n_infeasible']:,} of {n:,} samples ({why})."
        if row["n_with_links_down"]:
            yield f"{name}: links are down in {counted(row['n_with_links_down'], 'sample')} that are up otherwise."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
