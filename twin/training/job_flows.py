"""Job flows: a placed job as flows between racks, phase by phase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays import Floats, Ints
from ..arrays.sums import sums_by
from ..model.jobs import TrainingJob
from ..workload.job_arithmetic import layout_of, n_per_replica
from .placed_groups import PlacedGroup
from .placement import JobPlacement, rank_pairs_between_racks


@dataclass(frozen=True, eq=False)
class Flows:
    """Directed flows of one phase between node rows. The unit of `amount` is stated where flows are made."""

    source: Ints
    target: Ints
    amount: Floats
    n_pairs: Floats
    """Pairs of accelerators that exchange in this direction; each keeps its own queue pairs. A ring with several ranks
    in a rack leaves it through the cards of all of them."""


@dataclass(frozen=True, eq=False)
class LocalExchange:
    """Gradients or parameters that are reduced or gathered inside a site."""

    site: str
    n_blocks: int
    n_ranks: int
    """Ranks that hold the same parameters, in more than one rack."""
    flows: Flows
    """Amount: part of the job's parameters that goes there in one pass."""


@dataclass(frozen=True, eq=False)
class JobFlows:
    """Flows of a job between racks. Where replicas reach over sites, all groups are one.

    local: one set per site.
    pipeline: per group. Amount: accelerators times crossings of a stage boundary per micro batch, inside sites.
    crossing: one set or none. Amount: the same for stage boundaries between sites.
    context: per group. Amount: accelerators that send their keys and values to the next rank of the ring.
    expert: per group. Amount: accelerators times the part of their tokens that goes there.
    wide: per ordered pair of sites. Amount: part of the sites' common parameters (sums to 1).
    """

    local: tuple[LocalExchange, ...]
    pipeline: tuple[Flows, ...]
    crossing: tuple[Flows, ...]
    context: tuple[Flows, ...]
    expert: tuple[Flows, ...]
    wide: tuple[tuple[int, int, Flows], ...]
    crosses_rails: bool = False
    """Whether flows go from leaf to leaf between rails."""

    def sets(self) -> list[tuple[str, Flows]]:
        """(phase, flows) of all sets in a fixed order."""
        all_sets = [("local", local.flows) for local in self.local]
        for phase, sets in (
            ("pipeline", self.pipeline),
            ("crossing", self.crossing),
            ("context", self.context),
            ("expert", self.expert),
        ):
            all_sets += [(phase, flows) for flows in sets]
        return all_sets + [("wide_area", flows) for _, _, flows in self.wide]


def job_flows(placed: JobPlacement, job: TrainingJob, n_nodes: int) -> JobFlows:
    """Derive the flows of all phases from a placement. Traffic inside a rack stays on its own links and is left out.

    Args:
        placed: the job on its racks.
        job: the job.
        n_nodes: nodes of the network.
    """
    parallelism, layout = job.parallelism, layout_of(job, 1)
    stage_size = parallelism.tp * parallelism.cp * layout.n_block_replicas
    block_size = n_per_replica(job) * layout.n_block_replicas
    over_sites, n_virtual = job.across_sites == "pipeline", parallelism.n_virtual_stages
    crossing: tuple[Flows, ...] = ()
    if over_sites:
        n_blocks = len(placed.groups[0].rack) // (stage_size * placed.groups[0].n_stages)
        rack = np.concatenate([p.rack.reshape(n_blocks, -1) for p in placed.groups], axis=1).ravel()
        flows = _pipeline_flows(rack, block_size, stage_size, n_virtual, n_nodes)
        pipeline, crossing = _split_by_site(placed, flows, n_nodes)
    else:
        pipeline = tuple(_pipeline_flows(p.rack, block_size, stage_size, n_virtual, n_nodes) for p in placed.groups)
    exchanges = (_local_exchange(placed, job, site, n_nodes) for site in placed.sites)
    return JobFlows(
        local=tuple(exchange for exchange in exchanges if exchange is not None),
        pipeline=pipeline,
        crossing=crossing,
        context=tuple(_context_flows(group, job, n_nodes) for group in placed.groups) if parallelism.cp > 1 else (),
        expert=tuple(_expert_flows(group, job, n_nodes) for group in placed.groups) if parallelism.ep > 1 else (),
        wide=() if over_sites else _site_pair_flows(placed, block_size, n_nodes),
    )


