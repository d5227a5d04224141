"""Pool of compute processes: starts them, hands questions to them, replaces those that are lost."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

from twin.deadline import CancelledError, DeadlineError
from twin.errors.wording import counted

from ..problems import InternalError, ProblemError, busy, too_much_memory
from .daemon_thread import on_own_thread
from .fair_queue import FairQueue, Turn
from .parent_process import start_parent
from .pool_records import Asked, PoolEvents, PoolSettings, Spent, Submission
from .process import GRACE_S, ComputeProcess, LostError, OverdueError
from .work import GIB, Answered, Failed, Fault, Kept, OutOfMemory, Progress, Reply

LIGHT_S = 2.0
"""Time after which a light question counts as heavy."""
MAX_RETRY_S = 30
COMPILE_S = 60.0
"""About how long kernels compile on a new machine; seconds if they have been compiled before."""
MIN_START_S = 5
LOG = logging.getLogger("twin.api")


class Pool:
    """Pool of compute processes. All methods are called on one event loop.

    Args:
        settings: settings of the pool.
        events: receives what happens.
    """

    def __init__(self, settings: PoolSettings, events: PoolEvents | None = None) -> None:
        self._settings, self._events = settings, events or PoolEvents()
        self._queue: FairQueue[Asked] = FairQueue(settings.n_processes, settings.max_waiting, settings.max_of_client)
        methods = multiprocessing.get_all_start_methods()
        self._context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        if "forkserver" in methods:
            self._context.set_forkserver_preload([f"{__package__}.{'warmed' if settings.warm else 'imported'}"])
            start_parent()
        self._threads = ThreadPoolExecutor(settings.n_most, "compute")
        self._free: list[ComputeProcess] = []
        self._n_processes = self._n_starting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: set[Asked] = set()
        self._mean_s = 1.0
        self._start_s = monotonic()
        self.is_ready = False
        self._is_closed = False

    @property
    def n_waiting(self) -> int:
        """Return the number of questions that wait."""
        return self._queue.n_waiting

    @property
    def n_processes(self) -> int:
        """Return the number of compute processes."""
        return self._n_processes

    @property
    def n_running(self) -> int:
        """Return the number of questions that run."""
        return len(self._running)

    async def start(self) -> None:
        """Start the processes. With warm kernels this takes from seconds to minutes."""
        self._start_s = monotonic()
        await asyncio.gather(*(self._add_process() for _ in range(self._settings.n_kept)))
        self.is_ready = True
        self._dispatch()

    async def close(self) -> None:
        """End all processes and all questions."""
        self._is_closed, self.is_ready = True, False
        for asked in [*self._running]:
            asked.cancel()
            if asked.process is not None:
                asked.process.kill()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2 * GRACE_S)
        for process in self._free:
            process.close()
        self._free.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def submit(
        self,
        submission: Submission,
        on_progress: Callable[[int, int], None] | None = None,
        on_part: Callable[[str, bytes], None] | None = None,
    ) -> Asked:
        """Queue a question.

        Args:
            submission: the question.
            on_progress: called on the event loop with (finished items, all items).
            on_part: called on the event loop with name and content of a finished part.

        Returns:
            The question, with its future result and a function that cancels it.

        Raises:
            ProblemError: 429 or 503 if too many questions wait.
        """
        loop = asyncio.get_running_loop()
        asked = Asked(submission, loop.create_future(), on_progress or _ignore, on_part or _ignore)
        asked.turn = Turn(asked, submission.client, submission.network, submission.is_light)
        asked.cancel = lambda: self._cancel(asked)
        try:
            self._queue.add(asked.turn, self.retry_s)
        except Exception:
            self._events.refused("queue")
            raise
        waiting = loop.call_later(self._settings.max_wait_s, self._give_up, asked)
        asked.result.add_done_callback(lambda _: waiting.cancel())
        self._dispatch()
        return asked

    def check_room(self, client: str, n_of_client: int = 0, n_here: int = 0) -> None:
        """Check that a question of a client may wait, before its body is parsed.

        Args:
            client: key of the client.
            n_of_client: requests of the client that have arrived and are not answered.
            n_here: requests of all clients that have arrived and are not answered.

        Raises:
            ProblemError: 429 or 503 if too many questions wait.
        """
        try:
            self._queue.check_room(client, self.retry_s)
            n_places = self._settings.n_kept
            if n_of_client >= self._settings.max_of_client + n_places:
                detail = f"{counted(n_of_client, 'question')} of this client are not answered yet, as many as may"
                raise busy(429, detail, self.retry_s)
            if n_here >= self._settings.max_waiting + n_places:
                detail = f"{counted(n_here, 'question')} are not answered yet, as many as may"
                raise busy(503, detail, self.retry_s)
        except Exception:
            self._events.refused("queue")
            raise

    @property
    def starts_in_s(self) -> int | None:
        """Return about how long a start still takes, whole seconds; None if it has taken longer than expected."""
        left_s = COMPILE_S - (monotonic() - self._start_s)
        return None if left_s < 0.0 else max(MIN_START_S, round(left_s))

    @property
    def starting_text(self) -> str:
        """Return why questions are not answered yet, and when they may be."""
        when = f"ready in about {self.starts_in_s} s"
        if self.starts_in_s is None:
            taken_s = monotonic() - self._start_s
            when = f"it has taken {taken_s:.0f} s, longer than the usual {COMPILE_S:g} s; ask again in {MAX_RETRY_S} s"
        return f"the service still compiles its kernels, once for this version; {when}"

    @property
    def retry_s(self) -> int:
        """Return the time after which a client that is refused should ask again, whole seconds."""
        if not self.is_ready:
            return min(MAX_RETRY_S, self.starts_in_s or MAX_RETRY_S)
        expected_s = self._mean_s * (self._queue.n_waiting + 1) / self._settings.n_processes
        return max(1, min(MAX_RETRY_S, round(expected_s)))

    def _give_up(self, asked: Asked) -> None:
        if asked.process is None and not asked.result.done():
            assert asked.turn is not None
            self._queue.remove(asked.turn)
            self._events.refused("wait")
            detail = f"no compute process was free for {self._settings.max_wait_s:g} s"
            if not self.is_ready:
                detail = self.starting_text
            asked.result.set_exception(busy(503, detail, self.retry_s))

    def _cancel(self, asked: Asked) -> None:
        if asked.is_cancelled:
            return
        asked.is_cancelled = True
        if not asked.result.done():
            asked.result.set_exception(CancelledError())
            asked.result.exception()  # a caller that has left does not read it
        process = asked.process
        if process is None:
            assert asked.turn is not None
            self._queue.remove(asked.turn)
            return
        process.cancel()

        def kill() -> None:
            if asked.process is process:
                process.kill()

        asyncio.get_running_loop().call_later(GRACE_S, kill)

    def _dispatch(self) -> None:
        """Start what may start. A question that finds no free process waits for the one that is being added.

        While one starts, the last free one is for the first light question of a client. A process that was killed is
        so replaced before another hostile question gets one.
        """
        if not self.is_ready:
            return
        while self._queue.may_start():
            only_first = self._n_starting > 0 and len(self._free) == 1
            if not self._free:
                self._add_if_few()
            if not self._free or not self._queue.may_start(only_first=only_first):
                return
            turn = self._queue.start(only_first=only_first)
            process = self._best(turn.network)
            turn.entry.process = process
            self._running.add(turn.entry)
            self._spawn(self._run(turn.entry, process))

    def _add_if_few(self) -> None:
        """Start a process, unless those for light questions are free, one starts, or there are as many as may be."""
        if (
            len(self._free) < self._settings.n_light
            and not self._n_starting
            and self._n_processes < self._settings.n_most
        ):
            self._spawn(self._add_process())

    def _best(self, network: str) -> ComputeProcess:
        """Take a free process: one that has the network compiled, else the one with the fewest networks."""
        best = min(self._free, key=lambda process: (not process.has(network), process.n_networks))
        self._free.remove(best)
        return best

    async def _run(self, asked: Asked, process: ComputeProcess) -> None:
        loop = asyncio.get_running_loop()
        start_s = monotonic()
        slow = loop.call_later(LIGHT_S, self._outlast, asked) if asked.submission.is_light else None

        def tell(message: Progress | Kept) -> None:
            call = asked.on_part if isinstance(message, Kept) else asked.on_progress
            loop.call_soon_threadsafe(call, *message)

        reply: Reply | Exception
        try:
            network = asked.submission.network
            reply = await loop.run_in_executor(self._threads, process.ask, asked.submission.work, network, tell)
        except Exception as error:
            if not isinstance(error, LostError | OverdueError):
                LOG.exception("a compute process could not be asked")
                process.kill()
            reply = error
        if slow is not None:
            slow.cancel()
        asked.process = None
        self._running.discard(asked)
        assert asked.turn is not None
        self._queue.end(asked.turn)
        asked.spent = Spent(start_s - asked.asked_s, monotonic() - start_s)
        self._mean_s += 0.1 * (asked.spent.work_s - self._mean_s)
        if not asked.result.done():
            self._settle(asked, reply)
        self._release(process)

    def _outlast(self, asked: Asked) -> None:
        if asked.turn is not None and asked.turn.is_light and asked.process is not None:
            asked.turn = self._queue.outlast(asked.turn)
            self._add_if_few()  # its process is no longer one of those for light questions
            self._dispatch()

    def _settle(self, asked: Asked, reply: Reply | Exception) -> None:
        if isinstance(reply, Answered):
            if reply.is_known is not None:
                self._events.answered(is_known=reply.is_known)
            asked.result.set_result(reply.result)
            return
        error, reason = self._error_of(reply, asked.submission)
        if reason:
            self._events.refused(reason)
        asked.result.set_exception(error)

    def _error_of(self, reply: Reply | Exception, submission: Submission) -> tuple[Exception, str]:
        """Return the error of a question without an answer, and the reason to count."""
        if isinstance(reply, Failed):
            is_budget = isinstance(reply.error, ProblemError)
            return reply.error, "deadline" if isinstance(reply.error, DeadlineError) else "budget" if is_budget else ""
        if isinstance(reply, OverdueError):
            return DeadlineError(submission.work.max_s), "deadline"
        if isinstance(reply, OutOfMemory):
            return too_much_memory((self._settings.worker.max_memory_bytes or 0) / GIB), "memory"
        if isinstance(reply, Fault):
            LOG.error("internal error", extra={"request_id": submission.request_id, "trace": list(reply.lines)})
            return InternalError(), "fault"
        LOG.error("a compute process ended", extra={"request_id": submission.request_id})
        detail = "the process that computed this question ended; other questions are not affected"
        return busy(503, detail, self.retry_s), "crash"

    def _release(self, process: ComputeProcess) -> None:
        """Return a process to the free ones, or replace it."""
        if process.is_lost:
            self._n_processes -= 1
            self._spawn(self._close_process(process))
            if not self._is_closed:
                self._events.restarted()
                if self._n_processes < self._settings.n_kept:
                    self._spawn(self._add_process())
        elif self._is_closed or self._is_spare():
            self._n_processes -= 1
            self._spawn(self._close_process(process))
        else:
            self._free.append(process)
        self._dispatch()

    def _is_spare(self) -> bool:
        """Return whether a process is one too many. With none free, the next light question would wait for a start."""
        return self._n_processes > self._settings.n_kept and len(self._free) >= self._settings.n_light

    async def _close_process(self, process: ComputeProcess) -> None:
        await on_own_thread(process.close)

    def _add_process(self) -> Coroutine[Any, Any, None]:
        """Return what adds a process, which counts from now on."""
        self._n_processes += 1
        self._n_starting += 1
        return self._added_process()

    async def _added_process(self) -> None:
        settings = self._settings.worker
        process: ComputeProcess | None
        try:
            process = await on_own_thread(lambda: ComputeProcess(self._context, settings))
        except (OSError, EOFError) as error:
            self._n_processes -= 1
            LOG.error("a compute process could not be started", extra={"error": type(error).__name__})
            if not self.is_ready:
                raise
            process = None
        finally:
            self._n_starting -= 1
        if process is None:
            if self._free:
                self._dispatch()
        elif self._is_closed:
            process.close()
        else:
            self._free.append(process)
            self._dispatch()

    def _spawn(self, work: asyncio._CoroutineLike[None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _ignore(*_: object) -> None: ...
