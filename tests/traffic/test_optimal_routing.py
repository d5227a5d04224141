"""Certified optimum of routing: bounds around the linear program, loads and prices that prove themselves."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

from tests.traffic.test_optimum import Demands, network_of
from twin.arrays import State
from twin.errors import ConvergenceError
from twin.traffic import optimum as module
from twin.traffic.optimum import RoutingOptimum, optimal_max_utilisation_ratio, optimal_routing


def found(state: State, capacity_gbps: Any, demands: Demands, gap_ratio: float = 0.01) -> RoutingOptimum:
    source, target, offered = (np.array(column) for column in zip(*demands, strict=True))
    return optimal_routing(state, np.array(capacity_gbps, float), source, target, offered * 1.0, gap_ratio=gap_ratio)


def program(state: State, capacity_gbps: Any, demands: Demands) -> float:
    source, target, offered = (np.array(column) for column in zip(*demands, strict=True))
    return optimal_max_utilisation_ratio(state, np.array(capacity_gbps, float), source, target, offered * 1.0)


def drawn(seed: int) -> tuple[State, np.ndarray, Demands]:
    """A connected multigraph of five switches and two hosts, capacities by direction, demands between all kinds."""
    random = np.random.default_rng(seed)
    ring = [(i, (i + 1) % 5) for i in range(5)]
    more = [tuple(sorted(random.choice(5, 2, replace=False).tolist())) for _ in range(4)]
    hosts = [(5, int(random.integers(5))), (5, int(random.integers(5))), (6, int(random.integers(5)))]
    state = network_of(7, [*ring, *more, *hosts], hosts=(5, 6))
    capacity_gbps = random.uniform(1, 10, 2 * state.n_links)
    pairs = [(a, b) for a in range(7) for b in range(7) if a != b]
    chosen = random.choice(len(pairs), 9, replace=False)
    return state, capacity_gbps, [(*pairs[i], float(random.uniform(0.1, 3))) for i in chosen]


def bound_of(state: State, capacity_gbps: np.ndarray, demands: Demands, price_ratio: np.ndarray) -> float:
    """Lower bound by duality, with paths of networkx: demand times length of the shortest path, over price."""
    graph = nx.MultiDiGraph()
    head, forwards = state["arc_head"], state["node_forwards"]
    for arc, price in enumerate(price_ratio.tolist()):
        tail = int(head[arc ^ 1])
        graph.add_edge(("out", tail), ("in", int(head[arc])), weight=price / capacity_gbps[arc])
    for node in range(state.n_nodes):
        if forwards[node]:
            graph.add_edge(("in", node), ("out", node), weight=0.0)
    lengths = [nx.dijkstra_path_length(graph, ("out", a), ("in", b)) for a, b, _ in demands]
    return sum(gbps * length for (_, _, gbps), length in zip(demands, lengths, strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_the_program_lies_between_the_bounds_and_the_prices_prove_the_lower_one(seed: int) -> None:
    state, capacity_gbps, demands = drawn(seed)
    best = program(state, capacity_gbps, demands)
    for gap_ratio in (0.2, 0.05, 0.01):
        optimum = found(state, capacity_gbps, demands, gap_ratio)
        assert optimum.lower_bound_ratio <= best * (1 + 1e-7)
        assert best <= optimum.utilisation_ratio * (1 + 1e-7)
        assert optimum.gap_ratio <= gap_ratio
        assert (optimum.arc_gbps / capacity_gbps).max() == pytest.approx(optimum.utilisation_ratio, rel=1e-7)
        assert optimum.price_ratio.sum() == pytest.approx(1.0)
        assert optimum.price_ratio.min() >= 0.0
        proven = bound_of(state, capacity_gbps, demands, optimum.price_ratio)
        assert proven == pytest.approx(optimum.lower_bound_ratio, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_loads_leave_and_enter_nodes_as_the_demands_do(seed: int) -> None:
    state, capacity_gbps, demands = drawn(seed)
    optimum, head = found(state, capacity_gbps, demands), state["arc_head"]
    left = np.bincount(head.reshape(-1, 2)[:, ::-1].ravel(), weights=optimum.arc_gbps, minlength=7)
    entered = np.bincount(head, weights=optimum.arc_gbps, minlength=7)
    own = np.zeros(7)
    for a, b, gbps in demands:
        own[a] += gbps
        own[b] -= gbps
    assert left - entered == pytest.approx(own, abs=1e-9)
    for host in (5, 6):
        assert entered[host] == pytest.approx(sum(gbps for _, b, gbps in demands if b == host), abs=1e-9)


def test_doubled_demands_double_the_optimum_to_the_last_bit() -> None:
    state, capacity_gbps, demands = drawn(3)
    once, twice = (found(state, capacity_gbps, [(a, b, k * gbps) for a, b, gbps in demands], 0.05) for k in (1, 2))
    assert twice.utilisation_ratio == 2 * once.utilisation_ratio
    assert twice.lower_bound_ratio == 2 * once.lower_bound_ratio
    assert np.array_equal(twice.price_ratio, once.price_ratio)


def test_a_case_that_is_open_goes_to_the_program_if_it_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    state, capacity_gbps, demands = drawn(1)
    monkeypatch.setattr(module, "SWEEPS_BEFORE_PROGRAM", 0)
    optimum = found(state, capacity_gbps, demands, 1e-4)
    assert optimum.is_exact
    assert optimum.gap_ratio == 0.0
    assert optimum.utilisation_ratio == pytest.approx(program(state, capacity_gbps, demands))
    monkeypatch.setattr(module, "MAX_PROGRAM_FLOWS", 0)
    monkeypatch.setattr(module, "MAX_SWEEPS", 1)
    with pytest.raises(ConvergenceError, match=r"is between .* after 1 sweeps"):
        found(state, capacity_gbps, demands, 1e-4)


def test_a_large_case_is_certified_to_a_thousandth(monkeypatch: pytest.MonkeyPatch) -> None:
    state, capacity_gbps, demands = drawn(2)
    exact = program(state, capacity_gbps, demands)
    monkeypatch.setattr(module, "MAX_PROGRAM_FLOWS", 0)
    monkeypatch.delattr(module, "_solve_program")
    certified = program(state, capacity_gbps, demands)
    assert exact <= certified * (1 + 1e-9)
    assert certified == pytest.approx(exact, rel=1e-3)


def test_without_traffic_there_is_nothing_to_route() -> None:
    state = network_of(2, [(0, 1)])
    optimum = found(state, [1, 1], [(0, 1, 0.0), (1, 1, 3.0)])
    assert (optimum.utilisation_ratio, optimum.lower_bound_ratio, optimum.gap_ratio) == (0.0, 0.0, 0.0)
    assert not optimum.arc_gbps.any()
