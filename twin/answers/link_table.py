"""Links one by one: budget, margin, rate and what holds it, latency split, load; what the metrics are made of."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import TIERS
from ..catalogue.figure_reader import FigureReader
from ..optics.link_budget import LIMITS
from ..reliability.link_failures import LinkFailures, link_failures
from ..stages.evaluation import Evaluation
from .score import data_frame, html_table
from .summary_text import is_not_judged

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
    "snr_db",
    "margin_db",
    "required_margin_db",
    "member_gbps",
    "pre_fec_ber_ratio",
    "loss_ratio",
    "window_ratio",
    "recovery_ratio",
    "goodput_ratio",
    "timeout_s",
    "headroom_needed_bytes",
    "headroom_bytes",
    "lossless_gbps",
    "pause_ratio",
    "capacity_gbps",
    "limit",
    "propagation_us",
    "fec_us",
    "regeneration_us",
    "macsec_us",
    "switching_us",
    "store_and_forward_us",
    "queueing_us",
    "latency_us",
    "load_gbps",
    "utilisation_ratio",
    "n_flaps_per_day",
    "line_mtbf_h",
    "line_mttr_h",
    "member_mtbf_h",
    "member_mttr_h",
    "unavailability_ratio",
)
"""Latency of the switch, load, capacity and buffer are of the direction; the rest is of the link or of one member."""

NOT_JUDGED = "no transceiver is named, so the light is not judged."
MAX_NAMED = 4
"""Links that a note names."""


@dataclass(frozen=True)
class LinkTable:
    """Two rows a link, one a direction; null where a notion does not apply (no margin on copper)."""

    network: str
    rows: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()
    """What people should know beside the figures."""

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
        return html_table(self.network, COLUMNS, rows, self.notes)


def link_table(e: Evaluation, network: str, links: Iterable[int], reader: FigureReader) -> LinkTable:
    """Rows of these links, in the order given."""
    rows = np.fromiter(links, dtype=np.int64)
    reader = reader.fresh()
    failures = link_failures(e.case.state, reader, rows, e.case.ageing)
    not_judged = is_not_judged(e)
    flaps = reader.general("n_flaps_per_link_day", e.case.ageing)
    found = (
        _row(e, 2 * int(link) + side, (flaps, *_failures(failures, i)))
        for i, link in enumerate(rows)
        for side in (0, 1)
    )
    bare = [e.case.state.arrays.link_ids[link] for link in rows if not_judged[link]]
    notes = (f"{', '.join(bare[:MAX_NAMED])}{' …' if len(bare) > MAX_NAMED else ''}: {NOT_JUDGED}",) if bare else ()
    return LinkTable(network, tuple(found), notes)


def _failures(found: LinkFailures, row: int) -> tuple[float, ...]:
    """MTBF and MTTR of line and member, and the share of time that a member is down by either."""
    down = 1.0 - (1.0 - found.line_unavailability_ratio[row]) * (1.0 - found.member_unavailability_ratio[row])
    times = (found.line_mtbf_h, found.line_mttr_h, found.member_mtbf_h, found.member_mttr_h)
    return (*(float(time[row]) for time in times), float(down))


def _row(e: Evaluation, arc: int, failures: tuple[float, ...]) -> dict[str, Any]:
    state, health, arrays, link = e.case.state, e.health, e.case.state.arrays, arc // 2
    head = arrays.node_ids[arrays.arc_head[arc]]
    tail = arrays.node_ids[arrays.arc_head[arc ^ 1]]
    budgets, latency = health.budgets, health.latency
    path = budgets.worst_path[budgets.paths.kind_of_link[link]]
    values: tuple[Any, ...] = (
        arrays.link_ids[link],
        f"{tail} → {head}",
        TIERS[arrays.link_tier[link]],
        bool(health.lit[link]),
        int(state.n_members_up[link]),
        state.link_length_km[link],
        budgets.loss_db[path],
        budgets.received_dbm[path],
        budgets.line_gsnr_db[path],
        budgets.snr_db[path],
        health.margin_db[link],
        health.required_margin_db[link],
        health.member_gbps[link],
        budgets.pre_fec_ber_ratio[path],
        health.loss_ratio[link],
        health.transport.window_ratio[link],
        health.transport.recovery_ratio[link],
        health.goodput_ratio[link],
        health.transport.timeout_s[link],
        health.headroom.of_arc("needed_bytes", arc, math.nan),
        health.headroom.of_arc("available_bytes", arc, math.nan),
        health.headroom.of_arc("rate_gbps", arc, math.inf),
        health.headroom.of_arc("retained_ratio", arc, 1.0),
        health.arc_capacity_gbps[arc],
        LIMITS[health.arc_limit[arc]],
        latency.propagation_us[link],
        latency.fec_us[link],
        latency.regeneration_us[link],
        latency.macsec_us[link],
        latency.arc_switch_us[arc],
        latency.arc_store_us[arc],
        e.arc_queue_us[arc],
        health.arc_latency_us[arc] + e.arc_queue_us[arc],
        e.arc_load_gbps[arc],
        e.arc_utilisation_ratio[arc],
        *failures,
    )
    return {name: _number(value) for name, value in zip(COLUMNS, values, strict=True)}


def _number(value: Any) -> Any:
    if isinstance(value, str | bool | int):
        return value
    return float(value) if math.isfinite(value) else None
