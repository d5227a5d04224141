"""Sheets of nodes and of demands, which stand beside cabling sheets: one row a record, headings as in documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .cabling import Cabling
from .files import SourceFile
from .graph import GraphReader
from .ledger import Ledger
from .options import ImportOptions
from .sheets import rows_of

NODES, CABLES, DEMANDS = SHEET_KINDS = ("nodes", "cables", "demands")
"""Kinds of sheets, in the order in which they are read: a name with a colon in it is a device if nodes state it."""
NODE_HEADINGS = frozenset({"id", "kind"})
DEMAND_HEADINGS = frozenset({"source", "target", "offered_gbps"})


def sheet_kind(file: SourceFile) -> str:
    """Return the kind of a sheet by the headings of its first row; a cabling sheet unless they say otherwise."""
    for row in rows_of(file):
        if any(row.cells):
            headings = set(row.cells)
            return NODES if headings >= NODE_HEADINGS else DEMANDS if headings >= DEMAND_HEADINGS else CABLES
    return CABLES


def read_records(file: SourceFile, kind: str, cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read the rows of a sheet of nodes or of demands."""
    reader = GraphReader(file.name, cabling, ledger, options, directed=False)
    for place, record in _records(file):
        if kind == DEMANDS:
            reader.demand(record, place)
        elif "id" in record:
            status = record.pop("status", None)
            record = {"name": record["id"], **record} | ({} if status is None else {"up": status})
            reader.node(record["id"], record, place)
        else:
            ledger.finding("bad value", "a node without an id is left out", "state its id", place)


def _records(file: SourceFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the cells of each row by heading, without empty cells."""
    headings: list[str] | None = None
    for row in rows_of(file):
        if headings is None:
            headings = row.cells if any(row.cells) else None
        elif any(row.cells):
            pairs = zip(headings, row.cells, strict=False)
            yield f"line {row.number}", {heading: cell for heading, cell in pairs if cell and heading}
