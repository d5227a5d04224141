"""The rule of each arc: defaults by tier, and which of several records covers a switch."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from tests.training.cases import general, reader, state_of
from twin.model.records import LoadBalancing, Lossless
from twin.training.balancing_rules import (
    EVEN,
    BalancingRule,
    BalancingRules,
    balancing_rules,
    is_unstated,
    with_stated,
)

LINKS = {
    "access": ("f/rack", "f/leaf"),
    "border": ("g/spine", "f/border"),
    "fabric-fg": ("f/leaf", "g/spine"),
    "fabric-gg": ("g/spine", "g/super"),
    "wide": ("f/border", "h/border"),
}
KINDS = {"rack": "rack", "leaf": "leaf", "spine": "spine", "super": "spine", "border": "border"}


def state() -> Any:
    """Fabrics f and g at site a, and h at site b; a link of each tier."""
    names = sorted({end for ends in LINKS.values() for end in ends})
    nodes: list[dict[str, Any]] = []
    for name in names:
        node = {"id": name, "kind": KINDS[name.split("/")[1]], "site": "b" if name.startswith("h/") else "a"}
        nodes.append(node | ({"accelerator": "H100", "n_accelerators": 8} if node["kind"] == "rack" else {}))
    links = [{"id": name, "ends": list(ends), "capacity_gbps": 100.0} for name, ends in LINKS.items()]
    return state_of({"sites": [{"id": "a"}, {"id": "b"}], "nodes": nodes, "links": links})[0]


STATE = state()


def rules_of(*records: LoadBalancing, lossless: Lossless | None = None) -> BalancingRules:
    return balancing_rules(STATE, records, lossless or Lossless(), reader())


def by_arc(rules: BalancingRules) -> dict[str, str]:
    """Mode and flows per pair of each arc, by "link from node"; arcs that split evenly are left out."""
    found = {}
    for arc, row in enumerate(rules.of_arc.tolist()):
        if row != EVEN:
            tail = STATE.node_ids[STATE["arc_head"][arc ^ 1]]
            rule = rules.rules[row]
            found[f"{STATE.link_ids[arc // 2]} from {tail}"] = f"{rule.mode} {rule.flows.n_per_pair}"
    return found


WIDE = {f"wide from {node}": "ecmp 4" for node in LINKS["wide"]}
INNER = {f"{link} from {node}": "" for link in ("border", "fabric-fg", "fabric-gg") for node in LINKS[link]}


def test_without_a_record_only_links_between_sites_hash() -> None:
    """4 flows of an accelerator between sites, the figure of the catalogue."""
    assert general("n_flows_per_accelerator") == 4
    assert by_arc(rules_of()) == WIDE


@pytest.mark.parametrize(("stated", "n_flows"), [(6.0, 6), (2.6, 3), (0.125, 1)])
def test_flows_between_sites_are_those_of_transport_as_a_whole_number(stated: float, n_flows: int) -> None:
    rules = rules_of(lossless=Lossless(n_flows_per_accelerator=stated))
    assert set(by_arc(rules).values()) == {f"ecmp {n_flows}"}


def test_a_record_for_all_has_its_own_number_of_flows_inside_and_between_sites() -> None:
    """8 flows between two cards inside a site, 4 between sites; cables of racks never hash."""
    assert general("n_flows_per_card_pair") == 8
    assert by_arc(rules_of(LoadBalancing("dlb"))) == dict.fromkeys(INNER, "dlb 8") | dict.fromkeys(WIDE, "dlb 4")
    stated = rules_of(LoadBalancing("dlb", n_flows_per_pair=5))
    assert by_arc(stated) == dict.fromkeys([*INNER, *WIDE], "dlb 5")


@pytest.mark.parametrize("tier", ["fabric", "border", "wide_area"])
def test_a_record_of_a_tier_covers_both_ends_of_its_links(tier: str) -> None:
    links = {"fabric": ("fabric-fg", "fabric-gg"), "border": ("border",), "wide_area": ("wide",)}[tier]
    found = by_arc(rules_of(LoadBalancing("pinned", n_flows_per_pair=2, tier=tier)))  # type: ignore[arg-type]
    expected = {f"{link} from {node}": "pinned 2" for link in links for node in LINKS[link]}
    assert found == WIDE | expected


def test_a_record_of_a_fabric_covers_the_arcs_that_leave_its_switches() -> None:
    """The cable of the rack stays even, in both directions."""
    found = by_arc(rules_of(LoadBalancing("dlb", n_flows_per_pair=2, fabric="f")))
    covered = ["fabric-fg from f/leaf", "border from f/border", "wide from f/border"]
    assert found == WIDE | dict.fromkeys(covered, "dlb 2")


def test_the_name_of_a_fabric_is_a_whole_part_of_an_id() -> None:
    """f/leaf is not in a fabric f/le, though its id starts with these letters."""
    assert by_arc(rules_of(LoadBalancing("dlb", fabric="f/le"))) == WIDE


NARROW_TO_WIDE = (
    LoadBalancing("dlb", n_flows_per_pair=1, tier="fabric", fabric="f"),
    LoadBalancing("dlb", n_flows_per_pair=2, fabric="f"),
    LoadBalancing("dlb", n_flows_per_pair=3, tier="fabric"),
    LoadBalancing("dlb", n_flows_per_pair=5),
)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 3, 0, 2)])
def test_fabric_and_tier_goes_before_fabric_before_tier_before_all(order: tuple[int, ...]) -> None:
    found = by_arc(rules_of(*(NARROW_TO_WIDE[i] for i in order)))
    assert found == {
        "fabric-fg from f/leaf": "dlb 1",
        "border from f/border": "dlb 2",
        "wide from f/border": "dlb 2",
        "fabric-fg from g/spine": "dlb 3",
        "fabric-gg from g/spine": "dlb 3",
        "fabric-gg from g/super": "dlb 3",
        "border from g/spine": "dlb 5",
        "wide from h/border": "dlb 5",
    }


def test_the_order_of_records_changes_nothing() -> None:
    """The inner one of two fabrics, one of which is a part of the other, goes first."""
    outer, inner = LoadBalancing("dlb", n_flows_per_pair=1, fabric="f"), LoadBalancing("pinned", fabric="f/in")
    records = [outer, inner, *(LoadBalancing("ecmp", tier=tier, fabric="f") for tier in ("border", "fabric"))]
    nodes = [{"id": name, "kind": "leaf", "site": "a"} for name in ("f/in/x", "f/y")]
    links = [{"id": "l", "ends": ["f/in/x", "f/y"], "capacity_gbps": 100.0}]
    nested = state_of({"sites": [{"id": "a"}], "nodes": nodes, "links": links})[0]
    for chosen in permutations((outer, inner)):
        rules = balancing_rules(nested, chosen, Lossless(), reader())
        found = {nested.node_ids[nested["arc_head"][arc ^ 1]]: rules.rules[rules.of_arc[arc]].mode for arc in (0, 1)}
        assert found == {"f/in/x": "pinned", "f/y": "dlb"}
    first, *others = (rules_of(*each) for each in permutations(records))
    for other in others:
        assert other.rules == first.rules
        assert other.of_arc.tolist() == first.of_arc.tolist()


def rule_of(record: LoadBalancing) -> BalancingRule:
    rules = rules_of(record)
    return rules.rules[rules.of_arc[2 * STATE.link_ids.index("fabric-gg")]]


def test_settings_of_a_mode() -> None:
    """Spray keeps 95 % unless a record says otherwise; every other mode may reach even splitting."""
    assert general("spray_efficiency_ratio") == 0.95
    spray, stated = rule_of(LoadBalancing("spray")), rule_of(LoadBalancing("spray", efficiency_ratio=0.5))
    assert (spray.efficiency_ratio, spray.flows.n_per_pair, spray.flows.n_rehashes) == (0.95, 1, 1)
    assert stated.efficiency_ratio == 0.5
    flowlet = rule_of(LoadBalancing("flowlet", n_rehashes=6))
    assert (flowlet.efficiency_ratio, flowlet.flows.n_per_pair, flowlet.flows.n_rehashes) == (1.0, 8, 6)
    assert rule_of(LoadBalancing("ecmp")).flows.n_rehashes == 1


# --- fabrics whose load balancing is not stated ----------------------------------------------------------------------


def arcs(*links: str) -> np.ndarray:
    return np.array([2 * STATE.link_ids.index(link) + side for link in links for side in (0, 1)])


def test_switches_without_a_record_are_unstated_cards_are_not() -> None:
    rules = rules_of(LoadBalancing("dlb", fabric="g"))
    assert not is_unstated(rules, STATE, arcs("access"))
    assert not is_unstated(rules, STATE, arcs("wide"))
    assert not is_unstated(rules, STATE, arcs("access", "fabric-gg", "wide"))
    assert is_unstated(rules, STATE, arcs("access", "fabric-fg")), "from f/leaf"
    assert is_unstated(rules_of(), STATE, arcs("border"))
    assert not is_unstated(rules_of(LoadBalancing("ecmp")), STATE, arcs(*LINKS))
    assert not is_unstated(rules_of(), STATE, np.zeros(0, np.int64))


def test_a_mode_for_unstated_switches_leaves_the_stated_ones() -> None:
    rules = rules_of(LoadBalancing("dlb", n_flows_per_pair=2, fabric="g"))
    stated = with_stated(rules, STATE, rule_of(LoadBalancing("spray", efficiency_ratio=0.5)))
    assert stated.rules[:-1] == rules.rules
    assert stated.rules[-1].efficiency_ratio == 0.5
    of_g = {name: rule for name, rule in by_arc(rules).items() if "from g" in name}
    assert len(of_g) == 4
    assert by_arc(stated) == WIDE | dict.fromkeys(INNER, "spray 1") | of_g
