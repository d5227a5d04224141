"""A placed job becomes flows between racks, phase by phase."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays import Floats, Ints
from ..model.jobs import TrainingJob
from ..workload.job_arithmetic import layout_of, n_per_replica
from .placement import Placed, PlacedGroup, cross_racks


@dataclass(frozen=True, eq=False)
class Flows:
    """Directed flows of one phase between node rows; `share` is in the unit its maker states."""

    source: Ints
    target: Ints
    share: Floats


@dataclass(frozen=True, eq=False)
class LocalExchange:
    """Gradients or parameters reduced or gathered inside a site."""

    site: str
    n_blocks: int
    n_ranks: int
    """That hold the same, in other racks than one."""
    flows: Flows
    """share = part of the job's parameters that goes there in a pass."""


@dataclass(frozen=True, eq=False)
class JobFlows:
    """Flows of a job between racks. Where replicas reach over sites, all groups are one.

    local: per site.
    pipeline: per group, share = accelerators times crossings of a stage boundary per micro batch, inside sites.
    crossing: one set, or none, share = the same of stage boundaries that lie between sites.
    context: per group, share = accelerators that send their keys and values to the next rank of the ring.
    expert: per group, share = accelerators times the part of their tokens that goes there.
    wide: per ordered pair of sites, share = part of the sites' common parameters (sums to 1).
    """

    local: tuple[LocalExchange, ...]
    pipeline: tuple[Flows, ...]
    crossing: tuple[Flows, ...]
    context: tuple[Flows, ...]
    expert: tuple[Flows, ...]
    wide: tuple[tuple[int, int, Flows], ...]

    def sets(self) -> list[tuple[str, Flows]]:
        """(phase, flows) of all sets in a fixed order."""
        found = [("local", local.flows) for local in self.local]
        for phase, sets in (
            ("pipeline", self.pipeline),
            ("crossing", self.crossing),
            ("context", self.context),
            ("expert", self.expert),
        ):
            found += [(phase, flows) for flows in sets]
        return found + [("wide_area", flows) for _, _, flows in self.wide]


def job_flows(placed: Placed, job: TrainingJob, n_nodes: int) -> JobFlows:
    """Flows of the phases. Traffic inside a rack stays on its own links and is not placed."""
    cut, layout = job.parallelism, layout_of(job, 1)
    width = cut.tp * cut.cp * layout.n_block_replicas
    size = n_per_replica(job) * layout.n_block_replicas
    cross_site_pipeline = job.across_sites == "pipeline"
    sites = placed.sites
    pipeline: tuple[Flows, ...]
    crossing: tuple[Flows, ...] = ()
    if cross_site_pipeline:
        n_blocks = len(placed.groups[0].rack) // (width * placed.groups[0].n_stages)
        whole = np.concatenate([p.rack.reshape(n_blocks, -1) for p in placed.groups], axis=1).ravel()
        every = _pipeline(whole, size, width, cut.n_virtual_stages, n_nodes)
        site = np.full(n_nodes, -1)
        for group in placed.groups:
            site[group.rack] = sites.index(group.site)
        apart = site[every.source] != site[every.target]
        pipeline = (Flows(every.source[~apart], every.target[~apart], every.share[~apart]),)
        if apart.any():
            crossing = (Flows(every.source[apart], every.target[apart], every.share[apart]),)
    else:
        pipeline = tuple(_pipeline(p.rack, size, width, cut.n_virtual_stages, n_nodes) for p in placed.groups)
    return JobFlows(
        local=tuple(found for site in sites if (found := _local(placed, job, site, n_nodes)) is not None),
        pipeline=pipeline,
        crossing=crossing,
        context=tuple(_context(group, job, n_nodes) for group in placed.groups) if cut.cp > 1 else (),
        expert=tuple(_expert(group, job, n_nodes) for group in placed.groups) if cut.ep > 1 else (),
        wide=() if cross_site_pipeline else _wide(placed, size, n_nodes),
    )


