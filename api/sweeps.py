"""Sweeps over HTTP: beside other questions, bounded in size and time, and over when whoever asked has gone."""

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
"""As many a network counts for at least: no point is for nothing."""
MAX_SWEEP_S = 120.0
N_AT_ONCE = 1
"""Sweeps that run, since Python would run no two quicker; others wait for their turn, and no other question does."""
CLIENT_GONE = 499
HINT = "ask for fewer values, or in parts; the command and Python sweep without this bound"


class _Asked(NamedTuple):
    request: SweepRequest
    axes: list[PostedAxis]
    n_points: int
    network: Network


class Sweeps:
    """Answers sweeps on a thread and networks of their own, so that no other question waits for one."""

    def __init__(self, networks: Networks, max_work: int, max_time_s: float) -> None:
        self._networks = networks
        self._max_work = max_work
        self._max_time_s = max_time_s
        self._threads = ThreadPoolExecutor(N_AT_ONCE, "sweep")

    async def answer(self, body: bytes, request: Request) -> Response:
        """The sweep as JSON; where the client leaves first, it ends at its next point."""
        asked = await run_in_threadpool(self._read, body)
        gone = Event()
        sweeping = asyncio.get_running_loop().run_in_executor(self._threads, self._sweep, asked, gone)
        leaving = asyncio.create_task(_leaving(request))
        try:
            either: tuple[asyncio.Future[Any], ...] = (sweeping, leaving)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if sweeping.done():
                return Response(sweeping.result(), media_type="application/json")
            return Response(status_code=CLIENT_GONE)
        finally:
            gone.set()
            sweeping.cancel()
            leaving.cancel()

    def _read(self, body: bytes) -> _Asked:
        """What is asked; faults of the body and of names in it are told without waiting for a turn."""
        request = read_body(body, SweepRequest)
        axes = axes_of(request.vary)
        with _told_as_posted(axes):
            n_points = check_sweep([axis.parse() for axis in axes], request.metric)
        network = self._networks.aside(request.network)
        find_names(network, request, request.against)
        return _Asked(request, axes, n_points, network)

    def _sweep(self, asked: _Asked, gone: Event) -> str:
        request, axes, n_points, network = asked
        if gone.is_set():
            raise _GoneError
        self._check_work(network, n_points)
        with _told_as_posted(axes):
            answer = network.sweep(
                [axis.said for axis in axes],
                metric=request.metric,
                job=request.job,
                changes=request.after,
                against=request.against,
                ageing=request.ageing,
                advance=self._until(gone),
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

    def _until(self, gone: Event) -> Callable[[int, int], None]:
        """Called after each point: ends a sweep for which nobody waits, or that takes too long."""
        start_s = perf_counter()

        def advance(n_done: int, n_points: int) -> None:
            if gone.is_set():
                raise _GoneError
            if n_done < n_points and perf_counter() - start_s > self._max_time_s:
                raise ChangeError(
                    f"{n_done:,} of {n_points:,} points took all of the {self._max_time_s:g} s that a sweep may take",
                    where="vary",
                    hint=HINT,
                )

        return advance


class _GoneError(Exception):
    """Nobody waits for the answer."""


async def _leaving(request: Request) -> None:
    """Returns when the client has gone; the body has been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@contextmanager
def _told_as_posted(axes: Sequence[PostedAxis]) -> Iterator[None]:
    """Faults of `vary PATH` are told of the place in the body where that path stands."""
    try:
        yield
    except TwinError as error:
        option, _, path = error.where.partition(" ")
        if option not in ("vary", "metric"):
            raise
        ours = [axis.where for axis in axes if path and axis.path == path.partition("=")[0]]
        fault = error.issues[0]  # of a record with one field set, where it is not the error itself
        expected, hint = error.expected, fault.hint
        if expected and not hint:  # hints go into the list of issues, what was expected does not
            expected, hint = "", f"expected {expected}"
        where = ours[0] if ours else option
        raise ChangeError(fault.problem, where=where, expected=expected, hint=hint) from error
