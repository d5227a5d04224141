"""Sets of candidates as bit masks: those that exclude each other never stand together, and needs are met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

MAX_SETS = 1 << 16
"""Most sets that are all evaluated."""
MAX_ENDS_RATIO = 8
"""Most sets that are built for each allowed one: needs are checked last."""


class SetRules(NamedTuple):
    """Rules of candidates that may stand together; bit i is candidate i."""

    excludes: tuple[int, ...]
    """Candidates that exclude each candidate."""
    needs: tuple[int, ...]
    """Candidates that each candidate needs."""

    @property
    def n(self) -> int:
        """Number of candidates."""
        return len(self.excludes)

    def allows(self, members: int) -> bool:
        """Return whether no two members exclude each other, and all needs are met."""
        return all(
            not members & self.excludes[i] and members & self.needs[i] == self.needs[i] for i in bits_of(members)
        )

    def closure(self, members: int) -> int | None:
        """Return a set with all that its members need; None where that is not allowed."""
        while True:
            needed = members
            for i in bits_of(members):
                needed |= self.needs[i]
            if needed == members:
                return members if self.allows(members) else None
            members = needed


def bits_of(members: int) -> Iterator[int]:
    """Yield the rows of the candidates of a set, ascending."""
    while members:
        low = members & -members
        yield low.bit_length() - 1
        members ^= low


def mask_of(rows: Sequence[int]) -> int:
    """Return the set of some candidates."""
    return sum(1 << row for row in set(rows))


def all_sets(rules: SetRules, limit: int = MAX_SETS, within: int = -1) -> list[int] | None:
    """Return every allowed set, the empty one first; None for more than `limit`.

    The candidate of the highest bit varies fastest, so that neighbours differ in little.

    Args:
        rules: which candidates may stand together.
        limit: most sets.
        within: candidates that the sets may have; the needs of others count as met. Default: all.
    """
    found: list[int] = []
    n_ends = 0
    pending = [(0, 0)]
    rows = [row for row in range(rules.n) if within >> row & 1]
    while pending:
        place, members = pending.pop()
        if place == len(rows):
            n_ends += 1
            if all(members & rules.needs[i] == rules.needs[i] & within for i in bits_of(members)):
                found.append(members)
            if len(found) > limit or n_ends > MAX_ENDS_RATIO * limit:
                return None
            continue
        row = rows[place]
        if not members & rules.excludes[row]:
            pending.append((place + 1, members | 1 << row))
        pending.append((place + 1, members))
    return found
