"""Answers questions of clients: in compute processes, or on threads of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Event
from typing import Any, NamedTuple, Protocol

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from twin.topologies import NETWORKS

from twin.deadline import CancelledError, DeadlineError, deadline
from twin.store.run_records import NewRun
from twin.studies.kept_parts import KeptParts, keeping

from .bodies import NetworkRequest
from .compute.checking import MAX_CHECK_S, checking_of
from .compute.estimate import Estimate, estimate_of, estimate_of_body
from .compute.pool import Pool
from .compute.pool_records import Spent, Submission
from .compute.work import Asking, Reading, Task, Work
from .csv_tables import MEDIA_TYPES, Form
from .networks import NETWORK_FIELDS, Networks
from .observation import SPENT
from .problems import BUSY, InternalError, ProblemError
from .questions.context import Context, Limits
from .questions.table import Question
from .room import client_of
from .run_requests import RunTask

RUNS_ASKED_FOR = Estimate("runs asked for", True)
"""Place of work on bodies of runs; it takes up to a few seconds."""
N_CONCURRENT = 1
"""Long questions that run at the same time. Two in one Python process are not faster; the others wait in a queue."""
N_THREADS = 40
"""Other questions that run at the same time in one Python process."""

Progress = Callable[[int, int], None]


class Asker(NamedTuple):
    """Client that asks a question, and the bounds that hold for it."""

    client: str
    """Key of the client; clients take turns."""
    request_id: str = ""
    """Id of the request, for the log."""
    on_progress: Progress | None = None
    """Called on the event loop with (finished items, all items) of a study."""
    limits: Limits | None = None
    """Bounds on the work, in place of those of the service."""
    max_s: float | None = None
    """Time that the answer may take, in place of that of its kind of question."""
    parts: Mapping[str, bytes] | None = None
    """Finished parts of an earlier attempt; None = the question keeps no parts."""
    on_part: Callable[[str, bytes], None] | None = None
    """Called on the event loop with name and content of a finished part."""
    form: Form = "json"
    """Form of the answer."""


class Running(Protocol):
    """A question that waits or runs."""

    result: asyncio.Future[Any]
    """Result of its task, or its error; of a question it is the answer as text."""
    spent: Spent | None
    """Time in the queue and in a compute process, once it has ended; None on a thread of this process."""

    def cancel(self) -> None:
        """End the question."""


class Answering:
    """Answers questions of the table.

    Args:
        networks: cache of networks.
        limits: bounds on the work of one question.
        pool: compute processes; None = threads of this process.
    """

    def __init__(self, networks: Networks, limits: Limits, pool: Pool | None = None) -> None:
        self._networks, self._limits, self._pool = networks, limits, pool
        self._long_threads = ThreadPoolExecutor(N_CONCURRENT, "long-question")
        self._threads = ThreadPoolExecutor(N_THREADS, "question")

    async def answer(
        self, question: Question, asked: NetworkRequest | bytes, request: Request, form: Form = "json"
    ) -> Response:
        """Return an answer as a response.

        Args:
            question: row of the table.
            asked: validated request, or a body that has not been read.
            request: HTTP request; its body has been read.
            form: form of the answer.

        Raises:
            Exception: as `text`.
        """
        return Response(await self.text(question, asked, request, form), media_type=MEDIA_TYPES[form])

    async def text(
        self, question: Question, asked: NetworkRequest | bytes, request: Request, form: Form = "json"
    ) -> str:
        """Return an answer as text. The question ends if the client leaves.

        Args:
            question: row of the table.
            asked: validated request, or a body that has not been read.
            request: HTTP request on whose behalf it is asked; its body has been read.
            form: form of the answer.

        Raises:
            CancelledError: the client has left.
            TwinError, NotFoundError: the question cannot be answered.
            DeadlineError: it took too long.
            ProblemError: it takes too much, or there is no room for it now.
        """
        running = await self.start(question, asked, asker_of(request)._replace(form=form))
        text: str = await _result(running, request)
        return text

    async def result(self, task: Task, request: Request, place: Estimate, max_s: float | None = None) -> Any:
        """Return the result of a task. It ends if the client leaves.

        Args:
            task: the task.
            request: HTTP request on whose behalf it is done; its body has been read.
            place: key of its network, and whether it takes about a second or less.
            max_s: time that it may take; None = that of a study.

        Raises:
            CancelledError: the client has left.
            TwinError, NotFoundError: it cannot be done.
            DeadlineError: it took too long.
            ProblemError: it takes too much, or there is no room for it now.
        """
        allowed_s = self._limits.longest_s(is_long=True) if max_s is None else max_s
        return await _result(self.start_task(task, place, asker_of(request)._replace(max_s=allowed_s)), request)

    async def check(self, requests: Mapping[str, NetworkRequest], request: Request) -> None:
        """Validate the documents in the requests of runs, if that is quickly done and there is room for it now.

        Args:
            requests: validated requests by their place in the body; the documents in them have not been validated.
            request: HTTP request that asks for the runs.

        Raises:
            TwinError: a document is invalid; all faults are there.
            NotFoundError: it lacks a job or a plan of its request, or there is no network of a name.
            CancelledError: the client has left.
        """
        task = await run_in_threadpool(checking_of, requests, self._networks.store)
        if task is None:
            return
        with suppress(ProblemError, DeadlineError, InternalError):  # the run reports what it is
            await self.result(task, request, RUNS_ASKED_FOR, MAX_CHECK_S)

    async def read_run(self, kind: str, body: bytes, request: Request) -> NewRun:
        """Return the run that a large body asks for. Documents in it are validated if that is quickly done.

        Args:
            kind: name of a question, or of batches.
            body: JSON text, not validated.
            request: HTTP request with the body.

        Raises:
            Exception: as `result`.
        """
        max_s = self._limits.longest_s(is_long=False)
        try:
            found: NewRun = await self.result(RunTask(kind, body, True), request, RUNS_ASKED_FOR, max_s)
        except (ProblemError, DeadlineError, InternalError) as error:
            if isinstance(error, ProblemError) and error.error == BUSY:
                raise
            # what ends the process is for the run to report
            found = await self.result(RunTask(kind, body, False), request, RUNS_ASKED_FOR, max_s)
        return found

    async def start(self, question: Question, asked: NetworkRequest | bytes, asker: Asker) -> Running:
        """Start a question, and return while it waits or runs.

        Args:
            question: row of the table.
            asked: validated request, or a body that has not been read.
            asker: who asks, and who follows the progress.

        Returns:
            The question with its future result, and a method that ends it.

        Raises:
            NotFoundError: there is no network of this name.
            ProblemError: there is no room for it now.
        """
        if isinstance(asked, bytes):
            task: Task = Reading(question.path, asked, asker.form)
            place = estimate_of_body(question, asked)
        else:
            task, place = Asking(question.path, asked, asker.form), await self._estimate(question, asked)
        return self.start_task(task, place, asker, is_long=question.is_long)

    async def _estimate(self, question: Question, asked: NetworkRequest) -> Estimate:
        """Return the estimate of a question. Raises NotFoundError for a name of no network."""
        ask = partial(estimate_of, question, asked, self._networks.store)
        is_quick = all(getattr(asked, name, None) in (None, *NETWORKS) for name in NETWORK_FIELDS)
        return ask() if is_quick else await run_in_threadpool(ask)

    def start_task(self, task: Task, place: Estimate, asker: Asker, *, is_long: bool = False) -> Running:
        """Start a task, and return while it waits or runs.

        Args:
            task: the task.
            place: key of its network, and whether it takes about a second or less.
            asker: who asks, and who follows the progress.
            is_long: whether it is a study, which has its time, and an engine of its own.

        Raises:
            ProblemError: there is no room for it now.
        """
        limits = asker.limits or self._limits
        max_s = limits.longest_s(is_long=is_long) if asker.max_s is None else asker.max_s
        work = Work(task, max_s, limits, asker.parts)
        if self._pool is None:
            return self._start_here(work, asker, is_long=is_long)
        submission = Submission(work, asker.client, place.network, place.is_light, asker.request_id)
        return self._pool.submit(submission, asker.on_progress, asker.on_part)

    def _start_here(self, work: Work, asker: Asker, *, is_long: bool) -> Running:
        loop = asyncio.get_running_loop()

        def tell(n_done: int, n_items: int) -> None:
            if asker.on_progress is not None:
                loop.call_soon_threadsafe(asker.on_progress, n_done, n_items)

        def keep(name: str, content: bytes) -> None:
            if asker.on_part is not None:
                loop.call_soon_threadsafe(asker.on_part, name, content)

        parts = None if work.parts is None else KeptParts(work.parts, keep)
        context = Context(self._networks, work.limits, Event(), is_separate=is_long, progress=tell)
        threads = self._long_threads if is_long else self._threads

        def run() -> Any:
            if context.client_gone.is_set():
                raise CancelledError
            with deadline(work.max_s, context.client_gone.is_set), keeping(parts):
                return work.task.run(context)

        return _Here(loop.run_in_executor(threads, run), context.client_gone)


class _Here:
    """A question on a thread of this process."""

    spent: Spent | None = None

    def __init__(self, result: asyncio.Future[Any], client_gone: Event) -> None:
        self.result, self._client_gone = result, client_gone

    def cancel(self) -> None:
        self._client_gone.set()
        self.result.cancel()


def asker_of(request: Request) -> Asker:
    """Return who asks a request: the name of the API key, else the address."""
    return Asker(client_of(request.scope), getattr(request.state, "request_id", ""))


async def _result(running: Running, request: Request) -> Any:
    """Return the result of what runs, which ends if the client leaves. Raises CancelledError then."""
    disconnect = asyncio.create_task(_disconnected(request))
    try:
        futures: tuple[asyncio.Future[Any], ...] = (running.result, disconnect)
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        if not running.result.done():
            raise CancelledError
        setattr(request.state, SPENT, running.spent)
        return running.result.result()
    finally:
        running.cancel()
        disconnect.cancel()


async def _disconnected(request: Request) -> None:
    """Return when the client has disconnected. The body must have been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
