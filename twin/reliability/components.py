"""Independent components of a network, and the ways in which each may be down.

A component is a link with its members, a stretch of a shared risk that several links run in, the amplifiers of a cable
that several links share, or a switch. Components
fail and are repaired independently of each other, so the share of time in which one is down depends only on its mean
times. A mode is one way to be down: a link has one for each number of members that are down, other components have one.
Nodes of which nothing states a rate or a repair time never fail here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..errors import CatalogueError
from ..errors.wording import counted
from ..units import unit_of
from .component_rates import cuts_per_year, node_rates, own_line
from .link_failures import cut_repair_h, link_failures
from .rates import HOURS_PER_YEAR, Rate, rate_with_repair
from .shared_amplifiers import SharedAmplifiers, amplifier_rates, shared_amplifiers
from .shared_risks import SharedCut, risks_without_length, shared_cuts

ComponentKind = Literal["link", "members", "srlg", "cable", "amplifiers", "node"]
LINK, RISK, NODE = range(3)


class DownComponent(NamedTuple):
    """A component in one of its modes, by name."""

    id: str
    kind: ComponentKind
    n_members_down: int | None
    """Members that are down, of a link of which others are up; None otherwise."""


@dataclass(frozen=True, eq=False)
class Components:
    """Components, links first, then shared risks, then nodes; those of one kind are in the order of their ids."""

    state: State
    kind: Ints
    """LINK, RISK or NODE, int64[n_components]."""
    row: Ints
    """Row of the link or node, or index into `causes`."""
    causes: tuple[SharedCut | SharedAmplifiers, ...]
    """Cuts of shared risks, then amplifiers of cables."""
    mode_first: Ints
    """The modes of component c are mode_first[c]:mode_first[c + 1], int64[n_components + 1]."""
    probability_ratio: Floats
    """Share of time in which a component is in each mode, float64[n_modes]."""
    kept_ratio: Floats
    """Share that the mode leaves of its links, float64[n_modes]."""
    n_repairs_per_h: Floats
    """Repairs per hour in each mode, float64[n_modes]."""
    always_up: Mapping[str, int]
    """Nodes that never fail here, counted by reason."""

    @cached_property
    def n_risks_without_length(self) -> int:
        """Shared risks that never fail here: fewer than two of their links state a length of fibre."""
        return risks_without_length(self.state, self.row[self.kind == LINK])

    @property
    def n(self) -> int:
        """Number of components."""
        return len(self.kind)

    @cached_property
    def component(self) -> Ints:
        """Component of each mode, int64[n_modes]."""
        return np.repeat(np.arange(self.n), np.diff(self.mode_first))

    @cached_property
    def down_ratio(self) -> Floats:
        """Share of time in which each component is not wholly up, float64[n_components]."""
        return np.add.reduceat(self.probability_ratio, self.mode_first[:-1]) if self.n else np.zeros(0)

    @cached_property
    def gone_ratio(self) -> Floats:
        """Share of time in which nothing is left of each component, float64[n_components]; of links the last mode."""
        return self.probability_ratio[self.mode_first[1:] - 1]

    @cached_property
    def own(self) -> Ints:
        """Component of each link, -1 for links that carry no traffic; int64[n_links]."""
        return self._by_row(LINK, self.state.n_links)

    @cached_property
    def of_node(self) -> Ints:
        """Component of each node, -1 for nodes that never fail; int64[n_nodes]."""
        return self._by_row(NODE, self.state.n_nodes)

    def _by_row(self, kind: int, n: int) -> Ints:
        out = np.full(n, -1, np.int64)
        chosen = np.flatnonzero(self.kind == kind)
        out[self.row[chosen]] = chosen
        return out

    @cached_property
    def risks_of_link(self) -> tuple[Ints, Ints]:
        """(first, component): the shared risks of each link in CSR form."""
        risks = np.flatnonzero(self.kind == RISK)
        links = [self.causes[row].links for row in self.row[risks]]
        link = np.concatenate([np.zeros(0, np.int64), *links])
        component = np.repeat(risks, [len(rows) for rows in links])
        order = np.argsort(link, kind="stable")
        first = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(link, minlength=self.state.n_links))))
        return first, component[order]

    def used_by(self, links: Bools) -> Ints:
        """Find the components on which these links depend, ascending: the links, their shared risks and their ends.

        Args:
            links: bool[n_links].
        """
        first, component = self.risks_of_link
        used = np.zeros(self.n + 1, np.bool_)
        used[self.own[links]] = True
        used[component[np.repeat(links, np.diff(first))]] = True
        used[self.of_node[self.state["link_ends"][links]]] = True
        return np.flatnonzero(used[:-1])

    def kept_of_links(self, modes: Ints) -> Floats:
        """Return what is left of the members of each link when components are in these modes, float64[n_links]."""
        kept = np.ones(self.state.n_links)
        for mode in modes.tolist():
            component = self.component[mode]
            row, ratio = int(self.row[component]), self.kept_ratio[mode]
            if self.kind[component] == LINK:
                kept[row] = min(kept[row], ratio)
            elif self.kind[component] == RISK:
                kept[self.causes[row].links] = 0.0
            else:
                kept[self._links_of_node(row)] = 0.0
        return kept

    def _links_of_node(self, node: int) -> Ints:
        first = self.state["arc_first"]
        return np.asarray(self.state["arc_sorted"][first[node] : first[node + 1]] // 2)

    def _cut_name(self, cut: SharedCut) -> str:
        """Return the name of a shared risk, with length and links where several stretches of it can be cut."""
        name = self.state.srlgs[cut.risk]
        same = [cause for cause in self.causes if isinstance(cause, SharedCut) and cause.risk == cut.risk]
        links = counted(len(cut.links), "link")
        return name if len(same) == 1 else f"{name}, {cut.length_km:.4g} km of {links}"

    def name(self, mode: int) -> DownComponent:
        """Return the name of a component in a mode."""
        component = int(self.component[mode])
        row, state = int(self.row[component]), self.state
        if self.kind[component] == RISK:
            cause = self.causes[row]
            kind: ComponentKind = "cable" if (state["span_cable"] == cause.risk).any() else "srlg"
            if isinstance(cause, SharedAmplifiers):
                kind = "amplifiers"
                return DownComponent(state.srlgs[cause.risk], kind, None)
            return DownComponent(self._cut_name(cause), kind, None)
        if self.kind[component] == NODE:
            return DownComponent(state.arrays.node_ids[row], "node", None)
        link = state.arrays.link_ids[row]
        if self.kept_ratio[mode] == 0.0:
            return DownComponent(link, "link", None)
        return DownComponent(link, "members", mode - int(self.mode_first[component]) + 1)


def components_of(state: State, reader: FigureReader, links: Ints, case: AgeingCase = "value") -> Components:
    """Find the components of the links that carry traffic.

    Args:
        state: columns of the network.
        reader: source of figures, with an empty list of used ones.
        links: rows of these links, ascending.
        case: low, central or high case of the failure figures.

    Raises:
        CatalogueError: a negative figure.
    """
    cuts = tuple(cut for cut in shared_cuts(state, links) if len(cut.links) > 1)
    n_cuts_per_year, n_shared_per_year = cuts_per_year(reader, cuts, state.n_links, case)
    shared = shared_amplifiers(state, links)
    amplifiers, amplifiers_of_link = amplifier_rates(reader, shared, state.n_links, case)
    failures = link_failures(state, reader, links, case)
    line = own_line(failures, n_shared_per_year[links], amplifiers_of_link.of(links), reader, case)
    own = _link_modes(line, failures.member, state.n_members_up[links])
    repair_h = cut_repair_h(reader, case) if cuts else 0.0
    cut = rate_with_repair(n_cuts_per_year / HOURS_PER_YEAR, repair_h)
    risks = Rate(*(np.concatenate(columns) for columns in zip(cut, amplifiers, strict=True)))
    ends = np.unique(state["link_ends"][links])
    rates = node_rates(state, reader, ends, case)
    known = ~np.isnan(rates.unavailability_ratio)
    nodes = ends[known]
    node_rate = Rate(rates.n_per_year[known] / HOURS_PER_YEAR, rates.repair_h[known])
    causes: tuple[SharedCut | SharedAmplifiers, ...] = (*cuts, *shared)
    reasons = [rates.why[row] for row in np.flatnonzero(~known).tolist()]
    _check_figures(reader, case)
    whole = [np.concatenate(columns) for columns in zip(_whole(risks), _whole(node_rate), strict=True)]
    n_modes = np.concatenate((own.n_modes, np.ones(len(causes) + len(nodes), np.int64)))
    return Components(
        state=state,
        kind=np.repeat([LINK, RISK, NODE], [len(links), len(causes), len(nodes)]),
        row=np.concatenate((links, np.arange(len(causes)), nodes)).astype(np.int64),
        causes=causes,
        mode_first=np.concatenate((np.zeros(1, np.int64), np.cumsum(n_modes))),
        probability_ratio=np.concatenate((own.probability_ratio, whole[0])),
        kept_ratio=np.concatenate((own.kept_ratio, np.zeros(len(whole[0])))),
        n_repairs_per_h=np.concatenate((own.n_repairs_per_h, whole[1])),
        always_up={why: reasons.count(why) for why in sorted(set(reasons))},
    )


def _check_figures(reader: FigureReader, case: AgeingCase) -> None:
    for figure in reader.used_figures():
        value = float(getattr(figure, case))
        is_level = unit_of(figure.name.partition(" at ")[0]) in ("dBm", "dB")  # of these, negative ones are usual
        if not (np.isfinite(value) and (is_level or value >= 0.0)):
            raise CatalogueError(f"{figure.name} is {value:g}", where=figure.where, expected="a number of at least 0")


class _LinkModes(NamedTuple):
    """Modes of links: 1, 2, … all members down."""

    n_modes: Ints
    probability_ratio: Floats
    kept_ratio: Floats
    n_repairs_per_h: Floats


def _link_modes(line: Rate, member: Rate, n_members: Ints) -> _LinkModes:
    """Numbers of members that are down are binomial; the last mode is also that of the line."""
    from scipy.stats import binom  # 0.4 s of import that most questions do not need

    link = np.repeat(np.arange(len(n_members)), n_members)
    last = np.cumsum(n_members) - 1
    n_down = np.arange(len(link)) - np.repeat(last + 1 - n_members, n_members) + 1
    member_down, line_down = member.unavailability_ratio, line.unavailability_ratio
    independent = (1.0 - line_down)[link] * binom.pmf(n_down, n_members[link], member_down[link])
    repairs_per_h = n_down * _inverse(member.repair_h)[link]
    probability, flow_per_h = independent.copy(), independent * repairs_per_h
    probability[last] += line_down
    flow_per_h[last] += line_down * _inverse(line.repair_h)
    n_repairs_per_h = np.divide(flow_per_h, probability, out=repairs_per_h, where=probability > 0.0)
    return _LinkModes(n_members, probability, 1.0 - n_down / n_members[link], n_repairs_per_h)


def _whole(rate: Rate) -> tuple[Floats, Floats]:
    """Probability and repairs per hour of the only mode of each component."""
    return rate.unavailability_ratio, _inverse(rate.repair_h)


def _inverse(hours: Floats) -> Floats:
    return np.divide(1.0, hours, out=np.zeros(len(hours)), where=hours > 0.0)
