"""Memory of a compute process: its use, and the limit that the operating system holds it to."""

from __future__ import annotations

import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
"""File of Linux with the memory of this process."""


def used_bytes() -> int:
    """Return the memory of this process that counts towards its limit; 0 where the system does not tell."""
    if not STATUS.exists():
        return 0
    fields = dict(line.split(":", 1) for line in STATUS.read_text().splitlines() if ":" in line)
    return int(fields["VmData"].split()[0]) * 1024


def limit_memory(max_bytes: int | None) -> None:
    """Limit what this process may allocate beyond what it has. An allocation beyond it raises MemoryError.

    max_bytes: the limit; None for none. Systems other than Linux have no such limit.
    """
    if max_bytes is None or sys.platform != "linux":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = used_bytes() + max_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))


def allow_more_memory() -> None:
    """Lift the limit of this process, so that it can report that it has reached it."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
