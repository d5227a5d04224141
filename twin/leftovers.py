"""Removal of unfinished files that a killed process left behind in a cache folder."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

MIN_AGE_S = 3600.0
"""Age from which an unfinished file counts as left behind; no process writes one file for so long."""


def remove_old_files(folder: Path, pattern: str, min_age_s: float = MIN_AGE_S) -> None:
    """Remove the files of a folder that match a glob and have not been written to for some time.

    A file that cannot be removed stays. A missing folder is no error.
    """
    newest_s = time.time() - min_age_s
    with suppress(OSError):
        for path in list(folder.glob(pattern)):
            with suppress(OSError):
                if path.stat().st_mtime < newest_s:
                    path.unlink()
