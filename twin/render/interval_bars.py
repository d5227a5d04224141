"""Intervals and tornados as bars of characters for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

N_CELLS = 24
"""Width of a bar in characters."""
SHORT_BAR = 15
"""Width of a bar in a table with many columns."""


def interval_bar(low: float, mid: float, high: float, span: tuple[float, float]) -> str:
    """Return a line from low to high with a mark at mid, on an axis that covers a span."""
    start, end = span
    if end <= start:
        return "┃".center(N_CELLS)
    at = [min(int((value - start) / (end - start) * N_CELLS), N_CELLS - 1) for value in (low, mid, high)]
    cells = [" "] * N_CELLS
    for cell in range(at[0], at[2] + 1):
        cells[cell] = "─"
    cells[at[1]] = "┃"
    return "".join(cells)


def tornado_bar(
    at_low: float, at_value: float, at_high: float, span: tuple[float, float], n_cells: int = N_CELLS
) -> str:
    """Return a bar between the values at both ends of an input; `░` to the low end, `█` to the high end."""
    start, end = span
    if end <= start:
        return "┃".center(n_cells)

    def cell(value: float) -> int:
        return min(max(int((value - start) / (end - start) * n_cells), 0), n_cells - 1)

    cells, middle = [" "] * n_cells, cell(at_value)
    for value, sign in ((at_low, "░"), (at_high, "█")):
        for i in range(min(middle, cell(value)), max(middle, cell(value)) + 1):
            cells[i] = sign
    cells[middle] = "┃"
    return "".join(cells)


def span_of(values: Sequence[float | None]) -> tuple[float, float]:
    """Return the least and the greatest of values; (0, 0) of none."""
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else (0.0, 0.0)
