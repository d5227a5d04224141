"""Refusal of questions for which there is no room, before their bodies are read."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from .compute.pool import Pool
from .problems import ProblemError, problem_of
from .questions.table import QUESTIONS

PATHS = frozenset(f"/v1/{question.path}" for question in QUESTIONS)


class RoomCheck:
    """ASGI middleware that refuses a question if too many wait. A refusal costs a small part of a request.

    Args:
        app: application behind it.
        pool: compute processes.
    """

    def __init__(self, app: ASGIApp, pool: Pool) -> None:
        self.app, self._pool = app, pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if there is room for it."""
        if scope["type"] == "http" and scope["path"] in PATHS and scope["method"] == "POST":
            try:
                self._pool.check_room(client_of(scope))
            except ProblemError as error:
                await problem_of(error)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def client_of(scope: Scope) -> str:
    """Return the key of a client: the name of its API key, else its address."""
    name = scope.get("state", {}).get("key_name")
    return f"key {name}" if name else (scope.get("client") or ("",))[0]
