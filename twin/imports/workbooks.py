"""Excel files as sheets of rows: `.xlsx` by openpyxl, legacy `.xls` by xlrd, within bounds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO
from typing import Any, NamedTuple, NoReturn

from ..errors import DocumentError, did_you_mean
from ..errors.wording import quoted
from .files import SourceFile

EXCEL_ENDINGS = (".xlsx", ".xlsm")
LEGACY_ENDINGS = (".xls",)
ARCHIVE_MARK, LEGACY_MARK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""Size of an Excel file once it is unpacked."""
MAX_LEGACY_BYTES = 64 * 1024 * 1024
MAX_ROWS = 250_000
"""Rows of a sheet of Excel, which take about a minute."""
MAX_COLUMNS = 200
MAX_CELL = 100_000
CONTENT_TYPES = "[Content_Types].xml"
"""Member that every Excel file has, and other archives have not."""
EXTRA_HINT = "pip install 'dc-twin[excel]'"


class Row(NamedTuple):
    """A row of a sheet: its number from 1, and its cells as texts without spaces at their ends."""

    number: int
    cells: list[str]


class NumberText(str):
    """Text of a cell that holds a number: its decimal sign is a point whatever the sheet shows."""

    __slots__ = ()


def is_workbook(file: SourceFile) -> bool:
    """Return whether a file is an Excel file by its ending or its first bytes."""
    start = file.content[:8]
    return file.ending in (*EXCEL_ENDINGS, *LEGACY_ENDINGS) or start == LEGACY_MARK or start[:4] == ARCHIVE_MARK


def has_sheets(file: SourceFile, *names: str) -> bool:
    """Return whether a file is an Excel file with these sheets; it never raises for the content."""
    try:
        return is_workbook(file) and set(names) <= set(book_of(file).names)
    except DocumentError:
        return False


def book_of(file: SourceFile) -> Workbook:
    """Return the workbook of a file or of one of its sheets; it is opened once.

    Raises:
        DocumentError: a missing package, or a file that is no Excel file, unpacks too large or declares entities.
    """
    whole = file.whole
    if whole.book is None:
        whole.book = Workbook(whole)
    book: Workbook = whole.book
    return book


class Workbook:
    """Sheets of an Excel file."""

    def __init__(self, file: SourceFile) -> None:
        """Open a file.

        Raises:
            DocumentError: a missing package, or a file that is no Excel file, unpacks too large or declares entities.
        """
        self.file = file
        self.is_legacy = file.content[:8] == LEGACY_MARK or (
            file.ending in LEGACY_ENDINGS and file.content[:4] != ARCHIVE_MARK
        )
        self._book = _opened(file, _open_legacy if self.is_legacy else _open_archive)
        self.names: tuple[str, ...] = tuple(self._book.sheet_names() if self.is_legacy else self._book.sheetnames)

    def rows(self, name: str | None = None) -> Iterator[Row]:
        """Yield the rows of a sheet; None = the first.

        Raises:
            DocumentError: no sheet of that name, too many rows, or a broken sheet.
        """
        if not self.names or (name is not None and name not in self.names):
            problem = f"no sheet {quoted(name)}" if name else "no sheet"
            hint = did_you_mean(name or "", self.names)
            raise DocumentError(problem, where=self.file.where, expected="one of " + ", ".join(self.names), hint=hint)
        chosen = name or self.names[0]
        cells_of = self._legacy_cells if self.is_legacy else self._archive_cells
        try:
            for number, cells in enumerate(cells_of(chosen), 1):
                if number > MAX_ROWS:
                    hint = "save the sheet as CSV, which is read ten times as fast"
                    raise DocumentError(
                        "too many rows", where=self.file.where, expected=f"at most {MAX_ROWS:,}", hint=hint
                    )
                yield Row(number, [_text(cell) for cell in cells[:MAX_COLUMNS]])
        except DocumentError:
            raise
        except Exception as error:  # both packages raise whatever a broken file leads to
            _refuse(self.file, error)

    def n_rows(self, name: str | None = None) -> int:
        """Return the number of rows of a sheet, as the file states it; 0 if it does not."""
        sheet = None if self.is_legacy or not self.names else self._book[name or self.names[0]]
        return getattr(sheet, "max_row", None) or 0

    def _archive_cells(self, name: str) -> Iterator[Any]:
        for cells in self._book[name].iter_rows(values_only=True, max_col=MAX_COLUMNS):
            n = len(cells)  # openpyxl fills rows up to the last column
            while n and cells[n - 1] is None:
                n -= 1
            yield cells[:n]

    def _legacy_cells(self, name: str) -> Iterator[Any]:
        sheet = self._book.sheet_by_name(name)
        for row in sheet.get_rows():
            yield ["" if cell.ctype == _ERROR_CELL else cell.value for cell in row[:MAX_COLUMNS]]


_ERROR_CELL = 5
"""Type of a cell of xlrd that holds an error such as #DIV/0!."""


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        cell = int(cell)
    if isinstance(cell, float):
        return NumberText(cell)
    return str(cell).strip()[:MAX_CELL]


def _opened(file: SourceFile, opener: Callable[[SourceFile], Any]) -> Any:
    try:
        return opener(file)
    except DocumentError:
        raise
    except ModuleNotFoundError as error:
        problem = f"this Excel file needs the package {error.name}"
        raise DocumentError(problem, where=file.where, hint=EXTRA_HINT) from None
    except Exception as error:
        _refuse(file, error)


def _refuse(file: SourceFile, error: Exception) -> NoReturn:
    raise DocumentError("is no readable Excel file", where=file.where) from error


def _open_archive(file: SourceFile) -> Any:
    from openpyxl import load_workbook

    _check_archive(file)
    return load_workbook(BytesIO(file.content), read_only=True, data_only=True, keep_links=False)


def _open_legacy(file: SourceFile) -> Any:
    import xlrd

    if len(file.content) > MAX_LEGACY_BYTES:
        expected = f"at most {MAX_LEGACY_BYTES:,} bytes, or .xlsx"
        raise DocumentError(f"{len(file.content):,} bytes", where=file.where, expected=expected)
    return xlrd.open_workbook(file_contents=file.content, logfile=StringIO(), ragged_rows=True)


def _check_archive(file: SourceFile) -> None:
    """Refuse archives that grow too large, or whose XML declares entities, before anything unpacks them."""
    with zipfile.ZipFile(BytesIO(file.content)) as archive:
        n_bytes = sum(info.file_size for info in archive.infolist())
        if n_bytes > MAX_UNPACKED_BYTES:
            expected = f"at most {MAX_UNPACKED_BYTES:,} bytes"
            raise DocumentError(f"unpacks to {n_bytes:,} bytes", where=file.where, expected=expected)
        for info in archive.infolist():
            with archive.open(info) as member:
                if b"<!DOCTYPE" in member.read(4096):
                    problem = f"{info.filename[:80]} declares a document type"
                    raise DocumentError(problem, where=file.where, hint="entities are refused")
        if CONTENT_TYPES not in archive.namelist():
            hint = "unpack it; archives in archives are not read"
            raise DocumentError("is an archive and no Excel file", where=file.where, hint=hint)
