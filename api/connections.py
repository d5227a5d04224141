"""Connections of the web server: slow ones are closed, and requests take turns so that monitors never wait long."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any, ClassVar, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .problems import problem_response

MAX_HEADER_S = 10.0
"""Time for the headers of a request to arrive, from its first byte or from the start of the connection; also for the
rest of a body after the answer, as an early refusal is."""
LINGER_S = 2.0
"""Time for which a closed connection still takes what its client sends, so that the client reads the answer."""
MAX_TURN_S = 0.004
"""Time for which requests are begun one after the other until the event loop looks for new ones."""
PROBES = tuple(f"{method} {path} ".encode() for method in ("GET", "HEAD") for path in ("/livez", "/readyz", "/metrics"))
"""First bytes of requests of monitors, which wait for no others."""


class LingeringTransport:
    """Transport that is closed in two steps while its client still sends.

    A socket that is closed with unread bytes is reset, and the client may then lose the answer. So the end of the
    answer is sent first, and what still arrives is taken for a while.

    Args:
        transport: transport of the socket.
        loop: event loop of the connection.
        is_sending: returns whether the client still sends.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, is_sending: Callable[[], bool]
    ) -> None:
        self._transport, self._loop, self._is_sending = transport, loop, is_sending
        self._is_lingering = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Return whether nothing is read or written any more."""
        return self._is_lingering or self._transport.is_closing()

    def close(self) -> None:
        """Close the connection, at once if the client sends nothing."""
        if self._is_lingering:
            return
        if self._transport.is_closing() or not self._transport.can_write_eof() or not self._is_sending():
            self._transport.close()
            return
        self._is_lingering = True
        self._transport.write_eof()
        self._transport.resume_reading()
        self._loop.call_later(LINGER_S, self._transport.close)


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
    _is_late = False
    """True once a header has not arrived in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        lingering = LingeringTransport(transport, self.loop, self._is_client_sending)
        super().connection_made(cast(asyncio.Transport, lingering))
        self._close_now = transport.close
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request. Its first part waits for its turn."""
        if self.transport.is_closing():
            return
        if self._waiting:  # more than a small request: the rest stays with the system until the turn
            self._waiting += data
            self.flow.pause_reading()
        elif self.conn.their_state is not h11.IDLE or data.startswith(PROBES):
            self._receive(data)
        else:
            self._waiting = data
            self._unset_keepalive_if_required()
            if not self._turns:
                self.loop.call_soon(self._begin_waiting)
            self._turns.append(self)

    def _begin_waiting(self) -> None:
        """Begin requests until the time of a turn is over; the others wait for the next one."""
        end_s = perf_counter() + MAX_TURN_S
        try:
            while self._turns:
                self._turns.popleft()._begin()
                if perf_counter() > end_s:
                    break
        finally:
            if self._turns:
                self.loop.call_soon(self._begin_waiting)

    def _begin(self) -> None:
        data, self._waiting = self._waiting, b""
        if data and not self.transport.is_closing():
            self.flow.resume_reading()
            try:
                self._receive(data)
            except Exception:
                self._close_now()  # as the event loop does where it calls; it reports the error
                raise

    def _receive(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """End a request. The rest of its body, and what came of the next header, have a bound on their time."""
        super().on_response_complete()
        if self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]:
            self._watch()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP. A request that is being answered ends; nothing follows an answer that has begun."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._stop()
        self._waiting = b""
        super().connection_lost(exc)

    def _is_client_sending(self) -> bool:
        return self._is_late or self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    def _watch(self) -> None:
        """Bound the time of a header, and of the rest of a body whose request has its answer."""
        is_answered = self.conn.our_state not in (h11.SEND_RESPONSE, h11.SEND_BODY)
        if self.conn.their_state is not h11.IDLE and not (self.conn.their_state is h11.SEND_BODY and is_answered):
            self._stop()
        elif self._slow is None and not self.transport.is_closing():
            self._slow = self.loop.call_later(MAX_HEADER_S, self._end_late)

    def _end_late(self) -> None:
        """Close a connection that is late; a header of which a part is there has an answer first."""
        self._slow = None
        if (
            self.conn.our_state is not h11.IDLE
            or self.conn.their_state is not h11.IDLE
            or not self.conn.trailing_data[0]
        ):
            self._close_now()
            return
        self._is_late = True
        answer = problem_response(
            408, f"the headers did not arrive in {MAX_HEADER_S:g} s", headers={"Connection": "close"}
        )
        head = h11.Response(status_code=408, headers=answer.raw_headers, reason=b"Request Timeout")
        for event in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _stop(self, *_: Any) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
