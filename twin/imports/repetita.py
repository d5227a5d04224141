"""Repetita: a graph file with positions, weights, rates and delays by direction, and files of demands beside it.

Source: Gay, Schaus, Vissicchio: REPETITA: Repeatable Experiments for Performance Evaluation of Traffic-Engineering
Algorithms, 2017; bandwidths in kb/s, delays in microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..errors import DocumentError
from ..errors.wording import quoted
from .cabling import Cable, Cabling, Device, End, StatedDemand
from .fields import Fields, origin, plain
from .files import SourceFile, check_count
from .ledger import Ledger
from .opposites import Opposites
from .options import MAX_CAPACITY_GBPS, ImportOptions
from .places import place_at
from .quantities import finite

NODES, EDGES, DEMANDS = "NODES", "EDGES", "DEMANDS"
COLUMNS: dict[str, tuple[str, ...]] = {
    NODES: ("label", "x", "y"),
    EDGES: ("label", "src", "dest", "weight", "bw", "delay"),
    DEMANDS: ("label", "src", "dest", "bw"),
}
"""Columns of each section, in the order of the rows."""
KBPS = "kb/s → Gb/s"
GBPS_OF_KBPS = 1e-6
HINT = "a section starts with NODES, EDGES or DEMANDS and the number of its rows, then a row of headings"
MAX_WEIGHT = 1e9


class Row(NamedTuple):
    """A row of a section."""

    section: str
    position: int
    line: int
    cells: dict[str, str]


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file starts with a section, one of nodes among them."""
    heads = [file.head.split(None, 1)[:1] for file in files]
    return [NODES] in heads and all(head in ([NODES], [DEMANDS]) for head in heads)


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, _options: ImportOptions) -> None:
    """Read the graph, then the demands; demands of several files are all offered at the same time."""
    graphs = [file for file in files if not _starts_with_demands(file)]
    if len(graphs) != 1:
        problem = "several graphs" if graphs else "demands without a graph"
        raise DocumentError(problem, where=files[-1].where, hint="name one .graph file and its .demands files")
    reader = _Reader(cabling, ledger)
    for file in (*graphs, *(file for file in files if file is not graphs[0])):
        reader.read(file)
    reader.finish()
    cabling.name = plain(graphs[0].path.stem)
    demand_files = len(files) - 1
    if demand_files > 1:
        problem = "demands of several files are offered at the same time"
        ledger.finding("several matrices", problem, "import one file of demands", files[-1].name)


def _starts_with_demands(file: SourceFile) -> bool:
    return file.head.split(None, 1)[:1] == [DEMANDS]


