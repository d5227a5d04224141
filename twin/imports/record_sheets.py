"""Sheets of nodes and of demands, which stand beside cabling sheets: one row a record, headings as in documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .cabling import Cabling
from .decimals import DecimalColumn
from .files import SourceFile
from .graph import LATITUDES, LONGITUDES, GraphReader
from .ledger import Ledger
from .options import ImportOptions
from .sheets import leaves_comma_to_decimals, rows_of

NODES, CABLES, DEMANDS = SHEET_KINDS = ("nodes", "cables", "demands")
"""Kinds of sheets, in the order in which they are read: a name with a colon in it is a device if nodes state it."""
NODE_HEADINGS = frozenset({"id", "kind"})
POSITIONS = frozenset({*LATITUDES, *LONGITUDES})
NUMBERS = POSITIONS | {"offered_gbps"}
"""Headings of columns whose numbers may have a decimal comma."""
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
    columns = _number_columns(file, options.decimal)
    for place, record in _records(file):
        for heading in columns.keys() & record.keys():
            record[heading] = columns[heading].rewritten(record[heading], place, ledger)
        if kind == DEMANDS:
            reader.demand(record, place)
        elif "id" in record:
            status = record.pop("status", None)
            record = {"name": record["id"], **record} | ({} if status is None else {"up": status})
            reader.node(record["id"], record, place)
        else:
            ledger.finding("bad value", "a node without an id is left out", "state its id", place)


def _number_columns(file: SourceFile, decimal: str | None) -> dict[str, DecimalColumn]:
    """Return the columns of numbers by heading, after a look at all of their cells."""
    is_decimal = leaves_comma_to_decimals(file)
    columns: dict[str, DecimalColumn] = {}
    for _, record in _records(file):
        for heading in NUMBERS & record.keys():
            if heading not in columns:
                # degrees have no thousands
                columns[heading] = DecimalColumn(heading, decimal, is_decimal or heading in POSITIONS)
            columns[heading].see(record[heading])
    return columns


def _records(file: SourceFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the cells of each row by heading, without empty cells."""
    headings: list[str] | None = None
    for row in rows_of(file):
        if headings is None:
            headings = row.cells if any(row.cells) else None
        elif any(row.cells):
            pairs = zip(headings, row.cells, strict=False)
            yield f"line {row.number}", {heading: cell for heading, cell in pairs if cell and heading}
