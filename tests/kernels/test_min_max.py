"""The kernel of the routing optimum: bounds around a linear program over arcs, and the proof of the lower one."""

from __future__ import annotations

from typing import NamedTuple

import networkx as nx
import numpy as np
import pytest
from scipy.optimize import linprog

from twin.kernels.graph import UsableArcs
from twin.kernels.min_max import min_max_utilisation
from twin.traffic.twin_nodes import arcs_of


class Problem(NamedTuple):
    arcs: UsableArcs
    capacity_gbps: np.ndarray
    demands: list[tuple[int, int, float]]
    """Source, target and Gb/s, by source."""


class Found(NamedTuple):
    upper: float
    lower: float
    n_sweeps: int
    flow_gbps: np.ndarray
    load_gbps: np.ndarray
    price_ratio: np.ndarray


def problem_of(n_nodes: int, arcs: list[tuple[int, int, float]], demands: list[tuple[int, int, float]]) -> Problem:
    arcs = sorted(arcs)
    tail, head, capacity_gbps = (np.array(column) for column in zip(*arcs, strict=True))
    used = arcs_of(tail, head, np.ones(len(arcs)), np.ones(len(arcs)), np.ones(n_nodes, np.bool_))
    return Problem(used, capacity_gbps * 1.0, sorted(demands))


def drawn(seed: int, n_nodes: int = 6) -> Problem:
    random = np.random.default_rng(seed)
    pairs = [(i, (i + 1) % n_nodes) for i in range(n_nodes)]
    pairs += [tuple(random.choice(n_nodes, 2, replace=False).tolist()) for _ in range(5)]
    arcs = [(*ends, float(random.uniform(1, 10))) for a, b in pairs for ends in ((a, b), (b, a))]
    chosen = [tuple(random.choice(n_nodes, 2, replace=False).tolist()) for _ in range(8)]
    return problem_of(n_nodes, arcs, [(a, b, float(random.uniform(0.2, 3))) for a, b in dict.fromkeys(chosen)])


def solved(problem: Problem, gap_ratio: float, max_sweeps: int = 400, at_once: int = 400) -> Found:
    source, target, gbps = (np.array(column) for column in zip(*problem.demands, strict=True))
    sources, first = np.unique(source, return_index=True)
    n_arcs = len(problem.capacity_gbps)
    flow, load, price = np.zeros((len(sources), n_arcs)), np.zeros(n_arcs), np.zeros(n_arcs)
    averaged, state = np.zeros(n_arcs), np.zeros(4)
    for begin in range(0, max(max_sweeps, 1), at_once):
        end = min(begin + at_once, max_sweeps)
        result = min_max_utilisation(
            problem.arcs,
            problem.capacity_gbps,
            sources.astype(np.uint32),
            np.append(first, len(source)),
            target.astype(np.uint32),
            gbps * 1.0,
            gap_ratio,
            begin,
            end,
            flow,
            load,
            price,
            averaged,
            state,
        )
        if result[2] < end:
            break
    return Found(*result, flow, load, price)


@pytest.mark.parametrize("seed", range(5))
def test_sweeps_of_several_calls_are_those_of_one(seed: int) -> None:
    one = solved(drawn(seed), 1e-4)
    for at_once in (1, 3):
        several = solved(drawn(seed), 1e-4, at_once=at_once)
        assert several[:3] == one[:3]
        assert all((a == b).all() for a, b in zip(several[3:], one[3:], strict=True))


def program(problem: Problem) -> float:
    """The least largest utilisation: a flow on each arc for each demand, kept at every node."""
    arcs, n_demands = problem.arcs, len(problem.demands)
    n_nodes, n_arcs = len(arcs.first) - 1, len(arcs.head)
    kept, entering = np.zeros((n_demands * n_nodes, n_demands * n_arcs + 1)), np.zeros(n_demands * n_nodes)
    usage = np.zeros((n_arcs, n_demands * n_arcs + 1))
    usage[:, -1] = -problem.capacity_gbps
    for d, (source, target, gbps) in enumerate(problem.demands):
        for arc in range(n_arcs):
            kept[d * n_nodes + int(arcs.tail[arc]), d * n_arcs + arc] += 1
            kept[d * n_nodes + int(arcs.head[arc]), d * n_arcs + arc] -= 1
            usage[arc, d * n_arcs + arc] = 1
        entering[d * n_nodes + source], entering[d * n_nodes + target] = gbps, -gbps
    cost = np.append(np.zeros(n_demands * n_arcs), 1.0)
    found = linprog(cost, usage, np.zeros(n_arcs), kept, entering)
    assert found.status == 0
    return float(found.fun)


