"""Settings of the service beside the bounds on questions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MAX_BODY_BYTES = 8 * 1024 * 1024
MEMORY_GIB = 4.0
"""Memory that one compute process may take, by default."""


@dataclass(frozen=True)
class Settings:
    """Settings of the service.

    Attributes:
        n_processes: compute processes; 0 = threads of this process, without a memory limit.
        memory_gib: memory that one compute process may take beyond what it has at start.
        keys: file of API keys; None = no key is needed.
        allowed_hosts: names that a request may state as its host; None = any.
        cors_origins: origins whose pages may ask from a browser; none = CORS is off.
        max_body_s: time for a request body to arrive; large bodies have more.
    """

    n_processes: int = 0
    memory_gib: float = MEMORY_GIB
    keys: Path | None = None
    allowed_hosts: tuple[str, ...] | None = None
    cors_origins: tuple[str, ...] = ()
    max_body_s: float = 10.0