def _split_by_site(placed: JobPlacement, flows: Flows, n_nodes: int) -> tuple[tuple[Flows, ...], tuple[Flows, ...]]:
    """Flows inside sites, and flows between sites (none, or one set)."""
    site = np.full(n_nodes, -1)
    for group in placed.groups:
        site[group.rack] = placed.sites.index(group.site)
    crosses = site[flows.source] != site[flows.target]
    local, crossing = (
        Flows(flows.source[rows], flows.target[rows], flows.amount[rows], flows.n_pairs[rows])
        for rows in (~crosses, crosses)
    )
    return (local,), (crossing,) if crosses.any() else ()


def _local_exchange(placed: JobPlacement, job: TrainingJob, site: str, n_nodes: int) -> LocalExchange | None:
    """Rings of the ranks at a site that hold the same parameters, in blocks and between blocks; None for a single rank.

    In a block, parameters of attention and norms are the same on context ranks and replicas. Experts are the same on
    every ep-th rank.
    """
    parallelism = job.parallelism
    n_block_ranks = parallelism.cp * layout_of(job, 1).n_block_replicas
    stage_size = parallelism.tp * n_block_ranks
    groups = [group for group in placed.groups if group.site == site]
    over_sites = job.across_sites == "pipeline"
    # rings join the ranks of all stages of a group; groups with whole replicas share their rings
    racks = [group.rack for group in groups] if over_sites else [np.concatenate([group.rack for group in groups])]
    sizes = [stage_size * group.n_stages for group in groups] if over_sites else [stage_size * parallelism.pp]
    n_blocks = len(racks[0]) // sizes[0]
    rings: list[tuple[Flows, float]] = []
    for rack, block_size in zip(racks, sizes, strict=True):
        if n_blocks > 1:
            share = (n_blocks - 1) / n_blocks / (stage_size * parallelism.pp)
            rings.append((_ring_flows(rack.reshape(1, n_blocks, block_size)), share))
        rings += _block_rings(rack, job, n_block_ranks)
    if not rings:
        return None
    source, target, hops, n_pairs = (
        np.concatenate([getattr(flows, name) for flows, _ in rings])
        for name in ("source", "target", "amount", "n_pairs")
    )
    amount = hops * np.concatenate([np.full(len(flows.source), share) for flows, share in rings])
    leaves_rack = any((flows.source != flows.target).any() for flows, _ in rings[n_blocks > 1 :])
    n_ranks = n_blocks * (n_block_ranks if leaves_rack else 1)
    return LocalExchange(site, n_blocks, n_ranks, summed_flows(Flows(source, target, amount, n_pairs), n_nodes))


def _ring_flows(racks: Ints) -> Flows:
    """Flows from each rank of some rings to the next one; one unit each.

    Where ranks of a ring share a rack, the ring leaves and enters it through the cards of all of them.

    Args:
        racks: rack of each rank; int64[n, n_ranks, m] for n * m rings.
    """
    following = np.roll(racks, -1, axis=1)
    n, m = racks.shape[0], racks.shape[2]
    ring = np.broadcast_to((np.arange(n)[:, None] * m + np.arange(m))[:, None, :], racks.shape)
    n_nodes = int(racks.max(initial=0)) + 1
    keys, row = np.unique((ring * n_nodes + racks).ravel(), return_inverse=True)
    leaves = (racks != following).ravel()
    n_members = np.bincount(row, minlength=len(keys))
    n_exits = np.bincount(row[leaves], minlength=len(keys))
    next_row = np.roll(row.reshape(racks.shape), -1, axis=1).ravel()
    n_entries = np.bincount(next_row[leaves], minlength=len(keys))
    n_pairs = np.ones(racks.size)
    out, into = row[leaves], next_row[leaves]
    n_pairs[leaves] = np.minimum(n_members[out] / n_exits[out], n_members[into] / n_entries[into])
    return Flows(racks.ravel(), following.ravel(), np.ones(racks.size), n_pairs)


