"""Links one by one: budget, margin, rate and what holds it, latency split, load; what the metrics are made of."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..analysis.light import LIMITS
from ..arrays import TIERS
from .evaluate import Evaluation
from .score import data_frame, html_table

COLUMNS = (
    "id",
    "direction",
    "tier",
    "up",
    "n_members_up",
    "length_km",
    "loss_db",
    "received_dbm",
    "line_gsnr_db",
    "margin_db",
    "required_margin_db",
    "member_gbps",
    "lossless_gbps",
    "capacity_gbps",
    "limit",
    "loss_ratio",
    "goodput_ratio",
    "propagation_us",
    "fec_us",
    "switching_us",
    "queueing_us",
    "load_gbps",
    "utilisation_ratio",
)


@dataclass(frozen=True)
class LinkTable:
    """Two rows a link, one a direction; null where a notion does not apply (no margin on copper)."""

    network: str
    rows: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, `links` a list of rows with units in their names."""
        return {"network": self.network, "links": [dict(row) for row in self.rows]}

    def to_json(self, indent: int | None = 1) -> str:
        """`to_dict` as JSON text, ending in a newline."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"

    def to_pandas(self) -> Any:
        """The rows as a DataFrame (needs the extra `tables`)."""
        return data_frame(self.rows, COLUMNS)

    def _repr_html_(self) -> str:
        rows = [tuple("–" if row[name] is None else str(row[name]) for name in COLUMNS) for row in self.rows]
        return html_table(self.network, COLUMNS, rows, ())


def link_table(e: Evaluation, network: str, links: Iterable[int]) -> LinkTable:
    """Rows of these links, in the order given."""
    return LinkTable(network, tuple(_row(e, 2 * int(link) + side) for link in links for side in (0, 1)))


def _row(e: Evaluation, arc: int) -> dict[str, Any]:
    state, health, arrays, link = e.case.state, e.health, e.case.state.arrays, arc // 2
    head = arrays.node_ids[arrays.arc_head[arc]]
    tail = arrays.node_ids[arrays.arc_head[arc ^ 1]]
    values: tuple[Any, ...] = (
        arrays.link_ids[link],
        f"{tail} → {head}",
        TIERS[arrays.link_tier[link]],
        bool(health.lit[link]),
        int(state.n_members_up[link]),
        arrays.link_length_km[link],
        health.loss_db[link],
        health.received_dbm[link],
        health.line_gsnr_db[link],
        health.margin_db[link],
        health.required_margin_db[link],
        health.member_gbps[link],
        health.lossless_gbps[arc],
        health.arc_capacity_gbps[arc],
        LIMITS[health.arc_limit[arc]],
        health.loss_ratio[link],
        health.goodput_ratio[link],
        health.propagation_us[link],
        health.fec_us[link],
        health.arc_switch_us[arc],
        e.arc_queue_us[arc],
        e.arc_load_gbps[arc],
        e.arc_utilisation_ratio[arc],
    )
    return {name: _number(value) for name, value in zip(COLUMNS, values, strict=True)}


def _number(value: Any) -> Any:
    if isinstance(value, str | bool | int):
        return value
    return float(value) if math.isfinite(value) else None
