"""Size of a document, foretold from its first records and from the first rows of a large sheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from io import StringIO
from itertools import islice
from typing import NamedTuple

from ..model.records import asdict_compact
from .files import GivenFile, SourceFile
from .workbooks import book_of, is_workbook

N_SAMPLE = 500
"""Records of a list from which the size of a file is estimated."""
N_FIRST_ROWS = 2000
"""Rows from which the size of a document is foretold."""
MIN_ROWS = 50_000
"""Rows below which a sheet is read at once."""
CSV_ENDINGS = (".csv", ".tsv")


class Start(NamedTuple):
    """The first rows of a large sheet."""

    file: SourceFile
    """A file of these rows, with the name of the sheet's."""
    n_taken: int
    n_rows: int
    """Rows of the sheet, by the ends of its lines or as an Excel file states it."""


def start_of(file: SourceFile) -> Start | None:
    """Return the first rows of a large sheet; None for small sheets and other files.

    Raises:
        DocumentError: a file that cannot be read.
    """
    if file.ending in CSV_ENDINGS:
        n_rows = file.content.count(b"\n")
        if n_rows <= MIN_ROWS:
            return None
        lines = file.content.split(b"\n", N_FIRST_ROWS)[:N_FIRST_ROWS]
        return Start(_named(file, b"\n".join(lines)), len(lines), n_rows)
    if not is_workbook(file) or (n_rows := book_of(file).n_rows()) <= MIN_ROWS:
        return None
    text = StringIO()
    rows = islice(book_of(file).rows(), N_FIRST_ROWS)
    csv.writer(text).writerows(row.cells for row in rows)
    return Start(_named(file, text.getvalue().encode()), N_FIRST_ROWS, n_rows)


def _named(file: SourceFile, content: bytes) -> SourceFile:
    return GivenFile(f"{file.path.stem}.csv", content)


def estimated_bytes(*lists: Sequence[object]) -> int:
    """Return the size of records as compact JSON, from a sample of each list."""
    n_bytes = 0.0
    for records in lists:
        sample: Sequence[object] = records[:: max(len(records) // N_SAMPLE, 1)]
        sampled = sum(len(json.dumps(asdict_compact(record), ensure_ascii=False)) for record in sample)
        n_bytes += sampled * len(records) / max(len(sample), 1)
    return int(n_bytes)
