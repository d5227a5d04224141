"""Accelerator groups: time of one micro batch in each group of a placed job, from its accelerators and its exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..catalogue.figure_reader import FigureReader
from ..model.jobs import TrainingJob
from ..model.shape import ModelShape
from ..workload.compute import AcceleratorProfile, optimizer_time_s
from ..workload.group_times import TimedGroup
from ..workload.job_arithmetic import flops_per_micro_batch, layout_of, n_per_replica
from ..workload.layout import Layout
from ..workload.pipeline_stage import (
    NO_LAYER_EXCHANGE,
    LayerExchange,
    context_s,
    expert_s,
    reference_layer_exchange,
    stage_time,
    stage_times,
)
from ..workload.rank_exchange import (
    context_bits,
    expert_bits,
    rank_parameters,
    ring_s,
    send_s,
    stage_boundary_bits,
    stage_layers,
)
from .memory_fit import max_micro_batches_in_memory
from .placed_groups import PlacedGroup
from .placement import DomainSharing, JobPlacement, accelerator_profile, domain_sharing


@dataclass(frozen=True, slots=True)
class NetworkTimes:
    """Seconds that exchange takes on the busiest arc of a group's flows; 0 where flows stay in their racks."""

    context_s: float = 0.0
    """Keys and values of a layer once round the context ring."""
    expert_s: float = 0.0
    """One all-to-all of a layer."""
    boundary_s: float = 0.0
    """A micro batch over all its crossings of stage boundaries, one direction."""


@dataclass(frozen=True, eq=False)
class CalibratedGroup:
    """A placed group with all figures that decide its timing."""

    placed: PlacedGroup
    profile: AcceleratorProfile
    layout: Layout
    sharing: DomainSharing
    overlap_ratio: float
    """Share of a pass that exchange of gradients may overlap with."""
    max_micro_batches: int
    """Micro batches of a replica that fit into memory."""


@dataclass(frozen=True, slots=True)
class DataExchangeFloor:
    """Least time of a pass inside a site, however fast the network.

    It is `per_byte_s` times the bytes of a parameter, plus `fixed_s`.
    """

    per_byte_s: float
    fixed_s: float


def calibrated_groups(placed: JobPlacement, job: TrainingJob, reader: FigureReader) -> tuple[CalibratedGroup, ...]:
    """Add the accelerator profile and memory limit to every placed group; a mixed group is as slow as its slowest kind.

    `overlap_ratio` is the part's own figure, else the general one.
    """
    return tuple(_slowest_variant(group, placed, job, reader) for group in placed.groups)


def _slowest_variant(
    placed_group: PlacedGroup, placed: JobPlacement, job: TrainingJob, reader: FigureReader
) -> CalibratedGroup:
    default_overlap_ratio = reader.general("overlap_ratio")
    layout = layout_of(job, placed.n_replicas_at(placed_group.site, whole=job.across_sites == "data"))
    sharing, variants = domain_sharing(placed_group, job), []
    for group in placed_group.variants():
        profile = accelerator_profile(group, job, reader)
        overlap_ratio = reader.part_or(group.accelerator, "overlap_ratio", default_overlap_ratio)
        max_micro_batches = max_micro_batches_in_memory(placed, group, job, profile)
        variants.append(CalibratedGroup(group, profile, layout, sharing, overlap_ratio, max_micro_batches))
    if len(variants) == 1:
        return variants[0]
    slowest = max(variants, key=lambda group: _stage_sums_s(group, job, NetworkTimes(), layers=True))
    # a stated split states the micro batches of the whole group once
    n_stated = placed_group.placement.n_micro_batches
    placement = replace(slowest.placed.placement, n_micro_batches=n_stated)
    return replace(
        slowest,
        placed=replace(slowest.placed, placement=placement),
        max_micro_batches=min(group.max_micro_batches for group in variants),
    )


def without_network_cards(groups: tuple[CalibratedGroup, ...]) -> tuple[CalibratedGroup, ...]:
    """Remove the limit of network cards from all groups; NVLink stays as it is."""
    return tuple(replace(group, profile=replace(group.profile, nic_bytes_per_s=np.inf)) for group in groups)


