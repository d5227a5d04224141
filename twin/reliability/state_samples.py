"""Random states of independent components, and intervals of what they show.

The probabilities of no component down and of one alone are known. States with one component down are all listed with
their probability, where that is less work than the samples. The samples then have at least two components down, and
otherwise at least one. A share of the samples has an exact binomial interval; times the probability of such states it
is one of a share of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv

from ..arrays import Floats, Ints
from .components import Components


class Interval(NamedTuple):
    """An estimate with the ends of its confidence interval."""

    estimate_ratio: float
    low_ratio: float
    high_ratio: float


@dataclass(frozen=True, eq=False)
class StateSamples:
    """Samples of states, those that are equal only once, and states that are listed instead."""

    states: tuple[Ints, ...]
    """Modes of each state, ascending."""
    count: Ints
    """Samples of each state."""
    sampled_ratio: float
    """Probability of the states that samples are drawn from."""
    listed: tuple[Ints, ...]
    """Modes of the state with nothing down, and of those with one component down where they are not sampled."""
    listed_ratio: Floats
    """Probability of each of them."""

    @cached_property
    def n(self) -> int:
        """Number of samples."""
        return int(self.count.sum())

    def interval(self, listed_ratio: float, n_hits: int, confidence_ratio: float) -> Interval:
        """Return the share of time of what some listed states and `n_hits` samples show, with its interval.

        Args:
            listed_ratio: probability of these listed states.
            n_hits: number of samples.
            confidence_ratio: probability with which the interval covers the true share, at least.

        Source:
            Clopper and Pearson, Biometrika 26 (1934).
        """
        n = self.n
        if n == 0:
            return Interval(listed_ratio, listed_ratio, listed_ratio)
        shares = n_hits / n, *_binomial_interval(n_hits, n, confidence_ratio)
        return Interval(*(listed_ratio + self.sampled_ratio * share for share in shares))


@lru_cache(maxsize=4096)
def _binomial_interval(n_hits: int, n: int, confidence_ratio: float) -> tuple[float, float]:
    tail = (1.0 - confidence_ratio) / 2.0
    low = 0.0 if n_hits == 0 else float(betaincinv(n_hits, n - n_hits + 1, tail))
    high = 1.0 if n_hits == n else float(betaincinv(n_hits + 1, n - n_hits, 1.0 - tail))
    return low, high


def sample_states(components: Components, n_samples: int, seed: int) -> StateSamples:
    """Draw random states.

    The components that are down are found by jumps: with the hazard -ln(1 - u) of each component, the next one that is
    down is where the sum of hazards has grown by an exponential variate. A jump to a component that must be down is
    drawn under the condition that it ends within the list. More samples with the same seed start with the same ones.

    Args:
        components: the independent components.
        n_samples: number of samples.
        seed: seed of the random numbers.
    """
    hazard = np.cumsum(-np.log1p(-components.down_ratio))
    total = float(hazard[-1]) if components.n else 0.0
    lists_single = len(components.probability_ratio) <= n_samples
    n_least = 2 if lists_single else 1
    first_ratio = _first_down(components.down_ratio, hazard, total, n_least)
    cumulative = np.cumsum(first_ratio)
    sampled_ratio = float(cumulative[-1]) if components.n else 0.0
    random = np.random.Generator(np.random.Philox(seed))
    count: dict[tuple[int, ...], int] = {}
    for _ in range(n_samples if sampled_ratio > 0.0 else 0):
        component = int(np.searchsorted(cumulative, random.random() * sampled_ratio, side="right"))
        modes = [_mode(components, component, random.random())]
        at = float(hazard[component])
        if n_least == 2:
            at -= np.log1p(random.random() * np.expm1(at - total))
        else:
            at += random.standard_exponential()
        while at < total:
            component = int(np.searchsorted(hazard, at, side="right"))
            modes.append(_mode(components, component, random.random()))
            at = float(hazard[component]) + random.standard_exponential()
        key = tuple(modes)
        count[key] = count.get(key, 0) + 1
    states = sorted(count, key=lambda state: (len(state), state))
    possible = np.flatnonzero(components.probability_ratio > 0.0) if lists_single else np.zeros(0, np.int64)
    others_up = np.exp(-(total + np.log1p(-components.down_ratio[components.component[possible]])))
    return StateSamples(
        states=tuple(np.array(state, np.int64) for state in states),
        count=np.array([count[state] for state in states], np.int64),
        sampled_ratio=sampled_ratio,
        listed=(np.zeros(0, np.int64), *(np.array([mode], np.int64) for mode in possible)),
        listed_ratio=np.append(np.exp(-total), components.probability_ratio[possible] * others_up),
    )


def _first_down(down_ratio: Floats, hazard: Floats, total: float, n_least: int) -> Floats:
    """Probability that a component is the first one down, and at least `n_least` are; float64[n_components]."""
    before = np.exp(-np.concatenate((np.zeros(1), hazard)))[:-1]
    more = -np.expm1(hazard - total) if n_least == 2 else 1.0
    return np.asarray(before * down_ratio * more)


def _mode(components: Components, component: int, at: float) -> int:
    """Return the mode of a component that is down; `at` is uniform in 0..1."""
    first, end = components.mode_first[component], components.mode_first[component + 1]
    if end - first == 1:
        return int(first)
    cumulative = np.cumsum(components.probability_ratio[first:end])
    return int(first + min(np.searchsorted(cumulative, at * cumulative[-1], side="right"), end - first - 1))
