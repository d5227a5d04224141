"""The stages behind the step: what nobody reads is not worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arrays import State
from ..catalogue.figure_reader import FigureReader, UsedFigure
from ..economics import cost
from ..economics.lease import Lease
from ..model.jobs import TrainingJob
from ..reliability.goodput import Goodput
from ..training.hash_collisions import n_flows_per_accelerator
from ..training.placement import Placed
from ..workload.local_sgd import LOSS_FIGURES, LossPenalty, loss_penalty
from .evaluation import Evaluation

if TYPE_CHECKING:
    from .evaluate import Evaluator


class Later:
    """The stages behind the step: what nobody reads is not worked out. They run in the evaluator's turn, once."""

    def __init__(self, evaluator: Evaluator, before: State | None, *, with_lease: bool) -> None:
        self._evaluator, self._before, self._with_lease = evaluator, before, with_lease
        self._reader = evaluator.reader.fresh()
        self._known: dict[str, Any] = {}

    def of(self, e: Evaluation, stage: str) -> Any:
        """The outcome of a stage; the lock comes first, so that two threads never wait for each other."""
        with self._evaluator.lock:
            if stage not in self._known:
                self._known[stage] = getattr(self, f"_{stage}")(e)
            return self._known[stage]

    def _goodput(self, e: Evaluation) -> Goodput | None:
        return self._evaluator.goodput_of(e)

    def _loss(self, e: Evaluation) -> LossPenalty | None:
        return _loss(e.case.job, e.placed, self._reader) if e.step is not None and e.case.job is not None else None

    def _money(self, e: Evaluation) -> cost.Money:
        return self._evaluator.money_of(e.case, self._before)

    def _usd_per_day(self, e: Evaluation) -> float:
        allocated = e.placed.n_allocated if e.placed else e.money.bill.n_accelerators
        total = int(e.case.state["node_n_accelerators"].sum()) if e.placed else 0
        return cost.usd_per_day(e.money, self._reader, allocated, total)

    def _list_rental_usd_per_day(self, e: Evaluation) -> float | None:
        return _list_rental(e.placed, self._reader)

    def _lease(self, e: Evaluation) -> Lease | None:
        return self._evaluator.lease_of(e, self._reader) if self._with_lease else None

    def _used_figures(self, e: Evaluation) -> tuple[UsedFigure, ...]:
        of_goodput = e.goodput.used_figures if e.goodput else ()
        of_money, _ = e.money.used_figures, (e.usd_per_day, e.list_rental_usd_per_day, e.loss, e.lease)
        if e.loads is not None:
            n_flows_per_accelerator(e.case.document.lossless, self._reader)
        if e.demands is not None:
            self._reader.general("packet_bytes")
        of_step = e.step.used_figures if e.step else ()
        return self._evaluator.in_order(
            e.health.used_figures, of_money, self._reader.used_figures(), of_step, of_goodput
        )


def _loss(job: TrainingJob, placed: Placed | None, reader: FigureReader) -> LossPenalty:
    """Sites that exchange only every H steps are the replicas of local SGD."""
    local = job.is_local_sgd and placed is not None
    n_sites = len(placed.sites) if placed is not None and local else 1
    if n_sites > 1 and job.n_local_steps > 1:
        for name in LOSS_FIGURES:
            reader.general(name)
    return loss_penalty(n_sites, job.n_local_steps if local else 1, job.model.n_parameters(), reader.catalogue)


def _list_rental(placed: Placed | None, reader: FigureReader) -> float | None:
    if placed is None:
        return None
    if not set(placed.n_allocated) <= set(reader.prices.rent_usd_per_accelerator_hour):
        return None
    hourly = (n * reader.price("rent_usd_per_accelerator_hour", kind) for kind, n in sorted(placed.n_allocated.items()))
    return 24.0 * sum(hourly)
