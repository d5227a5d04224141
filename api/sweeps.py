"""Sweeps over HTTP: they run beside other requests, are bounded in size and time, and end when the client leaves."""

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
from twin.loading import Network
from twin.studies.sweep import check_sweep

from .axes import PostedAxis, axes_of
from .bodies import SweepRequest, read_body
from .networks import Networks, find_names

MAX_SWEEP_WORK = 10_000_000
"""Points times nodes, links and demands: 1,400 points of `memphis-small`, 50 of `memphis`."""
MIN_RECORDS = 1000
"""A smaller network counts as this many."""
MAX_SWEEP_S = 120.0
N_AT_ONCE = 1
"""Sweeps that run at the same time: two in one Python process would not be faster. Other sweeps queue."""
CLIENT_GONE = 499
HINT = "ask for fewer values, or in parts; the command and Python sweep without this bound"


class _Task(NamedTuple):
    """A sweep that has been read and checked."""

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
        self._threads = ThreadPoolExecutor(N_AT_ONCE, "sweep")

    async def answer(self, body: bytes, request: Request) -> Response:
        """Return the sweep as JSON. If the client leaves first, the sweep ends at its next point."""
        task = await run_in_threadpool(self._read, body)
        client_gone = Event()
        sweeping = asyncio.get_running_loop().run_in_executor(self._threads, self._sweep, task, client_gone)
        disconnecting = asyncio.create_task(_disconnected(request))
        try:
            first: tuple[asyncio.Future[Any], ...] = (sweeping, disconnecting)
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if sweeping.done():
                return Response(sweeping.result(), media_type="application/json")
            return Response(status_code=CLIENT_GONE)
        finally:
            client_gone.set()
            sweeping.cancel()
            disconnecting.cancel()

    def _read(self, body: bytes) -> _Task:
        """Read and check a body. Errors in it are reported before the sweep queues."""
        request = read_body(body, SweepRequest)
        axes = axes_of(request.vary)
        with _at_place_in_body(axes):
            n_points = check_sweep([axis.parse() for axis in axes], request.metric)
        network = self._networks.separate(request.network)
        find_names(network, request, request.against)
        return _Task(request, axes, n_points, network)

    def _sweep(self, task: _Task, client_gone: Event) -> str:
        request, axes, n_points, network = task
        if client_gone.is_set():
            raise _GoneError
        self._check_work(network, n_points)
        with _at_place_in_body(axes):
            answer = network.sweep(
                [axis.value for axis in axes],
                metric=request.metric,
                job=request.job,
                changes=request.after,
                against=request.against,
                ageing=request.ageing,
                advance=self._until(client_gone),
            )
        return answer.to_json()

    def _check_work(self, network: Network, n_points: int) -> None:
        n_records = network.arrays.n_nodes + network.arrays.n_links + len(network.document.demands)
        n_allowed = max(self._max_work // max(n_records, MIN_RECORDS), 1)
        if n_points > n_allowed:
            raise ChangeError(
                f"{n_points:,} points of {n_records:,} nodes, links and demands are too many at once",
                where="vary",
                expected=f"at most {n_allowed:,} points of this network",
                hint=HINT,
            )

    def _until(self, client_gone: Event) -> Callable[[int, int], None]:
        """Return a function to call after each point. It ends a sweep whose client left, or that takes too long."""
        start_s = perf_counter()

        def advance(n_done: int, n_points: int) -> None:
            if client_gone.is_set():
                raise _GoneError
            if n_done < n_points and perf_counter() - start_s > self._max_time_s:
                raise ChangeError(
                    f"{n_done:,} of {n_points:,} points took all of the {self._max_time_s:g} s that a sweep may take",
                    where="vary",
                    hint=HINT,
                )

        return advance


class _GoneError(Exception):
    """The client left before the answer."""


async def _disconnected(request: Request) -> None:
    """Return when the client has disconnected. The body must have been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@contextmanager
def _at_place_in_body(axes: Sequence[PostedAxis]) -> Iterator[None]:
    """Report errors of `vary PATH` at the place in the body that holds the path."""
    try:
        yield
    except TwinError as error:
        option, _, path = error.where.partition(" ")
        if option not in ("vary", "metric"):
            raise
        places = [axis.where for axis in axes if path and axis.path == path.partition("=")[0]]
        issue = error.issues[0]  # of the record whose field was set, or the error itself
        expected, hint = error.expected, issue.hint
        if expected and not hint:  # the list of issues has hints, but no expectations
            expected, hint = "", f"expected {expected}"
        where = places[0] if places else option
        raise ChangeError(issue.problem, where=where, expected=expected, hint=hint) from error
