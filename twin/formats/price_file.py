"""Price books from files: YAML or JSON in the form of the shipped book, or CSV with one price a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

from ..catalogue.prices import GROUPS, HEADER_KEYS
from ..errors import DocumentError, Issue, did_you_mean
from ..errors.wording import counted, quoted
from . import read_content, read_mapping
from .readers import decode_utf8

COLUMNS = ("price", "item", "value", "low", "high", "unit", "source", "as_of", "status")
NEEDED = ("price", "value")
EXPECTED = f"a header with columns among {', '.join(COLUMNS)}"
TEXT_HEADERS = tuple(key for key in HEADER_KEYS if key not in ("placeholder", "sources", "books"))
MAX_ROWS = 100_000


def read_price_file(path: Path) -> dict[str, Any]:
    """Read a price book as plain data; `load_price_book` checks its entries.

    A CSV file has a row for each price: `part_usd,400ZR,3600`. Rows `name`, `version`, `date` and `currency` describe
    the book, with their text as value.

    Raises:
        DocumentError: the file cannot be read, or bad rows; it lists all of them.
    """
    if path.suffix.lower() != ".csv":
        return {key: _dates_as_text(item) for key, item in read_mapping(path, expected="a mapping of prices").items()}
    return parse_price_csv(decode_utf8(read_content(path), str(path)), str(path))


def _dates_as_text(value: Any) -> Any:
    """Return plain data with the dates of YAML as text; prices stand two levels deep."""
    if isinstance(value, dict):
        return {key: _dates_as_text(item) for key, item in value.items()}
    return value.isoformat() if isinstance(value, date) else value


def parse_price_csv(text: str, where: str) -> dict[str, Any]:
    """Return the prices of a CSV text as plain data; see `read_price_file`."""
    rows = csv.reader(StringIO(text), strict=True)
    book: dict[str, Any] = {}
    faults: list[Issue] = []
    try:
        header = [name.strip() for name in next(rows, [])]
        _check_header(header, where)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            place = f"{where}, line {rows.line_num}"
            if rows.line_num > MAX_ROWS:
                raise DocumentError(f"more than {MAX_ROWS:,} lines", where=where)
            cells = {name: cell.strip() for name, cell in zip(header, row, strict=False) if cell.strip()}
            if len(row) > len(header):
                faults.append(Issue(place, f"{len(row)} cells", f"{len(header)} as in the header"))
            else:
                faults += _add_row(book, cells, place)
    except csv.Error as error:
        raise DocumentError(f"no CSV: {error}", where=f"{where}, line {rows.line_num}") from error
    if faults:
        raise DocumentError(f"{counted(len(faults), 'fault')} in the price book", where=where, found=faults)
    return book


def _check_header(header: list[str], where: str) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        hint = did_you_mean(unknown[0], COLUMNS) or f"known: {', '.join(COLUMNS)}"
        raise DocumentError(f"unknown column {quoted(unknown[0])}", where=where, expected=EXPECTED, hint=hint)
    missing = [name for name in NEEDED if name not in header]
    if missing or len(set(header)) < len(header):
        problem = f"no column {quoted(missing[0])}" if missing else "a column stands twice"
        raise DocumentError(problem, where=where, expected=EXPECTED)


def _add_row(book: dict[str, Any], cells: Mapping[str, str], place: str) -> Iterator[Issue]:
    """Add one row to a book; yield its faults."""
    name, item = cells.get("price", ""), cells.get("item")
    if name in TEXT_HEADERS:
        book[name] = cells.get("value", "")
        return
    figure: dict[str, Any] = {key: cells[key] for key in ("unit", "source", "as_of", "status") if key in cells}
    for key in ("value", "low", "high"):
        try:
            figure |= {key: float(cells[key])} if key in cells else {}
        except ValueError:
            yield Issue(f"{place}, {key}", f"{quoted(cells[key])} is no number", "write 3600 or 3.6e3")
            return
    if "value" not in figure:
        yield Issue(place, "no value", "state a price")
    elif name in GROUPS and item is None:
        yield Issue(place, f"{name} without an item", "name the part")
    elif name not in GROUPS and item is not None:
        hint = did_you_mean(name, GROUPS) or f"prices by item: {', '.join(GROUPS)}"
        yield Issue(place, f"{quoted(name)} has no items", hint)
    elif (name if item is None else item) in (book if item is None else book.get(name, {})):
        yield Issue(place, f"{quoted(item or name)} stands twice", "keep one price")
    elif item is None:
        book[name] = figure
    else:
        book.setdefault(name, {})[item] = figure
