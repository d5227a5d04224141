"""Computes runs: takes them from the database one after the other, and stores progress and answers there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from twin.errors import StoreError
from twin.store.run_records import Claim, Ending, RunState
from twin.store.runs import RunStore

from .answering import Answering, Asker, Running
from .batches import BATCH, MAX_ANSWER_BYTES, BatchItem, JoinTask, QueuedPart, SplitTask, part_name
from .body_reader import MAX_READ_BYTES, read_small
from .compute.estimate import Estimate
from .problems import BUSY, ProblemError, problem_of
from .questions.context import Limits
from .questions.table import QUESTION_BY_PATH

MAX_RUN_S = 3600.0
"""Longest time of a run, seconds. It is the one deadline of all its work."""
POLL_S = 2.0
"""Time between two looks for runs that other servers have queued."""
REPORT_S = 1.0
"""Time between two reports of progress; each is a sign of life, and finds out whether the run was cancelled."""
PURGE_S = 3600.0
"""Time between two deletions of old runs."""
MAX_PAUSE_S = 30.0
"""Longest pause after the database has failed."""
MAX_KEPT_BYTES = 256 * 2**20
"""Most bytes of finished parts that a run keeps; later ones are computed again after a restart."""
BATCHES = Estimate("batches", False)
"""Place of work on large batches, beside that on their questions."""
FULL = f"the answers of this batch have more than {MAX_ANSWER_BYTES // 2**20} MiB"
LOG = logging.getLogger("twin.api")
ResultT = TypeVar("ResultT")


class RunQueue:
    """Computes the runs of a database, some at a time.

    Args:
        answering: answers the questions.
        runs: runs in the database.
        limits: bounds on the work of a question; a run may take longer.
        n_concurrent: runs that this server computes at the same time.
    """

    def __init__(self, answering: Answering, runs: RunStore, limits: Limits, n_concurrent: int = 1) -> None:
        self._answering, self._runs, self._n_concurrent = answering, runs, n_concurrent
        self._limits = limits._replace(max_study_s=MAX_RUN_S, max_sweep_s=MAX_RUN_S, max_answer_s=MAX_RUN_S)
        self._owners: set[str] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to compute runs, those of a server that was lost among them."""
        self._tasks = [asyncio.create_task(self._serve()) for _ in range(self._n_concurrent)]
        self._tasks.append(asyncio.create_task(self._purge()))

    async def stop(self) -> None:
        """End all work, and queue the runs that this server was computing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for owner in self._owners:
            with contextlib.suppress(StoreError):  # its run counts as lost after a minute
                await run_in_threadpool(self._runs.release, owner)

    def wake(self) -> None:
        """Look for a run at once."""
        self._wake.set()

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            owner = secrets.token_hex(16)
            claim = await self._try(partial(self._runs.claim, owner))
            if claim is not None:
                self._owners.add(owner)
                await self._compute(claim, owner)
                self._owners.remove(owner)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_S)

    async def _purge(self) -> None:
        while True:
            await self._try(self._runs.purge)
            await asyncio.sleep(PURGE_S)

    async def _try(self, act: Callable[[], ResultT]) -> ResultT:
        """Return the result of a transaction, repeated until the database works again."""
        pause_s = 1.0
        while True:
            try:
                return await run_in_threadpool(act)
            except StoreError as error:
                LOG.warning("runs wait for the database: %s", error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, MAX_PAUSE_S)

    async def _compute(self, claim: Claim, owner: str) -> None:
        ending = await self._ending(claim, owner)
        await self._try(lambda: self._runs.end(claim.run.id, owner, ending))
        LOG.info("run %s of %s: %s", claim.run.id[:12], claim.run.question, ending.state.value)

    async def _ending(self, claim: Claim, owner: str) -> Ending:
        """Return the end of a run: its answer, its problem, or that it is not wanted any more."""
        watch = _Watch(claim, owner, self._runs, self._try)
        try:
            if claim.run.question == BATCH:
                return await self._batch(claim, watch)
            asker = Asker("runs", claim.run.id[:12], watch.progressed, self._limits, MAX_RUN_S)
            asker = asker._replace(parts=claim.parts, on_part=watch.part)
            text = await self._text(claim.run.question, claim.request, asker, watch)
            return Ending(RunState.DONE, text.encode())
        except _NotWantedError:
            return Ending(RunState.CANCELLED)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever went wrong is the answer of the run
            problem = problem_of(error)
            body = bytes(problem.body)
            return Ending(RunState.FAILED, None, problem.status_code, json.loads(body)["detail"], body)

    async def _batch(self, claim: Claim, watch: _Watch) -> Ending:
        """Answer the questions of a batch one after the other; those of an earlier attempt are answered already."""
        asker = Asker("runs", claim.run.id[:12], None, self._limits)
        parts: tuple[QueuedPart, ...] = await self._result(SplitTask(claim.request), asker, watch)
        items, n_bytes, end_s = list[BatchItem](), 0, monotonic() + MAX_RUN_S
        for number, part in enumerate(parts):
            name = part_name(number)
            if name in claim.parts:
                item = BatchItem.from_bytes(claim.parts[name])
            elif n_bytes > MAX_ANSWER_BYTES:
                item = _item_of(ProblemError(422, FULL, "BudgetError", hint="ask for fewer fields or questions"))
            else:
                item = await self._item(part, asker._replace(max_s=max(end_s - monotonic(), 0.0)), watch)
                watch.part(name, item.to_bytes())
            items.append(item)
            n_bytes += len(item.text)
            watch.progressed(len(items), len(parts))
            await watch.report()
        text: str = await self._result(JoinTask(parts, tuple(items)), asker, watch)
        return Ending(RunState.DONE, text.encode())

    async def _item(self, part: QueuedPart, asker: Asker, watch: _Watch) -> BatchItem:
        try:
            return BatchItem(200, await self._text(part.path, part.body, asker, watch))
        except _NotWantedError:
            raise
        except Exception as error:  # whatever went wrong is the answer of this question
            return _item_of(error)

    async def _text(self, path: str, body: bytes, asker: Asker, watch: _Watch) -> str:
        """Return the answer to a question, once there is room for it among those of other clients."""
        question = QUESTION_BY_PATH[path]
        asked = read_small(body, question.request)
        text: str = await self._once(lambda: self._answering.start(question, asked, asker), watch)
        return text

    async def _result(self, task: SplitTask | JoinTask, asker: Asker, watch: _Watch) -> Any:
        """Return the result of work on a batch; where it is little it is done at once."""
        if task.n_bytes <= MAX_READ_BYTES:
            return task.run()

        async def start() -> Running:
            return self._answering.start_task(task, BATCHES, asker)

        return await self._once(start, watch)

    async def _once(self, start: Callable[[], Awaitable[Running]], watch: _Watch) -> Any:
        """Return the result of work, once there is room for it among that of other clients."""
        while True:
            try:
                running = await start()
            except ProblemError as error:
                if error.error != BUSY:
                    raise
            else:
                try:
                    while not running.result.done():
                        await asyncio.wait([running.result], timeout=REPORT_S)
                        await watch.report()
                    if not _was_busy(running):
                        return running.result.result()
                finally:
                    running.cancel()
            await asyncio.sleep(REPORT_S)
            await watch.report()


class _NotWantedError(Exception):
    """The run was cancelled or deleted, or another server has taken it."""


class _Watch:
    """Progress and finished parts of a run, on their way to the database.

    Args:
        claim: the run.
        owner: id of this work.
        runs: runs in the database.
        attempt: repeats a transaction until the database works.
    """

    def __init__(
        self, claim: Claim, owner: str, runs: RunStore, attempt: Callable[[Callable[[], Any]], Awaitable[Any]]
    ) -> None:
        self._id, self._owner, self._runs, self._attempt = claim.run.id, owner, runs, attempt
        self._progress = (0, 0)
        self._waiting: dict[str, bytes] = {}
        self._n_bytes = sum(map(len, claim.parts.values()))

    def progressed(self, n_done: int, n_items: int) -> None:
        """Note progress."""
        self._progress = (n_done, n_items)

    def part(self, name: str, content: bytes) -> None:
        """Note a finished part, unless the run keeps as much as it may."""
        self._n_bytes += len(content)
        if self._n_bytes <= MAX_KEPT_BYTES:
            self._waiting[name] = content

    async def report(self) -> None:
        """Store progress and parts, as a sign of life. Raises _NotWantedError if the run is not wanted any more."""
        parts, self._waiting = self._waiting, {}
        if parts:
            await self._attempt(lambda: self._runs.keep(self._id, self._owner, parts))
        if not await self._attempt(lambda: self._runs.report(self._id, self._owner, *self._progress)):
            raise _NotWantedError


def _item_of(error: Exception) -> BatchItem:
    problem = problem_of(error)
    return BatchItem(problem.status_code, bytes(problem.body).decode())


def _was_busy(running: Running) -> bool:
    """Return whether a question found no room among those of other clients."""
    error = running.result.exception()
    return isinstance(error, ProblemError) and error.error == BUSY
