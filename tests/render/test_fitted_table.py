"""Tables that fit: columns are dropped in their order, texts fold, numbers stay whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.render.fitted_table import Column, FittedTable
from twin.render.plain_text import plain_text

COLUMNS = (
    Column("plan", folds=True),
    Column("step\ns", "right"),
    Column("exposed\ns", "right", drop=1),
    Column("cost\n$/year", "right", drop=2),
)
ROWS = [("as it is, with a long explanation", "5.915", "3.335", "100,600,000"), ("b", "3.261", "0.6813", "99")]


def test_a_wide_table_shows_all_columns() -> None:
    text = plain_text(FittedTable(COLUMNS, ROWS), 80)
    assert "100,600,000" in text
    assert "No room" not in text


def test_columns_are_dropped_in_their_order_and_named() -> None:
    assert "No room for: cost $/year." in plain_text(FittedTable(COLUMNS, ROWS), 36)
    narrow = plain_text(FittedTable(COLUMNS, ROWS), 24)
    assert "exposed s, cost $/year" in " ".join(narrow.split())
    assert "5.915" in narrow


def test_a_table_without_room_becomes_blocks() -> None:
    columns = (Column("a", "right"), Column("b", "right"))
    text = plain_text(FittedTable(columns, [("1234567890", "9876543210")]), 14)
    assert text.splitlines() == ["a: 1234567890", "b: 9876543210"]


def test_headings_of_blocks_are_one_line() -> None:
    text = plain_text(FittedTable((Column("no path\nGb/s", "right"), Column("b")), [("12345678", "87654321")]), 14)
    assert "no path Gb/s:" in text


def test_ids_fold_after_their_signs_before_rows_become_blocks() -> None:
    columns = (Column("link", folds=True), Column("use", "right"), Column("after", folds=True), Column("how", drop=1))
    rows = [("de/Braunschweig~de/Magdeburg", "110 %", "[b]de/Magdeburg~de/Schwerin[/]", "once in 3 years")]
    assert [line.rstrip() for line in plain_text(FittedTable(columns, rows), 41).splitlines()] == [
        "link                use  after",
        "de/Braunschweig~  110 %  de/Magdeburg~",
        "de/Magdeburg             de/Schwerin",
        "No room for: how. Use a wider terminal or",
        "--json.",
    ]


def test_an_empty_column_is_dropped_first_and_not_named() -> None:
    columns = (Column("link"), Column("sites cut off", drop=1), Column("repair", "right", drop=2))
    text = plain_text(FittedTable(columns, [("a~b", "", "4 h")]), 14)
    assert text.splitlines() == ["link  repair", "a~b      4 h"]


def test_texts_fold_before_numbers_are_touched() -> None:
    text = plain_text(FittedTable(COLUMNS[:2], ROWS), 22)
    assert "explanation" in text
    assert max(map(len, text.splitlines())) <= 22


@given(
    st.lists(
        st.tuples(st.text("ab -", min_size=1, max_size=40), st.integers(0, 10**9), st.integers(0, 10**6)),
        min_size=1,
        max_size=5,
    ),
    st.integers(24, 100),
)
def test_no_number_is_ever_cut(rows: list[tuple[str, int, int]], width: int) -> None:
    columns = (Column("name", folds=True), Column("x", "right"), Column("y", "right", drop=1))
    text = plain_text(FittedTable(columns, [(name, f"{x:,}", f"{y:,}") for name, x, y in rows]), width)
    assert max(map(len, text.splitlines())) <= width
    shown = set(re.findall(r"[\d,]+", text.partition("No room")[0]))
    stated = {f"{x:,}" for _, x, _ in rows} | {f"{y:,}" for _, _, y in rows}
    assert shown <= stated
    assert {f"{x:,}" for _, x, _ in rows} <= shown


@pytest.mark.parametrize("width", [40, 80])
def test_markup_in_cells_is_read_and_not_counted(width: int) -> None:
    table = FittedTable((Column("metric"), Column("change", "right")), [("step", "[green]−43 %[/]")])
    assert plain_text(table, width).splitlines()[1] == "step     −43 %"
