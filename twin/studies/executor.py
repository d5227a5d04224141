"""One executor for every study: items worked out on this thread, on several threads or in several processes.

The answers are the same bit for bit, and stand in the order of the items, whatever works them out: an item is computed
by the same code from the same data, and nothing is summed over workers.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import shutil
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ..errors import ChangeError, TwinError, did_you_mean

Item = TypeVar("Item")
Result = TypeVar("Result")
ItemIn = TypeVar("ItemIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)
Solve = Callable[[Sequence[Item]], Iterator[Result]]
"""Works out some items one after the other, in their order."""
Advance = Callable[[int, int], None]
"""Told how many items are done, of how many, after each of them. What it raises ends the run."""
Submit = Callable[[Sequence[Any]], "Future[list[Any]]"]
"""Gives a worker some items."""

MAX_WORKERS = 256
N_AT_ONCE = 4
"""Items of one batch: few, so that a cancelled run ends soon and no worker waits long for the last one."""
N_AHEAD = 2
"""Batches that wait for each worker."""
FIRST_LOOK_S = 1.0
"""This thread works alone for so long, to see how long an item takes."""
POLL_S = 0.1
"""How often a run that only waits for workers looks whether it is cancelled."""
NO_GUARD = "a worker process started a study while it read the script that asked for it"
GUARD = 'a script that asks for several processes does so behind `if __name__ == "__main__":`'


class Task(Protocol[ItemIn, ResultOut]):
    """A question with all the data that it needs. Workers receive it once; for processes it can be pickled."""

    def start(self) -> Callable[[Sequence[ItemIn]], Iterator[ResultOut]]:
        """A function that works out items. It is used by one thread only, so it may keep what it computes."""
        ...


@dataclass(frozen=True)
class Workers:
    """What works out the items of a study: a row of `BACKENDS`, and at most how many workers, this thread included.

    Raises:
        ChangeError: for an unknown backend, or a number that is not from 1 to `MAX_WORKERS`.
    """

    backend: str = "serial"
    n: int = 1

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            expected, hint = f"one of {', '.join(BACKENDS)}", did_you_mean(str(self.backend), BACKENDS)
            raise ChangeError(f"no executor {self.backend!r}", where="executor", expected=expected, hint=hint)
        if isinstance(self.n, bool) or not isinstance(self.n, int) or not 1 <= self.n <= MAX_WORKERS:
            expected = f"a whole number from 1 to {MAX_WORKERS}"
            raise ChangeError(f"{self.n!r} workers", where="executor", expected=expected)


def run_items(
    task: Task[Item, Result],
    items: Sequence[Item],
    workers: Workers | None = None,
    *,
    here: Solve[Item, Result] | None = None,
    advance: Advance | None = None,
    cancel: threading.Event | None = None,
) -> list[Result]:
    """Work out every item.

    This thread begins alone. Others join it where that saves time. An exception, whether of an item, of `advance` or
    Ctrl-C, ends all workers at their next item; then neither a process nor a temporary folder is left.

    Args:
        task: what each worker gets once.
        items: what is worked out, in batches of neighbours.
        workers: the backend and the largest number of workers; this thread alone otherwise.
        here: what works out the items on this thread, where that is ready already; else `task.start()`.
        advance: told how many items are done.
        cancel: set by another thread to end the run.

    Returns:
        The results in the order of the items.

    Raises:
        CancelledError: of `concurrent.futures`, once `cancel` is set.
        TwinError: where a worker process dies, or the script has no `__main__` guard.
    """
    workers = workers or Workers()
    run = _Run(here or task.start(), items, advance, cancel)
    n_others = run.begin(workers)
    if n_others:
        with BACKENDS[workers.backend].open(task, n_others) as submit:
            run.spread(submit, n_others)
    return run.results()


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Run(Generic[Item, Result]):
    """The items of one run: which are left, and the results so far."""

    def __init__(
        self,
        solve: Solve[Item, Result],
        items: Sequence[Item],
        advance: Advance | None,
        cancel: threading.Event | None,
    ) -> None:
        self._solve = solve
        self._items = items
        self._advance = advance
        self._cancel = cancel
        self._left = deque(range(len(items)))
        self._found: dict[int, Result] = {}

    def results(self) -> list[Result]:
        return [self._found[row] for row in range(len(self._items))]

    def begin(self, workers: Workers) -> int:
        """Work on this thread until all is done or others are worth starting; how many others."""
        self._check()
        start_s = perf_counter()
        for result in self._solve(self._items):
            self._keep(self._left.popleft(), result)
            n_others = self._n_worth_starting(workers, perf_counter() - start_s)
            if n_others:
                return n_others
        return 0

    def spread(self, submit: Submit, n_others: int) -> None:
        """Work out the rest: this thread takes the first items that are left, the others the last ones."""
        waiting: dict[Future[list[Result]], list[int]] = {}
        left = self._left
        while left or waiting:
            while left and len(waiting) < n_others * N_AHEAD:
                rows = [left.pop() for _ in range(_n_at_once(left, n_others))][::-1]
                waiting[submit([self._items[row] for row in rows])] = rows
            if left:
                rows = [left.popleft() for _ in range(_n_at_once(left, n_others))]
                for row, result in zip(rows, self._solve([self._items[row] for row in rows]), strict=True):
                    self._keep(row, result)
            done, _ = wait(waiting, timeout=0 if left else POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                for row, result in zip(waiting.pop(future), future.result(), strict=True):
                    self._keep(row, result)
            self._check()

    def _n_worth_starting(self, workers: Workers, taken_s: float) -> int:
        """Other workers that save time: none for a short rest, never more than cores or items."""
        worth_s = BACKENDS[workers.backend].worth_s
        if taken_s <= FIRST_LOOK_S or math.isinf(worth_s):
            return 0
        rest_s = taken_s / len(self._found) * len(self._left)
        return max(0, min(min(workers.n, n_cores(), len(self._left)) - 1, int(rest_s / worth_s)))

    def _keep(self, row: int, result: Result) -> None:
        self._found[row] = result
        if self._advance is not None:
            self._advance(len(self._found), len(self._items))
        self._check()

    def _check(self) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError(f"cancelled after {len(self._found)} of {len(self._items)} items")


def _n_at_once(left: deque[int], n_others: int) -> int:
    """Items of the next batch; single ones at the end, so that all workers end at about the same time."""
    return max(1, min(N_AT_ONCE, len(left) // (n_others + 1)))


# --- backends -------------------------------------------------------------------------------------------------------


class _Flag(Protocol):
    """An event of threads or of processes."""

    def is_set(self) -> bool: ...


class _Worker:
    """What one thread or process keeps from batch to batch."""

    def __init__(self, read: Callable[[], Task[Any, Any]], stop: _Flag) -> None:
        self._read = read
        self._stop = stop
        self._solve: Solve[Any, Any] | None = None

    def answer(self, items: Sequence[Any]) -> list[Any]:
        """Results of a batch; fewer where the run is stopped, when nobody reads them any more."""
        if self._solve is None:
            self._solve = self._read().start()
        return list(takewhile(lambda _: not self._stop.is_set(), self._solve(items)))


@contextmanager
def _threads(task: Task[Any, Any], n: int) -> Iterator[Submit]:
    """Threads of this process, each with a solver of its own."""
    stop, mine = threading.Event(), threading.local()

    def start() -> None:
        mine.worker = _Worker(lambda: task, stop)

    def answer(items: Sequence[Any]) -> list[Any]:
        worker: _Worker = mine.worker
        return worker.answer(items)

    pool = ThreadPoolExecutor(n, "twin-study", start)
    try:
        yield lambda items: pool.submit(answer, items)
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _processes(task: Task[Any, Any], n: int) -> Iterator[Submit]:
    """Processes that import the running program anew, and read the task from a file."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise TwinError(NO_GUARD, hint=GUARD)  # `multiprocessing` itself would say so, but then hangs
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with TemporaryDirectory(prefix="twin-study-", ignore_cleanup_errors=True) as folder:
        # A process that ends before it has read more than a pipe holds would never be noticed.
        Path(folder, "task").write_bytes(pickle.dumps(task))
        pool = ProcessPoolExecutor(n, context, _start_process, (folder, stop))
        try:
            yield partial(_submit_deaf, pool)
        except BrokenProcessPool as error:
            raise TwinError("a worker process ended early", hint=f"{GUARD}; one process needs no guard") from error
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _submit_deaf(pool: ProcessPoolExecutor, items: Sequence[Any]) -> Future[list[Any]]:
    """Submit a batch; a process that this starts never hears Ctrl-C. The parent ends it, and reports once."""
    if sys.platform == "win32":  # no signal masks there
        return pool.submit(_answer, items)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(_answer, items)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Backend(NamedTuple):
    """A way to run workers beside this thread."""

    open: Callable[[Task[Any, Any], int], AbstractContextManager[Submit]]
    """Starts so many workers; leaving the context ends them at their next item."""
    worth_s: float
    """A further worker is started for each such stretch of work that is left: they need time to come up."""


BACKENDS = {
    "serial": Backend(_threads, math.inf),  # no rest is long enough for another worker
    "threads": Backend(_threads, 8.0),
    "processes": Backend(_processes, 8.0),
}
"""Every backend by name."""


# --- in worker processes --------------------------------------------------------------------------------------------

_worker: _Worker


def _start_process(folder: str, stop: _Flag) -> None:
    global _worker
    _worker = _Worker(lambda: pickle.loads(Path(folder, "task").read_bytes()), stop)  # written by this very program
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _leave(folder))
    threading.Thread(target=_leave_with_parent, args=(folder,), daemon=True).start()


def _leave_with_parent(folder: str) -> None:
    """End once the parent is gone, however that came; then nobody else removes its folder."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _leave(folder)


def _leave(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _answer(items: Sequence[Any]) -> list[Any]:
    return _worker.answer(items)
