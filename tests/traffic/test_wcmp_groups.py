"""WCMP groups: loads by hand and against a slow twin, failures, faults, and groups near the optimum."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traffic.routes import members_by_arc
from tests.training.cases import state_of
from twin.arrays import State
from twin.arrays.wcmp_groups import WcmpTable
from twin.errors import ChangeError, TopologyError, TwinError
from twin.loading import from_document
from twin.model.records import WcmpGroup
from twin.traffic.matrix_routes import MatrixRoutes
from twin.traffic.optimal_groups import cancel_cycles, quantised
from twin.traffic.routing import Router

Next = dict[str, int]


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def group(node: str, target: str, **next_hops: int) -> dict[str, Any]:
    return {"node": node, "target": target, "next_hops": next_hops}


def square(*groups: dict[str, Any]) -> dict[str, Any]:
    """a to d over b or c, and straight; 80 Gb/s. Shortest paths take the straight link alone."""
    ends = {"ab": "ab", "ac": "ac", "ad": "ad", "bd": "bd", "cd": "cd"}
    return {
        "nodes": [{"id": name, "kind": "switch"} for name in "abcd"] + [{"id": "host", "kind": "host"}],
        "links": [{"id": name, "ends": [*pair], "capacity_gbps": 100, "latency_us": 5} for name, pair in ends.items()]
        + [
            {"id": "ah", "ends": ["a", "host"], "capacity_gbps": 100},
            {"id": "dh", "ends": ["d", "host"], "capacity_gbps": 100},
        ],
        "demands": [{"id": "1", "source": "a", "target": "d", "offered_gbps": 80}],
        "wcmp_groups": list(groups),
    }


GROUPS = [group("a", "d", ad=5, ab=2, ac=1), group("b", "d", bd=1), group("c", "d", cd=1)]


def loads(data: dict[str, Any], *changes: dict[str, Any]) -> dict[str, float]:
    network = from_document(data)
    scenario = network._scenario(list(changes), None)
    e = network._engine.evaluate(scenario.case)
    assert e.demands is not None
    load = e.demands.arc_offered_gbps.reshape(-1, 2).sum(axis=1)
    return {name: gbps for name, gbps in zip(e.case.state.link_ids, load.tolist(), strict=True) if gbps}


def test_traffic_follows_the_weights() -> None:
    assert loads(square()) == {"ad": 80}
    assert loads(square(*GROUPS)) == {"ad": 50, "ab": 20, "bd": 20, "ac": 10, "cd": 10}


def test_the_weights_of_the_links_that_are_left_count_after_a_failure() -> None:
    """Without b-d node b has no group, so a no longer sends there; 5 to 1 is left."""
    left = {"ad": 80 * 5 / 6, "ac": 80 / 6, "cd": 80 / 6}
    assert loads(square(*GROUPS), {"kind": "fail_links", "links": "bd"}) == pytest.approx(left, rel=1e-12)
    assert loads(square(*GROUPS), {"kind": "remove_links", "links": "bd"}) == pytest.approx(left, rel=1e-12)
    assert loads(square(*GROUPS), {"kind": "fail_nodes", "nodes": "b"}) == pytest.approx(left, rel=1e-12)
    assert loads(square(*GROUPS), {"kind": "remove_nodes", "nodes": "b"}) == pytest.approx(left, rel=1e-12)


def test_without_next_hops_a_node_uses_shortest_paths() -> None:
    data = square(group("a", "d", ab=1), group("b", "d", bd=1))
    assert loads(data) == {"ab": 80, "bd": 80}
    assert loads(data, {"kind": "fail_links", "links": "ab"}) == {"ad": 80}
    assert loads(data, {"kind": "remove_links", "links": "bd"}) == {"ad": 80}


def test_carried_rates_and_latency_follow_the_groups() -> None:
    """240 Gb/s: 150 of them on a link of 100, so two thirds are carried; each path has the same share of it."""
    data = square(*GROUPS)
    data["demands"][0]["offered_gbps"] = 240
    table = from_document(data).demand_table().demands
    assert table[0].carried_gbps == pytest.approx(160)
    assert table[0].limited_by == "ad"
    score = from_document(data).score(main_assumptions=False)
    shortest = from_document(square()).score(main_assumptions=False)
    assert shortest.metrics["worst_rtt_us"].value == pytest.approx(10)
    assert score.metrics["worst_rtt_us"].value == pytest.approx(20)


def test_paths_follow_the_groups() -> None:
    report = from_document(square(*GROUPS)).path("a", "d")
    assert [path.share_ratio for path in report.paths] == pytest.approx([5 / 8, 2 / 8, 1 / 8])


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ([group("z", "d", ad=1)], "no node 'z'"),
        ([group("a", "z", ad=1)], "no node 'z'"),
        ([group("a", "d", zz=1)], "no link 'zz'"),
        ([group("a", "d", bd=1)], "joins 'b' and 'd', not 'a'"),
        ([group("a", "a", ad=1)], "the target itself"),
        ([group("a", "d", ab=1)], "next hop 'b' has no group for 'd'"),
        ([group("a", "d", ah=1), group("host", "d", dh=1)], "'host' does not forward"),
        ([group("a", "d", ab=1, ad=1), group("b", "d", ab=1, bd=1)], "a loop: 'a' -> 'b' -> 'a'"),
        ([group("a", "d", ad=1), group("a", "d", ad=2)], "stands twice"),
        ([group("a", "d", ad=-1)], "next_hops"),
        ([group("a", "d")], "next_hops"),
    ],
)
def test_faults_are_refused_by_name(groups: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(TwinError) as of_change:
        from_document(square()).what_if([{"kind": "set_wcmp_groups", "groups": groups}], main_assumptions=False)
    assert says in str(of_change.value)
    with pytest.raises(TwinError) as of_document:
        from_document(square(*groups)).score(main_assumptions=False)
    assert says in str(of_document.value)


def test_faults_are_found_in_a_network_whose_columns_are_cached(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", str(tmp_path))
    _ = from_document(square()).arrays
    with pytest.raises(TopologyError, match="has no group"):
        _ = from_document(square(group("a", "d", ab=1))).arrays


def test_groups_of_other_destinations_stay() -> None:
    other = group("d", "a", ad=1)
    network = from_document(square(other))
    case = network._scenario([{"kind": "set_wcmp_groups", "groups": GROUPS}], None).case
    assert len(case.document.wcmp_groups) == 4
    case = network._scenario([{"kind": "set_wcmp_groups", "groups": [group("d", "a", ad=7)]}], None).case
    assert case.document.wcmp_groups == (WcmpGroup("d", "a", {"ad": 7}),)


# --- against a slow twin ----------------------------------------------------------------------------------------------


def slow_loads(state: State, table: dict[tuple[int, int], dict[int, int]], pairs: list[tuple[int, int]]) -> np.ndarray:
    """One unit of each pair, node by node in exact fractions; groups by (node, target), arcs by number."""
    head, up = state["arc_head"], state["link_up"]
    load = [Fraction(0)] * len(head)
    for source, target in pairs:
        distance = {target: 0}
        waiting = [target]
        for node in waiting:
            for arc in range(len(head)):
                if up[arc // 2] and head[arc] == node and head[arc ^ 1] not in distance:
                    distance[int(head[arc ^ 1])] = distance[node] + 1
                    waiting.append(int(head[arc ^ 1]))
        if source not in distance:
            continue

        def hops(node: int, target: int = target, distance: dict[int, int] = distance) -> dict[int, int]:
            stated = {
                arc: weight
                for arc, weight in table.get((node, target), {}).items()
                if up[arc // 2] and (head[arc] == target or active(int(head[arc]), target))
            }
            return stated or {
                arc: 1
                for arc in range(len(head))
                if up[arc // 2]
                and head[arc ^ 1] == node
                and distance.get(int(head[arc]), len(head)) == distance[node] - 1
            }

        def active(node: int, target: int) -> bool:
            return any(
                up[arc // 2] and (head[arc] == target or active(int(head[arc]), target))
                for arc in table.get((node, target), {})
            )

        flows = [(source, Fraction(1))]
        while flows:
            node, flow = flows.pop()
            if node == target:
                continue
            weights = hops(node)
            for arc, weight in weights.items():
                part = flow * Fraction(weight, sum(weights.values()))
                load[arc] += part
                flows.append((int(head[arc]), part))
    return np.array([float(amount) for amount in load])


@given(st.data())
def test_loads_and_routes_equal_the_slow_twin(data: st.DataObject) -> None:
    n = data.draw(st.integers(3, 6))
    ends = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=n, max_size=9))
    ends = [(min(a, b), max(a, b)) for a, b in ends if a != b] or [(0, 1)]
    up = data.draw(st.lists(st.booleans() | st.just(True), min_size=len(ends), max_size=len(ends)))
    document = {
        "nodes": [{"id": f"n{i}", "kind": "switch"} for i in range(n)],
        "links": [
            {"id": f"l{i}", "ends": [f"n{a}", f"n{b}"], "up": u}
            for i, ((a, b), u) in enumerate(zip(ends, up, strict=True))
        ],
    }
    state = state_of(document)[0]
    # a node names next hops that were drawn before it, so that no loop can come up
    target = data.draw(st.integers(0, n - 1))
    rank = [target, *(node for node in range(n) if node != target)]
    listed: dict[tuple[int, int], dict[int, int]] = {}
    groups = []
    for place, node in enumerate(rank[1:], 1):
        below = [
            (i, a if b == node else b)
            for i, (a, b) in enumerate(ends)
            if node in (a, b) and ((a if b == node else b) in [target, *(key[0] for key in listed)])
        ]
        if below and data.draw(st.booleans(), label=str(place)):
            chosen = data.draw(st.lists(st.sampled_from(below), min_size=1, unique=True))
            weights = {i: data.draw(st.integers(1, 5)) for i, _ in chosen}
            listed[node, target] = {2 * i + int(ends[i][0] != node): w for i, w in weights.items()}
            groups.append(WcmpGroup(f"n{node}", f"n{target}", {f"l{i}": w for i, w in weights.items()}))
    pairs = [(source, sink) for source in range(n) for sink in (target, (target + 1) % n) if source != sink]
    share = members_by_arc(state)
    source, sink = np.array(pairs).T
    lit = np.asarray(state["link_up"])
    routes = MatrixRoutes(state, Router(state, lit), share, source, sink, WcmpTable.of(state, groups))
    want = slow_loads(state, listed, pairs)
    assert routes.loads(np.ones(len(pairs))) == pytest.approx(want, abs=1e-12)
    if groups:
        assert routes.by_pair.loads(np.ones(len(pairs))) == pytest.approx(want, abs=1e-12)
        assert (routes.by_pair.reachable == routes.reachable).all()


# --- near the optimum -------------------------------------------------------------------------------------------------


def test_groups_reach_the_optimum_of_a_detour() -> None:
    """80 Gb/s over three disjoint paths of 100 Gb/s: a third each, 26.7 %; three entries suffice."""
    network = from_document(square())
    report = network.optimum(gap_ratio=1e-4, n_entries=3)
    assert report.wcmp is not None
    assert report.wcmp.max_utilisation_ratio == pytest.approx(80 / 300, rel=1e-9)
    hops = {row["node"]: row["next_hops"] for row in report.wcmp.change["groups"]}
    assert hops == {"a": {"ad": 1, "ab": 1, "ac": 1}, "b": {"bd": 1}, "c": {"cd": 1}}
    diff = network.what_if([report.wcmp.change], main_assumptions=False)
    assert diff.after.metrics["max_link_utilisation_ratio"].value == report.wcmp.max_utilisation_ratio


def test_flows_of_the_linear_program_become_groups_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.traffic.optimum.SWEEPS_BEFORE_PROGRAM", 0)
    report = from_document(square()).optimum(gap_ratio=1e-4, n_entries=64)
    assert report.wcmp is not None
    assert report.wcmp.max_utilisation_ratio == pytest.approx(80 / 300, rel=1e-9)


def test_two_entries_are_too_few_for_three_paths() -> None:
    report = from_document(square()).optimum(gap_ratio=1e-4, n_entries=2)
    assert report.wcmp is not None
    assert report.wcmp.max_utilisation_ratio == pytest.approx(0.4)
    assert report.wcmp.max_utilisation_ratio > report.optimal_max_utilisation_ratio


def test_more_entries_are_never_worse_and_what_they_reach_bounds_the_optimum() -> None:
    """The weights closest to the fractions reach 50.3 % with sums up to 64, but 50 % with sums up to 8."""
    gbps = {"da": 100, "db": 90, "dc": 60, "ea": 70, "eb": 60, "ec": 40, "ed": 90}
    offered = {"ad": 30, "ab": 20, "ec": 50, "be": 50, "ce": 50}
    document = {
        "nodes": [{"id": name, "kind": "switch"} for name in "abcde"],
        "links": [{"id": name, "ends": [*name], "capacity_gbps": value} for name, value in gbps.items()],
        "demands": [{"id": d, "source": d[0], "target": d[1], "offered_gbps": value} for d, value in offered.items()],
    }
    network = from_document(document)
    reached = []
    for n_entries in (1, 2, 3, 4, 5, 8, 16, 64):
        report = network.optimum(gap_ratio=0.02, n_entries=n_entries)
        assert report.wcmp is not None
        reached.append(report.wcmp.max_utilisation_ratio)
        assert report.lower_bound_ratio <= report.optimal_max_utilisation_ratio <= reached[-1]
    assert reached == sorted(reached, reverse=True)
    assert reached[-1] == pytest.approx(0.5, rel=1e-6)
    alone = network.optimum(gap_ratio=0.02).optimal_max_utilisation_ratio  # the same search, without groups
    assert report.optimal_max_utilisation_ratio == min(alone, reached[-1])
    assert alone > reached[-1]


def test_groups_are_the_same_for_any_order_of_the_document() -> None:
    data = square()
    turned = {key: value[::-1] if isinstance(value, list) else value for key, value in data.items()}
    assert from_document(data).optimum(n_entries=64).wcmp == from_document(turned).optimum(n_entries=64).wcmp


@pytest.mark.parametrize("n_entries", [0, 4097, True, 1.5])
def test_a_number_of_entries_out_of_bounds_is_refused(n_entries: Any) -> None:
    with pytest.raises(ChangeError, match="entries"):
        from_document(square()).optimum(n_entries=n_entries)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=5), st.integers(5, 40))
def test_no_other_integers_are_closer(parts: list[int], n_entries: int) -> None:
    fraction = np.array(parts) / sum(parts)
    found = quantised(fraction, n_entries)
    assert 1 <= sum(found) <= n_entries
    error = np.abs(np.array(found) / sum(found) - fraction).max()
    for total in range(1, n_entries + 1):
        assert error <= np.abs(np.round(total * fraction) / total - fraction).max() + 0.5 / total


def test_integers_are_exact_where_they_can_be() -> None:
    assert quantised(np.array([0.5, 0.3, 0.2]), 64) == [5, 3, 2]
    assert quantised(np.array([0.99, 0.01]), 4) == [1, 0]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 4)), max_size=20))
def test_cycles_are_cancelled_and_balances_stay(rows: list[tuple[int, int, int]]) -> None:
    rows = [row for row in rows if row[0] != row[1]]
    tail, head = [row[0] for row in rows], [row[1] for row in rows]
    flow = np.array([row[2] for row in rows], dtype=np.float64)
    before = flow.copy()
    cancel_cycles(tail, head, flow)
    assert ((flow >= 0) & (flow <= before)).all()
    for node in range(6):
        balance = [
            sum(f * ((t == node) - (h == node)) for t, h, f in zip(tail, head, flows, strict=True))
            for flows in (before, flow)
        ]
        assert balance[0] == balance[1]
    left = {(t, h) for t, h, f in zip(tail, head, flow.tolist(), strict=True) if f > 0}
    for _ in range(6):  # without cycles, taking nodes without arcs away takes all away
        left = {(t, h) for t, h in left if any(t2 == h for t2, _ in left)}
    assert not left
