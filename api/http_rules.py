"""Rules of HTTP that hold for every path: HEAD, repeated headers, and bodies that were not asked for."""

from __future__ import annotations

from collections import Counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware, IdentityResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twin.errors import DocumentError, Issue

from .problems import problem_of
from .weights import weights_of

SINGLE_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "Origin")
"""Headers that the service reads and that hold one value."""
LIST_HEADERS = ("Accept", "Accept-Encoding", "Content-Encoding", "Expect", "If-Match", "If-None-Match")
"""Headers that the service reads and that hold a list; several lines are one list (RFC 9110, section 5.3)."""


class HeadAsGet:
    """ASGI middleware that answers HEAD with the headers of GET.

    Args:
        app: application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_start(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body"})  # a stream of events would not end by itself

        await self.app({**scope, "method": "GET"}, receive, send_start)


class HeaderLines:
    """ASGI middleware that joins the lines of a list, and refuses a header of one value that is there twice.

    Args:
        app: application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with at most one line of each header that the service reads."""
        names = [name for name, _ in scope["headers"]] if scope["type"] == "http" else []
        if len(set(names)) == len(names):
            await self.app(scope, receive, send)
            return
        n_lines = Counter(name.decode("latin-1") for name in names)
        issues = [
            Issue(f"header.{name}", f"is there {n_lines[name.lower()]} times", "give it once")
            for name in SINGLE_HEADERS
            if n_lines[name.lower()] > 1
        ]
        if issues:
            error = DocumentError(str(issues[0]), where="headers", found=issues)
            await problem_of(error)(scope, receive, send)
            return
        scope["headers"] = _joined(scope["headers"])
        await self.app(scope, receive, send)


class Compression(GZipMiddleware):
    """ASGI middleware that compresses answers for clients that prefer gzip, or take it as readily as none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with gzip if it is accepted."""
        if scope["type"] != "http" or _is_gzip_accepted(Headers(scope=scope).get("accept-encoding", "")):
            await super().__call__(scope, receive, send)
            return
        plain = IdentityResponder(self.app, self.minimum_size, exclude_content_types=self.exclude_content_types)
        await plain(scope, receive, send)


def _is_gzip_accepted(accept_encoding: str) -> bool:
    """Return whether gzip has a weight above zero, and not below that of an answer without compression."""
    weights = weights_of(accept_encoding)
    gzip = weights.get("gzip", 0.0)
    return gzip > 0.0 and gzip >= weights.get("identity", 0.0)


def _joined(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return headers with one line for each list."""
    lists = {name.lower().encode() for name in LIST_HEADERS}
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in lists:
            values.setdefault(name, []).append(value)
    others = [(name, value) for name, value in headers if name not in lists]
    return others + [(name, b", ".join(line for line in lines if line.strip())) for name, lines in values.items()]


class ExpectedBody:
    """ASGI middleware for clients that wait for permission to send a body (`Expect: 100-continue`).

    The server gives it when the body is first read. An answer before that closes the connection, because the client
    sends either the body or its next request, and the server cannot tell which.

    Args:
        app: application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or Headers(scope=scope).get("expect", "").lower() != "100-continue":
            await self.app(scope, receive, send)
            return
        is_read = False

        async def receive_and_note() -> Message:
            nonlocal is_read
            is_read = True
            return await receive()

        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_read:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self.app(scope, receive_and_note, send_and_close)
