"""Failures of networks with WCMP groups: each is routed anew."""

from __future__ import annotations

from concurrent.futures import CancelledError

from ..arrays import Ints
from ..errors import ChangeError, TopologyError
from ..failures.one_by_one import OneByOne
from ..failures.sweep import FailureLoads
from ..stages.evaluation import Evaluation
from ..stages.outcomes import NodePairs
from .closer_look import After
from .failure_kinds import FailureSet, one_failure
from .failure_run import FailureRun


def one_by_one(
    e: Evaluation, pairs: NodePairs, found: FailureSet, links: Ints, run: FailureRun
) -> tuple[FailureLoads, After]:
    """Compute failures one after the other on this thread.

    Args:
        e: evaluation of the network.
        pairs: its demands.
        found: the failures.
        links: rows of the links that carry traffic.
        run: progress; a checkpoint or dask is refused.

    Returns:
        Answers, and a function that looks at one failure.

    Raises:
        ChangeError: a checkpoint or dask.
        TopologyError: too much work, before any failure is computed.
        CancelledError: once the run is cancelled.
    """
    for where, value in (("checkpoint", run.checkpoint), ("dask", run.dask)):
        if value is not None:
            raise ChangeError(
                f"no {where} with WCMP groups", where=where, expected="one thread, since each failure is routed anew"
            )
    if found.classes is not None:
        raise TopologyError(
            f"{len(found.single_ids):,} failures have too many pairs to route each anew over WCMP groups",
            where="depth",
            hint="--sample draws some of them",
        )
    n = len(found.ids)
    study = OneByOne.of(found.kind, one_failure(e, pairs), links, n)

    def tell(n_done: int) -> None:
        if run.cancel is not None and run.cancel.is_set():
            raise CancelledError(f"cancelled after {n_done} of {n} failures")
        if run.advance is not None:
            run.advance(n_done, n)

    return study.loads(tell), study.after_failure
