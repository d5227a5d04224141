"""Regression fixtures: what the twin says today, to be kept."""

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
"""Room for another order of additions, and nothing else."""
AT_ZERO_ABS = 1e-9


def record(
    network: str,
    jobs: Iterable[str] | None = None,
    plans: Iterable[str] | None = None,
    metrics: Iterable[str] = tuple(METRICS),
) -> dict[str, Any]:
    """A `whatif` fixture of a network of the catalogue: as it stands and after each plan, for each job; None = all.

    A refused plan is recorded as the error that it must go on to be refused with. Raises CatalogueError for an unknown
    network or metric.
    """
    document = load(network).document
    job_ids: list[str | None] = list(jobs) if jobs is not None else [job.id for job in document.jobs]
    plan_ids = list(plans) if plans is not None else [plan.id for plan in document.plans]
    wanted = list(metrics)
    cases = []
    for job in job_ids or [None]:
        for plan in (None, *plan_ids):
            given = {"network": network, "job": job, "plan": plan}
            given = {name: value for name, value in given.items() if value is not None}
            name = f"{plan or 'as it stands'}, {job}" if job else plan or "as it stands"
            cases.append({"id": name, "given": given, "expect": _answer(given, wanted)})
    return {
        "kind": "whatif",
        "source": "regression",
        "origin": f"recorded from the twin itself: {network} with every plan; a difference is a change to be explained",
        "tolerance": {name: {"rel": REGRESSION_REL, "abs": AT_ZERO_ABS} for name in wanted},
        "cases": cases,
    }


def write_record(network: str, path: str | Path) -> None:
    """Record every job and plan of a network into a JSON file."""
    text = json.dumps(record(network), indent=1, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def _answer(given: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    try:
        figures = run_whatif(WhatIfGiven.model_validate(given), frozenset(wanted))
    except TwinError as error:
        return {"error": type(error).__name__, "contains": error.problem}
    return {name: value if isinstance(value := figures[name], float) else None for name in wanted}
