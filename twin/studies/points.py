"""The points of a sweep worked out one by one, in this process or in several; the values are the same bit by bit."""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from ..answers.metrics import METRICS, NotApplicableError
from ..errors import CatalogueError, TopologyError, TwinError
from ..stages.engine import Engine
from ..stages.evaluation import Case
from .inputs import Axis, set_input

Point = tuple[float | None, str]
"""A metric, or None and why."""
N_AT_ONCE = 4
"""Points that a process is asked for in one go: few, so that an interrupted sweep ends soon and none waits long."""
N_AHEAD = 2
"""Goes that each process has waiting."""
WORTH_STARTING_S = 8.0
"""Processes start where the rest of a sweep would take longer: they need some seconds to come up."""
FIRST_LOOK_S = 1.0
MAX_PROCESSES = 256
NO_GUARD = "a process of a sweep began another sweep while it read the script that asked for it"
GUARD = 'a script that asks for several processes does so behind `if __name__ == "__main__":`'


@dataclass(frozen=True, eq=False)
class Question:
    """A case, what is varied in it, and the metric asked for."""

    origin: Case
    axes: tuple[Axis, ...]
    metric: str

    @property
    def n_points(self) -> int:
        """Of all combinations, the last axis fastest."""
        return math.prod(len(axis.values) for axis in self.axes)

    def check(self, engine: Engine) -> None:
        """Raises ChangeError where there is no such input, or it never takes such a value."""
        for axis in self.axes:
            for value in axis.values:
                with suppress(TopologyError):  # a job that contradicts itself there; what the other axis sets may help
                    set_input(self.origin, axis.path, value, engine.reader)

    def points(self, engine: Engine, rows: Sequence[int]) -> Iterator[Point]:
        """The metric at these points, one after the other; one without an answer is no reason to lose the others."""
        n_inner = len(self.axes[1].values) if len(self.axes) > 1 else 1
        last, outer = -1, self.origin
        for row in rows:
            i, k = divmod(row, n_inner)
            try:
                if i != last:
                    outer = set_input(self.origin, self.axes[0].path, self.axes[0].values[i], engine.reader)
                    last = i
                case = outer
                if len(self.axes) > 1:
                    case = set_input(case, self.axes[1].path, self.axes[1].values[k], engine.reader)
            except TwinError as error:
                yield None, _in_short(error)
            else:
                yield metric_of_case(case, self.metric, engine)


def metric_of_case(case: Case, metric: str, engine: Engine) -> Point:
    """A metric of a case, or None and why."""
    try:
        e = engine.evaluate(case)
        value = METRICS[metric].compute(e)
    except NotApplicableError as reason:
        return None, str(reason)
    except TwinError as error:
        return None, _in_short(error)
    return (value, "") if math.isfinite(value) else (None, "grows without bound")


def _in_short(error: TwinError) -> str:
    if isinstance(error, CatalogueError):  # whose place is a part
        return str(error)
    return "; ".join(dict.fromkeys(issue.problem for issue in error.issues))


def run_points(
    question: Question, engine: Engine, n_processes: int, advance: Callable[[int], None] | None
) -> list[Point]:
    """Every point in order. `advance` is told how many are done; what it raises ends the sweep.

    n_processes: at most so many, this one among them; more than one are only started where that saves time. The others
    import the program that runs, so a script asks for them behind `if __name__ == "__main__":`.
    """
    question.check(engine)
    found: list[Point | None] = [None] * question.n_points
    tell = advance if advance is not None else lambda _: None
    left = deque(range(len(found)))
    start_s = perf_counter()
    for n_done, point in enumerate(question.points(engine, range(len(found))), 1):
        found[left.popleft()] = point
        tell(n_done)
        taken_s = perf_counter() - start_s
        if n_processes > 1 and taken_s > FIRST_LOOK_S and taken_s / n_done * len(left) > WORTH_STARTING_S:
            _spread(question, engine, n_processes, left, found, tell)
            break
    return [point for point in found if point is not None]


def _spread(
    question: Question,
    engine: Engine,
    n_processes: int,
    left: deque[int],
    found: list[Point | None],
    tell: Callable[[int], None],
) -> None:
    """The points that are left, the first of them here and the last of them in processes of their own."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise TwinError(NO_GUARD, hint=GUARD)  # as `multiprocessing` itself would say, but for it hangs then
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    n_others = n_processes - 1
    asked: dict[Future[list[Point]], list[int]] = {}
    # by a file: a process that ends before it has read what is more than a pipe holds would never be noticed
    folder = TemporaryDirectory(prefix="twin-sweep-", ignore_cleanup_errors=True)
    sent = Path(folder.name, "question")
    others = ProcessPoolExecutor(n_others, context, _start, (str(sent), stop))
    try:
        sent.write_bytes(pickle.dumps((question, engine.reader.catalogue, engine.reader.prices)))
        while left or asked:
            while left and len(asked) < n_others * N_AHEAD:
                rows = [left.pop() for _ in range(min(N_AT_ONCE, len(left)))][::-1]
                with _deaf_to_interrupts():
                    asked[others.submit(_answer, rows)] = rows
            if left:
                rows = [left.popleft() for _ in range(min(N_AT_ONCE, len(left)))]
                for row, point in zip(rows, question.points(engine, rows), strict=True):
                    found[row] = point
            done, _ = wait(asked, timeout=0 if left else None, return_when=FIRST_COMPLETED)
            for future in done:
                for row, point in zip(asked.pop(future), future.result(), strict=True):
                    found[row] = point
            tell(len(found) - found.count(None))
    except BrokenProcessPool as error:
        raise TwinError(
            "a process of the sweep ended before its time", hint=f"{GUARD}; one process does without"
        ) from error
    finally:
        stop.set()
        others.shutdown(cancel_futures=True)
        folder.cleanup()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started within never hear Ctrl-C: whoever asked ends the sweep, and says so once."""
    if sys.platform == "win32":  # no such masks there
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# --- in the other processes -----------------------------------------------------------------------------------------

_mine: tuple[Question, Engine, Event]


def _start(sent: str, stop: Event) -> None:
    global _mine
    question, catalogue, prices = pickle.loads(Path(sent).read_bytes())  # what this very program wrote
    _mine = question, Engine(catalogue, prices), stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(rows: list[int]) -> list[Point]:
    question, engine, stop = _mine
    return list(takewhile(lambda _: not stop.is_set(), question.points(engine, rows)))
