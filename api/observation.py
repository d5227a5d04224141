"""Request ids, one line of the log for each request, and its figures."""

from __future__ import annotations

import logging
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


class Observation:
    """Outermost ASGI middleware. It logs neither bodies, query texts nor headers.

    Args:
        app: application behind it.
        metrics: receives each request.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self._metrics = app, metrics

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
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            self._note(scope, status, perf_counter() - start_s)

    def _note(self, scope: Scope, status: int, duration_s: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.requested(route, status, duration_s)
        if route in QUIET and status < 500:
            return
        state = scope["state"]
        fields = {
            "request_id": state["request_id"],
            "method": scope["method"],
            "route": route,
            "status": status,
            "duration_s": round(duration_s, 4),
            "client": (scope.get("client") or ("",))[0],
            "key_name": state.get("key_name", ""),
        }
        LOG.info("request", extra=fields)
