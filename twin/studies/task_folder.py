"""Temporary folder of a study in several processes, and removal of folders whose process was killed."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ..leftovers import MIN_AGE_S

PREFIX = "twin-study-"
LOCK = "lock"
"""File that the process of the study keeps locked; the system unlocks it when the process ends for any reason."""
LOCK_DELAY_S = 10.0
"""Age from which a folder whose file is not locked is abandoned; before, its process may be about to lock it."""


@contextmanager
def task_folder() -> Iterator[Path]:
    """Make a temporary folder and remove it at the end. Folders of killed processes are removed first."""
    remove_abandoned(Path(tempfile.gettempdir()))
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder,
        Path(folder, LOCK).open("wb") as file,
    ):
        _lock(file)
        yield Path(folder)


def remove_abandoned(parent: Path) -> None:
    """Remove the study folders whose process has ended."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # of another user, or removed by another process
            if _is_abandoned(folder, time.time() - folder.stat(follow_symlinks=False).st_mtime):
                shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path, age_s: float) -> bool:
    """Return whether the process of a folder has ended; a folder without a lock may be that of another version."""
    try:
        with (folder / LOCK).open("rb+") as file:
            return age_s > LOCK_DELAY_S and _lock(file)
    except FileNotFoundError:
        return age_s > MIN_AGE_S


def _lock(file: IO[bytes]) -> bool:
    """Lock a file until it is closed; False if another process has locked it, or the system cannot lock files."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
