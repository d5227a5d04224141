"""Questions over HTTP that may take minutes: they do not block others, and end if the client leaves or time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import perf_counter
from typing import Any, TypeVar

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from twin.errors import ChangeError

N_CONCURRENT = 1
"""Long questions that run at the same time. Two in one Python process are not faster; the others wait in a queue."""
CLIENT_CLOSED_REQUEST = 499
"""HTTP status of a request whose client has left. It is not in the standard; nginx introduced it."""
Task = TypeVar("Task")


class ClientGoneError(Exception):
    """The client left before the answer."""


class LongQuestions:
    """Answers long questions on a thread of their own, so no other request waits for one."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(N_CONCURRENT, "long-question")

    async def answer(
        self, request: Request, read: Callable[[], Task], compute: Callable[[Task, Event], str]
    ) -> Response:
        """Return an answer as JSON. If the client leaves first, the event is set that `compute` receives.

        Args:
            request: the request; its body has been read.
            read: reads and checks the question. Its errors are reported before the question queues.
            compute: computes the answer of what was read.
        """
        task = await run_in_threadpool(read)
        client_gone = Event()

        def run() -> str:
            if client_gone.is_set():
                raise ClientGoneError
            return compute(task, client_gone)

        found = asyncio.get_running_loop().run_in_executor(self._threads, run)
        disconnect = asyncio.create_task(_disconnected(request))
        try:
            futures: tuple[asyncio.Future[Any], ...] = (found, disconnect)
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
            if found.done():
                return Response(found.result(), media_type="application/json")
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        finally:
            client_gone.set()
            found.cancel()
            disconnect.cancel()


def advance_until(
    client_gone: Event, max_time_s: float, items: str, question: str, where: str, hint: str
) -> Callable[[int, int], None]:
    """Return a function to call after each item. It ends a question whose client left, or that takes too long.

    Args:
        client_gone: set once the client has left.
        max_time_s: longest time of the question.
        items: name of the items, in the plural.
        question: name of the question, with its article.
        where: field of the request that decides how many items there are.
        hint: way to ask for less.
    """
    start_s = perf_counter()

    def advance(n_done: int, n_items: int) -> None:
        if client_gone.is_set():
            raise ClientGoneError
        if n_done < n_items and perf_counter() - start_s > max_time_s:
            raise ChangeError(
                f"{n_done:,} of {n_items:,} {items} took all of the {max_time_s:g} s that {question} may take",
                where=where,
                hint=hint,
            )

    return advance


async def _disconnected(request: Request) -> None:
    """Return when the client has disconnected. The body must have been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
