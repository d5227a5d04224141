"""Times of a step under a split of the work: groups' compute, what of the exchange hides, the last replica."""

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
    data_floor,
    end_to_end,
    optimizer_s,
    timed_groups,
    without_network_cards,
)
from .cross_site_pipeline import StageRun, cross_site_pipeline
from .step_inputs import StepInputs, longest

PHASES = ("reduce_scatter", "all_gather", "wide_area", "pipeline", "in_layers")
BITS = 8.0
N_STEPS = 2001
"""Of the integral over the end of the last replica."""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What is taken out of the way, to see what it costs."""

    no_delay: bool = False
    no_fabric_limit: bool = False
    """Network cards without limit; the arcs' capacity is the caller's."""
    one_accelerator: bool = False
    """All accelerators of the job alike, at the same FLOP/s together."""
    best_split: bool = False
    full_pipeline: bool = False
    """So many micro batches that neither filling and draining the pipeline counts nor what does not divide."""


NOTHING_REMOVED = Counterfactual()
Share = tuple[float, ...]
"""Micro batches of a replica by group: whole ones, but for a batch so large that what is left over does not count."""
EVERY = frozenset(PHASES)


@dataclass(frozen=True, eq=False)
class SplitTiming:
    """One split of the work, timed."""

    share: Share
    groups: tuple[TimedGroup, ...]
    """Without communication."""
    n_micro_batches_per_s: float
    """Micro batches that these could do if none waited."""
    group_time_s: tuple[float, ...]
    bare_s: float
    """The step without communication,"""
    compute_s: float
    """and without its bubble."""
    step_s: float
    without_phase_s: Callable[[str], float]
    uniform_kept: bool = False


class StepTimingModel:
    """Times steps of a setting under an ideal, split by split and with any of the phases left out."""

    def __init__(self, inputs: StepInputs, counterfactual: Counterfactual) -> None:
        self.inputs, self.counterfactual, pp = inputs, counterfactual, inputs.job.parallelism.pp
        self.paced = (
            without_network_cards(inputs.accelerators.groups)
            if counterfactual.no_fabric_limit
            else inputs.accelerators.groups
        )
        self._known: dict[tuple[bool, bool], tuple[TimedGroup, ...]] = {}
        self._exchanged: dict[tuple[str, frozenset[str]], tuple[float, float]] = {}
        self._whole = self.paced
        if inputs.job.across_sites == "pipeline":
            # with all stages each: how kinds compare is not which of the stages they have
            self._whole = tuple(replace(p, placed=replace(p.placed, first_stage=0, n_stages=pp)) for p in self.paced)
        self._times: dict[tuple[bool, bool, bool], tuple[TimedGroup, ...]] = {}
        self._held = [p.placed.n_replicas * p.placed.n_stages for p in self.paced]
        local, wide, capacity = inputs.local_bits, inputs.wide_bits, inputs.capacity
        both = local + wide
        self._wide_s = longest(wide, capacity)[1]
        # what a site exchanges inside is its own business, but for the arcs that others use as well
        self._local_s = {
            site: longest(np.where(own > 0, local, 0.0), capacity)[1] for site, own in inputs.local_bits_of.items()
        }
        self._both_s = {
            site: longest(np.where((own > 0) | (wide > 0), both, 0.0), capacity)[1]
            for site, own in inputs.local_bits_of.items()
        }
        whole = inputs.job.across_sites == "data"
        sizes = {local.site: local.n_blocks for local in inputs.flows.local}
        self._floors = [data_floor(p, inputs.job, sizes.get(p.placed.site, 1)) for p in self.paced]
        self._optimizer_s = max(optimizer_s(group, inputs.job) for group in self.paced)
        self._between_s = 0.0
        if not whole:
            self._between_s = longest(inputs.crossing_bits, capacity)[1]

    def groups(self, phases: frozenset[str]) -> tuple[TimedGroup, ...]:
        """Pools with the exchange of these phases in their micro batches; one where replicas reach over all of them."""
        key = "in_layers" in phases, "pipeline" in phases
        if key not in self._known:
            found = self.apart(phases)
            if self.inputs.job.across_sites == "pipeline":
                found = (self._joined(found) if key[1] else end_to_end(found),)
            if self.counterfactual.full_pipeline:
                found = tuple(replace(group, fill_s=0.0) for group in found)
            self._known[key] = found
        return self._known[key]

    def apart(self, phases: frozenset[str]) -> tuple[TimedGroup, ...]:
        """The same group by group, whether replicas reach over them or not."""
        found = self._timed(self.paced, phases)
        if not self.counterfactual.one_accelerator:
            return found
        times_s = [group.stage_time_s for group in self._timed(self._whole, phases)]
        mean_s = sum(self._held) / sum(n / t for n, t in zip(self._held, times_s, strict=True))
        return tuple(
            replace(group, stage_time_s=group.stage_time_s * mean_s / t, fill_s=group.fill_s * mean_s / t)
            for group, t in zip(found, times_s, strict=True)
        )

    def _timed(self, groups: tuple[CalibratedGroup, ...], phases: frozenset[str]) -> tuple[TimedGroup, ...]:
        layers, boundaries = "in_layers" in phases, "pipeline" in phases
        key = groups is self.paced, layers, boundaries
        if key not in self._times:
            job, network = self.inputs.job, self.inputs.network
            self._times[key] = timed_groups(groups, job, network, layers=layers, boundaries=boundaries)
        return self._times[key]

    def n_micro_batches_per_s(self) -> float:
        """Micro batches a second that all accelerators could do, without communication, if none waited for others."""
        pp = self.inputs.job.parallelism.pp
        if self.counterfactual.one_accelerator:
            return sum(self._held) / pp / max(group.stage_time_s for group in self.groups(frozenset()))
        times_s = [group.stage_time_s for group in self._timed(self._whole, frozenset())]
        return sum(n / t for n, t in zip(self._held, times_s, strict=True)) / pp

    def _joined(self, groups: tuple[TimedGroup, ...]) -> TimedGroup:
        """A replica over all groups."""
        runs = [StageRun(group.placed.site, group.placed.n_stages) for group in self.paced]
        latency_s = 0.0 if self.counterfactual.no_delay else self.inputs.loads.crossing_latency_us * 1e-6
        m = (
            None
            if self.counterfactual.full_pipeline
            else uniform_split(groups[:1], n_micro_batches(self.inputs.job))[0]
        )
        return cross_site_pipeline(groups, runs, self._between_s, latency_s, m)

    def timing(self, share: Share) -> SplitTiming:
        """A split of the work with all phases, and what each of them exposes."""
        times = group_times_s(self.groups(EVERY), share)
        step_s, bare_s, bare = self.step_s(share), self.step_s(share, frozenset()), self.groups(frozenset())
        computing = group_times_s(tuple(replace(group, fill_s=0.0) for group in bare), share)
        compute_s = self._last_s(computing, computing, share) + self._optimizer_s

        def without_phase_s(phase: str) -> float:
            return self.step_s(share, EVERY - {phase})

        return SplitTiming(share, bare, self.n_micro_batches_per_s(), times, bare_s, compute_s, step_s, without_phase_s)

    def _last_s(self, ends_s: Sequence[float], times_s: Sequence[float], share: Share) -> float:
        """When the slowest replica of all is done, where these are the ends of each group's and micro batches take more
        or less time than theirs of `times_s`."""
        jitter = self.inputs.job.jitter_ratio
        if not jitter:
            return max(ends_s)
        spread_s = [jitter * time_s / math.sqrt(m) if m else 0.0 for time_s, m in zip(times_s, share, strict=True)]
        return mean_of_latest(ends_s, spread_s, [group.n_replicas for group in self.groups(frozenset())])

    def step_s(self, share: Share, phases: frozenset[str] = EVERY) -> float:
        """The step of a split of the work with only these phases present: compute, exchange, optimizer.

        Inside a site and between sites run together, bucket by bucket, so arcs that carry both carry their sum.
        """
        job, local_sgd = self.inputs.job, self.inputs.job.is_local_sgd
        wide = "wide_area" in phases and self.inputs.way is not None
        total = self._latest_s(group_times_s(self.groups(phases), share), share, phases)
        latency = self._latency_s
        total += sum(latency[phase] for phase in ("reduce_scatter", "all_gather") if phase in phases)
        if "pipeline" in phases and job.across_sites == "data":
            total += latency["pipeline"]
        if wide:
            total += self._local_sgd_s(total + self._optimizer_s) if local_sgd else 2.0 * latency["wide_area"]
        return total + self._optimizer_s

    def _exchanged_s(self, site: str, phases: frozenset[str]) -> tuple[float, float]:
        """(gradients, parameters) that a group at a site takes part in exchanging, there and with the other sites."""
        if (site, phases) not in self._exchanged:
            self._exchanged[site, phases] = self._exchange_s(site, phases)
        return self._exchanged[site, phases]

    def _exchange_s(self, site: str, phases: frozenset[str]) -> tuple[float, float]:
        job = self.inputs.job
        there = "wide_area" in phases and self.inputs.way is not None and not job.is_local_sgd
        found = []
        for phase, n_bytes in (
            ("reduce_scatter", job.gradient_bytes_per_parameter),
            ("all_gather", job.parameter_bytes_per_parameter),
        ):
            here = phase in phases and not job.parallelism.fully_sharded
            seconds = self._wide_s if there else 0.0
            if here:
                seconds = self._both_s.get(site, seconds) if there else self._local_s.get(site, 0.0)
            # cards of all kinds at a site are in the same rings
            floors = [
                floor.per_byte_s * n_bytes + floor.fixed_s
                for floor, group in zip(self._floors, self.paced, strict=True)
                if here and group.placed.site == site
            ]
            found.append(max([BITS * n_bytes * seconds, *floors]))
        return found[0], found[1]

    def _latest_s(self, times: tuple[float, ...], share: Share, phases: frozenset[str]) -> float:
        """When the last group is done with its compute and with what of the exchange that does not hide.

        Exchange hides behind w = overlap * min(1, p / m) of the pass that feeds it. All groups exchange at once, each
        with its own compute before and after: a group that is done early waits, once, before or after.
        """
        ends_s, pp = list(times), self.inputs.job.parallelism.pp
        for i, group in enumerate(self.paced):
            at = min(i, len(times) - 1)  # of replicas over sites there is one time for all groups
            time_s, m = times[at], share[at]
            if not m:
                continue
            shown_s, hidden_s = self._sharded_s(i, m, phases)
            # compute that hides gathers of weights hides nothing else: it all leaves by the same network cards
            behind_s = group.overlap_ratio * min(1.0, pp / m) * (time_s - hidden_s)
            backward, least = group.layout.backward_ratio, 1.0 / (pp * self.inputs.accelerators.n_buckets)
            exchanged = self._exchanged_s(group.placed.site, phases)
            for seconds, part in zip(exchanged, (backward, 1.0 - backward), strict=True):
                shown_s += max(seconds - part * behind_s, seconds * least)
            ends_s[at] = max(ends_s[at], time_s + shown_s)
        return self._last_s(ends_s, times, share)

    def _sharded_s(self, i: int, m: float, phases: frozenset[str]) -> tuple[float, float]:
        """(shown, hidden) of gathering weights for both passes of every micro batch and scattering its gradients,
        each behind its own pass.
        """
        job, group, floor = self.inputs.job, self.paced[i], self._floors[i]
        if not job.parallelism.fully_sharded:
            return 0.0, 0.0

        def longest(phase: str, n_bytes: float) -> float:
            if phase not in phases:
                return 0.0
            return max(
                BITS * n_bytes * self._local_s.get(group.placed.site, 0.0), floor.per_byte_s * n_bytes + floor.fixed_s
            )

        scatter_s = longest("reduce_scatter", job.gradient_bytes_per_parameter)
        gather_s = longest("all_gather", job.parameter_bytes_per_parameter)
        timed = self.groups(phases)
        behind_s = group.overlap_ratio * timed[min(i, len(timed) - 1)].stage_time_s
        backward = group.layout.backward_ratio
        shown_s = max(0.0, gather_s - (1.0 - backward) * behind_s)
        shown_s += max(0.0, gather_s + scatter_s - backward * behind_s)
        return m * shown_s, m * (2.0 * gather_s + scatter_s - shown_s)

    @cached_property
    def _latency_s(self) -> dict[str, float]:
        """Serial crossings times one-way path latency: trees inside a site, one crossing a site between them."""
        if self.counterfactual.no_delay:
            return dict.fromkeys(PHASES, 0.0)
        inputs, loads = self.inputs, self.inputs.loads
        ranks = [local.n_ranks for local in inputs.flows.local]
        rounds = max((math.ceil(math.log2(n)) for n in ranks), default=0)
        filling = 0.0 if self.counterfactual.full_pipeline else 2.0 * (inputs.job.parallelism.pp - 1)
        return {
            "reduce_scatter": rounds * loads.local_latency_us * 1e-6,
            "all_gather": rounds * loads.local_latency_us * 1e-6,
            "wide_area": (len(inputs.placed.sites) - 1) * loads.wide_latency_us * 1e-6,
            "pipeline": filling * loads.pipeline_latency_us * 1e-6,
        }

    def _local_sgd_s(self, alone_s: float) -> float:
        """What a step waits in the mean for the exchange of the sites every H steps; `alone_s`: the step without it."""
        job = self.inputs.job
        schedule = local_schedule(job, alone_s, len(self.inputs.placed.sites))
        layer_s = self._wide_s * sum(wide_bits_per_parameter(job)) / job.model.n_layers
        return waiting_s(schedule, layer_s, 2e6 * self._latency_s["wide_area"]) / job.n_local_steps


def wide_bits_per_parameter(job: TrainingJob) -> tuple[float, float]:
    """(reduced, gathered) bits of a parameter in an exchange between sites."""
    if job.is_local_sgd and job.exchange_bits_per_parameter:
        return job.exchange_bits_per_parameter, job.exchange_bits_per_parameter
    return BITS * job.gradient_bytes_per_parameter, BITS * job.parameter_bytes_per_parameter


def local_schedule(job: TrainingJob, step_time_s: float, n_sites: int) -> LocalSchedule:
    """The job's local SGD, its sites as replicas."""
    return LocalSchedule(
        n_parameters=float(job.model.n_parameters()),
        n_layers=job.model.n_layers,
        step_time_s=step_time_s,
        n_replicas=n_sites,
        n_local_steps=job.n_local_steps,
        n_fragment_layers=job.n_fragment_layers,
        n_overlap_steps=job.n_overlap_steps,
    )


def mean_of_latest(times_s: Sequence[float], spread_s: Sequence[float], counts: Sequence[int]) -> float:
    """Expected end of the last of independent normal ends: `counts` of each kind, with this mean and deviation.

    E[max] = b - the integral of F from a to b, F the product of the distributions, which is 0 below a and 1 above b.
    """
    kinds = [kind for kind in zip(times_s, spread_s, counts, strict=True) if kind[1] > 0]
    fixed = max((t for t, sigma, _ in zip(times_s, spread_s, counts, strict=True) if not sigma), default=-math.inf)
    if not kinds:
        return fixed
    low = max(t - 9.0 * sigma for t, sigma, _ in kinds)
    high = max(t + (math.sqrt(2.0 * math.log(n)) + 9.0) * sigma for t, sigma, n in kinds)
    low, high = max(low, fixed), max(high, fixed)
    at = np.linspace(low, high, N_STEPS)
    chance = np.exp(sum(n * log_ndtr((at - t) / sigma) for t, sigma, n in kinds))
    return float(high - np.trapezoid(chance, at))
