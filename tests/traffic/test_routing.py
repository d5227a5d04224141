"""Routes of pairs: what nodes that are attached alike share is what each would get by itself."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import naive
from tests.traffic.routes import matrix, members_by_arc, route_pairs, routed
from tests.training.cases import state_of
from twin.arrays import NetworkArrays, State
from twin.traffic.congestion import load_demands
from twin.traffic.routing import Router, links_with_share

MANY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def racks_on_switches(draw: st.DrawFn) -> dict[str, Any]:
    """Switches joined at random, racks attached to one or two of them: some alike, some not, some down, some apart."""
    n_switches = draw(st.integers(2, 5))
    switches = [f"s{i}" for i in range(n_switches)]
    nodes: list[dict[str, Any]] = [{"id": name, "kind": "leaf"} for name in switches]
    links: list[dict[str, Any]] = []
    weights = st.sampled_from([1.0] if draw(st.booleans()) else [0.1, 0.2, 0.3, 1.0])

    def add(a: str, b: str) -> None:
        weight = draw(weights | st.tuples(weights, weights).map(list))
        bundle = {"n_parallel": draw(st.integers(1, 3)), "weight": weight}
        up = draw(st.sampled_from([True] * 5 + [False]))
        links.append({"id": f"l{len(links):02d}", "ends": [a, b], "up": up, **bundle})

    for a, b in draw(st.lists(st.sampled_from([(a, b) for a in switches for b in switches if a < b]), max_size=8)):
        add(a, b)
    for i in range(draw(st.integers(2, 6))):
        forwards = {"forwards": True} if draw(st.integers(0, 5)) == 0 else {}
        nodes.append({"id": f"r{i}", "kind": draw(st.sampled_from(["rack", "host"])), **forwards})
        for switch in draw(st.lists(st.sampled_from(switches), max_size=2)):
            add(f"r{i}", switch)
    if draw(st.booleans()):
        add("r0", "r1")
    return {"nodes": nodes, "links": links}


def all_pairs(arrays: NetworkArrays) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(a, b) for a in range(arrays.n_nodes) for b in range(arrays.n_nodes) if a != b]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T.copy()[0], np.array(pairs, np.int64).reshape(
        -1, 2
    ).T.copy()[1]


def unshared(state: State, source: np.ndarray, target: np.ndarray, amount: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Loads and reachability, each pair traced for itself."""
    share = members_by_arc(state)
    router = Router(state, state["link_up"] & links_with_share(share))
    load, reachable = np.zeros(2 * state.n_links), np.zeros(len(source), dtype=np.bool_)
    for i in range(len(source)):
        arcs, fractions = router.trace(share, int(source[i]), int(target[i]))
        load[arcs] += amount[i] * fractions
        reachable[i] = len(arcs) > 0
    return load, reachable


@MANY
@given(racks_on_switches(), st.integers(0, 2**32 - 1))
def test_shared_routes_carry_what_unshared_ones_carry(data: dict[str, Any], seed: int) -> None:
    state, _ = state_of(data)
    source, target = all_pairs(state.arrays)
    amount = np.random.default_rng(seed).uniform(0, 10, len(source))
    routes = routed(state, source, target)
    load, reachable = unshared(state, source, target, amount)
    np.testing.assert_array_equal(routes.reachable, reachable)
    np.testing.assert_allclose(routes.loads(amount), load, rtol=1e-9, atol=1e-9)


