"""Sweeps of failures equal each failure routed anew by the naive twin, on networks with and without equal places."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest

from tests import naive
from tests.failures.cases import CASES, Case, Kept, check, planes_case, routed
from tests.naive import Link
from twin.failures.kinds import GroupFailures, Kind, LinkFailures, NodeFailures
from twin.failures.sweep import FailureLoads, Sweep

SEEDS = range(12)


def swept(kind: Kind, *, uses_symmetry: bool = True) -> FailureLoads:
    sweep = Sweep(kind, uses_symmetry=uses_symmetry)
    sweep.run(0, sweep.n_classes)
    return sweep.loads()


def links_of(case: Case, nodes: set[int]) -> Kept:
    return {i: Fraction(0) for i, link in enumerate(case.links) if {link.a, link.b} & nodes}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_link_by_itself(name: str, seed: int) -> None:
    case = CASES[name](seed)
    failures: list[Kept] = [{i: Fraction(0)} for i in range(len(case.links))]
    kind = LinkFailures(case.fabric, np.zeros(len(case.links)))
    check(case, failures, swept(kind))
    check(case, failures, swept(kind, uses_symmetry=False))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_one_member_of_every_link(name: str, seed: int) -> None:
    case = CASES[name](seed)
    kept = [Fraction(n - 1, n) for n in case.members]
    kind = LinkFailures(case.fabric, np.array(kept, float))
    check(case, [{i: ratio} for i, ratio in enumerate(kept)], swept(kind))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_node_by_itself(name: str, seed: int) -> None:
    case = CASES[name](seed)
    failures = [links_of(case, {node}) for node in range(case.n_nodes)]
    check(case, failures, swept(NodeFailures(case.fabric, np.arange(case.n_nodes))))
    some = np.sort(np.random.default_rng(seed).permutation(case.n_nodes)[: case.n_nodes // 2])
    check(case, [failures[node] for node in some], swept(NodeFailures(case.fabric, some)))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_links_that_fail_together(name: str, seed: int) -> None:
    case = CASES[name](seed)
    rng = np.random.default_rng((seed, 9))
    n = len(case.links)
    groups = [np.sort(rng.choice(n, min(n, int(rng.integers(1, 5))), replace=False)) for _ in range(6)]
    check(
        case,
        [dict.fromkeys(links.tolist(), Fraction(0)) for links in groups],
        swept(GroupFailures(case.fabric, groups)),
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", CASES)
def test_one_pass_for_each_destination_is_the_naive_twin(name: str, seed: int) -> None:
    case = CASES[name](seed)
    load, lost = routed(case.n_nodes, case.links, case.demands, case.hosts)
    wanted, found = naive.place_demands(case.n_nodes, case.links, case.demands, case.hosts)
    assert sum(lost) == sum(demand[2] for demand, is_found in zip(case.demands, found, strict=True) if not is_found)
    assert {arc: gbps for arc, gbps in load.items() if gbps} == pytest.approx(
        {arc: float(gbps) for arc, gbps in wanted.items() if gbps}, rel=1e-12
    )


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(4))
def test_threads_and_batches_change_no_bit(name: str, seed: int) -> None:
    kind = LinkFailures(CASES[name](seed).fabric, np.zeros(len(CASES[name](seed).links)))
    expected = swept(kind)
    sweep = Sweep(kind)
    with ThreadPoolExecutor(3) as pool:
        for begin in range(0, sweep.n_classes, 4):
            sweep.run(begin, min(begin + 4, sweep.n_classes), pool, 3)
    found = sweep.loads()
    for column in vars(expected):
        assert np.array_equal(getattr(found, column), getattr(expected, column)), column


def test_the_first_of_equal_failures_is_the_cause() -> None:
    """Four equal links side by side: each is worst without any other, first without link 0, link 0 without link 1."""
    links = [Link(0, 1, Fraction(1), True, Fraction(1))] * 4
    case = Case(2, links, frozenset(), [(1, 1)] * 4, [1] * 4, [(0, 1, Fraction(3))])
    loads = swept(LinkFailures(case.fabric, np.zeros(4)))
    assert loads.cause.tolist() == [1, -1, 0, -1, 0, -1, 0, -1]
    assert loads.greatest_gbps.tolist() == [1.0, 0.0] * 4
    assert loads.worst_ratio.tolist() == [1.0] * 4


def test_planes_and_twins_are_computed_once() -> None:
    """Two leaves, two planes of two spines each: one class of links and one of spines, beside the leaves."""
    links = [Link(leaf, 2 + spine, Fraction(1)) for leaf in (0, 1) for spine in range(4)]
    case = Case(6, links, frozenset(), [(1, 1)] * 8, [1] * 8, [(0, 1, Fraction(4)), (1, 0, Fraction(8))])
    assert len(swept(LinkFailures(case.fabric, np.zeros(8))).model) == 2
    assert len(swept(NodeFailures(case.fabric, np.arange(6))).model) == 3
    assert len(swept(GroupFailures(case.fabric, [np.array([0, 1])])).model) == 1
    copies = planes_case(4)
    loads = swept(LinkFailures(copies.fabric, np.zeros(len(copies.links))))
    assert len(loads.model) < len(copies.links)
