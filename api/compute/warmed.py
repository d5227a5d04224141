"""Module that the parent of all compute processes imports once: all of the twin, with its kernels compiled."""

from __future__ import annotations

import os
from threading import Event, Thread

from twin.warmup import warm_up


def _end_with_parent(parent: int, is_warm: Event) -> None:
    """End this process if the service ends while the kernels compile."""
    while not is_warm.wait(0.5):
        if os.getppid() != parent:
            os._exit(1)


_is_warm = Event()
_watch = Thread(target=_end_with_parent, args=(os.getppid(), _is_warm))
_watch.start()
try:
    warm_up()
finally:
    _is_warm.set()
    _watch.join()  # processes are forked later, when no thread may be running

from . import imported  # noqa: E402, F401  # after the kernels, so that they are shared, too