def timed_groups(
    groups: Sequence[CalibratedGroup],
    job: TrainingJob,
    network_times: Sequence[NetworkTimes],
    *,
    layers: bool,
    boundaries: bool,
) -> tuple[TimedGroup, ...]:
    """Time one micro batch in each group.

    Args:
        groups: the groups of the job.
        job: the job.
        network_times: seconds of exchange on the network by group.
        layers: whether exchange within layers counts.
        boundaries: whether exchange over stage boundaries counts.
    """
    stages = [
        _stage_sums_s(group, job, times, layers=layers) for group, times in zip(groups, network_times, strict=True)
    ]
    boundaries_s = [
        _boundary_exchange_s(group, job, times) if boundaries else 0.0
        for group, times in zip(groups, network_times, strict=True)
    ]
    parallelism = job.parallelism
    timed = []
    for group, (slowest_s, sum_s), boundary_s in zip(groups, stages, boundaries_s, strict=True):
        n_stages, stage_time_s = group.placed.n_stages, slowest_s + boundary_s
        fill_s = (sum_s + n_stages * boundary_s - stage_time_s) / parallelism.n_virtual_stages
        timed.append(
            TimedGroup(
                group.placed.site,
                group.placed.accelerator,
                group.placed.n_replicas,
                stage_time_s,
                fill_s,
                parallelism.pp,
                parallelism.n_virtual_stages,
                group.max_micro_batches,
            )
        )
    return tuple(timed)


def chained_group(groups: Sequence[TimedGroup]) -> TimedGroup:
    """Join groups whose stages follow one another to the group of a replica over all of them.

    It is as slow as the slowest group.
    """
    slowest = max(range(len(groups)), key=lambda i: (groups[i].stage_time_s, -i))
    stage_time_s, n_virtual = groups[slowest].stage_time_s, groups[slowest].n_virtual_stages
    sum_s = sum(group.stage_time_s + group.fill_s * n_virtual for group in groups)
    site = "+".join(sorted({group.site for group in groups}))
    return replace(groups[slowest], site=site, fill_s=(sum_s - stage_time_s) / n_virtual)


def _stage_sums_s(
    group: CalibratedGroup, job: TrainingJob, times: NetworkTimes, *, layers: bool
) -> tuple[float, float]:
    """(slowest stage, sum of all stages) of the group in seconds, for one micro batch."""
    placement = group.placed.placement
    if placement.micro_batch_s is not None:
        return placement.micro_batch_s, placement.micro_batch_s * group.placed.n_stages
    compute = _stage_totals_s(group, job, NO_LAYER_EXCHANGE)
    if not layers:
        return compute[0] / placement.pace_ratio, compute[1] / placement.pace_ratio
    total = _stage_totals_s(group, job, _layer_exchange(group, job, times))
    # heat or a power cap slows the kernels, but not the exchange
    return tuple(
        total_s - compute_s + compute_s / placement.pace_ratio
        for total_s, compute_s in zip(total, compute, strict=True)
    )  # type: ignore[return-value]


def _stage_totals_s(group: CalibratedGroup, job: TrainingJob, exchange: LayerExchange) -> tuple[float, float]:
    """(slowest stage, sum of all stages) of the group in seconds, with this exchange."""
    placed = group.placed
    return _totals_s(job.model, group.layout, group.profile, exchange, placed.first_stage, placed.n_stages)


@lru_cache(maxsize=4096)
def _totals_s(
    shape: ModelShape, layout: Layout, profile: AcceleratorProfile, exchange: LayerExchange, first: int, n: int
) -> tuple[float, float]:
    if n == layout.pp:
        kinds = stage_times(shape, layout, profile, exchange)
        return max(time.total_s for _, time in kinds), sum(count * time.total_s for count, time in kinds)
    layers = stage_layers(shape, layout)
    times = [stage_time(shape, layout, profile, i, layers[i], exchange).total_s for i in range(first, first + n)]
    return max(times), sum(times)


