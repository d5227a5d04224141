"""Answers questions of clients: short ones on a thread each, long ones one after the other."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from .bodies import NetworkRequest
from .networks import Networks
from .questions.context import ClientGoneError, Context, Limits
from .questions.table import Question

N_CONCURRENT = 1
"""Long questions that run at the same time. Two in one Python process are not faster; the others wait in a queue."""
CLIENT_CLOSED_REQUEST = 499
"""HTTP status of a request whose client has left. It is not in the standard; nginx introduced it."""


class Answering:
    """Answers questions of the table.

    Args:
        networks: cache of networks.
        limits: bounds on the work of one question.
    """

    def __init__(self, networks: Networks, limits: Limits) -> None:
        self._networks, self._limits = networks, limits
        self._threads = ThreadPoolExecutor(N_CONCURRENT, "long-question")

    async def answer(self, question: Question, asked: NetworkRequest, request: Request) -> Response:
        """Return an answer as a response.

        Args:
            question: row of the table.
            asked: validated body.
            request: HTTP request; its body has been read.
        """
        try:
            text = await self.text(question, asked, request)
        except ClientGoneError:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        return Response(text, media_type="application/json")

    async def text(self, question: Question, asked: NetworkRequest, request: Request) -> str:
        """Return an answer as JSON. A long question ends at its next item if the client leaves.

        Args:
            question: row of the table.
            asked: validated request.
            request: HTTP request on whose behalf it is asked; its body has been read.

        Raises:
            ClientGoneError: the client has left.
            TwinError, NotFoundError: the question cannot be answered.
        """
        await run_in_threadpool(self._networks.check, asked.network)
        context = Context(self._networks, self._limits, Event(), is_separate=question.is_long)
        if not question.is_long:
            return await run_in_threadpool(question.ask, asked, context)

        def run() -> str:
            if context.client_gone.is_set():
                raise ClientGoneError
            return question.ask(asked, context)

        found = asyncio.get_running_loop().run_in_executor(self._threads, run)
        disconnect = asyncio.create_task(_disconnected(request))
        try:
            futures: tuple[asyncio.Future[Any], ...] = (found, disconnect)
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
            if not found.done():
                raise ClientGoneError
            return found.result()
        finally:
            context.client_gone.set()
            found.cancel()
            disconnect.cancel()


async def _disconnected(request: Request) -> None:
    """Return when the client has disconnected. The body must have been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
