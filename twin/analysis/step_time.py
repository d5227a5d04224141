"""One optimizer step in steady state: compute at the pace of the split, bubble, and what communication sticks out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from ..arrays import Floats
from ..model.jobs import TrainingJob
from ..workload.job import flops_per_step, n_micro_batches, tokens_per_step
from ..workload.local_sgd import LocalSchedule, waiting_s
from ..workload.split import Pool, balanced_split, pool_times_s, uniform_split
from .figures import Lean
from .pools import data_floor, n_rounds, network_bits, optimizer_s, timed_pools, without_network_cards
from .setting import Setting, longest

PHASES = ("reduce_scatter", "all_gather", "wide_area", "pipeline", "in_layers")
BITS = 8.0


@dataclass(frozen=True, eq=False)
class Step:
    """A step taken apart; times in seconds. `exposed_s` by phase is the step minus the step with that phase at zero."""

    pools: tuple[Pool, ...]
    share: tuple[int, ...]
    uniform_kept: bool
    """A balanced split was asked for and would have been slower than the uniform one."""
    pool_time_s: tuple[float, ...]
    pace_pool: int
    compute_time_s: float
    """Without any communication, with the split of work chosen; the optimizer's pass is in it."""
    bubble_time_s: float
    exposed_comm_time_s: float
    without_phase_s: Callable[[str], float]
    """The step with a phase at zero."""
    phase_s: dict[str, float]
    step_time_s: float
    bubble_ratio: float
    straggler_ratio: float
    mfu_ratio: float
    tokens_per_s: float
    model_flops_per_s: float
    exchange: str
    n_local_steps: int
    bottleneck: dict[str, tuple[int, float]]
    """Phase -> (arc, seconds its bits take there)."""
    arc_bits: Floats
    """Bits of one step by arc of UnitLoads.arc, all phases."""
    leans: tuple[Lean, ...]

    @cached_property
    def exposed_s(self) -> dict[str, float]:
        """By phase."""
        return {phase: self.step_time_s - self.without_phase_s(phase) for phase in PHASES}


@dataclass(frozen=True, slots=True)
class Ideal:
    """What is taken out of the way, to see what it costs."""

    no_delay: bool = False
    no_fabric_limit: bool = False
    """Network cards without limit; the arcs' capacity is the caller's."""
    one_accelerator: bool = False
    """All accelerators of the job alike, at the same FLOP/s together."""
    best_split: bool = False
    full_pipeline: bool = False
    """So many micro batches that filling and draining the pipeline does not count."""


AS_IT_IS = Ideal()
EVERY = frozenset(PHASES)


def step_time_s(setting: Setting, ideal: Ideal = AS_IT_IS) -> float:
    """What `step_of` says of a step in all, without the account of it."""
    return _best(_Timer(setting, ideal)).step_s


def step_of(setting: Setting, ideal: Ideal = AS_IT_IS) -> Step:
    """The step of a job on a network, as it is or without what `ideal` takes out of the way, which no network could be.

    A balanced split is the one whose pools finish together, or the uniform one where hiding communication behind
    longer compute makes that shorter: it never loses to the uniform split.
    """
    return _account(setting, _best(_Timer(setting, ideal)))


@dataclass(frozen=True, eq=False)
class _Timing:
    """One split of the work, timed."""

    share: tuple[int, ...]
    pools: tuple[Pool, ...]
    """Without communication."""
    pool_time_s: tuple[float, ...]
    bare_s: float
    """The step without communication,"""
    compute_s: float
    """and without its bubble."""
    step_s: float
    without_phase_s: Callable[[str], float]
    uniform_kept: bool = False


