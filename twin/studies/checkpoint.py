"""Checkpoint of a study: its answers so far in a folder, so that an interrupted run goes on where it ended."""

from __future__ import annotations

import io
import os
import struct
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from ..arrays import package_version
from ..errors import ChangeError
from ..leftovers import remove_old_files
from ..seal import DIGEST_BYTES, opened, sealed
from .kept_parts import MIN_INTERVAL_S, WRITING_RATIO, KeptParts

FILE, JOB_FILE = "checkpoint.npz", "job.npz"
Columns = dict[str, np.ndarray]
END_OF_ZIP, END_BYTES = b"PK\5\6", 22
"""Start and length of the last record of a zip file without a comment; it ends with the length of the comment."""
DIGEST_LENGTH = struct.pack("<H", DIGEST_BYTES)
"""Length of the comment, which is the seal of all that is before it."""


class Place(Protocol):
    """Place of a checkpoint."""

    label: str
    """Name of the place for messages."""

    def read(self) -> bytes | None:
        """Return what is there; None if nothing is. Raises OSError."""

    def write(self, content: bytes) -> None:
        """Replace what is there at once. Raises OSError."""


class FolderPlace:
    """Folder of one question alone; it is made if there is none.

    Args:
        folder: the folder.
        file: name of the file in it.

    Raises:
        ChangeError: the folder cannot be made.
    """

    def __init__(self, folder: str | Path, file: str = FILE) -> None:
        self._folder = Path(folder)
        self._path = self._folder / file
        self.label = str(self._path)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(f"cannot make the folder {self._folder}: {error.strerror}", "name another folder") from error

    def read(self) -> bytes | None:
        """Return the file; None if there is none."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def write(self, content: bytes) -> None:
        """Write the file; it is always a whole one."""
        remove_old_files(self._folder, "*.tmp")
        descriptor, unfinished = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(unfinished).replace(self._path)
        finally:
            with suppress(FileNotFoundError):
                Path(unfinished).unlink()


class PartPlace:
    """Part that the caller of the study keeps."""

    def __init__(self, parts: KeptParts) -> None:
        self._parts, self._name = parts, parts.next_study()
        self.label = self._name

    def read(self) -> bytes | None:
        """Return the part of an earlier process."""
        return self._parts.found.get(self._name)

    def write(self, content: bytes) -> None:
        """Keep the part."""
        self._parts.write(self._name, content)


class Checkpoint:
    """Checkpoint of one question.

    Args:
        place: place of this question alone.
        question: network and question, for people.
        digest: digest of everything that the answers depend on, except the version of this package.
        first_save_s: time after which the first one is due.
    """

    def __init__(self, place: Place, question: str, digest: str, first_save_s: float = 0.0) -> None:
        self._place, self._question = place, question
        self._key = f"{digest} {package_version()} numpy {np.__version__}"
        self._next_s = perf_counter() + first_save_s

    def load(self, like: Mapping[str, np.ndarray] | None = None) -> Columns | None:
        """Return the answers so far; None if there is no checkpoint yet.

        Args:
            like: columns of the question, for their names, shapes and types; None = those differ from run to run.

        Raises:
            ChangeError: the checkpoint cannot be read, or is of another network, question or version.
        """
        label = self._place.label
        try:
            content = self._place.read()
        except OSError as error:
            raise _refused(f"cannot read {label}: {error.strerror}", "name another folder") from error
        if content is None:
            return None
        columns = _opened(content, label)
        question, key = (str(columns.pop(name)) for name in ("question", "key"))
        if question != self._question:
            raise _refused(f"{label} is of another question: {question}", "name another folder", self._question)
        if key != self._key:
            what = (
                f"{label} is of the same question ({question}), but of a network that has changed, or another version"
            )
            raise _refused(what, "name another folder, or remove it to begin anew")
        if like is not None and _shapes(columns) != _shapes(like):
            raise _refused(f"cannot read {label}: it lacks columns", "remove it to begin anew")
        return columns

    def save_if_due(self, columns: Mapping[str, np.ndarray]) -> None:
        """Save the answers so far if the last time is long enough ago."""
        if perf_counter() >= self._next_s:
            self.save(columns)

    def save(self, columns: Mapping[str, np.ndarray]) -> None:
        """Save the answers so far.

        Raises:
            ChangeError: it cannot be written.
        """
        start_s = perf_counter()
        content = io.BytesIO()
        np.savez(content, question=np.array(self._question), key=np.array(self._key), **columns)  # type: ignore[arg-type]
        try:
            self._place.write(_sealed(content.getvalue()))
        except OSError as error:
            raise _refused(f"cannot write {self._place.label}: {error.strerror}", "name another folder") from error
        now_s = perf_counter()
        self._next_s = now_s + max(MIN_INTERVAL_S, (now_s - start_s) / WRITING_RATIO)


def kept_in(folder: str | Path, question: str, digest: str) -> KeptParts:
    """Return a keeper of parts in a folder, with those of an interrupted run.

    Args:
        folder: folder of this question alone.
        question: network and question, for people.
        digest: digest of everything that the answers depend on, except the version of this package.

    Raises:
        ChangeError: the folder cannot be made or read, or is of another question.
    """
    checkpoint = Checkpoint(FolderPlace(folder, JOB_FILE), question, digest)
    columns = checkpoint.load() or {}

    def write(name: str, content: bytes) -> None:
        columns[name] = np.frombuffer(content, np.uint8)
        checkpoint.save(columns)

    return KeptParts({name: column.tobytes() for name, column in columns.items()}, write)


def _sealed(archive: bytes) -> bytes:
    """Return a zip file without a comment with its seal as its comment."""
    return sealed(archive[: -len(DIGEST_LENGTH)] + DIGEST_LENGTH)


def _opened(content: bytes, label: str) -> Columns:
    """Return the arrays of a sealed file. No byte of it is interpreted before the digest holds.

    Raises:
        ChangeError: the file is damaged, no checkpoint, or has no digest.
    """
    if content[-END_BYTES:].startswith(END_OF_ZIP) and content.endswith(b"\0\0"):
        what = f"cannot read {label}: it is of another version, or edited: it lacks a digest of its content"
        raise _refused(what, "name another folder, or remove it to begin anew")
    if opened(content) is None:
        raise _refused(f"cannot read {label}: it is damaged, or no checkpoint", "remove it to begin anew")
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _shapes(columns: Mapping[str, np.ndarray]) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
    return {name: (column.dtype, column.shape) for name, column in columns.items()}


def _refused(what: str, hint: str, expected: str = "") -> ChangeError:
    return ChangeError(what, where="checkpoint", expected=expected, hint=hint)
