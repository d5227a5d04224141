"""Sort rows of a table by a column, the worst first, and keep the first ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..errors import ChangeError, did_you_mean
from ..units import SUFFIXES

RowT = TypeVar("RowT")
MAX_TOP = 2_000_000
SHOWN_AS_USED = "used"
"""Head of the column of utilisation in tables."""


class Ranking:
    """The column to sort by, and how many rows to keep.

    A column may be named without its unit: `utilisation` is `utilisation_ratio`.
    """

    def __init__(self, columns: Sequence[str], lowest_first: frozenset[str], sort: str | None, top: int | None) -> None:
        """Check the column and the number of rows.

        Args:
            columns: columns of numbers.
            lowest_first: columns of which a low value is worse.
            sort: the column; None keeps the order.
            top: most rows; None keeps all.

        Raises:
            ChangeError: unknown column, or a number out of bounds.
        """
        if top is not None and (isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= MAX_TOP):
            raise ChangeError(f"top {top}", where="top", expected=f"a whole number from 1 to {MAX_TOP:,}")
        self.top = top
        self.column = None if sort is None else _column_named(columns, sort)
        self._sign = 1.0 if self.column in lowest_first else -1.0

    def ranked(self, rows: Sequence[RowT], value: Callable[[RowT, str], float | None]) -> Sequence[RowT]:
        """Return the rows in order, at most `top` of them; rows without a value come last, equal ones keep their order.

        Args:
            rows: the rows.
            value: function of row and column.
        """
        if self.column is not None:
            column, sign = self.column, self._sign

            def key(row: RowT) -> tuple[bool, float]:
                found = value(row, column)
                return found is None, 0.0 if found is None else sign * found

            rows = sorted(rows, key=key)
        return rows[: self.top]


def _column_named(columns: Sequence[str], name: str) -> str:
    wanted = str(name).replace("-", "_").replace("utilization", "utilisation")
    if wanted in columns:
        return wanted
    short = {column.rpartition("_")[0]: column for column in columns if column.rpartition("_")[2] in SUFFIXES}
    if wanted in short:
        return short[wanted]
    hint = did_you_mean(wanted, [*columns, *short])
    if wanted == SHOWN_AS_USED and "utilisation" in short:
        hint = "did you mean 'utilisation'?"
    raise ChangeError(
        f"no column {name!r} to sort by", where="sort", expected=f"one of {', '.join(columns)}", hint=hint
    )
