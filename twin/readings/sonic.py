"""Transceiver tables of a SONiC switch, as JSON dumps of its state database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import DocumentError
from ..errors.wording import type_text
from ..imports.files import SourceFile
from ..model.measurements import Quantity
from .found import WAYS, Collector, Thing, day_of_text
from .options import ReadingOptions
from .units import split_value

TABLES = ("TRANSCEIVER_PM", "TRANSCEIVER_VDM_REAL_VALUE", "TRANSCEIVER_VDM_CURRENT_SAMPLE", "TRANSCEIVER_DOM_SENSOR")
"""Tables with readings; of two tables with the same quantity the first one counts."""
HOST = "DEVICE_METADATA"
NOTHING = frozenset({"", "n/a", "na", "none", "null"})
FEWEST_DBM = -40.0
"""Powers at or below it stand for no light."""


class Field(NamedTuple):
    """A field of a table, its quantity and its unit."""

    pattern: re.Pattern[str]
    quantity: Quantity
    unit: str


def _field(pattern: str, quantity: Quantity, unit: str) -> Field:
    return Field(re.compile(pattern, re.ASCII), quantity, unit)


FIELDS = (
    _field(r"rx([1-9]\d?)power", "received_power", "dBm"),
    _field(r"tx([1-9]\d?)power", "launched_power", "dBm"),
    _field(r"rx_sig_(?:power|pwr)_avg", "received_power", "dBm"),
    _field(r"tx_(?:power|pwr)_avg", "launched_power", "dBm"),
    _field(r"prefec_ber_avg(?:_media_input([1-9]\d?))?", "pre_fec_ber", "ratio"),
    _field(r"osnr_avg|osnr([1-9]\d?)", "osnr", "dB"),
    _field(r"esnr_avg|esnr_media_input([1-9]\d?)", "snr", "dB"),
    _field(r"cd_avg", "dispersion", "ps/nm"),
)


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file is JSON that names one of the tables."""
    return all(file.looks_like_json and any(name.encode() in file.content for name in TABLES) for file in files)


def read(files: Sequence[SourceFile], collector: Collector, options: ReadingOptions) -> None:
    """Read the tables of each file; a file is of one switch."""
    for file in files:
        rows = list(_rows(file.data))
        if not any(table in TABLES for table, _, _ in rows):
            problem = f"holds no transceiver table of SONiC, but {type_text(file.data)}"
            raise DocumentError(problem, where=file.where, expected=f"keys such as {TABLES[-1]}|Ethernet0")
        device = options.device or next((_host(row) for table, _, row in rows if table == HOST), "")
        if not device:
            device = file.path.stem
            collector.ledger.assumed("switch of a file", device, "the file does not name it", "--device", file.name)
        seen: set[tuple[str, Quantity]] = set()
        for table in TABLES:
            found = [(port, row) for name, port, row in rows if name == table]
            _read_table(file, table, device, found, seen, collector)
            seen |= {(port, q) for port, row in found for name in row if (q := _quantity(name)) is not None}
        for name, _, row in rows:
            if name not in (*TABLES, HOST):
                collector.ledger.dropped(name[:80], "not a table of readings", file.name, len(row))


def _host(row: Mapping[str, Any]) -> str:
    name = row.get("hostname")
    return name if isinstance(name, str) else ""


def _quantity(name: str) -> Quantity | None:
    return next((field.quantity for field in FIELDS if field.pattern.fullmatch(name)), None)


def _rows(data: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield (table, key, fields) of keys `TABLE|KEY`, with or without `value` around fields, or of nested tables."""
    if not isinstance(data, Mapping):
        return
    for key, item in data.items():
        if not isinstance(item, Mapping):
            continue
        table, sign, port = key.partition("|")
        if sign:
            inner = item.get("value", item)
            yield table, port, inner if isinstance(inner, Mapping) else {}
            continue
        yield from ((key, port, row) for port, row in item.items() if isinstance(row, Mapping))


def _read_table(
    file: SourceFile,
    table: str,
    device: str,
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    seen: set[tuple[str, Quantity]],
    collector: Collector,
) -> None:
    ledger = collector.ledger
    for port, row in rows:
        at = day_of_text(str(row.get("last_update_time", "")))
        n_lanes = max(
            (lane + 1 for name, value in row.items() if (lane := _lit_lane(name, value)) is not None), default=1
        )
        n_dropped = 0
        for name, value in row.items():
            place = f"{table}|{port}, {name}"
            for field in FIELDS:
                match = field.pattern.fullmatch(name)
                if match is not None:
                    break
            else:
                n_dropped += name != "last_update_time"
                continue
            if (port, field.quantity) in seen:
                ledger.dropped(f"{table}.{name}", "another table states the same quantity", f"{file.name}: {place}")
                continue
            text = str(value)
            if text.strip().lower() in NOTHING:
                ledger.dropped(f"{table}.{field.quantity}", "N/A: no value", f"{file.name}: {place}")
                continue
            split = split_value(text)
            if split is None:
                ledger.finding("bad value", f"{table}.{name} is left out", "expected a number", f"{file.name}: {place}")
                continue
            if field.unit == "dBm" and split[0] <= FEWEST_DBM:
                ledger.finding(
                    "no light", f"{table}.{name} is left out", "a lane that is dark", f"{file.name}: {place}"
                )
                continue
            lane = int(match[1]) - 1 if match.groups() and match[1] is not None else None
            if lane == 0 and n_lanes == 1:
                lane = None  # a module of one lane: the reading is that of the link
            thing = Thing(device=device, port=port, lane=lane, n_lanes=n_lanes, way=WAYS[field.quantity])
            collector.add(file, place, f"{table}.{_generic(name)}", thing, field.quantity, split[0],
                          split[1] or field.unit, at)  # fmt: skip
        if n_dropped:
            ledger.dropped(
                f"{table}, other fields", "temperature, bias, thresholds: no answer uses them", port, n_dropped
            )


def _lit_lane(name: str, value: Any) -> int | None:
    """Return the lane of a field that shows light or another reading; None for others."""
    for field in FIELDS:
        match = field.pattern.fullmatch(name)
        if match is not None and match.groups() and match[1] is not None:
            split = split_value(str(value))
            lit = split is not None and (field.unit != "dBm" or split[0] > FEWEST_DBM)
            return int(match[1]) - 1 if lit else None
    return None


def _generic(name: str) -> str:
    """Return the name of a field without the number of its lane, so that lanes are counted together."""
    return re.sub(r"\d+", "N", name)
