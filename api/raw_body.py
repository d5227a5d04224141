"""The raw body of a request, which endpoints read themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request


async def _body(request: Request) -> bytes:
    """Return the raw body. It is read as JSON for any content type."""
    return await request.body()


Body = Annotated[bytes, Depends(_body)]
