"""One optimizer step in steady state: compute at the pace of the split, bubble, and what communication sticks out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Floats, Ints
from ..model.records import TrainingJob
from ..workload import exchange
from ..workload.job import (
    flops_per_micro_batch,
    flops_per_step,
    gather_bits,
    n_micro_batches,
    n_per_replica,
    reduce_bits,
    stage_boundary_bits,
    tokens_per_step,
)
from ..workload.split import Pool, balanced_split, pool_times_s, uniform_split
from .demand import JobFlows, Placed
from .figures import FigureReader, Lean

BACKWARD_SHARE = 2.0 / 3.0
"""Of a step without recompute: the backward pass has twice the matrix products of the forward pass."""
PHASES = ("reduce_scatter", "all_gather", "wide_area", "pipeline")
GBIT = 1e9


@dataclass(frozen=True, eq=False)
class UnitLoads:
    """Load by arc of one unit of each flow set, on the arcs that any of them uses; latencies one way, µs."""

    arc: Ints
    local: tuple[Floats, ...]
    pipeline: tuple[Floats, ...]
    wide: dict[tuple[int, int], Floats]
    local_latency_us: float
    wide_latency_us: float
    pipeline_latency_us: float
    worst_latency_us: float
    unreachable: tuple[tuple[str, str, str], ...]
    """(phase, node, node) of job flows without a path."""


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
    bubble_time_s: float
    exposed_comm_time_s: float
    exposed_s: dict[str, float]
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


@dataclass(frozen=True, slots=True)
class Ideal:
    """What is taken out of the way, to see what it costs."""

    no_delay: bool = False
    one_accelerator: bool = False
    """All accelerators of the job alike, at the same FLOP/s together."""
    best_split: bool = False
    full_pipeline: bool = False
    """So many micro batches that filling and draining the pipeline does not count."""


AS_IT_IS = Ideal()


@dataclass(frozen=True, eq=False)
class _Traffic:
    """Bits by used arc of each pass."""

    local_reduce: Floats
    local_gather: Floats
    wide_reduce: Floats
    wide_gather: Floats
    pipeline: Floats


def pools_of(placed: Placed, job: TrainingJob, reader: FigureReader) -> tuple[Pool, ...]:
    """Stage time of one micro batch by pool: its FLOPs over the replica's sustained rate.

    The sustained rate is that of published runs at the job's precision and holds their own bubble and communication.
    """
    size = n_per_replica(job)
    work = flops_per_micro_batch(job)
    name = f"sustained_{job.precision}_tflops"
    return tuple(
        Pool(p.site, p.accelerator, p.n_replicas, work / (size * reader.part(p.accelerator, name) * 1e12))
        for p in placed.pools
    )


def time_step(
    job: TrainingJob,
    placed: Placed,
    flows: JobFlows,
    loads: UnitLoads,
    capacity_gbps: Floats,
    reader: FigureReader,
    ideal: Ideal = AS_IT_IS,
    way: exchange.Exchange | None = None,
) -> Step:
    """The step of a placed job. `capacity_gbps`: by row of `loads`, what demands in the background leave.

    A balanced split is the one whose pools finish together, or the uniform one where hiding communication behind
    longer compute makes that shorter: it never loses to the uniform split. `way` is the exchange between sites where it
    is known already. `ideal` answers what-ifs that no network could have.
    """
    reader = reader.fresh()
    pools = pools_of(placed, job, reader)
    if ideal.one_accelerator:
        pools = _alike(pools)
    capacity = capacity_gbps * GBIT
    way = way or choose_exchange(placed, loads, capacity_gbps)
    setting = _Setting(job, placed, flows, loads, capacity, pools, way, reader, ideal)
    n_batches, fill = n_micro_batches(job), setting.fill
    shares = [uniform_split(pools, n_batches)]
    if job.split == "balanced" or ideal.best_split:
        shares.insert(0, balanced_split(pools, n_batches, fill))
    timings = [_timing(setting, share) for share in shares]
    best = min(range(len(timings)), key=lambda i: timings[i].step_s)
    return _step(setting, timings[best], uniform_kept=best > 0)


@dataclass(frozen=True, eq=False)
class _Setting:
    """What every split of the work has in common."""

    job: TrainingJob
    placed: Placed
    flows: JobFlows
    loads: UnitLoads
    capacity: Floats
    """Bits per second by used arc."""
    pools: tuple[Pool, ...]
    way: exchange.Exchange | None
    reader: FigureReader
    ideal: Ideal

    @property
    def fill(self) -> float:
        """(p - 1) / v, the pipeline's fill and drain in micro batches."""
        if self.ideal.full_pipeline:
            return 0.0
        return (self.job.parallelism.pp - 1) / self.job.parallelism.n_virtual_stages


@dataclass(frozen=True, eq=False)
class _Timing:
    """One split of the work, timed."""

    share: tuple[int, ...]
    pool_time_s: tuple[float, ...]
    pace: int
    busy_s: float
    exposed_total_s: float
    exposed_s: dict[str, float]
    traffic: _Traffic

    @property
    def step_s(self) -> float:
        """Compute, bubble and what sticks out."""
        return self.busy_s + self.exposed_total_s


