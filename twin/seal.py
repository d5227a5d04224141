"""Seal of bytes that outlive a process: a digest at their end, so that damage is noticed before anything is read."""

from __future__ import annotations

import hashlib

DIGEST_BYTES = 64
"""Length of the digest: a SHA-256 as hexadecimal digits."""


def sealed(content: bytes, about: str = "") -> bytes:
    """Return bytes with the digest of them at their end.

    Args:
        content: the bytes.
        about: what they are about; the digest covers it, too, so that they are not taken for others.
    """
    return content + _digest(content, about)


def opened(kept: bytes, about: str = "") -> bytes | None:
    """Return the bytes under a seal; None if they are damaged, have no seal, or are about something else.

    Args:
        kept: bytes with a digest at their end.
        about: what they should be about.
    """
    content = kept[:-DIGEST_BYTES]
    return content if kept[-DIGEST_BYTES:] == _digest(content, about) else None


def _digest(content: bytes, about: str) -> bytes:
    digest = hashlib.sha256(content)
    digest.update(about.encode())
    return digest.hexdigest().encode()
