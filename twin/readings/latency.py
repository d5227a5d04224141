"""Latency between nodes as CSV, of TWAMP, STAMP or a mesh of pings: the median of each pair and day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from statistics import median

from ..imports.files import SourceFile
from .found import Collector, Found, Thing
from .options import ReadingOptions
from .sheet import SheetReader, is_latency_sheet, is_sheet


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file is a sheet of latencies between two nodes."""
    return all(is_sheet(file) and is_latency_sheet(file) for file in files)


def read(files: Sequence[SourceFile], collector: Collector, options: ReadingOptions) -> None:
    """Read one latency for each pair of nodes and day: the median, since single samples hold queues."""
    inner = Collector(collector.ledger)
    for file in files:
        reader = SheetReader(file, inner, options)
        for row, record in reader.records():
            reader.add(row, record)
    groups: dict[tuple[Thing, str, date | None], list[Found]] = defaultdict(list)
    for reading in inner.readings:
        groups[reading.thing, reading.quantity, reading.at].append(reading)
    for found in groups.values():
        middle = median(reading.value for reading in found)
        if len(found) > 1:
            collector.ledger.converted("samples", "median of a day", len(found))
        collector.readings.append(replace(found[0], value=middle))
