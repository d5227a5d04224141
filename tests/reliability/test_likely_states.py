"""Sets of probable states, and random states: against all states, and by hand."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest

from tests import naive_states
from tests.training.cases import state_of
from twin.arrays import Ints
from twin.reliability.components import Components
from twin.reliability.likely_states import LikelyStates
from twin.reliability.state_samples import StateSamples, sample_states

EMPTY = state_of({"nodes": [{"id": "a", "kind": "leaf"}], "links": []})[0]


def components(modes: list[list[float]]) -> Components:
    """Components with these probabilities of their modes, and without a network."""
    n = len(modes)
    return Components(
        state=EMPTY,
        kind=np.zeros(n, np.int64),
        row=np.arange(n),
        causes=(),
        mode_first=np.cumsum([0, *map(len, modes)]),
        probability_ratio=np.array([p for down in modes for p in down]),
        kept_ratio=np.zeros(sum(map(len, modes))),
        n_repairs_per_h=np.ones(sum(map(len, modes))),
        always_up={},
    )


def random_modes(seed: int) -> list[list[float]]:
    r = random.Random(seed)
    return [[r.choice([0.0, 0.01, 0.1, 0.2]) for _ in range(r.randint(1, 3))] for _ in range(r.randint(2, 5))]


def state_of_modes(c: Components, modes: Ints) -> tuple[int, ...]:
    state = [0] * c.n
    for mode in modes.tolist():
        component = int(c.component[mode])
        state[component] = mode - int(c.mode_first[component]) + 1
    return tuple(state)


def decision(seed: int, n: int) -> tuple[dict[tuple[int, ...], tuple[int, list[int]]], list[range]]:
    """A random decision tree as a table: in each state its answer, and the components that it was decided by."""
    r = random.Random(seed)
    table: dict[tuple[tuple[int, int], ...], int | None] = {}

    def decide(state: tuple[int, ...]) -> tuple[int, list[int]]:
        seen: list[int] = []
        while True:
            key = tuple((i, state[i]) for i in seen)
            if key not in table:
                left = [i for i in range(n) if i not in seen]
                table[key] = r.choice(left) if left and (not seen or r.random() < 0.7) else None
            following = table[key]
            if following is None:
                return sum(state[i] for i in seen) % 3, sorted(seen)
            seen.append(following)

    return {state: decide(state) for state in product(range(4), repeat=n)}, [range(4)] * n


@pytest.mark.parametrize("seed", range(10))
def test_sets_cover_all_states_once_and_answers_hold_in_them(seed: int) -> None:
    modes = random_modes(seed)
    c, (table, _) = components(modes), decision(seed, len(modes))

    def ask(found: Ints) -> tuple[int, Ints]:
        answer, depends = table[state_of_modes(c, found)]
        return answer, np.array(depends, np.int64)

    states = LikelyStates(c, 0.0, 100_000)
    shares = [0.0, 0.0, 0.0]
    for found, answer in states.run(ask):
        shares[answer] += found.probability_ratio
    assert states.rest == pytest.approx(0.0, abs=1e-15)
    assert sum(shares) == pytest.approx(1.0, rel=1e-12)
    for answer in range(3):
        exact = naive_states.share_of_states(modes, lambda state, answer=answer: table[state][0] == answer)
        assert shares[answer] == pytest.approx(exact, rel=1e-12, abs=1e-15)


def test_the_most_probable_sets_come_first_and_the_rest_is_what_is_left() -> None:
    """Independent parts of 0.1, 0.2 and 0.3, all of which matter: eight states by hand."""
    c = components([[0.1], [0.2], [0.3]])
    for n in range(1, 9):
        states = LikelyStates(c, 0.0, n)
        found = [found.probability_ratio for found, _ in states.run(lambda _: (None, np.arange(3)))]
        expected = sorted([0.504, 0.216, 0.126, 0.056, 0.054, 0.024, 0.014, 0.006], reverse=True)
        assert found == pytest.approx(expected[:n], rel=1e-12)
        assert states.rest == pytest.approx(sum(expected[n:]), abs=1e-15)
    enough = LikelyStates(c, 0.2, 100)
    assert len([*enough.run(lambda _: (None, np.arange(3)))]) == enough.n_states == 3


def listed_and_sampled(samples: StateSamples) -> float:
    return float(samples.listed_ratio.sum()) + samples.sampled_ratio


@pytest.mark.parametrize("n_samples", [3, 5000])
def test_listed_and_sampled_states_are_all_states(n_samples: int) -> None:
    modes = [[0.1, 0.05], [0.2], [0.0], [0.03, 0.01, 0.02]]
    samples = sample_states(components(modes), n_samples, seed=7)
    assert listed_and_sampled(samples) == pytest.approx(1.0, rel=1e-12)
    assert samples.n == n_samples
    n_least = 1 if n_samples == 3 else 2
    assert all(len(state) >= n_least for state in samples.states)
    assert len(samples.listed) == (1 if n_samples == 3 else 7)


def test_random_states_have_their_probabilities() -> None:
    """Each state with two or more parts down is as frequent as its probability says, at a level of 1e-4."""
    modes = [[0.1, 0.05], [0.2], [0.03, 0.01]]
    c, n = components(modes), 20_000
    samples = sample_states(c, n, seed=3)
    found = dict(zip((state_of_modes(c, state) for state in samples.states), samples.count.tolist(), strict=True))
    for state in product(range(3), range(2), range(3)):
        if sum(mode > 0 for mode in state) >= 2:
            exact = naive_states.share_of_states(modes, lambda other, state=state: other == state)
            assert binomtest(found.get(state, 0), n, exact / samples.sampled_ratio).pvalue > 1e-4


def test_more_samples_begin_with_the_same_and_seeds_differ() -> None:
    c = components([[0.3], [0.2], [0.1], [0.4]])
    few, many, other = (sample_states(c, n, seed) for n, seed in ((100, 1), (200, 1), (100, 2)))
    counts = {tuple(state): count for state, count in zip(many.states, many.count.tolist(), strict=True)}
    assert all(counts[tuple(state)] >= count for state, count in zip(few.states, few.count.tolist(), strict=True))
    assert few.count.tolist() != other.count.tolist()


def test_intervals_are_those_of_scipy_times_the_probability() -> None:
    samples = sample_states(components([[0.1], [0.2]]), 50, seed=1)
    for hits in (0, 1, 25, 50):
        exact = binomtest(hits, 50).proportion_ci(0.95)
        found = samples.interval(0.25, hits, 0.95)
        assert found.estimate_ratio == pytest.approx(0.25 + samples.sampled_ratio * hits / 50)
        assert found.low_ratio == pytest.approx(0.25 + samples.sampled_ratio * exact.low)
        assert found.high_ratio == pytest.approx(0.25 + samples.sampled_ratio * exact.high)


def test_a_network_that_never_fails_has_nothing_to_sample() -> None:
    samples = sample_states(components([[0.0]]), 100, seed=1)
    assert (samples.n, samples.sampled_ratio) == (0, 0.0)
    assert samples.interval(0.0, 0, 0.95) == (0.0, 0.0, 0.0)
