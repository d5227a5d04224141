"""Access to the service: names of the host that it answers to, and API keys."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from fastapi import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .keys import ApiKey, key_of
from .problems import problem_response
from .questions.table import QUESTION_BY_PATH

OPEN = ("/livez", "/readyz", "/metrics")
"""Paths that need no key."""
ANY_HOST = ("/livez", "/readyz")
"""Paths that monitors may ask by address."""
BATCH_PATH = "/v1/runs/batch"
CANCEL_PATH = re.compile("/v1/runs/[^/]+/cancel")
READING_METHODS = ("GET", "HEAD", "OPTIONS")


class HostCheck:
    """ASGI middleware that refuses requests for other hosts, so that no web page can ask by a name of its own.

    Args:
        app: application behind it.
        allowed: names and addresses, without ports.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self.app, self._allowed = app, frozenset(name.lower() for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if its host is allowed."""
        is_checked = scope["type"] == "http" and scope["path"] not in ANY_HOST
        if is_checked and _host_name(Headers(scope=scope).get("host", "")) not in self._allowed:
            detail = "the service does not answer to this host name; --allowed-hosts names those that it does"
            await problem_response(421, detail)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _host_name(host: str) -> str:
    """Return the name in a Host header, without the port: `[::1]:80` -> ::1."""
    host = host.lower()
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


class OriginCheck:
    """ASGI middleware that refuses writes and questions which a page of another site sends from a user's browser.

    Browsers send such requests with the user's credentials, and to services that listen on the loopback address alone.

    Args:
        app: application behind it.
        allowed: origins whose pages may ask.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str] = ()) -> None:
        self.app, self._allowed = app, frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless a page of another site sends it."""
        if (
            scope["type"] == "http"
            and scope["method"] not in READING_METHODS
            and self._is_foreign(Headers(scope=scope))
        ):
            detail = "a page of another site sent this request; --cors-origin names those that may ask"
            await problem_response(403, detail)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") == "cross-site"
        return origin not in self._allowed and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


class KeyCheck:
    """ASGI middleware that asks for an API key. A key of scope `read` asks questions, one of scope `write` stores, too.

    Args:
        app: application behind it.
        keys: known keys.
    """

    def __init__(self, app: ASGIApp, keys: Iterable[ApiKey]) -> None:
        self.app, self._keys = app, {key.sha256: key for key in keys}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if its key allows it."""
        if scope["type"] == "http" and scope["path"] not in OPEN and not _is_preflight(scope):
            refusal = self._refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        key = key_of(_secret(Headers(scope=scope).get("authorization", "")), self._keys)
        if key is None:
            detail = "a request needs a known API key: Authorization: Bearer KEY, or the key as password in a browser"
            is_page = not scope["path"].startswith("/v1/")
            challenge = 'Basic realm="dc-twin: any name, and an API key as password"' if is_page else "Bearer"
            return problem_response(401, detail, headers={"WWW-Authenticate": challenge})
        scope.setdefault("state", {}).update(key_name=key.name, may_write=key.scope == "write")
        if key.scope == "read" and not _only_reads(scope["method"], scope["path"]):
            return problem_response(403, f"the key {key.name} may only read; this request needs one with scope write")
        return None


def _secret(authorization: str) -> str:
    """Return the key in a header: a bearer token, or the password that a browser has asked for."""
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return secret.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(secret, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _is_preflight(scope: Scope) -> bool:
    """Tell whether a browser asks for permission; such a request carries no key and gets no answer of the twin."""
    return bool(scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope))


def _only_reads(method: str, path: str) -> bool:
    """Tell whether a request changes no stored network and deletes no run. To ask for a run is a question, too.

    The endpoint that cancels a run looks at who asked for it.
    """
    question = path.removeprefix("/v1/").removeprefix("runs/")
    is_question = question in QUESTION_BY_PATH or path == BATCH_PATH or CANCEL_PATH.fullmatch(path) is not None
    return method in READING_METHODS or (method == "POST" and is_question)
