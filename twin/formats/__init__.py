"""Reads and writes documents: readers and writers by file extension, errors with hints, migrations."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import DocumentError, did_you_mean
from ..model.document import TopologyDocument
from .native import parse_document, parse_json, parse_yaml, to_json_bytes, to_yaml_bytes
from .readers import Reader, Writer

__all__ = [
    "MAX_FILE_BYTES",
    "READERS",
    "WRITERS",
    "Reader",
    "Writer",
    "parse_document",
    "read_content",
    "read_mapping",
    "write_document",
]

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_FILES = 10_000
"""Most files of a folder that are looked at for a hint."""

_YAML = Reader("yaml", "Native document, YAML.", parse_yaml)
READERS: dict[str, Reader] = {
    ".json": Reader("json", "Native document, JSON.", parse_json),
    ".yaml": _YAML,
    ".yml": _YAML,
}
"""Readers by file extension, lower case. A file with another extension is read as YAML."""

WRITERS: dict[str, Writer] = {
    ".json": Writer("json", "Native document, JSON.", to_json_bytes),
    ".yaml": Writer("yaml", "Native document, YAML.", to_yaml_bytes),
    ".yml": Writer("yaml", "Native document, YAML.", to_yaml_bytes),
}
"""Writers by file extension, lower case."""


def read_mapping(path: Path, *, expected: str = "a mapping with nodes and links") -> dict[str, Any]:
    """Read a file as plain data with the reader of its extension.

    Raises DocumentError: the file is missing, too large, no text, no mapping, or has a syntax error.
    """
    return READERS.get(path.suffix.lower(), _YAML).parse(read_content(path), str(path), expected)


def read_content(path: Path) -> bytes:
    """Return the content of a file. Raises DocumentError if it is missing or too large."""
    where = str(path)
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DocumentError(f"{size} bytes", where=where, expected=f"at most {MAX_FILE_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", where=where, hint=_near_files(path)) from error


def _near_files(path: Path) -> str:
    """Return a hint with files of similar names in the folder of a file that does not exist."""
    try:
        if path.exists():
            return ""
        files = islice(path.parent.iterdir(), MAX_FILES)
        return did_you_mean(path.name, (file.name for file in files if file.name[0] != "."))
    except FileNotFoundError:
        return f"there is no folder {str(path.parent)!r}"
    except (OSError, ValueError):
        return ""


def write_document(document: TopologyDocument, path: Path) -> None:
    """Write a document in canonical order with the writer of the extension.

    Raises DocumentError for an unknown extension.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        expected = f"an ending among {', '.join(WRITERS)}"
        raise DocumentError(f"no writer for {path.suffix!r}", where=str(path), expected=expected)
    path.write_bytes(writer.write(document))
