"""Entity tags: the revision of a stored network as ETag, If-Match and If-None-Match (RFC 9110, section 13)."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header

from twin.errors import DocumentError
from twin.store.records import ANY, Condition

TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')
MAX_HEADER = 8192
IfMatch = Annotated[str | None, Header(description="Revision that is expected before, as its ETag; `*` = any.")]
IfNoneMatch = Annotated[str | None, Header(description="Revisions as ETags; `*` = any.")]


def etag(revision: str) -> str:
    """Return the ETag of a revision."""
    return f'"{revision}"'


def revisions_of(header: str | None, name: str, *, strong: bool) -> frozenset[str] | None:
    """Return the revisions in a header; None without the header.

    Args:
        header: value of the header.
        name: name of the header, for messages.
        strong: whether weak tags match nothing.

    Raises:
        DocumentError: the header is no list of entity tags.
    """
    if header is None:
        return None
    if header.strip() == "*":
        return ANY
    found, at = set(), 0
    while at < len(header) <= MAX_HEADER:
        tag = TAG.match(header, at)
        if tag is None:
            break
        at = tag.end()
        if not (strong and tag[1]):
            found.add(tag[2])
    if at < len(header) or not header:
        raise DocumentError(
            "is no list of entity tags", where=f"header.{name}", expected='`*`, or ETags in quotes: "…"'
        )
    return frozenset(found - ANY)


async def _condition(if_match: IfMatch = None, if_none_match: IfNoneMatch = None) -> Condition:
    """Return the condition of a write."""
    return Condition(
        revisions_of(if_match, "If-Match", strong=True), revisions_of(if_none_match, "If-None-Match", strong=False)
    )


WriteCondition = Annotated[Condition, Depends(_condition)]
