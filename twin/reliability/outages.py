"""Outages between a job's sites: ridden through, stalled, or aborted; and the sites that each isolates.

A failure after which the sites still reach each other, over other members or another route, stops traffic until routing
has converged. A failure that isolates a site stops traffic until the repair. The time without traffic decides the
class: ride-through up to the catalogue's `ride_through_s`, a stall up to `stall_limit_s` (the time itself is lost), an
abort beyond. Assumptions beyond the catalogue, `link_failures.py` and `shared_risks.py`:

* One failure at a time. A second failure before the first repair is not modelled, except for the two paths of a
  protected link. Routers fail as the published switches do, with all of their links.
* Only links and nodes that the job uses count as failures. The alternative route may use any lit link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ..arrays import LAST_END_POINT, NODE_KINDS, TIERS, Bools, Floats, Ints, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from .component_rates import cuts_per_year, own_line, switch_rate
from .link_failures import LinkFailures, cut_repair_h, link_failures
from .rates import HOURS_PER_YEAR, Rate
from .shared_amplifiers import amplifier_rates, shared_amplifiers
from .shared_risks import shared_cuts
from .site_cuts import JobSite, SiteGraph, site_graph

OutageClass = Literal["ride_through", "stall", "abort"]
FailedElement = Literal["risk", "link", "members", "node", "protection"]
CLASSES: tuple[OutageClass, ...] = ("ride_through", "stall", "abort")
RIDE_THROUGH, STALL, ABORT = range(3)
FAILED_ELEMENTS: tuple[FailedElement, ...] = ("risk", "link", "members", "node", "protection")
RISK, LINK, MEMBERS, NODE, PROTECTION = range(5)
"""Fibre in a shared risk; all members of a link, or its only one; one member of several; a router; the working path of
a protected link."""
LostSites = tuple[str, ...]
SECONDS_PER_HOUR = 3600.0


class Outage(NamedTuple):
    """Failures that are alike in all but the name, for reports."""

    element: FailedElement
    names: tuple[str, ...]
    n_per_year: float
    """Rate of each of them."""
    repair_h: float
    pause_s: float
    """Time without traffic: until routing has converged, or until the repair where a site is isolated."""
    outage_class: OutageClass
    lost_sites: LostSites
    """Sites isolated until the repair; () where an alternative route exists."""


@dataclass(frozen=True, eq=False)
class Outages:
    """Failures between the sites of a job, one per row; rates are per year in service."""

    element: Ints
    """Index into FAILED_ELEMENTS."""
    names: tuple[str, ...]
    """Id of the shared risk, node or link."""
    n_per_year: Floats
    repair_h: Floats
    pause_s: Floats
    """Time without traffic."""
    outage_class: Ints
    """Index into CLASSES."""
    lost: Ints
    """Index into `lost_sites`; 0 where no site is isolated."""
    lost_sites: tuple[LostSites, ...]
    member_down_ratio: float
    """Share of time in which a member of any used bundle is down and the other members carry its traffic."""

    def rows(self) -> tuple[Outage, ...]:
        """Merge rows that are alike in all but the name; those with the most waiting time come first."""
        groups: dict[tuple[float, ...], list[int]] = {}
        columns = (self.element, self.outage_class, self.lost, self.n_per_year, self.repair_h, self.pause_s)
        for i, key in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            groups.setdefault(key, []).append(i)
        outages = []
        for rows in groups.values():
            first = rows[0]
            outages.append(
                Outage(
                    element=FAILED_ELEMENTS[self.element[first]],
                    names=tuple(sorted(self.names[i] for i in rows)),
                    n_per_year=float(self.n_per_year[first]),
                    repair_h=float(self.repair_h[first]),
                    pause_s=float(self.pause_s[first]),
                    outage_class=CLASSES[self.outage_class[first]],
                    lost_sites=self.lost_sites[self.lost[first]],
                )
            )

        def order(outage: Outage) -> tuple[object, ...]:
            n_per_year = outage.n_per_year * len(outage.names)
            return -n_per_year * outage.pause_s, -n_per_year, outage.element, outage.names

        return tuple(sorted(outages, key=order))


def no_outages() -> Outages:
    """Build the outages of a job without failures between sites: no rows."""
    ints, floats = np.zeros(0, np.int64), np.zeros(0)
    return Outages(ints, (), floats, floats, floats, ints, ints, ((),), 0.0)


def links_between(state: State, sites: Sequence[str], arcs: Ints) -> Ints:
    """Find the links between sites, among the arcs that a job's inter-site traffic uses.

    These are links with spans, links at border routers, and links that end outside the job's sites.

    Args:
        state: columns of the network.
        sites: ids of the job's sites.
        arcs: arcs that the traffic uses.

    Returns:
        Rows of links, ascending.
    """
    rows = np.flatnonzero(np.bincount(arcs // 2, minlength=state.n_links))
    at_border = state.link_tier[rows] >= TIERS.index("border")
    inside = _in_sites(state, sites)[state["link_ends"][rows]]
    return np.asarray(rows[at_border | ~(inside[:, 0] & inside[:, 1])])


def failing_nodes(state: State, sites: Sequence[str], links: Ints) -> Ints:
    """Find the switches at the ends of `links` that are not part of a site's fabric, see `links_between`."""
    ends = state["link_ends"][links]
    at_wide_area = np.zeros(state.n_nodes, dtype=np.bool_)
    at_wide_area[ends[state.link_tier[links] == TIERS.index("wide_area")]] = True
    nodes = np.unique(ends)
    kind = state["node_kind"][nodes]
    between_sites = at_wide_area[nodes] | (kind == NODE_KINDS.index("border")) | ~_in_sites(state, sites)[nodes]
    return np.asarray(nodes[between_sites & (kind > LAST_END_POINT)])


