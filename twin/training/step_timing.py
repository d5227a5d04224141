"""Step timing: compute, exposed communication and the end of the slowest replica, for one split of the work."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import log_ndtr

from ..model.jobs import TrainingJob
from ..workload.group_times import TimedGroup, group_times_s, uniform_split
from ..workload.job_arithmetic import n_micro_batches
from ..workload.local_sgd import LocalSchedule, waiting_s
from .accelerator_groups import (
    CalibratedGroup,
    chained_group,
    data_exchange_floor,
    optimizer_s,
    timed_groups,
    without_network_cards,
)
from .cross_site_pipeline import StageRun, cross_site_pipeline
from .step_inputs import StepInputs

PHASES = ("reduce_scatter", "all_gather", "wide_area", "pipeline", "in_layers")
BITS = 8.0
N_INTEGRATION_POINTS = 2001
"""Points of the numerical integral over the end of the slowest replica."""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Limits that are removed from a step, to see what each of them costs."""

    no_delay: bool = False
    no_fabric_limit: bool = False
    """Network cards have no limit. The caller sets the capacity of the arcs."""
    one_accelerator: bool = False
    """All accelerators of the job are equal, with the same total FLOP/s."""
    best_split: bool = False
    """The best split of the work is used, whatever the job requests."""
    full_pipeline: bool = False
    """The batch is so large that pipeline fill and drain, and micro batches that do not divide, do not count."""


NO_LIMIT_REMOVED = Counterfactual()
Split = tuple[float, ...]
"""Micro batches of a replica by group. They are whole numbers, except for a batch so large that the remainder does not
count.
"""
ALL_PHASES = frozenset(PHASES)


@dataclass(frozen=True, eq=False)
class SplitTiming:
    """Timing of one split of the work."""

    split: Split
    groups: tuple[TimedGroup, ...]
    """Groups without communication."""
    n_micro_batches_per_s: float
    """Rate of all groups together if none waited for another."""
    group_time_s: tuple[float, ...]
    """Busy time by group, with communication inside micro batches."""
    without_comm_s: float
    """Step without communication."""
    compute_s: float
    """Step without communication and without pipeline bubble."""
    step_s: float
    without_phase_s: Callable[[str], float]
    """Step with one phase at zero, by name of the phase."""
    uniform_is_faster: bool = False
    """The balanced split was slower than the uniform one, so the uniform one was chosen."""


