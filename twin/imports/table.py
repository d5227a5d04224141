"""Cabling sheets as CSV or Excel: one row for each cable; beside them sheets of nodes and of demands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ..errors import DocumentError, did_you_mean
from ..errors.wording import counted, quoted
from .cabling import Cable, Cabling, Device, End
from .decimals import DecimalColumn, report_mixed
from .directions import with_reverse
from .fields import NO_EFFECT, Fields
from .files import SourceFile
from .gnpy_services import is_service_book
from .ledger import Ledger
from .media import read_medium
from .options import MAX_CAPACITY_GBPS, ImportOptions
from .places import place_at
from .quantities import bundle_of, finite, length_km, unit_in_header
from .record_sheets import CABLES, NODES, SHEET_KINDS, read_records, sheet_kind
from .sheets import Passes, leaves_comma_to_decimals, sheets_of
from .workbooks import Row, has_sheets

FIELDS: dict[str, tuple[str, ...]] = {
    "a": ("a device", "device a", "from", "source", "from device", "source device", "local device", "a end", "end a"),
    "a_port": ("a port", "port a", "from port", "source port", "local port", "a interface", "interface a"),
    "b": ("b device", "device b", "z", "z device", "device z", "to", "target", "destination", "to device", "dest",
          "target device", "destination device", "remote device", "neighbor", "neighbour", "b end", "z end", "end b"),
    "b_port": ("b port", "port b", "z port", "port z", "to port", "target port", "destination port", "remote port",
               "b interface", "z interface", "interface b"),
    "length": ("cable length", "distance", "route length", "fibre length", "fiber length"),
    "rate": ("speed", "bandwidth", "capacity", "data rate", "line rate", "port speed"),
    "id": ("cable id", "cable", "label", "cable label", "circuit", "circuit id", "link id", "name", "cable no"),
    "medium": ("type", "cable type", "media", "fibre type", "fiber type"),
    "reverse_rate": ("reverse capacity",),
    "n_parallel": ("count", "quantity", "qty", "members", "number"),
    "n_failed": ("failed members",),
    "weight": ("metric", "cost", "igp metric"),
    "reverse_weight": (),
    "latency": ("delay",),
    "reverse_latency": ("reverse delay",),
    "srlgs": ("srlg", "shared risks", "shared risk groups"),
    "display_name": (),
    "tags": (),
    "a_site": ("site a", "a site", "from site", "source site", "a location"),
    "b_site": ("site b", "b site", "z site", "to site", "target site", "b location", "z location"),
    "a_role": ("a role", "role a", "a kind", "from role", "source role"),
    "b_role": ("b role", "role b", "b kind", "z role", "to role", "target role"),
    "status": ("state",),
    "note": ("notes", "comment", "comments", "remarks", "description"),
}  # fmt: skip
"""Fields of a row, and other headings for them."""
HEADINGS = {heading: name for name, others in FIELDS.items() for heading in (name.replace("_", " "), *others)}
MAX_HEADER_ROW = 20
"""Rows among which the header is looked for."""
ENDS = ("a", "b")
MAX_LISTED, MAX_SIMILAR = 60, 5
"""Headings that an error lists, and those with a hint."""
ENDINGS = (".csv", ".tsv", ".xlsx", ".xlsm", ".xls")
GNPY_SHEETS = ("Nodes", "Links")
"""Sheets of a workbook of GNPy, which is a format of its own."""
HINT = "columns of both ends, such as a and b; --map COLUMN=FIELD names them"
RATE_FACTORS = {"gbps": 1.0, "gb/s": 1.0, "mbps": 1e-3, "mb/s": 1e-3, "kbps": 1e-6, "bps": 1e-9}
NUMBERS = frozenset({"length", "rate", "reverse_rate", "latency", "reverse_latency", "weight", "reverse_weight"})
"""Fields whose columns have decimal signs."""
US_OF = {"us": 1.0, "ms": 1e3}
DOWN = frozenset({"down", "planned", "decommissioned", "offline", "failed", "inactive", "disabled", "broken", "faulty"})
UP = frozenset(
    {"up", "active", "connected", "enabled", "in service", "in use", "installed", "live", "lit", "ok", "online"}
)


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file is a sheet by its ending, and none is a workbook of GNPy."""
    return all(file.ending in ENDINGS and not _is_of_gnpy(file) for file in files)


