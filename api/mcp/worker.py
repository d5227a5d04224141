"""A process that answers calls of tools, one JSON line each; the server ends it when a call takes too long.

python -m twin.api.mcp.worker SETTINGS      answers calls; SETTINGS is WorkerSettings as JSON
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from .half_characters import REFUSAL, has_half_character

MAX_LINE_BYTES = 4 * 1024 * 1024
"""Longest line between the processes: a call with its arguments, or an answer."""
MAX_CALL_BYTES = 1024 * 1024
MODULE = "twin.api.mcp.worker"
SMALLER = (
    "expected less work (a smaller network, fewer candidates or failures), or `twin mcp --max-seconds`, `--memory-gib`"
)
STUDY_SHARE = 0.8
"""Share of the time of a call after which a study ends by itself, with an error that says how far it came."""
ANSWER_SHARE = 0.9
"""Share of the time of a call after which any other question ends by itself, so that the process goes on."""


class Told(NamedTuple):
    """The text of an answer or of an error."""

    text: str
    is_error: bool


class WorkerSettings(NamedTuple):
    """Documents that a process may read, and the bounds of a call."""

    roots: tuple[str, ...] = ()
    """Directories whose documents tools may read."""
    data: str | None = None
    """Directory or URL of stored networks that tools may name; None for none."""
    max_s: float = 120.0
    """Longest time of a call."""
    max_memory_gib: float = 4.0
    """Memory that the process may take beyond what it has at start."""


class Worker:
    """The process that answers calls. It starts again after a call that took too long or too much memory.

    Args:
        settings: what the process may read, and the bounds of a call.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings, self._max_s = settings, settings.max_s
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Told:
        """Return the answer of a tool. Calls wait for each other; a cancelled call ends the process.

        Args:
            name: name of the tool.
            arguments: arguments of the call.
        """
        if has_half_character(name, arguments):
            return Told(REFUSAL, True)
        line = json.dumps([name, arguments]).encode() + b"\n"
        if len(line) > MAX_CALL_BYTES:
            return Told(f"arguments: {len(line):,} bytes; expected at most {MAX_CALL_BYTES:,}", True)
        async with self._lock:
            try:
                async with asyncio.timeout(self._max_s):
                    return await self._exchange(line)
            except TimeoutError:
                await self.close()
                return Told(f"{name}: took all of the {self._max_s:g} s that a call may take; {SMALLER}", True)
            except asyncio.CancelledError:
                await self.close()
                raise

    async def start(self) -> None:
        """Start the process unless it runs."""
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", MODULE, json.dumps(self._settings._asdict())),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=MAX_LINE_BYTES,
            )

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _exchange(self, line: bytes) -> Told:
        await self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(line)
            await self._process.stdin.drain()
            reply = await self._process.stdout.readline()
        except (BrokenPipeError, ConnectionResetError):
            reply = b""
        if not reply:
            await self.close()
            return Told("an internal error of the twin, not of the call; stderr of the server has the trace", True)
        told = Reply(*json.loads(reply))
        if told.is_last:
            await self.close()
        return Told(told.text, told.is_error)


class Reply(NamedTuple):
    """Reply of the process to a call."""

    text: str
    is_error: bool
    is_last: bool
    """True if the process ends now, since its memory is used up."""


def bounded_reply(answer: Callable[[], tuple[str, bool]], name: str, settings: WorkerSettings) -> Reply:
    """Return the reply to a call, an error if it takes more time or memory than it may.

    Args:
        answer: answers the call: text, and whether it is an error.
        name: name of the tool.
        settings: bounds of the call.
    """
    from twin.deadline import DeadlineError, deadline

    from ..compute.memory import allow_more_memory

    try:
        with deadline(ANSWER_SHARE * settings.max_s, lambda: False):
            return Reply(*answer(), False)
    except DeadlineError as error:
        return Reply(f"{name}: took all of the {error.allowed_s:g} s that it may take; {SMALLER}", True, False)
    except MemoryError:
        pass  # the error refers to what fills the memory, so the reply is made after this block
    allow_more_memory()
    bound = f"{settings.max_memory_gib:g} GiB of memory"
    return Reply(f"{name}: took all of the {bound} that it may take; {SMALLER}", True, True)


def main(settings: WorkerSettings) -> None:
    """Answer calls from stdin until it ends.

    settings: what the process may read, and the bounds of a call.
    """
    from twin.store import NetworkStore, open_database

    from ..compute.memory import limit_memory
    from ..questions.context import Limits
    from .answer import ToolAnswer
    from .networks import RootedNetworks

    store = None if settings.data is None else NetworkStore(open_database(settings.data))
    networks = RootedNetworks([Path(root) for root in settings.roots], store)
    bound_s = STUDY_SHARE * settings.max_s
    limits = Limits(max_sweep_s=bound_s, max_study_s=bound_s, max_memory_gib=settings.max_memory_gib)
    answers = ToolAnswer(networks, limits)
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not be read as a reply
    limit_memory(round(settings.max_memory_gib * 2**30))
    for line in sys.stdin.buffer:
        name, call = json.loads(line)
        reply = bounded_reply(partial(answers.answer, name, call), name, settings)
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
        if reply.is_last:
            return


if __name__ == "__main__":
    main(WorkerSettings(**json.loads(sys.argv[1])))
