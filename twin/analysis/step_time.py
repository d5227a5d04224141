"""One optimizer step in steady state: compute at the pace of the split, bubble, and what communication sticks out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations

import numpy as np
from scipy.special import log_ndtr

from ..arrays import Floats
from ..model.jobs import TrainingJob
from ..workload.job import flops_per_step, n_micro_batches, tokens_per_step
from ..workload.local_sgd import LocalSchedule, waiting_s
from ..workload.split import Pool, balanced_split, pool_times_s, uniform_split
from .figures import Lean
from .pools import (
    PacedPool,
    data_floor,
    end_to_end,
    n_rounds,
    network_bits,
    optimizer_s,
    timed_pools,
    without_network_cards,
)
from .setting import Setting, longest

PHASES = ("reduce_scatter", "all_gather", "wide_area", "pipeline", "in_layers")
BITS = 8.0
N_BETWEEN = 8
"""Splits are looked at between the one that computes quickest and the uniform one."""
N_STEPS = 2001
"""Of the integral over the end of the last replica."""


@dataclass(frozen=True, eq=False)
class Step:
    """A step taken apart; times in seconds. `exposed_s` by phase is the step minus the step with that phase at zero."""

    pools: tuple[Pool, ...]
    share: tuple[int, ...]
    uniform_kept: bool
    """A balanced split was asked for and would have been slower than the uniform one."""
    pool_time_s: tuple[float, ...]
    """Busy time of each, were all its replicas as quick as in the mean."""
    pace_pool: int
    compute_time_s: float
    """Without any communication, with the split of work chosen; the optimizer's pass is in it."""
    bubble_time_s: float
    exposed_comm_time_s: float
    without_phase_s: Callable[[str], float]
    """The step with a phase at zero."""
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
    """So many micro batches that neither filling and draining the pipeline counts nor what does not divide."""


