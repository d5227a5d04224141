"""Score of a network: every metric of one case with its unit, the bottlenecks and the assumptions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..catalogue.figure_reader import PLACEHOLDER, UsedFigure
from ..economics.lease import Lease
from ..errors import CatalogueError, TwinError, did_you_mean
from ..model.unused_fields import UnusedField
from ..render.numbers import number_text
from ..stages.evaluation import Evaluation
from .data import Answer, to_data
from .metrics import METRICS, Better, NotApplicableError, metric_unit
from .missing_inputs import MissingInput
from .summary_text import bottleneck_sentences


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A metric of one case. The value is null where the metric does not apply; `why` then gives the reason."""

    value: float | None
    unit: str
    better: Better
    why: str = field(default="", metadata={"optional": True})


@dataclass(frozen=True, kw_only=True)
class Score(Answer):
    """Every metric of a network as it is, its bottlenecks, and the assumptions behind them."""

    network: str
    as_of: str | None
    job: str | None
    metrics: dict[str, MetricValue]
    utilisation_window: str = "step"
    """Time over which utilisation metrics are averaged."""
    utilisation_tier: str = "all"
    """Tier of the links that utilisation metrics count."""
    bottlenecks: tuple[str, ...]
    lease: Lease | None
    assumptions: tuple[UsedFigure, ...]
    """Figures that are estimates, and placeholder prices that no user has replaced."""
    n_figures: int
    """How many figures were used, estimates included."""
    unused: tuple[UnusedField, ...] = field(default=(), metadata={"optional": True})
    """Fields of the document that do not affect this answer; absent where there are none."""
    warnings: tuple[MissingInput, ...] = field(default=(), metadata={"optional": True})
    """Inputs that some links leave out, and what the answer assumes for them; absent where there are none."""

    def __getitem__(self, metric: str) -> float | None:
        return metric_of(self.metrics, metric).value

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __contains__(self, metric: object) -> bool:
        return metric in self.metrics

    def to_pandas(self) -> Any:
        """Return the metrics as a DataFrame (needs the extra `tables`)."""
        rows = [{"metric": name, **to_data(value)} for name, value in self.metrics.items()]
        return data_frame(rows, ("metric", "value", "unit", "better", "why"), "metric")

    def _repr_html_(self) -> str:
        rows = [(name, number_text(v.value, v.unit), v.why) for name, v in self.metrics.items()]
        return html_table(f"{self.network} · {self.job or 'no job'}", ("metric", "value", ""), rows, self.bottlenecks)


def metric_of(metrics: Mapping[str, MetricValue], name: str) -> MetricValue:
    """Return a metric by name. Raises CatalogueError with near names."""
    if name not in metrics:
        raise CatalogueError(
            f"no metric {name!r}", expected=f"one of {', '.join(metrics)}", hint=did_you_mean(name, metrics)
        )
    return metrics[name]


def data_frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], index: str | None = None) -> Any:
    """Return rows as a pandas DataFrame. Raises TwinError that names the extra where pandas is not installed."""
    try:
        import pandas as pd
    except ImportError as error:
        raise TwinError("pandas is not installed", hint="pip install 'dc-twin[tables]'") from error
    frame = pd.DataFrame(list(rows), columns=list(columns))
    return frame if index is None else frame.set_index(index)


def score_of(e: Evaluation, name: str) -> Score:
    """Compute every metric of an evaluation.

    A metric that does not apply, or grows without bound, has the value None and a reason.

    Args:
        e: evaluation of the case.
        name: name of the network.
    """
    metrics = {}
    for key, metric in METRICS.items():
        unit = metric_unit(key)
        try:
            value = metric.compute(e)
            why = "" if math.isfinite(value) else "grows without bound"
            metrics[key] = MetricValue(value if math.isfinite(value) else None, unit, metric.better, why)
        except NotApplicableError as reason:
            metrics[key] = MetricValue(None, unit, metric.better, str(reason))
    as_of = e.case.document.as_of
    return Score(
        network=name,
        as_of=as_of.isoformat() if as_of else None,
        job=e.case.job.id if e.case.job else None,
        metrics=metrics,
        bottlenecks=tuple(bottleneck_sentences(e)),
        lease=e.lease,
        assumptions=assumptions_of(e.used_figures),
        n_figures=len(e.used_figures),
    )


def assumptions_of(used_figures: Iterable[UsedFigure]) -> tuple[UsedFigure, ...]:
    """Return the figures that are estimates, and the placeholder prices that no user has replaced."""
    return tuple(used for used in used_figures if used.status in ("estimate", PLACEHOLDER))


def html_table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], notes: tuple[str, ...]) -> str:
    """Return a plain HTML table for notebooks."""
    from html import escape

    head_cells = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<div><b>{escape(title)}</b><table><tr>{head_cells}</tr>{body}</table><ul>{items}</ul></div>"
