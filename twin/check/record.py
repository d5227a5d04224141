"""Regression fixtures: recorded answers of the twin that must not change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..answers.metrics import METRICS
from ..errors import TwinError
from ..loading import load
from .whatif import WhatIfGiven, run_whatif

REGRESSION_REL = 1e-9
"""Tolerance for another order of additions only."""
AT_ZERO_ABS = 1e-9


def record(
    network: str,
    jobs: Iterable[str] | None = None,
    plans: Iterable[str] | None = None,
    metrics: Iterable[str] = tuple(METRICS),
) -> dict[str, Any]:
    """Record a `whatif` fixture of a shipped network: unchanged and after each plan, for each job.

    None means all jobs or plans. A refused plan is recorded with its error. Raises CatalogueError for an unknown
    network or metric.
    """
    document = load(network).document
    job_ids: list[str | None] = list(jobs) if jobs is not None else [job.id for job in document.jobs]
    plan_ids = list(plans) if plans is not None else [plan.id for plan in document.plans]
    metric_names = list(metrics)
    cases = []
    for job in job_ids or [None]:
        for plan in (None, *plan_ids):
            given = {"network": network, "job": job, "plan": plan}
            given = {name: value for name, value in given.items() if value is not None}
            name = f"{plan or 'as it stands'}, {job}" if job else plan or "as it stands"
            cases.append({"id": name, "given": given, "expect": _expected_of(given, metric_names)})
    return {
        "kind": "whatif",
        "source": "regression",
        "origin": f"recorded from the twin itself: {network} with every plan; a difference is a change to be explained",
        "tolerance": {name: {"rel": REGRESSION_REL, "abs": AT_ZERO_ABS} for name in metric_names},
        "cases": cases,
    }


def write_record(network: str, path: str | Path) -> None:
    """Record all jobs and plans of a network in a JSON file."""
    text = json.dumps(record(network), indent=1, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def _expected_of(given: dict[str, Any], metric_names: list[str]) -> dict[str, Any]:
    try:
        figures = run_whatif(WhatIfGiven.model_validate(given), frozenset(metric_names))
    except TwinError as error:
        return {"error": type(error).__name__, "contains": error.problem}
    return {name: value if isinstance(value := figures[name], float) else None for name in metric_names}
