"""Table of formats of readings: one row each; the command, Python and the contract test read this table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..imports.files import SourceFile
from . import ethtool, latency, otdr, prometheus, sheet, sonic
from .found import Collector
from .options import ReadingOptions

Files = Sequence[SourceFile]


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table: files of one kind of meter or monitoring system."""

    name: str
    sentence: str
    recognise: Callable[[Files], bool]
    """Function that says whether files look like this format; it never raises for the content of a file."""
    read: Callable[[Files, Collector, ReadingOptions], None]
    """Fills the collector. Raises DocumentError with file, place and hint."""


ROWS = (
    Format("otdr", "OTDR traces, SR-4731 (.sor).", otdr.recognise, otdr.read),
    Format("ethtool", "Output of ethtool -m PORT --json.", ethtool.recognise, ethtool.read),
    Format("sonic", "Transceiver tables of SONiC, as JSON dumps of the state database.", sonic.recognise, sonic.read),
    Format("prometheus", "Range queries of Prometheus, as JSON.", prometheus.recognise, prometheus.read),
    Format("latency", "Latency between two nodes as CSV, one row for each sample.", latency.recognise, latency.read),
    Format("table", "Readings as CSV or Excel, one row for each thing.", sheet.recognise, sheet.read),
)
FORMATS: dict[str, Format] = {row.name: row for row in ROWS}
"""Formats by name."""
