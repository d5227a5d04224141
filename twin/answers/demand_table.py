"""Demand table: what each demand offers and what is carried of it, and the link that limits it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from ..arrays import Floats, Ints
from ..errors import ChangeError
from ..errors.wording import counted
from ..model.records import Demand
from ..render.demand_rows import demands_table
from ..render.numbers import number_text
from ..render.quantities import percent_text
from ..stages.evaluation import Evaluation
from ..traffic.congestion import DemandLoads
from ..traffic.limits import REL_TOLERANCE, limiting_arcs
from .arc_text import direction_text
from .data import Answer
from .ranking import Ranking
from .score import data_frame, html_table
from .warning import AnswerWarning

DemandLimit = Literal["not limited", "capacity", "no path", "unknown rate"]
MAX_HTML_ROWS = 200
MAX_NAMED = 3
"""Rows that a notebook shows."""


@dataclass(frozen=True, slots=True)
class DemandRow:
    """One demand. Demands between the same two nodes share their rate in proportion to what they offer."""

    id: str
    source: str
    target: str
    offered_gbps: float
    carried_gbps: float | None
    """Max-min fair; null where it depends on a link of unknown rate."""
    lost_gbps: float | None
    """Offered minus carried."""
    carried_ratio: float | None
    """Carried over offered; null for a demand of 0 Gb/s."""
    limit: DemandLimit
    limited_by: str | None
    """Full link that limits the demand; null where none does."""
    direction: str | None
    """Direction of that link."""
    latency_us: float | None
    """Slowest path, one way, unloaded; null without a path or where a length is unknown."""


SORTABLE = ("offered_gbps", "carried_gbps", "lost_gbps", "carried_ratio", "latency_us")
RANKED_LOWEST_FIRST = frozenset({"carried_ratio"})


@dataclass(frozen=True, kw_only=True, repr=False)
class DemandTable(Answer):
    """One row for each demand of the document."""

    network: str
    job: str | None
    plan: str | None
    summary: tuple[str, ...]
    """The verdict: carried share, limited demands, the links that limit most; one sentence each."""
    n_demands: int
    """All demands; `demands` may list only the first ones."""
    offered_gbps: float
    carried_gbps: float | None
    """Null where it depends on a link of unknown rate."""
    demands: tuple[DemandRow, ...]
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def to_pandas(self) -> Any:
        """Return the rows as a DataFrame (needs the extra `tables`)."""
        return data_frame([asdict(row) for row in self.demands], [*DemandRow.__dataclass_fields__])

    def _repr_html_(self) -> str:
        names = ("id", "source", "target", "offered_gbps", "carried_gbps", "limit", "limited_by")
        shown = self.demands[:MAX_HTML_ROWS]
        rows = [["–" if getattr(row, n) is None else str(getattr(row, n)) for n in names] for row in shown]
        return html_table(self.network, names if rows else (), rows, (), self.summary)

    def _table(self) -> Any:
        return demands_table(self.to_dict())


def demand_table(
    e: Evaluation, network: str, plan: str | None, sort: str | None = None, top: int | None = None
) -> DemandTable:
    """Build one row for each demand.

    Args:
        e: evaluation of the network, after changes if there are any.
        network: name of the network.
        plan: name of the plan, or `changes`; None for the unchanged network.
        sort: column to sort by, the worst first; None = by id.
        top: most rows; None = all.

    Raises:
        ChangeError: the document has no demands, or an unknown column.
    """
    ranking = Ranking(SORTABLE, RANKED_LOWEST_FIRST, sort, top)
    loads = e.demands
    if loads is None:
        blocks = [block.id for block in e.case.document.traffic]
        if blocks:
            problem = f"no demands: all amounts of {', '.join(blocks[:MAX_NAMED])} are 0"
            raise ChangeError(problem, where="traffic", hint="state an amount, or entries above 0")
        raise ChangeError("the document has no demands", where="demands", hint="add some under `demands`")
    rows = _rows(e, loads)
    carried = [row.carried_gbps for row in rows]
    known_gbps = [value for value in carried if value is not None]
    return DemandTable(
        network=network,
        job=e.case.job.id if e.case.job else None,
        plan=plan,
        summary=tuple(_summary(rows)),
        n_demands=len(rows),
        offered_gbps=math.fsum(row.offered_gbps for row in rows),
        carried_gbps=math.fsum(known_gbps) if len(known_gbps) == len(rows) else None,
        demands=tuple(ranking.ranked(rows, lambda row, column: getattr(row, column))),
    )


def _rows(e: Evaluation, loads: DemandLoads) -> list[DemandRow]:
    state, pairs = e.case.state, e.demand_pairs
    arcs, latency_us = limiting_arcs_of_pairs(e), latency_of_pairs_us(e)
    assert pairs is not None
    full = {arc: (state.link_ids[arc // 2], direction_text(e, arc)) for arc in set(arcs.tolist()) - {-1}}
    row_of_pair = {key: row for row, key in enumerate((pairs.source * state.n_nodes + pairs.target).tolist())}
    index, rows = state.node_index, []
    for demand in sorted(e.case.document.demands, key=lambda demand: demand.id):
        row = row_of_pair.get(index[demand.source] * state.n_nodes + index[demand.target])
        if row is None:  # a demand from a node to itself loads no link
            rows.append(_row(demand, 1.0, "not limited", None, 0.0))
            continue
        offered_gbps, carried_gbps = float(pairs.offered_gbps[row]), float(loads.carried_gbps[row])
        ratio = carried_gbps / offered_gbps if offered_gbps else 1.0
        limited_by = full.get(int(arcs[row]))
        limit: DemandLimit = "not limited" if limited_by is None else "capacity"
        if not loads.reachable[row]:
            limit = "no path"
        elif math.isnan(carried_gbps):
            limit = "unknown rate"
        whole = ratio >= 1.0 - REL_TOLERANCE
        rows.append(_row(demand, 1.0 if whole else ratio, limit, limited_by, float(latency_us[row])))
    return rows


def _row(
    demand: Demand, ratio: float, limit: DemandLimit, limited_by: tuple[str, str] | None, latency_us: float
) -> DemandRow:
    """Return the row of a demand; `ratio` is carried over offered, NaN where it is unknown."""
    is_known = math.isfinite(ratio)
    link, direction = limited_by or (None, None)
    return DemandRow(
        id=demand.id,
        source=demand.source,
        target=demand.target,
        offered_gbps=demand.offered_gbps,
        carried_gbps=demand.offered_gbps * ratio if is_known else None,
        lost_gbps=demand.offered_gbps * (1.0 - ratio) if is_known else None,
        carried_ratio=ratio if is_known and demand.offered_gbps else None,
        limit=limit,
        limited_by=link,
        direction=direction,
        latency_us=latency_us if math.isfinite(latency_us) else None,
    )


def limiting_arcs_of_pairs(e: Evaluation) -> Ints:
    """Return the arc that limits each pair of nodes with demands; -1 where none does."""
    loads, pairs = e.demands, e.demand_pairs
    assert loads is not None
    assert pairs is not None
    if not (loads.reachable & (loads.carried_gbps < pairs.offered_gbps * (1.0 - REL_TOLERANCE))).any():
        return np.full(len(pairs.offered_gbps), -1, dtype=np.int64)  # routes of single pairs are built only if needed
    routes: Any = e.outcome("demand_routes")
    return limiting_arcs(routes.by_pair, pairs.offered_gbps, loads.carried_gbps, e.health.arc_capacity_gbps)


def latency_of_pairs_us(e: Evaluation) -> Floats:
    """Return the latency of the slowest path of each pair, one way; NaN without a path, or of unknown length."""
    routes: Any = e.outcome("demand_routes")
    unknown = np.repeat(e.health.latency.length_unknown, 2)
    found_us = routes.worst_latency_us(np.where(unknown, np.inf, e.health.arc_latency_us))
    return np.where(routes.reachable & np.isfinite(found_us), found_us, np.nan)


def _summary(rows: Sequence[DemandRow]) -> Iterator[str]:
    offered_gbps = math.fsum(row.offered_gbps for row in rows)
    known = [row.carried_gbps for row in rows if row.carried_gbps is not None]
    text = f"{counted(len(rows), 'demand')}, {number_text(offered_gbps, 'Gb/s')} offered"
    if len(known) < len(rows):
        yield f"{text}; what is carried is unknown for {counted(len(rows) - len(known), 'demand')}."
    else:
        carried_gbps = math.fsum(known)
        share = f" ({percent_text(carried_gbps / offered_gbps)})" if offered_gbps else ""
        yield f"{text}, {number_text(carried_gbps, 'Gb/s')} carried{share}."
    n_without_path = sum(row.limit == "no path" for row in rows)
    if n_without_path:
        yield f"{counted(n_without_path, 'demand')} without a path."
    limits = Counter(f"{row.limited_by} ({row.direction})" for row in rows if row.limit == "capacity")
    if limits:
        yield f"{counted(limits.total(), 'demand')} limited by {counted(len(limits), 'full direction')} of links."
        name, n = min(limits.items(), key=lambda item: (-item[1], item[0]))
        yield f"Most by {name}: {counted(n, 'demand')}."
