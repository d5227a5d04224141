"""The pipeline: health -> demand -> routing -> congestion -> step -> money; a change re-runs only what it touches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import RLock

import numpy as np

from ..arrays import NODE_KINDS, Bools, Floats, Ints, NetworkArrays, State
from ..catalogue import Catalogue, PriceBook
from ..catalogue.figure_reader import FigureReader, UsedFigure
from ..economics import cost
from ..economics.lease import Lease, dearest_lease, weigh_lease
from ..errors import ChangeError, Issue, TopologyError
from ..model.jobs import Placement, TrainingJob, on_places
from ..optics.link_budget import LinkBudgets, budget_columns, compute_link_budgets
from ..optics.link_health import LinkHealth, compute_link_health
from ..optics.optical_paths import PATH_COLUMNS, optical_paths_of
from ..reliability.goodput import Goodput, job_goodput
from ..reliability.interruptions import part_interruptions
from ..reliability.outages import OUTAGE_COLUMNS, Outages, build_site_graph, links_between, no_outages, site_outages
from ..reliability.site_cuts import JobSite
from ..traffic import routing
from ..traffic.congestion import DemandLoads, arc_queue_us, arc_utilisation_ratio, left_for_job, load_demands
from ..traffic.matrix_routes import MatrixRoutes
from ..training.causes import Attribution, CauseInputs, attribute, bright_links
from ..training.hash_collisions import collision_ratio, n_flows_per_accelerator
from ..training.job_flows import JobFlows, job_flows
from ..training.link_loads import PairTable, unit_link_loads, with_latency
from ..training.memory_fit import fit_issues, peak_issues, split_issues
from ..training.placement import Placed, place_job
from ..training.step import Step, step_of
from ..training.step_inputs import AcceleratorGroups, StepInputs, UnitLinkLoads
from .evaluation import Case, Evaluation
from .later import Later
from .memo import Memo, columns, named


class Evaluator:
    """Runs cases and remembers the last outputs of each stage, so that cases of one network share them.

    One case at a time; give threads that should not wait for each other evaluators of their own.
    """

    def __init__(self, catalogue: Catalogue, prices: PriceBook) -> None:
        self.reader = FigureReader(catalogue, prices)
        self._memo = Memo()
        self.lock = RLock()

    def evaluate(self, case: Case, before: State | None = None, *, with_lease: bool = True) -> Evaluation:
        """The whole chain. `before`: the state that stood there already, so that a change pays only for what it adds.

        Raises TopologyError where the job cannot be placed; traffic without a path is a result.
        """
        with self.lock:
            return self._evaluate(case, before, with_lease)

    def _evaluate(self, case: Case, before: State | None, with_lease: bool) -> Evaluation:
        health = self._health(case)
        demands = self._demands(case, health)
        placed, loads, step, why = self._step(case, health, demands)
        arc_load = self._arc_load(case, demands, loads, step)
        return Evaluation(
            case=case,
            health=health,
            demands=demands,
            placed=placed,
            loads=loads,
            step=step,
            why_no_step=why,
            arc_load_gbps=arc_load,
            arc_utilisation_ratio=arc_utilisation_ratio(arc_load, health.arc_capacity_gbps),
            arc_queue_us=self._queue_us(case, health, demands),
            worst_latency_us=self._worst_latency_us(case, health, demands, loads),
            later=Later(self, before, with_lease=with_lease),
        )

    def in_order(self, *used_figures: tuple[UsedFigure, ...]) -> tuple[UsedFigure, ...]:
        """All of them once, sorted."""
        return self._memo.get("used_figures", used_figures, lambda: _in_order(*used_figures))

    def in_the_way(self, case: Case, notify: Callable[[str], None] | None = None) -> Attribution:
        """What holds the case's step back, cause by cause. Raises ChangeError where there is no step to explain."""
        with self.lock:
            e = self._evaluate(case, None, with_lease=False)
            if e.step is None or e.placed is None or e.loads is None or case.job is None:
                raise ChangeError("there is no step to explain", where="explain", hint=e.why_no_step)
            placed, flows = self._placed(case, case.job)
            bright = bright_links(case.state, e.health, self.reader)
            clean = e.loads
            if (bright != e.health.lit).any():
                clean = self._unit_loads(case, replace(e.health, lit=bright), flows)
                if clean.unreachable:
                    clean = e.loads
            carried = e.demands.arc_carried_gbps if e.demands is not None else None
            accelerators = self._pacing(placed, case.job)
            inputs = CauseInputs(
                case.state,
                case.document,
                case.job,
                placed,
                flows,
                accelerators,
                e.loads,
                clean,
                e.health,
                carried,
            )
            return attribute(inputs, self.reader, notify)

    # --- stages ----------------------------------------------------------------------------------------------

    def _health(self, case: Case) -> LinkHealth:
        key = (*columns(case.state, "link_", "span_", "node_part", "node_up"), case.document.lossless)
        key += (case.document.required_margin_db, case.ageing)

        def judge() -> LinkHealth:
            light, used_figures = self._light(case)
            health = compute_link_health(case.state, case.document, self.reader, case.ageing, light)
            return replace(health, used_figures=self.in_order(health.used_figures, used_figures))

        return self._memo.get("health", key, judge)

    def _light(self, case: Case) -> tuple[LinkBudgets, tuple[UsedFigure, ...]]:
        state = case.state
        lines = self._memo.get("lines", named(state, PATH_COLUMNS), lambda: optical_paths_of(state, self.reader))

        def judge() -> tuple[LinkBudgets, tuple[UsedFigure, ...]]:
            reader = self.reader.fresh()
            return compute_link_budgets(state, reader, lines, case.ageing), reader.used_figures()

        return self._memo.get("light", (lines, case.ageing, state.parts, *budget_columns(state)), judge)

    def _share(self, case: Case, health: LinkHealth) -> Floats:
        """What a link counts for where a node splits: members (ecmp), or effective capacity (wcmp)."""
        if case.document.routing == "ecmp":
            return np.asarray(case.state.n_members_up, dtype=np.float64)
        return np.minimum(health.arc_capacity_gbps[0::2], health.arc_capacity_gbps[1::2])

    def _routes(self, case: Case, health: LinkHealth, source: Ints, target: Ints) -> routing.Routes:
        router, share = self._router(case, health)
        return self._memo.get("routes", (router, share, source, target), lambda: router.routes(share, source, target))

    def _demand_routes(self, case: Case, health: LinkHealth) -> MatrixRoutes:
        router, share = self._router(case, health)
        source, target, _ = self._demand_pairs(case)
        return self._memo.get(
            "demand routes",
            (router, share, source, target),
            lambda: MatrixRoutes(case.state, router, share, source, target),
        )

    def _router(self, case: Case, health: LinkHealth) -> tuple[routing.Router, Floats]:
        """The router of the lit links, and what each link counts for where a node splits."""
        share = self._share(case, health)
        lit = health.lit & (share > 0)
        # cables of racks differ by latency too: those that do are not attached alike
        round_trip_us = health.arc_latency_us[0::2] + health.arc_latency_us[1::2]
        arrays = case.state.arrays
        at_rack = self._memo.get("at rack", (arrays,), lambda: _at_rack(arrays))
        access_us = np.where(at_rack, round_trip_us, 0.0)
        router = self._memo.get(
            "router", (case.state.arrays, lit, access_us), lambda: routing.Router(case.state, lit, access_us)
        )
        return router, share

    def _demands(self, case: Case, health: LinkHealth) -> DemandLoads | None:
        if not case.document.demands:
            return None
        routes, (_, _, offered) = self._demand_routes(case, health), self._demand_pairs(case)
        return self._memo.get(
            "demands",
            (routes, offered, health.arc_capacity_gbps),
            lambda: load_demands(routes, offered, health.arc_capacity_gbps),
        )

    def _demand_pairs(self, case: Case) -> tuple[Ints, Ints, Floats]:
        """Pairs of different nodes, by source and target; demands of one pair add up."""

        def make() -> tuple[Ints, Ints, Floats]:
            index, n = case.state.arrays.node_index, case.state.arrays.n_nodes
            wanted: dict[int, float] = {}
            for d in sorted(case.document.demands, key=lambda d: d.id):
                if d.source != d.target:
                    key = index[d.source] * n + index[d.target]
                    wanted[key] = wanted.get(key, 0.0) + d.offered_gbps
            keys = np.array(sorted(wanted), dtype=np.int64)
            return keys // max(n, 1), keys % max(n, 1), np.array([wanted[k] for k in sorted(wanted)])

        return self._memo.get("demand pairs", (case.state.arrays, case.document.demands), make)

    def _step(
        self, case: Case, health: LinkHealth, demands: DemandLoads | None
    ) -> tuple[Placed | None, UnitLinkLoads | None, Step | None, str]:
        job = case.job
        if job is None:
            return None, None, None, "the document has no job"
        placed, flows = self._placed(case, job)
        undone = split_issues(placed, job)
        if undone:
            raise TopologyError("the stated split does not do the batch", where=f"jobs[{job.id}]", found=undone)
        loads = self._unit_loads(case, health, flows)
        if loads.unreachable:
            phase, a, b = loads.unreachable[0]
            return placed, loads, None, f"no path for {phase.replace('_', '-')} traffic from {a} to {b}"
        capacity = health.job_capacity_gbps
        if demands is not None:
            capacity = left_for_job(capacity, demands.arc_carried_gbps)
        capacity = capacity[loads.arc] / self._collisions(case, placed, loads)
        step = self._memo.get(
            "step",
            (loads, capacity, job),
            lambda: step_of(StepInputs(job, placed, flows, self._pacing(placed, job), loads, capacity)),
        )
        if not np.isfinite(step.step_time_s):
            return placed, loads, None, "a link on the way has no capacity left"
        too_fast = peak_issues(step.groups, job, self.reader)
        if too_fast:
            raise TopologyError("the job cannot run as it is cut and placed", found=too_fast)
        return placed, loads, step, ""

    def _placed(self, case: Case, job: TrainingJob) -> tuple[Placed, JobFlows]:
        """The job on its racks; what only decides when things are exchanged does not move it."""
        asked = replace(
            job,
            split="stated" if job.split == "stated" else "uniform",
            sync="every_step",
            n_local_steps=1,
            n_fragment_layers=None,
            n_overlap_steps=0,
            exchange_bits_per_parameter=None,
            jitter_ratio=0.0,
            n_training_tokens=None,
            recovery="restart",
            on_site_loss="stop",
        )
        place = replace(asked, n_global_batch=1)  # decides whether it fits, not where it stands
        found = self._memo.get(
            "placed", (*columns(case.state, "node_"), place), lambda: _place(case, place, self.reader)
        )
        self._memo.get("fits", (found[0], asked), lambda: _check_fit(found[0], asked, self.reader))
        return found

    def _pacing(self, placed: Placed, job: TrainingJob) -> AcceleratorGroups:
        return self._memo.get("accelerators", (placed, job), lambda: AcceleratorGroups.of(placed, job, self.reader))

    def _collisions(self, case: Case, placed: Placed, loads: UnitLinkLoads) -> Floats:
        """How much fuller the fullest member of a bundle is than the mean, by row of `loads`."""
        n_flows = n_flows_per_accelerator(case.document.lossless, self.reader)
        return self._memo.get(
            "collisions",
            (placed, loads.arc, *loads.wide.values(), case.state.n_members_up, n_flows),
            lambda: collision_ratio(case.state, placed, loads, n_flows),
        )

    def _unit_loads(self, case: Case, health: LinkHealth, flows: JobFlows) -> UnitLinkLoads:
        pairs = self._memo.get("pairs", (flows,), lambda: PairTable.of(flows, case.state.arrays.n_nodes))
        routes = self._routes(case, health, pairs.source, pairs.target)
        loads = self._memo.get("loads", (routes, flows), lambda: unit_link_loads(case.state, flows, pairs, routes))
        return self._memo.get(
            "unit loads",
            (loads, health.arc_latency_us),
            lambda: with_latency(loads, case.state, health.arc_latency_us, pairs, routes),
        )

    def _arc_load(
        self, case: Case, demands: DemandLoads | None, loads: UnitLinkLoads | None, step: Step | None
    ) -> Floats:
        """Gb/s offered by arc, averaged over a step: demands all the time, the job its bits of a step."""
        load = np.zeros(2 * case.state.arrays.n_links)
        if demands is not None:
            load += demands.arc_offered_gbps
        if loads is not None and step is not None:
            load[loads.arc] += step.arc_bits / step.step_time_s / 1e9
        return load

    def _queue_us(self, case: Case, health: LinkHealth, demands: DemandLoads | None) -> Floats:
        if demands is None:
            return np.zeros(2 * case.state.arrays.n_links)
        ratio = arc_utilisation_ratio(demands.arc_carried_gbps, health.arc_capacity_gbps)
        return arc_queue_us(ratio, np.repeat(health.member_gbps, 2), self.reader.general("packet_bytes"))

    def _worst_latency_us(
        self, case: Case, health: LinkHealth, demands: DemandLoads | None, loads: UnitLinkLoads | None
    ) -> float | None:
        if loads is not None:
            return loads.worst_latency_us
        if demands is None:
            return None
        latency = self._demand_routes(case, health).worst_latency_us(health.arc_latency_us)
        return float(latency[demands.reachable].max(initial=0.0)) if demands.reachable.any() else None

    def goodput_of(self, e: Evaluation) -> Goodput | None:
        """What interruptions of the job's parts and of what joins its sites leave; `go_on` asks for fewer sites."""
        case, placed, step, job = e.case, e.placed, e.step, e.case.job
        if job is None or placed is None:
            return None
        parts = self._memo.get("parts", (placed,), lambda: part_interruptions(placed.n_allocated, self.reader))

        def rate_without(lost: tuple[str, ...]) -> float:
            left = tuple(place for place in job.placement if place.site not in lost)
            if not left or step is None:
                return 0.0
            smaller = replace(case, job=_on_fewer(job, left))
            try:
                other = self._evaluate(smaller, None, with_lease=False).step
            except TopologyError:
                return 0.0  # it does not fit on what is left
            return other.tokens_per_s / step.tokens_per_s if other is not None else 0.0

        outages = self._outages(case, placed, e.loads, step, e.health)
        return job_goodput(parts, outages, self.reader, job.on_site_loss, job.recovery, rate_without)

    def _outages(
        self, case: Case, placed: Placed, loads: UnitLinkLoads | None, step: Step | None, health: LinkHealth
    ) -> Outages:
        """Failures between the sites; none where nothing is exchanged there."""
        if loads is None or step is None or not (loads.wide or loads.crossing):
            return no_outages()
        wide = [*loads.wide.values(), *loads.crossing]
        arcs = loads.arc[np.any([unit > 0 for unit in wide], axis=0)]
        work = dict.fromkeys(placed.sites, 0.0)
        for group, share in zip(placed.groups, _work_shares(placed, step), strict=True):
            work[group.site] += share
        racks = {site: np.concatenate([p.rack for p in placed.groups if p.site == site]) for site in placed.sites}
        sites = tuple(JobSite(site, racks[site], work[site]) for site in placed.sites)
        links = self._memo.get("links between", (placed, arcs), lambda: links_between(case.state, placed.sites, arcs))
        shares = tuple(work.values())
        graph = self._memo.get(
            "sites",
            (case.state.arrays, health.lit, links, placed, shares),
            lambda: build_site_graph(case.state, health.lit, sites, links),
        )
        columns = tuple(case.state[name] for name in OUTAGE_COLUMNS)
        return self._memo.get(
            "outages",
            (graph, links, case.state.parts, case.ageing, *columns),
            lambda: site_outages(case.state, self.reader, graph, links, case.ageing),
        )

    def money_of(self, case: Case, before: State | None) -> cost.Money:
        """Prices; with `before`, also what had to be bought to get here from there."""
        columns = cost.MONEY_COLUMNS if before is None else cost.BOUGHT_COLUMNS
        return self._memo.get(
            "money",
            (*named(case.state, columns), case.document.sites, before),
            lambda: cost.money(case.state, case.document, self.reader, before),
        )

    def lease_of(self, e: Evaluation, reader: FigureReader) -> Lease | None:
        """The job with and without its dearest leased site."""
        case, placed, step = e.case, e.placed, e.step
        job = case.job
        site = dearest_lease(case.document, job) if job is not None else None
        if job is None or step is None or site is None or placed is None or site.id not in placed.sites:
            return None
        without = 0.0
        left = tuple(place for place in job.placement if place.site != site.id)
        if left:
            other = self.evaluate(replace(case, job=_on_fewer(job, left)), with_lease=False)
            without = other.step.model_flops_per_s * other.goodput_ratio if other.step else 0.0
        marginal = step.model_flops_per_s * e.goodput_ratio - without
        return weigh_lease(case.state, case.document, job, placed, site, marginal, e.goodput_ratio, e.money, reader)