class _Timer:
    """Times steps of a setting under an ideal, split by split and with any of the phases left out."""

    def __init__(self, setting: Setting, ideal: Ideal) -> None:
        self._s, self._ideal = setting, ideal
        self._paced = without_network_cards(setting.pacing.pools) if ideal.no_fabric_limit else setting.pacing.pools
        self._known: dict[tuple[bool, bool], tuple[Pool, ...]] = {}
        local, wide, capacity = setting.local_bits, setting.wide_bits, setting.capacity
        both = local + wide
        self._wide_s = longest(wide, capacity)[1]
        # what a site exchanges inside is its own business, but for the arcs that others use as well
        self._local_s = {
            site: longest(np.where(own > 0, local, 0.0), capacity)[1] for site, own in setting.local_bits_of.items()
        }
        self._both_s = {
            site: longest(np.where((own > 0) | (wide > 0), both, 0.0), capacity)[1]
            for site, own in setting.local_bits_of.items()
        }
        whole = setting.job.across_sites == "data"
        sizes = {site: n for site, n, _ in setting.flows.local}
        self._floors = [data_floor(p, setting.job, sizes.get(p.placed.site, 1)) for p in self._paced]
        self._optimizer_s = max(optimizer_s(pool, setting.job) for pool in self._paced)
        self._between_s = 0.0
        if not whole:
            self._between_s = longest(setting.crossing_bits, capacity)[1]

    def pools(self, phases: frozenset[str]) -> tuple[Pool, ...]:
        """Pools with the exchange of these phases in their micro batches."""
        key = "in_layers" in phases, "pipeline" in phases
        if key not in self._known:
            job, setting = self._s.job, self._s
            found = timed_pools(self._paced, job, setting.network, layers=key[0], boundaries=key[1])
            if key[1] and job.across_sites == "pipeline":
                found = tuple(self._over_sites(pool) for pool in found)
            if self._ideal.one_accelerator:
                found = _alike(found)
            if self._ideal.full_pipeline:
                found = tuple(replace(pool, fill_s=0.0) for pool in found)
            self._known[key] = found
        return self._known[key]

    def _over_sites(self, pool: Pool) -> Pool:
        """A replica over sites: micro batches as far apart as the routes carry them, and as the distance allows.

        The stage before a crossing with s stages behind it has s + 1 micro batches on their way, so each waits for its
        part of the round trips still to come: 2 sum(L) / (s + 1).
        """
        period_s, fill_s = pool.stage_time_s, pool.fill_s
        if not self._ideal.no_delay:
            latency_s = self._s.loads.crossing_latency_us * 1e-6
            behind = _stages_behind([(p.placed.site, p.placed.n_stages) for p in self._paced])
            waits = [2.0 * (i + 1) * latency_s / (s + 1) for i, s in enumerate(behind)]
            period_s += max(waits, default=0.0)
            fill_s += 2.0 * len(behind) * latency_s
        return replace(pool, stage_time_s=max(period_s, self._between_s), fill_s=fill_s)

    def timing(self, share: tuple[int, ...]) -> _Timing:
        """A split of the work with all phases, and what each of them exposes."""
        step_s, times = self._step_s(share, EVERY)
        bare_s, _ = self._step_s(share, frozenset())
        bare = self.pools(frozenset())
        compute_s = max(self._busy_s(tuple(replace(pool, fill_s=0.0) for pool in bare), share)) + self._optimizer_s

        def without_phase_s(phase: str) -> float:
            return self._step_s(share, EVERY - {phase})[0]

        return _Timing(share, bare, times, bare_s, compute_s, step_s, without_phase_s)

    def _busy_s(self, pools: tuple[Pool, ...], share: tuple[int, ...]) -> tuple[float, ...]:
        """Of each pool, until its slowest replica is done."""
        jitter = self._s.job.jitter_ratio
        times = pool_times_s(pools, share)
        if not jitter:
            return times
        return tuple(
            time_s * (1.0 + jitter / math.sqrt(m) * mean_of_largest(pool.n_replicas)) if m else 0.0
            for pool, time_s, m in zip(pools, times, share, strict=True)
        )

    def _step_s(self, share: tuple[int, ...], phases: frozenset[str]) -> tuple[float, tuple[float, ...]]:
        times = self._busy_s(self.pools(phases), share)
        return max(times) + self._exposed_s(times, share, phases) + self._optimizer_s, times

    def _exposed_s(self, times: tuple[float, ...], share: tuple[int, ...], phases: frozenset[str]) -> float:
        """Seconds of gradient and parameter exchange that compute does not hide, with only these phases present.

        Inside a site and between sites run together, bucket by bucket, so arcs that carry both carry their sum.
        """
        job, local_sgd = self._s.job, self._s.job.is_local_sgd
        wide = "wide_area" in phases and self._s.way is not None
        total = self._latest_s(times, share, phases) - max(times)
        latency = self._latency_s()
        total += sum(latency[phase] for phase in ("reduce_scatter", "all_gather") if phase in phases)
        if "pipeline" in phases and job.across_sites == "data":
            total += latency["pipeline"]
        if wide:
            total += (
                self._local_sgd_s(max(times) + total + self._optimizer_s) if local_sgd else 2.0 * latency["wide_area"]
            )
        return total

    def _exchanged_s(self, site: str, phases: frozenset[str]) -> tuple[float, float]:
        """(gradients, parameters) that a pool at a site takes part in exchanging, there and with the other sites."""
        job = self._s.job
        there = "wide_area" in phases and self._s.way is not None and not job.is_local_sgd
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
                for floor, pool in zip(self._floors, self._paced, strict=True)
                if here and pool.placed.site == site
            ]
            found.append(max([BITS * n_bytes * seconds, *floors]))
        return found[0], found[1]

    def _latest_s(self, times: tuple[float, ...], share: tuple[int, ...], phases: frozenset[str]) -> float:
        """When the last pool is done with its compute and with what of the exchange that does not hide.

        Exchange hides behind w = overlap * min(1, p / m) of the pass that feeds it. All pools exchange at once, each
        with its own compute before and after: a pool that is done early waits, once, before or after.
        """
        latest_s, pp = 0.0, self._s.job.parallelism.pp
        for i, pool in enumerate(self._paced):
            time_s, m = times[min(i, len(times) - 1)], share[min(i, len(share) - 1)]
            if not m:
                continue
            shown_s, hidden_s = self._sharded_s(i, m, phases)
            # compute that hides gathers of weights hides nothing else: it all leaves by the same network cards
            behind_s = pool.overlap_ratio * min(1.0, pp / m) * (time_s - hidden_s)
            backward, least = pool.layout.backward_ratio, 1.0 / (pp * self._s.pacing.n_buckets)
            exchanged = self._exchanged_s(pool.placed.site, phases)
            for seconds, part in zip(exchanged, (backward, 1.0 - backward), strict=True):
                shown_s += max(seconds - part * behind_s, seconds * least)
            latest_s = max(latest_s, time_s + shown_s)
        return latest_s

    def _sharded_s(self, i: int, m: int, phases: frozenset[str]) -> tuple[float, float]:
        """(shown, hidden) of gathering weights for both passes of every micro batch and scattering its gradients,
        each behind its own pass.
        """
        job, pool, floor = self._s.job, self._paced[i], self._floors[i]
        if not job.parallelism.fully_sharded:
            return 0.0, 0.0

        def longest(phase: str, n_bytes: float) -> float:
            if phase not in phases:
                return 0.0
            return max(
                BITS * n_bytes * self._local_s.get(pool.placed.site, 0.0), floor.per_byte_s * n_bytes + floor.fixed_s
            )

        scatter_s = longest("reduce_scatter", job.gradient_bytes_per_parameter)
        gather_s = longest("all_gather", job.parameter_bytes_per_parameter)
        timed = self.pools(phases)
        behind_s = pool.overlap_ratio * timed[min(i, len(timed) - 1)].stage_time_s
        backward = pool.layout.backward_ratio
        shown_s = max(0.0, gather_s - (1.0 - backward) * behind_s)
        shown_s += max(0.0, gather_s + scatter_s - backward * behind_s)
        return m * shown_s, m * (2.0 * gather_s + scatter_s - shown_s)

    def _latency_s(self) -> dict[str, float]:
        """Serial crossings times one-way path latency: trees inside a site, one crossing a site between them."""
        if self._ideal.no_delay:
            return dict.fromkeys(PHASES, 0.0)
        setting, loads = self._s, self._s.loads
        rounds = max((math.ceil(math.log2(n)) for _, n, _ in setting.flows.local), default=0)
        filling = 0.0 if self._ideal.full_pipeline else 2.0 * (setting.job.parallelism.pp - 1)
        return {
            "reduce_scatter": rounds * loads.local_latency_us * 1e-6,
            "all_gather": rounds * loads.local_latency_us * 1e-6,
            "wide_area": (len(setting.placed.sites) - 1) * loads.wide_latency_us * 1e-6,
            "pipeline": filling * loads.pipeline_latency_us * 1e-6,
        }

    def _local_sgd_s(self, alone_s: float) -> float:
        """What a step waits in the mean for the exchange of the sites every H steps; `alone_s`: the step without it."""
        job = self._s.job
        schedule = local_schedule(job, alone_s, len(self._s.placed.sites))
        layer_s = self._wide_s * sum(wide_bits_per_parameter(job)) / job.model.n_layers
        return waiting_s(schedule, layer_s, 2e6 * self._latency_s()["wide_area"]) / job.n_local_steps


