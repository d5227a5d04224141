"""Answer of a study of samples: intervals of metrics, which plan is better how often, and what moves the decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..answers.data import Answer
from ..answers.metric import Better
from ..answers.score import data_frame, html_table
from ..answers.warning import AnswerWarning
from ..render.quantities import percent_text
from ..render.sample_table import sample_table
from .uncertain_inputs import UncertainInput

PROBABILITIES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Interval:
    """A metric of one plan over all samples; null where no sample has a value, `why` then says why, with counts."""

    at_value: float | None
    """With every input at its most likely value."""
    p10: float | None
    p50: float | None
    p90: float | None
    unit: str
    n_null: int = field(default=0, metadata={"optional": True})
    """Samples without a value."""
    why: dict[str, int] = field(default_factory=dict, metadata={"optional": True})
    """Reasons with the number of samples."""
    beats_ratio: float | None = field(default=None, metadata={"optional": True})
    """Share of the samples in which the plan is better than the network as it is."""


@dataclass(frozen=True, slots=True)
class SampledPlan:
    """The network as it is, or after a plan, over all samples."""

    plan: str | None
    """Null for the network as it is."""
    best_ratio: float
    """Share of the samples in which it is the best of all on the metric of the decision."""
    n_infeasible: int
    """Samples in which the job cannot run."""
    infeasible: dict[str, int]
    """Reasons with the number of samples."""
    n_with_links_down: int
    """Samples in which more links are down than at the most likely values."""
    metrics: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Frequency with which one plan is better than another on the metric of the decision, in the same samples."""

    plan: str | None
    than: str | None
    better_ratio: float | None
    """Share of the samples in which `plan` is better; null where neither ever has a value."""
    equal_ratio: float | None
    n_samples: int
    """Samples in which at least one of them has a value; one without a value loses."""


@dataclass(frozen=True, slots=True)
class TornadoRow:
    """One input at both ends of its range, the others at their most likely values."""

    where: str
    label: str
    low: float
    high: float
    at_low: tuple[float | None, ...]
    """The metric of each plan, in the order of `plans`."""
    at_high: tuple[float | None, ...]
    swing: float | None
    """Distance that it moves the metric of the best plan; null where an end has no value."""
    lead_swing: float | None
    """Distance that it moves the lead of the best plan over the next one; null for a single plan."""
    best_at_low: str | None
    """Best plan there; null = the network as it is."""
    best_at_high: str | None
    flips: bool
    """True where an end has another best plan than the most likely values."""
    worth: float
    """Worth of knowing this input before the choice, in the unit of the metric."""
    settled_by: str


@dataclass(frozen=True, kw_only=True, repr=False)
class SampleReport(Answer):
    """Intervals of every metric under uncertain inputs, and what moves the choice between plans."""

    network: str
    as_of: str | None
    job: str | None
    summary: tuple[str, ...]
    n_samples: int
    years: float
    """Years after the day of the document."""
    seed: int
    metric: str
    """Metric of the decision."""
    unit: str
    better: Better
    plans: tuple[SampledPlan, ...]
    """The network as it is first."""
    comparisons: tuple[Comparison, ...]
    best: str | None
    """Plan that is best in the mean on the metric of the decision; null = the network as it is."""
    worth_of_all: float
    """Worth of knowing every input before the choice, in the unit of the metric."""
    worth_noise: float
    """Worth of inputs that do nothing, by the same estimate; a smaller worth says nothing."""
    tornado: tuple[TornadoRow, ...]
    """Inputs that move the metric: by worth above that of noise, then by the lead or, for a single plan, the metric."""
    inputs: tuple[UncertainInput, ...]
    """Every input that was sampled."""
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def interval(self, metric: str, plan: str | None = None) -> Interval:
        """Return the interval of a metric.

        Args:
            metric: name of a metric.
            plan: name of a plan of the question; None = the network as it is.

        Raises:
            KeyError: an unknown plan or metric.
        """
        by_plan = {row.plan: row for row in self.plans}
        return by_plan[plan].metrics[metric]

    def to_pandas(self) -> Any:
        """Return a DataFrame with one row for each plan and metric (needs the extra `tables`)."""
        names = ("plan", "metric", "unit", "at_value", "p10", "p50", "p90", "n_null")
        rows = [
            {"plan": row.plan, "metric": name, **{key: getattr(interval, key) for key in names[2:]}}
            for row in self.plans
            for name, interval in row.metrics.items()
        ]
        return data_frame(rows, names)

    def _repr_html_(self) -> str:
        intervals = [(row.plan or "as it is", row.metrics[self.metric], row.best_ratio) for row in self.plans]
        cells = [
            (name, *("–" if value is None else f"{value:.6g}" for value in (i.p10, i.p50, i.p90)), percent_text(best))
            for name, i, best in intervals
        ]
        heads = ("plan", "p10", "p50", "p90", "best")
        return html_table(f"{self.network}: {self.metric}, {self.unit}", heads, cells, (), self.summary)

    def _table(self) -> Any:
        return sample_table(self.to_dict())
