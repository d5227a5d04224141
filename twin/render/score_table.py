"""A score as text: the verdict, the metrics that apply, the main assumptions, the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from .fitted_table import Column, FittedTable
from .jobs_table import jobs_table
from .missing_metrics import missing_metrics
from .numbers import metric_cell, metric_text, unit_text
from .phases_table import phases_table
from .table_parts import answer_title, assumptions_line, main_assumptions_table, sentences, verdict, warning_lines

SHORT_METRICS = (
    "step_time_s",
    "compute_time_s",
    "bubble_time_s",
    "exposed_comm_time_s",
    "straggler_ratio",
    "mfu_ratio",
    "training_loss_ratio",
    "goodput_ratio",
    "goodput_tokens_per_s",
    "demand_satisfied_ratio",
    "unrouted_gbps",
    "max_link_utilisation_ratio",
    "worst_rtt_us",
    "min_coherent_margin_db",
    "min_direct_detect_margin_db",
    "n_links_fallen_back",
    "n_links_below_margin",
    "n_partitions",
    "unreachable_pairs_ratio",
    "n_single_points_of_failure",
    "n_bridges",
    "n_single_homed_end_points",
    "n_disjoint_site_paths",
    "leaf_oversubscription_ratio",
    "spine_oversubscription_ratio",
    "bisection_gbps",
    "n_diameter_hops",
    "latency_diameter_us",
    "capex_usd",
    "opex_usd_per_year",
    "usd_per_effective_pflop_day",
    "lease_break_even_usd_per_month",
    "lease_income_usd_per_year",
)
"""Metrics of the short table, in its order; `--all` shows all metrics."""
NEUTRAL = {
    "training_loss_ratio": 1.0,
    "unrouted_gbps": 0.0,
    "unreachable_pairs_ratio": 0.0,
    "n_links_fallen_back": 0.0,
    "capex_usd": 0.0,
    "lease_income_usd_per_year": 0.0,
}
"""Values that say that a metric does not matter here; the short table leaves such rows out."""


def score_table(data: Mapping[str, Any], *, all_metrics: bool = False) -> RenderableType:
    """Show `Score.to_dict()`.

    Args:
        data: the score.
        all_metrics: show every metric by its key, those without a value last.
    """
    tables = _every_metric(data) if all_metrics else [_short(data)]
    parts: list[RenderableType] = [Text.from_markup(answer_title(data)), *verdict(data["summary"]), Text(), *tables]
    parts += phases_table(data.get("phases", ())) if all_metrics else []
    parts += jobs_table(data.get("jobs", ()))
    parts += main_assumptions_table(data["main_assumptions"])
    parts += sentences("Reasons", data["bottlenecks"])
    parts += [Text(), *warning_lines(data), assumptions_line(data), *_unused_line(data.get("unused", ()))]
    return Group(*parts)


def _short(data: Mapping[str, Any]) -> RenderableType:
    metrics = data["metrics"]
    rows = [
        (escape(metric_heading(name, metrics[name]["label"])), metric_cell(name, metrics[name]["value"]))
        for name in SHORT_METRICS
        if metrics[name]["value"] is not None and metrics[name]["value"] != NEUTRAL.get(name)
    ]
    return FittedTable((Column("metric", folds=True), Column("value", "right")), rows)


def _every_metric(data: Mapping[str, Any]) -> list[RenderableType]:
    """Metrics with a value, then those without one by reason."""
    metrics = data["metrics"]
    known = [name for name in metrics if metrics[name]["value"] is not None]
    rows = [(name, metric_text(name, metrics[name]["value"])) for name in known]
    missing = {name: metrics[name].get("why", "") for name in metrics if metrics[name]["value"] is None}
    return [FittedTable((Column("key", folds=True), Column("value", "right")), rows), *missing_metrics(missing)]


def metric_heading(name: str, label: str) -> str:
    """Return the name of a metric for readers, with its unit."""
    unit = unit_text(name)
    return f"{label}, {unit}" if unit else label


def _unused_line(unused: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Return a line that names the fields no answer uses yet; no line if there are none."""
    if not unused:
        return []
    fields = ", ".join(f"{entry['field']} ({entry['n_records']})" for entry in unused)
    return [Text(f"Fields that no answer uses yet: {fields}. `twin topologies NETWORK` gives the reasons.")]
