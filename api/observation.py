"""Request ids, one line of the log for each request, and its figures."""

from __future__ import annotations

import logging
import math
import re
import secrets
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import Metrics

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LOG = logging.getLogger("twin.api")
QUIET = ("/livez", "/readyz", "/metrics")
"""Paths that monitors ask every few seconds; their requests are not logged."""
NO_ROOM = "no_room"
"""Mark of the state of a request that was refused because too many wait."""
SPENT = "spent"
"""Name in the state of a request for the time that its question took in the queue and in a compute process."""
REFUSALS_S = 1.0
"""Least time between two lines of the log about such requests; /metrics counts them all."""


class _Refusals:
    """Refusals that one line of the log stands for, because thousands may come in a second."""

    def __init__(self) -> None:
        self._n, self._last_s = 0, -math.inf

    def is_due(self) -> bool:
        """Count a refusal, and return whether it is time for a line."""
        self._n += 1
        return perf_counter() - self._last_s >= REFUSALS_S

    def counted(self) -> int:
        """Return the refusals since the last line."""
        n, self._n, self._last_s = self._n, 0, perf_counter()
        return n


class Observation:
    """Outermost ASGI middleware. It logs neither bodies, query texts nor headers.

    Args:
        app: application behind it.
        metrics: receives each request.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self._metrics, self._refusals = app, metrics, _Refusals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its id, and note its end."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stated = Headers(scope=scope).get("x-request-id", "")
        request_id = stated if REQUEST_ID.fullmatch(stated) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        start_s, status = perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                spent = scope["state"].get(SPENT)
                if spent is not None:
                    rows = (*zip(("queue", "work"), spent, strict=True), ("total", perf_counter() - start_s))
                    headers["Server-Timing"] = ", ".join(f"{name};dur={1e3 * time_s:.1f}" for name, time_s in rows)
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            self._note(scope, status, perf_counter() - start_s)

    def _note(self, scope: Scope, status: int, duration_s: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.requested(route, status, duration_s)
        state = scope["state"]
        if route in QUIET and status < 500:
            return
        if NO_ROOM in state and not self._refusals.is_due():
            return
        fields = {
            "request_id": state["request_id"],
            "method": scope["method"],
            "route": route,
            "status": status,
            "duration_s": round(duration_s, 4),
            "client": (scope.get("client") or ("",))[0],
            "key_name": state.get("key_name", ""),
        }
        spent = state.get(SPENT)
        if spent is not None:
            fields |= {"queue_s": round(spent.queue_s, 4), "work_s": round(spent.work_s, 4)}
        if NO_ROOM in state:
            fields["n_refused"] = self._refusals.counted()
        LOG.info("request", extra=fields)