def _work_shares(placed: Placed, step: Step) -> tuple[float, ...]:
    """Part of the work that each group could do, all together one."""
    if len(step.groups) == len(placed.groups):
        rates = [group.n_replicas / group.stage_time_s for group in step.groups]
    else:  # each replica reaches over all of them
        rates = [float(group.n_stages) for group in placed.groups]
    return tuple(rate / sum(rates) for rate in rates)


def _on_fewer(job: TrainingJob, left: tuple[Placement, ...]) -> TrainingJob:
    """The job on the places that are left, as many replicas as fit."""
    return replace(on_places(job, left), on_site_loss="stop")


def _in_order(*used_figures: tuple[UsedFigure, ...]) -> tuple[UsedFigure, ...]:
    """All of them, each once."""
    return tuple(sorted(set().union(*used_figures), key=lambda used_figure: (used_figure.where, used_figure.name)))


def _place(case: Case, job: TrainingJob, reader: FigureReader) -> tuple[Placed, JobFlows]:
    known = case.state.arrays.sites
    issues = [Issue(f"jobs[{job.id}].placement", f"no site {p.site!r}") for p in job.placement if p.site not in known]
    if issues:
        raise TopologyError("the job has no place", found=issues)
    placed = place_job(case.state, job, reader)
    return placed, job_flows(placed, job, case.state.arrays.n_nodes)


def _check_fit(placed: Placed, job: TrainingJob, reader: FigureReader) -> None:
    issues = fit_issues(placed, job, reader)
    if issues:
        raise TopologyError("the job cannot run as it is cut and placed", where=f"jobs[{job.id}]", found=issues)


def _at_rack(arrays: NetworkArrays) -> Bools:
    """Links with an end at a rack or host."""
    return np.asarray((arrays.node_kind[arrays.link_ends] <= NODE_KINDS.index("host")).any(axis=1))
