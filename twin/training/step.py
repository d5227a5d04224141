"""One optimizer step in steady state: compute at the pace of the split, bubble, and what communication sticks out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arrays import Floats
from ..catalogue.figure_reader import Lean
from ..workload.group_times import Pool, pool_times_s
from ..workload.job_arithmetic import flops_per_step, n_micro_batches, tokens_per_step
from .accelerator_groups import n_rounds, network_bits
from .batch_split import best_split
from .step_inputs import Setting, longest
from .step_timing import AS_IT_IS, BITS, PHASES, Ideal, Share, Timer, Timing, wide_bits_per_parameter


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


def step_time_s(setting: Setting, ideal: Ideal = AS_IT_IS) -> float:
    """What `step_of` says of a step in all, without the account of it."""
    return best_split(Timer(setting, ideal)).step_s


def step_of(setting: Setting, ideal: Ideal = AS_IT_IS) -> Step:
    """The step of a job on a network, as it is or without what `ideal` takes out of the way, which no network could be.

    A balanced split is the one whose pools finish together, or the uniform one where hiding communication behind
    longer compute makes that shorter: it never loses to the uniform split.
    """
    return _account(setting, best_split(Timer(setting, ideal)))


def _account(setting: Setting, timing: Timing) -> Step:
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
        straggler_ratio=max(0.0, 1.0 - min(n_micro_batches(job), done) / (timing.n_micro_batches_per_s * busy_s)),
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
