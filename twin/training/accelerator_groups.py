"""What one micro batch takes in each group of a placed job: pace of its accelerators, exchange near and far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..arrays import Floats
from ..catalogue.figure_reader import FigureReader
from ..model.jobs import TrainingJob
from ..model.shape import ModelShape
from ..workload.compute import Pace, optimizer_time_s
from ..workload.group_times import TimedGroup
from ..workload.job_arithmetic import flops_per_micro_batch, layout_of, n_per_replica
from ..workload.layout import Layout
from ..workload.pipeline_stage import NO_EXCHANGE, InLayer, context_s, expert_s, in_layer, stage_time, stage_times
from ..workload.rank_exchange import (
    context_bits,
    expert_bits,
    rank_parameters,
    ring_s,
    send_s,
    stage_boundary_bits,
    stage_layers,
)
from .memory_fit import max_micro_batches_of
from .placement import Nearness, Placed, PlacedGroup, nearness, pace_of


@dataclass(frozen=True, slots=True)
class OnNetwork:
    """Seconds that exchange takes on the busiest arc of a group's flows, 0 where they stay in their racks."""

    context_s: float = 0.0
    """Keys and values of a layer once round the ring."""
    expert_s: float = 0.0
    """An all-to-all of a layer."""
    boundary_s: float = 0.0
    """A micro batch over all its crossings of stage boundaries, one direction."""


@dataclass(frozen=True, eq=False)
class CalibratedGroup:
    """A placed group and all that decides its pace."""

    placed: PlacedGroup
    pace: Pace
    layout: Layout
    near: Nearness
    overlap_ratio: float
    """Share of a pass that exchange of gradients may hide behind."""
    max_micro_batches: int
    """Micro batches of a replica that there is memory for."""


@dataclass(frozen=True, slots=True)
class DataFloor:
    """Seconds per byte of a parameter that ranks need at least for a pass inside a site, however good the network."""

    per_byte_s: float
    fixed_s: float


def calibrated_groups(placed: Placed, job: TrainingJob, reader: FigureReader) -> tuple[CalibratedGroup, ...]:
    """Every group with its pace; `overlap_ratio` is the part's own, or the general one."""
    general = reader.general("overlap_ratio")
    whole = job.across_sites == "data"
    found = []
    for group in placed.groups:
        pace = pace_of(group, job, reader)
        layout = layout_of(job, placed.n_replicas_at(group.site, whole=whole))
        overlap_ratio = reader.part_or(group.accelerator, "overlap_ratio", general)
        max_micro_batches = max_micro_batches_of(placed, group, job, pace)
        found.append(CalibratedGroup(group, pace, layout, nearness(group, job), overlap_ratio, max_micro_batches))
    return tuple(found)


def without_network_cards(groups: tuple[CalibratedGroup, ...]) -> tuple[CalibratedGroup, ...]:
    """The same on a fabric without limit, network cards included; NVLink stays as it is."""
    return tuple(replace(group, pace=replace(group.pace, nic_bytes_per_s=np.inf)) for group in groups)


def timed_groups(
    groups: Sequence[CalibratedGroup], job: TrainingJob, network: Sequence[OnNetwork], *, layers: bool, boundaries: bool
) -> tuple[TimedGroup, ...]:
    """Time of a micro batch by group, with exchange within layers and over stage boundaries or without."""
    stages = [_stages_s(group, job, on, layers=layers) for group, on in zip(groups, network, strict=True)]
    sent = [_sent_s(group, job, on) if boundaries else 0.0 for group, on in zip(groups, network, strict=True)]
    cut = job.parallelism
    found = []
    for group, (slowest_s, all_s), sent_s in zip(groups, stages, sent, strict=True):
        n, t = group.placed.n_stages, slowest_s + sent_s
        fill_s = (all_s + n * sent_s - t) / cut.n_virtual_stages
        found.append(
            TimedGroup(
                group.placed.site,
                group.placed.accelerator,
                group.placed.n_replicas,
                t,
                fill_s,
                cut.pp,
                cut.n_virtual_stages,
                group.max_micro_batches,
            )
        )
    return tuple(found)


def end_to_end(groups: Sequence[TimedGroup]) -> TimedGroup:
    """Pools whose stages follow one another as the one that a replica over all of them is: at the slowest's pace."""
    slowest = max(range(len(groups)), key=lambda i: (groups[i].stage_time_s, -i))
    t, v = groups[slowest].stage_time_s, groups[slowest].n_virtual_stages
    every_s = sum(group.stage_time_s + group.fill_s * v for group in groups)
    site = "+".join(sorted({group.site for group in groups}))
    return replace(groups[slowest], site=site, fill_s=(every_s - t) / v)


def _stages_s(group: CalibratedGroup, job: TrainingJob, on: OnNetwork, *, layers: bool) -> tuple[float, float]:
    """(slowest, all) stages of the group with one micro batch."""
    place = group.placed.place
    if place.micro_batch_s is not None:
        return place.micro_batch_s, place.micro_batch_s * group.placed.n_stages
    bare = _stage_totals_s(group, job, NO_EXCHANGE)
    if not layers:
        return bare[0] / place.pace_ratio, bare[1] / place.pace_ratio
    full = _stage_totals_s(group, job, _in_layer(group, job, on))
    # heat or a power cap slows the kernels, not the exchange
    return tuple(f - b + b / place.pace_ratio for f, b in zip(full, bare, strict=True))  # type: ignore[return-value]


