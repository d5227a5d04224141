"""Checkpoint of a study: its answers so far in a folder, so that an interrupted run goes on where it ended."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ..arrays import package_version
from ..errors import ChangeError
from ..leftovers import remove_old_files

FILE = "checkpoint.npz"
MIN_INTERVAL_S = 2.0
"""Least time between two checkpoints of a run."""
WRITING_RATIO = 0.05
"""Largest share of time that writing takes."""

Columns = dict[str, np.ndarray]


class Checkpoint:
    """Checkpoint of one question in a folder."""

    def __init__(self, folder: str | Path, question: str, digest: str) -> None:
        """Make the folder if there is none.

        Args:
            folder: folder of this question alone.
            question: network and question, for people.
            digest: digest of everything that the answers depend on, except the version of this package.

        Raises:
            ChangeError: the folder cannot be made.
        """
        self._folder, self._question = Path(folder), question
        self._key = f"{digest} {package_version()} numpy {np.__version__}"
        self._next_s = 0.0
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(f"cannot make the folder {self._folder}: {error.strerror}", "name another folder") from error

    @property
    def path(self) -> Path:
        """The file."""
        return self._folder / FILE

    def load(self, like: Mapping[str, np.ndarray]) -> Columns | None:
        """Return the answers so far; None if there is no checkpoint yet.

        Args:
            like: columns of the question, for their names, shapes and types.

        Raises:
            ChangeError: the checkpoint cannot be read, or is of another network, question or version.
        """
        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                columns = {name: file[name] for name in file.files}
                question, key = (str(columns.pop(name)) for name in ("question", "key"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            why = getattr(error, "strerror", None) or "it is damaged, or no checkpoint"
            raise _refused(f"cannot read {self.path}: {why}", "remove it to begin anew") from error
        if question != self._question:
            raise _refused(f"{self.path} is of another question: {question}", "name another folder", self._question)
        if key == self._key and _shapes(columns) != _shapes(like):
            raise _refused(f"cannot read {self.path}: it lacks columns", "remove it to begin anew")
        if key != self._key:
            what = f"{self.path} is of a {question} that had other links, demands or failures, or of another version"
            raise _refused(what, "name another folder, or remove it to begin anew")
        return columns

    def save_if_due(self, columns: Mapping[str, np.ndarray]) -> None:
        """Save the answers so far if the last time is long enough ago."""
        if perf_counter() >= self._next_s:
            self.save(columns)

    def save(self, columns: Mapping[str, np.ndarray]) -> None:
        """Save the answers so far; the file is always a whole one.

        Raises:
            ChangeError: the file cannot be written.
        """
        start_s = perf_counter()
        try:
            remove_old_files(self._folder, "*.tmp")
            descriptor, unfinished = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    np.savez(file, question=np.array(self._question), key=np.array(self._key), **columns)  # type: ignore[arg-type]
                Path(unfinished).replace(self.path)
            finally:
                with suppress(FileNotFoundError):
                    Path(unfinished).unlink()
        except OSError as error:
            raise _refused(f"cannot write {self.path}: {error.strerror}", "name another folder") from error
        now_s = perf_counter()
        self._next_s = now_s + max(MIN_INTERVAL_S, (now_s - start_s) / WRITING_RATIO)


def _shapes(columns: Mapping[str, np.ndarray]) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
    return {name: (column.dtype, column.shape) for name, column in columns.items()}


def _refused(what: str, hint: str, expected: str = "") -> ChangeError:
    return ChangeError(what, where="checkpoint", expected=expected, hint=hint)
