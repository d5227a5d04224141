"""The raw body of a request, which endpoints read themselves, and the content types that they accept."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

UNSUPPORTED_MEDIA_TYPE = 415
FORM = "application/x-www-form-urlencoded"
"""Type that `curl -d` states for any text."""


async def _body(request: Request) -> bytes:
    """Return the raw body, which must not be compressed. Raises HTTPException with status 415."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        detail = f"Content-Encoding {encoding[:100]!r}: a body is sent without compression"
        raise HTTPException(UNSUPPORTED_MEDIA_TYPE, detail, {"Accept-Encoding": "identity"})
    return await request.body()


async def _json_body(request: Request) -> bytes:
    """Return the raw body of a type that may hold JSON. Raises HTTPException with status 415 for another."""
    stated = request.headers.get("content-type", "")
    media_type = stated.partition(";")[0].strip().lower()
    if media_type not in ("", "application/json", FORM) and not media_type.endswith("+json"):
        detail = f"Content-Type {stated[:100]!r}: the body is JSON, so send application/json, or no Content-Type"
        raise HTTPException(UNSUPPORTED_MEDIA_TYPE, detail, {"Accept": "application/json"})
    return await _body(request)


Body = Annotated[bytes, Depends(_body)]
JsonBody = Annotated[bytes, Depends(_json_body)]