def _timing(setting: _Setting, share: tuple[int, ...]) -> _Timing:
    job, loads = setting.job, setting.loads
    times = pool_times_s(setting.pools, share, setting.fill)
    pace = int(np.argmax(times))
    traffic = _traffic(job, setting.flows, loads, share, setting.way)
    overlap = _Overlap.of(job, times, share, setting.reader)
    latency = dict.fromkeys(PHASES, 0.0)
    if not setting.ideal.no_delay:
        latency = _latency_s(job, setting.placed, setting.flows, loads)
    if setting.ideal.full_pipeline:
        latency["pipeline"] = 0.0

    def exposed(phases: frozenset[str]) -> float:
        return _exposed(job, traffic, setting.capacity, overlap, latency, phases)

    every = frozenset(PHASES)
    total = exposed(every)
    by_phase = {phase: total - exposed(every - {phase}) for phase in PHASES}
    return _Timing(share, times, pace, times[pace], total, by_phase, traffic)


def _step(setting: _Setting, timing: _Timing, *, uniform_kept: bool) -> Step:
    """The whole account of a timed split."""
    job, placed, reader, traffic = setting.job, setting.placed, setting.reader, timing.traffic
    cut, m = job.parallelism, timing.share[timing.pace]
    compute_s = m * setting.pools[timing.pace].stage_time_s
    work, step_s = flops_per_step(job), timing.step_s
    sustained_name, peak_name = f"sustained_{job.precision}_tflops", f"{job.precision}_tflops"
    sustained = sum(len(p.rack) * reader.part(p.accelerator, sustained_name) * 1e12 for p in placed.pools)
    peak = sum(n * reader.part(kind, peak_name) * 1e12 for kind, n in sorted(placed.n_allocated.items()))
    n_local = job.n_local_steps if job.sync == "local_sgd" else 1
    wide = traffic.wide_reduce + traffic.wide_gather
    bits = {
        "reduce_scatter": traffic.local_reduce,
        "all_gather": traffic.local_gather,
        "wide_area": wide,
        "pipeline": traffic.pipeline,
    }
    worst = {phase: _longest(column, setting.capacity) for phase, column in bits.items()}
    return Step(
        pools=setting.pools,
        share=timing.share,
        uniform_kept=uniform_kept,
        pool_time_s=timing.pool_time_s,
        pace_pool=timing.pace,
        compute_time_s=compute_s,
        bubble_time_s=timing.busy_s - compute_s,
        exposed_comm_time_s=timing.exposed_total_s,
        exposed_s=timing.exposed_s,
        phase_s={phase: seconds for phase, (_, seconds) in worst.items()},
        step_time_s=step_s,
        bubble_ratio=(cut.pp - 1) / (cut.n_virtual_stages * m + cut.pp - 1),
        straggler_ratio=max(0.0, 1.0 - work / (sustained * compute_s)),
        mfu_ratio=work / (step_s * peak),
        tokens_per_s=tokens_per_step(job) / step_s,
        model_flops_per_s=work / step_s,
        exchange=setting.way.name if setting.way else "none",
        n_local_steps=n_local,
        bottleneck={phase: (int(setting.loads.arc[i]), s) for phase, (i, s) in worst.items() if i >= 0},
        arc_bits=traffic.local_reduce + traffic.local_gather + traffic.pipeline + wide / n_local,
        leans=reader.leans(),
    )


def _alike(pools: tuple[Pool, ...]) -> tuple[Pool, ...]:
    """The same replicas, all at the mean of their rates."""
    total = sum(pool.n_replicas / pool.stage_time_s for pool in pools)
    stage_time_s = sum(pool.n_replicas for pool in pools) / total
    return tuple(replace(pool, stage_time_s=stage_time_s) for pool in pools)


def choose_exchange(placed: Placed, loads: UnitLoads, capacity_gbps: Floats) -> exchange.Exchange | None:
    """The way between sites whose busiest arc is done first on the routed graph; the first of equals.

    `capacity_gbps`: by row of `loads`.
    """
    capacity = capacity_gbps * GBIT
    n_sites = len(placed.sites)
    if n_sites < 2:
        return None
    rows = np.zeros((len(loads.arc), n_sites, n_sites))
    for (i, j), unit in loads.wide.items():
        rows[:, i, j] = _seconds(unit, capacity)
    rows = rows[(rows > 0).any(axis=(1, 2))]
    ways = exchange.candidates(n_sites)
    mixed = exchange.mix_trees(n_sites, rows)
    if mixed is not None:
        ways.append(mixed)
    with np.errstate(invalid="ignore"):
        times = [
            float(np.nan_to_num(np.einsum("rij,ij->r", rows, way.volume), nan=0.0).max(initial=0.0)) for way in ways
        ]
    return ways[int(np.argmin(np.array(times) * (1.0 + 1e-9 * np.arange(len(ways)))))]