@MANY
@given(racks_on_switches(), st.integers(0, 2**32 - 1))
def test_a_matrix_carries_what_its_pairs_carry(data: dict[str, Any], seed: int) -> None:
    state, _ = state_of(data)
    random = np.random.default_rng(seed)
    source, target = all_pairs(state.arrays)
    rows = np.sort(random.choice(len(source), size=random.integers(0, len(source) + 1), replace=False))
    source, target = source[rows], target[rows]
    amount = random.uniform(0, 10, len(source))
    routes, pairs = matrix(state, source, target), routed(state, source, target)
    load, reachable = unshared(state, source, target, amount)
    np.testing.assert_allclose(routes.loads(amount), load, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(routes.reachable, reachable)
    np.testing.assert_allclose(routes.loads(amount), pairs.loads(amount), rtol=1e-12, atol=1e-12)
    latency = np.repeat(random.uniform(0, 100, state.n_links), 2)
    share = members_by_arc(state)
    apart = Router(state, state["link_up"] & links_with_share(share), latency[0::2]).routes(share, source, target)
    want = apart.worst_latency_us(state["arc_head"], latency, state.n_nodes)
    np.testing.assert_allclose(routes.worst_latency_us(latency), want, rtol=1e-12)
    assert routes.by_pair.loads(amount).tobytes() == pairs.loads(amount).tobytes()


@MANY
@given(racks_on_switches())
def test_every_pair_is_routed_as_by_the_naive_recursion(data: dict[str, Any]) -> None:
    state, _ = state_of(data)
    arrays = state.arrays
    links = [
        naive.Link(
            int(a),
            int(b),
            Fraction(str(arrays.arc_weight[2 * i])),
            bool(arrays.link_up[i]),
            Fraction(int(arrays.link_n_parallel[i])),
            (Fraction(str(arrays.arc_weight[2 * i + 1])), Fraction(int(arrays.link_n_parallel[i]))),
        )
        for i, (a, b) in enumerate(arrays.link_ends)
    ]
    source, target = all_pairs(arrays)
    routes = routed(state, source, target)
    hosts = frozenset(np.flatnonzero(~arrays.node_forwards).tolist())
    for i in range(0, len(source), 3):
        one = np.zeros(len(source))
        one[i] = 1.0
        demand = (int(source[i]), int(target[i]), Fraction(1))
        load, found = naive.place_demands(arrays.n_nodes, links, [demand], hosts)
        assert routes.reachable[i] == found[0]
        want = np.zeros(2 * arrays.n_links)
        for arc, value in load.items():
            want[arc] = float(value)
        np.testing.assert_allclose(routes.loads(one), want, rtol=1e-12, atol=1e-12)


@MANY
@given(racks_on_switches())
def test_the_slowest_path_is_that_of_networkx(data: dict[str, Any]) -> None:
    state, _ = state_of(data)
    arrays = state.arrays
    latency = np.random.default_rng(3).uniform(1, 5, 2 * arrays.n_links)
    at_rack = (arrays.node_kind[arrays.link_ends] <= 1).any(axis=1)
    access_class = np.where(at_rack, np.random.default_rng(4).integers(1, 3, arrays.n_links), 0)
    latency[np.repeat(at_rack, 2)] = np.repeat(access_class[at_rack], 2)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(arrays.n_nodes))
    for arc in range(2 * arrays.n_links):
        if not arrays.link_up[arc // 2]:
            continue
        a, b, weight = (
            int(arrays.arc_head[arc ^ 1]),
            int(arrays.arc_head[arc]),
            round(float(arrays.arc_weight[arc]) * 10),
        )
        old = graph.edges[a, b] if graph.has_edge(a, b) else None
        if old is None or weight < old["weight"]:
            graph.add_edge(a, b, weight=weight, latency=latency[arc])
        elif weight == old["weight"]:
            old["latency"] = max(old["latency"], latency[arc])
    source, target = all_pairs(arrays)
    routes = Router(state, state["link_up"], access_class).routes(members_by_arc(state), source, target)
    worst = routes.worst_latency_us(arrays.arc_head, latency, arrays.n_nodes)
    for i, (a, b) in enumerate(zip(source.tolist(), target.tolist(), strict=True)):
        want = 0.0
        usable = graph.edge_subgraph([e for e in graph.edges if e[0] == a or arrays.node_forwards[e[0]]])
        if a in usable and b in usable and nx.has_path(usable, a, b):
            paths = nx.all_shortest_paths(usable, a, b, weight="weight")
            want = max(sum(graph.edges[step]["latency"] for step in pairwise(path)) for path in paths)
        assert worst[i] == pytest.approx(want)


def test_racks_on_one_switch_may_have_cables_of_different_length() -> None:
    nodes = [{"id": "s", "kind": "leaf"}, *({"id": name, "kind": "rack"} for name in ("r1", "r2", "r3"))]
    links = [{"id": name, "ends": [name, "s"]} for name in ("r1", "r2", "r3")]
    state, _ = state_of({"nodes": nodes, "links": links})
    row = state.arrays.node_index
    source, target = np.array([row["r1"], row["r1"]]), np.array([row["r2"], row["r3"]])
    latency = np.array([1.0, 1.0, 1.0, 1.0, 50.0, 50.0])
    router = Router(state, state["link_up"], latency[0::2])
    worst = router.routes(np.ones(6), source, target).worst_latency_us(state.arrays.arc_head, latency, 4)
    assert worst.tolist() == [2.0, 51.0]


@MANY
@given(racks_on_switches(), st.randoms(use_true_random=False))
def test_a_router_remembers_nothing_wrong(data: dict[str, Any], random: Any) -> None:
    """Asked for other pairs and other shares in between, it answers as if asked for the first time, to the last bit."""
    state, _ = state_of(data)
    source, target = all_pairs(state.arrays)
    shares = [members_by_arc(state), np.ones(2 * state.arrays.n_links)]
    for arc in range(2 * state.arrays.n_links):  # one arc at a time: what goes elsewhere is not traced again
        shares.append(shares[0] * np.where(np.arange(2 * state.arrays.n_links) == arc, 3.0, 1.0))
    router = Router(state, state["link_up"])
    amount = np.random.default_rng(5).uniform(0, 10, len(source))
    for _ in range(4):
        rows = np.array(sorted(random.sample(range(len(source)), k=random.randint(1, len(source)))))
        share = random.choice(shares)
        known = router.routes(share, source[rows], target[rows])
        fresh = route_pairs(state, state["link_up"], share, source[rows], target[rows])
        assert known.loads(amount[rows]).tobytes() == fresh.loads(amount[rows]).tobytes()
        np.testing.assert_array_equal(known.reachable, fresh.reachable)


def triangle(**long_way: Any) -> dict[str, Any]:
    nodes = [{"id": name, "kind": "leaf"} for name in "abc"]
    links = [
        {"id": "ab1", "ends": ["a", "b"], "n_parallel": 3},
        {"id": "ab2", "ends": ["b", "a"]},
        {"id": "ac", "ends": ["a", "c"], **long_way},
        {"id": "cb", "ends": ["c", "b"]},
    ]
    return {"nodes": nodes, "links": links}


def test_members_of_a_bundle_count() -> None:
    state, _ = state_of(triangle())
    load = routed(state, np.array([0]), np.array([1])).loads(np.array([8.0]))
    assert dict(zip(state.arrays.link_ids, load.reshape(-1, 2).tolist(), strict=True)) == {
        "ab1": [6.0, 0.0],
        "ab2": [2.0, 0.0],
        "ac": [0.0, 0.0],
        "cb": [0.0, 0.0],
    }
    fewer = state.with_values("link_n_failed", np.array([0]), 2)
    load = routed(fewer, np.array([0]), np.array([1])).loads(np.array([8.0]))
    assert load[0] == load[2] == 4.0


def test_one_failed_member_is_one_member_less() -> None:
    data = triangle()
    data["links"][0] = data["links"][0] | {"n_parallel": 2}
    less, _ = state_of(data)
    failed = state_of(triangle())[0].with_values("link_n_failed", np.array([0]), 1)
    source, target = all_pairs(less.arrays)
    amount = np.arange(1.0, 1.0 + len(source))
    assert (
        routed(failed, source, target).loads(amount).tobytes() == routed(less, source, target).loads(amount).tobytes()
    )


def test_wcmp_splits_by_capacity() -> None:
    state, _ = state_of(triangle())
    routes = route_pairs(state, state["link_up"], np.repeat([100.0, 300.0, 1.0, 1.0], 2), np.array([0]), np.array([1]))
    load = routes.loads(np.array([8.0]))
    assert (load[0], load[2]) == (2.0, 6.0)


def test_weights_decide_and_equal_sums_are_equal() -> None:
    data = triangle(weight=0.1)
    for i, weight in ((0, 0.3), (1, 0.3), (3, 0.2)):
        data["links"][i] = data["links"][i] | {"weight": weight}
    state, _ = state_of(data)
    load = routed(state, np.array([0]), np.array([1])).loads(np.array([1.0]))
    # 0.1 + 0.2 is not 0.3 in floats, and is here: three members, one, and one way over c
    assert load == pytest.approx([0.6, 0, 0.2, 0, 0.2, 0, 0, 0.2])


def test_a_link_that_is_down_adds_up_bit_by_bit_as_one_that_is_gone() -> None:
    """Hosts that are attached alike once a link fails are added up in the same order as where it never was."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        nodes = [{"id": name, "kind": "leaf"} for name in "stuv"]
        nodes += [{"id": f"h{i}", "kind": "host"} for i in range(1, 10)]
        gone = [{"id": f"h{i}~t", "ends": [f"h{i}", "t"], "up": False} for i in range(1, 9) if random.random() < 0.5]
        kept = [{"id": f"h{i}~s", "ends": [f"h{i}", "s"]} for i in range(1, 9)] + [{"id": "h9~u", "ends": ["h9", "u"]}]
        for k, ends in enumerate((["s", "u"], ["s", "v"], ["u", "v"], ["t", "v"], ["s", "u"])):
            kept.append({"id": f"x{k}", "ends": ends, "n_parallel": int(random.integers(1, 8))})
        amount = random.uniform(0.1, 20, 8)
        loads = []
        for links in (kept, kept + gone):
            state, _ = state_of({"nodes": nodes, "links": links})
            row = state.arrays.node_index
            source = np.array([row[f"h{i}"] for i in range(1, 9)])
            for route in (routed, matrix):
                load = route(state, source, np.full(8, row["h9"])).loads(amount).reshape(-1, 2)
                loads.append({link["id"]: load[state.arrays.link_index[link["id"]]].tobytes() for link in kept})
        assert loads[:2] == loads[2:]


def test_links_without_share_are_not_used() -> None:
    state, _ = state_of(triangle())
    routes = route_pairs(state, state["link_up"], np.repeat([0.0, 0.0, 1.0, 1.0], 2), np.array([0]), np.array([1]))
    assert routes.loads(np.array([1.0])).tolist() == [0, 0, 0, 0, 1, 0, 0, 1]


def test_no_pairs_no_routes() -> None:
    state, _ = state_of(triangle())
    nothing = np.zeros(0, np.int64)
    routes = routed(state, nothing, nothing)
    assert routes.loads(np.zeros(0)).tolist() == [0.0] * 8
    assert len(routes.worst_latency_us(state.arrays.arc_head, np.ones(8), 3)) == 0


def test_traffic_without_a_path_is_no_load() -> None:
    data = triangle()
    data["nodes"] = [*data["nodes"], {"id": "lone", "kind": "leaf"}]
    state, _ = state_of(data)
    routes = routed(state, np.array([0, 3]), np.array([3, 1]))
    assert not routes.reachable.any()
    assert not routes.loads(np.ones(2)).any()
    assert routes.worst_latency_us(state.arrays.arc_head, np.ones(8), 4).tolist() == [0, 0]


# --- demands against capacities ------------------------------------------------------------------------------------


@MANY
@given(racks_on_switches(), st.integers(0, 2**32 - 1), st.floats(0.5, 20))
def test_what_is_carried_fits_and_is_max_min_fair(data: dict[str, Any], seed: int, capacity: float) -> None:
    state, _ = state_of(data)
    arrays = state.arrays
    source, target = all_pairs(arrays)
    offered = np.random.default_rng(seed).uniform(0, 5, len(source))
    routes = matrix(state, source, target)
    room = np.full(2 * arrays.n_links, capacity)
    found = load_demands(routes, offered, room)
    assert (found.carried_gbps <= offered * (1 + 1e-9)).all()
    assert (found.arc_carried_gbps <= room * (1 + 1e-9)).all()
    assert found.unrouted_gbps == pytest.approx(offered[~routes.reachable].sum())
    assert not found.carried_gbps[~routes.reachable].any()
    if len(source) > 60:
        return
    flows = []
    for i in range(len(source)):
        one = np.zeros(len(source))
        one[i] = 1.0
        unit = routes.loads(one)
        flows.append({int(arc): Fraction(float(unit[arc])) for arc in np.flatnonzero(unit)})
    wanted = np.where(routes.reachable, offered, 0.0)
    want = naive.max_min_rates(flows, [Fraction(capacity)] * len(room), [Fraction(value) for value in wanted])
    np.testing.assert_allclose(found.carried_gbps, np.array([float(rate) for rate in want]), rtol=1e-6, atol=1e-9)


def test_where_everything_fits_everything_is_carried() -> None:
    state, _ = state_of(triangle())
    routes = matrix(state, np.array([0, 2]), np.array([1, 1]))
    found = load_demands(routes, np.array([4.0, 1.0]), np.full(8, 3.0))
    assert found.carried_gbps.tolist() == [4.0, 1.0]
    assert found.arc_carried_gbps is found.arc_offered_gbps
