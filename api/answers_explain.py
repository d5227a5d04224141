"""What is answered about what is in the way of a step, and about inputs that are varied, as types."""

from __future__ import annotations

from twin.answers.explanation import CauseShare
from twin.catalogue.figure_reader import UsedFigure

from .answers import Answer

Point = list[float | str]


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
    overlap_time_s: float
    """What phases hide behind one another: step = compute + bubble + exposed_s of all phases + this."""
    straggler_ratio: float
    goodput_ratio: float
    exchange: str
    """How the sites exchange gradients."""
    causes: list[CauseShare]
    summary: list[str]
    assumptions: list[UsedFigure]


class VariedInput(Answer):
    """An input and the values it took."""

    path: str
    values: Point


class SweepAnswer(Answer):
    """A metric over one or two inputs, the last of them fastest."""

    network: str
    job: str | None
    plan: str | None
    metric: str
    unit: str
    axes: list[VariedInput]
    values: list[float | None]
    """Of the metric, one a point; null where it does not apply."""
    why: list[str]
    """One a point: why there is no value, else empty."""
    knees: list[Point]
    """Inputs at which the curve bends most, one for each value of the other input where it bends at all."""
    against: str | None
    against_value: float | None
    """The metric with that plan."""
    crossings: list[Point]
    """Inputs at which the metric crosses that value, interpolated along the first input."""