def _in_sites(state: State, sites: Sequence[str]) -> Bools:
    """Nodes of these sites, bool[n_nodes]."""
    names = set(sites)
    # the last entry is for nodes without a site, whose code is -1
    is_job_site = np.array([*(name in names for name in state.sites), False])
    return np.asarray(is_job_site[state["node_site"]])


def build_site_graph(state: State, lit: Bools, sites: Sequence[JobSite], links: Ints) -> SiteGraph:
    """Build the graph around the links that a job uses between its sites; it is valid as long as `lit` is the same."""
    wide_area = np.flatnonzero(lit & (state.link_tier == TIERS.index("wide_area")))
    nodes = failing_nodes(state, [site.id for site in sites], links)
    return site_graph(state, lit, sites, nodes, np.union1d(wide_area, links))


def site_outages(
    state: State,
    reader: FigureReader,
    graph: SiteGraph,
    share_ratio: Sequence[float],
    links: Ints,
    case: AgeingCase = "value",
) -> Outages:
    """Compute the outages between the sites of a job.

    Args:
        state: columns of the network.
        reader: source of figures.
        graph: graph of the sites, see `build_site_graph`.
        share_ratio: share of the job's work of each site; the part with the larger share continues after a cut.
        links: rows of links that the job uses between its sites.
        case: low, central or high case of the failure figures.

    Returns:
        Failures of these links, of their shared risks, and of their routers.
    """
    links = np.array([row for row in np.asarray(links).tolist() if row in graph.vertex_of_link], dtype=np.int64)
    if not len(links):
        return no_outages()
    failures = link_failures(state, reader, links, case)
    table = _OutageTable(state, graph, share_ratio, reader)
    n_cuts_per_year, amplifiers = _add_cuts(table, reader, links, case), _add_amplifiers(table, reader, links, case)
    _add_links(table, links, own_line(failures, n_cuts_per_year, amplifiers, reader, case))
    down_ratio = _add_members(table, failures, links)
    _add_nodes(table, reader, case)
    _add_protection(table, reader, failures, links)
    return table.build(down_ratio)


class _OutageTable:
    """Rows of outages, added element by element."""

    def __init__(self, state: State, graph: SiteGraph, share_ratio: Sequence[float], reader: FigureReader) -> None:
        self.state, self.graph, self._share_ratio = state, graph, share_ratio
        self._ride_through_s = reader.general("ride_through_s")
        self._stall_limit_s = reader.general("stall_limit_s")
        self._convergence_s = reader.general("convergence_s")
        self._lost_codes: dict[LostSites, int] = {(): 0}
        self._columns: list[tuple[Ints, Ints, Floats, Floats, Floats, Ints]] = []

    def lost(self, nodes: Sequence[int], links: Sequence[int]) -> LostSites:
        """Find the sites that failures of these rows isolate."""
        return self.graph.sites_isolated_by(nodes, links, self._share_ratio)

    def add(
        self, element: int, rows: Ints, n_per_year: Floats, repair_h: Floats, lost: Sequence[tuple[str, ...]]
    ) -> None:
        """Add failures of one kind of element; `lost`: sites that each row isolates. Rows with rate 0 are dropped."""
        codes = np.array([self._lost_codes.setdefault(sites, len(self._lost_codes)) for sites in lost], dtype=np.int64)
        pause_s = np.where(codes > 0, repair_h * SECONDS_PER_HOUR, self._convergence_s)
        self.add_with_pause(element, rows, n_per_year, repair_h, pause_s, codes)

    def add_with_pause(
        self, element: int, rows: Ints, n_per_year: Floats, repair_h: Floats, pause_s: Floats, lost: Ints
    ) -> None:
        """Add failures with a given time without traffic."""
        occurs = n_per_year > 0
        columns = (np.full(len(rows), element), np.asarray(rows), n_per_year, repair_h, pause_s, lost)
        self._columns.append(tuple(column[occurs] for column in columns))  # type: ignore[arg-type]

    def build(self, member_down_ratio: float) -> Outages:
        element, row, n_per_year, repair_h, pause_s, lost = (
            np.concatenate(column) for column in zip(*self._columns, strict=True)
        )
        ids = {RISK: self.state.srlgs, NODE: self.state.node_ids}
        outage_class = np.where(
            pause_s <= self._ride_through_s, RIDE_THROUGH, np.where(pause_s <= self._stall_limit_s, STALL, ABORT)
        )
        return Outages(
            element=element,
            names=tuple(
                ids.get(kind, self.state.link_ids)[i] for kind, i in zip(element.tolist(), row.tolist(), strict=True)
            ),
            n_per_year=n_per_year,
            repair_h=repair_h,
            pause_s=pause_s,
            outage_class=outage_class,
            lost=lost,
            lost_sites=tuple(self._lost_codes),
            member_down_ratio=member_down_ratio,
        )


