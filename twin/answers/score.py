"""A score: every metric of one case with unit and direction, what binds, and what it leans on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..catalogue.figure_reader import PLACEHOLDER, UsedFigure
from ..economics.lease import Lease
from ..errors import CatalogueError, TwinError, did_you_mean
from ..model.unused_fields import UnusedField
from ..stages.evaluation import Evaluation
from .metrics import METRICS, NotApplicableError, metric_unit
from .summary_text import bottleneck_sentences


@dataclass(frozen=True, slots=True)
class Value:
    """One metric of one case; null with a `why` where it does not apply."""

    value: float | None
    unit: str
    better: str
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """`{value, unit, better}`, and `why` where there is no value."""
        data: dict[str, Any] = {"value": self.value, "unit": self.unit, "better": self.better}
        return data | {"why": self.why} if self.value is None else data


@dataclass(frozen=True)
class Score:
    """What the twin says about a network and a job. The same bytes for the same question, whoever asks."""

    network: str
    as_of: str | None
    job: str | None
    metrics: dict[str, Value]
    bottlenecks: tuple[str, ...]
    lease: Lease | None
    assumptions: tuple[UsedFigure, ...]
    """Figures that are estimates, and placeholder prices that no user has replaced."""
    n_figures: int
    """How many figures were used, estimates included."""
    unused: tuple[UnusedField, ...] = ()
    """What the document states and this answer does not depend on."""

    def __getitem__(self, metric: str) -> float | None:
        return metric_of(self.metrics, metric).value

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __contains__(self, metric: object) -> bool:
        return metric in self.metrics

    def to_dict(self) -> dict[str, Any]:
        """Plain data without clock, paths or random ids."""
        return {
            "network": self.network,
            "as_of": self.as_of,
            "job": self.job,
            "metrics": {name: value.to_dict() for name, value in self.metrics.items()},
            "utilisation_window": "step",
            "utilisation_tier": "all",
            "bottlenecks": list(self.bottlenecks),
            "lease": lease_to_dict(self.lease),
            "assumptions": [used_figure_to_dict(each) for each in self.assumptions],
            "n_figures": self.n_figures,
        } | ({"unused": [each.to_dict() for each in self.unused]} if self.unused else {})

    def to_json(self, indent: int | None = 1) -> str:
        """`to_dict` as JSON text, ending in a newline."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"

    def to_pandas(self) -> Any:
        """The metrics as a DataFrame (needs the extra `tables`)."""
        rows = [{"metric": name, **value.to_dict()} for name, value in self.metrics.items()]
        return data_frame(rows, ("metric", "value", "unit", "better", "why"), "metric")

    def _repr_html_(self) -> str:
        rows = [(name, show(v.value, v.unit), v.why) for name, v in self.metrics.items()]
        return html_table(f"{self.network} · {self.job or 'no job'}", ("metric", "value", ""), rows, self.bottlenecks)


def metric_of(metrics: Mapping[str, Value], name: str) -> Value:
    """A metric by name. Raises CatalogueError with near names."""
    if name not in metrics:
        raise CatalogueError(
            f"no metric {name!r}", expected=f"one of {', '.join(metrics)}", hint=did_you_mean(name, metrics)
        )
    return metrics[name]


def data_frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], index: str | None = None) -> Any:
    """Rows as a pandas DataFrame. Raises TwinError that names the extra where pandas is not installed."""
    try:
        import pandas as pd
    except ImportError as error:
        raise TwinError("pandas is not installed", hint="pip install 'dc-twin[tables]'") from error
    frame = pd.DataFrame(list(rows), columns=list(columns))
    return frame if index is None else frame.set_index(index)


def score_of(e: Evaluation, name: str) -> Score:
    """Every metric of an evaluation; `name` is what the network is called."""
    metrics = {}
    for key, metric in METRICS.items():
        unit = metric_unit(key)
        try:
            value = metric.compute(e)
            why = "" if math.isfinite(value) else "grows without bound"
            metrics[key] = Value(value if math.isfinite(value) else None, unit, metric.better, why)
        except NotApplicableError as reason:
            metrics[key] = Value(None, unit, metric.better, str(reason))
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
    """Figures that are estimates, and placeholder prices that no user has replaced."""
    return tuple(used for used in used_figures if used.status in ("estimate", PLACEHOLDER))


def used_figure_to_dict(used_figure: UsedFigure) -> dict[str, Any]:
    """A figure as data."""
    return {name: getattr(used_figure, name) for name in UsedFigure.__slots__}


def lease_to_dict(lease: Lease | None) -> dict[str, Any] | None:
    """The lease question as data."""
    return None if lease is None else {name: getattr(lease, name) for name in Lease.__dataclass_fields__}


def show(value: float | None, unit: str) -> str:
    """A value for people: four figures, thousands apart, money and rates in k, M, B."""
    if value is None:
        return "–"
    if unit == "USD" or unit.startswith("USD/"):
        return f"{'-' if value < 0 else ''}${_scaled(abs(value))}{unit.removeprefix('USD')}"
    return _figures(value) + ("" if unit == "1" else f" {unit}")


def _scaled(value: float) -> str:
    for size, letter in ((1e9, "B"), (1e6, "M")):
        if value >= size:
            return f"{value / size:.4g}{letter}"
    return _figures(value)


def _figures(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def html_table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], notes: tuple[str, ...]) -> str:
    """A plain HTML table for notebooks."""
    from html import escape

    cells = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<div><b>{escape(title)}</b><table><tr>{cells}</tr>{body}</table><ul>{listed}</ul></div>"