def _stages_behind(pools: list[tuple[str, int]]) -> list[int]:
    """Stages behind each crossing from site to site, the last crossing first; `pools`: (site, stages) in order."""
    found, n = [], 0
    for (site, n_stages), (before, _) in zip(pools[:0:-1], pools[-2::-1], strict=True):
        n += n_stages
        if site != before:
            found.append(n)
    return found


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


def mean_of_largest(n: int) -> float:
    """Expectation of the largest of n standard normal values. Source: Blom 1958, (n - 3/8)/(n + 1/4) quantile."""
    return float(ndtri((n - 0.375) / (n + 0.25))) if n > 1 else 0.0


def _best(timer: _Timer) -> _Timing:
    """The split that the job asks for, the best where it asks for that."""
    job, ideal = timer._s.job, timer._ideal
    n_batches = n_micro_batches(job)
    pools = timer.pools(EVERY)
    uniform = uniform_split(pools, n_batches)
    if job.split == "stated" and not ideal.best_split:
        return timer.timing(_stated(timer))
    if not ideal.best_split and job.split != "balanced":
        return timer.timing(uniform)
    shares = [balanced_split(pools, n_batches), uniform]
    if job.split == "stated":
        shares.append(_stated(timer))
    best, *others = [timer.timing(share) for share in dict.fromkeys(shares)]
    for other in others:
        if other.step_s < best.step_s:
            best = replace(other, uniform_kept=True)
    return best


