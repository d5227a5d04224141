"""Sets of candidates against a check of every subset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.planner.sets import SetRules, all_sets, bits_of, mask_of

N = 6


@st.composite
def rules(draw: st.DrawFn) -> SetRules:
    pairs = draw(st.sets(st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), max_size=6))
    excludes = [0] * N
    for a, b in pairs:
        if a != b:
            excludes[a] |= 1 << b
            excludes[b] |= 1 << a
    needs = draw(st.lists(st.integers(0, 2**N - 1), min_size=N, max_size=N))
    return SetRules(tuple(excludes), tuple(need & ~(1 << i) & draw(st.sampled_from([0, 0, need]))
                                           for i, need in enumerate(needs)))  # fmt: skip


def naive_allows(found: SetRules, members: set[int]) -> bool:
    clash = any(found.excludes[a] >> b & 1 for a in members for b in members)
    return not clash and all(set(bits_of(found.needs[i])) <= members for i in members)


@given(rules())
def test_every_allowed_set_is_found_once(found: SetRules) -> None:
    expected = {m for m in range(2**N) if naive_allows(found, set(bits_of(m)))}
    sets = all_sets(found)
    assert sets is not None
    assert sets[0] == 0
    assert sorted(sets) == sorted(expected)


@given(rules(), st.integers(0, 2**N - 1))
def test_within_some_candidates_the_needs_of_others_count_as_met(found: SetRules, within: int) -> None:
    inner = SetRules(found.excludes, tuple(need & within for need in found.needs))
    expected = {m for m in range(2**N) if m & ~within == 0 and naive_allows(inner, set(bits_of(m)))}
    assert set(all_sets(found, within=within) or ()) == expected


@given(rules(), st.integers(0, 2**N - 1))
def test_a_closure_is_the_least_allowed_set_with_all_needs(found: SetRules, members: int) -> None:
    above = [m for m in range(2**N) if m & members == members and naive_allows(found, set(bits_of(m)))]
    closed = found.closure(members)
    assert closed == (min(above, key=int.bit_count) if above else None)


def test_too_many_sets_are_none() -> None:
    free = SetRules((0,) * 10, (0,) * 10)
    assert len(all_sets(free, 1024) or ()) == 1024
    assert all_sets(free, 1023) is None


@pytest.mark.parametrize("members", [0, 1, 0b1011, 1 << 40])
def test_bits_and_masks_are_inverse(members: int) -> None:
    assert mask_of(list(bits_of(members))) == members
