"""Failures and a training job: the step after each failure, or why the job stops; equal failures are computed once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np

from ..arrays import Bools, Ints, State
from ..catalogue import Catalogue, PriceBook
from ..errors import ChangeError, TopologyError
from ..failures.pairs import PairFailures
from ..optics.link_health import LinkHealth
from ..progress import Advance
from ..stages.cache import Outcome
from ..stages.engine import Engine
from ..stages.evaluation import Case, Evaluation
from ..traffic.network_cards import CardPorts
from ..traffic.routing import Router
from ..training.cards import CardLoss, card_loss
from ..training.link_loads import PairTable
from ..training.placement import JobPlacement
from .executor import Workers, run_items
from .failure_kinds import FailureSet
from .job_failure_classes import ALONE, BY_CARDS, BY_ORBIT, BY_PLACE, BY_SHIFT, Failed, FailureClass, JobPlaces
from .job_states import JobStates
from .kept_parts import Codec
from .study_bounds import STUDY_BOUNDS, StudyBounds

MAX_WORK = 6_000_000_000
"""Most classes of failures times nodes, links and arcs of the job's routes; some hours."""
WORK_PER_S = 1_000_000
"""About as much of that takes a second."""
CARDS_RATIO = 0.1
"""Time of a failure that only takes cards, over that of one that needs a new step."""


@dataclass(frozen=True, slots=True)
class JobAfterFailure:
    """Effect of a failure on a job that runs alone."""

    step_time_s: float | None
    """Time of a step; null where the job stops."""
    step_ratio: float | None
    """That time over the one of the intact network."""
    why_stopped: str | None
    """Why the job stops; null where it goes on."""
    n_cards_lost: int | None
    """Network cards of the job that are lost; null where the job finds no place."""
    n_accelerators_idled: int | None
    """Accelerators in replicas that cannot go on, since cards are lost."""
    n_accelerators_lost: int
    """Accelerators of the job on nodes that fail. The job takes others where it finds free ones."""
    n_replicas: int | None
    """Replicas that go on, or could."""


def _row_of(data: list[Any] | None) -> JobAfterFailure | None:
    return None if data is None else JobAfterFailure(*data)


CODEC: Codec[JobAfterFailure | None] = Codec("job failures", lambda row: None if row is None else astuple(row), _row_of)
"""Form of a row where an interrupted study goes on."""


Members = dict[FailureClass | None, list[int]]
"""Failures by class; None = those after which the job goes on as before."""


class JobFailures(NamedTuple):
    """A job after every failure."""

    job: str
    step_time_s: float
    """Step in the intact network."""
    rows: tuple[JobAfterFailure, ...]
    """By failure."""
    n_classes: int
    """Failures that were computed; the others do the same to the job."""
    are_alike: bool = False
    """True where some of the others are only alike: they do the same as far as loads and surroundings tell."""


def job_failures(
    e: Evaluation,
    of: str,
    found: FailureSet,
    links: Ints,
    workers: Workers | None = None,
    advance: Advance | None = None,
    cancel: threading.Event | None = None,
    bounds: StudyBounds = STUDY_BOUNDS,
) -> JobFailures:
    """Compute what becomes of the job after each failure.

    Args:
        e: evaluation of the intact network with a job.
        of: kind of failures.
        found: failures of this kind.
        links: rows of the links that carry traffic.
        workers: backend and largest number of workers; the answer does not depend on them.
        advance: called with the number of finished classes and of all; an exception ends the study.
        cancel: event that ends the study.
        bounds: estimated time above which alike links count as equal, and above which nothing is computed.

    Raises:
        ChangeError: no job, or one that does not run in the intact network.
        TopologyError: too much work, before any failure is computed.
        CancelledError: once `cancel` is set.
    """
    job, step = e.case.job, e.step
    if job is None:
        raise ChangeError("no job", where="job", hint="add one under `jobs`")
    if step is None:
        raise ChangeError(f"job {job.id!r} does not run in the intact network: {e.why_no_step}", where="job")
    places = JobPlaces(e, links)
    if isinstance(found.kind, PairFailures):  # to tell pairs from each other may take long, too
        _check_work(e, _n_pairs_at_least(e.case.state, of, found, found.kind, links, places), True)
    failed = failed_of_kind(e.case.state, of, found, links)
    members: Members = {}
    for i, key in enumerate(places.classes(failed)):
        members.setdefault(key, []).append(i)
    are_alike = estimated_s(e, members) > bounds.alike_above_s
    if are_alike:
        members = _joined(members, places, failed)
    bounds.check(estimated_s(e, members), f"{len(members):,} classes of failures of job {job.id!r}")
    after = _JobAfter(e)
    rows: list[JobAfterFailure] = [after.intact] * len(failed)
    n_classes = int(members.pop(None, None) is not None)
    reader = cast(Engine, e.runner).reader
    task = _Task(e.case, reader.catalogue, reader.prices)
    waiting = [(key.mode, group) for key, group in members.items() if key is not None]
    while waiting:
        _check_work(e, len(waiting), isinstance(found.kind, PairFailures))
        items = [_Item(failed[group[0]], mode, places.spares_health(failed[group[0]])) for mode, group in waiting]
        solve = partial(_solve, after)
        results = run_items(task, items, workers, local_solve=solve, advance=advance, cancel=cancel, codec=CODEC)
        unequal: list[int] = []
        for row, (_, group) in zip(results, waiting, strict=True):
            if row is None:
                unequal += group
                continue
            n_classes += 1
            for i in group:
                rows[i] = _renamed(row, places.cause(failed[group[0]]), places.cause(failed[i]))
        waiting = [(ALONE, [i]) for i in unequal]
    return JobFailures(job.id, step.step_time_s, tuple(rows), n_classes, are_alike)


