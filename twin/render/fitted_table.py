"""Tables that fit their width: whole columns are dropped, texts fold, a number is never cut."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.table import Table
from rich.text import Text

GAP = 2
"""Columns between cells."""
MIN_FOLDED = 12
"""Least width of a column whose text folds."""
MAX_UNFOLDED = 34
"""Longer words, such as ids, may be folded inside."""
ID_BREAKS = ("", "~", "~/-.:|")
"""Signs after which an id may be folded, in the order in which a table that does not fit tries them."""


@dataclass(frozen=True)
class Column:
    """A column of a fitted table."""

    heading: str
    justify: Literal["left", "right"] = "left"
    drop: int = 0
    """Columns with the highest value are dropped first; 0 is never dropped."""
    folds: bool = False
    """Whether its text may be folded at spaces."""
    style: str = ""
    is_drawing: bool = False
    """Cells of signs that draw bars, for a terminal only."""


def two_lines(name: str, width: int = 16) -> str:
    """Return a name of several words, split at the underscore nearest its middle where it is longer than a width."""
    places = [i + 1 for i, sign in enumerate(name) if sign == "_"]
    if len(name) <= width or not places:
        return name
    middle = min(places, key=lambda i: abs(i - len(name) / 2))
    return f"{name[:middle]}\n{name[middle:]}"


def folded_ids(cell: Text, width: int) -> Text:
    """Return a cell with line breaks in words that are too wide: after `~` where that fits, else after other signs."""
    breaks = []
    for match in re.finditer(r"\S+", cell.plain):
        start, word = match.start(), match.group()
        while cell_len(word) > width:
            n = next((n for signs in ID_BREAKS[1:] if (n := _n_that_fit(word, signs, width))), 0)
            if not n:
                break
            start, word = start + n, word[n:]
            breaks.append(start)
    return Text("\n").join(cell.divide(breaks)) if breaks else cell


def _n_that_fit(word: str, breaks: str, width: int) -> int:
    """Return the length of the longest start of a word that fits a width and ends with one of some signs; 0 if none."""
    ends = list(accumulate(map(len, _pieces(word, breaks))))
    return max((end for end in ends[:-1] if cell_len(word[:end]) <= width), default=0)


def _pieces(word: str, breaks: str) -> list[str]:
    """Return the parts of a word, which ends after each of some signs."""
    return re.split(f"(?<=[{re.escape(breaks)}])", word) if breaks else [word]


def _one_line(heading: str) -> str:
    return heading.replace("\n", " ").strip()


class FittedTable:
    """A table without lines that fits the width of its console.

    Columns that do not fit are dropped, empty ones first, and a line below names the others. If the rest does not fit
    either, ids fold after the signs of `ID_BREAKS`. If that is not enough, each row becomes a block of `heading: value`
    lines.
    """

    def __init__(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """Create a table.

        Args:
            columns: the columns, from left to right.
            rows: the cells of each row as plain text, or as rich markup in brackets that `rich.markup` reads.
            title: title above the table, rich markup.
        """
        self.columns, self.rows, self.title = columns, rows, title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the columns that fit."""
        if self.title:
            yield Text.from_markup(self.title)
        widths = [self._natural_width(i) for i in range(len(self.columns))]
        for breaks in ID_BREAKS:
            least = self._least_widths(widths, breaks)
            shown = self._shown(least, options.max_width)
            if self._total(least, shown) <= options.max_width:
                break
        else:
            yield from self._blocks()
            return
        yield self._table(shown, self._fit(widths, least, shown, options.max_width))
        missing = [i for i in range(len(self.columns)) if i not in shown and not self._is_empty(i)]
        dropped = dict.fromkeys(_one_line(self.columns[i].heading) for i in missing)
        if dropped:
            yield Text(f"No room for: {', '.join(dropped)}. Use a wider terminal or --json.", style="dim")

    def _least_widths(self, widths: Sequence[int], breaks: str) -> list[int]:
        """Return the least width of each column if its ids may fold after some signs."""
        return [
            min(width, max(MIN_FOLDED, min(self._longest_word(i, breaks), MAX_UNFOLDED))) if column.folds else width
            for i, (column, width) in enumerate(zip(self.columns, widths, strict=True))
        ]

    def _shown(self, least: Sequence[int], room: int) -> list[int]:
        """Return the columns that are left once those that do not fit are dropped."""
        shown = list(range(len(self.columns)))
        while self._total(least, shown) > room:
            droppable = [i for i in shown if self.columns[i].drop]
            if not droppable:
                break
            shown.remove(max(droppable, key=lambda i: (self._is_empty(i), self.columns[i].drop, i)))
        return shown

    def _is_empty(self, i: int) -> bool:
        return not any(row[i] for row in self.rows)

    def _table(self, shown: Sequence[int], widths: dict[int, int]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_edge=False)
        for i in shown:
            column = self.columns[i]
            table.add_column(
                escape(column.heading), justify=column.justify, style=column.style, width=widths[i], overflow="fold"
            )
        for row in self.rows:
            cells = (Text.from_markup(row[i]) for i in shown)
            table.add_row(*(folded_ids(cell, widths[i]) for i, cell in zip(shown, cells, strict=True)))
        return table

    def _blocks(self) -> Iterator[Text]:
        """Each row as lines of heading and value, for a very narrow console."""
        for row in self.rows:
            for column, cell in zip(self.columns, row, strict=True):
                if cell:
                    yield Text.assemble((f"{_one_line(column.heading)}: ".lstrip(": "), "dim"), Text.from_markup(cell))
            yield Text()

    def _natural_width(self, i: int) -> int:
        texts = [*self.columns[i].heading.splitlines(), *(Text.from_markup(row[i]).plain for row in self.rows)]
        return max((cell_len(line) for text in texts for line in text.splitlines()), default=1) or 1

    def _longest_word(self, i: int, breaks: str) -> int:
        texts = [self.columns[i].heading, *(Text.from_markup(row[i]).plain for row in self.rows)]
        words = (piece for text in texts for word in text.split() for piece in _pieces(word, breaks))
        return max(map(cell_len, words), default=1)

    def _total(self, widths: Sequence[int], shown: Sequence[int]) -> int:
        return sum(widths[i] for i in shown) + GAP * max(len(shown) - 1, 0)

    def _fit(self, widths: Sequence[int], least: Sequence[int], shown: Sequence[int], room: int) -> dict[int, int]:
        """Widths of the shown columns: texts fold, the widest first, until all fit."""
        fitted = {i: widths[i] for i in shown}
        while sum(fitted.values()) + GAP * max(len(shown) - 1, 0) > room:
            foldable = [i for i in shown if fitted[i] > least[i]]
            widest = max(foldable, key=lambda i: (fitted[i], i))
            fitted[widest] -= 1
        return fitted
