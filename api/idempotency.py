"""Requests with an `Idempotency-Key`: the same request again gets the same answer, and nothing is done twice."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twin.errors import StoreError, StoreLimitError
from twin.store.replies import OtherRequestError, PendingError, Reply, ReplyStore

from .problems import left_response, problem_of, problem_response

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
"""Header of an answer that was kept."""
KEY_FORM = re.compile(r"[\x21-\x7e]{1,200}")
PATHS = re.compile(r"/v1/(runs/[^/]+|networks/[^/]+|networks/[^/]+/measurements|import/[^/]+)")
"""Paths of requests that create something."""
KEPT_HEADERS = ("content-type", "location", "etag")
CONDITIONS = ("if-match", "if-none-match", "accept")


async def _key_header(
    _key: Annotated[
        str | None,
        Header(
            alias=HEADER,
            min_length=1,
            max_length=200,
            description="Key of this request. The same request with the same key gets the same answer for a day.",
        ),
    ] = None,
) -> None:
    """Declare the header, which the middleware reads."""


IDEMPOTENCY_KEY = Depends(_key_header)
"""Dependency of endpoints that create something."""


class Idempotency:
    """ASGI middleware that answers a repeated request with a key as it was answered first.

    Answers that are errors are not kept, so that the key may be used again.

    Args:
        app: application behind it.
        replies: answers in the database.
    """

    def __init__(self, app: ASGIApp, replies: ReplyStore) -> None:
        self.app, self._replies = app, replies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless it was answered before."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT") or not PATHS.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        stated = headers.get(HEADER)
        if stated is None:
            await self.app(scope, receive, send)
            return
        if not KEY_FORM.fullmatch(stated):
            detail = f"{HEADER}: 1 to 200 printable characters of ASCII without blanks"
            await problem_response(422, detail)(scope, receive, send)
            return
        body = await _whole(receive)
        if body is None:
            await left_response()(scope, receive, send)
            return
        key = f"{scope.get('state', {}).get('key_name', '')} {stated}"
        try:
            reply = await run_in_threadpool(self._replies.begin, key, _fingerprint(scope, headers, body))
        except (OtherRequestError, PendingError, StoreError, StoreLimitError) as error:
            await _refusal(error)(scope, receive, send)
            return
        if reply is None:
            await self._answer(key, body, scope, receive, send)
        else:
            await _send_again(reply, send)

    async def _answer(self, key: str, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and keep the answer before the client has it."""
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        start: Message = {}
        parts: list[bytes] = []

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            if start["status"] < 300:
                sent = Headers(raw=start["headers"])
                kept = {name: sent[name] for name in KEPT_HEADERS if name in sent}
                with suppress(StoreError):  # the request counts as lost after some minutes
                    await run_in_threadpool(self._replies.keep, key, Reply(start["status"], kept, b"".join(parts)))
            await send(start)
            await send({"type": "http.response.body", "body": b"".join(parts)})

        try:
            await self.app(scope, receive_again, hold)
        finally:
            if start.get("status", 500) >= 300:
                with suppress(StoreError):
                    await run_in_threadpool(self._replies.forget, key)


async def _whole(receive: Receive) -> bytes | None:
    """Return the body of a request; None if the client leaves before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _fingerprint(scope: Scope, headers: Headers, body: bytes) -> str:
    """Return a text of everything that the answer to a request depends on."""
    conditions = [f"{name}: {headers.get(name)}" for name in CONDITIONS]
    return "\n".join([scope["method"], scope["path"], scope["query_string"].decode("latin-1"), *conditions,
                      hashlib.sha256(body).hexdigest()])  # fmt: skip


def _refusal(error: Exception) -> ASGIApp:
    if isinstance(error, OtherRequestError):
        return problem_response(422, f"this {HEADER} was used for another request; take a new key for a new request")
    if isinstance(error, PendingError):
        detail = "a request with this key is being answered; ask again when it has ended"
        return problem_response(409, detail, headers={"Retry-After": "2"})
    return problem_of(error)


async def _send_again(reply: Reply, send: Send) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
    headers += [(REPLAYED.lower().encode(), b"true"), (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
