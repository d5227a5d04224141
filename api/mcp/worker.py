"""A process that answers calls of tools, one JSON line each; the server ends it when a call takes too long.

python -m twin.api.mcp.worker [DIRECTORY...]      answers calls about shipped networks and documents below directories
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

MAX_LINE_BYTES = 4 * 1024 * 1024
"""Longest line between the processes: a call with its arguments, or an answer."""
MAX_CALL_BYTES = 1024 * 1024
MODULE = "twin.api.mcp.worker"
STUDY_SHARE = 0.8
"""Share of the time of a call after which a study ends by itself, with an error that says how far it came."""


class Told(NamedTuple):
    """The text of an answer or of an error."""

    text: str
    is_error: bool


class Worker:
    """The process that answers calls. It starts again after a call that took too long.

    Args:
        roots: directories whose documents tools may read.
        max_s: longest time of a call.
    """

    def __init__(self, roots: Sequence[Path], max_s: float) -> None:
        self._roots, self._max_s = roots, max_s
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Told:
        """Return the answer of a tool. Calls wait for each other; a cancelled call ends the process.

        Args:
            name: name of the tool.
            arguments: arguments of the call.
        """
        line = json.dumps([name, arguments]).encode() + b"\n"
        if len(line) > MAX_CALL_BYTES:
            return Told(f"arguments: {len(line):,} bytes; expected at most {MAX_CALL_BYTES:,}", True)
        async with self._lock:
            try:
                async with asyncio.timeout(self._max_s):
                    return await self._exchange(line)
            except TimeoutError:
                await self.close()
                return Told(
                    f"{name}: took all of the {self._max_s:g} s that a call may take; expected less work (a smaller "
                    "network, fewer candidates or failures), or `twin mcp --max-seconds`",
                    True,
                )
            except asyncio.CancelledError:
                await self.close()
                raise

    async def start(self) -> None:
        """Start the process unless it runs."""
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", MODULE, str(self._max_s), *map(str, self._roots)),
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
        return Told(*json.loads(reply))


def main(arguments: Sequence[str]) -> None:
    """Answer calls from stdin until it ends.

    arguments: the longest time of a call in seconds, then directories whose documents may be read.
    """
    from ..questions.context import Limits
    from .answer import ToolAnswer
    from .networks import RootedNetworks

    max_s, *roots = arguments
    bound_s = STUDY_SHARE * float(max_s)
    networks = RootedNetworks([Path(root) for root in roots])
    answers = ToolAnswer(networks, Limits(max_sweep_s=bound_s, max_study_s=bound_s))
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not be read as a reply
    for line in sys.stdin.buffer:
        name, call = json.loads(line)
        replies.write(json.dumps(answers.answer(name, call)) + "\n")
        replies.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
