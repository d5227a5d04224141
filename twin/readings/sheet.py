"""Readings as CSV or Excel: columns by heading, units in headings or cells; one row for each reading or each thing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, get_args

from ..errors import DocumentError
from ..imports.decimals import DecimalColumn, report_mixed
from ..imports.files import SourceFile
from ..imports.sheets import leaves_comma_to_decimals, rows_of
from ..imports.workbooks import EXCEL_ENDINGS, LEGACY_ENDINGS, Row
from ..model.measurements import READINGS, Quantity
from .found import WAYS, Collector, Thing, Way, day_of_text
from .options import ReadingOptions
from .units import plain_unit, split_heading, split_value

ENDINGS = (".csv", ".tsv", *EXCEL_ENDINGS, *LEGACY_ENDINGS)
MAX_HEADER_ROW = 20
HINT = "a row with the headings link (or device and port), and quantity and value, or a heading for each quantity"
FIELDS: dict[str, tuple[str, ...]] = {
    "link": ("link id", "circuit", "circuit id", "cable", "fibre", "fiber", "route"),
    "device": ("node", "host", "hostname", "switch", "router", "source", "from", "src", "local device", "sender"),
    "port": ("interface", "ifname", "source port", "local port"),
    "far_device": ("destination", "dest", "dst", "to", "target", "neighbor", "neighbour", "peer", "far device",
                   "remote device", "reflector"),
    "span": (), "lane": ("channel",), "direction": ("dir",), "quantity": ("measure", "parameter"),
    "value": ("reading",), "unit": ("units",),
    "at": ("date", "day", "time", "timestamp", "measured", "measured at", "datetime"),
}  # fmt: skip
"""Fields of a row and their other headings."""
QUANTITIES: dict[str, Quantity] = {
    **{name.replace("_", " "): name for name in get_args(Quantity)},
    "rx power": "received_power", "rx": "received_power", "received": "received_power", "tx power": "launched_power",
    "tx": "launched_power", "launch power": "launched_power", "attenuation": "span_loss",
    "ber": "pre_fec_ber", "prefec ber": "pre_fec_ber", "pre-fec ber": "pre_fec_ber", "cd": "dispersion",
    "chromatic dispersion": "dispersion", "gain": "amplifier_gain", "rate": "interface_rate",
    "traffic": "interface_rate", "delay": "latency", "one way delay": "latency", "owd": "latency",
    "rtt": "latency", "round trip": "latency", "round trip time": "latency", "rtt avg": "latency",
    "frame loss": "loss", "packet loss": "loss", "esnr": "snr",
}  # fmt: skip
"""Names of quantities in headings and cells."""
OF_SPANS = frozenset({"span_loss", "amplifier_gain", "dispersion"})
"""Quantities to which the span of a row belongs; other columns of the row are of the link."""
ROUND_TRIPS = frozenset({"rtt", "round trip", "round trip time", "rtt avg"})


class Column(NamedTuple):
    """A column: its heading, its field, or the quantity of its values with their unit."""

    heading: str
    field: str
    quantity: Quantity | None = None
    unit: str = ""
    is_round_trip: bool = False


def column_of(heading: str) -> Column:
    """Return the column of a heading; without a field or quantity for one that is not known."""
    whole = _plain(heading)
    for field, others in FIELDS.items():
        if whole == field.replace("_", " ") or whole in others:
            return Column(heading, field)
    name, unit = split_heading(heading)
    plain = _plain(name)
    quantity = QUANTITIES.get(plain) or QUANTITIES.get(whole)
    return Column(heading, "", quantity, unit, plain in ROUND_TRIPS or whole in ROUND_TRIPS)


def _plain(heading: str) -> str:
    return re.sub(r"[\s_]+", " ", heading).strip().lower()


def columns_of(file: SourceFile) -> tuple[list[Column], Iterator[Row], int] | None:
    """Return the columns of a sheet, its rows after the header, and the number of that; None without a header."""
    rows = rows_of(file)
    for row in rows:
        found = [column_of(cell) for cell in row.cells]
        fields = {column.field for column in found}
        has_place = bool(fields & {"link", "device"})
        if has_place and (any(c.quantity for c in found) or {"quantity", "value"} <= fields):
            return found, rows, row.number
        if row.number >= MAX_HEADER_ROW:
            break
    return None


def is_sheet(file: SourceFile) -> bool:
    """Return whether a file is a sheet by its ending."""
    return file.ending in ENDINGS


def is_latency_sheet(file: SourceFile) -> bool:
    """Return whether a sheet holds latencies between two nodes."""
    try:
        found = columns_of(file)
    except DocumentError:
        return False
    if found is None:
        return False
    fields = {column.field for column in found[0]}
    quantities = {column.quantity for column in found[0] if column.quantity}
    return {"device", "far_device"} <= fields and quantities == {"latency"} and "link" not in fields


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file is a sheet, other than of latencies between nodes."""
    return all(is_sheet(file) and not is_latency_sheet(file) for file in files)


