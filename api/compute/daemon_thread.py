"""Blocking calls on a thread that no exit of the program waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


async def on_own_thread(call: Callable[[], Result]) -> Result:
    """Return the result of a blocking call that may take minutes, such as the start of the first process.

    call: function without arguments.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Result] = loop.create_future()

    def settle(value: Result | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]  # a value that is None is a result

    def run() -> None:
        value, error = None, None
        try:
            value = call()
        except Exception as found:
            error = found
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(settle, value, error)

    Thread(target=run, daemon=True).start()
    return await result
