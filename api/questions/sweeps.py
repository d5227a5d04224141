"""The question of a sweep, bounded in size and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from twin.errors import ChangeError, TwinError
from twin.network import Network
from twin.studies.sweep import Sweep, check_sweep, default_metric

from ..axes import PostedAxis, axes_of
from ..study_bodies import SweepRequest
from .context import Context

MIN_RECORDS = 1000
"""A smaller network counts as this many."""
HINT = "ask for fewer values, or in parts; the command and Python sweep without this bound"


def sweep(request: SweepRequest, context: Context) -> Sweep:
    """Return a metric over one or two inputs, its knees, and where it crosses that of another plan."""
    axes = axes_of(request.vary)
    with _errors_at_place_in_body(axes):
        n_points = check_sweep([axis.parse() for axis in axes], request.metric or default_metric(None))
    network = context.network(request, request.against)
    _check_work(network, n_points, context.limits.max_sweep_work)
    with _errors_at_place_in_body(axes):
        return network.sweep(
            [axis.value for axis in axes],
            metric=request.metric,
            job=request.job,
            jobs=request.jobs,
            changes=request.plan_or_changes,
            against=request.against,
            ageing=request.ageing,
            advance=context.advance("points", "vary", HINT, context.limits.max_sweep_s),
        )


def _check_work(network: Network, n_points: int, max_work: int) -> None:
    n_demands = len(network.document.demands) + len(network.generated_demands)
    n_records = network.arrays.n_nodes + network.arrays.n_links + n_demands
    n_allowed = max(max_work // max(n_records, MIN_RECORDS), 1)
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