def _traffic(
    job: TrainingJob, flows: JobFlows, loads: UnitLoads, share: tuple[int, ...], way: exchange.Exchange | None
) -> _Traffic:
    cut = job.parallelism
    nothing = np.zeros(len(loads.arc))
    per_accelerator = nothing
    for (_, n_replicas, _), unit in zip(flows.local, loads.local, strict=True):
        per_accelerator = per_accelerator + unit * ((n_replicas - 1) / n_replicas / n_per_replica(job))
    wide = nothing
    if way is not None:
        for (i, j), unit in loads.wide.items():
            wide = wide + unit * way.volume[i, j]
    pipeline = nothing
    for m, unit in zip(share, loads.pipeline, strict=True):
        pipeline = pipeline + unit * (m * stage_boundary_bits(job) / (cut.tp * cut.cp))
    return _Traffic(
        per_accelerator * reduce_bits(job),
        per_accelerator * gather_bits(job),
        wide * reduce_bits(job),
        wide * gather_bits(job),
        pipeline,
    )


@dataclass(frozen=True, slots=True)
class _Overlap:
    """How much of a pass can hide, and the piece of it that never can."""

    backward_s: float
    forward_s: float
    pipeline_s: float
    unhidden_ratio: float

    @classmethod
    def of(
        cls, job: TrainingJob, pool_time_s: tuple[float, ...], share: tuple[int, ...], reader: FigureReader
    ) -> _Overlap:
        """Exchange hides behind w = overlap * min(1, p / m) of the pass that feeds it, the latest pool's piece of it.

        A pool that is done early waits with its gradients ready; the exchange starts when the last pool has some.
        """
        most = reader.general("overlap_ratio")
        busy_s = max(pool_time_s)
        working = [(time_s, m) for time_s, m in zip(pool_time_s, share, strict=True) if m]

        def window(part: float) -> float:
            return min(
                busy_s - time_s + most * min(1.0, job.parallelism.pp / m) * part * time_s for time_s, m in working
            )

        n_pieces = job.parallelism.pp * reader.general("n_gradient_buckets")
        return cls(window(BACKWARD_SHARE), window(1.0 - BACKWARD_SHARE), most * busy_s, 1.0 / n_pieces)


def _latency_s(job: TrainingJob, placed: Placed, flows: JobFlows, loads: UnitLoads) -> dict[str, float]:
    """Serial crossings times one-way path latency: trees inside a site, one crossing a site between them."""
    rounds = max((math.ceil(math.log2(n)) for _, n, _ in flows.local), default=0)
    crossings = len(placed.sites) - 1
    return {
        "reduce_scatter": rounds * loads.local_latency_us * 1e-6,
        "all_gather": rounds * loads.local_latency_us * 1e-6,
        "wide_area": crossings * loads.wide_latency_us * 1e-6,
        "pipeline": 2.0 * (job.parallelism.pp - 1) * loads.pipeline_latency_us * 1e-6,
    }


def _exposed(
    job: TrainingJob,
    traffic: _Traffic,
    capacity: Floats,
    overlap: _Overlap,
    latency: dict[str, float],
    phases: frozenset[str],
) -> float:
    """Seconds of communication that compute does not hide, with only these phases present.

    Inside a site and between sites run together, bucket by bucket, so arcs that carry both carry their sum.
    """
    local = job.sync == "local_sgd"
    nothing = np.zeros(len(capacity))
    wide = "wide_area" in phases
    reduce = traffic.local_reduce if "reduce_scatter" in phases else nothing
    gather = traffic.local_gather if "all_gather" in phases else nothing
    if wide and not local:
        reduce, gather = reduce + traffic.wide_reduce, gather + traffic.wide_gather
    total = 0.0
    for bits, window_s in ((reduce, overlap.backward_s), (gather, overlap.forward_s)):
        seconds = _longest(bits, capacity)[1]
        total += max(seconds - window_s, seconds * overlap.unhidden_ratio)
    total += latency["reduce_scatter"] * ("reduce_scatter" in phases) + latency["all_gather"] * ("all_gather" in phases)
    if "pipeline" in phases:
        total += max(0.0, _longest(traffic.pipeline, capacity)[1] - overlap.pipeline_s) + latency["pipeline"]
    if wide:
        total += 2.0 * latency["wide_area"] / (job.n_local_steps if local else 1)
    if wide and local:
        pause = _longest(traffic.wide_reduce, capacity)[1] + _longest(traffic.wide_gather, capacity)[1]
        total += pause / job.n_local_steps
    return total


def _seconds(bits: Floats, capacity: Floats) -> Floats:
    out = np.zeros(len(bits))
    np.divide(bits, capacity, out=out, where=(bits > 0) & (capacity > 0))
    out[(bits > 0) & (capacity <= 0)] = np.inf
    return out


def _longest(bits: Floats, capacity: Floats) -> tuple[int, float]:
    """(index, seconds) of the arc that takes longest; (-1, 0) where nothing flows."""
    if not bits.any():
        return -1, 0.0
    seconds = _seconds(bits, capacity)
    worst = int(np.argmax(seconds))
    return worst, float(seconds[worst])