def _add_cuts(table: _OutageTable, reader: FigureReader, links: Ints, case: AgeingCase) -> Floats:
    """Cuts in shared risks; returns how often per year they take down each of `links`."""
    used = np.zeros(table.state.n_links, dtype=np.bool_)
    used[links] = True
    may_fail = np.array(sorted(table.graph.vertex_of_link), dtype=np.int64)
    cuts = [cut for cut in shared_cuts(table.state, may_fail) if used[cut.links].any()]
    n_per_year, n_down_per_year = cuts_per_year(reader, cuts, len(used), case)
    if not cuts:
        return n_down_per_year[links]
    risks = np.array([cut.risk for cut in cuts], dtype=np.int64)
    repair_h = np.full(len(cuts), cut_repair_h(reader, case))
    lost = [table.lost((), cut.links.tolist()) for cut in cuts]
    table.add(RISK, risks, n_per_year, repair_h, lost)
    return n_down_per_year[links]


def _add_amplifiers(table: _OutageTable, reader: FigureReader, links: Ints, case: AgeingCase) -> Rate:
    """Failures of amplifiers that links share; returns how often they take down each of `links`."""
    may_fail = np.array(sorted(table.graph.vertex_of_link), dtype=np.int64)
    shared = [cable for cable in shared_amplifiers(table.state, may_fail) if np.isin(cable.links, links).any()]
    by_cable, by_link = amplifier_rates(reader, shared, table.state.n_links, case)
    risks = np.array([cable.risk for cable in shared], dtype=np.int64)
    lost = [table.lost((), cable.links.tolist()) for cable in shared]
    table.add(RISK, risks, by_cable.n_per_h * HOURS_PER_YEAR, by_cable.repair_h, lost)
    return by_link.of(links)


def _add_links(table: _OutageTable, links: Ints, own: Rate) -> None:
    """Failures of whole links outside shared risks: other fibre, amplifiers, both paths at a time."""
    lost = [table.lost((), (row,)) if n else () for row, n in zip(links.tolist(), own.n_per_h, strict=True)]
    table.add(LINK, links, own.n_per_h * HOURS_PER_YEAR, own.repair_h, lost)


def _add_members(table: _OutageTable, failures: LinkFailures, links: Ints) -> float:
    """Failures of single members; the only member of a link counts as the link.

    Returns the share of time in which one of several members is down.
    """
    n_up = table.state.n_members_up[links]
    n_per_year = n_up * HOURS_PER_YEAR / failures.member_mtbf_h
    single = n_up == 1
    lost = [table.lost((), (row,)) for row in links[single].tolist()]
    table.add(LINK, links[single], n_per_year[single], failures.member_mttr_h[single], lost)
    several = ~single
    lost = [()] * int(several.sum())
    table.add(MEMBERS, links[several], n_per_year[several], failures.member_mttr_h[several], lost)
    up_ratio = 1.0 - failures.member_unavailability_ratio[several]
    return float(1.0 - np.prod(up_ratio ** n_up[several]))


def _add_nodes(table: _OutageTable, reader: FigureReader, case: AgeingCase) -> None:
    nodes = np.array(sorted(table.graph.vertex_of_node), dtype=np.int64)
    if not len(nodes):
        return
    n_per_year, repair_h = (np.full(len(nodes), figure) for figure in switch_rate(reader, case))
    lost = [table.lost((row,), ()) for row in nodes.tolist()]
    table.add(NODE, nodes, n_per_year, repair_h, lost)


def _add_protection(table: _OutageTable, reader: FigureReader, failures: LinkFailures, links: Ints) -> None:
    """Failures of a working path that the standby path bridges; traffic stops for the time of the switch."""
    part = table.state["link_protection"][links]
    protected = part >= 0
    if not protected.any():
        return
    switch_s = reader.by_code(table.state.parts, part[protected], "switch_time_s", "protection")
    zeros = np.zeros(len(switch_s))
    n_per_year = failures.n_switches_per_year[protected]
    table.add_with_pause(PROTECTION, links[protected], n_per_year, zeros, switch_s, zeros.astype(np.int64))
