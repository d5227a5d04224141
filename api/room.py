"""Refusal of questions for which there is no room, before their bodies are parsed."""

from __future__ import annotations

import re
from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .compute.pool import Pool
from .problems import ProblemError, problem_of
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

        async def receive_and_check() -> Message:
            nonlocal is_counted
            message = await receive()
            is_whole = message["type"] == "http.request" and not message.get("more_body", False)
            if is_whole and not is_counted:
                self._pool.check_room(client, self._n_here[client], self._n_here.total())
                is_counted = True
                self._n_here[client] += 1
            return message

        try:
            self._pool.check_room(client, self._n_here[client], self._n_here.total())
            await self.app(scope, receive_and_check, send)
        except ProblemError as error:
            await problem_of(error)(scope, receive, send)
        finally:
            if is_counted:
                self._n_here[client] -= 1
                if not self._n_here[client]:
                    del self._n_here[client]


def _is_checked(method: str, path: str) -> bool:
    return method in ("POST", "PUT") and (path in PATHS or FILE_PATHS.fullmatch(path) is not None)


def client_of(scope: Scope) -> str:
    """Return the key of a client: the name of its API key, else its address."""
    name = scope.get("state", {}).get("key_name")
    return f"key {name}" if name else (scope.get("client") or ("",))[0]
