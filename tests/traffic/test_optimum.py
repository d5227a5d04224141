"""Least utilisation of the busiest arc: by hand, and against a linear program over all simple paths."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from scipy.optimize import linprog

from tests.training.cases import state_of
from twin.arrays import State
from twin.errors import ConvergenceError
from twin.traffic import optimum as module
from twin.traffic.optimum import optimal_max_utilisation_ratio

Demands = list[tuple[int, int, float]]


def network_of(n_nodes: int, ends: list[tuple[int, int]], hosts: tuple[int, ...] = ()) -> State:
    """Nodes n0, n1, ... and links in this order; hosts do not forward."""
    nodes = [{"id": f"n{i}", "kind": "host" if i in hosts else "switch"} for i in range(n_nodes)]
    links = [{"id": f"l{i:02d}", "ends": [f"n{a}", f"n{b}"]} for i, (a, b) in enumerate(ends)]
    return state_of({"nodes": nodes, "links": links})[0]


def optimum(state: State, capacity_gbps: Any, demands: Demands) -> float:
    source, target, offered = (np.array(column) for column in zip(*demands, strict=True))
    return optimal_max_utilisation_ratio(state, np.array(capacity_gbps, np.float64), source, target, offered * 1.0)


def over_paths(state: State, capacity_gbps: np.ndarray, demands: Demands) -> float:
    """Optimum with an amount for each simple path of each demand over arcs with capacity."""
    head, forwards = state["arc_head"], state["node_forwards"]
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(state.n_nodes))
    for arc in np.flatnonzero(capacity_gbps > 0).tolist():
        graph.add_edge(int(head[arc ^ 1]), int(head[arc]), arc)
    columns = [
        (i, [arc for _, _, arc in path])
        for i, (source, target, _) in enumerate(demands)
        for path in nx.all_simple_edge_paths(graph, source, target)
        if all(forwards[node] for node, _, _ in path[1:])
    ]
    usage, sums = np.zeros((len(head), len(columns) + 1)), np.zeros((len(demands), len(columns) + 1))
    for column, (demand, arcs) in enumerate(columns):
        sums[demand, column] = 1.0
        usage[arcs, column] = 1.0
    usage[:, -1] = -capacity_gbps
    cost = np.append(np.zeros(len(columns)), 1.0)
    found = linprog(cost, usage, np.zeros(len(head)), sums, [gbps for _, _, gbps in demands])
    assert found.status == 0
    return float(found.fun)


def test_two_ways_are_filled_alike() -> None:
    """30 Gb/s over a link of 10 and a detour of 20 and 40: all of 30 is used."""
    state = network_of(3, [(0, 1), (0, 2), (1, 2)])
    capacity = [10, 1, 20, 1, 1, 40]
    assert optimum(state, capacity, [(0, 1, 30.0)]) == pytest.approx(1.0)
    assert optimum(state, capacity, [(0, 1, 10.0), (0, 1, 20.0)]) == pytest.approx(1.0), "equal pairs add up"
    assert optimum(state, capacity, [(0, 1, 15.0), (0, 0, 99.0), (2, 2, 99.0)]) == pytest.approx(0.5)
    assert optimum(state, capacity, [(1, 0, 1.5)]) == pytest.approx(0.75), "back each way has 1"


def test_without_traffic_it_is_0() -> None:
    state = network_of(2, [(0, 1)])
    assert optimum(state, [0, 0], [(0, 1, 0.0), (1, 1, 5.0)]) == 0.0


def test_without_a_path_there_is_none() -> None:
    state = network_of(3, [(0, 1), (1, 2)], hosts=(1,))
    with pytest.raises(ConvergenceError):
        optimum(state, [5, 5, 5, 5], [(0, 2, 1.0)])
    with pytest.raises(ConvergenceError):
        optimum(state, [5, 5, 0, 5], [(1, 2, 1.0)])
    with pytest.raises(ConvergenceError):
        optimum(state, [0, 0, 0, 0], [(1, 2, 1.0)])


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6, 1e12])
def test_a_unit_changes_nothing(scale: float) -> None:
    """Utilisations far from 1, and figures far from 1: the solver's tolerances are absolute."""
    state = network_of(4, [(0, 1), (0, 2), (1, 2), (1, 3)])
    capacity = np.array([10.0, 1.0, 20.0, 1.0, 1.0, 40.0, 90.0, 90.0])
    demands = [(0, 1, 15.0), (0, 3, 3.0), (1, 3, 1.0)]
    assert optimum(state, capacity * scale, [(a, b, gbps * scale) for a, b, gbps in demands]) == pytest.approx(0.6)
    assert optimum(state, capacity * scale, demands) == pytest.approx(0.6 / scale, rel=1e-6, abs=0)
    small = [*demands, (1, 0, 1e-9)]
    assert optimum(state, capacity * scale, small) == pytest.approx(0.6 / scale, rel=1e-6, abs=0)