def _stated(timer: _Timer) -> tuple[int, ...]:
    return tuple(pool.placed.place.n_micro_batches or 0 for pool in timer._paced)


def _account(setting: Setting, timing: _Timing) -> Step:
    """The whole account of a timed split."""
    job = setting.job
    pools, share, step_s = timing.pools, timing.share, timing.step_s
    pace = int(np.argmax(timing.pool_time_s))
    cut, m = job.parallelism, share[pace]
    n_local = job.n_local_steps if job.is_local_sgd else 1
    bits = _bits_by_phase(setting, share)
    worst = {phase: longest(column, setting.capacity) for phase, column in bits.items()}
    rate = sum(pool.n_replicas / pool.stage_time_s for pool in pools)
    busy_s = max(pool_times_s(tuple(replace(pool, fill_s=0.0) for pool in pools), share))
    done = sum(n * pool.n_replicas for n, pool in zip(share, pools, strict=True))
    work = flops_per_step(job)
    v = cut.n_virtual_stages if m >= cut.pp else 1
    return Step(
        pools=pools,
        share=share,
        uniform_kept=timing.uniform_kept,
        pool_time_s=timing.pool_time_s,
        pace_pool=pace,
        compute_time_s=timing.compute_s,
        bubble_time_s=timing.bare_s - timing.compute_s,
        exposed_comm_time_s=step_s - timing.bare_s,
        without_phase_s=timing.without_phase_s,
        phase_s={phase: seconds for phase, (_, seconds) in worst.items()},
        step_time_s=step_s,
        bubble_ratio=(cut.pp - 1) / (v * m + cut.pp - 1),
        straggler_ratio=max(0.0, 1.0 - min(n_micro_batches(job), done) / (rate * busy_s)),
        mfu_ratio=work / (step_s * setting.pacing.peak_flops),
        tokens_per_s=tokens_per_step(job) / step_s,
        model_flops_per_s=work / step_s,
        exchange=setting.way.name if setting.way else "none",
        n_local_steps=n_local,
        bottleneck={phase: (int(setting.loads.arc[i]), s) for phase, (i, s) in worst.items() if i >= 0},
        arc_bits=np.sum([column / (n_local if phase == "wide_area" else 1) for phase, column in bits.items()], axis=0),
        leans=setting.pacing.leans,
    )


def _bits_by_phase(setting: Setting, share: tuple[int, ...]) -> dict[str, Floats]:
    """Bits of a step by row of the loads; of local SGD between sites those of one exchange."""
    job, loads = setting.job, setting.loads
    gradients, parameters = BITS * job.gradient_bytes_per_parameter, BITS * job.parameter_bytes_per_parameter
    n_passes = max(share) if job.parallelism.fully_sharded else 1
    unit, nothing = network_bits(job), np.zeros(len(loads.arc))

    def of_pools(columns: tuple[Floats, ...], each: float) -> Floats:
        total = nothing
        # of replicas over sites there is one number for all pools
        for i, column in enumerate(columns):
            total = total + column * (share[min(i, len(share) - 1)] * each)
        return total

    rounds = n_rounds(job)
    return {
        "reduce_scatter": setting.local_bits * (gradients * n_passes),
        "all_gather": setting.local_bits * (parameters * n_passes * (2 if job.parallelism.fully_sharded else 1)),
        "wide_area": setting.wide_bits * sum(wide_bits_per_parameter(job)),
        "pipeline": of_pools(loads.pipeline, unit["pipeline"]) + of_pools(loads.crossing, unit["pipeline"]),
        "in_layers": of_pools(loads.context, unit["context"] * rounds["context"])
        + of_pools(loads.expert, unit["expert"] * rounds["expert"]),
    }


def _alike(pools: tuple[Pool, ...]) -> tuple[Pool, ...]:
    """The same replicas, all at the mean of their rates."""
    n_replicas = sum(pool.n_replicas for pool in pools)
    stage_time_s = n_replicas / sum(pool.n_replicas / pool.stage_time_s for pool in pools)
    # how the other stages compare with the slowest is the model's doing, so filling scales with it
    fill = sum(pool.n_replicas * pool.fill_s / pool.stage_time_s for pool in pools) / n_replicas
    return tuple(replace(pool, stage_time_s=stage_time_s, fill_s=fill * stage_time_s) for pool in pools)