def bound_of(problem: Problem, price_ratio: np.ndarray) -> float:
    """Sum of demand times distance, where an arc is as long as its price over its capacity."""
    graph = nx.DiGraph()
    for arc, price in enumerate(price_ratio.tolist()):
        ends, length = (int(problem.arcs.tail[arc]), int(problem.arcs.head[arc])), price / problem.capacity_gbps[arc]
        if not graph.has_edge(*ends) or graph.edges[ends]["weight"] > length:
            graph.add_edge(*ends, weight=length)
    return sum(gbps * nx.dijkstra_path_length(graph, a, b) for a, b, gbps in problem.demands)


@pytest.mark.parametrize("seed", range(8))
def test_the_bounds_enclose_the_program_and_prove_themselves(seed: int) -> None:
    problem = drawn(seed)
    best = program(problem)
    for gap_ratio in (0.3, 0.02, 0.002):
        found = solved(problem, gap_ratio)
        assert found.lower <= best * (1 + 1e-9)
        assert best <= found.upper * (1 + 1e-9)
        assert found.lower >= (1 - gap_ratio) * found.upper
        assert (found.load_gbps / problem.capacity_gbps).max() == found.upper
        assert bound_of(problem, found.price_ratio) == pytest.approx(found.lower, rel=1e-9)
        assert found.price_ratio.sum() == pytest.approx(1.0)


def test_flows_of_a_source_leave_it_and_reach_its_targets() -> None:
    problem = drawn(3)
    found = solved(problem, 0.01)
    sources = sorted({source for source, _, _ in problem.demands})
    n_nodes = len(problem.arcs.first) - 1
    for s, source in enumerate(sources):
        left = np.bincount(problem.arcs.tail, weights=found.flow_gbps[s], minlength=n_nodes)
        entered = np.bincount(problem.arcs.head, weights=found.flow_gbps[s], minlength=n_nodes)
        want = np.zeros(n_nodes)
        for a, b, gbps in problem.demands:
            if a == source:
                want[a] += gbps
                want[b] -= gbps
        assert left - entered == pytest.approx(want, abs=1e-9)


def test_parallel_ways_are_filled_alike() -> None:
    """10 Gb/s over ways of 5 and 15: half of each."""
    found = solved(problem_of(3, [(0, 1, 5), (0, 2, 15), (2, 1, 15)], [(0, 1, 10.0)]), 1e-3)
    assert found.upper == pytest.approx(0.5, rel=1e-3)
    assert found.load_gbps == pytest.approx([2.5, 7.5, 7.5], rel=1e-2)


def test_a_node_that_does_not_forward_is_no_way() -> None:
    arcs = sorted([(0, 1, 5.0), (0, 2, 15.0), (2, 1, 15.0), (2, 0, 15.0)])
    tail, head, capacity_gbps = (np.array(column) for column in zip(*arcs, strict=True))
    used = arcs_of(tail, head, np.ones(4), np.ones(4), np.array([True, True, False]))
    found = solved(Problem(used, capacity_gbps, [(0, 1, 10.0), (2, 1, 15.0)]), 1e-3)
    assert found.load_gbps.tolist() == [10.0, 0.0, 0.0, 15.0], "from node 2 over its own arcs, from 0 not through it"
    assert found.upper == 2.0


def test_sweeps_end_at_their_number() -> None:
    assert solved(drawn(1), 1e-9, max_sweeps=2).n_sweeps == 2
    assert solved(drawn(1), 0.9).n_sweeps == 0
