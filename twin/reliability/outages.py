"""What failures between a job's sites do to it: ridden through, stalled, aborted, cut off.

A failure after which the sites still reach each other, over other members or another route, stops traffic until routing
has converged. One that leaves a site without any way to the rest stops it until the repair. How long traffic stops
decides the class: ridden through below the catalogue's `ride_through_s`, a stall up to `stall_limit_s` (the time itself
is lost), an abort beyond. What is assumed beyond the catalogue and `failures.py`, `shared_cuts.py`:

* One failure at a time: a second one before the first is repaired is left out, but for the two paths of a protected
  line. Routers fail as the published switches do, with all of their links.
* Of links and nodes only those that the job uses are failures; the way around may lead over any that are lit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ..arrays import NODE_KINDS, TIERS, Bools, Floats, Ints, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..units import MONTHS_PER_YEAR
from .link_failures import HOURS_PER_YEAR, LinkFailures, cut_repair_h, link_failures
from .shared_risks import shared_cuts
from .site_cuts import JobSite, SiteGraph, site_graph

OutageClass = Literal["ride_through", "stall", "abort"]
Thing = Literal["risk", "link", "members", "node", "protection"]
CLASSES: tuple[OutageClass, ...] = ("ride_through", "stall", "abort")
RIDE_THROUGH, STALL, ABORT = range(3)
THINGS: tuple[Thing, ...] = ("risk", "link", "members", "node", "protection")
RISK, LINK, MEMBERS, NODE, PROTECTION = range(5)
"""What fails: glass in a shared risk; a whole line, or the only member of one; a member of several; a router; the
working path of a line whose other path takes over."""
LostSites = tuple[str, ...]
NOTHING = 1e-9
"""Share of a rate that is rounding."""
SECONDS_PER_HOUR = 3600.0


class Outage(NamedTuple):
    """Failures that are alike, for people."""

    thing: Thing
    names: tuple[str, ...]
    n_per_year: float
    """Of each of them."""
    repair_h: float
    pause_s: float
    """How long traffic stops: for good routing, or until the repair where a site is cut off."""
    outage: OutageClass
    lost_sites: LostSites
    """Sites cut off until the repair; () where traffic finds a way around."""


@dataclass(frozen=True, eq=False)
class Outages:
    """Failures between the sites of a job, one a row; rates count years in service."""

    thing: Ints
    """Index into THINGS,"""
    row: Ints
    """code of a risk, or row of a link or node, by thing,"""
    n_per_year: Floats
    repair_h: Floats
    pause_s: Floats
    outage: Ints
    """index into CLASSES,"""
    lost: Ints
    """and into `lost_sites`, whose first entry is nobody."""
    lost_sites: tuple[LostSites, ...]
    member_down_ratio: float
    """Share of the time in which some member of some used bundle of several is down and the others carry all."""
    ids: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] = ((), (), ())
    """Ids of shared risks, nodes and links, which `row` points into."""

    def rows(self) -> tuple[Outage, ...]:
        """Rows alike in all but the name as one, the most time lost to waiting first."""
        risk_ids, node_ids, link_ids = self.ids
        ids = {RISK: risk_ids, NODE: node_ids}
        alike: dict[tuple[float, ...], list[int]] = {}
        columns = (self.thing, self.outage, self.lost, self.n_per_year, self.repair_h, self.pause_s)
        for i, key in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            alike.setdefault(key, []).append(i)
        found = []
        for rows in alike.values():
            first = rows[0]
            names = ids.get(int(self.thing[first]), link_ids)
            found.append(
                Outage(
                    thing=THINGS[self.thing[first]],
                    names=tuple(sorted(names[self.row[i]] for i in rows)),
                    n_per_year=float(self.n_per_year[first]),
                    repair_h=float(self.repair_h[first]),
                    pause_s=float(self.pause_s[first]),
                    outage=CLASSES[self.outage[first]],
                    lost_sites=self.lost_sites[self.lost[first]],
                )
            )

        def order(alike: Outage) -> tuple[object, ...]:
            n_per_year = alike.n_per_year * len(alike.names)
            return -n_per_year * alike.pause_s, -n_per_year, alike.thing, alike.names

        return tuple(sorted(found, key=order))


def no_outages() -> Outages:
    """Of a job that no failure between sites can touch."""
    ints, floats = np.zeros(0, np.int64), np.zeros(0)
    return Outages(ints, ints, floats, floats, floats, ints, ints, ((),), 0.0)


def links_between(state: State, sites: Sequence[str], arcs: Ints) -> Ints:
    """Of the arcs that a job's exchange between sites uses, the links that are not inside a site's fabric.

    Those with spans, those at border routers, and those that end outside the job's sites.
    """
    rows = np.flatnonzero(np.bincount(arcs // 2, minlength=state.n_links))
    at_border = state.link_tier[rows] >= TIERS.index("border")
    inside = _inside(state, sites)[state["link_ends"][rows]]
    return np.asarray(rows[at_border | ~(inside[:, 0] & inside[:, 1])])


def failing_nodes(state: State, sites: Sequence[str], links: Ints) -> Ints:
    """Switches at the ends of `links` whose failure is not that of a fabric: see `links_between`."""
    ends = state["link_ends"][links]
    at_wide = np.zeros(state.n_nodes, dtype=np.bool_)
    at_wide[ends[state.link_tier[links] == TIERS.index("wide_area")]] = True
    nodes = np.unique(ends)
    kind = state["node_kind"][nodes]
    counted = at_wide[nodes] | (kind == NODE_KINDS.index("border")) | ~_inside(state, sites)[nodes]
    return np.asarray(nodes[counted & (kind > NODE_KINDS.index("host"))])


def _inside(state: State, sites: Sequence[str]) -> Bools:
    """Nodes of these sites."""
    names = set(sites)
    chosen = np.array([*(name in names for name in state.sites), False])
    return np.asarray(chosen[state["node_site"]])


def build_site_graph(state: State, lit: Bools, sites: Sequence[JobSite], links: Ints) -> SiteGraph:
    """The network around the links that a job uses between its sites; good for as long as `lit` is the same."""
    wide = np.flatnonzero(lit & (state.link_tier == TIERS.index("wide_area")))
    nodes = failing_nodes(state, [site.id for site in sites], links)
    return site_graph(state, lit, sites, nodes, np.union1d(wide, links))


def site_outages(
    state: State, reader: FigureReader, graph: SiteGraph, links: Ints, case: AgeingCase = "value"
) -> Outages:
    """Failures of the `links` (rows) that a job uses between its sites, of what they lie in, and of their routers."""
    links = np.array([row for row in np.asarray(links).tolist() if row in graph.vertex_of_link], dtype=np.int64)
    if not len(links):
        return no_outages()
    failures = link_failures(state, reader, links, case)
    events = _Events(state, graph, reader)
    of_risks = _add_cuts(events, reader, links, case)
    _add_lines(events, failures, links, of_risks)
    down_ratio = _add_members(events, failures, links)
    _add_nodes(events, reader, case)
    _add_protection(events, reader, failures, links)
    return events.table(down_ratio)


class _Events:
    """Failures as they are found, with what they do."""

    def __init__(self, state: State, graph: SiteGraph, reader: FigureReader) -> None:
        self.state, self.graph = state, graph
        self._ride_through_s = reader.general("ride_through_s")
        self._stall_limit_s = reader.general("stall_limit_s")
        self._convergence_s = reader.general("convergence_s")
        self._lost: dict[LostSites, int] = {(): 0}
        self._columns: list[tuple[Ints, Ints, Floats, Floats, Floats, Ints]] = []

    def add(
        self, thing: int, rows: Ints, n_per_year: Floats, repair_h: Floats, lost: Sequence[tuple[str, ...]]
    ) -> None:
        """Failures of one thing; `lost` by row: the sites that each cuts off. Those that never happen are left out."""
        codes = np.array([self._lost.setdefault(sites, len(self._lost)) for sites in lost], dtype=np.int64)
        pause_s = np.where(codes > 0, repair_h * SECONDS_PER_HOUR, self._convergence_s)
        self.add_paused(thing, rows, n_per_year, repair_h, pause_s, codes)

    def add_paused(
        self, thing: int, rows: Ints, n_per_year: Floats, repair_h: Floats, pause_s: Floats, lost: Ints
    ) -> None:
        """Failures whose traffic stops for so long."""
        here = n_per_year > 0
        columns = (np.full(len(rows), thing), np.asarray(rows), n_per_year, repair_h, pause_s, lost)
        self._columns.append(tuple(column[here] for column in columns))  # type: ignore[arg-type]

    def table(self, member_down_ratio: float) -> Outages:
        """All of them."""
        thing, row, n_per_year, repair_h, pause_s, lost = (
            np.concatenate(column) for column in zip(*self._columns, strict=True)
        )
        outage = np.where(
            pause_s <= self._ride_through_s, RIDE_THROUGH, np.where(pause_s <= self._stall_limit_s, STALL, ABORT)
        )
        return Outages(
            thing=thing,
            row=row,
            n_per_year=n_per_year,
            repair_h=repair_h,
            pause_s=pause_s,
            outage=outage,
            lost=lost,
            lost_sites=tuple(self._lost),
            member_down_ratio=member_down_ratio,
            ids=(self.state.srlgs, self.state.node_ids, self.state.link_ids),
        )


def _add_cuts(events: _Events, reader: FigureReader, links: Ints, case: AgeingCase) -> Floats:
    """Cuts in shared risks; returns how often they take each of `links` down in a year."""
    used = np.zeros(events.state.n_links, dtype=np.bool_)
    used[links] = True
    n_down = np.zeros(len(used))
    drawn = np.array(sorted(events.graph.vertex_of_link), dtype=np.int64)
    cuts = [cut for cut in shared_cuts(events.state, drawn) if used[cut.links].any()]
    if not cuts:
        return n_down[links]
    n_per_year = reader.general("n_cuts_per_km_year", case) * np.array([cut.length_km for cut in cuts])
    for cut, rate in zip(cuts, n_per_year, strict=True):
        n_down[cut.links] += rate
    risks = np.array([cut.risk for cut in cuts], dtype=np.int64)
    repair_h = np.full(len(cuts), cut_repair_h(reader, case))
    events.add(RISK, risks, n_per_year, repair_h, [events.graph.lost_by((), cut.links.tolist()) for cut in cuts])
    return n_down[links]


def _add_lines(events: _Events, failures: LinkFailures, links: Ints, of_risks: Floats) -> None:
    """What takes a whole line and is no cut in a shared risk: other glass, amplifiers, both paths at a time."""
    left = failures.n_failures_per_year - of_risks
    left = np.where(left > NOTHING * failures.n_failures_per_year, left, 0.0)
    lost = [events.graph.lost_by((), (row,)) if n else () for row, n in zip(links.tolist(), left, strict=True)]
    events.add(LINK, links, left, failures.line_mttr_h, lost)


def _add_members(events: _Events, failures: LinkFailures, links: Ints) -> float:
    """Members one by one; the only member of a link is the link. Returns the share of time with one of several down."""
    n_up = events.state.n_members_up[links]
    n_per_year = n_up * HOURS_PER_YEAR / failures.member_mtbf_h
    single = n_up == 1
    lost = [events.graph.lost_by((), (row,)) for row in links[single].tolist()]
    events.add(LINK, links[single], n_per_year[single], failures.member_mttr_h[single], lost)
    many = ~single
    events.add(MEMBERS, links[many], n_per_year[many], failures.member_mttr_h[many], [()] * int(many.sum()))
    up_ratio = 1.0 - failures.member_unavailability_ratio[many]
    return float(1.0 - np.prod(up_ratio ** n_up[many]))


def _add_nodes(events: _Events, reader: FigureReader, case: AgeingCase) -> None:
    nodes = np.array(sorted(events.graph.vertex_of_node), dtype=np.int64)
    if not len(nodes):
        return
    n_per_year = np.full(len(nodes), reader.general("n_switch_failures_per_month", case) * MONTHS_PER_YEAR)
    repair_h = np.full(len(nodes), reader.general("switch_repair_h", case))
    events.add(NODE, nodes, n_per_year, repair_h, [events.graph.lost_by((row,), ()) for row in nodes.tolist()])


def _add_protection(events: _Events, reader: FigureReader, failures: LinkFailures, links: Ints) -> None:
    """Failures of a working path that the other path bridges, within the time of its switch."""
    part = events.state["link_protection"][links]
    here = part >= 0
    if not here.any():
        return
    switch_s = reader.by_code(events.state.parts, part[here], "switch_time_s", "protection")
    nothing = np.zeros(len(switch_s))
    events.add_paused(
        PROTECTION, links[here], failures.n_switches_per_year[here], nothing, switch_s, nothing.astype(np.int64)
    )
