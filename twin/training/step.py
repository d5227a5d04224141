"""One optimizer step in steady state: compute at the pace of the split, bubble, and what communication sticks out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arrays import Floats
from ..workload.group_times import TimedGroup, group_times_s
from ..workload.job_arithmetic import flops_per_step, n_micro_batches, tokens_per_step
from .accelerator_groups import n_rounds, network_bits
from .batch_split import best_split
from .step_inputs import StepInputs, longest
from .step_timing import (
    BITS,
    NOTHING_REMOVED,
    PHASES,
    Counterfactual,
    Share,
    SplitTiming,
    StepTimingModel,
    wide_bits_per_parameter,
)


@dataclass(frozen=True, eq=False)
class Step:
    """A step taken apart; times in seconds. `exposed_s` by phase is the step minus the step with that phase at zero."""

    groups: tuple[TimedGroup, ...]
    share: tuple[int, ...]
    uniform_kept: bool
    """A balanced split was asked for and would have been slower than the uniform one."""
    group_time_s: tuple[float, ...]
    """Busy time of each, were all its replicas as quick as in the mean."""
    slowest_group: int
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
    """Bits of one step by arc of UnitLinkLoads.arc, all phases."""

    @cached_property
    def exposed_s(self) -> dict[str, float]:
        """By phase."""
        return {phase: self.step_time_s - self.without_phase_s(phase) for phase in PHASES}


def step_time_s(inputs: StepInputs, counterfactual: Counterfactual = NOTHING_REMOVED) -> float:
    """What `step_of` says of a step in all, without the account of it."""
    return best_split(StepTimingModel(inputs, counterfactual)).step_s


def step_of(inputs: StepInputs, counterfactual: Counterfactual = NOTHING_REMOVED) -> Step:
    """The step of a job on a network, as it is or without the limits that `counterfactual` removes.

    A balanced split is the one whose groups finish together, or the uniform one where hiding communication behind
    longer compute makes that shorter: it never loses to the uniform split.
    """
    return _account(inputs, best_split(StepTimingModel(inputs, counterfactual)))


def _account(inputs: StepInputs, timing: SplitTiming) -> Step:
    """The whole account of a timed split."""
    job = inputs.job
    groups, share, step_s = timing.groups, timing.share, timing.step_s
    pace = int(np.argmax(timing.group_time_s))
    cut, m = job.parallelism, share[pace]
    n_local = job.n_local_steps if job.is_local_sgd else 1
    bits = _bits_by_phase(inputs, share)
    worst = {phase: longest(column, inputs.capacity) for phase, column in bits.items()}
    busy_s = max(group_times_s(tuple(replace(group, fill_s=0.0) for group in groups), share))
    done = sum(n * group.n_replicas for n, group in zip(share, groups, strict=True))
    work = flops_per_step(job)
    v = cut.n_virtual_stages if m >= cut.pp else 1
    return Step(
        groups=groups,
        share=tuple(math.ceil(m) for m in share),
        uniform_kept=timing.uniform_kept,
        group_time_s=timing.group_time_s,
        slowest_group=pace,
        compute_time_s=timing.compute_s,
        bubble_time_s=timing.bare_s - timing.compute_s,
        exposed_comm_time_s=step_s - timing.bare_s,
        without_phase_s=timing.without_phase_s,
        step_time_s=step_s,
        bubble_ratio=(cut.pp - 1) / (v * m + cut.pp - 1),
        straggler_ratio=max(0.0, 1.0 - min(n_micro_batches(job), done) / (timing.n_micro_batches_per_s * busy_s)),
        mfu_ratio=work / (step_s * inputs.accelerators.peak_flops),
        tokens_per_s=tokens_per_step(job) / step_s,
        model_flops_per_s=work / step_s,
        exchange=inputs.way.name if inputs.way else "none",
        n_local_steps=n_local,
        bottleneck={phase: (int(inputs.loads.arc[i]), s) for phase, (i, s) in worst.items() if i >= 0},
        arc_bits=np.sum([column / (n_local if phase == "wide_area" else 1) for phase, column in bits.items()], axis=0),
    )


def _bits_by_phase(inputs: StepInputs, share: Share) -> dict[str, Floats]:
    """Bits of a step by row of the loads; of local SGD between sites those of one exchange."""
    job, loads = inputs.job, inputs.loads
    gradients, parameters = BITS * job.gradient_bytes_per_parameter, BITS * job.parameter_bytes_per_parameter
    unit, nothing = network_bits(job), np.zeros(len(loads.arc))

    def of_pools(columns: tuple[Floats, ...], each: float) -> Floats:
        total = nothing
        # of replicas over sites there is one number for all groups
        for i, column in enumerate(columns):
            total = total + column * (share[min(i, len(share) - 1)] * each)
        return total

    rounds, sharded = n_rounds(job), job.parallelism.fully_sharded
    # a site gathers and scatters for each of its own micro batches where nothing is kept
    n_passes = dict.fromkeys(inputs.local_bits_of, 0.0 if sharded else 1.0)
    for i, group in enumerate(inputs.placed.groups):
        if sharded and group.site in n_passes:
            n_passes[group.site] = max(n_passes[group.site], share[min(i, len(share) - 1)])
    local = np.asarray(sum((n_passes[site] * bits for site, bits in inputs.local_bits_of.items()), nothing))
    return {
        "reduce_scatter": local * gradients,
        "all_gather": local * (parameters * (2 if sharded else 1)),
        "wide_area": inputs.wide_bits * sum(wide_bits_per_parameter(job)),
        "pipeline": of_pools(loads.pipeline, unit["pipeline"]) + of_pools(loads.crossing, unit["pipeline"]),
        "in_layers": of_pools(loads.context, unit["context"] * rounds["context"])
        + of_pools(loads.expert, unit["expert"] * rounds["expert"]),
    }