def _is_of_gnpy(file: SourceFile) -> bool:
    return has_sheets(file, *GNPY_SHEETS) or is_service_book(file)


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read the rows of each file: first sheets of nodes, then of cables, then of demands."""
    sheets = [sheet for file in files for sheet in sheets_of(file)]
    kinds = {file.where: sheet_kind(file) for file in sheets}
    for file in sorted(sheets, key=lambda file: SHEET_KINDS.index(kinds[file.where])):
        if kinds[file.where] != CABLES:
            read_records(file, kinds[file.where], cabling, ledger, options)
            continue
        passes = Passes(file)
        rows = passes.first()
        try:
            columns, header_row = _header(rows, file, options.columns)
        except DocumentError:
            if file.sheet is None or options.columns:
                raise
            ledger.dropped("sheets without cables, nodes or demands", "nothing that the network holds", file.where)
            continue
        reader = _TableReader(file, columns, cabling, ledger, options.decimal)
        for row in rows:
            reader.see(row)
        reader.report_decimals()
        for row in passes.again():
            if row.number > header_row and any(row.cells):
                reader.row(row)
        if reader.n_rows == 0 and NODES not in kinds.values():
            raise DocumentError("has a header and no rows", where=file.where, hint=HINT)


def _header(
    rows: Iterator[Row], file: SourceFile, columns: Mapping[str, str]
) -> tuple[list[tuple[str, str, str]], int]:
    """Return (heading, field, unit) of each column, and the row of the header."""
    unknown = [name for name in columns.values() if name not in FIELDS]
    if unknown:
        hint = did_you_mean(unknown[0], FIELDS) or f"one of {', '.join(FIELDS)}"
        raise DocumentError(f"no field {quoted(unknown[0])}", where="--map", hint=hint)
    best: list[str] = []
    score = (-1, 0)
    for row in rows:
        cells = [cell for cell in row.cells if cell]
        n_known = sum(bool(name) for _, name, _ in (_column(cell, columns) for cell in cells))
        if cells and (n_known, len(cells)) > score:
            best, score = cells, (n_known, len(cells))
        found = [_column(cell, columns) for cell in row.cells]
        names = [name for _, name, _ in found if name]
        if {"a", "b"} <= set(names):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                titles = ", ".join(quoted(heading) for heading, name, _ in found if name == twice)
                hint = f"--map COLUMN={twice} says which, other columns are then left out"
                raise DocumentError(f"{counted(names.count(twice), 'column')} for {twice}: {titles}", where=file.where,
                                    hint=hint)  # fmt: skip
            return found, row.number
        if row.number >= MAX_HEADER_ROW:
            break
    raise _no_header(best, file)


def _no_header(headings: list[str], file: SourceFile) -> DocumentError:
    """Return the error of a sheet without a header: its headings, and what those similar to a known one may mean."""
    if not headings:
        return DocumentError("is empty", where=file.where, hint=HINT)
    listed = ", ".join(quoted(cell[:40]) for cell in headings[:MAX_LISTED])
    listed += f" and {len(headings) - MAX_LISTED} more" if len(headings) > MAX_LISTED else ""
    similar = [f"{quoted(cell[:40])}: {hint}" for cell in headings[:MAX_LISTED] if (hint := _similar(cell, ENDS))]
    hint = "; ".join([*similar[:MAX_SIMILAR], HINT])
    return DocumentError(f"no header with both ends: found {listed}", where=file.where, hint=hint)


def _similar(heading: str, fields: Collection[str] = tuple(FIELDS)) -> str:
    """Return a did-you-mean hint for a heading that none of these fields has; empty without a similar one."""
    name = re.sub(r"[\s_-]+", " ", unit_in_header(heading)[0]).strip().lower()
    return (
        ""
        if name in HEADINGS or len(name) > 40
        else did_you_mean(name, [h for h, f in HEADINGS.items() if f in fields])
    )


def _column(heading: str, columns: Mapping[str, str]) -> tuple[str, str, str]:
    name, unit = unit_in_header(heading)
    if heading.strip() in columns:
        return heading, columns[heading.strip()], unit
    field = HEADINGS.get(re.sub(r"[\s_-]+", " ", name).strip().lower(), "")
    return heading, "" if field in columns.values() else field, unit


class _TableReader:
    """Reads the rows of one sheet."""

    def __init__(
        self,
        file: SourceFile,
        columns: list[tuple[str, str, str]],
        cabling: Cabling,
        ledger: Ledger,
        decimal: str | None,
    ) -> None:
        self.file, self.columns, self.cabling, self.ledger = file, columns, cabling, ledger
        self.n_rows = 0
        self.comma_is_decimal = leaves_comma_to_decimals(file)
        self.decimals = {
            i: DecimalColumn(heading, decimal, self.comma_is_decimal)
            for i, (heading, name, _) in enumerate(columns)
            if name in NUMBERS
        }
        self.units = {name: unit for _, name, unit in columns if name}
        unknown = (heading for heading, name, _ in columns if not name)
        self.effects = {"note": "text for people"} | {
            heading: f"{NO_EFFECT}; {hint}" for heading in unknown if (hint := _similar(heading))
        }

    def see(self, row: Row) -> None:
        """Look at the numbers of a row, of all rows before the first is read."""
        for i, column in self.decimals.items():
            if i < len(row.cells) and row.cells[i]:
                column.see(row.cells[i])

    def report_decimals(self) -> None:
        """Report columns that show both decimal signs."""
        report_mixed(self.decimals.values(), self.file.name, self.ledger)

    def row(self, row: Row) -> None:
        """Add the cable of a row."""
        self.n_rows += 1
        place = f"line {row.number}"
        record: dict[str, Any] = {}
        for i, (heading, name, _) in enumerate(self.columns):
            if i < len(row.cells) and row.cells[i]:
                cell = row.cells[i]
                if i in self.decimals:
                    cell = self.decimals[i].rewritten(cell, place, self.ledger)
                record[name or heading or f"column {i + 1}"] = cell
        if len(row.cells) > len(self.columns) and any(row.cells[len(self.columns) :]):
            self.ledger.finding("long row", "more cells than the header has columns; they are left out", "", place)
        fields = Fields(record, "rows", place, self.ledger)
        ends = [self._end(fields, side) for side in ("a", "b")]
        if any(end is None for end in ends):
            self.ledger.finding("one-sided cable", "one end is empty; no link is made", "state both ends", place)
            return
        a, b = (end for end in ends if end is not None)
        rate, n_parallel = self._rate(fields)
        name = fields.text("id")
        cable = Cable(f"{self.file.name} {row.number}", (a, b), capacity_gbps=rate, n_parallel=n_parallel, name=name)
        reverse_gbps = fields.number("reverse_rate", 1e-9, MAX_CAPACITY_GBPS, *self._rate_unit("reverse_rate"))
        cable.capacity_gbps = with_reverse(rate, reverse_gbps, "rate", self.ledger, place)
        cable.length_km = self._length_km(fields)
        cable.latency_us = self._latency_us(fields)
        cable.medium, cable.fibre = read_medium(fields.text("medium"), self.ledger, place)
        weight, back = (fields.number(name, 1e-12, 1e9) for name in ("weight", "reverse_weight"))
        cable.weight = with_reverse(weight, back, "weight", self.ledger, place)
        cable.n_failed = int(fields.number("n_failed", 0, 10_000_000) or 0)
        cable.srlgs, cable.tags = fields.texts("srlgs"), fields.texts("tags")
        cable.display_name = fields.text("display_name")
        status = fields.text("status").lower()
        cable.up = status not in DOWN
        if status and cable.up and status not in UP:
            hint = f"up or down; down are {', '.join(sorted(DOWN))}"
            self.ledger.finding("unknown status", "the cable is taken as up", hint, fields.place)
        cable.source = fields.source(self.file.name, name)
        fields.close(self.effects)
        self.cabling.cables.append(cable)

    def _end(self, fields: Fields, side: str) -> End | None:
        """Return one end, in two columns or as `device:port` in one; None for an empty cell."""
        text, port = fields.text(side), fields.text(f"{side}_port")
        if not text:
            return None
        if not port and ":" in text.strip(":") and text not in self.cabling.devices:
            text, _, port = (part.strip() for part in text.partition(":"))
            self.ledger.converted(f"rows.{side}", "device:port → two fields")
        device = self.cabling.devices.get(text)
        if device is None:
            device = Device(text, text, source=fields.source(self.file.name, text))
            self.cabling.devices[text] = device
        site, role = fields.text(f"{side}_site"), fields.text(f"{side}_role")
        if site:
            place = place_at(self.cabling, f"site {site}", site, None, None)
            if device.place not in (None, place):
                self.ledger.finding("conflict", "a device has two sites; the first is used", "", f"{text}: {site}")
            device.place = device.place or place
        device.role = device.role or role
        return End(text, port)

    def _rate(self, fields: Fields) -> tuple[float | None, int]:
        """Return rate and members: `400G`, `4x100G`, or a number with the unit of the header."""
        text = str(fields.raw("rate") or "")
        stated = fields.number("n_parallel", 1, 1_000_000)
        n = int(stated) if stated is not None else 1
        if not text:
            return None, n
        unit = self.units.get("rate", "")
        bundle = bundle_of(text)
        if bundle is not None:
            rate, n = bundle.capacity_gbps, n * bundle.n_parallel
        else:
            number = finite(text.replace(" ", "")) if unit in RATE_FACTORS else None
            rate = number * RATE_FACTORS[unit] if number is not None else 0.0
        if not 1e-9 <= rate <= MAX_CAPACITY_GBPS or n > 1_000_000:
            fields.bad("rate", text, "a rate with its unit in the cell or header, such as 400G or rate_gbps")
            return None, 1
        fields.count("rate", "" if unit in ("gbps", "gb/s") else "text with a unit → Gb/s")
        return rate, n

    def _rate_unit(self, name: str) -> tuple[str, float]:
        """Return conversion and factor of a column of rates by the unit of its heading; Gb/s without one."""
        unit = self.units.get(name, "") or "gbps"
        factor = RATE_FACTORS.get(unit, 1.0)
        return "" if factor == 1 else f"{unit} → Gb/s", factor

    def _latency_us(self, fields: Fields) -> float | tuple[float, float] | None:
        """Return a latency, by direction where they differ; only with its unit in the heading."""
        found: list[float | None] = []
        for name in ("latency", "reverse_latency"):
            factor = US_OF.get(self.units.get(name, ""))
            if factor is None:
                fields.drop(name, "latency; its unit is not stated: rename it, such as latency_us")
                found.append(None)
            else:
                found.append(fields.number(name, 0, 1e9, "" if factor == 1 else "ms → us", factor))
        there, back = found
        return with_reverse(there, back, "latency", self.ledger, fields.place)

    def _length_km(self, fields: Fields) -> float | None:
        text = str(fields.raw("length") or "")
        if not text:
            return None
        km = length_km(text, self.units.get("length", ""))
        if km is None or km > 20_000:
            fields.bad("length", text, "a length with its unit in the cell or header, such as 30 m or length_m")
            return None
        fields.count("length", "" if self.units.get("length") == "km" else "length with a unit → km")
        return km
