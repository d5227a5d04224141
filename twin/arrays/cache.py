"""The disk cache of compiled arrays; stale, foreign or broken files are ignored and rebuilt."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ..leftovers import remove_old_files
from ..model.document import TopologyDocument
from .cache_size import keep_within
from .columns import NetworkArrays, freeze

ARRAY_FORMAT = 11


def cache_folder() -> Path | None:
    """Return the folder of compiled arrays: TWIN_CACHE_DIR, else the user's cache folder.

    None if TWIN_CACHE_DIR is empty: arrays are not cached.
    """
    configured = os.environ.get("TWIN_CACHE_DIR")
    if configured is not None:
        return Path(configured) if configured else None
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "dc-twin"


def package_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("dc-twin")
    except PackageNotFoundError:
        return "0"


def cache_key(document: TopologyDocument, digests: Mapping[str, str]) -> str:
    """Return the SHA-256 of document, `digests` (catalogue, generators), array format, package and numpy version."""
    lines = [document.digest(), f"format {ARRAY_FORMAT}", package_version(), np.__version__]
    lines += [f"{name}={digests[name]}" for name in sorted(digests)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def save_arrays(arrays: NetworkArrays, key: str, folder: Path) -> None:
    """Write the arrays under their key atomically; a folder that cannot be written is ignored."""
    columns: dict[str, Any] = {}
    for spec in fields(arrays):
        value = getattr(arrays, spec.name)
        columns[spec.name] = np.frombuffer("\n".join(value).encode(), np.uint8) if isinstance(value, tuple) else value
    columns["key"] = np.frombuffer(key.encode(), np.uint8)
    columns["checksum"] = np.frombuffer(_checksum(columns).encode(), np.uint8)
    try:
        unfinished_folder = folder / "unfinished"
        unfinished_folder.mkdir(parents=True, exist_ok=True)
        remove_old_files(unfinished_folder, "*.tmp")
        descriptor, unfinished = tempfile.mkstemp(dir=unfinished_folder, suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                np.savez(file, **columns)
            n_bytes = Path(unfinished).stat().st_size
            Path(unfinished).replace(folder / f"{key}.npz")
        finally:
            Path(unfinished).unlink(missing_ok=True)
        keep_within(folder, n_bytes)
    except OSError:
        return


def load_arrays(key: str, folder: Path) -> NetworkArrays | None:
    """Return the arrays of a key; None if the file is missing or invalid."""
    try:
        with (folder / f"{key}.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            columns = {name: file[name] for name in file.files}
        checksum = bytes(columns.pop("checksum")).decode()
        if bytes(columns["key"]).decode() != key or checksum != _checksum(columns):
            return None
        del columns["key"]
        with suppress(OSError):
            (folder / f"{key}.npz").touch()
        values = {
            name: tuple(bytes(value).decode().split("\n")) if value.size else ()
            for name, value in columns.items()
            if value.dtype == np.uint8
        }
        return freeze(NetworkArrays(**{**columns, **values}))
    except Exception:  # numpy, zipfile and zlib raise many error types for a broken file
        return None


def _checksum(columns: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in sorted(columns):
        digest.update(f"{name} {columns[name].dtype} {columns[name].shape}".encode())
        digest.update(np.ascontiguousarray(columns[name]).tobytes())
    return digest.hexdigest()
