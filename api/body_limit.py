"""Limits on the size of a request body, with or without a Content-Length header, and on the time it takes to arrive."""

from __future__ import annotations

import asyncio
from time import monotonic

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MIN_BYTES_PER_S = 64 * 1024
"""Rate of a body that arrives slowly but steadily; its bytes add to the time that it may take."""


class BodyLimit:
    """ASGI middleware that answers a request with 413 if its body has more than `max_bytes`, with 408 if it is late.

    A body with a Content-Length header is refused before it is read.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_s: float) -> None:
        self.app = app
        self.max_bytes, self.max_s = max_bytes, max_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count the bytes of its body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        content_length = Headers(scope=scope).get("content-length", "")
        is_number = content_length.isascii() and content_length.isdigit() and len(content_length) < 20
        n_bytes_declared = int(content_length) if is_number else 0
        n_bytes_read = 0
        start_s, is_whole = monotonic(), False

        async def receive_and_count() -> Message:
            nonlocal n_bytes_read, is_whole
            if n_bytes_declared > self.max_bytes:
                raise self._too_large()
            left_s = start_s + self.max_s + n_bytes_read / MIN_BYTES_PER_S - monotonic()
            try:
                async with asyncio.timeout(None if is_whole else max(left_s, 0.0)):
                    message = await receive()
            except TimeoutError:
                raise self._too_late() from None
            if message["type"] == "http.request":
                n_bytes_read += len(message.get("body", b""))
                is_whole = not message.get("more_body", False)
                if n_bytes_read > self.max_bytes:
                    raise self._too_large()
            return message

        await self.app(scope, receive_and_count, send)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"the body is larger than {self.max_bytes} bytes; write fabrics instead of records")

    def _too_late(self) -> HTTPException:
        detail = f"the body did not arrive in {self.max_s:g} s"
        return HTTPException(408, detail, headers={"Connection": "close"})
