"""Reads files of readings for a network: measurements, the document with them, and a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from ..errors import DocumentError
from ..errors.wording import quoted
from ..formats import write_document
from ..imports.choice import named_format, recognised_format
from ..imports.files import GivenFile, SourceFile, source_files
from ..imports.ledger import Ledger
from ..model.document import TopologyDocument
from ..model.measurements import Measurement
from ..model.network import NetworkGraph
from .formats import FORMATS, Format
from .found import MAX_READINGS, Collector, Found
from .merge import Merger, days_of
from .options import ReadingOptions
from .places import Places
from .report import MeasurementReport, report_of

USAGE = "twin measurements FORMAT FILE --network NETWORK"


@dataclass(frozen=True, eq=False)
class Measured:
    """The network with the measurements, the new ones alone, and the report of how they were made."""

    document: TopologyDocument
    measurements: tuple[Measurement, ...]
    report: MeasurementReport

    def write(self, path: str | Path) -> None:
        """Write the network with its measurements; the ending chooses YAML or JSON.

        Raises:
            DocumentError: an unknown ending.
        """
        write_document(self.document, Path(path))


def read(
    paths: str | Path | Iterable[str | Path],
    network: NetworkGraph,
    *,
    format: str | None = None,
    options: ReadingOptions | None = None,
) -> Measured:
    """Read files of meters or monitoring systems as measurements of a network.

    Args:
        paths: a file, a folder, or several of them. No file that is named inside a file is read.
        network: the network that was measured; it does not change.
        format: name in `FORMATS`; None = recognised by the content.
        options: what to use where the files state nothing.

    Raises:
        DocumentError: unknown or unclear format, or a file that cannot be read; with file, place and hint.
    """
    named = None if format is None else named_format(format, FORMATS)
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    return _read(source_files(map(Path, listed)), network, named, options or ReadingOptions())


def read_given(
    content_by_name: Mapping[str, bytes],
    network: NetworkGraph,
    *,
    format: str | None = None,
    options: ReadingOptions | None = None,
) -> Measured:
    """Read the content of files as measurements of a network; see `read`.

    Args:
        content_by_name: content of each file by its name. Names count where files state no port or fibre.
        network: the network that was measured; it does not change.
        format: name in `FORMATS`; None = recognised by the content.
        options: what to use where the files state nothing.

    Raises:
        DocumentError: unknown or unclear format, or content that cannot be read; with file, place and hint.
    """
    named = None if format is None else named_format(format, FORMATS)
    files = [GivenFile(name, content) for name, content in content_by_name.items()]
    return _read(files, network, named, options or ReadingOptions())


def _read(
    files: Sequence[SourceFile], network: NetworkGraph, named: Format | None, options: ReadingOptions
) -> Measured:
    row = named or recognised_format(files, FORMATS, "no format of readings fits", USAGE)
    places = Places(network.nodes, network.links, options.maps)
    ledger = Ledger()
    collector = Collector(ledger)
    row.read(files, collector, options)
    readings = collector.readings[:MAX_READINGS]
    if collector.is_full:
        problem = f"only the first {MAX_READINGS:,} readings are taken"
        ledger.finding("too many readings", problem, "split the files", files[0].name)
    readings = _of_the_past(network.document, readings, ledger, options)
    document = _with_day(network.document, readings, ledger, options)
    assert document.as_of is not None
    merger = Merger(document, network.links, places, network.catalogue, document.as_of, ledger, options)
    made = merger.merge(readings)
    for name in sorted(set(options.maps) - places.used_maps):
        ledger.finding("unused option", f"--map {quoted(name)} fits no reading", "names are as in the report", name)
    document = document.model_copy(update={"measurements": (*document.measurements, *made)}).canonical()
    name = document.name or getattr(network, "label", "")
    report = report_of(row.name, name, tuple(file.name for file in files), len(readings), made, ledger)
    return Measured(document, made, report)


def _of_the_past(
    document: TopologyDocument, readings: Sequence[Found], ledger: Ledger, options: ReadingOptions
) -> list[Found]:
    """Return the readings without those of days to come, where neither the network nor an option states its day.

    The day of such a network is that of its latest reading, which must not be a slip of a clock.
    """
    if options.as_of is not None or document.as_of is not None:
        return list(readings)
    today = options.today or datetime.now(UTC).date()
    kept = []
    for reading in readings:
        if reading.at is None or reading.at <= today:
            kept.append(reading)
        else:
            problem = f"a reading of {reading.at}, a day to come; left out"
            ledger.finding("wrong day", problem, "--as-of DAY states the day of the network", reading.where)
    return kept


def _with_day(
    document: TopologyDocument, readings: Sequence[Found], ledger: Ledger, options: ReadingOptions
) -> TopologyDocument:
    """Return the document on the day that is asked for; one without a day gets that of the latest reading.

    Readings after the day of a document are findings of the rules.

    Raises:
        DocumentError: neither the document nor a reading nor an option states a day.
    """
    as_of: date | None = options.as_of or document.as_of
    if as_of is None:
        as_of = max((*days_of(readings), *([options.at] if options.at else [])), default=None)
        if as_of is None:
            raise DocumentError("neither the network nor a reading states a day", where="as_of", hint="--at 2026-11-20")
        why = "the network states none; the latest reading"
        ledger.assumed("as_of of the network", as_of.isoformat(), why, "--as-of")
    return document.model_copy(update={"as_of": as_of})