def read(files: Sequence[SourceFile], collector: Collector, options: ReadingOptions) -> None:
    """Read the rows of each sheet."""
    for file in files:
        reader = SheetReader(file, collector, options)
        for row, record in reader.records():
            reader.add(row, record)


@dataclass
class SheetReader:
    """Reads one sheet: a record of texts by column, and the readings in it."""

    file: SourceFile
    collector: Collector
    options: ReadingOptions

    def records(self) -> Iterator[tuple[int, dict[Column, str]]]:
        """Yield the number of each row and its cells by column, without empty ones.

        Raises:
            DocumentError: no header.
        """
        found = columns_of(self.file)
        if found is None:
            raise DocumentError("no header with places and quantities", where=self.file.where, hint=HINT)
        columns, rows, header_row = found
        comma_is_decimal = leaves_comma_to_decimals(self.file)
        decimals = {
            i: DecimalColumn(column.heading, self.options.decimal, comma_is_decimal)
            for i, column in enumerate(columns)
            if column.quantity is not None or column.field == "value"
        }
        for row in rows:
            for i, decimal in decimals.items():
                decimal.see(row.cells[i] if i < len(row.cells) else "")
        report_mixed(decimals.values(), self.file.name, self.collector.ledger)
        for row in rows_of(self.file):
            if self.collector.is_full or row.number <= header_row:
                continue
            cells: dict[Column, str] = {}
            for i, (column, cell) in enumerate(zip(columns, row.cells, strict=False)):
                if cell:
                    place = f"line {row.number}"
                    known = decimals.get(i)
                    cells[column] = cell if known is None else known.rewritten(cell, place, self.collector.ledger)
            if cells:
                yield row.number, cells

    def add(self, number: int, record: dict[Column, str]) -> None:
        """Add the readings of a row."""
        ledger, place = self.collector.ledger, f"line {number}"
        texts = {column.field: cell for column, cell in record.items() if column.field}
        for column in record:
            if not column.field and column.quantity is None:
                ledger.dropped(column.heading[:80], "no field or quantity of this name", place)
        at = day_of_text(texts["at"]) if "at" in texts else None
        if "at" in texts and at is None:
            ledger.finding("bad value", "a day that is none; the row is left out", "write 2026-11-20", place)
            return
        for column, cell in record.items():
            if column.quantity is not None:
                self._add_value(place, column, cell, column.quantity, texts, at)
        if "value" in texts and "quantity" in texts:
            name = _plain(texts["quantity"])
            quantity = QUANTITIES.get(name)
            if quantity is None:
                ledger.finding(
                    "unknown quantity", f"{texts['quantity'][:40]!r} is left out", ", ".join(READINGS), place
                )
                return
            column = Column("value", "", quantity, texts.get("unit", ""), name in ROUND_TRIPS)
            self._add_value(place, column, texts["value"], quantity, texts, at)

    def _add_value(
        self, place: str, column: Column, cell: str, quantity: Quantity, texts: dict[str, str], at: date | None
    ) -> None:
        ledger = self.collector.ledger
        split = split_value(cell)
        if split is None:
            ledger.finding("bad value", f"{column.heading[:60]} is no number; left out", "expected such as -3.1 dBm",
                           f"{self.file.name}: {place}")  # fmt: skip
            return
        unit = split[1] or column.unit or self.options.unit
        if quantity == "loss" and unit.lower() == "db":
            quantity = "span_loss"  # a loss in decibels is that of a fibre, one in per cent that of frames
        if not unit and READINGS[quantity].field == "value_ratio":
            unit = plain_unit(quantity)
        whole = {name: _whole(texts.get(name, "")) for name in ("span", "lane")}
        for name, whole_number in whole.items():
            if name in texts and whole_number is None:
                ledger.finding("bad value", f"{name} is no whole number; left out", "counted from 0", place)
                return
        thing = Thing(
            names=(texts["link"],) if "link" in texts else (),
            device=texts.get("device", "") or self.options.device,
            port=texts.get("port", ""),
            far_device="" if "port" in texts else texts.get("far_device", ""),
            span=whole["span"] if quantity in OF_SPANS else None,
            lane=whole["lane"],
            way="" if column.is_round_trip else _way(quantity, texts),
            stated_direction="" if column.is_round_trip else texts.get("direction", ""),
        )
        value = split[0] / 2.0 if column.is_round_trip else split[0]
        if column.is_round_trip:
            ledger.converted(column.heading[:80], "round trip / 2 → one way, without a direction")
        self.collector.add(self.file, place, column.heading[:80], thing, quantity, value, unit, at)


def _way(quantity: Quantity, texts: dict[str, str]) -> Way:
    if quantity in WAYS:
        return WAYS[quantity]
    word = texts.get("direction", "").strip().lower()
    if word in ("in", "rx", "receive", "received", "ingress"):
        return "in"
    if word in ("out", "tx", "transmit", "sent", "egress"):
        return "out"
    return "out" if quantity == "latency" and "far_device" in texts else ""


def _whole(text: str) -> int | None:
    text = text.strip().removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None