def _block_rings(rack: Ints, job: TrainingJob, n_block_ranks: int) -> Iterator[tuple[Flows, float]]:
    """(flows, amount of each) of rings inside blocks: of all ranks of a block, and of the copies of its experts."""
    parallelism, n_parameters = job.parallelism, job.model.n_parameters()
    tp, pp, ep = parallelism.tp, parallelism.pp, parallelism.ep
    n_expert_sharded = job.model.n_expert_parameters() if ep > 1 else 0.0
    n_copies = max(1, tp * parallelism.cp // ep) if ep > 1 else 1
    if n_block_ranks > 1:
        amount = (1.0 - n_expert_sharded / n_parameters) / (tp * pp) * (n_block_ranks - 1) / n_block_ranks
        yield _ring_flows(rack.reshape(-1, n_block_ranks, tp)), amount
    if n_copies > 1:
        amount = n_expert_sharded / n_parameters / (pp * ep) * (n_copies - 1) / n_copies
        yield _ring_flows(rack.reshape(-1, n_copies, ep)), amount


def _site_pair_flows(placed: JobPlacement, size: int, n_nodes: int) -> tuple[tuple[int, int, Flows], ...]:
    """Flows of each ordered pair of sites."""
    racks = [np.concatenate([p.rack for p in placed.groups if p.site == site]) for site in placed.sites]
    pairs = []
    for i, source in enumerate(racks):
        for j, target in enumerate(racks):
            if i < j:
                flows = _shard_flows(source, target, size, n_nodes)
                pairs.append((i, j, flows))
                pairs.append((j, i, Flows(flows.target, flows.source, flows.amount, flows.n_pairs)))
    return tuple(pairs)


def _context_flows(group: PlacedGroup, job: TrainingJob, n_nodes: int) -> Flows:
    """Flows round the context ring of each tensor rank."""
    return summed_flows(_ring_flows(group.rack.reshape(-1, job.parallelism.cp, job.parallelism.tp)), n_nodes)


def _expert_flows(group: PlacedGroup, job: TrainingJob, n_nodes: int) -> Flows:
    """Flows of each rank's tokens, in equal parts to the other ranks that share its experts."""
    source, target, pairs = rank_pairs_between_racks(group.rack.reshape(-1, job.parallelism.ep), n_nodes)
    return summed_flows(Flows(source, target, pairs / (job.parallelism.ep - 1), pairs), n_nodes)


def summed_flows(flows: Flows, n_nodes: int) -> Flows:
    """Flows with equal ends added up, ordered by ends; flows inside a rack are left out."""
    keys, rows = np.unique(flows.source * n_nodes + flows.target, return_inverse=True)
    total, n_pairs = (sums_by(rows, column, len(keys)) for column in (flows.amount, flows.n_pairs))
    leaves_rack = keys // n_nodes != keys % n_nodes
    return Flows(keys[leaves_rack] // n_nodes, keys[leaves_rack] % n_nodes, total[leaves_rack], n_pairs[leaves_rack])


def _shard_flows(source: Ints, target: Ints, size: int, n_nodes: int) -> Flows:
    """Flows between two sites, from each shard of the parameters to the same shard.

    Replica r of n holds the part [r/n, (r+1)/n).
    """
    n, m = len(source) // size, len(target) // size
    edges = np.unique(np.concatenate((np.arange(n + 1) * m, np.arange(m + 1) * n)))
    start = edges[:-1]
    length = np.array([b - a for a, b in pairwise(edges)]) / (n * m)
    offsets = np.arange(size)
    source_rack = source[((start // m)[:, None] * size + offsets).ravel()]
    target_rack = target[((start // n)[:, None] * size + offsets).ravel()]
    part = np.repeat(length / size, size)
    return summed_flows(Flows(source_rack, target_rack, part, np.ones(len(part))), n_nodes)


def _pipeline_flows(rack: Ints, size: int, stage: int, n_virtual: int, n_nodes: int) -> Flows:
    """Flows of activations and of their gradients. With virtual stages the last stage feeds the first one again."""
    if size == stage:
        return Flows(*(np.zeros(0, np.int64),) * 2, *(np.zeros(0),) * 2)
    position = np.arange(len(rack))
    offset = position % size
    is_inner = offset < size - stage
    next_position = np.where(is_inner, position + stage, position - (size - stage))
    crossings = np.where(is_inner, float(n_virtual), n_virtual - 1.0)
    is_used = crossings > 0
    source, target = rack[position[is_used]], rack[next_position[is_used]]
    there_and_back = np.tile(crossings[is_used], 2)
    ends = np.concatenate((source, target)), np.concatenate((target, source))
    return summed_flows(Flows(*ends, there_and_back, np.ones(len(there_and_back))), n_nodes)