def _stage_totals_s(group: CalibratedGroup, job: TrainingJob, exchange: InLayer) -> tuple[float, float]:
    """(slowest, all) stages of the group."""
    placed = group.placed
    return _totals_s(job.model, group.layout, group.pace, exchange, placed.first_stage, placed.n_stages)


@lru_cache(maxsize=4096)
def _totals_s(
    shape: ModelShape, layout: Layout, pace: Pace, exchange: InLayer, first: int, n: int
) -> tuple[float, float]:
    if n == layout.pp:
        kinds = stage_times(shape, layout, pace, exchange)
        return max(time.total_s for _, time in kinds), sum(count * time.total_s for count, time in kinds)
    layers = stage_layers(shape, layout)
    times = [stage_time(shape, layout, pace, i, layers[i], exchange).total_s for i in range(first, first + n)]
    return max(times), sum(times)


def _in_layer(group: CalibratedGroup, job: TrainingJob, on: OnNetwork) -> InLayer:
    shape, layout, pace = job.model, group.layout, group.pace
    near = in_layer(shape, layout, pace)
    return InLayer(
        near.tensor_s,
        max(context_s(shape, layout, pace, group.near.n_context), on.context_s),
        max(expert_s(shape, layout, pace, group.near.n_expert), on.expert_s),
    )


def _sent_s(group: CalibratedGroup, job: TrainingJob, on: OnNetwork) -> float:
    """A micro batch in and its gradient out, over all pieces of a stage."""
    if job.parallelism.pp < 2 or group.placed.place.micro_batch_s is not None:
        return 0.0
    n_bytes = stage_boundary_bits(job.model, group.layout) / 8.0
    hop_s = send_s(group.pace, n_bytes, near=group.near.boundary)
    return 2.0 * max(job.parallelism.n_virtual_stages * hop_s, on.boundary_s)


def network_bits(job: TrainingJob) -> dict[str, float]:
    """Bits that an accelerator sends for one unit of each flow set: a crossing, a round of the ring, an all-to-all."""
    layout = layout_of(job, 1)
    return {
        "pipeline": stage_boundary_bits(job.model, layout),
        "context": context_bits(job.model, layout),
        "expert": expert_bits(job.model, layout),
    }


def n_rounds(job: TrainingJob) -> Mapping[str, float]:
    """Rounds of each exchange that a rank takes part in for a micro batch, in all layers of the fullest stage."""
    n_layers = max(stage_layers(job.model, layout_of(job, 1)))
    again = 1.0 if job.recompute == "full" else 0.0
    return {"context": (3.0 + again) * n_layers, "expert": (4.0 + 2.0 * again) * n_layers}


def data_floor(group: CalibratedGroup, job: TrainingJob, n_blocks: int) -> DataFloor:
    """A reduce-scatter or all-gather of the fullest stage's parameters inside the site: in blocks, then over them."""
    alike, spread = rank_parameters(job.model, group.layout)
    layout, pace, inside = group.layout, group.pace, group.near.n_data
    size = layout.tp * layout.cp * layout.n_block_replicas * group.placed.n_stages
    n_near = max(1, min(n_blocks, pace.n_domain // size))
    n_alike = layout.cp * layout.n_block_replicas
    n_copies = max(1, layout.tp * layout.cp // layout.ep) if layout.ep > 1 else 1
    n_copies_near = max(1, inside * layout.tp // layout.ep)

    def seconds(n_bytes: float) -> float:
        found = ring_s(pace, n_alike, inside, alike * n_bytes) + ring_s(
            pace, n_blocks, n_near, alike * n_bytes / n_alike
        )
        if spread:
            found += ring_s(pace, n_copies, n_copies_near, spread * n_bytes)
            found += ring_s(pace, n_blocks, n_near, spread * n_bytes / n_copies)
        return found

    fixed_s = seconds(0.0)
    return DataFloor(seconds(1.0) - fixed_s, fixed_s)


def optimizer_s(group: CalibratedGroup, job: TrainingJob) -> float:
    """Adam over what the accelerator keeps of the optimizer's state."""
    layout = group.layout
    alike, spread = rank_parameters(job.model, layout)
    is_shared = layout.fully_sharded or group.pace.sharded_optimizer
    return optimizer_time_s(layout.shared(alike, spread) if is_shared else alike + spread, group.pace)


def flops_per_s(job: TrainingJob, accelerator: str, reader: FigureReader) -> float:
    """Model FLOP/s that one accelerator of a kind gives this job while a stage computes, network aside."""
    pace = Pace.of(lambda name: reader.part(accelerator, name), job.precision)
    slowest_s = max(time.total_s for _, time in stage_times(job.model, layout_of(job, 1), pace))
    return flops_per_micro_batch(job) / (slowest_s * n_per_replica(job))


def longest_s(unit: Floats, every: Floats, capacity: Floats, bits: float) -> float:
    """Seconds of `bits` per unit on the busiest arc that `unit` uses, with all groups' loads on it."""
    used = unit > 0
    if not used.any() or not bits:
        return 0.0
    with np.errstate(divide="ignore"):
        return float((every[used] * bits / capacity[used]).max())
