"""Writes OTDR traces in the SR-4731 format, versions 1 and 2, with the blocks that a reader of losses needs."""

from __future__ import annotations

import struct
from collections.abc import Sequence

C_KM_PER_S = 299_792.458


def text(value: str) -> bytes:
    return value.encode("latin-1") + b"\0"


def otdr_file(
    *,
    fibre: str = "wan",
    cable: str = "",
    locations: tuple[str, str] = ("", ""),
    wavelength_nm: float = 1550.0,
    unix_s: int = 1_790_000_000,
    index: float = 1.4682,
    total_db: float = 13.5,
    events: Sequence[tuple[float, float, float, str]] = ((30.0, 0.2, 0.1, "0F9999LS"), (60.0, 0.21, 0.0, "1E9999LS")),
    version: int = 2,
) -> bytes:
    """A file; an event is (distance in km, slope before it in dB/km, its loss in dB, code)."""
    second = version == 2
    general = b"EN" + text(cable) + text(fibre) + (struct.pack("<H", 652) if second else b"")
    general += struct.pack("<H", round(wavelength_nm)) + text(locations[0]) + text(locations[1])
    general += text("") + b"BC" + struct.pack("<i", 0) * (2 if second else 1) + text("somebody") + text("")
    fixed = struct.pack("<I", unix_s) + b"km" + struct.pack("<H", round(wavelength_nm * 10))
    fixed += struct.pack("<i", 0) * (2 if second else 1) + struct.pack("<HHII", 1, 100, 5000, 4)
    fixed += struct.pack("<I", round(index * 1e5)) + bytes(30)
    per_km = index / C_KM_PER_S * 1e10
    found = struct.pack("<H", len(events))
    for i, (km, slope, splice, code) in enumerate(events):
        found += struct.pack("<HIhhi", i + 1, round(km * per_km), round(slope * 1e3), round(splice * 1e3), -50_000)
        found += code.encode() + (bytes(20) if second else b"") + text("")
    last = round(events[-1][0] * per_km) if events else 0
    found += struct.pack("<iiIHiI", round(total_db * 1e3), 0, last, 30_000, 0, last)
    blocks = {"GenParams": general, "FxdParams": fixed, "KeyEvents": found, "DataPts": bytes(8)}
    if second:
        blocks = {name: text(name) + body for name, body in blocks.items()}
    entries = b"".join(text(name) + struct.pack("<HI", 100 * version, len(body)) for name, body in blocks.items())
    head = text("Map") if second else b""
    size = len(head) + 8 + len(entries)
    return head + struct.pack("<HIH", 100 * version, size, len(blocks) + 1) + entries + b"".join(blocks.values())