AS_IT_IS = Ideal()
Share = tuple[float, ...]
"""Micro batches of a replica by pool: whole ones, but for a batch so large that what is left over does not count."""
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

    share: Share
    pools: tuple[Pool, ...]
    """Without communication."""
    rate_per_s: float
    """Micro batches that these could do if none waited."""
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
        self._s, self._ideal, pp = setting, ideal, setting.job.parallelism.pp
        self._paced = without_network_cards(setting.pacing.pools) if ideal.no_fabric_limit else setting.pacing.pools
        self._known: dict[tuple[bool, bool], tuple[Pool, ...]] = {}
        self._exchanged: dict[tuple[str, frozenset[str]], tuple[float, float]] = {}
        # with all stages each: how kinds compare is not which of the stages they have
        self._whole = tuple(replace(p, placed=replace(p.placed, first_stage=0, n_stages=pp)) for p in self._paced)
        self._held = [p.placed.n_replicas * p.placed.n_stages for p in self._paced]
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
        sizes = {local.site: local.n_blocks for local in setting.flows.local}
        self._floors = [data_floor(p, setting.job, sizes.get(p.placed.site, 1)) for p in self._paced]
        self._optimizer_s = max(optimizer_s(pool, setting.job) for pool in self._paced)
        self._between_s = 0.0
        if not whole:
            self._between_s = longest(setting.crossing_bits, capacity)[1]

    def pools(self, phases: frozenset[str]) -> tuple[Pool, ...]:
        """Pools with the exchange of these phases in their micro batches; one where replicas reach over all of them."""
        key = "in_layers" in phases, "pipeline" in phases
        if key not in self._known:
            found = self.apart(phases)
            if self._s.job.across_sites == "pipeline":
                found = (self._over_sites(found) if key[1] else end_to_end(found),)
            if self._ideal.full_pipeline:
                found = tuple(replace(pool, fill_s=0.0) for pool in found)
            self._known[key] = found
        return self._known[key]

    def apart(self, phases: frozenset[str]) -> tuple[Pool, ...]:
        """The same pool by pool, whether replicas reach over them or not."""
        found = self._timed(self._paced, phases)
        if not self._ideal.one_accelerator:
            return found
        times_s = [pool.stage_time_s for pool in self._timed(self._whole, phases)]
        mean_s = sum(self._held) / sum(n / t for n, t in zip(self._held, times_s, strict=True))
        return tuple(
            replace(pool, stage_time_s=pool.stage_time_s * mean_s / t, fill_s=pool.fill_s * mean_s / t)
            for pool, t in zip(found, times_s, strict=True)
        )

    def _timed(self, pools: tuple[PacedPool, ...], phases: frozenset[str]) -> tuple[Pool, ...]:
        layers, boundaries = "in_layers" in phases, "pipeline" in phases
        return timed_pools(pools, self._s.job, self._s.network, layers=layers, boundaries=boundaries)

    def rate_per_s(self) -> float:
        """Micro batches a second that all accelerators could do, without communication, if none waited for others."""
        if self._ideal.one_accelerator:
            return sum(self._held) / self._s.job.parallelism.pp / max(p.stage_time_s for p in self.pools(frozenset()))
        times_s = [pool.stage_time_s for pool in self._timed(self._whole, frozenset())]
        return sum(n / t for n, t in zip(self._held, times_s, strict=True)) / self._s.job.parallelism.pp

    def _over_sites(self, pools: tuple[Pool, ...]) -> Pool:
        """A replica over sites: micro batches as far apart as the routes carry them, and as the distance allows.

        One forward, one backward in strict order: from a backward pass on a stage to the d-th stage before it, over the
        next forward pass there and back, it takes what these d + 1 stages take and the ways between, and d + 1 micro
        batches have passed. So crossings cost a micro batch 2 sum(L) / (d + 1): L of a single one, more of crossings
        side by side. The first do not wait, one for each stage from there on. Source: the order of Narayanan et al.
        2021 (arXiv:2104.04473, section 2.2), played through event by event in the tests.
        """
        joined = end_to_end(pools)
        period_s = max(joined.stage_time_s, self._between_s)
        if self._ideal.no_delay:
            return replace(joined, stage_time_s=period_s)
        latency_s = self._s.loads.crossing_latency_us * 1e-6
        m = uniform_split((joined,), n_micro_batches(self._s.job))[0]
        waits_s, every_s, n_crossings = 0.0, 0.0, 0
        for first, last in _crossings([pool.placed.site for pool in self._paced]):
            n_stages = [pool.placed.n_stages for pool in self._paced]
            within = range(first + 1, last)
            n = 2 + sum(n_stages[i] for i in within)
            ways = sum(self._paced[i].placed.site != self._paced[i + 1].placed.site for i in range(first, last))
            cycle_s = pools[first].stage_time_s + pools[last].stage_time_s + 2.0 * ways * latency_s
            cycle_s += sum(n_stages[i] * pools[i].stage_time_s for i in within)
            late_s = max(0.0, cycle_s - n * period_s)
            n_free = sum(n_stages[first + 1 :]) + 1
            waits_s = max(waits_s, late_s * max(0, -(-(m - n_free) // n)))
            every_s, n_crossings = max(every_s, late_s / n), max(n_crossings, ways)
        if self._ideal.full_pipeline:
            return replace(joined, stage_time_s=period_s + every_s)
        fill_s = joined.fill_s + 2.0 * n_crossings * latency_s + waits_s
        return replace(joined, stage_time_s=period_s, fill_s=fill_s)

    def timing(self, share: Share) -> _Timing:
        """A split of the work with all phases, and what each of them exposes."""
        times = pool_times_s(self.pools(EVERY), share)
        step_s, bare_s, bare = self.step_s(share), self.step_s(share, frozenset()), self.pools(frozenset())
        computing = pool_times_s(tuple(replace(pool, fill_s=0.0) for pool in bare), share)
        compute_s = self._last_s(computing, computing, share) + self._optimizer_s

        def without_phase_s(phase: str) -> float:
            return self.step_s(share, EVERY - {phase})

        return _Timing(share, bare, self.rate_per_s(), times, bare_s, compute_s, step_s, without_phase_s)

    def _last_s(self, ends_s: Sequence[float], times_s: Sequence[float], share: Share) -> float:
        """When the slowest replica of all is done, where these are the ends of each pool's and micro batches take more
        or less time than theirs of `times_s`."""
        jitter = self._s.job.jitter_ratio
        if not jitter:
            return max(ends_s)
        spread_s = [jitter * time_s / math.sqrt(m) if m else 0.0 for time_s, m in zip(times_s, share, strict=True)]
        return mean_of_latest(ends_s, spread_s, [pool.n_replicas for pool in self.pools(frozenset())])

    def step_s(self, share: Share, phases: frozenset[str] = EVERY) -> float:
        """The step of a split of the work with only these phases present: compute, exchange, optimizer.

        Inside a site and between sites run together, bucket by bucket, so arcs that carry both carry their sum.
        """
        job, local_sgd = self._s.job, self._s.job.is_local_sgd
        wide = "wide_area" in phases and self._s.way is not None
        total = self._latest_s(pool_times_s(self.pools(phases), share), share, phases)
        latency = self._latency_s
        total += sum(latency[phase] for phase in ("reduce_scatter", "all_gather") if phase in phases)
        if "pipeline" in phases and job.across_sites == "data":
            total += latency["pipeline"]
        if wide:
            total += self._local_sgd_s(total + self._optimizer_s) if local_sgd else 2.0 * latency["wide_area"]
        return total + self._optimizer_s

    def _exchanged_s(self, site: str, phases: frozenset[str]) -> tuple[float, float]:
        """(gradients, parameters) that a pool at a site takes part in exchanging, there and with the other sites."""
        if (site, phases) not in self._exchanged:
            self._exchanged[site, phases] = self._exchange_s(site, phases)
        return self._exchanged[site, phases]

    def _exchange_s(self, site: str, phases: frozenset[str]) -> tuple[float, float]:
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

    def _latest_s(self, times: tuple[float, ...], share: Share, phases: frozenset[str]) -> float:
        """When the last pool is done with its compute and with what of the exchange that does not hide.

        Exchange hides behind w = overlap * min(1, p / m) of the pass that feeds it. All pools exchange at once, each
        with its own compute before and after: a pool that is done early waits, once, before or after.
        """
        ends_s, pp = list(times), self._s.job.parallelism.pp
        for i, pool in enumerate(self._paced):
            at = min(i, len(times) - 1)  # of replicas over sites there is one time for all pools
            time_s, m = times[at], share[at]
            if not m:
                continue
            shown_s, hidden_s = self._sharded_s(i, m, phases)
            # compute that hides gathers of weights hides nothing else: it all leaves by the same network cards
            behind_s = pool.overlap_ratio * min(1.0, pp / m) * (time_s - hidden_s)
            backward, least = pool.layout.backward_ratio, 1.0 / (pp * self._s.pacing.n_buckets)
            exchanged = self._exchanged_s(pool.placed.site, phases)
            for seconds, part in zip(exchanged, (backward, 1.0 - backward), strict=True):
                shown_s += max(seconds - part * behind_s, seconds * least)
            ends_s[at] = max(ends_s[at], time_s + shown_s)
        return self._last_s(ends_s, times, share)

    def _sharded_s(self, i: int, m: float, phases: frozenset[str]) -> tuple[float, float]:
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

    @cached_property
    def _latency_s(self) -> dict[str, float]:
        """Serial crossings times one-way path latency: trees inside a site, one crossing a site between them."""
        if self._ideal.no_delay:
            return dict.fromkeys(PHASES, 0.0)
        setting, loads = self._s, self._s.loads
        ranks = [local.n_ranks for local in setting.flows.local]
        rounds = max((math.ceil(math.log2(n)) for n in ranks), default=0)
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
        return waiting_s(schedule, layer_s, 2e6 * self._latency_s["wide_area"]) / job.n_local_steps


def _crossings(sites: list[str]) -> list[tuple[int, int]]:
    """(pool before the first, pool behind the last) of every run of crossings from site to site; a site a pool."""
    at = [i for i in range(len(sites) - 1) if sites[i] != sites[i + 1]]
    return [(i, k + 1) for i in at for k in at if i <= k]


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


def _best(timer: _Timer) -> _Timing:
    """The split that the job asks for, the best where it asks for that."""
    job, ideal = timer._s.job, timer._ideal
    n_batches = n_micro_batches(job)
    pools = timer.pools(EVERY)
    shares = _evenly if ideal.full_pipeline else _in_whole_ones
    asked = shares(timer, pools, n_batches)
    uniform = asked["uniform"]
    if job.split != "balanced" and not ideal.best_split:
        return timer.timing(asked[job.split])
    tried = dict.fromkeys(asked.values())
    if not ideal.full_pipeline and len(pools) > 1:
        tried |= dict.fromkeys(_between(pools, uniform, asked["balanced"], n_batches))
    best = min(tried, key=lambda share: timer.step_s(share))
    if not ideal.full_pipeline:
        best = _climbed(timer, pools, best, n_batches)
    return replace(timer.timing(best), uniform_kept=best == uniform != asked["balanced"])


def _in_whole_ones(timer: _Timer, pools: tuple[Pool, ...], n_batches: int) -> dict[str, Share]:
    """Splits to choose among, the quickest to compute first."""
    asked: dict[str, Share] = {
        "balanced": balanced_split(pools, n_batches),
        "uniform": uniform_split(pools, n_batches),
    }
    if timer._s.job.split == "stated":
        asked["stated"] = tuple(pool.placed.place.n_micro_batches or 0 for pool in timer._paced)
    return asked


def _evenly(timer: _Timer, pools: tuple[Pool, ...], n_batches: int) -> dict[str, Share]:
    """The same of a batch that divides into what each is to have."""
    rate_per_s = sum(pool.n_replicas / pool.stage_time_s for pool in pools)
    asked: dict[str, Share] = {
        "balanced": tuple(n_batches / rate_per_s / pool.stage_time_s for pool in pools),
        "uniform": (n_batches / sum(pool.n_replicas for pool in pools),) * len(pools),
    }
    if timer._s.job.split == "stated":
        stated = [pool.placed.place.n_micro_batches or 0 for pool in timer._paced]
        done = sum(m * pool.n_replicas for m, pool in zip(stated, pools, strict=True))
        asked["stated"] = tuple(m * n_batches / done for m in stated)
    return asked


def _between(pools: tuple[Pool, ...], one: Share, other: Share, n_batches: int) -> list[Share]:
    """Splits between two, what the whole numbers leave undone given to those who would end first."""
    found: list[Share] = []
    for k in range(1, N_BETWEEN):
        share = [int(a + (b - a) * k / N_BETWEEN) for a, b in zip(one, other, strict=True)]
        while sum(m * pool.n_replicas for m, pool in zip(share, pools, strict=True)) < n_batches:
            room = [i for i, pool in enumerate(pools) if share[i] < pool.n_most]
            first = min(room, key=lambda i: pools[i].time_s(share[i] + 1))
            share[first] += 1
        found.append(tuple(share))
    return found


def _climbed(timer: _Timer, pools: tuple[Pool, ...], share: Share, n_batches: int) -> Share:
    """A split from which no micro batches moved from one pool to another make the step shorter.

    The split that computes quickest need not be it: a pool hides its exchange behind its own compute.
    """
    found = [int(m) for m in share]
    best_s, size = timer.step_s(share), max(1, max(found) // 4)
    while size:
        better = False
        for i, j in permutations(range(len(pools)), 2):
            moved = list(found)
            moved[i] -= size
            lacking = n_batches - sum(m * pool.n_replicas for m, pool in zip(moved, pools, strict=True))
            moved[j] += max(0, -(-lacking // pools[j].n_replicas))
            if moved[i] < 0 or moved[j] > pools[j].n_most:
                continue
            moved_s = timer.step_s(tuple(moved))
            if moved_s < best_s * (1.0 - 1e-12):
                found, best_s, better = moved, moved_s, True
        if not better:
            size //= 2
    return tuple(found)


def _account(setting: Setting, timing: _Timing) -> Step:
    """The whole account of a timed split."""
    job = setting.job
    pools, share, step_s = timing.pools, timing.share, timing.step_s
    pace = int(np.argmax(timing.pool_time_s))
    cut, m = job.parallelism, share[pace]
    n_local = job.n_local_steps if job.is_local_sgd else 1
    bits = _bits_by_phase(setting, share)
    worst = {phase: longest(column, setting.capacity) for phase, column in bits.items()}
    busy_s = max(pool_times_s(tuple(replace(pool, fill_s=0.0) for pool in pools), share))
    done = sum(n * pool.n_replicas for n, pool in zip(share, pools, strict=True))
    work = flops_per_step(job)
    v = cut.n_virtual_stages if m >= cut.pp else 1
    return Step(
        pools=pools,
        share=tuple(math.ceil(m) for m in share),
        uniform_kept=timing.uniform_kept,
        pool_time_s=timing.pool_time_s,
        pace_pool=pace,
        compute_time_s=timing.compute_s,
        bubble_time_s=timing.bare_s - timing.compute_s,
        exposed_comm_time_s=step_s - timing.bare_s,
        without_phase_s=timing.without_phase_s,
        step_time_s=step_s,
        bubble_ratio=(cut.pp - 1) / (v * m + cut.pp - 1),
        straggler_ratio=max(0.0, 1.0 - min(n_micro_batches(job), done) / (timing.rate_per_s * busy_s)),
        mfu_ratio=work / (step_s * setting.pacing.peak_flops),
        tokens_per_s=tokens_per_step(job) / step_s,
        model_flops_per_s=work / step_s,
        exchange=setting.way.name if setting.way else "none",
        n_local_steps=n_local,
        bottleneck={phase: (int(setting.loads.arc[i]), s) for phase, (i, s) in worst.items() if i >= 0},
        arc_bits=np.sum([column / (n_local if phase == "wide_area" else 1) for phase, column in bits.items()], axis=0),
        leans=setting.pacing.leans,
    )


def _bits_by_phase(setting: Setting, share: Share) -> dict[str, Floats]:
    """Bits of a step by row of the loads; of local SGD between sites those of one exchange."""
    job, loads = setting.job, setting.loads
    gradients, parameters = BITS * job.gradient_bytes_per_parameter, BITS * job.parameter_bytes_per_parameter
    unit, nothing = network_bits(job), np.zeros(len(loads.arc))

    def of_pools(columns: tuple[Floats, ...], each: float) -> Floats:
        total = nothing
        # of replicas over sites there is one number for all pools
        for i, column in enumerate(columns):
            total = total + column * (share[min(i, len(share) - 1)] * each)
        return total

    rounds, sharded = n_rounds(job), job.parallelism.fully_sharded
    # a site gathers and scatters for each of its own micro batches where nothing is kept
    n_passes = dict.fromkeys(setting.local_bits_of, 0.0 if sharded else 1.0)
    for i, pool in enumerate(setting.placed.pools):
        if sharded and pool.site in n_passes:
            n_passes[pool.site] = max(n_passes[pool.site], share[min(i, len(share) - 1)])
    local = np.asarray(sum((n_passes[site] * bits for site, bits in setting.local_bits_of.items()), nothing))
    return {
        "reduce_scatter": local * gradients,
        "all_gather": local * (parameters * (2 if sharded else 1)),
        "wide_area": setting.wide_bits * sum(wide_bits_per_parameter(job)),
        "pipeline": of_pools(loads.pipeline, unit["pipeline"]) + of_pools(loads.crossing, unit["pipeline"]),
        "in_layers": of_pools(loads.context, unit["context"] * rounds["context"])
        + of_pools(loads.expert, unit["expert"] * rounds["expert"]),
    }
