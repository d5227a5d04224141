"""Pairs in classes of equal places: a class has the answers of all its pairs, and every named cause is a real one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.failures.cases import CASES, Case
from tests.failures.test_sweep import swept
from tests.naive import Link
from twin.failures.kinds import Kind, LinkFailures, NodeFailures
from twin.failures.pair_classes import pair_classes
from twin.failures.pairs import PairFailures, n_pairs


def check(kind: Kind, n: int) -> int:
    """Compare with all pairs, each computed; returns the number of classes."""
    classes = pair_classes(kind)
    assert len(classes.of) == n_pairs(n) == classes.n_equal.sum()
    every = swept(PairFailures(kind, classes.first, classes.second), uses_symmetry=False)
    models = swept(classes.models, uses_symmetry=False)
    total = kind.fabric.offered_gbps.sum()
    np.testing.assert_allclose(models.lost_gbps[classes.of], every.lost_gbps, atol=1e-12 * total)
    assert (models.n_lost[classes.of] == every.n_lost).all()
    np.testing.assert_allclose(models.worst_ratio[classes.of], every.worst_ratio, rtol=1e-12, atol=1e-12 * total)
    named, expanded = classes.expanded(models)
    np.testing.assert_allclose(expanded.greatest_gbps, every.greatest_gbps, rtol=1e-12, atol=1e-13 * total)
    assert ((expanded.cause < 0) == (every.cause < 0)).all()
    causes = np.unique(expanded.cause[expanded.cause >= 0])
    for pair in causes.tolist():
        one = PairFailures(kind, named.first[[pair]], named.second[[pair]])
        alone = swept(one, uses_symmetry=False)
        arcs = expanded.cause == pair
        np.testing.assert_allclose(alone.greatest_gbps[arcs], every.greatest_gbps[arcs], rtol=1e-12, atol=1e-13 * total)
        assert (alone.cause[arcs] == 0).all()
    assert (named.first[: len(classes.model)] == classes.models.first).all()
    return len(classes.model)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(8))
def test_a_class_has_the_answers_of_all_its_pairs(name: str, seed: int) -> None:
    case = CASES[name](seed)
    n = len(case.links)
    if n > 1:
        check(LinkFailures(case.fabric, np.zeros(n)), n)
    kept = np.array([Fraction(members - 1, members) for members in case.members], float)
    if n > 1:
        check(LinkFailures(case.fabric, kept), n)
    check(NodeFailures(case.fabric, np.arange(case.n_nodes)), case.n_nodes)


def test_pairs_of_a_leaf_spine() -> None:
    """Two leaves that send, four equal spines: 8 links make 28 pairs in 4 classes.

    Two links of leaf 0 to different spines, two of leaf 1, and one of each leaf: to one spine or to two. Nodes: both
    leaves, one leaf or the other with a spine, two spines.
    """
    links = [Link(leaf, 2 + spine, Fraction(1)) for leaf in (0, 1) for spine in range(4)]
    case = Case(6, links, frozenset(), [(1, 1)] * 8, [1] * 8, [(0, 1, Fraction(4)), (1, 0, Fraction(8))])
    classes = pair_classes(LinkFailures(case.fabric, np.zeros(8)))
    assert sorted(classes.n_equal.tolist()) == [4, 6, 6, 12]
    assert sorted(pair_classes(NodeFailures(case.fabric, np.arange(6))).n_equal.tolist()) == [1, 4, 4, 6]


def planes(*, turned: bool) -> Case:
    """Three planes of an aggregation switch and two cores each between two racks, with two cables to each rack."""
    links = []
    for plane in range(3):
        links += [Link(rack, 2 + plane, Fraction(1)) for rack in (0, 1) for _ in range(2)]
        links += [Link(2 + plane, 5 + 2 * plane + core, Fraction(1)) for core in (0, 1)]
    if turned:
        links[6:12] = [Link(link.b, link.a, link.weight) for link in links[6:12]]
    n = len(links)
    return Case(11, links, frozenset(), [(1, 1)] * n, [1] * n, [(0, 1, Fraction(4)), (1, 0, Fraction(8))])


@pytest.mark.parametrize("turned", [False, True])
def test_equal_planes_have_fewer_classes_than_pairs(turned: bool) -> None:
    """The order of the ends of a link changes nothing."""
    case = planes(turned=turned)
    n = len(case.links)
    n_classes = check(LinkFailures(case.fabric, np.zeros(n)), n)
    # two cables: 6 pairs in one plane, 10 in two; a cable and a core link: 4 and 4; two core links: 1 and 1
    assert n_classes == 6 + 10 + 4 + 4 + 1 + 1


def test_the_first_of_equal_pairs_is_the_cause() -> None:
    """Each of four equal links is worst without two of the others: without the first two."""
    links = [Link(leaf, 2 + spine, Fraction(1)) for leaf in (0, 1) for spine in range(4)]
    case = Case(6, links, frozenset(), [(1, 1)] * 8, [1] * 8, [(0, 1, Fraction(4))])
    classes = pair_classes(LinkFailures(case.fabric, np.zeros(8)))
    named, loads = classes.expanded(swept(classes.models, uses_symmetry=False))
    causes = [(int(named.first[pair]), int(named.second[pair])) if pair >= 0 else None for pair in loads.cause.tolist()]
    assert causes[0:8:2] == [(1, 2), (0, 2), (0, 1), (0, 1)]
    assert causes[1:8:2] == [None] * 4, "nothing flows down to leaf 0"
    assert loads.greatest_gbps[0:8:2].tolist() == [2.0] * 4