def test_a_wide_first_link_hides_no_narrow_last_one() -> None:
    """1 Gb/s crosses links of 1e12 and 1 Gb/s, in either order."""
    state = network_of(3, [(0, 1), (1, 2)])
    capacity = np.array([1e12, 1e12, 1.0, 1.0])
    for demand in ((0, 2, 1.0), (2, 0, 1.0)):
        assert optimum(state, capacity, [demand]) == pytest.approx(1.0, rel=1e-6)


def test_figures_too_far_apart_are_refused() -> None:
    state = network_of(3, [(0, 1), (1, 2)])
    with pytest.raises(ConvergenceError, match="too far apart"):
        optimum(state, [1e-300] * 4, [(0, 1, 1e300)])
    with pytest.raises(ConvergenceError, match="too far apart"):
        optimum(state, [1.0, 1.0, 5e-324, 1.0], [(0, 1, 1.0)])
    assert optimum(state, [1e-20, 1e-20, 1e308, 1.0], [(0, 1, 1e-20)]) == pytest.approx(1.0), "an endless capacity"


def test_a_solution_in_time_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    state = network_of(6, [(a, b) for a in range(6) for b in range(a)])
    capacity = np.random.default_rng(1).uniform(1, 2, 30)
    demands = [(a, b, 1.0 + a) for a in range(6) for b in range(6) if a != b]
    assert optimum(state, capacity, demands) > 0
    monkeypatch.setattr(module, "TIME_LIMIT_S", 0.0)
    with pytest.raises(ConvergenceError, match="no optimum"):
        optimum(state, capacity, demands)


@pytest.mark.parametrize("seed", range(16))
def test_it_is_that_of_all_simple_paths(seed: int) -> None:
    """Parallel links, hosts that do not forward, arcs without capacity, many sources or many targets."""
    random = np.random.default_rng(seed)
    n_nodes = 6
    ends = [(i, (i + 1) % 5) for i in range(5)] + [(5, 0), (5, 2)]
    ends += [tuple(random.choice(5, 2, replace=False).tolist()) for _ in range(4)]
    state = network_of(n_nodes, ends, hosts=(5, 3) if seed % 2 else (5,))
    capacity = random.integers(1, 20, 2 * len(ends)).astype(np.float64)
    capacity[random.integers(10, 14)] = 0.0
    few, many = random.choice(n_nodes, 1 + seed % 3), np.arange(n_nodes)
    ends_of = [(int(a), int(b)) for a in few for b in many if a != b]
    demands = [(a, b) if seed % 4 < 2 else (b, a) for a, b in ends_of]
    offered = [(a, b, float(random.integers(0, 9))) for a, b in demands] + [(4, 1, 2.0)]
    try:
        want = over_paths(state, capacity, offered)
    except AssertionError:
        with pytest.raises(ConvergenceError):
            optimum(state, capacity, offered)
        return
    assert optimum(state, capacity, offered) == pytest.approx(want, rel=1e-7)
