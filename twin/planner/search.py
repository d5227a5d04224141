"""The search: all allowed sets where that is possible in time, else all sets of the most promising candidates."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from ..progress import Advance
from ..studies.executor import Workers, run_items
from .choice import Choice
from .sets import MAX_SETS, SetRules, all_sets, bits_of
from .trial import OVER_BUDGET, Trial, Trials, TrialTask, groups_of

MAX_EXACT_S = 600.0
"""Longest estimate for which all sets are evaluated."""
S_PER_SET, S_PER_RECORD, N_RECORDS_PER_DEMAND = 2e-3, 1.2e-6, 10
"""Measured times of a set: on any network, and for each node, link and demand."""
MAX_KEPT_SETS, MAX_KEPT_S, MIN_KEPT_SETS = 4096, 200.0, 256
"""Most sets of promising candidates, and the longest estimate for them; at least some sets on any network."""
N_CLIMBS = 3
"""Sets from which a search climbs to find promising candidates."""
FRONT_SHARE = 2
"""Most sets of promising candidates over most sets near the front of money against the goal."""
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
    beyond: dict[int, Trial]
    """Trials of sets over the budget that were evaluated, too."""


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


class _EnoughError(Exception):
    """As many sets were looked at as a part of a search may look at."""


def _amounts(trials: Sequence[Trial]) -> list[float]:
    """Return amounts of money below which a search climbs: none, and the powers of ten above the costs of sets."""
    costs_usd = {trial.capex_usd for trial in trials if trial.capex_usd}
    return [0.0, *sorted({10.0 ** math.ceil(math.log10(cost_usd)) for cost_usd in costs_usd})]


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
    beyond: dict[int, Trial] = field(default_factory=dict)
    _n_planned: int = 0

    def run(self, scope: Scope) -> Found:
        """Run the search; after Ctrl-C or `cancel`, return what was found so far."""
        everything = (1 << self.rules.n) - 1
        kept, interrupted = everything, False
        try:
            if scope.sets is not None:
                self._evaluate(scope.sets)
                if self.task.budget_usd is not None:
                    self._front(Trials(self.task), scope.max_kept // FRONT_SHARE)
            else:
                kept = self._promising(scope.max_kept)
        except (KeyboardInterrupt, CancelledError):
            interrupted = True
        return Found(
            self.trials, scope.sets is not None and not interrupted, scope.n_sets, interrupted, kept, self.beyond
        )

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
            self._front(here, limit // FRONT_SHARE)
            best = self.choice_of(self.trials).best()
            improving = 0 if best is None else best.members & ~kept | self._improving(here, best, kept)
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

        starts = sorted(self.trials.values(), key=order)[:N_CLIMBS]
        tops = [self._climb(start, order, lambda members: self._look(here, members)).members for start in starts]
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

    def _climb(self, start: Trial, order: Callable[[Trial], tuple[object, ...]], look: Callable[[int], Trial]) -> Trial:
        """Return the best set that is reached by adding, dropping and exchanging one candidate at a time."""
        current = start
        while True:
            better = min((current, *map(look, self._neighbours(current.members))), key=order)
            if better is current:
                return current
            current = better

    def _front(self, here: Trials, limit: int) -> None:
        """Look for the front of money against the goal, over the budget too, until it stays as it is.

        The search climbs below several amounts of money, again without each member of the set that it reaches, and
        then looks at the neighbours of every set on the front.
        Budget, target and failures count for nothing here, so that every question sees much the same front.

        Args:
            here: computes sets.
            limit: most sets to look at.
        """
        last = len(self.trials) + len(self.beyond) + limit

        def look(members: int) -> Trial:
            known = self.trials.get(members)
            if known is None or (known.why == OVER_BUDGET and members not in self.beyond):
                if len(self.trials) + len(self.beyond) >= last:
                    raise _EnoughError
                known = self._look(here, members)
                if known.why == OVER_BUDGET:
                    self.beyond[members] = here.of(members, any_price=True)
            return self.beyond.get(members, known)

        with suppress(_EnoughError):
            starts = list(map(look, self._starts()))
            for most_usd in _amounts(starts):
                order = self._order_below(most_usd)
                top = self._climb(min(starts, key=order), order, look)
                for member in bits_of(top.members):
                    order = self._order_below(most_usd, without=1 << member)
                    self._climb(min(starts, key=order), order, look)
            looked: set[int] = set()
            while waiting := [trial.members for trial in self._open_front() if trial.members not in looked]:
                looked.update(waiting)
                for members in waiting:
                    list(map(look, self._neighbours(members)))

    def _open_front(self) -> list[Trial]:
        return self.choice_of(self.trials | self.beyond).open_front()

    def _order_below(self, most_usd: float, without: int = 0) -> Callable[[Trial], tuple[object, ...]]:
        """Return the order of sets by the goal, those over an amount of money or with some candidates last."""
        choice = self.choice_of(self.trials)

        def order(trial: Trial) -> tuple[object, ...]:
            is_out = trial.capex_usd is None or trial.capex_usd > most_usd or trial.members & without > 0
            return (is_out, choice.distance(trial, with_goal=False), choice.loss(trial), *choice.rank(trial))

        return order

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
