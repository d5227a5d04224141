"""Rows of sheets: CSV with any of the usual separators, and the first sheet of an Excel file."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from typing import NamedTuple

from ..errors import DocumentError
from ..formats.readers import decode_utf8
from .files import MAX_RECORDS, SourceFile, check_count

SEPARATORS = ",;\t|"
EXCEL_ENDINGS = (".xlsx", ".xlsm")
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""Size of an Excel file once it is unpacked."""
MAX_COLUMNS = 200
MAX_CELL = 100_000
EXTRA_HINT = "pip install 'dc-twin[excel]'"


class Row(NamedTuple):
    """A row of a sheet: its number from 1, and its cells as texts without spaces at their ends."""

    number: int
    cells: list[str]


def rows_of(file: SourceFile) -> Iterator[Row]:
    """Yield the rows of a file, one pass.

    Raises:
        DocumentError: no text, a broken quotation, too many rows, or an Excel file that cannot be read.
    """
    if file.ending in EXCEL_ENDINGS or file.content[:4] == b"PK\x03\x04":
        return _excel_rows(file)
    return _csv_rows(file)


def _csv_rows(file: SourceFile) -> Iterator[Row]:
    text = decode_utf8(file.content, file.where)
    if "\0" in text:
        raise DocumentError("holds a zero byte: it is no CSV", where=file.where)
    lines = text[:4096].splitlines()[:20]
    # the one that most lines hold: texts of some cells may be full of another
    separator = max(SEPARATORS, key=lambda sign: (sum(sign in line for line in lines), "".join(lines).count(sign)))
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


def _excel_rows(file: SourceFile) -> Iterator[Row]:
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError:
        raise DocumentError("Excel files need the package openpyxl", where=file.where, hint=EXTRA_HINT) from None
    _check_archive(file)
    try:
        book = load_workbook(BytesIO(file.content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), 1):
            if number > MAX_RECORDS:
                check_count(number, file.where)
            yield Row(number, ["" if cell is None else str(cell).strip()[:MAX_CELL] for cell in cells])
    except DocumentError:
        raise
    except Exception as error:  # openpyxl raises whatever a broken file leads to
        raise DocumentError(f"is no readable Excel file: {type(error).__name__}", where=file.where) from error


def _check_archive(file: SourceFile) -> None:
    """Refuse archives that grow too large, or whose XML declares entities, before anything unpacks them."""
    try:
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
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise DocumentError(f"is no readable Excel file: {error}", where=file.where) from error
    except Exception as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(f"is no readable Excel file: {type(error).__name__}", where=file.where) from error
