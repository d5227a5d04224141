"""One optimizer step in steady state: compute with the chosen split, pipeline bubble and exposed communication."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arrays import Floats
from ..workload.group_times import TimedGroup, group_times_s
from ..workload.job_arithmetic import flops_per_step, n_micro_batches, tokens_per_step
from .accelerator_groups import n_rounds, network_bits
from .batch_split import choose_split
from .step_inputs import StepInputs, slowest_arc
from .step_timing import (
    BITS,
    NO_LIMIT_REMOVED,
    PHASES,
    Counterfactual,
    Split,
    SplitTiming,
    StepTimingModel,
    wide_bits_per_parameter,
)


@dataclass(frozen=True, eq=False)
class Step:
    """Figures of one optimizer step; times in seconds.

    `exposed_s` by phase is the step minus the step with that phase at zero.
    """

    groups: tuple[TimedGroup, ...]
    split: tuple[int, ...]
    """Micro batches of a replica by group."""
    uniform_is_faster: bool
    """A balanced split was requested and would have been slower than the uniform one."""
    group_time_s: tuple[float, ...]
    """Busy time by group, if all its replicas were as fast as the mean."""
    slowest_group: int
    compute_time_s: float
    """Step without any communication, with the chosen split of the work; it includes the optimizer."""
    bubble_time_s: float
    exposed_comm_time_s: float
    without_phase_s: Callable[[str], float]
    """Step with one phase at zero, by name of the phase."""
    step_time_s: float
    bubble_ratio: float
    straggler_ratio: float
    mfu_ratio: float
    tokens_per_s: float
    model_flops_per_s: float
    exchange: str
    n_local_steps: int
    bottleneck: dict[str, tuple[int, float]]
    """By phase: (arc, seconds that its bits take there)."""
    phase_bits: Mapping[str, Mapping[str, Floats]]
    """Bits of one step by phase, kind of flow sets and row of the loads; of one exchange for local SGD."""
    arc_bits: Floats
    """Bits of one step by arc of `UnitLinkLoads.arc`, all phases; float64[n_arcs]."""

    @cached_property
    def exposed_s(self) -> dict[str, float]:
        """Exposed time by phase: the step minus the step with that phase at zero."""
        return {phase: self.step_time_s - self.without_phase_s(phase) for phase in PHASES}


def step_time_s(inputs: StepInputs, counterfactual: Counterfactual = NO_LIMIT_REMOVED) -> float:
    """Step time as `step_of` computes it, without the other figures."""
    return choose_split(StepTimingModel(inputs, counterfactual)).step_s


def step_of(inputs: StepInputs, counterfactual: Counterfactual = NO_LIMIT_REMOVED) -> Step:
    """Compute the step of a job on a network.

    A balanced split is the one whose groups end together. It is the uniform split where overlap of communication with
    longer compute makes that shorter, so it is never slower than the uniform split.

    Args:
        inputs: the job on its network.
        counterfactual: limits that are removed.
    """
    return _step_figures(inputs, choose_split(StepTimingModel(inputs, counterfactual)))


def _step_figures(inputs: StepInputs, timing: SplitTiming) -> Step:
    """All figures of a timed split."""
    job = inputs.job
    groups, split, step_s = timing.groups, timing.split, timing.step_s
    slowest = int(np.argmax(timing.group_time_s))
    parallelism, n_micro_batches_slowest = job.parallelism, split[slowest]
    n_local = job.n_local_steps if job.is_local_sgd else 1
    bits = _bits_by_phase(inputs, split)
    slowest_arcs = {
        phase: slowest_arc(_seconds_by_row(inputs, by_kind), sum(by_kind.values(), np.zeros(len(inputs.loads.arc))))
        for phase, by_kind in bits.items()
    }
    busy_s = max(group_times_s(tuple(replace(group, fill_s=0.0) for group in groups), split))
    n_done = sum(n * group.n_replicas for n, group in zip(split, groups, strict=True))
    flops = flops_per_step(job)
    n_virtual = parallelism.n_virtual_stages if n_micro_batches_slowest >= parallelism.pp else 1
    return Step(
        groups=groups,
        split=tuple(math.ceil(m) for m in split),
        uniform_is_faster=timing.uniform_is_faster,
        group_time_s=timing.group_time_s,
        slowest_group=slowest,
        compute_time_s=timing.compute_s,
        bubble_time_s=timing.without_comm_s - timing.compute_s,
        exposed_comm_time_s=step_s - timing.without_comm_s,
        without_phase_s=timing.without_phase_s,
        step_time_s=step_s,
        bubble_ratio=(parallelism.pp - 1) / (n_virtual * n_micro_batches_slowest + parallelism.pp - 1),
        straggler_ratio=max(0.0, 1.0 - min(n_micro_batches(job), n_done) / (timing.n_micro_batches_per_s * busy_s)),
        mfu_ratio=flops / (step_s * inputs.accelerators.peak_flops),
        tokens_per_s=tokens_per_step(job) / step_s,
        model_flops_per_s=flops / step_s,
        exchange=inputs.schedule.name if inputs.schedule else "none",
        n_local_steps=n_local,
        bottleneck={phase: (int(inputs.loads.arc[i]), s) for phase, (i, s) in slowest_arcs.items() if i >= 0},
        phase_bits=bits,
        arc_bits=np.sum(
            [
                column / (n_local if phase == "wide_area" else 1)
                for phase, by_kind in bits.items()
                for column in by_kind.values()
            ],
            axis=0,
        ),
    )


def bits_by_kind(step: Step) -> dict[str, Floats]:
    """Bits of one step by kind of flow sets and row of the loads, averaged over local steps; float64[n_rows] each."""
    found: dict[str, Floats] = {}
    for phase, by_kind in step.phase_bits.items():
        n_steps = step.n_local_steps if phase == "wide_area" else 1
        for kind, bits in by_kind.items():
            found[kind] = found.get(kind, 0.0) + bits / n_steps
    return found


def _seconds_by_row(inputs: StepInputs, bits_by_kind: Mapping[str, Floats]) -> Floats:
    """Seconds by row that the flow sets of a phase take one after the other."""
    return np.asarray(sum(inputs.capacity.seconds(kind, bits) for kind, bits in bits_by_kind.items()))


def _bits_by_phase(inputs: StepInputs, split: Split) -> dict[str, dict[str, Floats]]:
    """Bits of a step by phase, kind of flow sets and row; for local SGD between sites, the bits of one exchange."""
    job, loads = inputs.job, inputs.loads
    gradients, parameters = BITS * job.gradient_bytes_per_parameter, BITS * job.parameter_bytes_per_parameter
    unit_bits, zeros = network_bits(job), np.zeros(len(loads.arc))

    def group_bits(columns: tuple[Floats, ...], unit_bits: float) -> Floats:
        total = zeros
        # a replica over all sites has one number for all groups
        for i, column in enumerate(columns):
            total = total + column * (split[min(i, len(split) - 1)] * unit_bits)
        return total

    n_layer_rounds, sharded = n_rounds(job), job.parallelism.fully_sharded
    # fully sharded: a site gathers and scatters for each of its own micro batches
    n_passes = dict.fromkeys(inputs.local_bits_of, 0.0 if sharded else 1.0)
    for i, group in enumerate(inputs.placed.groups):
        if sharded and group.site in n_passes:
            n_passes[group.site] = max(n_passes[group.site], split[min(i, len(split) - 1)])
    local = np.asarray(sum((n_passes[site] * site_bits for site, site_bits in inputs.local_bits_of.items()), zeros))
    return {
        "reduce_scatter": {"local": local * gradients},
        "all_gather": {"local": local * (parameters * (2 if sharded else 1))},
        "wide_area": {"wide_area": inputs.wide_bits * sum(wide_bits_per_parameter(job))},
        "pipeline": {
            "pipeline": group_bits(loads.pipeline, unit_bits["pipeline"]),
            "crossing": group_bits(loads.crossing, unit_bits["pipeline"]),
        },
        "in_layers": {
            "context": group_bits(loads.context, unit_bits["context"] * n_layer_rounds["context"]),
            "expert": group_bits(loads.expert, unit_bits["expert"] * n_layer_rounds["expert"]),
        },
    }
