"""Rows of sheets: CSV with any of the usual separators, and the first sheet of an Excel file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper

from ..errors import DocumentError
from ..formats.readers import decode_utf8
from .files import MAX_RECORDS, SourceFile, check_count
from .workbooks import MAX_CELL, MAX_COLUMNS, Row, book_of, is_workbook

SEPARATORS = ",;\t|"
MAX_SHEETS = 50
"""Sheets of a workbook."""
MAX_KEPT_CELLS = 5_000_000
"""Cells of a sheet of Excel that are kept for another pass; it takes ten times as long to read as CSV."""


def rows_of(file: SourceFile) -> Iterator[Row]:
    """Yield the rows of a file, one pass.

    Raises:
        DocumentError: no text, a broken quotation, too many rows, or an Excel file that cannot be read.
    """
    return book_of(file).rows(file.sheet) if is_workbook(file) else _csv_rows(file)


class Passes:
    """Rows of a sheet, several times; those of Excel are kept, unless they are too many."""

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self._kept: list[Row] | None = None

    def first(self) -> Iterator[Row]:
        """Yield the rows of the first pass."""
        kept: list[Row] = []
        n_cells = 0 if is_workbook(self._file) else MAX_KEPT_CELLS
        for row in rows_of(self._file):
            if n_cells < MAX_KEPT_CELLS:
                n_cells += len(row.cells)
                kept.append(row)
            yield row
        self._kept = kept if n_cells < MAX_KEPT_CELLS else None

    def again(self) -> Iterator[Row]:
        """Yield the rows of another pass, after the first has come to its end."""
        return rows_of(self._file) if self._kept is None else iter(self._kept)


class SheetFile(SourceFile):
    """A sheet of a workbook as a file of its own."""

    def __init__(self, file: SourceFile, sheet: str) -> None:
        super().__init__(file.path)
        self._file, self.sheet = file, sheet
        self.where, self.name = f"{file.where} [{sheet}]", f"{file.name} [{sheet}]"

    @property
    def whole(self) -> SourceFile:
        """The workbook."""
        return self._file

    @property
    def content(self) -> bytes:
        """Content of the workbook, which is read once."""
        return self._file.content


def sheets_of(file: SourceFile) -> Iterator[SourceFile]:
    """Yield the file, and the sheets behind the first one of a workbook.

    Raises:
        DocumentError: too many sheets, or a workbook that cannot be read.
    """
    yield file
    names = book_of(file).names if is_workbook(file) else ()
    if len(names) > MAX_SHEETS:
        raise DocumentError(f"{len(names)} sheets", where=file.where, expected=f"at most {MAX_SHEETS}")
    yield from (SheetFile(file, name) for name in names[1:])


def leaves_comma_to_decimals(file: SourceFile) -> bool:
    """Return whether the cells of a CSV file stand between semicolons, as where the comma is the decimal sign."""
    return not is_workbook(file) and _separator(file.head) == ";"


def _separator(text: str) -> str:
    lines = text[:4096].splitlines()[:20]
    # the one that most lines hold: texts of some cells may be full of another
    return max(SEPARATORS, key=lambda sign: (sum(sign in line for line in lines), "".join(lines).count(sign)))


def _csv_rows(file: SourceFile) -> Iterator[Row]:
    text = decode_utf8(file.content, file.where)
    if "\0" in text:
        raise DocumentError("holds a zero byte: it is no CSV", where=file.where)
    separator = _separator(text)
    del text
    lines_of = TextIOWrapper(BytesIO(file.content), "utf-8", newline="")  # StringIO holds four bytes for each character
    reader = csv.reader(lines_of, delimiter=separator, strict=True)
    try:
        for n, cells in enumerate(reader):
            if n > MAX_RECORDS:
                check_count(n, file.where)
            yield Row(reader.line_num, [cell.strip()[:MAX_CELL] for cell in cells[:MAX_COLUMNS]])
    except csv.Error as error:
        hint = "check the quotation marks"
        raise DocumentError(f"line {reader.line_num}: {error}", where=file.where, hint=hint) from error
