"""Files and posted bodies: reading, did-you-mean errors, migrations of old versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import DocumentError
from ..model.document import TopologyDocument
from .native import json_of, parse_document, parse_json, parse_yaml, yaml_of
from .readers import Reader, Writer

__all__ = ["READERS", "WRITERS", "Reader", "Writer", "parse_document", "read_mapping", "write_document"]

MAX_FILE_BYTES = 64 * 1024 * 1024

_YAML = Reader("yaml", "Native document, YAML.", parse_yaml)
READERS: dict[str, Reader] = {
    ".json": Reader("json", "Native document, JSON.", parse_json),
    ".yaml": _YAML,
    ".yml": _YAML,
}
"""By ending, in small letters. A file with any other ending is read as YAML."""

WRITERS: dict[str, Writer] = {
    ".json": Writer("json", "Native document, JSON.", json_of),
    ".yaml": Writer("yaml", "Native document, YAML.", yaml_of),
    ".yml": Writer("yaml", "Native document, YAML.", yaml_of),
}
"""By ending, in small letters."""


def read_mapping(path: Path, *, expected: str = "a mapping with nodes and links") -> dict[str, Any]:
    """A file as plain data, by the reader of its ending.

    Raises DocumentError: missing, too large, not text, not a mapping, broken.
    """
    where = str(path)
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DocumentError(f"{size} bytes", where=where, expected=f"at most {MAX_FILE_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", where=where) from error
    return READERS.get(path.suffix.lower(), _YAML).parse(content, where, expected)


def write_document(document: TopologyDocument, path: Path) -> None:
    """Save a document in canonical order, by the writer of the ending. Raises DocumentError for an unknown ending."""
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        expected = f"an ending among {', '.join(WRITERS)}"
        raise DocumentError(f"no writer for {path.suffix!r}", where=str(path), expected=expected)
    path.write_bytes(writer.write(document))
