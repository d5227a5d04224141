"""Computes runs: takes them from the database one after the other, and stores progress and answers there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from twin.errors import StoreError
from twin.store.run_records import Claim, Ending, RunState
from twin.store.runs import RunStore

from .answering import Answering, Asker, Running
from .body_reader import read_body
from .problems import BUSY, ProblemError, problem_of
from .questions.context import Limits
from .questions.table import QUESTION_BY_PATH

MAX_RUN_S = 3600.0
"""Longest time of a run, seconds."""
POLL_S = 2.0
"""Time between two looks for runs that other servers have queued."""
REPORT_S = 1.0
"""Time between two reports of progress; each is a sign of life, and finds out whether the run was cancelled."""
PURGE_S = 3600.0
"""Time between two deletions of old runs."""
MAX_PAUSE_S = 30.0
"""Longest pause after the database has failed."""
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
        progress = (0, 0)

        def on_progress(n_done: int, n_items: int) -> None:
            nonlocal progress
            progress = (n_done, n_items)

        running: Running | None = None
        try:
            question = QUESTION_BY_PATH[claim.run.question]
            asked = await run_in_threadpool(read_body, claim.request, question.request)
            asker = Asker("runs", claim.run.id[:12], on_progress, self._limits)
            while True:
                running = await self._answering.start(question, asked, asker)
                while not running.result.done():
                    await asyncio.wait([running.result], timeout=REPORT_S)
                    if not await self._try(lambda: self._runs.report(claim.run.id, owner, *progress)):
                        return Ending(RunState.CANCELLED)
                if not _was_busy(running):
                    return Ending(RunState.DONE, running.result.result().encode())
                await asyncio.sleep(REPORT_S)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever went wrong is the answer of the run
            problem = problem_of(error)
            body = bytes(problem.body)
            return Ending(RunState.FAILED, None, problem.status_code, json.loads(body)["detail"], body)
        finally:
            if running is not None:
                running.cancel()


def _was_busy(running: Running) -> bool:
    """Return whether a question found no room among those of other clients."""
    error = running.result.exception()
    return isinstance(error, ProblemError) and error.error == BUSY