def _n_pairs_at_least(
    state: State, of: str, found: FailureSet, pairs: PairFailures, links: Ints, places: JobPlaces
) -> int:
    """Return the number of pairs that are computed for sure: those with a failure that the job may notice."""
    is_idle = np.array([places.is_idle(item) for item in _single_failures(state, of, found.single_ids, links)])
    return int((~(is_idle[pairs.first] & is_idle[pairs.second])).sum())


def _joined(members: Members, places: JobPlaces, failed: Sequence[Failed]) -> Members:
    """Join classes of links that are alike."""
    out: Members = {}
    for key, group in members.items():
        out.setdefault(None if key is None else places.alike(key, failed[group[0]]), []).extend(group)
    return {key: sorted(group) for key, group in out.items()}


def estimated_s(e: Evaluation, classes: Iterable[FailureClass | None]) -> float:
    """Estimate the time of classes of failures on one thread."""
    n_pairs = len(cast(PairTable, e.outcome("job_pairs")).source)
    n_by_cards = sum(key is not None and key.mode == BY_CARDS for key in classes)
    n_others = sum(key is not None and key.mode != BY_CARDS for key in classes)
    return (n_others + CARDS_RATIO * n_by_cards) * JobStates.estimated_s(e, n_pairs)


class _Item(NamedTuple):
    """A failure to compute."""

    failed: Failed
    mode: str
    """Why it stands for others."""
    spares_health: bool
    """True where it changes the capacity of nothing but the links that fail."""


@dataclass(frozen=True, eq=False)
class _Task:
    """A case with the catalogue and prices from which each worker builds an engine."""

    case: Case
    catalogue: Catalogue
    prices: PriceBook

    def start(self) -> Callable[[Sequence[_Item]], Iterator[JobAfterFailure | None]]:
        """Return a function that computes failures."""
        return partial(_solve, _JobAfter(Engine(self.catalogue, self.prices).evaluate(self.case)))


def _solve(after: _JobAfter, items: Sequence[_Item]) -> Iterator[JobAfterFailure | None]:
    return map(after.of, items)


def _renamed(row: JobAfterFailure, cause: str, own: str) -> JobAfterFailure:
    """Return the row of another failure of a class: the reason names what fails."""
    if row.why_stopped is None or cause == own or not row.why_stopped.startswith(cause + ":"):
        return row
    return replace(row, why_stopped=own + row.why_stopped.removeprefix(cause))


def _check_work(e: Evaluation, n_classes: int, are_pairs: bool) -> None:
    state, loads = e.case.state, e.loads
    n_entries = state.n_nodes + state.n_links + (0 if loads is None else len(loads.arc))
    if n_classes * n_entries > MAX_WORK:
        hours = n_classes * n_entries / WORK_PER_S / 3600.0
        raise TopologyError(
            f"{n_classes:,} {'pairs of ' * are_pairs}failures of a network with this job take some {hours:,.1f} hours",
            where="of",
            expected=f"failures times nodes, links and loaded arcs up to {MAX_WORK:,}",
            hint=f"--sample {MAX_WORK // n_entries} draws so many of them"
            if are_pairs
            else "a kind with fewer failures, or `twin whatif` for one of them",
        )


def failed_of_kind(state: State, of: str, found: FailureSet, links: Ints) -> list[Failed]:
    """Return what fails, in the order of the ids."""
    if not isinstance(found.kind, PairFailures):
        return _single_failures(state, of, found.ids, links)
    single = _single_failures(state, of, found.single_ids, links)
    sides = zip(found.ids, found.kind.first.tolist(), found.kind.second.tolist(), strict=True)
    return [_together(name, single[a], single[b]) for name, a, b in sides]


def _together(name: str, a: Failed, b: Failed) -> Failed:
    return Failed(name, np.union1d(a.links, b.links), np.union1d(a.nodes, b.nodes), a.whole, (a, b))


