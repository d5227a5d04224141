"""Refusal of questions for which there is no room, before their bodies are parsed."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .compute.pool import Pool
from .observation import NO_ROOM
from .problems import BUSY, ProblemError, problem_of, problem_response
from .questions.table import QUESTIONS

PATHS = frozenset(f"/v1/{question.path}" for question in QUESTIONS)
FILE_PATHS = re.compile(r"/v1/(networks/[^/]+|networks/[^/]+/measurements|import/[^/]+)")
"""Paths whose documents and files are worked on in compute processes, too."""


class RoomCheck:
    """ASGI middleware that refuses a question if too many wait. A refusal costs a small part of a request.

    Requests that arrive at once count from the end of their bodies, before any of them is in the queue. Bodies that
    arrive slowly take no place.

    Args:
        app: application behind it.
        pool: compute processes.
    """

    def __init__(self, app: ASGIApp, pool: Pool) -> None:
        self.app, self._pool = app, pool
        self._n_here: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if there is room for it."""
        if scope["type"] != "http" or not _is_checked(scope["method"], scope["path"]):
            await self.app(scope, receive, send)
            return
        client, is_counted = client_of(scope), False
        messages: list[Message] = []

        async def receive_and_check() -> Message:
            nonlocal is_counted
            if messages:
                return messages.pop()
            message = await receive()
            is_whole = message["type"] == "http.request" and not message.get("more_body", False)
            if is_whole and not is_counted:
                self._pool.check_room(client, self._n_here[client], self._n_here.total())
                is_counted = True
                self._n_here[client] += 1
            return message

        try:
            self._pool.check_room(client, self._n_here[client], self._n_here.total())
            # a short body is there already, so its request counts, or is refused, before any other work is done for it
            messages.append(await receive_and_check())
            await self.app(scope, receive_and_check, send)
        except ProblemError as error:
            scope.setdefault("state", {})[NO_ROOM] = True
            await _refusal(error.status, error.detail, error.hint, error.headers["Retry-After"])(scope, receive, send)
        except HTTPException as error:  # of BodyLimit, which is outside
            headers = None if error.headers is None else dict(error.headers)
            await problem_response(error.status_code, error.detail, headers=headers)(scope, receive, send)
        finally:
            if is_counted:
                self._n_here[client] -= 1
                if not self._n_here[client]:
                    del self._n_here[client]


@lru_cache(maxsize=256)
def _refusal(status: int, detail: str, hint: str, retry_after: str) -> Response:
    """Return the response of a refusal. It is made once, as thousands may be needed in a second."""
    return problem_of(ProblemError(status, detail, BUSY, hint=hint, headers={"Retry-After": retry_after}))


def _is_checked(method: str, path: str) -> bool:
    return method in ("POST", "PUT") and (path in PATHS or FILE_PATHS.fullmatch(path) is not None)


def client_of(scope: Scope) -> str:
    """Return the key of a client: the name of its API key, else its address."""
    name = scope.get("state", {}).get("key_name")
    return f"key {name}" if name else (scope.get("client") or ("",))[0]


def key_name_of(request: Request) -> str:
    """Return the name of the API key of a request; empty without a key."""
    return getattr(request.state, "key_name", "")
