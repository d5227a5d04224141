"""Executor of all studies: it computes items on this thread, on several threads or in several processes.

The results are the same bit for bit with every backend, in the order of the items. Each item is computed by the same
code from the same data, and nothing is summed over workers.
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
from time import perf_counter
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ..deadline import check
from ..errors import ChangeError, TwinError, did_you_mean
from ..progress import Advance
from .dask_workers import check_address, dask_workers, lost_workers
from .kept_parts import Codec, KeptRows, kept_parts
from .task_folder import task_folder

Item = TypeVar("Item")
Result = TypeVar("Result")
ItemIn = TypeVar("ItemIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)
Solve = Callable[[Sequence[Item]], Iterator[Result]]
"""Computes items one after the other, in their order."""
Keep = Callable[[int, Result], None]
"""Called with the row of each finished item and its result, in any order."""
Submit = Callable[[Sequence[Any]], "Future[list[Any]]"]
"""Submits a batch of items to the workers."""

MAX_WORKERS = 256
BATCH_SIZE = 4
"""Items of one batch: few, so that a cancelled run ends soon and no worker waits long for the last batch."""
N_QUEUED_BATCHES = 2
"""Batches that are queued for each worker."""
LOCAL_ONLY_S = 1.0
"""Time for which this thread works alone, to measure how long an item takes."""
POLL_S = 0.1
"""Interval at which a run that only waits for workers checks for cancellation."""
NO_GUARD = "a worker process started a study while it read the script that asked for it"
GUARD = 'a script that asks for several processes does so behind `if __name__ == "__main__":`'


class Task(Protocol[ItemIn, ResultOut]):
    """The work of a study with all its data. Each worker receives it once; for processes it can be pickled."""

    def start(self) -> Callable[[Sequence[ItemIn]], Iterator[ResultOut]]:
        """Return a function that computes items. Only one thread uses it, so it may cache results."""
        ...


@dataclass(frozen=True)
class Workers:
    """Backend of a study, a key of `BACKENDS`, and the largest number of workers, this thread included.

    Raises:
        ChangeError: for an unknown backend, or a number that is not from 1 to `MAX_WORKERS`.
    """

    backend: str = "serial"
    n: int = 1
    address: str | None = None
    """Address of the scheduler, of the backend `dask` alone."""

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            expected, hint = f"one of {', '.join(BACKENDS)}", did_you_mean(str(self.backend), BACKENDS)
            raise ChangeError(f"no executor {self.backend!r}", where="executor", expected=expected, hint=hint)
        if isinstance(self.n, bool) or not isinstance(self.n, int) or not 1 <= self.n <= MAX_WORKERS:
            expected = f"a whole number from 1 to {MAX_WORKERS}"
            raise ChangeError(f"{self.n!r} workers", where="executor", expected=expected)
        if BACKENDS[self.backend].is_remote:
            check_address(self.address or "")


def dask_at(address: str) -> Workers:
    """Return the workers of a running dask scheduler, however many there are."""
    return Workers("dask", MAX_WORKERS, address)


def workers_of(executor: str, n: int, n_processes: int | None, dask: str | None) -> Workers:
    """Return the workers that a question names: a scheduler, else a number of processes, else an executor."""
    if dask is not None:
        return dask_at(dask)
    return Workers(executor, n) if n_processes is None else Workers("processes", n_processes)


def run_items(
    task: Task[Item, Result],
    items: Sequence[Item],
    workers: Workers | None = None,
    *,
    local_solve: Solve[Item, Result] | None = None,
    advance: Advance | None = None,
    cancel: threading.Event | None = None,
    keep: Keep[Result] | None = None,
    codec: Codec[Result] | None = None,
) -> list[Result]:
    """Compute every item.

    This thread begins alone, unless workers are running. Others are started where they save time. An exception of an
    item or of `advance`, or Ctrl-C, ends all workers at their next item. Then no process and no temporary folder
    remains.

    Args:
        task: work and data that each worker receives once.
        items: items to compute, in batches of neighbours.
        workers: backend and largest number of workers. Default: this thread alone.
        local_solve: function that computes items on this thread. Default: `task.start()`.
        advance: called after each item with the number of finished items and of all items.
        cancel: event that another thread sets to end the run.
        keep: called with each result before `advance`.
        codec: form of the results where the caller keeps parts of a study; None = nothing is kept.

    Returns:
        The results in the order of the items.

    Raises:
        CancelledError: of `concurrent.futures`, once `cancel` is set.
        TwinError: where a worker process dies, or the script has no `__main__` guard.
    """
    workers = workers or Workers()
    run, backend = _Run(local_solve or task.start(), items, advance, cancel, keep), BACKENDS[workers.backend]
    parts = kept_parts()
    if parts is not None and codec is not None:
        run.resume(KeptRows(parts, codec, len(items)))
    n_others = min(workers.n, len(items)) if backend.is_remote else run.run_locally(workers)
    if n_others:
        where = (workers.address,) if backend.is_remote else ()
        with backend.open(task, n_others, *where) as submit:
            run.run_with_workers(submit, n_others, backend)
    return run.results()


def n_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Run(Generic[Item, Result]):
    """One run: the remaining items, and the results so far."""

    def __init__(
        self,
        solve: Solve[Item, Result],
        items: Sequence[Item],
        advance: Advance | None,
        cancel: threading.Event | None,
        keep: Keep[Result] | None,
    ) -> None:
        self._solve = solve
        self._items = items
        self._advance = advance
        self._cancel = cancel
        self._keep = keep
        self._remaining = deque(range(len(items)))
        self._results: dict[int, Result] = {}
        self._kept: KeptRows[Result] | None = None
        self._n_resumed = 0

    def resume(self, kept: KeptRows[Result]) -> None:
        """Take over the results of an earlier process, and keep those of this one."""
        self._kept, found = kept, kept.load()
        self._results.update(found)
        self._n_resumed = len(found)
        self._remaining = deque(row for row in self._remaining if row not in found)
        if found and self._advance is not None:
            self._advance(len(self._results), len(self._items))

    def results(self) -> list[Result]:
        return [self._results[row] for row in range(len(self._items))]

    def run_locally(self, workers: Workers) -> int:
        """Work on this thread until all is done or other workers save time. Returns how many others to start."""
        self._raise_if_cancelled()
        start_s = perf_counter()
        items = [self._items[row] for row in self._remaining] if self._n_resumed else self._items
        for result in self._solve(items):
            self._record(self._remaining.popleft(), result)
            n_others = self._n_worth_starting(workers, perf_counter() - start_s)
            if n_others:
                return n_others
        return 0

    def run_with_workers(self, submit: Submit, n_others: int, backend: Backend) -> None:
        """Compute the rest: this thread takes the first remaining items, the other workers the last ones.

        What a lost remote worker had goes back to the remaining items. At the end this thread computes, beside them,
        what remote workers have not finished, so that it does not wait for workers that are gone.
        """
        submitted: dict[Future[list[Result]], list[int]] = {}
        remaining, lost = self._remaining, backend.lost()
        while remaining or submitted:
            while remaining and len(submitted) < n_others * N_QUEUED_BATCHES:
                rows = [remaining.pop() for _ in range(_batch_size(len(remaining), n_others))][::-1]
                try:
                    submitted[submit([self._items[row] for row in rows])] = rows
                except lost:
                    remaining.extend(rows)
                    n_others = 0
            if remaining:
                self._solve_here([remaining.popleft() for _ in range(_batch_size(len(remaining), n_others))])
            elif backend.is_remote:
                _, rows = submitted.popitem()
                self._solve_here(rows)
            is_busy = bool(remaining) or backend.is_remote
            done, _ = wait(submitted, timeout=0 if is_busy else POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                rows = submitted.pop(future)
                try:
                    results = future.result()
                except lost:
                    remaining.extend(rows)
                    continue
                for row, result in zip(rows, results, strict=True):
                    self._record(row, result)
            self._raise_if_cancelled()

    def _solve_here(self, rows: Sequence[int]) -> None:
        for row, result in zip(rows, self._solve([self._items[row] for row in rows]), strict=True):
            self._record(row, result)

    def _n_worth_starting(self, workers: Workers, elapsed_s: float) -> int:
        """Number of other workers that save time: 0 for little remaining work, never more than cores or items."""
        min_worker_time_s = BACKENDS[workers.backend].min_worker_time_s
        if elapsed_s <= LOCAL_ONLY_S or math.isinf(min_worker_time_s):
            return 0
        n_remaining = len(self._remaining)
        remaining_s = elapsed_s / (len(self._results) - self._n_resumed) * n_remaining
        return max(0, min(min(workers.n, n_cores(), n_remaining) - 1, int(remaining_s / min_worker_time_s)))

    def _record(self, row: int, result: Result) -> None:
        self._results[row] = result
        if self._keep is not None:
            self._keep(row, result)
        if self._kept is not None:
            self._kept.add(row, result)
        if self._advance is not None:
            self._advance(len(self._results), len(self._items))
        check()
        self._raise_if_cancelled()

    def _raise_if_cancelled(self) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError(f"cancelled after {len(self._results)} of {len(self._items)} items")


def _batch_size(n_remaining: int, n_others: int) -> int:
    """Items of the next batch; single items at the end, so that all workers end at about the same time."""
    return max(1, min(BATCH_SIZE, n_remaining // (n_others + 1)))


# --- backends -------------------------------------------------------------------------------------------------------


class _Event(Protocol):
    """A stop event of threads or of processes."""

    def is_set(self) -> bool: ...


class _Worker:
    """State that one thread or process retains between batches."""

    def __init__(self, read_task: Callable[[], Task[Any, Any]], stop: _Event) -> None:
        self._read_task = read_task
        self._stop = stop
        self._solve: Solve[Any, Any] | None = None

    def solve(self, items: Sequence[Any]) -> list[Any]:
        """Compute a batch. After a stop it returns fewer results, which the run ignores."""
        if self._solve is None:
            self._solve = self._read_task().start()
        return list(takewhile(lambda _: not self._stop.is_set(), self._solve(items)))


@contextmanager
def _threads(task: Task[Any, Any], n: int) -> Iterator[Submit]:
    """Start threads of this process, each with a separate solver."""
    stop, thread_state = threading.Event(), threading.local()

    def start() -> None:
        thread_state.worker = _Worker(lambda: task, stop)

    def solve(items: Sequence[Any]) -> list[Any]:
        worker: _Worker = thread_state.worker
        return worker.solve(items)

    pool = ThreadPoolExecutor(n, "twin-study", start)
    try:
        yield lambda items: pool.submit(solve, items)
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _processes(task: Task[Any, Any], n: int) -> Iterator[Submit]:
    """Start processes that import the running program again and read the task from a file."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise TwinError(NO_GUARD, hint=GUARD)  # `multiprocessing` reports this too, but then hangs
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with task_folder() as folder:
        # through a pipe, a process that ends before it has read a large task would never be noticed
        (folder / "task").write_bytes(pickle.dumps(task))
        pool = ProcessPoolExecutor(n, context, _start_process, (str(folder), stop))
        try:
            yield partial(_submit_without_interrupts, pool)
        except BrokenProcessPool as error:
            raise TwinError("a worker process ended early", hint=f"{GUARD}; one process needs no guard") from error
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _submit_without_interrupts(pool: ProcessPoolExecutor, items: Sequence[Any]) -> Future[list[Any]]:
    """Submit a batch. A process that this starts ignores Ctrl-C; the parent ends it and reports the interrupt once."""
    if sys.platform == "win32":  # no signal masks there
        return pool.submit(_solve, items)
    old_mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(_solve, items)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)


