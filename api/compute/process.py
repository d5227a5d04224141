"""One compute process, as the service sees it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from multiprocessing.context import BaseContext
from threading import Lock
from time import monotonic

from .work import Answered, Cancel, Failed, Fault, Kept, OutOfMemory, Progress, Reply, Started, Work
from .worker import WorkerSettings, serve

GRACE_S = 1.0
"""Time after the deadline, or after a notice that no client waits, until the process is killed."""
MAX_START_S = 300.0
"""Longest time from the start of a process until it is ready."""
MAX_POLL_S = 3600.0
"""Longest time of one wait for a message; infinity is no time that the system accepts."""
N_REMEMBERED = 12
"""Networks that a process is taken to have compiled; it keeps about as many."""


class LostError(Exception):
    """The process ended without an answer."""


class OverdueError(Exception):
    """The question took all of its time. The process has been killed."""


class ComputeProcess:
    """A compute process with a pipe. One thread at a time asks it; other threads may cancel or kill.

    Args:
        context: start method of processes.
        settings: settings of the process.

    Raises:
        OSError, EOFError: it does not start.
    """

    def __init__(self, context: BaseContext, settings: WorkerSettings) -> None:
        self._connection, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, settings), name="twin-compute", daemon=True)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        self._process = process
        self._sending = Lock()
        self._number = 0
        self._networks: OrderedDict[str, None] = OrderedDict()
        self.is_lost = False
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        try:
            if not self._connection.poll(MAX_START_S):
                raise TimeoutError
            self._connection.recv()
        except (EOFError, OSError):
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        pid: int = self._process.pid
        return pid

    def has(self, network: str) -> bool:
        """Return whether the process has probably compiled a network.

        network: key of the network.
        """
        return network in self._networks

    @property
    def n_networks(self) -> int:
        """Return the number of networks that the process has probably compiled."""
        return len(self._networks)

    def ask(self, work: Work, network: str, on_message: Callable[[Progress | Kept], None]) -> Reply:
        """Ask a question and wait for the answer. The thread that calls it waits, so it is no event loop's.

        Args:
            work: the question.
            network: key of its network.
            on_message: called for each message before the answer.

        Raises:
            LostError: the process ended.
            OverdueError: it did not end at its deadline, and has been killed.
        """
        self._number += 1
        end_s = monotonic() + work.max_s + GRACE_S
        try:
            with self._sending:
                self._connection.send(Started(self._number, work))
            while True:
                left_s = end_s - monotonic()
                if not self._connection.poll(min(max(left_s, 0.0), MAX_POLL_S)):
                    if left_s > MAX_POLL_S:
                        continue
                    self.kill()
                    raise OverdueError
                message = self._connection.recv()
                if isinstance(message, Progress | Kept):
                    on_message(message)
                    continue
                return self._received(message, network)
        except (EOFError, OSError) as error:
            self.is_lost = True
            raise LostError from error

    def _received(self, reply: Reply, network: str) -> Reply:
        if isinstance(reply, Answered | Failed):
            self.is_lost = reply.is_last
        elif isinstance(reply, Fault | OutOfMemory):
            self.is_lost = True
        self._networks[network] = None
        self._networks.move_to_end(network)
        while len(self._networks) > N_REMEMBERED:
            self._networks.popitem(last=False)
        return reply

    def cancel(self) -> None:
        """Tell the process that no client waits for the answer. A process that is still receiving is killed."""
        if not self._sending.acquire(blocking=False):
            self.kill()
            return
        try:
            self._connection.send(Cancel(self._number))
        except OSError:
            self.is_lost = True
        finally:
            self._sending.release()

    def kill(self) -> None:
        """End the process at once."""
        self.is_lost = True
        self._process.kill()

    def close(self) -> None:
        """End the process and release what the system holds for it. Nothing else may be called afterwards."""
        self.kill()
        self._process.join(GRACE_S)
        self._connection.close()
