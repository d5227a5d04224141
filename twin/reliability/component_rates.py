"""Rates of failure of links, members, nodes and shared risks, and repair times: one event counts in one place.

* A cut of a stretch that several links share counts for the shared risk, not for the links. A cut of a stretch of one
  link counts for that link. Amplifiers that links share on a cable count for the cable.
* A link fails as a whole for a reason that all its members share, or when the last of its members fails. A member fails
  by its transceivers, by the amplifiers of its fibre pair, or as one large operator's indoor links do.
* Switches of all kinds fail as published leaf switches do. A host with a server part fails and is repaired by the
  figures of that part. Other hosts interrupt jobs as in one published run; nothing states how long they are down.
  Nothing states how often a whole rack, a storage node or a whole site fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import LAST_END_POINT, NODE_KINDS, Floats, Ints, State
from ..arrays.node_ports import is_of_kinds
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..units import DAYS_PER_YEAR, MONTHS_PER_YEAR
from .interruptions import HOST_FIGURE
from .link_failures import FAILURES_PER_HOUR_OF_FIT, LinkFailures, cut_repair_h, link_failures
from .rates import HOURS_PER_YEAR, Rate, all_down, any_of, no_failures, rate_with_repair, select, without
from .shared_amplifiers import amplifier_rates, shared_amplifiers
from .shared_risks import SharedCut, shared_cuts

NO_REPAIR_OF_HOST = "no figure states how long a host is down"
NO_RATE_OF_RACK = "no figure states how often a whole rack fails"
NO_RATE_OF_STORAGE = "no figure states how often a storage node fails"
NO_RATE_OF_SITE = "no figure states how often a whole site fails"
NO_FIBRE_IN_RISK = "the document states no length of fibre in this shared risk"
NO_CUT_TAKES_ALL = "no single cut takes all of its links: they have another path, or their fibre counts in another risk"


@dataclass(frozen=True, eq=False)
class ComponentRates:
    """Failures per year in service, and mean hours until the repair; an entry for each component."""

    n_per_year: Floats
    """NaN where nothing states it."""
    repair_h: Floats
    """NaN where nothing states it."""
    why: Mapping[int, str]
    """Reason for each entry with a NaN."""

    @classmethod
    def of(cls, rate: Rate) -> ComponentRates:
        """Create from rates that are all known."""
        return cls(rate.n_per_h * HOURS_PER_YEAR, rate.repair_h, {})

    @classmethod
    def unknown(cls, n: int, why: str) -> ComponentRates:
        """Create for components of which nothing is stated."""
        return cls(np.full(n, np.nan), np.full(n, np.nan), dict.fromkeys(range(n), why))

    @property
    def unavailability_ratio(self) -> Floats:
        """Share of time in which each component is down; NaN where it is unknown."""
        return Rate(self.n_per_year / HOURS_PER_YEAR, self.repair_h).unavailability_ratio


def link_rates(state: State, reader: FigureReader, links: Ints, case: AgeingCase = "value") -> ComponentRates:
    """Compute how often each of `links` (rows) fails as a whole, without a cut that takes another of them as well."""
    failures = link_failures(state, reader, links, case)
    own = _own_of_links(failures, state, reader, links, case)
    return ComponentRates.of(any_of(own, all_down(failures.member, state.n_members_up[links])))


def member_rates(state: State, reader: FigureReader, links: Ints, case: AgeingCase = "value") -> ComponentRates:
    """Compute how often any one member of each of `links` (rows) fails; the only member of a link is the link."""
    failures = link_failures(state, reader, links, case)
    n_members = state.n_members_up[links]
    any_member = Rate(failures.member.n_per_h * n_members, failures.member.repair_h)
    own = _own_of_links(failures, state, reader, links, case)
    return ComponentRates.of(select(n_members == 1, any_of(own, failures.member), any_member))


def own_line(
    failures: LinkFailures, n_cuts_per_year: Floats, amplifiers: Rate, reader: FigureReader, case: AgeingCase
) -> Rate:
    """Compute failures of all members at once, apart from cuts and amplifiers that count elsewhere.

    Args:
        failures: failures of links.
        n_cuts_per_year: how often cuts that count elsewhere take each of these links down.
        amplifiers: failures of amplifiers that count elsewhere, by link.
        reader: source of figures.
        case: low, central or high case of the failure figures.
    """
    line = failures.line
    if n_cuts_per_year.any():
        line = without(line, rate_with_repair(n_cuts_per_year / HOURS_PER_YEAR, cut_repair_h(reader, case)))
    return without(line, amplifiers) if amplifiers.n_per_h.any() else line


def cuts_per_year(
    reader: FigureReader, cuts: Sequence[SharedCut], n_links: int, case: AgeingCase = "value"
) -> tuple[Floats, Floats]:
    """Compute how often each stretch of shared risks is cut, and how often these cuts take each link down."""
    by_link = np.zeros(n_links)
    if not cuts:
        return np.zeros(0), by_link
    by_cut = reader.general("n_cuts_per_km_year", case) * np.array([cut.length_km for cut in cuts])
    for cut, n_per_year in zip(cuts, by_cut, strict=True):
        by_link[cut.links] += n_per_year
    return by_cut, by_link


def _own_of_links(failures: LinkFailures, state: State, reader: FigureReader, links: Ints, case: AgeingCase) -> Rate:
    """Return failures of each of `links` as a whole that take none of the others with it."""
    cuts = [cut for cut in shared_cuts(state, links) if len(cut.links) > 1]
    n_cuts_per_year = cuts_per_year(reader, cuts, state.n_links, case)[1][links]
    amplifiers = amplifier_rates(reader, shared_amplifiers(state, links), state.n_links, case)[1]
    return own_line(failures, n_cuts_per_year, amplifiers.of(links), reader, case)


def switch_rate(reader: FigureReader, case: AgeingCase = "value") -> tuple[float, float]:
    """Return the failures of a switch per year, and the mean hours until its repair."""
    n_per_year = reader.general("n_switch_failures_per_month", case) * MONTHS_PER_YEAR
    return n_per_year, reader.general("switch_repair_h", case)


def node_rates(state: State, reader: FigureReader, nodes: Ints, case: AgeingCase = "value") -> ComponentRates:
    """Compute how often each of `nodes` (rows) fails, with all its links."""
    kind = state["node_kind"][nodes]
    n_per_year, repair_h = np.full(len(nodes), np.nan), np.full(len(nodes), np.nan)
    is_switch, is_host = kind > LAST_END_POINT, kind == NODE_KINDS.index("host")
    if is_switch.any():
        n_per_year[is_switch], repair_h[is_switch] = switch_rate(reader, case)
    if is_host.any():
        n_per_year[is_host] = reader.general(HOST_FIGURE) * DAYS_PER_YEAR
    is_server = is_of_kinds(state, reader, frozenset({"server"}))[nodes] & (kind == NODE_KINDS.index("host"))
    for row in np.flatnonzero(is_server).tolist():
        part_id = state.parts[state["node_part"][nodes[row]]]
        n_per_year[row] = reader.part(part_id, "failure_fit") * FAILURES_PER_HOUR_OF_FIT * HOURS_PER_YEAR
        repair_h[row] = reader.part(part_id, "repair_h")
    whys = {"host": NO_REPAIR_OF_HOST, "rack": NO_RATE_OF_RACK, "storage": NO_RATE_OF_STORAGE}
    unknown = np.flatnonzero(~is_switch & ~is_server).tolist()
    return ComponentRates(n_per_year, repair_h, {row: whys[NODE_KINDS[kind[row]]] for row in unknown})


def risk_rates(
    state: State, reader: FigureReader, groups: Sequence[Ints], codes: Sequence[int], case: AgeingCase = "value"
) -> ComponentRates:
    """Compute how often a cut, or an amplifier of a cable, takes down all links of each shared risk at once.

    Args:
        state: columns of the network.
        reader: source of figures.
        groups: rows of the links that fail with each risk.
        codes: code of each risk.
        case: low, central or high case of the failure figures.
    """
    links = np.unique(np.concatenate([np.zeros(0, np.int64), *groups]))
    cuts: dict[int, list[SharedCut]] = {}
    for cut in shared_cuts(state, links):
        cuts.setdefault(cut.risk, []).append(cut)
    n_spans = np.diff(state["span_first"])
    length_km, why = np.full(len(groups), np.nan), {}
    for i, (code, group) in enumerate(zip(codes, groups, strict=True)):
        taken = [cut.length_km for cut in cuts.get(code, ()) if np.isin(group, cut.links).all()]
        if taken:
            length_km[i] = sum(taken)
        else:
            why[i] = NO_CUT_TAKES_ALL if n_spans[group].any() else NO_FIBRE_IN_RISK
    amplifiers = _amplifiers_of_risks(state, reader, groups, codes, case)
    for i in np.flatnonzero(amplifiers.n_per_h > 0).tolist():
        why.pop(i, None)
    if len(why) == len(groups):
        return ComponentRates(length_km, length_km.copy(), why)
    by_cuts = no_failures(len(groups))
    if not np.isnan(length_km).all():
        n_per_h = reader.general("n_cuts_per_km_year", case) * np.nan_to_num(length_km) / HOURS_PER_YEAR
        by_cuts = rate_with_repair(n_per_h, cut_repair_h(reader, case))
    rate, is_known = any_of(by_cuts, amplifiers), np.array([i not in why for i in range(len(groups))])
    n_per_year, repair_h = rate.n_per_h * HOURS_PER_YEAR, rate.repair_h
    return ComponentRates(np.where(is_known, n_per_year, np.nan), np.where(is_known, repair_h, np.nan), why)


def _amplifiers_of_risks(
    state: State, reader: FigureReader, groups: Sequence[Ints], codes: Sequence[int], case: AgeingCase
) -> Rate:
    """Return failures of amplifiers that take down all links of each shared risk, which then is a cable."""
    shared = shared_amplifiers(state, np.unique(np.concatenate([np.zeros(0, np.int64), *groups])))
    by_cable = amplifier_rates(reader, shared, state.n_links, case)[0]
    row_of = {cable.risk: row for row, cable in enumerate(shared)}
    n_per_h, repair_h = np.zeros(len(groups)), np.zeros(len(groups))
    for i, (code, group) in enumerate(zip(codes, groups, strict=True)):
        row = row_of.get(code)
        if row is not None and np.isin(group, shared[row].links).all():
            n_per_h[i], repair_h[i] = by_cable.n_per_h[row], by_cable.repair_h[row]
    return Rate(n_per_h, repair_h)
