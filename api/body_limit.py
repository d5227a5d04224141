"""The limit on the size of a request body, with or without a Content-Length header."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware that answers a request with status 413 if its body has more than `max_bytes`.

    A body with a Content-Length header is refused before it is read.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count the bytes of its body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        content_length = Headers(scope=scope).get("content-length", "")
        is_number = content_length.isascii() and content_length.isdigit() and len(content_length) < 20
        n_bytes_declared = int(content_length) if is_number else 0
        n_bytes_read = 0

        async def receive_and_count() -> Message:
            nonlocal n_bytes_read
            if n_bytes_declared > self.max_bytes:
                raise self._too_large()
            message = await receive()
            if message["type"] == "http.request":
                n_bytes_read += len(message.get("body", b""))
                if n_bytes_read > self.max_bytes:
                    raise self._too_large()
            return message

        await self.app(scope, receive_and_count, send)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"the body is larger than {self.max_bytes} bytes; write fabrics instead of records")
