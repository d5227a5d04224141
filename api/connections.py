"""Connections of the web server: one whose request line and headers do not arrive in time is closed."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_HEADER_S = 10.0
"""Time for the headers of a request to arrive, from its first byte or from the start of the connection."""


class GuardedProtocol(H11Protocol):
    """HTTP protocol of uvicorn with a bound on the time that the headers of a request take."""

    _slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(transport)
        self._slow = self.loop.call_later(MAX_HEADER_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._slow is None:
            self._slow = self.loop.call_later(MAX_HEADER_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._stop()
        super().connection_lost(exc)

    def _stop(self, *_: Any) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
