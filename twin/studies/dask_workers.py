"""Workers of a study on an existing `dask.distributed` scheduler (extra `dask`).

A worker that ends costs no result: the scheduler gives its batches to others, and what no other finishes is computed
by the study itself.
"""

from __future__ import annotations

import logging
import pickle
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import Any

from ..errors import ChangeError, TwinError

CONNECT_S = 10.0
"""Time after which an address without a scheduler is an error."""

LOGGERS = ("distributed", "distributed.client", "tornado.application")
"""Loggers that report, with tracebacks, each batch of a lost worker and each batch that is no longer needed."""

_solvers = threading.local()
"""On a worker: the function of the last study, and its id, for each thread."""


def check_address(address: str) -> None:
    """Check that dask is installed, and that an address looks like one.

    Raises:
        TwinError: dask is not installed.
        ChangeError: the address has no protocol.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise TwinError("dask is not installed", hint="pip install 'dc-twin[dask]'") from error
    if "://" not in address:
        raise ChangeError(f"no address {address!r}", where="dask", expected="tcp://host:port of a scheduler")


def lost_workers() -> tuple[type[BaseException], ...]:
    """Return the errors of batches whose worker or scheduler has ended."""
    from distributed import KilledWorker

    return KilledWorker, CancelledError, OSError


@contextmanager
def dask_workers(task: Any, _: int, address: str) -> Iterator[Callable[[Sequence[Any]], Future[list[Any]]]]:
    """Connect to a scheduler and give its workers a task; leaving the context drops what they have not begun.

    Args:
        task: task of the study, which can be pickled.
        _: number of workers to start; none, since they are running.
        address: address of the scheduler.

    Raises:
        TwinError: no scheduler answers.
    """
    from distributed import Client

    from ..arrays import package_version  # here, since processes of a study import this file while they start

    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise TwinError(f"no dask scheduler answers at {address}", where="dask", hint="dask scheduler") from error
    with _without_logs(), client, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
        # the result of a task, which dask computes anew where its workers end; scattered data would be lost with them
        data = client.submit(bytes, pickle.dumps(task), pure=False)
        study, version = uuid.uuid4().hex, package_version()
        executor = client.get_executor(pure=False)
        yield lambda items: executor.submit(_solve, data, study, version, items)


@contextmanager
def _without_logs() -> Iterator[None]:
    """Silence `LOGGERS` until the end of the block: what a lost worker had is computed elsewhere."""
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in levels:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _solve(data: bytes, study: str, version: str, items: Sequence[Any]) -> list[Any]:
    """Compute a batch on a worker."""
    from ..arrays import package_version

    if version != package_version():
        raise TwinError(
            f"a dask worker has dc-twin {package_version()}", where="dask", expected=f"{version}, as this program"
        )
    if getattr(_solvers, "study", None) != study:
        _solvers.solve = pickle.loads(data).start()  # written by the program that runs the study
        _solvers.study = study
    return list(_solvers.solve(items))
