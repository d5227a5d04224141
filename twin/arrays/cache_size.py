"""Limit of the size of the array cache; all files are looked at once in many writes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ..leftovers import remove_old_files

MAX_CACHE_BYTES = 1 << 30
"""Maximum size of the folder; a network of 160,000 links takes about 40 MB."""
PRUNED_RATIO = 0.9
"""Share of the maximum that remains after files were deleted, so that the next writes delete none."""
MAX_WRITES = 1000
"""Writes after which all files are looked at again, whatever their size."""
JOURNAL = "written"
"""File with the size of the folder when it was last measured, then the size of each file written since, one a line."""


def keep_within(folder: Path, n_bytes: int) -> None:
    """Record a write, and delete the least recently used files if the folder is over MAX_CACHE_BYTES.

    folder: the cache folder. n_bytes: size of the file that was written.
    """
    sizes = _record(folder / JOURNAL, n_bytes)
    if sizes is None or len(sizes) > MAX_WRITES or sum(sizes) > MAX_CACHE_BYTES:
        total_bytes = _prune(folder)
        measured = folder / f"{JOURNAL}.{os.getpid()}.tmp"
        with suppress(OSError):
            measured.write_text(f"measured {total_bytes}\n")
            measured.replace(folder / JOURNAL)


def _record(journal: Path, n_bytes: int) -> list[int] | None:
    """Add a size to the journal; returns all its sizes, or None if it is new, damaged or cannot be written."""
    try:
        with journal.open("a") as file:  # one write of a short line is atomic, so several processes may record
            file.write(f"{n_bytes}\n")
        first, *others = journal.read_text(errors="replace").splitlines()
        return [int(first.removeprefix("measured ")), *map(int, others)] if first.startswith("measured ") else None
    except (OSError, ValueError):
        return None


def _prune(folder: Path) -> int:
    """Delete the least recently used files if the folder is over MAX_CACHE_BYTES; returns its size afterwards."""
    remove_old_files(folder, "*.tmp")
    files: list[tuple[float, int, str]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".npz"):
                with suppress(OSError):  # another process has just deleted it
                    info = entry.stat()
                    files.append((info.st_mtime, info.st_size, entry.path))
    total_bytes = sum(size for _, size, _ in files)
    if total_bytes <= MAX_CACHE_BYTES:
        return total_bytes
    for _, size, path in sorted(files):
        if total_bytes <= PRUNED_RATIO * MAX_CACHE_BYTES:
            break
        with suppress(OSError):
            Path(path).unlink(missing_ok=True)
            total_bytes -= size
    return total_bytes
