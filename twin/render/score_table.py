"""A score as a table: metrics, bottlenecks, assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from .numbers import number_text
from .table_parts import answer_title, assumptions_line, bare_table, sentences, warning_lines

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
    "max_link_utilisation_ratio",
    "unrouted_gbps",
    "demand_satisfied_ratio",
    "worst_rtt_us",
    "min_coherent_margin_db",
    "min_direct_detect_margin_db",
    "n_links_fallen_back",
    "n_links_below_margin",
    "capex_usd",
    "opex_usd_per_year",
    "usd_per_effective_pflop_day",
    "lease_break_even_usd_per_month",
)
"""Metrics of the short table; `--all` shows all metrics."""


def score_table(data: Mapping[str, Any], *, all_metrics: bool = False) -> RenderableType:
    """Show `Score.to_dict()`.

    Args:
        data: the score.
        all_metrics: show every metric, also those without a value.
    """
    table = bare_table(answer_title(data))
    table.add_column("metric", no_wrap=True)
    table.add_column("value", justify="right")
    table.add_column("", style="dim", overflow="fold")
    for name, metric in data["metrics"].items():
        if all_metrics or (name in SHORT_METRICS and metric["value"] is not None):
            table.add_row(name, number_text(metric["value"], metric["unit"]), metric.get("why", ""))
    bottlenecks = sentences("What binds", data["bottlenecks"])
    return Group(
        table, Text(), *bottlenecks, assumptions_line(data), *_unused_line(data.get("unused", ())), *warning_lines(data)
    )


def _unused_line(unused: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Return a line that names the fields no answer uses yet; no line if there are none."""
    if not unused:
        return []
    fields = ", ".join(f"{entry['field']} ({entry['n_records']})" for entry in unused)
    return [Text(f"Fields that no answer uses yet: {fields}. `twin topologies` says why.", overflow="fold")]
