"""Load balancing of each arc: the record of the document that covers it, and its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import TIERS, Bools, Ints, State
from ..catalogue.figure_reader import FigureReader
from ..model.records import BalancingName, LoadBalancing, Lossless
from ..traffic.balancing_modes import MODES, Flows
from .phase_goodput import n_flows_per_pair

EVEN = -1
"""Rule of arcs that split evenly: links of cards, and fabrics whose load balancing is not stated."""


@dataclass(frozen=True, slots=True)
class BalancingRule:
    """How the switches before some arcs spread flows."""

    mode: BalancingName
    flows: Flows
    efficiency_ratio: float
    """Share of the rate of even splitting that is reached at best."""


@dataclass(frozen=True, eq=False)
class ArcModes:
    """Mode of each rule, and the row of each arc's rule: the part of the rules that no figure reaches."""

    modes: tuple[BalancingName, ...]
    of_arc: Ints
    """int64[2 * n_links], EVEN for arcs that split evenly."""

    def hashes(self, arcs: Ints) -> Bools:
        """Find the arcs among these whose switches hash flows."""
        by_rule = np.array([*(MODES[mode].is_hashed for mode in self.modes), False])  # the last is that of EVEN
        return by_rule[self.of_arc[arcs]]


@dataclass(frozen=True, eq=False)
class BalancingRules:
    """Rules, and the row of each arc's rule among them."""

    rules: tuple[BalancingRule, ...]
    arc_modes: ArcModes

    @classmethod
    def of(cls, rules: Sequence[BalancingRule], of_arc: Ints) -> BalancingRules:
        """Build the rules from the row of each arc's rule; int64[2 * n_links]."""
        return cls(tuple(rules), ArcModes(tuple(rule.mode for rule in rules), of_arc))

    @property
    def of_arc(self) -> Ints:
        """Row of each arc's rule; int64[2 * n_links], EVEN for arcs that split evenly."""
        return self.arc_modes.of_arc


UNSTATED: tuple[tuple[BalancingName, int], ...] = (("ecmp", 2), ("ecmp", 8), ("spray", 1))
"""(mode, flows per pair) that answers compare where the load balancing of fabrics is not stated."""


def with_stated(rules: BalancingRules, state: State, rule: BalancingRule) -> BalancingRules:
    """Return the rules with this one for all switches whose load balancing is not stated."""
    unstated = (rules.of_arc == EVEN) & np.repeat(state.link_tier > TIERS.index("access"), 2)
    return BalancingRules.of((*rules.rules, rule), np.where(unstated, len(rules.rules), rules.of_arc))


def is_unstated(rules: BalancingRules, state: State, arcs: Ints) -> bool:
    """Return whether some of these arcs leave a switch whose load balancing is not stated."""
    return bool(((rules.of_arc[arcs] == EVEN) & (state.link_tier[arcs // 2] > TIERS.index("access"))).any())


def balancing_rules(
    state: State, records: Sequence[LoadBalancing], lossless: Lossless, reader: FigureReader
) -> BalancingRules:
    """Find the rule of each arc: fabric and tier go before fabric, tier, and all.

    Without a record, flows hash onto the members of wide-area links, and fabrics split evenly. Links of racks and hosts
    are network cards and never hash.

    Args:
        state: links and node ids of the network.
        records: `load_balancing` of the document.
        lossless: `lossless` of the document, for the flows between sites.
        reader: source of figures.
    """
    tier = np.repeat(state.link_tier, 2)
    wide = TIERS.index("wide_area")
    rules: list[BalancingRule] = []
    of_arc = np.full(len(tier), EVEN)
    for record in (LoadBalancing("ecmp", tier="wide_area"), *sorted(records, key=_precedence)):
        covered = tier > TIERS.index("access")
        if record.tier is not None:
            covered &= tier == TIERS.index(record.tier)
        if record.fabric is not None:
            covered &= _starts_in(state, record.fabric)
        for is_wide in (False, True):
            rows = np.flatnonzero(covered & ((tier == wide) == is_wide))
            if len(rows):
                of_arc[rows] = len(rules)
                rules.append(_rule(record, lossless, reader, is_wide=is_wide))
    return BalancingRules.of(rules, of_arc)


def _precedence(record: LoadBalancing) -> tuple[bool, bool, str, str]:
    """Sorts records so that a narrower one comes later."""
    return record.fabric is not None, record.tier is not None, record.fabric or "", record.tier or ""


def _starts_in(state: State, fabric: str) -> np.ndarray:
    """Arcs that leave a node of a fabric; bool[2 * n_links]."""
    prefix = fabric + "/"
    inside = np.array([node_id.startswith(prefix) for node_id in state.node_ids], dtype=np.bool_)
    head = state["arc_head"]
    return np.asarray(inside[head[np.arange(len(head)) ^ 1]])


def _rule(record: LoadBalancing, lossless: Lossless, reader: FigureReader, *, is_wide: bool) -> BalancingRule:
    """Settings of a record for links of the wide area or of a fabric, with figures for those that it leaves out."""
    efficiency_ratio, n_flows = 1.0, record.n_flows_per_pair
    if record.mode == "spray":
        stated = record.efficiency_ratio
        efficiency_ratio = reader.general("spray_efficiency_ratio") if stated is None else stated
    if n_flows is None and MODES[record.mode].is_hashed:
        n_flows = round(_n_flows(lossless, reader, is_wide=is_wide))
    return BalancingRule(record.mode, Flows(n_flows or 1, record.n_rehashes or 1), efficiency_ratio)


def _n_flows(lossless: Lossless, reader: FigureReader, *, is_wide: bool) -> float:
    """Flows per pair where no record states them."""
    if not is_wide:
        return reader.general("n_flows_per_card_pair")
    return n_flows_per_pair(lossless, reader)