class StepTimingModel:
    """Times steps of a job under a counterfactual, for any split of the work and any set of phases.

    Args:
        inputs: the job, its groups, its loads by arc and the capacity of the arcs.
        counterfactual: limits that are removed.
    """

    def __init__(self, inputs: StepInputs, counterfactual: Counterfactual) -> None:
        self.inputs, self.counterfactual, pp = inputs, counterfactual, inputs.job.parallelism.pp
        self.calibrated = (
            without_network_cards(inputs.accelerators.groups)
            if counterfactual.no_fabric_limit
            else inputs.accelerators.groups
        )
        self._groups_by_exchange: dict[tuple[bool, bool], tuple[TimedGroup, ...]] = {}
        self._site_exchange_times: dict[tuple[str, frozenset[str]], tuple[float, float]] = {}
        self._all_stage_groups = self.calibrated
        if inputs.job.across_sites == "pipeline":
            # each group gets all stages, because kinds are compared on the same stages
            self._all_stage_groups = tuple(
                replace(p, placed=replace(p.placed, first_stage=0, n_stages=pp)) for p in self.calibrated
            )
        self._timed_groups: dict[tuple[bool, bool, bool], tuple[TimedGroup, ...]] = {}
        self._n_stage_slots = [p.placed.n_replicas * p.placed.n_stages for p in self.calibrated]
        self._wide_s = float(inputs.wide_s.max(initial=0.0))
        # an exchange inside a site concerns that site only, except on arcs that other sites use too
        self._local_s = {
            site: float(inputs.local_s[site_bits > 0].max(initial=0.0))
            for site, site_bits in inputs.local_bits_of.items()
        }
        total_s = inputs.local_s + inputs.wide_s
        self._shared_arcs_s = {
            site: float(total_s[(site_bits > 0) | (inputs.wide_bits > 0)].max(initial=0.0))
            for site, site_bits in inputs.local_bits_of.items()
        }
        sites_exchange_gradients = inputs.job.across_sites == "data"
        n_blocks = {exchange.site: exchange.n_blocks for exchange in inputs.flows.local}
        self._exchange_floors = [
            data_exchange_floor(p, inputs.job, n_blocks.get(p.placed.site, 1)) for p in self.calibrated
        ]
        self._optimizer_s = max(optimizer_s(group, inputs.job) for group in self.calibrated)
        self._crossing_s = 0.0
        if not sites_exchange_gradients:
            self._crossing_s = float(inputs.capacity.seconds("crossing", inputs.crossing_bits).max(initial=0.0))

    def groups(self, phases: frozenset[str]) -> tuple[TimedGroup, ...]:
        """Groups with the exchange of these phases in their micro batches.

        Returns:
            One group by site and kind; a single group where replicas reach over all of them.
        """
        exchanges = "in_layers" in phases, "pipeline" in phases
        if exchanges not in self._groups_by_exchange:
            groups = self.separate_groups(phases)
            if self.inputs.job.across_sites == "pipeline":
                groups = (self._cross_site_group(groups) if exchanges[1] else chained_group(groups),)
            if self.counterfactual.full_pipeline:
                groups = tuple(replace(group, fill_s=0.0) for group in groups)
            self._groups_by_exchange[exchanges] = groups
        return self._groups_by_exchange[exchanges]

    def separate_groups(self, phases: frozenset[str]) -> tuple[TimedGroup, ...]:
        """Groups by site and kind with the exchange of these phases, also where replicas reach over several of them."""
        groups = self._timed(self.calibrated, phases)
        if not self.counterfactual.one_accelerator:
            return groups
        times_s = [group.stage_time_s for group in self._timed(self._all_stage_groups, phases)]
        mean_s = sum(self._n_stage_slots) / sum(n / t for n, t in zip(self._n_stage_slots, times_s, strict=True))
        return tuple(
            replace(group, stage_time_s=group.stage_time_s * mean_s / t, fill_s=group.fill_s * mean_s / t)
            for group, t in zip(groups, times_s, strict=True)
        )

    def _timed(self, groups: tuple[CalibratedGroup, ...], phases: frozenset[str]) -> tuple[TimedGroup, ...]:
        """Timed groups, computed once for each choice of exchange."""
        layers, boundaries = "in_layers" in phases, "pipeline" in phases
        key = groups is self.calibrated, layers, boundaries
        if key not in self._timed_groups:
            job, network_times = self.inputs.job, self.inputs.network_times
            self._timed_groups[key] = timed_groups(groups, job, network_times, layers=layers, boundaries=boundaries)
        return self._timed_groups[key]

    def n_micro_batches_per_s(self) -> float:
        """Micro batches per second of all accelerators, without communication, if none waited for another."""
        pp = self.inputs.job.parallelism.pp
        if self.counterfactual.one_accelerator:
            return sum(self._n_stage_slots) / pp / max(group.stage_time_s for group in self.groups(frozenset()))
        times_s = [group.stage_time_s for group in self._timed(self._all_stage_groups, frozenset())]
        return sum(n / t for n, t in zip(self._n_stage_slots, times_s, strict=True)) / pp

    def _cross_site_group(self, groups: tuple[TimedGroup, ...]) -> TimedGroup:
        """The group of a replica that reaches over all groups."""
        stage_runs = [StageRun(group.placed.site, group.placed.n_stages) for group in self.calibrated]
        latency_s = 0.0 if self.counterfactual.no_delay else self.inputs.loads.crossing_latency_us * 1e-6
        n_per_replica = (
            None
            if self.counterfactual.full_pipeline
            else uniform_split(groups[:1], n_micro_batches(self.inputs.job))[0]
        )
        return cross_site_pipeline(groups, stage_runs, self._crossing_s, latency_s, n_per_replica)

    def timing(self, split: Split) -> SplitTiming:
        """Time a split of the work with all phases, without communication, and without each phase."""
        times = group_times_s(self.groups(ALL_PHASES), split)
        step_s, without_comm_s, bare_groups = (
            self.step_s(split),
            self.step_s(split, frozenset()),
            self.groups(frozenset()),
        )
        computing = group_times_s(tuple(replace(group, fill_s=0.0) for group in bare_groups), split)
        compute_s = self._slowest_replica_s(computing, computing, split) + self._optimizer_s

        def without_phase_s(phase: str) -> float:
            return self.step_s(split, ALL_PHASES - {phase})

        return SplitTiming(
            split, bare_groups, self.n_micro_batches_per_s(), times, without_comm_s, compute_s, step_s, without_phase_s
        )

    def _slowest_replica_s(self, ends_s: Sequence[float], times_s: Sequence[float], split: Split) -> float:
        """Expected end of the slowest of all replicas.

        Args:
            ends_s: mean end by group.
            times_s: compute time by group, which varies with the job's jitter.
            split: micro batches of a replica by group.
        """
        jitter = self.inputs.job.jitter_ratio
        if not jitter:
            return max(ends_s)
        spread_s = [jitter * time_s / math.sqrt(m) if m else 0.0 for time_s, m in zip(times_s, split, strict=True)]
        return expected_latest_end_s(ends_s, spread_s, [group.n_replicas for group in self.groups(frozenset())])

    def step_s(self, split: Split, phases: frozenset[str] = ALL_PHASES) -> float:
        """Time of a step with only these phases present: compute, exchange, optimizer.

        Exchange inside a site and between sites runs at the same time, bucket by bucket. Arcs that carry both carry
        their sum.

        Args:
            split: micro batches of a replica by group.
            phases: phases that are present.
        """
        job, local_sgd = self.inputs.job, self.inputs.job.is_local_sgd
        exchanges_sites = "wide_area" in phases and self.inputs.schedule is not None
        total_s = self._exchange_end_s(group_times_s(self.groups(phases), split), split, phases)
        latency_s = self._latency_s
        total_s += sum(latency_s[phase] for phase in ("reduce_scatter", "all_gather") if phase in phases)
        if "pipeline" in phases and job.across_sites == "data":
            total_s += latency_s["pipeline"]
        if exchanges_sites:
            total_s += self._local_sgd_s(total_s + self._optimizer_s) if local_sgd else 2.0 * latency_s["wide_area"]
        return total_s + self._optimizer_s

    def _site_exchange_s(self, site: str, phases: frozenset[str]) -> tuple[float, float]:
        """(gradients, parameters): exchange in seconds of a group at a site, inside it and with the other sites."""
        if (site, phases) not in self._site_exchange_times:
            self._site_exchange_times[site, phases] = self._compute_site_exchange_s(site, phases)
        return self._site_exchange_times[site, phases]

    def _compute_site_exchange_s(self, site: str, phases: frozenset[str]) -> tuple[float, float]:
        job = self.inputs.job
        exchanges_sites = "wide_area" in phases and self.inputs.schedule is not None and not job.is_local_sgd
        exchange_s = []
        for phase, n_bytes in (
            ("reduce_scatter", job.gradient_bytes_per_parameter),
            ("all_gather", job.parameter_bytes_per_parameter),
        ):
            exchanges_inside = phase in phases and not job.parallelism.fully_sharded
            seconds = self._wide_s if exchanges_sites else 0.0
            if exchanges_inside:
                seconds = self._shared_arcs_s.get(site, seconds) if exchanges_sites else self._local_s.get(site, 0.0)
            # network cards of all kinds at a site are in the same rings
            floors = [
                floor.per_byte_s * n_bytes + floor.fixed_s
                for floor, group in zip(self._exchange_floors, self.calibrated, strict=True)
                if exchanges_inside and group.placed.site == site
            ]
            exchange_s.append(max([BITS * n_bytes * seconds, *floors]))
        return exchange_s[0], exchange_s[1]

    def _exchange_end_s(self, compute_s: tuple[float, ...], split: Split, phases: frozenset[str]) -> float:
        """End of the slowest group: its compute and the exposed part of its exchange.

        Exchange overlaps with w = overlap * min(1, p / m) of the pass that feeds it. All groups exchange at the same
        time, each with its own compute before and after. A group that ends early waits once, before or after.
        """
        ends_s, pp = list(compute_s), self.inputs.job.parallelism.pp
        for i, group in enumerate(self.calibrated):
            row = min(i, len(compute_s) - 1)  # a replica over all sites has one time for all groups
            time_s, m = compute_s[row], split[row]
            if not m:
                continue
            exposed_s, overlapped_s = self._sharded_exchange_s(i, m, phases)
            # compute that overlaps with gathers of weights cannot overlap with more: both use the same network cards
            window_s = group.overlap_ratio * min(1.0, pp / m) * (time_s - overlapped_s)
            backward_ratio, exposed_ratio = group.layout.backward_ratio, 1.0 / (pp * self.inputs.accelerators.n_buckets)
            exchange_s = self._site_exchange_s(group.placed.site, phases)
            for seconds, pass_ratio in zip(exchange_s, (backward_ratio, 1.0 - backward_ratio), strict=True):
                exposed_s += max(seconds - pass_ratio * window_s, seconds * exposed_ratio)
            ends_s[row] = max(ends_s[row], time_s + exposed_s)
        return self._slowest_replica_s(ends_s, compute_s, split)

    def _sharded_exchange_s(self, i: int, m: float, phases: frozenset[str]) -> tuple[float, float]:
        """(exposed, overlapped) exchange of fully sharded weights, over all micro batches.

        Weights are gathered for both passes of every micro batch, and its gradients are scattered. Each overlaps with
        its own pass.
        """
        job, group, floor = self.inputs.job, self.calibrated[i], self._exchange_floors[i]
        if not job.parallelism.fully_sharded:
            return 0.0, 0.0

        def phase_s(phase: str, n_bytes: float) -> float:
            if phase not in phases:
                return 0.0
            return max(
                BITS * n_bytes * self._local_s.get(group.placed.site, 0.0), floor.per_byte_s * n_bytes + floor.fixed_s
            )

        scatter_s = phase_s("reduce_scatter", job.gradient_bytes_per_parameter)
        gather_s = phase_s("all_gather", job.parameter_bytes_per_parameter)
        timed = self.groups(phases)
        window_s = group.overlap_ratio * timed[min(i, len(timed) - 1)].stage_time_s
        backward_ratio = group.layout.backward_ratio
        exposed_s = max(0.0, gather_s - (1.0 - backward_ratio) * window_s)
        exposed_s += max(0.0, gather_s + scatter_s - backward_ratio * window_s)
        return m * exposed_s, m * (2.0 * gather_s + scatter_s - exposed_s)

    @cached_property
    def _latency_s(self) -> dict[str, float]:
        """Latency by phase: serial crossings times one-way path latency.

        Exchange inside a site uses trees. Exchange between sites crosses once for each further site.
        """
        if self.counterfactual.no_delay:
            return dict.fromkeys(PHASES, 0.0)
        inputs, loads = self.inputs, self.inputs.loads
        n_ranks = [local.n_ranks for local in inputs.flows.local]
        n_rounds = max((math.ceil(math.log2(n)) for n in n_ranks), default=0)
        n_fill_crossings = 0.0 if self.counterfactual.full_pipeline else 2.0 * (inputs.job.parallelism.pp - 1)
        return {
            "reduce_scatter": n_rounds * loads.local_latency_us * 1e-6,
            "all_gather": n_rounds * loads.local_latency_us * 1e-6,
            "wide_area": (len(inputs.placed.sites) - 1) * loads.wide_latency_us * 1e-6,
            "pipeline": n_fill_crossings * loads.pipeline_latency_us * 1e-6,
        }

    def _local_sgd_s(self, alone_s: float) -> float:
        """Mean wait of a step for the exchange of the sites every H steps.

        Args:
            alone_s: step without that exchange.
        """
        job = self.inputs.job
        schedule = local_schedule(job, alone_s, len(self.inputs.placed.sites))
        layer_s = self._wide_s * sum(wide_bits_per_parameter(job)) / job.model.n_layers
        return waiting_s(schedule, layer_s, 2e6 * self._latency_s["wide_area"]) / job.n_local_steps


