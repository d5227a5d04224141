"""What is answered about what is in the way of a step, as types."""

from __future__ import annotations

from twin.analysis.figures import Lean
from twin.score.explain import CauseShare

from .answers import Answer


class ExplainAnswer(Answer):
    """A step taken apart, and the gap to the step it could be shared out among eight causes, the largest first."""

    network: str
    as_of: str | None
    job: str
    plan: str | None
    """The plan that came first; `changes` where changes did."""
    step_time_s: float
    ideal_step_time_s: float
    """With every cause taken away."""
    gap_s: float
    compute_time_s: float
    bubble_time_s: float
    exposed_s: dict[str, float]
    """By phase: the step less the step without that phase."""
    straggler_ratio: float
    goodput_ratio: float
    exchange: str
    """How the sites exchange gradients."""
    causes: list[CauseShare]
    words: list[str]
    leans_on: list[Lean]
