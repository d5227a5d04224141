"""Parent of compute processes: has imported and compiled everything, and is forked for each of them."""

from __future__ import annotations

import os
from multiprocessing import forkserver

SAFE_PATH = "PYTHONSAFEPATH"
"""Environment variable that keeps the current directory off the import path."""


def start_parent() -> None:
    """Start the process that compute processes are forked from, without the current directory on its import path.

    A folder `twin` there, as in a checkout, would be loaded in place of the installed package.
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before
