"""The kernels of pairs of failures, on a few networks that reach all their lines; `tests/failures` has the many."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from tests.failures.cases import Case, Kept, blown_up_case, check, planes_case, random_case
from tests.naive import Link
from twin.failures import pair_sweep
from twin.failures.kinds import LinkFailures
from twin.failures.pair_sweep import PairSweep, sweep_of
from twin.failures.pairs import PairFailures, all_pairs


@pytest.fixture(autouse=True)
def always_with_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_sweep, "MIN_PAIRS_PER_SINGLE", 0)
    monkeypatch.setattr(pair_sweep, "MIN_CLASSES_RATIO", 0.0)


def pairs_of(case: Case, *, members: bool = False) -> tuple[PairFailures, list[Kept]]:
    """All pairs of links, whole or one member of each, and what is left."""
    kept = [Fraction(n - 1, n) if members else Fraction(0) for n in case.members]
    first, second = all_pairs(len(case.links))
    kind = PairFailures(LinkFailures(case.fabric, np.array(kept, float)), first, second)
    return kind, [{a: kept[a], b: kept[b]} for a, b in zip(first.tolist(), second.tolist(), strict=True)]


def swept(kind: PairFailures) -> PairSweep:
    sweep = sweep_of(kind)
    assert isinstance(sweep, PairSweep)
    sweep.run(0, sweep.n_classes)
    return sweep


def line_of_two() -> Case:
    """A line 0-1-2-3 with a second way around each of its links, and demands to both ends."""
    links = [Link(a, a + 1, Fraction(1)) for a in range(3)] + [Link(a, a + 1, Fraction(2)) for a in range(3)]
    demands = [(a, b, Fraction(4)) for a, b in ((0, 3), (1, 3), (3, 0), (2, 0))]
    return Case(4, links, frozenset(), [(8, 8)] * 6, [2] * 6, demands)


def passing() -> Case:
    """Without link 1-0, node 1 sends over node 2, which sends to 0 over link 2-0; without that over link 2-3."""
    ends = ((1, 0, 1), (2, 0, 1), (1, 2, 1), (2, 3, 2), (3, 0, 2))
    links = [Link(a, b, Fraction(weight)) for a, b, weight in ends]
    return Case(4, links, frozenset(), [(8, 8)] * 5, [2] * 5, [(1, 0, Fraction(3)), (2, 0, Fraction(5))])


def detour() -> Case:
    """Nodes 2 and 3 reach 0 over 1; without link 0-1 the way of 2 over 3 is shorter than its own one."""
    ends = ((0, 1, 1), (1, 2, 1), (1, 3, 1), (2, 3, 1), (2, 0, 10), (3, 0, 5))
    links = [Link(a, b, Fraction(weight)) for a, b, weight in ends]
    demands = [(a, 0, Fraction(a)) for a in (1, 2, 3)]
    return Case(4, links, frozenset(), [(8, 8)] * 6, [2] * 6, demands)


@pytest.mark.parametrize(
    "case",
    [
        line_of_two(),
        passing(),
        detour(),
        random_case(0),
        random_case(2),
        random_case(5),
        blown_up_case(1),
        planes_case(3),
    ],
)
@pytest.mark.parametrize("members", [False, True])
def test_all_pairs_are_those_of_the_naive_twin(case: Case, members: bool) -> None:
    kind, failures = pairs_of(case, members=members)
    some = np.random.default_rng(1).permutation(len(failures))[:20]
    kind = PairFailures(kind.single, kind.first[some], kind.second[some])
    sweep = swept(kind)
    assert sweep._singles is not None
    check(case, [failures[row] for row in some], sweep.loads())


def test_failures_of_two_branches_do_not_meet() -> None:
    """Two branches to node 0, each with a second way: only both ways of one branch change what the other one does."""
    links = [Link(a, 0, Fraction(weight)) for a in (1, 2) for weight in (1, 2)]
    case = Case(3, links, frozenset(), [(8, 8)] * 4, [1] * 4, [(1, 0, Fraction(4)), (2, 0, Fraction(4))])
    kind, failures = pairs_of(case)
    sweep = swept(kind)
    singles = sweep._singles
    assert singles is not None
    met = [
        (a, b)
        for a, b in zip(kind.first.tolist(), kind.second.tolist(), strict=True)
        if (singles.split[b] & (singles.touched[a] | singles.ends[a])).any()
        or (singles.split[a] & (singles.touched[b] | singles.ends[b])).any()
    ]
    assert met == [(0, 1), (2, 3)]
    check(case, failures, sweep.loads())


@pytest.mark.parametrize(
    ("name", "value", "has_states"),
    [
        ("MAX_STATE_BYTES", 1_000, False),
        ("MAX_STATE_BYTES", 1_500, False),
        ("MIN_PAIRS_PER_SINGLE", 3, False),
        ("MIN_PAIRS_PER_SINGLE", 2, True),
        ("MIN_CLASSES_RATIO", 2.0, False),
    ],
)
def test_states_are_kept_where_there_is_room_and_they_save_time(
    name: str, value: float, has_states: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_sweep, name, value)
    kind, failures = pairs_of(line_of_two())
    sweep = swept(kind)
    assert (sweep._singles is not None) == has_states
    check(line_of_two(), failures, sweep.loads())


def test_room_for_entries_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    empty: Callable[..., object] = pair_sweep._empty
    monkeypatch.setattr(pair_sweep, "FIRST_ENTRIES", 1)
    monkeypatch.setattr(pair_sweep, "_empty", lambda *shape: sizes.append(shape[-1]) or empty(*shape))
    kind, failures = pairs_of(line_of_two())
    check(line_of_two(), failures, swept(kind).loads())
    assert len(sizes) > 1
    assert sizes == [sizes[0] * 4**i for i in range(len(sizes))]
