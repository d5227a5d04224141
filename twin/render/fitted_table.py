"""Tables that fit their width: whole columns are dropped, texts fold, a number is never cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


class FittedTable:
    """A table without lines that fits the width of its console.

    Columns that do not fit are dropped, and a line below names them. If the rest does not fit either, each row becomes
    a block of `heading  value` lines.
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
        widths = [self._natural_width(i) for i in range(len(self.columns))]
        least = [
            min(width, max(MIN_FOLDED, min(self._longest_word(i), MAX_UNFOLDED))) if column.folds else width
            for i, (column, width) in enumerate(zip(self.columns, widths, strict=True))
        ]
        shown = list(range(len(self.columns)))
        while self._total(least, shown) > options.max_width:
            droppable = [i for i in shown if self.columns[i].drop]
            if not droppable:
                break
            shown.remove(max(droppable, key=lambda i: (self.columns[i].drop, i)))
        if self.title:
            yield Text.from_markup(self.title)
        if self._total(least, shown) > options.max_width:
            yield from self._blocks()
            return
        yield self._table(shown, self._fit(widths, least, shown, options.max_width))
        dropped = [column.heading.replace("\n", " ").strip() for i, column in enumerate(self.columns) if i not in shown]
        if dropped:
            yield Text(f"No room for: {', '.join(dropped)}. Use a wider terminal or --json.", style="dim")

    def _table(self, shown: Sequence[int], widths: dict[int, int]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_edge=False)
        for i in shown:
            column = self.columns[i]
            table.add_column(
                escape(column.heading), justify=column.justify, style=column.style, width=widths[i], overflow="fold"
            )
        for row in self.rows:
            table.add_row(*(row[i] for i in shown))
        return table

    def _blocks(self) -> Iterator[Text]:
        """Each row as lines of heading and value, for a very narrow console."""
        for row in self.rows:
            for column, cell in zip(self.columns, row, strict=True):
                if cell:
                    yield Text.assemble((f"{column.heading}: ".lstrip(": "), "dim"), Text.from_markup(cell))
            yield Text()

    def _natural_width(self, i: int) -> int:
        texts = [*self.columns[i].heading.splitlines(), *(Text.from_markup(row[i]).plain for row in self.rows)]
        return max((cell_len(line) for text in texts for line in text.splitlines()), default=1) or 1

    def _longest_word(self, i: int) -> int:
        texts = [self.columns[i].heading, *(Text.from_markup(row[i]).plain for row in self.rows)]
        return max((cell_len(word) for text in texts for word in text.split()), default=1)

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
