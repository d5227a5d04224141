"""Compute process: it answers one question after the other until its parent closes the pipe."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic
from typing import NamedTuple

from twin.deadline import EndedError, deadline
from twin.errors import TwinError
from twin.studies.kept_parts import KeptParts, keeping

from ..problems import NotFoundError, ProblemError
from ..questions.context import Context, NetworkSource
from .kept_networks import KeptNetworks
from .memory import allow_more_memory, limit_memory, used_bytes
from .work import Answered, Cancel, Failed, Fault, Kept, OutOfMemory, Progress, Ready, Reply, Started

NICENESS = 5
"""Nice value of compute processes, so that the process that receives requests is never short of time."""
PROGRESS_INTERVAL_S = 0.1
"""Least time between two messages of progress."""
FULL_RATIO = 0.5
"""Share of its memory above which a process ends after an answer. Its successor starts with empty caches."""


class WorkerSettings(NamedTuple):
    """Settings of a compute process. They can be pickled."""

    make_networks: Callable[[], NetworkSource]
    """Creates the cache of networks of the process."""
    max_memory_gib: float
    """Memory that an estimate of a question may reach."""
    max_memory_bytes: int | None
    """Memory that the process may take beyond what it has at start; None = no bound."""


def serve(connection: Connection, settings: WorkerSettings) -> None:
    """Answer questions that arrive on a connection; the function of a compute process.

    Args:
        connection: pipe to the service.
        settings: settings of the process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the service, which then closes the pipe
    os.nice(NICENESS)
    start_bytes = used_bytes()
    limit_memory(settings.max_memory_bytes)
    inbox = _Inbox(connection)
    answers = _Answers(settings, inbox, start_bytes)
    inbox.send(Ready())
    while True:
        reply = answers.reply(inbox.next())
        inbox.send(reply)
        if isinstance(reply, Fault | OutOfMemory) or reply.is_last:
            return


class _Inbox:
    """Reads the pipe on a thread of its own: questions, and notices that no client waits for the current one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()
        self._started: SimpleQueue[Started] = SimpleQueue()
        self._cancelled = 0
        self.client_gone = Event()
        self.number = 0
        Thread(target=self._read, daemon=True).start()

    def next(self) -> Started:
        started = self._started.get()
        with self._lock:
            self.number = started.number
            self.client_gone.clear()
            if self._cancelled == started.number:
                self.client_gone.set()
        return started

    def send(self, message: Ready | Reply | Progress | Kept) -> None:
        self._connection.send(message)

    def _read(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except MemoryError:  # the request alone is too large for this process
                os._exit(1)
            except (EOFError, OSError):  # the service has closed the pipe, or is gone
                os._exit(0)
            if isinstance(message, Cancel):
                with self._lock:
                    self._cancelled = message.number
                    if message.number == self.number:
                        self.client_gone.set()
            else:
                self._started.put(message)


class _Answers:
    """Answers questions with the networks that the process keeps."""

    def __init__(self, settings: WorkerSettings, inbox: _Inbox, start_bytes: int) -> None:
        self._settings, self._inbox, self._start_bytes = settings, inbox, start_bytes
        self._networks = KeptNetworks(settings.make_networks())
        self._told_s = 0.0

    def reply(self, started: Started) -> Reply:
        """Return the answer to a question, or the error in its place."""
        work = started.work
        gone = self._inbox.client_gone
        limits = work.limits._replace(max_memory_gib=self._settings.max_memory_gib)
        context = Context(self._networks, limits, gone, progress=self._tell)
        self._networks.is_known = None
        parts = None if work.parts is None else KeptParts(work.parts, self._keep)
        try:
            with deadline(work.max_s, gone.is_set), keeping(parts):
                result = work.task.run(context)
            return Answered(result, self._networks.is_known, self._is_full())
        except MemoryError:
            pass  # the error refers to what fills the memory, so the reply is made after this block
        except (TwinError, NotFoundError, ProblemError, EndedError) as error:
            return Failed(error.with_traceback(None), self._is_full())
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
            return Fault((*lines, type(error).__name__))
        allow_more_memory()
        return OutOfMemory()

    def _keep(self, name: str, content: bytes) -> None:
        self._inbox.send(Kept(name, content))

    def _is_full(self) -> bool:
        bound = self._settings.max_memory_bytes
        return bound is not None and used_bytes() - self._start_bytes > FULL_RATIO * bound

    def _tell(self, n_done: int, n_items: int) -> None:
        now_s = monotonic()
        if now_s - self._told_s >= PROGRESS_INTERVAL_S or n_done == n_items:
            self._told_s = now_s
            self._inbox.send(Progress(n_done, n_items))
