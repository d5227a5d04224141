"""Load balancing of a job's phases: the end of each phase over all links that its flows share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..arrays.sums import sums_by
from ..kernels.hashing import present_fractions
from ..kernels.phase_ends import busiest_arcs
from ..traffic.balancing_modes import MODES
from ..traffic.hash_groups import HashedRoutes
from ..traffic.hash_law import PhaseTimes, joint_times
from ..traffic.routes import Routes
from .balancing_rules import EVEN, ArcModes, BalancingRules
from .job_flows import Flows, JobFlows
from .link_loads import PairTable
from .phase_capacity import FLOW_KINDS
from .step_inputs import UnitLinkLoads, choose_schedule


@dataclass(frozen=True, eq=False)
class PhasePattern:
    """Flow sets of one kind, and the arcs where switches hash them.

    Entries are (route, arc) in the order of traces, of arcs whose rule is a hashed mode. `n_pairs` and `amount` are by
    set and route, `load` by set and row of the link loads.
    """

    first: Ints
    arc: Ints
    split_ratio: Floats
    present_ratio: Floats
    at_node_ratio: Floats
    n_pairs: Floats
    """Pairs of accelerators; float64[n_sets, n_routes]."""
    amount: Floats
    """Traffic in the unit of the flow sets; float64[n_sets, n_routes]."""
    load: Floats
    """Load of arcs under even splitting; float64[n_sets, n_rows]."""
    n_pairs_on_card_link: Floats
    """Pairs on links of racks and hosts, by row; infinite on links between switches. A pair fills one card."""


@dataclass(frozen=True, eq=False)
class BalancingLimits:
    """Capacity of the arcs of a job for load balancing; infinite where an arc limits nothing.

    Collisions share the line among the flows of the fullest link. Flows that their windows hold below that share do not
    collide, so a phase ends with the later of both.
    """

    gbps: Mapping[str, Floats]
    """Capacity with all limits of the flows of a kind, by kind and row."""
    line_gbps: Mapping[str, Floats]
    """Capacity of the line, by kind and row; a kind that is left out has that of `gbps`."""

    def of(self, kind: str) -> tuple[Floats, Floats]:
        """Return (capacity, capacity of the line) of a kind by row."""
        return self.gbps[kind], self.line_gbps.get(kind, self.gbps[kind])

    def unlimited(self, rows: Bools) -> BalancingLimits:
        """Remove the limits on these rows."""
        gbps, line = (
            {kind: np.where(rows, np.inf, column) for kind, column in columns.items()}
            for columns in (self.gbps, self.line_gbps)
        )
        for column in (*gbps.values(), *line.values()):
            column.flags.writeable = False  # kernels are compiled for limits of stages, which are read-only
        return BalancingLimits(gbps, line)


@dataclass(frozen=True, eq=False)
class PhasePatterns:
    """Patterns of the kinds of flow sets that cross an arc with a rule."""

    arc: Ints
    """Rows of the link loads."""
    head: Ints
    """int64[2 * n_links], node that an arc leads to."""
    by_kind: Mapping[str, PhasePattern]
    _rows: dict[int, Ints] = field(default_factory=dict, repr=False)

    def times(
        self,
        rules: BalancingRules,
        limits: BalancingLimits,
        n_members: Ints,
        weights: Mapping[str, Floats] | None = None,
    ) -> dict[str, PhaseTimes]:
        """Compute the end of each kind over jobs, in any unit of time.

        Args:
            rules: load balancing of each arc, with the modes that the patterns were collected for.
            limits: capacity of arcs.
            n_members: members that are up, by link.
            weights: factor of each flow set, by kind; 1 where it is left out.

        Returns:
            Ends by kind; kinds without a rule, without traffic or without capacity are left out.
        """
        found = {}
        for kind, pattern in self.by_kind.items():
            weight = (weights or {}).get(kind, np.ones(len(pattern.load)))
            times = self._times_of(pattern, rules, limits.of(kind), n_members, weight)
            if times is not None:
                found[kind] = times
        return found

    def _times_of(
        self,
        pattern: PhasePattern,
        rules: BalancingRules,
        limits: tuple[Floats, Floats],
        n_members: Ints,
        weight: Floats,
    ) -> PhaseTimes | None:
        gbps, line_gbps = limits
        load = weight @ pattern.load
        of_row = n_members[self.arc // 2]
        best = np.array([*(r.efficiency_ratio for r in rules.rules), 1.0])  # the last is that of EVEN
        ends = np.empty(2)
        rule = rules.of_arc[self.arc]
        if not busiest_arcs(load, gbps, of_row, pattern.n_pairs_on_card_link, best, rule, ends):
            return None
        even_s = float(ends[0])
        if not np.isfinite(even_s) or even_s == 0:
            return None
        floor_s = max(even_s, float(ends[1]))
        parts = [PhaseTimes(even_s, np.array([floor_s]), np.ones(1))]
        if len(pattern.arc):
            member_gbps, rule_of_entry = line_gbps / of_row, rules.of_arc[pattern.arc]
            rows = self._rows_of(pattern)
            routes = self._hashed_routes(pattern, rows, weight, member_gbps, n_members, floor_s)
            is_limit = np.isfinite(member_gbps[rows]) & (self.arc[rows] == pattern.arc)
            for i in np.flatnonzero(np.bincount(rule_of_entry)).tolist():
                chosen = (rule_of_entry == i) & is_limit
                if chosen.any():
                    rule_i = rules.rules[i]
                    parts.append(MODES[rule_i.mode].times(_only(routes, chosen), rule_i.flows))
        return joint_times(even_s, parts)

    def _rows_of(self, pattern: PhasePattern) -> Ints:
        """Row of the link loads of each entry of a pattern, found once; any row for an arc without a load."""
        if id(pattern) not in self._rows:
            self._rows[id(pattern)] = np.minimum(np.searchsorted(self.arc, pattern.arc), len(self.arc) - 1)
        return self._rows[id(pattern)]

    def _hashed_routes(
        self, pattern: PhasePattern, rows: Ints, weight: Floats, member_gbps: Floats, n_members: Ints, floor_s: float
    ) -> HashedRoutes:
        """Routes of a pattern with the flow sets weighted; links are rows of the link loads."""
        amount = weight @ pattern.amount
        n_pairs = (weight > 0).astype(np.float64) @ pattern.n_pairs
        return HashedRoutes(
            first=pattern.first,
            link=rows,
            split_ratio=pattern.split_ratio,
            n_pairs=n_pairs,
            pair_bytes=np.divide(amount, n_pairs, out=np.zeros(len(amount)), where=n_pairs > 0),
            capacity_bytes_per_s=member_gbps,
            n_members=n_members[self.arc // 2],
            tail=self.head[self.arc ^ 1],
            head=self.head[self.arc],
            floor_s=floor_s,
            present_ratio=pattern.present_ratio,
            at_node_ratio=pattern.at_node_ratio,
        )


def phase_patterns(
    state: State, flows: JobFlows, pairs: PairTable, routes: Routes, loads: UnitLinkLoads, modes: ArcModes
) -> PhasePatterns:
    """Collect the flow sets of each kind that cross an arc with a rule.

    Args:
        state: arcs of the network.
        flows: flow sets of the job.
        pairs: distinct pairs of the flows.
        routes: routes of the pairs.
        loads: unit loads of the flow sets.
        modes: load balancing of each arc.
    """
    by_kind = {}
    columns = loads.columns()
    has_rule = modes.of_arc[loads.arc] != EVEN
    is_access = state.link_tier[loads.arc // 2] == TIERS.index("access")
    sets, ruled = flows.sets(), _RuledRoutes.of(state, routes, modes)
    for kind in FLOW_KINDS:
        of_kind = [i for i, (phase, _) in enumerate(sets) if phase == kind]
        if of_kind and any((columns[i][has_rule] > 0).any() for i in of_kind):
            load = np.stack([columns[i] for i in of_kind])
            on_cards = np.where(is_access & (loads.n_pairs[kind] > 0), loads.n_pairs[kind], np.inf)
            of_pairs = [(sets[i][1], pairs.rows[i]) for i in of_kind]
            by_kind[kind] = _pattern(state, of_pairs, routes, load, ruled, on_cards)
    return PhasePatterns(loads.arc, state["arc_head"], by_kind)


def exchange_weights(sites: Sequence[str], loads: UnitLinkLoads, gbps: Floats) -> dict[str, Floats]:
    """Weight of each flow set between sites: its part in the exchange that ends first under even splitting.

    Args:
        sites: sites of the job.
        loads: unit loads of the flow sets.
        gbps: capacity by row of the loads.
    """
    if len(sites) < 3 or not (gbps > 0).all():
        return {}
    schedule = choose_schedule(len(sites), loads, gbps)
    return {} if schedule is None else {"wide_area": np.array([schedule.volume[i, j] for i, j in loads.wide])}


@dataclass(frozen=True, eq=False)
class _RuledRoutes:
    """Rules of load balancing on the arcs of routes."""

    modes: ArcModes
    n_hashed: Ints
    """Arcs of each route whose switches hash flows; int64[n_routes]."""
    in_fabric: Bools
    """Routes with an arc inside sites that has a rule; bool[n_routes]."""

    @classmethod
    def of(cls, state: State, routes: Routes, modes: ArcModes) -> _RuledRoutes:
        """Look at the arcs of all routes once, for all kinds of flow sets."""

        def count(chosen: Bools) -> Ints:
            before: Ints = np.concatenate((np.zeros(1, np.int64), np.cumsum(chosen, dtype=np.int64)))
            return before[routes.trace_first[1:]] - before[routes.trace_first[:-1]]

        has_rule = np.repeat(state.link_tier != TIERS.index("wide_area"), 2) & (modes.of_arc != EVEN)
        return cls(modes, count(modes.hashes(routes.trace_arc)), count(has_rule[routes.trace_arc]) > 0)


def _pattern(
    state: State,
    sets: Sequence[tuple[Flows, Ints]],
    routes: Routes,
    load: Floats,
    ruled: _RuledRoutes,
    n_pairs_on_card_link: Floats,
) -> PhasePattern:
    """Pattern of the flow sets of one kind, each with the rows of its pairs."""
    n_routes, modes = len(routes.trace_first) - 1, ruled.modes

    def by_route(values: Floats, rows: Ints) -> Floats:
        return sums_by(routes.route_of_pair[rows], values, n_routes)

    n_pairs = np.stack([by_route(flow.n_pairs, rows) for flow, rows in sets])
    amount = np.stack([by_route(flow.amount, rows) for flow, rows in sets])
    used = np.flatnonzero(amount.any(axis=0))
    counts = ruled.n_hashed[used]
    first, arc, fraction = _traces(routes, used[counts > 0])
    hashes, present, at_node = modes.hashes(arc), np.ones(len(arc)), np.ones(len(arc))
    if len(arc) and ruled.in_fabric[used].any():
        present, at_node = _present_ratios(state, first, arc, fraction)
    return PhasePattern(
        first=np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))),
        arc=arc[hashes],
        split_ratio=fraction[hashes],
        present_ratio=present[hashes],
        at_node_ratio=at_node[hashes],
        n_pairs=n_pairs[:, used],
        amount=amount[:, used],
        load=load,
        n_pairs_on_card_link=n_pairs_on_card_link,
    )


def _present_ratios(state: State, first: Ints, arc: Ints, fraction: Floats) -> tuple[Floats, Floats]:
    """(present, at node): part of a route's flows that can cross each arc, and the switch before it.

    first: int64[n_routes + 1].
    """
    present, at_node = np.ones(len(arc)), np.ones(len(arc))
    scratch = np.zeros(state.n_nodes, np.int64), np.zeros(state.n_nodes, np.int64)
    has_cards = np.asarray(~state["node_forwards"])
    present_fractions(first, arc, fraction, state["arc_head"], has_cards, *scratch, present, at_node)
    return present, at_node


def _traces(routes: Routes, used: Ints) -> tuple[Ints, Ints, Floats]:
    """(first, arc, fraction) of all arcs of these routes."""
    n = np.diff(routes.trace_first)[used]
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(n)))
    entry = np.repeat(routes.trace_first[used] - first[:-1], n) + np.arange(first[-1])
    return first, routes.trace_arc[entry], routes.trace_fraction[entry]


def _only(routes: HashedRoutes, chosen: Bools) -> HashedRoutes:
    """The same routes on the chosen entries alone, with the links that these use."""
    counts = np.bincount(routes.route_of[chosen], minlength=len(routes.n_pairs))
    is_used = np.zeros(len(routes.n_members), np.bool_)
    is_used[routes.link[chosen]] = True
    links, link = np.flatnonzero(is_used), (np.cumsum(is_used) - 1)[routes.link[chosen]]
    return replace(
        routes,
        first=np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))),
        link=link,
        split_ratio=routes.split_ratio[chosen],
        present_ratio=None if routes.present_ratio is None else routes.present_ratio[chosen],
        at_node_ratio=None if routes.at_node_ratio is None else routes.at_node_ratio[chosen],
        capacity_bytes_per_s=routes.capacity_bytes_per_s[links],
        n_members=routes.n_members[links],
        tail=routes.tail[links],
        head=routes.head[links],
    )
