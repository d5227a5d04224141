"""No body is read beyond the limit, whether or not its length was announced."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware: whoever reads a body of more than `max_bytes` gets 413; an announced one is not even begun."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        n_announced = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 20 else 0
        n_read = 0

        async def counted() -> Message:
            nonlocal n_read
            if n_announced > self.max_bytes:
                raise self._too_large()
            message = await receive()
            if message["type"] == "http.request":
                n_read += len(message.get("body", b""))
                if n_read > self.max_bytes:
                    raise self._too_large()
            return message

        await self.app(scope, counted, send)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"the body is larger than {self.max_bytes} bytes; write fabrics instead of records")
