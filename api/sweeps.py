"""Sweeps over HTTP: bounded in size and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import NamedTuple

from fastapi import Request, Response

from twin.errors import ChangeError, TwinError
from twin.network import Network
from twin.studies.sweep import check_sweep, default_metric

from .axes import PostedAxis, axes_of
from .bodies import SweepRequest
from .body_reader import read_body
from .long_questions import LongQuestions, advance_until
from .networks import Networks, check_names

MAX_SWEEP_WORK = 10_000_000
"""Points times nodes, links and demands: 1,400 points of `memphis-small`, 50 of `memphis`."""
MIN_RECORDS = 1000
"""A smaller network counts as this many."""
MAX_SWEEP_S = 120.0
"""Longest time of a sweep, seconds."""
HINT = "ask for fewer values, or in parts; the command and Python sweep without this bound"


class _SweepTask(NamedTuple):
    """A validated sweep, ready to run."""

    request: SweepRequest
    axes: list[PostedAxis]
    n_points: int
    network: Network


class Sweeps:
    """Answers sweeps on a separate thread with separate networks, so no other request waits for one."""

    def __init__(self, networks: Networks, questions: LongQuestions, max_work: int, max_time_s: float) -> None:
        self._networks = networks
        self._questions = questions
        self._max_work = max_work
        self._max_time_s = max_time_s

    async def answer(self, body: bytes, request: Request) -> Response:
        """Return the sweep as JSON. If the client leaves first, the sweep ends at its next point."""
        return await self._questions.answer(request, partial(self._read, body), self._sweep)

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
                advance=advance_until(client_gone, self._max_time_s, "points", "a sweep", "vary", HINT),
            )
        return answer.to_json(fields=request.fields)

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
