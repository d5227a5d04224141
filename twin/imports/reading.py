"""Reads files of another tool as a document and a report; the format is named or recognised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..collector import collector_paused
from ..errors import DocumentError
from ..formats import MAX_FILE_BYTES, write_document
from ..model.document import TopologyDocument
from . import netbox
from .build import build
from .cabling import Cabling
from .choice import named_format, recognised_format
from .files import GivenFile, SourceFile, source_files
from .foretold import estimated_bytes, start_of
from .formats import FORMATS, Format
from .ledger import Ledger
from .netbox_url import is_url, remote_files
from .options import ImportOptions
from .report import ImportReport, report_of

MAX_NAMED = 10
ALLOWANCE_RATIO = 1.25
"""Estimated size over the largest one up to which a document is written, as estimates are not exact."""


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
        n_bytes = estimated_bytes(self.document.nodes, self.document.links, self.document.demands)
        if n_bytes > ALLOWANCE_RATIO * MAX_FILE_BYTES:  # writing it would take a multiple of its size in memory
            raise _too_large(f"about {n_bytes:,} bytes", str(path))
        write_document(self.document, target)
        size = target.stat().st_size
        if size > MAX_FILE_BYTES:
            target.unlink()
            raise _too_large(f"{size:,} bytes", str(path))


def _too_large(problem: str, where: str) -> DocumentError:
    expected = f"at most {MAX_FILE_BYTES:,} bytes, as files are read"
    hint = "import fewer records, or use the document in Python: twin.imports.read"
    return DocumentError(problem, where=where, expected=expected, hint=hint)


def read(
    paths: str | Path | Iterable[str | Path],
    *,
    format: str | None = None,
    options: ImportOptions | None = None,
    is_to_be_written: bool = False,
) -> Imported:
    """Read files of another tool.

    Args:
        paths: a file, a folder, or several of them; or the address of a NetBox. No file that is named inside a file is
            read, and no other host is asked.
        format: name in `FORMATS`; None = recognised by the content.
        options: what to use where the source states nothing.
        is_to_be_written: refuse a sheet at once whose rows foretell a document that is too large to be written.

    Raises:
        DocumentError: unknown or unclear format, or a file that cannot be read; with file, line and hint.
    """
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    named = None if format is None else named_format(format, FORMATS)
    url = next((path for path in listed if is_url(path)), None)
    files = source_files(map(Path, listed)) if url is None else _remote(listed, named)
    where = ", ".join(str(path) for path in listed[:MAX_NAMED])
    if is_to_be_written:
        _refuse_too_large(files, named, options)
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


def _refuse_too_large(files: Sequence[SourceFile], named: Format | None, options: ImportOptions | None) -> None:
    """Raise DocumentError for a large sheet whose first rows foretell a document that is too large to be written."""
    for file in files if named is None or named is FORMATS["table"] else ():
        n_rows, n_bytes = _foretold(file, named, options)
        if n_bytes > ALLOWANCE_RATIO * MAX_FILE_BYTES:
            n_fit = MAX_FILE_BYTES * n_rows // n_bytes // 1000 * 1000
            raise _too_large(f"{n_rows:,} rows make about {n_bytes:,} bytes, and about {n_fit:,} rows fit", file.where)


def _foretold(file: SourceFile, named: Format | None, options: ImportOptions | None) -> tuple[int, int]:
    """Return the rows of a large sheet and the bytes of their links; zeros for a file that foretells nothing."""
    with suppress(DocumentError):  # where the rows are at fault, reading the whole file says so
        start = start_of(file)
        if start is not None:
            links = _read([start.file], named, options, file.where).document.links
            return start.n_rows, estimated_bytes(links) * start.n_rows // start.n_taken
    return 0, 0


def _remote(listed: Sequence[str | Path], named: Format | None) -> list[SourceFile]:
    """Return the endpoints of a NetBox whose address is the only source."""
    if len(listed) > 1 or (named is not None and named.name != "netbox"):
        raise DocumentError("an address is the only source, and that of a NetBox", hint="twin import netbox URL")
    return remote_files(str(listed[0]), netbox.READ_ENDPOINTS)
