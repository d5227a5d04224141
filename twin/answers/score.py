"""Score of a network: every metric of one case with its unit, the bottlenecks and the assumptions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..catalogue.figure_reader import UsedFigure
from ..economics.lease import Lease
from ..errors import CatalogueError, TwinError, did_you_mean
from ..model.unused_fields import UnusedField
from ..render.numbers import metric_text
from ..render.score_table import score_table
from ..stages.evaluation import Evaluation
from .data import Answer, to_data
from .jobs_together import JobAmongOthers
from .main_assumptions import MainAssumption, assumptions_of
from .metrics import METRICS, Better, NotApplicableError, metric_unit
from .phase_rows import PhaseRow, phase_rows
from .reasons import reasons
from .structure import Structure, has_traffic, structure_of
from .verdict import score_verdict
from .warning import AnswerWarning


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A metric of one case. The value is null where the metric does not apply; `why` then gives the reason."""

    value: float | None
    unit: str
    better: Better
    label: str
    """Name of the metric for readers."""
    why: str = field(default="", metadata={"optional": True})


@dataclass(frozen=True, kw_only=True, repr=False)
class Score(Answer):
    """Every metric of a network as it is, its bottlenecks, and the assumptions behind them."""

    network: str
    as_of: str | None
    job: str | None
    summary: tuple[str, ...]
    """The verdict: state, bottleneck, main assumptions; one sentence each."""
    metrics: dict[str, MetricValue]
    utilisation_window: str = "step"
    """Time over which utilisation metrics are averaged."""
    utilisation_tier: str = "all"
    """Tier of the links that utilisation metrics count."""
    bottlenecks: tuple[str, ...]
    """The reasons: sentences on the bottleneck, stragglers, demands, optics, failures and the lease."""
    lease: Lease | None
    phases: tuple[PhaseRow, ...] = field(default=(), metadata={"optional": True})
    """Phases of the step that use the network; absent where there are none."""
    main_assumptions: tuple[MainAssumption, ...]
    """Assumptions that move the answer most; empty where they were not requested."""
    assumptions: tuple[UsedFigure, ...]
    """Figures that are estimates, and placeholder prices that no user has replaced."""
    n_figures: int
    """How many figures were used, estimates included."""
    structure: Structure | None = field(default=None, metadata={"optional": True})
    """Structure of a network without job and demands; absent for others."""
    unused: tuple[UnusedField, ...] = field(default=(), metadata={"optional": True})
    """Fields of the document that do not affect this answer; absent where there are none."""
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands, and inputs that it leaves out; absent where there are none."""
    jobs: tuple[JobAmongOthers, ...] = field(default=(), metadata={"optional": True})
    """Jobs that run together, each alone and among the others; absent for a single job."""

    def __getitem__(self, metric: str) -> float | None:
        return metric_of(self.metrics, metric).value

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __contains__(self, metric: object) -> bool:
        return metric in self.metrics

    def to_pandas(self, *, all_metrics: bool = False) -> Any:
        """Return the metrics as a DataFrame (needs the extra `tables`).

        all_metrics: include metrics that do not apply, with the reason in the column `why`.
        """
        rows = [
            {"metric": name, "why": "", **to_data(value)}
            for name, value in self.metrics.items()
            if all_metrics or value.value is not None
        ]
        columns = ("metric", "value", "unit", "better", "label", *(("why",) if all_metrics else ()))
        return data_frame(rows, columns, "metric")

    def _repr_html_(self) -> str:
        rows = [(v.label, metric_text(name, v.value)) for name, v in self.metrics.items() if v.value is not None]
        title = f"{self.network} · {self.job or 'no job'}"
        return html_table(title, ("metric", "value"), rows, self.bottlenecks, self.summary)

    def _table(self) -> Any:
        return score_table(self.to_dict())


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


def score_of(e: Evaluation, name: str, main: Sequence[MainAssumption] = ()) -> Score:
    """Compute every metric of an evaluation.

    A metric that does not apply, or grows without bound, has the value None and a reason.

    Args:
        e: evaluation of the case.
        name: name of the network.
        main: main assumptions of the answer.
    """
    metrics = metric_values(e)
    as_of = e.case.document.as_of
    return Score(
        network=name,
        as_of=as_of.isoformat() if as_of else None,
        job=e.case.job.id if e.case.job else None,
        summary=score_verdict(e, {key: metric.value for key, metric in metrics.items()}, main),
        metrics=metrics,
        bottlenecks=tuple(reasons(e)),
        lease=e.lease,
        phases=phase_rows(e),
        main_assumptions=tuple(main),
        assumptions=assumptions_of(e.used_figures),
        n_figures=len(e.used_figures),
        structure=None if has_traffic(e) else structure_of(e),
    )


BESIDE_TRAFFIC = "a score gives the structure of a network without job and demands; a sweep gives it for any"


def metric_values(e: Evaluation) -> dict[str, MetricValue]:
    """Compute every metric of an evaluation; null with a reason where one does not apply."""
    metrics = {}
    for key, metric in METRICS.items():
        unit = metric_unit(key)
        if metric.without_traffic_only and has_traffic(e):
            metrics[key] = MetricValue(None, unit, metric.better, metric.label, BESIDE_TRAFFIC)
            continue
        try:
            value = metric.compute(e)
            why = "" if math.isfinite(value) else "grows without bound"
            metrics[key] = MetricValue(value if math.isfinite(value) else None, unit, metric.better, metric.label, why)
        except NotApplicableError as reason:
            metrics[key] = MetricValue(None, unit, metric.better, metric.label, str(reason))
    return metrics


def html_table(
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str] = (),
    summary: Sequence[str] = (),
) -> str:
    """Return a plain HTML table for notebooks.

    Args:
        title: title of the answer.
        headings: headings of the columns; empty for no table.
        rows: cells as plain text; a cell that holds a number is aligned to the right.
        notes: sentences below the table.
        summary: verdict above the table.
    """
    from html import escape

    def cells(row: Sequence[str]) -> str:
        aligned = (("left" if i == 0 else "right", str(cell)) for i, cell in enumerate(row))
        return "".join(f"<td style='text-align:{side}'>{escape(cell)}</td>" for side, cell in aligned)

    head = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in headings)
    body = "".join(f"<tr>{cells(row)}</tr>" for row in rows)
    lead = "".join(f"<p style='margin:0'>{escape(line)}</p>" for line in summary)
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    listed = f"<ul>{items}</ul>" if items else ""
    table = f"<table><tr>{head}</tr>{body}</table>" if headings else ""
    return f"<div><b>{escape(title)}</b>{lead}{table}{listed}</div>"
