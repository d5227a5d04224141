"""Writes a legacy Excel file: a bare BIFF5 stream, as old programs wrote it, with texts and numbers."""

from __future__ import annotations

import struct
from pathlib import Path

GLOBALS, WORKSHEET, BIFF5 = 0x05, 0x10, 0x0500


def write_xls(path: Path, sheets: dict[str, list[list[object]]]) -> None:
    """Write sheets of texts and numbers; empty texts are no cells."""
    bodies = [_begin(WORKSHEET) + b"".join(_cells(rows)) + _record(0x0A) for rows in sheets.values()]
    names = [name.encode("latin-1") for name in sheets]
    head = _begin(GLOBALS) + _record(0x42, struct.pack("<H", 1252))
    at = len(head) + sum(4 + 7 + len(name) for name in names) + 4
    for name, body in zip(names, bodies, strict=True):
        head += _record(0x85, struct.pack("<IBBB", at, 0, 0, len(name)) + name)
        at += len(body)
    path.write_bytes(head + _record(0x0A) + b"".join(bodies))


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _begin(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHH", BIFF5, kind, 0, 0))


def _cells(rows: list[list[object]]) -> list[bytes]:
    found = []
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            if isinstance(cell, int | float):
                found.append(_record(0x0203, struct.pack("<HHHd", y, x, 0, cell)))
            elif cell:
                text = str(cell).encode("cp1252")
                found.append(_record(0x0204, struct.pack("<HHHH", y, x, 0, len(text)) + text))
    return found
