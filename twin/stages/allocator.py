"""Settings of the C library's memory allocator for work that makes and frees the same large arrays again and again."""

from __future__ import annotations

import ctypes
import os
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of `mallopt`, from glibc's malloc.h."""
KEPT_BYTES = 256 * 1024 * 1024
"""Freed memory that a process keeps for its next arrays."""
LARGEST_KEPT_BYTES = 32 * 1024 * 1024
"""Largest array whose memory is kept, the most that glibc accepts."""


@cache
def keep_freed_memory() -> bool:
    """Let the process keep freed arrays up to KEPT_BYTES instead of returning each to the system.

    A returned array costs a page fault for every 4 KiB when it is made again: 40 % of the time of a what-if of
    164,000 links. Settings of the user, `MALLOC_..._` in the environment, come first.

    Returns:
        True where the settings were made; False where the user made some or the C library is not glibc.
    """
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # Windows, macOS
        return False
    trims_late: bool = set_option(M_TRIM_THRESHOLD, KEPT_BYTES) == 1
    keeps_large: bool = set_option(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES) == 1
    return trims_late and keeps_large
