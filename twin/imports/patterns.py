"""Regular expressions of users, refused if a match could take very long: Python's engine cannot be interrupted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import comb, prod
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from .. import deadline
from ..errors import DocumentError
from ..errors.wording import quoted

MAX_PATTERN = 1000
"""Most characters of a pattern."""
MAX_OPEN_ENDED = 3
"""Quantifiers without a bound in one pattern: more of them may take very long."""
MAX_REPEATS = 8
"""Most repetitions of a group that has choices itself."""
MAX_WAYS = 10_000
"""Most combinations of the choices in a pattern, quantifiers without a bound left out."""
MAX_STEPS = 1_000_000
"""Most steps of one comparison, about 10 ms."""
NESTED = "nests quantifiers"
REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


class _Cost(NamedTuple):
    """Bound of the work of a pattern: at most n_ways x length^n_open steps from one start."""

    n_ways: int = 1
    n_open: int = 0


class _RefusedError(Exception):
    """Raised for a pattern without a small bound, with the problem and a hint."""


@dataclass(frozen=True, slots=True)
class BoundedPattern:
    """A regular expression whose comparisons take a bounded time."""

    text: str
    where: str
    """Place of the pattern, for messages."""
    pattern: re.Pattern[str]
    n_ways: int
    n_open: int
    is_anchored: bool
    """True if a match starts at the start of a text only."""

    def match(self, text: str) -> re.Match[str] | None:
        """Return the match at the start of a text. Raises DocumentError if the text is too long for the pattern."""
        self._check(text, self.n_open)
        return self.pattern.match(text)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match in a text. Raises DocumentError if the text is too long for the pattern."""
        self._check(text, self.n_open + (not self.is_anchored))
        return self.pattern.search(text)

    def _check(self, text: str, n_open: int) -> None:
        deadline.check()  # each comparison is bounded, and so are all of them together
        if self.n_ways * comb(len(text) + n_open, n_open) > MAX_STEPS:
            raise DocumentError(
                f"pattern {quoted(self.text)} takes too long for a text of {len(text):,} characters",
                where=self.where,
                expected=f"at most {MAX_STEPS:,} steps",
                hint="start it with ^, and use fewer `*` and `+`",
            )


def bounded_pattern(text: str, where: str, flags: int = 0) -> BoundedPattern:
    """Compile a regular expression of a user.

    Args:
        text: the regular expression.
        where: its place, for messages.
        flags: flags of `re`.

    Raises:
        DocumentError: no regular expression, or one whose comparisons could take very long.
    """
    if len(text) > MAX_PATTERN:
        expected = f"at most {MAX_PATTERN:,} characters"
        raise DocumentError(f"pattern of {len(text):,} characters", where=where, expected=expected)
    try:
        pattern = re.compile(text, flags)
        tree = parser.parse(text, flags)
        cost = _of_sequence(tree)
        if cost.n_open > MAX_OPEN_ENDED or cost.n_ways > MAX_WAYS:
            raise _RefusedError("has too many quantifiers", f"use at most {MAX_OPEN_ENDED} of `*` and `+`")
    except _RefusedError as refusal:
        problem, hint = refusal.args
        raise DocumentError(f"pattern {quoted(text)} {problem}", where=where, hint=hint) from None
    except (re.error, OverflowError, RecursionError) as error:
        raise DocumentError(f"{quoted(text)} is no regular expression: {error}", where=where) from error
    is_anchored = bool(tree.data) and str(tree.data[0][1]) == "AT_BEGINNING" and not pattern.flags & re.MULTILINE
    return BoundedPattern(text, where, pattern, cost.n_ways, cost.n_open, is_anchored)


def _of_sequence(items: Iterable[tuple[Any, Any]]) -> _Cost:
    costs = [_of_item(str(name), value) for name, value in items]
    return _Cost(prod(cost.n_ways for cost in costs), sum(cost.n_open for cost in costs))


def _of_item(name: str, value: Any) -> _Cost:
    if name in REPEATS:
        least, most, repeated = value
        if least > 1 and repeated.getwidth()[0] == 0:
            raise _RefusedError("repeats what may be empty", "repeat a group that has a character in it")
        return _of_repeat(int(least), int(most), _of_sequence(repeated))
    if name == "BRANCH":
        costs = [_of_sequence(branch) for branch in value[1]]
        return _Cost(sum(cost.n_ways for cost in costs), max(cost.n_open for cost in costs))
    if name in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
        return _of_sequence(value[-1])
    if name == "ATOMIC_GROUP":
        return _of_sequence(value)
    if name.startswith("GROUPREF"):
        raise _RefusedError("refers back to a group", "write the text of the group again")
    return _Cost()


def _of_repeat(least: int, most: int, repeated: _Cost) -> _Cost:
    if repeated == _Cost():
        n_choices = most - least + 1
        return _Cost(n_choices) if n_choices <= MAX_REPEATS else _Cost(1, 1)
    if most <= 1:
        return _Cost(repeated.n_ways + 1 - least, repeated.n_open)
    if most > MAX_REPEATS:
        raise _RefusedError(NESTED, "repeat a group without choices, for instance [ab]+ for (a+)+ or (a|b)+")
    return _Cost(repeated.n_ways**most * (most - least + 1), repeated.n_open * most)