class Backend(NamedTuple):
    """A kind of workers beside this thread."""

    open: Callable[..., AbstractContextManager[Submit]]
    """Starts a number of workers for a task; leaving the context ends them at their next item. Remote workers are
    running; their address is the third argument."""
    min_worker_time_s: float
    """Remaining work for which one more worker is started, since a worker needs time to start."""
    is_remote: bool = False
    """True where the workers are running on other machines, and may be lost."""
    lost: Callable[[], tuple[type[BaseException], ...]] = tuple
    """Returns the errors of a batch whose worker was lost."""


BACKENDS = {
    "serial": Backend(_threads, math.inf),  # no remaining work justifies another worker
    "threads": Backend(_threads, 8.0),
    "processes": Backend(_processes, 8.0),
    "dask": Backend(dask_workers, 0.0, True, lost_workers),
}
"""Every backend by name."""


# --- in worker processes --------------------------------------------------------------------------------------------

_worker: _Worker


def _start_process(folder: str, stop: _Event) -> None:
    global _worker
    _worker = _Worker(lambda: pickle.loads(Path(folder, "task").read_bytes()), stop)  # written by this program
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _exit(folder))
    threading.Thread(target=_exit_with_parent, args=(folder,), daemon=True).start()


def _exit_with_parent(folder: str) -> None:
    """End when the parent has ended for any reason, and remove its folder, since the parent no longer can."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _exit(folder)


def _exit(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _solve(items: Sequence[Any]) -> list[Any]:
    return _worker.solve(items)
