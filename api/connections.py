"""Connections of the web server: slow ones are closed, and requests take turns so that monitors never wait long."""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_HEADER_S = 10.0
"""Time for the headers of a request to arrive, from its first byte or from the start of the connection."""
MAX_TURN_S = 0.004
"""Time for which requests are begun one after the other until the event loop looks for new ones."""
PROBES = (b"GET /livez ", b"GET /readyz ", b"GET /metrics ")
"""First bytes of requests of monitors, which wait for no others."""


class GuardedProtocol(H11Protocol):
    """HTTP protocol of uvicorn with a bound on the time that the headers of a request take.

    A thousand requests that arrive at once take the event loop for some tenths of a second. So they are begun a few at
    a time, and requests of monitors before all others.
    """

    _turns: ClassVar[deque[GuardedProtocol]] = deque()
    """Connections of the process with a request to begin."""
    _slow: asyncio.TimerHandle | None = None
    _waiting: bytes = b""
    """Bytes of a request to begin."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(transport)
        self._slow = self.loop.call_later(MAX_HEADER_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request. Its first part waits for its turn."""
        if self._waiting:  # more than a small request: the rest stays with the system until the turn
            self._waiting += data
            self.flow.pause_reading()
        elif self.conn.their_state is not h11.IDLE or data.startswith(PROBES):
            self._receive(data)
        else:
            self._waiting = data
            if not self._turns:
                self.loop.call_soon(self._begin_waiting)
            self._turns.append(self)

    def _begin_waiting(self) -> None:
        """Begin requests until the time of a turn is over; the others wait for the next one."""
        end_s = perf_counter() + MAX_TURN_S
        while self._turns:
            self._turns[0]._begin()
            self._turns.popleft()
            if perf_counter() > end_s:
                break
        if self._turns:
            self.loop.call_soon(self._begin_waiting)

    def _begin(self) -> None:
        data, self._waiting = self._waiting, b""
        if data and not self.transport.is_closing():
            self.flow.resume_reading()
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._slow is None:
            self._slow = self.loop.call_later(MAX_HEADER_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._stop()
        self._waiting = b""
        super().connection_lost(exc)

    def _stop(self, *_: Any) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
