"""A job placed on racks becomes flows between racks, phase by phase; a document's demands become node pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays import NODE_KINDS, Floats, Ints, State
from ..errors import Issue, TopologyError
from ..model.records import Placement, TrainingJob
from ..workload.job import memory_bytes, n_per_replica
from .figures import FigureReader

MAX_PLACED = 4_000_000
"""Accelerators of one kind in one placement; each is a row while flows are made."""
MAX_SITES = 32
"""Sites of one job; every pair of them exchanges."""


@dataclass(frozen=True, eq=False)
class PlacedPool:
    """Replicas of one accelerator kind at one site. `rack` is the node row of each accelerator, in order."""

    site: str
    accelerator: str
    n_replicas: int
    rack: Ints


@dataclass(frozen=True, eq=False)
class Placed:
    """A job on its racks: pools in order of site and kind; `n_allocated` includes what no whole replica fits on."""

    pools: tuple[PlacedPool, ...]
    n_allocated: dict[str, int]
    """Accelerators taken by kind."""

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites of the job, sorted."""
        return tuple(sorted({pool.site for pool in self.pools}))


@dataclass(frozen=True, eq=False)
class Flows:
    """Directed flows of one phase between node rows; `share` is in the unit its maker states."""

    source: Ints
    target: Ints
    share: Floats


@dataclass(frozen=True, eq=False)
class JobFlows:
    """Flows of a job.

    local: per site, share = accelerators that send to their next replica's peer (unit: accelerators).
    pipeline: per pool, share = accelerators times crossings of a stage boundary per micro batch.
    wide: per ordered pair of sites, share = part of the sites' common parameters (sums to 1).
    """

    local: tuple[tuple[str, int, Flows], ...]
    pipeline: tuple[Flows, ...]
    wide: tuple[tuple[int, int, Flows], ...]


def place_job(state: State, job: TrainingJob) -> Placed:
    """Whole replicas on racks that are up, by accelerator kind and rack id; TopologyError names every shortage."""
    n_sites = len({place.site for place in job.placement})
    if n_sites > MAX_SITES:
        raise TopologyError(f"{n_sites} sites", where=f"jobs[{job.id}].placement", expected=f"at most {MAX_SITES}")
    pools: list[PlacedPool] = []
    allocated: dict[str, int] = {}
    issues: list[Issue] = []
    taken = np.zeros(state.arrays.n_nodes, dtype=np.int64)
    order = sorted(job.placement, key=lambda place: (place.site, place.accelerator is None, place.accelerator or ""))
    for place in order:
        found, issue = _place(state, job, place, taken, allocated)
        pools += found
        issues += issue
    if issues:
        raise TopologyError("the job does not fit", where=f"jobs[{job.id}]", found=issues)
    merged = sorted(pools, key=lambda pool: (pool.site, pool.accelerator))
    return Placed(tuple(merged), {kind: n for kind, n in sorted(allocated.items()) if n})


def fit_issues(placed: Placed, job: TrainingJob, reader: FigureReader) -> list[Issue]:
    """Pools that the job cannot run on: memory that does not hold it, tensor parallelism beyond the NVLink domain."""
    issues: list[Issue] = []
    n_replicas = sum(pool.n_replicas for pool in placed.pools)
    need = memory_bytes(job, n_replicas)
    for pool in placed.pools:
        where = f"jobs[{job.id}].parallelism ({pool.accelerator} in {pool.site})"
        have = reader.part(pool.accelerator, "memory_bytes")
        if need > have:
            more = math.ceil(job.parallelism.tp * job.parallelism.pp * need / have)
            problem = f"weights, gradients and optimizer take {need / 1e9:.0f} GB of {have / 1e9:.0f} GB an accelerator"
            issues.append(Issue(where, problem, f"tp * pp of at least {more} would fit"))
        domain = reader.part(pool.accelerator, "n_nvlink_domain")
        if job.parallelism.tp > domain:
            problem = f"tp {job.parallelism.tp} goes beyond the NVLink domain of {domain:.0f}"
            issues.append(Issue(where, problem, f"tp up to {domain:.0f}"))
    return issues


