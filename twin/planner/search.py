"""The search: all allowed sets where that is possible in time, else all sets of the most promising candidates."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from ..studies.executor import Advance, Workers, run_items
from .choice import Choice
from .sets import MAX_SETS, SetRules, all_sets, bits_of
from .trial import Trial, Trials, TrialTask, groups_of

MAX_EXACT_S = 600.0
"""Longest estimate for which all sets are evaluated."""
S_PER_SET, S_PER_RECORD, N_RECORDS_PER_DEMAND = 2e-3, 1.2e-6, 10
"""Measured times of a set: on any network, and for each node, link and demand."""
MAX_KEPT_SETS, MAX_KEPT_S, MIN_KEPT_SETS = 4096, 200.0, 256
"""Most sets of promising candidates, and the longest estimate for them; at least some sets on any network."""
N_CLIMBS = 3
"""Sets from which a search climbs to find promising candidates."""
MAX_ROUNDS = 3
"""Most times that a candidate which was left aside comes back, since it improves the best set."""

ChoiceOf = Callable[[Mapping[int, Trial]], Choice]


class Found(NamedTuple):
    """Trials of a search, and how far they decide the question."""

    trials: dict[int, Trial]
    is_exact: bool
    """True where every allowed set was looked at."""
    n_sets: int | None
    """Allowed sets; None where there are too many to count."""
    interrupted: bool
    kept: int
    """Candidates of which all sets were looked at; bit i is candidate i."""


class Scope(NamedTuple):
    """Sets that a search can look at."""

    sets: list[int] | None
    """Allowed sets; None where they take too long."""
    n_sets: int | None
    """Number of allowed sets; None where there are too many to count."""
    max_kept: int
    """Most sets of promising candidates."""


def scope_of(task: TrialTask, rules: SetRules) -> Scope:
    """Return the sets that can be evaluated in time.

    The time is estimated from the size of the network, not measured, so that the same question has the same answer.
    """
    max_kept = max(min(MAX_KEPT_SETS, int(MAX_KEPT_S / trial_s(task))), MIN_KEPT_SETS)
    sets = all_sets(rules, MAX_SETS)
    if sets is None:
        return Scope(None, None, max_kept)
    in_time = len(sets) * trial_s(task) <= MAX_EXACT_S or len(sets) <= max_kept
    return Scope(sets if in_time else None, len(sets), max_kept)


def trial_s(task: TrialTask) -> float:
    """Return about how many seconds a set takes."""
    state, document = task.origin.state, task.origin.document
    n_records = state.n_nodes + state.n_links + N_RECORDS_PER_DEMAND * len(document.demands)
    return len(task.years) * (S_PER_SET + S_PER_RECORD * n_records)


@dataclass(eq=False)
class Search:
    """One search: its task, and the trials so far."""

    task: TrialTask
    rules: SetRules
    workers: Workers
    choice_of: ChoiceOf
    advance: Advance | None = None
    cancel: threading.Event | None = None
    trials: dict[int, Trial] = field(default_factory=dict)
    _n_planned: int = 0

    def run(self, scope: Scope) -> Found:
        """Run the search; after Ctrl-C or `cancel`, return what was found so far."""
        everything = (1 << self.rules.n) - 1
        kept, interrupted = everything, False
        try:
            if scope.sets is not None:
                self._evaluate(scope.sets)
            else:
                kept = self._promising(scope.max_kept)
        except (KeyboardInterrupt, CancelledError):
            interrupted = True
        return Found(self.trials, scope.sets is not None and not interrupted, scope.n_sets, interrupted, kept)

    def _promising(self, limit: int) -> int:
        """Look at all sets of the most promising candidates until no other candidate improves the best set."""
        here = Trials(self.task)
        self._n_planned = self.rules.n**2 // 2 + limit
        for members in self._starts():
            self._look(here, members)
        wanted = self._climbs(here)
        kept = self._kept(wanted, limit)
        for _ in range(MAX_ROUNDS):
            self._evaluate(all_sets(self.rules, within=kept) or [0])
            best = self.choice_of(self.trials).best()
            improving = 0 if best is None else self._improving(here, best, kept)
            if not improving:
                break
            wanted = [*bits_of(improving), *(bits_of(best.members) if best else ()), *wanted]
            kept = self._kept(list(dict.fromkeys(wanted)), limit)
        return kept

    def _starts(self) -> Iterator[int]:
        """Yield the empty set, single candidates and pairs, each with what it needs."""
        yield 0
        singles = [members for i in range(self.rules.n) if (members := self.rules.closure(1 << i)) is not None]
        yield from singles
        yield from (a | b for a, b in combinations(singles, 2) if self.rules.allows(a | b))

    def _climbs(self, here: Trials) -> list[int]:
        """Climb from the best sets by adding, dropping and exchanging; return candidates, the most promising first."""
        choice = self.choice_of(self.trials)

        def order(trial: Trial) -> tuple[object, ...]:
            return (choice.distance(trial), *choice.rank(trial))

        tops: list[int] = []
        for start in sorted(self.trials.values(), key=order)[:N_CLIMBS]:
            current = start
            while True:
                near = [self._look(here, members) for members in self._neighbours(current.members)]
                better = min((current, *near), key=order)
                if better is current:
                    break
                current = better
            tops.append(current.members)
        best_with: dict[int, tuple[object, ...]] = dict.fromkeys(range(self.rules.n), (math.inf,))
        for trial in self.trials.values():
            for i in bits_of(trial.members):
                best_with[i] = min(best_with[i], order(trial))
        first = [i for members in tops for i in bits_of(members)]
        return list(dict.fromkeys([*first, *sorted(best_with, key=lambda i: (best_with[i], i))]))

    def _kept(self, wanted: Sequence[int], limit: int) -> int:
        """Return as many of the wanted candidates, the first ones first, as give at most `limit` sets."""
        kept = 0
        for i in wanted:
            more = self._with_needs(kept | 1 << i)
            if all_sets(self.rules, limit, within=more) is not None:
                kept = more
        return kept

    def _with_needs(self, members: int) -> int:
        while True:
            more = members
            for i in bits_of(members):
                more |= self.rules.needs[i]
            if more == members:
                return members
            members = more

    def _improving(self, here: Trials, best: Trial, kept: int) -> int:
        """Return the candidates outside `kept` that improve the best set, in place of what they exclude."""
        found = 0
        for i in range(self.rules.n):
            if kept >> i & 1:
                continue
            members = self.rules.closure(best.members & ~self.rules.excludes[i] | 1 << i)
            if members is not None:
                trial = self._look(here, members)
                choice = self.choice_of(self.trials)
                if choice.valid(trial) and choice.rank(trial) < choice.rank(best):
                    found |= 1 << i
        return found

    def _neighbours(self, members: int) -> Iterator[int]:
        """Yield the sets without one member, and with one more in place of those that it excludes."""
        near = [members & ~(1 << i) for i in bits_of(members)]
        near += [members & ~self.rules.excludes[j] | 1 << j for j in range(self.rules.n) if not members >> j & 1]
        for found in dict.fromkeys(near):
            closed = self.rules.closure(found)
            if closed is not None:
                yield closed

    def _look(self, here: Trials, members: int) -> Trial:
        known = self.trials.get(members)
        if known is None:
            if self.cancel is not None and self.cancel.is_set():
                raise CancelledError
            known = self.trials[members] = here.of(members)
            if self.advance is not None:
                self.advance(len(self.trials), max(self._n_planned, len(self.trials)))
        return known

    def _evaluate(self, sets: Sequence[int]) -> None:
        """Evaluate sets with the workers."""
        open_sets = [members for members in sets if members not in self.trials]
        n = len(self.trials) + len(open_sets)

        def keep(_: int, found: tuple[Trial, ...]) -> None:
            self.trials.update((trial.members, trial) for trial in found)

        def advance(_n_done: int, _n_groups: int) -> None:
            if self.advance is not None:
                self.advance(len(self.trials), n)

        groups = groups_of(open_sets, self.task.candidates)
        run_items(self.task, groups, self.workers, advance=advance, cancel=self.cancel, keep=keep)
