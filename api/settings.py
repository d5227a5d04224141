"""Settings of the service beside the bounds on questions."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BODY_BYTES = 8 * 1024 * 1024
MEMORY_GIB = 4.0
"""Memory that one compute process may take, by default."""


@dataclass(frozen=True)
class Settings:
    """Settings of the service.

    Attributes:
        n_processes: compute processes; 0 = threads of this process, without a memory limit.
        memory_gib: memory that one compute process may take beyond what it has at start.
    """

    n_processes: int = 0
    memory_gib: float = MEMORY_GIB
