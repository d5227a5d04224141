"""Traffic matrices as CSV text: square with names on both sides, or one row for each demand."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

import numpy as np

from ..arrays import Floats, Ints
from ..errors import DocumentError, Issue, did_you_mean
from ..errors.wording import counted, quoted, value_text
from .traffic_params import LEAST_GBPS

SEPARATORS = ",;\t"
LONG_HEADER = ("source", "target", "gbps")
SYNONYMS = (
    ("source", "src", "from", "sender", "origin"),
    ("target", "dst", "dest", "destination", "to", "receiver"),
)
"""Words that other tools have for the first two columns of LONG_HEADER."""
MAX_ISSUES = 1000
MAX_HINTS = 20
"""Unknown names that get similar names as a hint; the search is slow."""
FORMS = "a header with node ids and a row for each, or a header source,target,gbps"


@dataclass(frozen=True, eq=False)
class MatrixEntries:
    """Entries of a matrix above 0, by source and target."""

    source: Ints
    target: Ints
    gbps: Floats


class _Reader:
    """Reads the cells of one text and collects their faults."""

    def __init__(self, where: str, index: Mapping[str, int], max_entries: int) -> None:
        self.issues: list[Issue] = []
        self.entries: list[tuple[int, int, float]] = []
        self._where, self._index, self._max_entries = where, index, max_entries
        self._n_hints = 0

    def fault(self, place: str, problem: str, hint: str = "") -> None:
        """Keep a fault; stop at MAX_ISSUES of them."""
        self.issues.append(Issue(f"{self._where}, {place}", problem, hint))
        if len(self.issues) >= MAX_ISSUES:
            self.stop()

    def stop(self) -> None:
        """Raise DocumentError with the faults so far, if there are any."""
        if self.issues:
            problem = f"{counted(len(self.issues), 'fault')} in the matrix"
            raise DocumentError(problem, where=self._where, found=self.issues)

    def node(self, place: str, name: str) -> int | None:
        """Return the row of a node; keep a fault for an unknown name."""
        row = self._index.get(name)
        if row is None:
            self._n_hints += 1
            hint = did_you_mean(name, self._index) if self._n_hints <= MAX_HINTS else ""
            self.fault(place, f"no node {quoted(name)}", hint)
        return row

    def amount(self, place: str, text: str) -> float:
        """Return an entry in Gb/s; keep a fault for text, a negative or an endless number."""
        try:
            value = float(text) if text else 0.0
        except ValueError:
            if re.fullmatch(r"\d+,\d+", text):
                point = text.replace(",", ".")
                self.fault(place, f"{value_text(text)} has a decimal comma", f"write {point}, without a comma")
                return 0.0
            self.fault(place, f"{value_text(text)} is no number", "an entry is a number of Gb/s, such as 12.5")
            return 0.0
        if not math.isfinite(value) or value < 0 or value > 1e9:
            self.fault(place, f"{text} Gb/s", "an entry is from 0 to 1e9 Gb/s")
            return 0.0
        if 0.0 < value < LEAST_GBPS:
            self.fault(place, f"{text} Gb/s", f"an entry is 0 or at least {LEAST_GBPS:g} Gb/s")
            return 0.0
        return value

    def add(self, source: int | None, target: int | None, gbps: float) -> None:
        """Keep an entry above 0 between two nodes. Raises DocumentError for too many entries."""
        if source is not None and target is not None and source != target and gbps > 0.0:
            self.entries.append((source, target, gbps))
            if len(self.entries) > self._max_entries:
                raise DocumentError(
                    f"more than {self._max_entries:,} entries above 0",
                    where=self._where,
                    expected=f"at most {self._max_entries:,} demands",
                    hint="leave out small entries",
                )


def read_matrix(text: str, where: str, index: Mapping[str, int], max_entries: int) -> MatrixEntries:
    """Read a traffic matrix.

    Args:
        text: CSV text, square or long.
        where: place of the text, for messages.
        index: row of each node id.
        max_entries: most entries above 0.

    Raises:
        DocumentError: unknown names, negative entries, missing or repeated rows and columns; all of them.
    """
    reader = _Reader(where, index, max_entries)
    try:
        rows = list(_rows(text))
    except csv.Error as error:
        raise DocumentError(f"is no CSV: {error}", where=where, expected=FORMS) from error
    rows = [(line, row) for line, row in rows if any(row)]
    if len(rows) < 2:
        raise DocumentError("has no rows below its header", where=where, expected=FORMS)
    header = rows[0][1]
    if sorted(cell.lower() for cell in header) == sorted(LONG_HEADER):
        _read_long(reader, [cell.lower() for cell in header], rows[1:])
    elif _looks_long(header, index):
        problem = f"the header {','.join(header)} names no demands"
        reader.fault(f"line {rows[0][0]}", problem, "a header source,target,gbps, with rates in Gb/s")
    else:
        _read_square(reader, header, rows[1:], rows[0][0])
    reader.stop()
    entries = sorted(reader.entries)
    return MatrixEntries(
        np.array([entry[0] for entry in entries], dtype=np.int64),
        np.array([entry[1] for entry in entries], dtype=np.int64),
        np.array([entry[2] for entry in entries], dtype=np.float64),
    )


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of its first line, cells) of each row. Raises csv.Error."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    header = next((line for line in text.split("\n") if line.strip()), "")
    # of as many the first; what is quoted separates nothing
    separator = max(SEPARATORS, key=re.sub('"[^"]*"', "", header).count)
    reader, line = csv.reader(StringIO(text), delimiter=separator, skipinitialspace=True), 1
    for row in reader:
        yield line, [cell.strip() for cell in row]
        line = reader.line_num + 1


def _looks_long(header: Sequence[str], index: Mapping[str, int]) -> bool:
    """Whether a header is meant as LONG_HEADER: three columns, of which two are called like source and target."""
    words = [cell.lower() for cell in header]
    named = [any(word in names for word in words) for names in SYNONYMS]
    return len(header) == len(LONG_HEADER) and all(named) and not any(cell in index for cell in header)


def _read_long(reader: _Reader, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> None:
    at = [header.index(name) for name in LONG_HEADER]
    first_line: dict[tuple[str, str], int] = {}
    for line, row in rows:
        if len(row) != len(header):
            reader.fault(f"line {line}", f"{counted(len(row), 'cell')} below a header of {len(header)}")
            continue
        source, target, amount = (row[i] for i in at)
        if (source, target) in first_line:
            problem = f"{quoted(source)} to {quoted(target)} stands in line {first_line[source, target]} too"
            reader.fault(f"line {line}", problem, "add both up")
        first_line.setdefault((source, target), line)
        reader.add(
            reader.node(f"line {line}, column source", source),
            reader.node(f"line {line}, column target", target),
            reader.amount(f"line {line}, column gbps", amount),
        )


def _read_square(
    reader: _Reader, header: Sequence[str], rows: Sequence[tuple[int, list[str]]], header_line: int
) -> None:
    names = header[1:]
    targets = [reader.node(f"line {header_line}, column {i + 2}", name) for i, name in enumerate(names)]
    row_names = [row[0] for _, row in rows]
    for place, problem, hint in _shape_faults(names, rows, header_line):
        reader.fault(place, problem, hint)
    for (line, row), name in zip(rows, row_names, strict=True):
        source = reader.node(f"line {line}, column 1", name)
        for target, target_name, cell in zip(targets, names, row[1:], strict=False):
            reader.add(source, target, reader.amount(f"line {line}, column {target_name}", cell))


def _shape_faults(
    names: Sequence[str], rows: Sequence[tuple[int, list[str]]], header_line: int
) -> Iterator[tuple[str, str, str]]:
    """Yield (place, problem, hint) of repeated and missing names, and of rows of another length."""
    row_names = [row[0] for _, row in rows]
    for name, n in Counter(names).items():
        if n > 1:
            yield f"line {header_line}", f"column {quoted(name)} stands {n} times", "give each node one column"
    for name, n in Counter(row_names).items():
        if n > 1:
            line = next(line for line, row in rows if row[0] == name)
            yield f"line {line}", f"row {quoted(name)} stands {n} times", "give each node one row"
    hint = "a matrix has a row and a column for each node, or a header source,target,gbps"
    for name in sorted(set(names) - set(row_names)):
        yield f"line {header_line}", f"column {quoted(name)} has no row", hint
    for line, row in rows:
        if row[0] not in names:
            yield f"line {line}", f"row {quoted(row[0])} has no column", hint
        if len(row) != len(names) + 1:
            yield f"line {line}", f"{counted(len(row), 'cell')} below a header of {len(names) + 1}", hint
