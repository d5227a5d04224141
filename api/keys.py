"""API keys: a file with a name, a scope and a digest of each. The keys themselves are nowhere."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from twin.errors import DocumentError, did_you_mean

SCOPES = ("read", "write")
NAME = re.compile(r"[a-z0-9._-]{1,64}")
PREFIX = "twin_"
"""Start of every key, so that scanners of secrets find it."""


class ApiKey(NamedTuple):
    """Name, scope and digest of one key."""

    name: str
    scope: str
    sha256: str
    """Digest of the key. A random key of 256 bits needs no slow hash."""


def read_keys(file: Path) -> tuple[ApiKey, ...]:
    """Read a file of keys: one JSON object a line.

    Raises:
        DocumentError: the file cannot be read, or a line is no key.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError("cannot be read", where=str(file), hint="twin keys add NAME --file FILE") from error
    keys = [_key(line, f"{file}: line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not keys:
        raise DocumentError("has no keys", where=str(file), hint="twin keys add NAME --file FILE")
    return tuple(keys)


def _key(line: str, where: str) -> ApiKey:
    try:
        key = ApiKey(**json.loads(line))
        is_key = key.scope in SCOPES and re.fullmatch("[0-9a-f]{64}", key.sha256) and NAME.fullmatch(key.name)
    except (ValueError, TypeError):
        is_key = None
    if not is_key:
        raise DocumentError("is no key", where=where, hint="twin keys add NAME --file FILE")
    return key


def add_key(file: Path, name: str, scope: str) -> str:
    """Add a key to a file, and return it. It is stored nowhere.

    Args:
        file: file of keys; it is made if it is missing, for its owner alone.
        name: name of the key, as it stands in logs.
        scope: read or write.

    Raises:
        DocumentError: bad name or scope, or the name is taken.
    """
    if scope not in SCOPES:
        expected = f"one of {', '.join(SCOPES)}"
        raise DocumentError(f"no scope {scope!r}", where="scope", expected=expected, hint=did_you_mean(scope, SCOPES))
    if not NAME.fullmatch(name):
        raise DocumentError(
            f"{name!r} is no name of a key", where="name", expected="1 to 64 of a-z, 0-9, `.`, `_`, `-`"
        )
    known: Iterable[ApiKey] = read_keys(file) if file.exists() and file.stat().st_size else ()
    if any(key.name == name for key in known):
        raise DocumentError(f"a key {name!r} exists", where="name", hint=f"remove its line from {file} first")
    secret = PREFIX + secrets.token_urlsafe(32)
    line = json.dumps(ApiKey(name, scope, _digest(secret))._asdict()) + "\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(line)
    return secret


def key_of(secret: str, keys: Mapping[str, ApiKey]) -> ApiKey | None:
    """Return the key that a client presents; None if it is unknown.

    Args:
        secret: text after `Bearer`.
        keys: keys by digest. To look up a digest tells a client nothing about a key.
    """
    return keys.get(_digest(secret))


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
