"""Migrates older documents to the current version before validation; newer versions are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import DocumentError
from ..model.document import SCHEMA_VERSION

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Function from each version to the next one. Version 1 is the first."""


def migrate(data: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the same content at SCHEMA_VERSION; a missing version means 1.

    Raises DocumentError for an unknown version.
    """
    version = data.get("schema_version", 1)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise DocumentError(
            f"schema_version is {version!r}", where=where, expected=f"a whole number from 1 to {SCHEMA_VERSION}"
        )
    if version > SCHEMA_VERSION:
        raise DocumentError(
            f"schema_version {version} is newer than this program, which reads up to {SCHEMA_VERSION}",
            where=where,
            hint="update dc-twin, or save the document in the older version",
        )
    while version < SCHEMA_VERSION:
        data = MIGRATIONS[version](data)
        version += 1
    return data