def _place(
    state: State, job: TrainingJob, place: Placement, taken: Ints, allocated: dict[str, int]
) -> tuple[list[PlacedPool], list[Issue]]:
    """Pools of one placement; `taken` by rack and `allocated` by kind grow by all that it takes, idle ones included."""
    arrays, size = state.arrays, n_per_replica(job)
    where = f"jobs[{job.id}].placement[{place.site}]"
    site = arrays.sites.index(place.site)
    free = state["node_n_accelerators"] - taken
    usable = (arrays.node_site == site) & state["node_up"] & (free > 0) & (arrays.node_kind <= NODE_KINDS.index("host"))
    kinds = sorted({state.parts[code] for code in np.unique(state["node_accelerator"][usable]) if code >= 0})
    if place.accelerator is not None:
        if place.accelerator not in kinds:
            have = ", ".join(kinds) or "no free accelerators"
            return [], [Issue(where, f"no free {place.accelerator} that is up", f"the site has {have}")]
        kinds = [place.accelerator]
    left = place.n_accelerators if place.n_accelerators is not None else int(free[usable].sum())
    pools: list[PlacedPool] = []
    for kind in kinds:
        rows = np.flatnonzero(usable & (state["node_accelerator"] == state.parts.index(kind)))
        if min(left, int(free[rows].sum())) > MAX_PLACED:
            return [], [Issue(where, f"more than {MAX_PLACED:,} accelerators of one kind", "state a smaller number")]
        offered = min(left, int(free[rows].sum()))
        n_replicas = offered // size
        # of a stated number the next kind may take the rest; of "all" the rest of this kind sits idle
        took = offered if place.n_accelerators is None or kind == kinds[-1] else n_replicas * size
        rack = np.repeat(rows, free[rows])[:took]
        taken += np.bincount(rack, minlength=len(taken))
        allocated[kind] = allocated.get(kind, 0) + took
        left -= took
        if n_replicas:
            pools.append(PlacedPool(place.site, kind, n_replicas, rack[: n_replicas * size]))
    placed = sum(len(pool.rack) for pool in pools)
    if not pools:
        return [], [
            Issue(where, f"no whole replica of {size} accelerators fits", f"{int(free[usable].sum())} are free and up")
        ]
    if place.n_accelerators is not None and place.n_accelerators - placed >= size:
        hint = f"the site has {int(free[usable].sum())} free and up, of one kind per replica of {size}"
        return [], [Issue(where, f"{place.n_accelerators} accelerators asked for, {placed} placed", hint)]
    return pools, []


def job_flows(placed: Placed, job: TrainingJob, n_nodes: int) -> JobFlows:
    """Flows of the phases. Traffic inside a rack stays on its own links and is not placed."""
    sites = placed.sites
    racks = [np.concatenate([p.rack for p in placed.pools if p.site == site]) for site in sites]
    size, cut = n_per_replica(job), job.parallelism
    local = []
    for site, rack in zip(sites, racks, strict=True):
        n_replicas = len(rack) // size
        if n_replicas > 1:
            local.append((site, n_replicas, _flows(rack, np.roll(rack, -size), np.ones(len(rack)), n_nodes)))
    wide = []
    for i, source in enumerate(racks):
        for j, target in enumerate(racks):
            if i < j:
                there = _aligned(source, target, size, n_nodes)
                wide.append((i, j, there))
                wide.append((j, i, Flows(there.target, there.source, there.share)))
    pipeline = tuple(
        _pipeline(pool.rack, size, cut.tp * cut.cp, cut.n_virtual_stages, n_nodes) for pool in placed.pools
    )
    return JobFlows(tuple(local), pipeline, tuple(wide))


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