def _single_failures(state: State, of: str, ids: Sequence[str], links: Ints) -> list[Failed]:
    none = np.zeros(0, np.int64)
    if of in ("link", "member"):
        whole = of == "link"
        return [Failed(name, links[i : i + 1], none, whole) for i, name in enumerate(ids)]
    if of == "node":
        index = state.node_index
        return [Failed(name, none, np.array([index[name]])) for name in ids]
    arrays = state.arrays
    if of == "site":
        codes = {name: i for i, name in enumerate(state.sites)}
        return [Failed(name, none, np.flatnonzero(state["node_site"] == codes[name])) for name in ids]
    codes = {name: i for i, name in enumerate(state.srlgs)}
    return [Failed(name, np.unique(arrays.srlg_link[arrays.srlg_code == codes[name]]), none) for name in ids]


class _JobAfter:
    """The job after single failures of one network."""

    def __init__(self, e: Evaluation) -> None:
        self._e = e
        assert e.step is not None
        assert e.cards is not None
        self._step_time_s = e.step.step_time_s
        self._placed = cast(JobPlacement, e.outcome("allocation"))
        self._router = cast(Router, e.outcome("router"))
        self.intact = self._row(e.cards, self._step_time_s, None, 0)
        self._engine = cast(Engine, e.runner).branch(e)

    def of(self, item: _Item) -> JobAfterFailure | None:
        """Return the job after a failure; None where the failures of its class differ."""
        row = self._computed(item)
        # a reason names nodes and links, which differ between racks
        return None if row is not None and item.mode in (BY_PLACE, BY_SHIFT) and row.why_stopped is not None else row

    def _computed(self, item: _Item) -> JobAfterFailure | None:
        failed, n_lost = item.failed, self._n_lost(item.failed)
        if item.mode == BY_CARDS:
            loss = self._card_loss(failed)
            return self._row(loss, None, loss.why_stopped, n_lost) if loss.why_stopped else None
        after = self._evaluation(item)
        try:
            loss = cast(CardLoss, after.cards)
            if item.mode == BY_ORBIT and not self._same_cards(loss):
                return None
            if loss.why_stopped:
                for check in ("memory_fit", "stated_split"):
                    after.outcome(check)
                return self._row(loss, None, loss.why_stopped, n_lost)
            cast(Router, after.outcome("router")).start_from(self._router)
            step = after.step
        except TopologyError as error:
            return JobAfterFailure(None, None, error.one_line(), None, None, n_lost, None)
        return self._row(loss, None if step is None else step.step_time_s, after.why_no_step or None, n_lost)

    def _row(self, loss: CardLoss, step_time_s: float | None, why: str | None, n_lost: int) -> JobAfterFailure:
        ratio = None if step_time_s is None else step_time_s / self._step_time_s
        return JobAfterFailure(
            step_time_s, ratio, why, loss.n_cards_lost, loss.n_accelerators_idled, n_lost, loss.n_replicas
        )

    def _n_lost(self, failed: Failed) -> int:
        return sum(int(np.isin(group.rack, failed.nodes).sum()) for group in self._placed.groups)

    def _same_cards(self, loss: CardLoss) -> bool:
        intact = cast(CardLoss, self._e.cards)
        return (loss.n_cards_lost, loss.n_accelerators_idled, loss.cause) == (
            intact.n_cards_lost,
            intact.n_accelerators_idled,
            intact.cause,
        )

    def _evaluation(self, item: _Item) -> Evaluation:
        """Return an evaluation after the failure, not yet computed."""
        e = self._e
        after = Evaluation(replace(e.case, state=item.failed.applied(e.case.state)), None, self._engine)
        if item.spares_health:
            health = e.runner.outcome(e, "health")
            after.outcomes["health"] = Outcome(_without_links(health.value, item.failed.links), health.used_figures)
        return after

    def _card_loss(self, failed: Failed) -> CardLoss:
        """Return the lost cards after a failure that leaves all other ports and parts as they are."""
        e, job = self._e, self._e.case.job
        assert job is not None
        state = failed.applied(e.case.state)
        lit = cast(Bools, e.outcome("routed_links")) & state.in_service
        ports, parts = cast(CardPorts, e.outcome("card_ports")), cast(Ints, e.outcome("fabric_parts"))
        return card_loss(state, job, self._placed, ports, parts, lit)


def _without_links(health: LinkHealth, links: Ints) -> LinkHealth:
    """Return the health of a network in which links between switches of one site are down."""
    lit, capacity_gbps, sending_gbps = (
        health.lit.copy(),
        health.arc_capacity_gbps.copy(),
        health.arc_sending_gbps.copy(),
    )
    arcs = np.concatenate((2 * links, 2 * links + 1))
    lit[links], capacity_gbps[arcs], sending_gbps[arcs] = False, 0.0, 0.0
    for column in (lit, capacity_gbps, sending_gbps):
        column.flags.writeable = False
    return replace(health, lit=lit, arc_capacity_gbps=capacity_gbps, arc_sending_gbps=sending_gbps)