def _rows(file: SourceFile) -> Iterator[Row]:
    """Yield the rows of all sections. Raises DocumentError with the line for anything else."""
    section, expected, n = "", 0, 0
    columns: tuple[str, ...] | None = ()
    for number, line in enumerate(file.text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if n == expected and columns is not None and words[0] in COLUMNS and len(words) == 2:
            section, n, columns = words[0], 0, None
            expected = _count(words[1], file, number)
        elif columns is None:
            columns = COLUMNS[section]
            if tuple(words) != columns:
                raise _error(file, number, f"headings {' '.join(words)[:80]!r}", f"headings {' '.join(columns)}")
        elif not section or n == expected:
            raise _error(file, number, f"{line[:60]!r} stands behind the last row", "a section, or the end")
        else:
            label = len(words) - len(columns) + 1
            if label < 1:
                raise _error(file, number, f"{len(words)} values", f"{len(columns)}: {' '.join(columns)}")
            yield Row(section, n, number, dict(zip(columns, (" ".join(words[:label]), *words[label:]), strict=True)))
            n += 1
    if n < expected or columns is None:
        raise DocumentError(f"{section} has {n:,} rows", where=file.where, expected=f"{expected:,} rows",
                            hint="the file may be truncated")  # fmt: skip
    if not section:
        raise DocumentError("has no section", where=file.where, hint=HINT)


def _count(text: str, file: SourceFile, line: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise _error(file, line, f"{quoted(text)} is no number of rows", "a whole number")
    check_count(int(text), f"{file.where}: line {line}")
    return int(text)


def _error(file: SourceFile, line: int, problem: str, expected: str) -> DocumentError:
    return DocumentError(f"line {line}: {problem}", where=file.where, expected=expected, hint=HINT)


def _is_on_globe(x: str, y: str) -> bool:
    longitude, latitude = finite(x), finite(y)
    return longitude is not None and latitude is not None and abs(longitude) <= 180 and abs(latitude) <= 90


class _Reader:
    """Reads the sections of all files into one cabling."""

    def __init__(self, cabling: Cabling, ledger: Ledger) -> None:
        self.cabling, self.ledger = cabling, ledger
        self.opposites = Opposites(cabling, ledger)
        self.file = ""

    def read(self, file: SourceFile) -> None:
        """Read one file."""
        self.file = file.name
        rows = list(_rows(file))
        self._nodes([row for row in rows if row.section == NODES])
        for row in rows:
            if row.section == EDGES:
                self._edge(row)
            elif row.section == DEMANDS:
                self._demand(row)

    def finish(self) -> None:
        """Join the two directions of each link."""
        self.cabling.cables += (cable for cable, _ in self.opposites.links())

    def _nodes(self, rows: Sequence[Row]) -> None:
        """Add the nodes; positions count as degrees only if they differ and all lie on the globe."""
        positions = {(row.cells["x"], row.cells["y"]) for row in rows}
        why = "no position: all nodes have the same one" if len(positions) == 1 else ""
        if not all(_is_on_globe(*position) for position in positions):
            why = "no positions in degrees: some lie beyond the globe"
        for row in rows:
            fields = Fields(row.cells, "nodes", f"line {row.line}", self.ledger)
            key = str(row.position)
            device = Device(key, fields.text("label") or key, source=fields.source(self.file, key))
            if not why:
                longitude, latitude = fields.number("x", -180, 180), fields.number("y", -90, 90)
                if longitude is not None and latitude is not None:
                    device.place = place_at(self.cabling, f"node {key}", device.name, latitude, longitude)
            else:
                for name in ("x", "y"):
                    fields.drop(name, why)
            fields.close()
            self.cabling.devices[key] = device

    def _ends(self, fields: Fields) -> tuple[str, str] | None:
        """Return the numbers of the two nodes; None with a finding where there is no such node."""
        a, b = fields.text("src"), fields.text("dest")
        for end in (a, b):
            if end not in self.cabling.devices:
                problem = "left out: an end is no number of a node"
                self.ledger.finding("unknown end", problem, "number the nodes from 0", f"{fields.place}: {end[:40]}")
                return None
        return a, b

    def _edge(self, row: Row) -> None:
        fields = Fields(row.cells, "links", f"line {row.line}", self.ledger)
        ends = self._ends(fields)
        if ends is None:
            return
        name = fields.text("label")
        cable = Cable(f"line {row.line}", (End(ends[0]), End(ends[1])), name=name)
        cable.capacity_gbps = fields.number("bw", 1e-9, MAX_CAPACITY_GBPS, KBPS, GBPS_OF_KBPS)
        cable.latency_us = fields.number("delay", 0, 1e9, "microseconds → latency_us")
        cable.weight = fields.number("weight", 1e-12, MAX_WEIGHT)
        cable.source = fields.source(self.file, name)
        fields.close()
        self.opposites.add(cable)

    def _demand(self, row: Row) -> None:
        fields = Fields(row.cells, "demands", f"line {row.line}", self.ledger)
        ends = self._ends(fields)
        if ends is None:
            return
        name = fields.text("label")
        offered_gbps = fields.number("bw", 0, 1e9, KBPS, GBPS_OF_KBPS)
        if offered_gbps is not None:
            known = origin(self.file, f"line {row.line}", name)
            self.cabling.demands.append(StatedDemand(name, *ends, offered_gbps, known))
