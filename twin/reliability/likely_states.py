"""Sets of states of independent components in the order of their probability, with what each set gives.

A question is asked of a state in which some components are in modes and all others are up. Its answer names the
components that it depends on. It then holds in all states in which these are as they are, whatever the others do. What
is left is split by the first of these components that is in a mode. The sets are disjoint: their probabilities add.

Source: the idea of Dotson and Gobien (IEEE Trans. Circuits Syst. 26, 1979) for any question instead of a path.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from ..arrays import Floats, Ints
from .components import Components

AnswerT = TypeVar("AnswerT")
Ask = Callable[[Ints], tuple[AnswerT, Ints]]
"""Function from the modes of a state to its answer, and the components that the answer depends on, ascending."""


class StateSet(NamedTuple):
    """States in which some components are in modes, some are up, and the others are either."""

    modes: Ints
    """Modes of the components that are down, ascending."""
    probability_ratio: float


@dataclass(frozen=True, eq=False)
class _Siblings:
    """Sets that one question leaves, the most probable first: one component in a mode, those before it up."""

    modes: Ints
    """Modes of the set that was asked."""
    is_fixed: Ints
    """Components that are fixed as up or down in the set that was asked, ascending."""
    order: Ints
    """Mode by which each sibling differs."""
    n_up_before: Ints
    """Number of components of `used` that are up in it."""
    used: Ints
    """Components that the answer depends on and that were not fixed, ascending."""
    probability_ratio: Floats


class LikelyStates:
    """Iterates over sets of states; `rest` is the probability of all that was not looked at yet."""

    def __init__(
        self, components: Components, rest_below: float, max_states: int, is_spent: Callable[[], bool] = lambda: False
    ) -> None:
        """Prepare a search.

        Args:
            components: the independent components.
            rest_below: the search ends when less than this is left.
            max_states: questions after which it ends.
            is_spent: called after each question; True ends the search.
        """
        self._is_spent = is_spent
        self._components, self._rest_below, self._max_states = components, rest_below, max_states
        self.n_states = 0
        self.rest = 1.0

    def run(self, ask: Ask[AnswerT]) -> Iterator[tuple[StateSet, AnswerT]]:
        """Ask about one state of each set, the most probable set first.

        Args:
            ask: the question.

        Returns:
            Each set, whose probability is that of the states in which the answer holds, with the answer.
        """
        none = np.zeros(0, np.int64)
        heap: list[tuple[float, int, int, _Siblings]] = []
        pending, siblings, place = (1.0, none, none), None, 0
        number = 0
        while True:
            mass, modes, fixed = pending
            self.n_states += 1
            answer, depends = ask(modes)
            found = self._split(modes, np.union1d(fixed, self._components.component[modes]), depends, mass)
            settled = mass * float(np.prod(1.0 - self._components.down_ratio[found.used]))
            self.rest -= settled
            if len(found.order) and found.probability_ratio[0] > 0.0:
                heapq.heappush(heap, (-float(found.probability_ratio[0]), number, 0, found))
                number += 1
            yield StateSet(modes, settled), answer
            if not heap or self.n_states >= self._max_states or self.rest <= self._rest_below or self._is_spent():
                break
            negative, _, place, siblings = heapq.heappop(heap)
            if place + 1 < len(siblings.order) and siblings.probability_ratio[place + 1] > 0.0:
                heapq.heappush(heap, (-float(siblings.probability_ratio[place + 1]), number, place + 1, siblings))
                number += 1
            up = siblings.used[: siblings.n_up_before[place]]
            pending = (
                -negative,
                np.sort(np.append(siblings.modes, siblings.order[place])),
                np.union1d(siblings.is_fixed, up),
            )
        self.rest = float(
            sum(found.probability_ratio[place:].sum() for _, _, place, found in sorted(heap, key=_by_number))
        )

    def _split(self, modes: Ints, fixed: Ints, depends: Ints, mass: float) -> _Siblings:
        """List what is left when the free components that an answer depends on are not all up."""
        c = self._components
        used = np.setdiff1d(depends, fixed, assume_unique=True)
        n_modes = np.diff(c.mode_first)[used]
        before = np.concatenate((np.ones(1), np.cumprod(1.0 - c.down_ratio[used])))[:-1]
        place = np.repeat(np.arange(len(used)), n_modes)
        within = np.arange(len(place)) - np.repeat(np.cumsum(n_modes) - n_modes, n_modes)
        mode = c.mode_first[used][place] + within
        probability = mass * before[place] * c.probability_ratio[mode]
        order = np.argsort(-probability, kind="stable")
        return _Siblings(modes, fixed, mode[order], place[order], used, probability[order])


def _by_number(entry: tuple[float, int, int, _Siblings]) -> int:
    return entry[1]
