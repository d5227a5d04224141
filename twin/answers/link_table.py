"""Link table: link budget, margin, rate and its limit, latency by part and load of each direction of a link."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ..arrays import TIERS, Tier
from ..catalogue.figure_reader import FigureReader
from ..errors.wording import counted
from ..optics.link_budget import LIMITS, LINE_RATE
from ..reliability.link_failures import LinkFailures, link_failures
from ..render.link_tables import links_table
from ..render.quantities import names_text, percent_text
from ..stages.evaluation import Evaluation
from .arc_text import lacks_transceiver
from .data import Answer
from .ranking import Ranking
from .residuals import MeasuredNetwork, ResidualRow, arc_name, worst_of_direction
from .score import data_frame, html_table
from .warning import AnswerWarning

NO_BUDGET = "the link names no transceiver, so it has no link budget."
MAX_LINKS_IN_NOTE = 4
"""Links that a note names; an ellipsis stands for the others."""


@dataclass(frozen=True, slots=True, eq=False)
class LinkDirection(Mapping[str, Any]):
    """One direction of a link, also a mapping from column to value. Null where a figure does not apply.

    Switch latency, load, capacity and buffer belong to the direction. The rest belongs to the link or to one member.
    """

    id: str
    direction: str
    tier: Tier
    up: bool
    n_members_up: int
    length_km: float | None
    """None for a link between sites whose length is not stated; 0 is an indoor cable."""
    loss_db: float | None
    received_dbm: float | None
    line_gsnr_db: float | None
    snr_db: float | None
    margin_db: float | None
    receiver_headroom_db: float | None
    """Greatest power that the receiver bears minus the received power; below 0 the link is down."""
    required_margin_db: float
    member_gbps: float | None
    """None where neither a rate nor a transceiver is stated."""
    pre_fec_ber_ratio: float | None
    loss_ratio: float | None
    window_ratio: float | None
    recovery_ratio: float | None
    goodput_ratio: float | None
    timeout_s: float | None
    headroom_needed_bytes: float | None
    headroom_bytes: float | None
    lossless_gbps: float | None
    pause_ratio: float | None
    capacity_gbps: float | None
    limit: str
    propagation_us: float | None
    fec_us: float
    regeneration_us: float
    macsec_us: float
    switching_us: float
    store_and_forward_us: float
    queueing_us: float | None
    latency_us: float | None
    load_gbps: float | None
    utilisation_ratio: float | None
    n_flaps_per_day: float
    line_mtbf_h: float | None
    line_mttr_h: float | None
    member_mtbf_h: float | None
    member_mttr_h: float | None
    unavailability_ratio: float | None
    residual_db: float | None = None
    """Measured minus modelled loss, power, SNR, OSNR or gain: the one that is largest by size."""
    relative_residual_ratio: float | None = None
    """Measured minus modelled dispersion, interface rate or latency over the model: the one that is largest by size."""

    def __getitem__(self, column: str) -> Any:
        if column not in COLUMNS:
            raise KeyError(column)
        return getattr(self, column)

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)


COLUMNS = tuple(spec.name for spec in fields(LinkDirection))
SORTABLE = tuple(name for name in COLUMNS if name not in ("id", "direction", "tier", "limit", "up"))
LOWEST_FIRST = frozenset(
    {
        "n_members_up",
        "received_dbm",
        "line_gsnr_db",
        "snr_db",
        "margin_db",
        "receiver_headroom_db",
        "member_gbps",
        "capacity_gbps",
        "lossless_gbps",
        "window_ratio",
        "recovery_ratio",
        "goodput_ratio",
        "pause_ratio",
        "headroom_bytes",
        "line_mtbf_h",
        "member_mtbf_h",
    }
)
"""Columns of which a low value is worse; of all others a high value is."""
BY_SIZE = frozenset({"residual_db", "relative_residual_ratio"})
"""Columns of which a value far from 0 is worse."""
BY_ID = Ranking(SORTABLE, LOWEST_FIRST, None, None)


def link_ranking(sort: str | None, top: int | None) -> Ranking:
    """Return the order of a table of links. Raises ChangeError for an unknown column, with similar ones."""
    return Ranking(SORTABLE, LOWEST_FIRST, sort, top)


@dataclass(frozen=True, repr=False)
class LinkTable(Answer):
    """Two rows for each link, one for each direction."""

    network: str
    summary: tuple[str, ...]
    """The verdict: links down, the lowest margin, the busiest link, limits; one sentence each."""
    rows: tuple[LinkDirection, ...] = field(metadata={"alias": "links"})
    notes: tuple[str, ...] = field(default=(), metadata={"hidden": True})
    """Warnings for readers of the table."""
    n_links: int | None = field(default=None, metadata={"optional": True})
    """Selected links, if not all of them are listed; the verdict counts all."""
    sorted_by: str | None = field(default=None, metadata={"optional": True})
    """Column that the links are sorted by, the worst first; absent where they are sorted by id."""
    residuals: tuple[ResidualRow, ...] = field(default=(), metadata={"optional": True})
    """Measured minus modelled, of the latest reading of each thing; absent where nothing was measured."""
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def to_pandas(self) -> Any:
        """Return the rows as a DataFrame (needs the extra `tables`)."""
        return data_frame(self.rows, COLUMNS)

    def _repr_html_(self) -> str:
        rows = [tuple("–" if row[name] is None else str(row[name]) for name in COLUMNS) for row in self.rows]
        return html_table(self.network, COLUMNS, rows, self.notes, self.summary)

    def _table(self) -> Any:
        return links_table(self.to_dict(), self.notes)


def link_table(
    e: Evaluation,
    network: str,
    links: Iterable[int],
    reader: FigureReader,
    ranking: Ranking = BY_ID,
    measured: MeasuredNetwork | None = None,
) -> LinkTable:
    """Build the rows of some links.

    Args:
        e: evaluation of the network.
        network: name of the network.
        links: rows of the links, in the order of the answer.
        reader: source of the failure figures.
        ranking: column to sort by, and how many links to list; both directions of a link stay together.
        measured: readings of the network; None without any.
    """
    rows = np.fromiter(links, dtype=np.int64)
    reader = reader.fresh()
    failures = link_failures(e.case.state, reader, rows, e.case.ageing)
    without_transceiver = lacks_transceiver(e)
    n_flaps_per_day = reader.general("n_flaps_per_link_day", e.case.ageing)
    ids = e.case.state.arrays.link_ids
    residuals = measured.latest(ids[link] for link in rows) if measured else {}
    directions = (
        _direction(e, 2 * int(link) + side, (n_flaps_per_day, *_failure_figures(failures, i)), residuals)
        for i, link in enumerate(rows)
        for side in (0, 1)
    )
    unjudged_ids = [ids[link] for link in rows if without_transceiver[link]]
    sides = tuple(directions)
    listed = ranking.ranked(list(zip(sides[::2], sides[1::2], strict=True)), _worse_value)
    is_cut = len(listed) < len(rows)
    return LinkTable(
        network,
        tuple(_summary(sides, e.case.state.n_links)),
        tuple(side for pair in listed for side in pair),
        _notes(unjudged_ids),
        len(rows) if is_cut else None,
        ranking.column,
        tuple(residual for first, _ in listed for residual in residuals.get(first.id, ())),
    )


def _worse_value(pair: tuple[LinkDirection, LinkDirection], column: str) -> float | None:
    """Return a figure of the direction of a link that comes first when sorted."""
    values = [side[column] for side in pair if side[column] is not None]
    if column in BY_SIZE:
        return max(map(abs, values), default=None)
    return None if not values else min(values) if column in LOWEST_FIRST else max(values)


def _summary(rows: Sequence[LinkDirection], n_all: int) -> Iterator[str]:
    """Sentences on links that are down, the lowest margin, the busiest link, and limits below the line rate."""
    n_links = len(rows) // 2
    if not n_links:
        yield "The network has no links."
        return
    down = [row.id for row in rows[::2] if not row.up]
    state = f"{len(down)} down: {names_text(down)}" if down else "all up"
    yield (f"{n_links:,} of {n_all:,} links, " if n_links < n_all else f"{counted(n_links, 'link')}, ") + f"{state}."
    with_margin = [row for row in rows if row.margin_db is not None]
    if with_margin:
        lowest = min(with_margin, key=lambda row: (row.margin_db, row.id))
        yield f"Lowest margin: {lowest.id}, {lowest.margin_db:.1f} dB."
    used = [row for row in rows if row.utilisation_ratio]
    if used:
        busiest = max(used, key=lambda row: row.utilisation_ratio or 0.0)
        yield f"Busiest: {busiest.id} ({busiest.direction}), {percent_text(busiest.utilisation_ratio or 0.0)}."
    limits = Counter(row.limit for row in rows if row.limit != LIMITS[LINE_RATE])
    if limits:
        listed = ", ".join(f"{limit} in {counted(n, 'direction')}" for limit, n in limits.most_common())
        yield f"Below line rate because of: {listed}."


def _notes(unjudged_ids: list[str]) -> tuple[str, ...]:
    if not unjudged_ids:
        return ()
    more = " and more" if len(unjudged_ids) > MAX_LINKS_IN_NOTE else ""
    return (f"{', '.join(unjudged_ids[:MAX_LINKS_IN_NOTE])}{more}: {NO_BUDGET}",)


def _failure_figures(failures: LinkFailures, row: int) -> tuple[float, ...]:
    """MTBF and MTTR of line and member in h, and the share of time that a member is down for either reason."""
    line_up_ratio = 1.0 - failures.line_unavailability_ratio[row]
    down_ratio = 1.0 - line_up_ratio * (1.0 - failures.member_unavailability_ratio[row])
    times_h = (failures.line_mtbf_h, failures.line_mttr_h, failures.member_mtbf_h, failures.member_mttr_h)
    return (*(float(time_h[row]) for time_h in times_h), float(down_ratio))


def _direction(
    e: Evaluation, arc: int, failures: tuple[float, ...], residuals: Mapping[str, Sequence[ResidualRow]]
) -> LinkDirection:
    state, health, arrays, link = e.case.state, e.health, e.case.state.arrays, arc // 2
    direction = arc_name(*(arrays.node_ids[arrays.arc_head[each]] for each in (arc ^ 1, arc)))
    budgets, latency, transport = health.budgets, health.latency, e.arc_transport
    path = budgets.worst_path[budgets.paths.kind_of_link[link]]
    values: tuple[Any, ...] = (
        arrays.link_ids[link],
        direction,
        TIERS[arrays.link_tier[link]],
        bool(health.lit[link]),
        int(state.n_members_up[link]),
        state.link_length_km[link] if state["link_straight_km"][link] == 0 else math.nan,
        budgets.loss_db[path],
        budgets.received_dbm[path],
        budgets.line_gsnr_db[path],
        budgets.snr_db[path],
        health.margin_db[link],
        budgets.receiver_headroom_db[path],
        health.required_margin_db[link],
        health.member_gbps[link],
        budgets.pre_fec_ber_ratio[path],
        health.loss_ratio[link],
        transport.window_ratio[arc],
        transport.recovery_ratio[arc],
        transport.goodput_ratio[arc],
        transport.timeout_s[arc],
        health.headroom.of_arc("needed_bytes", arc, math.nan),
        health.headroom.of_arc("available_bytes", arc, math.nan),
        health.headroom.of_arc("rate_gbps", arc, math.inf),
        health.headroom.of_arc("retained_ratio", arc, 1.0),
        health.arc_capacity_gbps[arc],
        LIMITS[health.arc_limit[arc]],
        math.nan if latency.length_unknown[link] else latency.propagation_us[link],
        latency.fec_us[link],
        latency.regeneration_us[link],
        latency.macsec_us[link],
        latency.arc_switch_us[arc],
        latency.arc_store_us[arc],
        e.arc_queue_us[arc],
        math.nan if latency.length_unknown[link] else health.arc_latency_us[arc] + e.arc_queue_us[arc],
        e.arc_load_gbps[arc],
        e.arc_utilisation_ratio[arc],
        *failures,
        *worst_of_direction(residuals.get(arrays.link_ids[link], ()), direction),
    )
    return LinkDirection(*map(_plain_value, values))


def _plain_value(value: Any) -> Any:
    """A text, truth value, whole number or None as it is; a float, or None where it is not finite."""
    if value is None or isinstance(value, str | bool | int):
        return value
    return float(value) if math.isfinite(value) else None
