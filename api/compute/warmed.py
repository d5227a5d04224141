"""Module that the parent of all compute processes imports once: all of the twin, with its kernels compiled."""

from __future__ import annotations

import os
from importlib import import_module
from threading import Event, Thread


def _end_with_parent(parent: int, is_warm: Event) -> None:
    """End this process if the service ends while the kernels compile."""
    while not is_warm.wait(0.2):
        if os.getppid() != parent:
            os._exit(1)


_is_warm = Event()
_watch = Thread(target=_end_with_parent, args=(os.getppid(), _is_warm))
_watch.start()  # before the imports, which take seconds
try:
    import_module("twin.warmup").warm_up()
    import_module("twin.api.compute.imported")  # after the kernels, so that they are shared, too
finally:
    _is_warm.set()
    _watch.join()  # processes are forked later, when no thread may be running