def _local(placed: Placed, job: TrainingJob, site: str, n_nodes: int) -> LocalExchange | None:
    """Rings of the ranks at a site that hold the same parameters, in blocks and over them; None for a rank alone.

    In a block those of attention and norms are alike on context ranks and replicas, experts on every ep-th rank.
    """
    cut, layout = job.parallelism, layout_of(job, 1)
    n_parameters, k = job.model.n_parameters(), cut.cp * layout.n_block_replicas
    n_spread = job.model.n_expert_parameters() if cut.ep > 1 else 0.0
    n_copies = max(1, cut.tp * cut.cp // cut.ep) if cut.ep > 1 else 1
    width = cut.tp * k
    groups = [group for group in placed.groups if group.site == site]
    cross_site_pipeline = job.across_sites == "pipeline"
    # of a group the ranks of all its stages; where a replica has all of them, those of all groups go round together
    racks = (
        [group.rack for group in groups] if cross_site_pipeline else [np.concatenate([group.rack for group in groups])]
    )
    sizes = [width * group.n_stages for group in groups] if cross_site_pipeline else [width * cut.pp]
    n_blocks = len(racks[0]) // sizes[0]
    rings: list[tuple[Ints, Ints, float]] = []
    for rack, size in zip(racks, sizes, strict=True):
        if n_blocks > 1:
            rings.append((rack, np.roll(rack, -size), (n_blocks - 1) / n_blocks / (width * cut.pp)))
        if k > 1:
            alike = rack.reshape(-1, k, cut.tp)
            part = (1.0 - n_spread / n_parameters) / (cut.tp * cut.pp) * (k - 1) / k
            rings.append((alike.ravel(), np.roll(alike, -1, axis=1).ravel(), part))
        if n_copies > 1:
            copies = rack.reshape(-1, n_copies, cut.ep)
            part = n_spread / n_parameters / (cut.pp * cut.ep) * (n_copies - 1) / n_copies
            rings.append((copies.ravel(), np.roll(copies, -1, axis=1).ravel(), part))
    if not rings:
        return None
    source, target = (np.concatenate([ring[side] for ring in rings]) for side in (0, 1))
    share = np.concatenate([np.full(len(ring[0]), ring[2]) for ring in rings])
    apart = any((here != there).any() for here, there, _ in rings[n_blocks > 1 :])
    return LocalExchange(site, n_blocks, n_blocks * (k if apart else 1), _flows(source, target, share, n_nodes))


def _wide(placed: Placed, size: int, n_nodes: int) -> tuple[tuple[int, int, Flows], ...]:
    racks = [np.concatenate([p.rack for p in placed.groups if p.site == site]) for site in placed.sites]
    wide = []
    for i, source in enumerate(racks):
        for j, target in enumerate(racks):
            if i < j:
                there = _aligned(source, target, size, n_nodes)
                wide.append((i, j, there))
                wide.append((j, i, Flows(there.target, there.source, there.share)))
    return tuple(wide)


def _context(group: PlacedGroup, job: TrainingJob, n_nodes: int) -> Flows:
    """Round the context ring of each tensor rank."""
    groups = group.rack.reshape(-1, job.parallelism.cp, job.parallelism.tp)
    following = np.roll(groups, -1, axis=1)
    return _flows(groups.ravel(), following.ravel(), np.ones(groups.size), n_nodes)


def _expert(group: PlacedGroup, job: TrainingJob, n_nodes: int) -> Flows:
    """Each rank's tokens evenly to the other ranks that share its experts."""
    source, target, pairs = cross_racks(group.rack.reshape(-1, job.parallelism.ep), n_nodes)
    return _flows(source, target, pairs / (job.parallelism.ep - 1), n_nodes)


def _flows(source: Ints, target: Ints, share: Floats, n_nodes: int) -> Flows:
    """Flows of equal ends added up, ordered by source and target; those that stay in a rack left out."""
    keys, rows = np.unique(source * n_nodes + target, return_inverse=True)
    total = np.bincount(rows, weights=share, minlength=len(keys))
    out = keys // n_nodes != keys % n_nodes
    return Flows(keys[out] // n_nodes, keys[out] % n_nodes, total[out])


def _aligned(source: Ints, target: Ints, size: int, n_nodes: int) -> Flows:
    """Between sites each shard of the parameters meets its like: replica r of n holds the part [r/n, (r+1)/n)."""
    n, m = len(source) // size, len(target) // size
    edges = np.unique(np.concatenate((np.arange(n + 1) * m, np.arange(m + 1) * n)))
    start = edges[:-1]
    length = np.array([b - a for a, b in pairwise(edges)]) / (n * m)
    offsets = np.arange(size)
    here = source[((start // m)[:, None] * size + offsets).ravel()]
    there = target[((start // n)[:, None] * size + offsets).ravel()]
    return _flows(here, there, np.repeat(length / size, size), n_nodes)


def _pipeline(rack: Ints, size: int, stage: int, n_virtual: int, n_nodes: int) -> Flows:
    """Activations forward and their gradients back; with virtual stages the last stage feeds the first again."""
    if size == stage:
        return Flows(*(np.zeros(0, np.int64),) * 2, np.zeros(0))
    position = np.arange(len(rack))
    offset = position % size
    inner = offset < size - stage
    following = np.where(inner, position + stage, position - (size - stage))
    crossings = np.where(inner, float(n_virtual), n_virtual - 1.0)
    used = crossings > 0
    here, there = rack[position[used]], rack[following[used]]
    return _flows(np.concatenate((here, there)), np.concatenate((there, here)), np.tile(crossings[used], 2), n_nodes)