def _layer_exchange(group: CalibratedGroup, job: TrainingJob, times: NetworkTimes) -> LayerExchange:
    shape, layout, profile = job.model, group.layout, group.profile
    reference = reference_layer_exchange(shape, layout, profile)
    return LayerExchange(
        reference.tensor_s,
        max(context_s(shape, layout, profile, group.sharing.n_context), times.context_s),
        max(expert_s(shape, layout, profile, group.sharing.n_expert), times.expert_s),
    )


def _boundary_exchange_s(group: CalibratedGroup, job: TrainingJob, times: NetworkTimes) -> float:
    """A micro batch in and its gradient out, over all pieces of a stage."""
    if job.parallelism.pp < 2 or group.placed.placement.micro_batch_s is not None:
        return 0.0
    n_bytes = stage_boundary_bits(job.model, group.layout) / 8.0
    hop_s = send_s(group.profile, n_bytes, in_domain=group.sharing.boundary_in_domain)
    return 2.0 * max(job.parallelism.n_virtual_stages * hop_s, times.boundary_s)


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
    n_recomputed = 1.0 if job.recompute == "full" else 0.0
    return {"context": (3.0 + n_recomputed) * n_layers, "expert": (4.0 + 2.0 * n_recomputed) * n_layers}


def data_exchange_floor(group: CalibratedGroup, job: TrainingJob, n_blocks: int) -> DataExchangeFloor:
    """Least time of a reduce-scatter or all-gather of the fullest stage's parameters inside the site.

    Ranks exchange inside blocks first, then between blocks.

    Args:
        group: a group of the site.
        job: the job.
        n_blocks: blocks of replicas at the site.
    """
    n_replicated, n_expert_sharded = rank_parameters(job.model, group.layout)
    layout, profile, n_per_domain = group.layout, group.profile, group.sharing.n_data
    block_size = layout.tp * layout.cp * layout.n_block_replicas * group.placed.n_stages
    n_blocks_per_domain = max(1, min(n_blocks, profile.n_domain // block_size))
    n_block_ranks = layout.cp * layout.n_block_replicas
    n_expert_copies = max(1, layout.tp * layout.cp // layout.ep) if layout.ep > 1 else 1
    n_copies_per_domain = max(1, n_per_domain * layout.tp // layout.ep)

    def seconds(n_bytes: float) -> float:
        total_s = ring_s(profile, n_block_ranks, n_per_domain, n_replicated * n_bytes) + ring_s(
            profile, n_blocks, n_blocks_per_domain, n_replicated * n_bytes / n_block_ranks
        )
        if n_expert_sharded:
            total_s += ring_s(profile, n_expert_copies, n_copies_per_domain, n_expert_sharded * n_bytes)
            total_s += ring_s(profile, n_blocks, n_blocks_per_domain, n_expert_sharded * n_bytes / n_expert_copies)
        return total_s

    fixed_s = seconds(0.0)
    return DataExchangeFloor(seconds(1.0) - fixed_s, fixed_s)


def optimizer_s(group: CalibratedGroup, job: TrainingJob) -> float:
    """Time of Adam over the optimizer state on one accelerator."""
    layout = group.layout
    n_replicated, n_expert_sharded = rank_parameters(job.model, layout)
    is_shared = layout.fully_sharded or group.profile.sharded_optimizer
    return optimizer_time_s(
        layout.sharded_parameters(n_replicated, n_expert_sharded) if is_shared else n_replicated + n_expert_sharded,
        group.profile,
    )


def flops_per_s(job: TrainingJob, accelerator: str, reader: FigureReader) -> float:
    """Model FLOP/s that one accelerator of a kind gives this job while a stage computes, without the network."""
    profile = AcceleratorProfile.of(lambda name: reader.part(accelerator, name), job.precision)
    slowest_s = max(time.total_s for _, time in stage_times(job.model, layout_of(job, 1), profile))
    return flops_per_micro_batch(job) / (slowest_s * n_per_replica(job))