def wide_bits_per_parameter(job: TrainingJob) -> tuple[float, float]:
    """(reduced, gathered): bits of one parameter in an exchange between sites."""
    if job.is_local_sgd and job.exchange_bits_per_parameter:
        return job.exchange_bits_per_parameter, job.exchange_bits_per_parameter
    return BITS * job.gradient_bytes_per_parameter, BITS * job.parameter_bytes_per_parameter


def local_schedule(job: TrainingJob, step_time_s: float, n_sites: int) -> LocalSchedule:
    """Local SGD schedule of the job, with its sites as replicas."""
    return LocalSchedule(
        n_parameters=float(job.model.n_parameters()),
        n_layers=job.model.n_layers,
        step_time_s=step_time_s,
        n_replicas=n_sites,
        n_local_steps=job.n_local_steps,
        n_fragment_layers=job.n_fragment_layers,
        n_overlap_steps=job.n_overlap_steps,
    )


def expected_latest_end_s(times_s: Sequence[float], spread_s: Sequence[float], counts: Sequence[int]) -> float:
    """Expected end of the last of independent, normally distributed ends.

    E[max] = b minus the integral of F from a to b. F is the product of the distributions: 0 below a and 1 above b.

    Args:
        times_s: mean end by kind.
        spread_s: standard deviation by kind; 0 for a fixed end.
        counts: ends of each kind.
    """
    random_kinds = [kind for kind in zip(times_s, spread_s, counts, strict=True) if kind[1] > 0]
    fixed_s = max((t for t, sigma, _ in zip(times_s, spread_s, counts, strict=True) if not sigma), default=-math.inf)
    if not random_kinds:
        return fixed_s
    low_s = max(t - 9.0 * sigma for t, sigma, _ in random_kinds)
    high_s = max(t + (math.sqrt(2.0 * math.log(n)) + 9.0) * sigma for t, sigma, n in random_kinds)
    low_s, high_s = max(low_s, fixed_s), max(high_s, fixed_s)
    end_s = np.linspace(low_s, high_s, N_INTEGRATION_POINTS)
    chance = np.exp(sum(n * log_ndtr((end_s - t) / sigma) for t, sigma, n in random_kinds))
    return float(high_s - np.trapezoid(chance, end_s))
