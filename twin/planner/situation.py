"""The situation of a network for generators of candidates: which links are worn or full, in groups of alike ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np

from ..arrays import NODE_KINDS, TIERS, Bools, Floats, Ints, State, greater_of_both
from ..catalogue import Kind, Part
from ..catalogue.figure_reader import FigureReader
from ..errors.wording import counted
from ..model.jobs import TrainingJob
from ..model.records import Link, Node
from ..optics.link_budget import MODE
from ..render.quantities import percent_text
from ..scenario.apply import Scenario
from ..stages.evaluation import Evaluation

WORN_MARGIN_DB = 1.0
"""Links with less than this above their required margin are worn."""
FULL_RATIO = 0.5
"""Links with at least this utilisation, averaged over a step or all the time, count as full."""
SLOW_PHASE_RATIO = 0.9
"""Links that a phase of the job fills to this share of their capacity are full."""
N_SINGLE_LINKS = 3
"""Most links of a group that are offered by themselves, too."""
UNEVEN_RATIO = 1.05
"""Links of a group are used unevenly if the busiest is busier by this factor than the least busy."""
MAX_IDS = 64
"""Most ids that a selector lists."""


@dataclass(frozen=True)
class LinkGroup:
    """Links that are alike: tier, transceiver, members, fibre pairs, multiplexer, fibre and parts at their ends."""

    rows: Ints
    ids: tuple[str, ...]
    tier: str
    transceiver: str | None
    mux: str | None
    n_parallel: int
    n_fibre_pairs: int
    fibres: tuple[str, ...]
    """Kinds of fibre of the spans; empty for an indoor cable."""
    worn: bool
    full: bool
    """At least half full, or full in a phase of the job."""
    use_ratio: float
    """Utilisation of the busiest of them, over a step or all the time."""
    selector: Any
    """Selector of a change: ids, or conditions that select exactly these links."""

    @property
    def name(self) -> str:
        """Short name in ids of candidates."""
        if len(self.ids) == 1:
            return self.ids[0]
        prefix = _common_prefix(self.ids).rstrip("-~/ ")
        return f"{prefix}*" if prefix else f"{len(self.ids)} {self.tier} links of {self.transceiver or 'no part'}"

    @property
    def why(self) -> str:
        """Reason why the group needs something."""
        words = [word for word, holds in (("worn", self.worn), (self.use_text, self.full)) if holds]
        return f"{counted(len(self.ids), self.tier.replace('_', '-') + ' link')}: {' and '.join(words) or 'in use'}"

    @property
    def use_text(self) -> str:
        """Return how busy they are: `busiest 75 %`."""
        if self.use_ratio < FULL_RATIO:
            return "full in a phase of the job"
        return f"busiest {percent_text(self.use_ratio)}"


@dataclass(frozen=True, eq=False)
class Situation:
    """A network today and at the end of the question, as generators see it."""

    scenario: Scenario
    today: Evaluation
    later: Evaluation
    """The unchanged network on the last day of the question."""
    reader: FigureReader

    @property
    def state(self) -> State:
        """State of the network."""
        return self.scenario.case.state

    @property
    def job(self) -> TrainingJob | None:
        """The job of the question."""
        return self.scenario.case.job

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Nodes by id, fabrics expanded."""
        return {node.id: node for node in self.scenario.network.nodes}

    @cached_property
    def links(self) -> dict[str, Link]:
        """Links by id, fabrics expanded."""
        return {link.id: link for link in self.scenario.network.links}

    def parts(self, kind: Kind) -> list[Part]:
        """Return the parts of a kind that have a price, own parts included, by id."""
        priced = self.reader.prices.part_usd
        return [part for part in self.reader.catalogue.parts(kind) if part.id in priced or kind == "fibre"]

    def usd(self, part: Part) -> float:
        """Return the price of a part; 0 where the book has none."""
        priced = self.reader.prices.part_usd
        return float(priced[part.id].value) if part.id in priced else 0.0

    @cached_property
    def worn(self) -> Bools:
        """Links with too little margin or at a slower mode, today or on the last day; bool[n_links]."""
        return np.asarray(_worn(self.today) | _worn(self.later))

    @cached_property
    def use_ratio(self) -> Floats:
        """Utilisation of the busier direction, today or on the last day, whichever is more; float64[n_links]."""
        most = np.zeros(self.state.n_links)
        for e in (self.today, self.later):
            if e.demands is not None or e.step is not None:
                ratio = greater_of_both(np.nan_to_num(e.arc_utilisation_ratio, posinf=1e9))
                most = np.maximum(most, ratio)
        return most

    @cached_property
    def full(self) -> Bools:
        """Links that are busy, or fill in a phase of the job; bool[n_links]."""
        full = self.use_ratio >= FULL_RATIO
        for e in (self.today, self.later):
            for use in e.phases if e.step is not None else ():
                if use.utilisation_ratio >= SLOW_PHASE_RATIO and use.arc >= 0:
                    full |= _alike(self.state, use.arc // 2)
        return full

    @cached_property
    def groups(self) -> list[LinkGroup]:
        """Groups of alike links, of which one is worn or full, and the neediest of their wide-area links alone."""
        needy = [group for group in self._all_groups if group.worn or group.full]
        return [*needy, *(single for group in needy for single in self._single_links(group))]

    def _single_links(self, group: LinkGroup) -> list[LinkGroup]:
        """Return wide-area links that are worn or busy while others of their group are not, the busiest first."""
        rows, use = group.rows, self.use_ratio[group.rows]
        needy = self.worn[rows] | (use >= FULL_RATIO)
        is_uneven = not needy.all() or use.max() > UNEVEN_RATIO * use.min()
        if group.tier != "wide_area" or len(rows) == 1 or not is_uneven:
            return []
        order = np.lexsort((rows, -use, -self.worn[rows].astype(np.int64), ~needy))
        order = order[: min(N_SINGLE_LINKS, int(needy.sum()))]
        return [self._group(rows[i : i + 1]) for i in order.tolist()]

    @cached_property
    def wide_area(self) -> list[LinkGroup]:
        """Groups of wide-area links, whether worn, full or neither."""
        return [group for group in self._all_groups if group.tier == "wide_area"]

    @cached_property
    def _all_groups(self) -> list[LinkGroup]:
        state = self.state
        rows_of: dict[tuple[Any, ...], list[int]] = {}
        interesting = self.worn | self.full | (state.link_tier == TIERS.index("wide_area"))
        keys = _alike_keys(state)
        wanted = {keys[row] for row in np.flatnonzero(interesting & state.in_service).tolist()}
        for row, key in enumerate(keys):
            if key in wanted:
                rows_of.setdefault(key, []).append(row)
        groups = [self._group(np.array(rows)) for rows in rows_of.values()]
        return sorted((group for group in groups if group.selector is not None), key=lambda group: group.ids[0])

    def _group(self, rows: Ints) -> LinkGroup:
        state, first = self.state, int(rows[0])
        ids = tuple(state.link_ids[row] for row in rows)
        transceiver = state.part_id(int(state["link_transceiver"][first]))
        tier = TIERS[int(state.link_tier[first])]
        return LinkGroup(
            rows=rows,
            ids=ids,
            tier=tier,
            transceiver=transceiver,
            mux=state.part_id(int(state["link_mux"][first])),
            n_parallel=int(state["link_n_parallel"][first]),
            n_fibre_pairs=int(state["link_n_fibre_pairs"][first]),
            fibres=tuple(sorted(_fibres(state, first))),
            worn=bool(self.worn[rows].any()),
            full=bool(self.full[rows].any()),
            use_ratio=float(self.use_ratio[rows].max()),
            selector=self._selector(rows, ids, tier, transceiver),
        )

    def _selector(self, rows: Ints, ids: tuple[str, ...], tier: str, transceiver: str | None) -> Any:
        """Return ids, or conditions for many links; None where neither names exactly these links."""
        if len(ids) == 1:
            return ids[0]
        if len(ids) <= MAX_IDS:
            return list(ids)
        state = self.state
        code = state.parts.index(transceiver) if transceiver is not None else -1
        matching = (state.link_tier == TIERS.index(tier)) & (state["link_transceiver"] == code)
        if transceiver is not None and np.array_equal(np.flatnonzero(matching), rows):
            return {"tier": tier, "part": transceiver}
        return None

    def node_groups(self, rows: Ints) -> list[tuple[tuple[str, ...], str]]:
        """Return switches among some nodes by kind and part, as (ids, part); at most `MAX_IDS` ids each."""
        state = self.state
        groups: dict[tuple[int, int], list[str]] = {}
        for row in np.unique(rows).tolist():
            if state["node_part"][row] >= 0 and not state["node_n_accelerators"][row]:
                key = int(state["node_kind"][row]), int(state["node_part"][row])
                groups.setdefault(key, []).append(state.node_ids[row])
        found = ((tuple(ids), cast(str, state.part_id(part))) for (_, part), ids in sorted(groups.items()))
        return [(ids, part) for ids, part in found if len(ids) <= MAX_IDS]

    def kind_of(self, node: str) -> str:
        """Return the kind of a node."""
        return NODE_KINDS[int(self.state["node_kind"][self.state.node_index[node]])]


def _worn(e: Evaluation) -> Bools:
    health = e.health
    limit = health.budgets.by_link(health.budgets.limit)
    with np.errstate(invalid="ignore"):
        low = health.worse_margin_db < health.required_margin_db + WORN_MARGIN_DB
    return np.asarray(e.case.state.in_service & (low | (limit == MODE) | ~health.lit))


def _fibres(state: State, row: int) -> set[str]:
    first, last = state["span_first"][row : row + 2]
    codes = state["span_fibre"][first:last].tolist()
    return {name for code in codes if (name := state.part_id(int(code))) is not None}


def _alike_keys(state: State) -> list[tuple[Any, ...]]:
    ends = np.sort(state["node_part"][state["link_ends"]], axis=1)
    columns = np.column_stack(
        (
            state.link_tier,
            state["link_transceiver"],
            state["link_n_parallel"],
            state["link_n_fibre_pairs"],
            state["link_mux"],
            ends,
            np.diff(state["span_first"]) > 0,
        )
    )
    return [tuple(row) for row in columns.tolist()]


def _alike(state: State, link: int) -> Bools:
    keys = _alike_keys(state)
    return np.array([key == keys[link] for key in keys])


def _common_prefix(ids: tuple[str, ...]) -> str:
    first, last = min(ids), max(ids)
    n = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:n]
