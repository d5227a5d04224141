"""Reads files of another tool as a document and a report; the format is named or recognised."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..collector import collector_paused
from ..errors import DocumentError
from ..formats import MAX_FILE_BYTES, write_document
from ..model.document import TopologyDocument
from ..model.records import asdict_compact
from . import netbox
from .build import build
from .cabling import Cabling
from .choice import named_format, recognised_format
from .files import GivenFile, SourceFile, source_files
from .formats import FORMATS, Format
from .ledger import Ledger
from .netbox_url import is_url, remote_files
from .options import ImportOptions
from .report import ImportReport, report_of

MAX_NAMED = 10
N_SAMPLE = 500
"""Records of a list from which the size of a file is estimated."""


@dataclass(frozen=True, eq=False)
class Imported:
    """A document, and the report of how it was made."""

    document: TopologyDocument
    report: ImportReport

    def write(self, path: str | Path) -> None:
        """Write the document; the ending chooses YAML or JSON.

        Raises:
            DocumentError: an unknown ending, or a network that is too large to be read again.
        """
        target = Path(path)
        expected = f"at most {MAX_FILE_BYTES:,} bytes, as files are read"
        hint = "import fewer records, or use the document in Python"
        n_bytes = _estimated_bytes(self.document)
        if n_bytes > 2 * MAX_FILE_BYTES:  # writing it would take a multiple of its size in memory
            raise DocumentError(f"about {n_bytes:,} bytes", where=str(path), expected=expected, hint=hint)
        write_document(self.document, target)
        size = target.stat().st_size
        if size > MAX_FILE_BYTES:
            target.unlink()
            raise DocumentError(f"{size:,} bytes", where=str(path), expected=expected, hint=hint)


def read(
    paths: str | Path | Iterable[str | Path], *, format: str | None = None, options: ImportOptions | None = None
) -> Imported:
    """Read files of another tool.

    Args:
        paths: a file, a folder, or several of them; or the address of a NetBox. No file that is named inside a file is
            read, and no other host is asked.
        format: name in `FORMATS`; None = recognised by the content.
        options: what to use where the source states nothing.

    Raises:
        DocumentError: unknown or unclear format, or a file that cannot be read; with file, line and hint.
    """
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    named = None if format is None else named_format(format, FORMATS)
    url = next((path for path in listed if is_url(path)), None)
    files = source_files(map(Path, listed)) if url is None else _remote(listed, named)
    where = ", ".join(str(path) for path in listed[:MAX_NAMED])
    return _read(files, FORMATS["netbox"] if url is not None else named, options, where)


def read_given(
    content_by_name: Mapping[str, bytes], *, format: str | None = None, options: ImportOptions | None = None
) -> Imported:
    """Read the content of files of another tool; see `read`.

    Args:
        content_by_name: content of each file by its name. Endings count, as in a folder.
        format: name in `FORMATS`; None = recognised by the content.
        options: what to use where the source states nothing.

    Raises:
        DocumentError: unknown or unclear format, or content that cannot be read; with file, line and hint.
    """
    named = None if format is None else named_format(format, FORMATS)
    files: list[SourceFile] = [GivenFile(name, content) for name, content in content_by_name.items()]
    return _read(files, named, options, ", ".join(list(content_by_name)[:MAX_NAMED]))


def _read(files: list[SourceFile], row: Format | None, options: ImportOptions | None, where: str) -> Imported:
    if row is None:
        row = recognised_format(files, FORMATS, "no format fits", "twin import FORMAT PATH")
    cabling, ledger = Cabling(), Ledger()
    with collector_paused():
        row.read(files, cabling, ledger, options or ImportOptions())
        names = tuple(file.name for file in files)
        files.clear()  # their content is no longer needed
        if not cabling.devices:
            raise DocumentError("holds no device", where=where, hint=f"expected for {row.name}: {row.sentence}")
        built = build(cabling, options or ImportOptions(), ledger, where)
    return Imported(built.document, report_of(row.name, names, cabling, built, ledger))


def _remote(listed: Sequence[str | Path], named: Format | None) -> list[SourceFile]:
    """Return the endpoints of a NetBox whose address is the only source."""
    if len(listed) > 1 or (named is not None and named.name != "netbox"):
        raise DocumentError("an address is the only source, and that of a NetBox", hint="twin import netbox URL")
    return remote_files(str(listed[0]), netbox.READ_ENDPOINTS)


def _estimated_bytes(document: TopologyDocument) -> int:
    """Return the size of a document as compact JSON, from a sample of its records."""
    n_bytes = 0.0
    for records in (document.nodes, document.links, document.demands):
        sample: Sequence[object] = records[:: max(len(records) // N_SAMPLE, 1)]
        sampled = sum(len(json.dumps(asdict_compact(record), ensure_ascii=False)) for record in sample)
        n_bytes += sampled * len(records) / max(len(sample), 1)
    return int(n_bytes)
