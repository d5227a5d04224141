"""Sweeps over HTTP. They do not block other requests, are bounded in size and time, and end if the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import perf_counter
from typing import Any, NamedTuple

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from twin.errors import ChangeError, TwinError
from twin.network import Network
from twin.studies.sweep import check_sweep, default_metric

from .axes import PostedAxis, axes_of
from .bodies import SweepRequest, read_body
from .networks import Networks, check_names

MAX_SWEEP_WORK = 10_000_000
"""Points times nodes, links and demands: 1,400 points of `memphis-small`, 50 of `memphis`."""
MIN_RECORDS = 1000
"""A smaller network counts as this many."""
MAX_SWEEP_S = 120.0
"""Longest time of a sweep, seconds."""
N_CONCURRENT_SWEEPS = 1
"""Sweeps that run at the same time. Two in one Python process are not faster; the others wait in a queue."""
CLIENT_CLOSED_REQUEST = 499
"""HTTP status of a request whose client has left. It is not in the standard; nginx introduced it."""
HINT = "ask for fewer values, or in parts; the command and Python sweep without this bound"


class _SweepTask(NamedTuple):
    """A validated sweep, ready to run."""

    request: SweepRequest
    axes: list[PostedAxis]
    n_points: int
    network: Network


class Sweeps:
    """Answers sweeps on a separate thread with separate networks, so no other request waits for one."""

    def __init__(self, networks: Networks, max_work: int, max_time_s: float) -> None:
        self._networks = networks
        self._max_work = max_work
        self._max_time_s = max_time_s
        self._threads = ThreadPoolExecutor(N_CONCURRENT_SWEEPS, "sweep")

    async def answer(self, body: bytes, request: Request) -> Response:
        """Return the sweep as JSON. If the client leaves first, the sweep ends at its next point."""
        task = await run_in_threadpool(self._read, body)
        client_gone = Event()
        sweep = asyncio.get_running_loop().run_in_executor(self._threads, self._sweep, task, client_gone)
        disconnect = asyncio.create_task(_disconnected(request))
        try:
            futures: tuple[asyncio.Future[Any], ...] = (sweep, disconnect)
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
            if sweep.done():
                return Response(sweep.result(), media_type="application/json")
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        finally:
            client_gone.set()
            sweep.cancel()
            disconnect.cancel()

    def _read(self, body: bytes) -> _SweepTask:
        """Read and check a body. Errors in it are reported before the sweep queues."""
        request = read_body(body, SweepRequest)
        axes = axes_of(request.vary)
        with _errors_at_place_in_body(axes):
            n_points = check_sweep([axis.parse() for axis in axes], request.metric or default_metric(None))
        network = self._networks.get_separate(request.network)
        check_names(network, request, request.against)
        return _SweepTask(request, axes, n_points, network)

    def _sweep(self, task: _SweepTask, client_gone: Event) -> str:
        request, axes, n_points, network = task
        if client_gone.is_set():
            raise _ClientGoneError
        self._check_work(network, n_points)
        with _errors_at_place_in_body(axes):
            answer = network.sweep(
                [axis.value for axis in axes],
                metric=request.metric,
                job=request.job,
                jobs=request.jobs,
                changes=request.plan_or_changes,
                against=request.against,
                ageing=request.ageing,
                advance=self._advance_function(client_gone),
            )
        return answer.to_json()

    def _check_work(self, network: Network, n_points: int) -> None:
        n_demands = len(network.document.demands) + len(network.generated_demands)
        n_records = network.arrays.n_nodes + network.arrays.n_links + n_demands
        n_allowed = max(self._max_work // max(n_records, MIN_RECORDS), 1)
        if n_points > n_allowed:
            raise ChangeError(
                f"{n_points:,} points of {n_records:,} nodes, links and demands are too many at once",
                where="vary",
                expected=f"at most {n_allowed:,} points of this network",
                hint=HINT,
            )

    def _advance_function(self, client_gone: Event) -> Callable[[int, int], None]:
        """Return a function to call after each point. It ends a sweep whose client left, or that takes too long."""
        start_s = perf_counter()

        def advance(n_done: int, n_points: int) -> None:
            if client_gone.is_set():
                raise _ClientGoneError
            if n_done < n_points and perf_counter() - start_s > self._max_time_s:
                raise ChangeError(
                    f"{n_done:,} of {n_points:,} points took all of the {self._max_time_s:g} s that a sweep may take",
                    where="vary",
                    hint=HINT,
                )

        return advance


class _ClientGoneError(Exception):
    """The client left before the answer."""


async def _disconnected(request: Request) -> None:
    """Return when the client has disconnected. The body must have been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@contextmanager
def _errors_at_place_in_body(axes: Sequence[PostedAxis]) -> Iterator[None]:
    """Report errors of `vary PATH` at the place in the body that holds the path."""
    try:
        yield
    except TwinError as error:
        option, _, path = error.where.partition(" ")
        if option not in ("vary", "metric"):
            raise
        places = [axis.where for axis in axes if path and axis.path == path.partition("=")[0]]
        issue = error.issues[0]  # the issue of the changed record, or the error itself
        expected, hint = error.expected, issue.hint
        if expected and not hint:  # an issue has a hint, but no expected value
            expected, hint = "", f"expected {expected}"
        where = places[0] if places else option
        raise ChangeError(issue.problem, where=where, expected=expected, hint=hint) from error
