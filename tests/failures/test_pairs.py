"""Pairs of failures equal each pair routed anew by the naive twin; sampled pairs are drawn fairly and reproducibly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from tests.failures.cases import CASES, Case, Kept, check
from tests.failures.test_sweep import links_of, swept
from twin.failures import pair_sweep
from twin.failures.kinds import GroupFailures, Kind, LinkFailures, NodeFailures
from twin.failures.pair_sweep import PairSweep
from twin.failures.pairs import PairFailures, all_pairs, n_pairs, sampled_pairs

SEEDS = range(8)
MOST = 60
"""Pairs of one case that are compared."""


@pytest.fixture(autouse=True)
def always_with_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Second failures in the state after the first, whether that is quicker or not."""
    monkeypatch.setattr(pair_sweep, "MIN_PAIRS_PER_SINGLE", 0)
    monkeypatch.setattr(pair_sweep, "MIN_CLASSES_RATIO", 0.0)


def some_pairs(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    return sampled_pairs(n, MOST, seed)


def both(singles: list[Kept], first: np.ndarray, second: np.ndarray) -> list[Kept]:
    """Shares of the links that two failures leave: the least of both."""
    out = []
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        links = singles[a].keys() | singles[b].keys()
        whole = Fraction(1)
        out.append({i: min(singles[a].get(i, whole), singles[b].get(i, whole)) for i in links})
    return out


def check_pairs(case: Case, kind: Kind, singles: list[Kept], seed: int) -> None:
    first, second = some_pairs(len(singles), seed)
    pairs = PairFailures(kind, first, second)
    failures = both(singles, first, second)
    check(case, failures, swept(pairs, uses_symmetry=False))
    sweep = PairSweep(pairs)
    assert sweep._singles is not None
    sweep.run(0, sweep.n_classes)
    check(case, failures, sweep.loads())
    for f, kept in enumerate(failures):
        ratio = pairs.kept_ratio(f)
        assert ratio.tolist() == [float(kept.get(i, 1)) for i in range(len(case.links))]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_of_links(name: str, seed: int) -> None:
    case = CASES[name](seed)
    singles: list[Kept] = [{i: Fraction(0)} for i in range(len(case.links))]
    check_pairs(case, LinkFailures(case.fabric, np.zeros(len(singles))), singles, seed)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_of_members(name: str, seed: int) -> None:
    case = CASES[name](seed)
    kept = [Fraction(n - 1, n) for n in case.members]
    check_pairs(case, LinkFailures(case.fabric, np.array(kept, float)), [{i: one} for i, one in enumerate(kept)], seed)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_of_nodes_share_the_links_between_them(name: str, seed: int) -> None:
    case = CASES[name](seed)
    singles = [links_of(case, {node}) for node in range(case.n_nodes)]
    check_pairs(case, NodeFailures(case.fabric, np.arange(case.n_nodes)), singles, seed)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_of_links_that_fail_together(name: str, seed: int) -> None:
    case = CASES[name](seed)
    rng = np.random.default_rng((seed, 9))
    n = len(case.links)
    groups = [np.sort(rng.choice(n, min(n, int(rng.integers(1, 5))), replace=False)) for _ in range(6)]
    singles: list[Kept] = [dict.fromkeys(links.tolist(), Fraction(0)) for links in groups]
    check_pairs(case, GroupFailures(case.fabric, groups), singles, seed)


@pytest.mark.parametrize("has_states", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_batches_in_any_order_and_threads_change_no_bit(
    name: str, has_states: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_sweep, "MIN_PAIRS_PER_SINGLE", 0 if has_states else np.inf)
    case = CASES[name](3)
    first, second = some_pairs(len(case.links), 0)
    kind = PairFailures(LinkFailures(case.fabric, np.zeros(len(case.links))), first, second)
    alone, threaded, turned = (PairSweep(kind) for _ in range(3))
    alone.run(0, alone.n_classes)
    expected = alone.loads()
    assert (alone._singles is not None) == has_states
    with ThreadPoolExecutor(3) as pool:
        threaded.run(0, threaded.n_classes, pool, 3)
    parts = [turned.part(begin, min(begin + 7, turned.n_classes)) for begin in range(0, turned.n_classes, 7)]
    for part in parts[1::2] + parts[::-2] + parts[::2]:  # some of them twice
        turned.take(part)
    for sweep in (threaded, turned):
        assert sweep.is_done.all()
        for column, wanted in vars(expected).items():
            assert np.array_equal(getattr(sweep.loads(), column), wanted), column


def test_all_pairs_stand_in_order() -> None:
    for n in (1, 2, 5):
        first, second = all_pairs(n)
        assert [*zip(first.tolist(), second.tolist(), strict=True)] == [*combinations(range(n), 2)]
        assert len(first) == n_pairs(n)


@pytest.mark.parametrize("n", [3, 7, 50_000])
def test_sampled_pairs_are_distinct_and_in_order(n: int) -> None:
    first, second = sampled_pairs(n, 1000, 7)
    pairs = [*zip(first.tolist(), second.tolist(), strict=True)]
    assert pairs == sorted(set(pairs))
    assert len(pairs) == min(1000, n_pairs(n))
    assert all(0 <= a < b < n for a, b in pairs)
    again = sampled_pairs(n, 1000, 7)
    assert (again[0] == first).all()
    assert (again[1] == second).all()


def test_every_pair_is_drawn_as_often() -> None:
    """15 pairs, 5 drawn each time: 2,000 draws give each 667 times, with a standard deviation of 21."""
    counts = np.zeros((6, 6), int)
    for seed in range(2000):
        first, second = sampled_pairs(6, 5, seed)
        counts[first, second] += 1
    drawn = counts[np.triu_indices(6, 1)]
    assert drawn.sum() == 10_000
    assert abs(drawn - 2000 / 3).max() < 5 * 21
