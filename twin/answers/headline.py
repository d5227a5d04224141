"""The headline metric of an answer: the one that its verdict is about."""

from __future__ import annotations

import math

from ..stages.evaluation import Evaluation
from .metrics import METRICS, NotApplicableError

HEADLINES = (
    "goodput_tokens_per_s",
    "demand_satisfied_ratio",
    "max_link_utilisation_ratio",
    "min_margin_db",
)
"""Metrics that a verdict may be about, the most important first."""


def headline_metric(e: Evaluation) -> str | None:
    """Return the first headline metric that says something about a case; None where none applies.

    Carried demand says nothing where all of it is carried; the busiest link does then.
    """
    for name in HEADLINES:
        value = metric_or_none(e, name)
        if value is not None and not (name == "demand_satisfied_ratio" and value == 1.0):
            return name
    return None


def metric_or_none(e: Evaluation, name: str) -> float | None:
    """Return a metric of a case; None where it does not apply or is not finite."""
    try:
        value = METRICS[name].compute(e)
    except NotApplicableError:
        return None
    return value if math.isfinite(value) else None
