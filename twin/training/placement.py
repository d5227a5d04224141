"""Placement: which racks a job takes, in which order its ranks lie on them, and which stages they hold.

Ranks lie block by block. Within a block they lie stage by stage, within a stage replica by replica, then context ranks,
then tensor ranks. A block is one replica, or as many as share the experts of their layers. Tensor ranks never leave an
NVLink domain. Accelerators of a domain that are too few for a tensor group stay idle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np

from ..arrays import NODE_KINDS, Bools, Floats, Ints, State
from ..catalogue.figure_reader import FigureReader
from ..errors import Issue, TopologyError
from ..model.jobs import Placement, TrainingJob
from ..workload.compute import AcceleratorProfile
from ..workload.job_arithmetic import layout_of
from .placed_groups import AvailableGroup, PlacedGroup, block_label, block_size, groups_by_replica, groups_by_stage

MAX_PLACED = 4_000_000
"""Accelerators of one kind in one placement; each is a row while flows are computed."""
MAX_SITES = 32
"""Sites of one job; each pair of them exchanges."""


@dataclass(frozen=True, eq=False)
class JobPlacement:
    """A job on its racks: groups in order of site and kind.

    `n_allocated` includes accelerators that no whole replica fits on.
    """

    groups: tuple[PlacedGroup, ...]
    n_allocated: dict[str, int]
    """Allocated accelerators by kind."""
    n_replicas: int
    """Replicas of the whole job."""

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites of the job, sorted."""
        return tuple(sorted({group.site for group in self.groups}))

    def n_replicas_at(self, site: str, *, whole: bool) -> int:
        """Replicas that exchange gradients inside a site.

        Args:
            site: id of the site.
            whole: whether each replica lies in one site; otherwise all replicas reach over the sites.
        """
        return sum(p.n_replicas for p in self.groups if p.site == site) if whole else self.n_replicas


def place_job(state: State, job: TrainingJob, reader: FigureReader) -> JobPlacement:
    """Place whole replicas on racks that are up, by accelerator kind and rack id.

    Args:
        state: nodes of the network.
        job: the job with its placements.
        reader: source of figures.

    Returns:
        Groups of ranks and the allocated accelerators.

    Raises:
        TopologyError: the job does not fit; it names every shortage.
    """
    n_sites = len({placement.site for placement in job.placement})
    where = f"jobs[{job.id}]"
    if n_sites > MAX_SITES:
        raise TopologyError(f"{n_sites} sites", where=f"{where}.placement", expected=f"at most {MAX_SITES}")
    order = sorted(
        job.placement,
        key=lambda p: (p.site, p.accelerator is None, p.accelerator or "", p.racks is None, p.racks or ""),
    )
    taken = np.zeros(state.n_nodes, dtype=np.int64)
    available: list[AvailableGroup] = []
    issues: list[Issue] = []
    too_small: dict[Placement, list[Issue]] = {}
    for placement in order:
        groups_taken, problems = _take_accelerators(state, job, placement, taken, reader)
        available += groups_taken
        if groups_taken and job.across_sites == "data":
            too_small[placement] = problems
        else:
            issues += problems
    if not issues:
        groups, issues = (groups_by_stage if job.across_sites == "pipeline" else groups_by_replica)(job, available)
        in_use = {variant.placement for group in groups for variant in group.variants()}
        issues += [issue for placement, found in too_small.items() if placement not in in_use for issue in found]
    if issues:
        raise TopologyError("the job does not fit", where=where, found=issues)
    allocated: dict[str, int] = {}
    for group in available:
        allocated[group.accelerator] = allocated.get(group.accelerator, 0) + group.n_allocated
    n_replicas = groups[0].n_replicas if job.across_sites == "pipeline" else sum(group.n_replicas for group in groups)
    if job.parallelism.dp not in (None, n_replicas):
        issue = Issue(
            f"{where}.parallelism.dp",
            f"dp {job.parallelism.dp} is stated, the placement holds {n_replicas} replicas",
            f"dp: {n_replicas}, or other numbers of accelerators",
        )
        raise TopologyError("the job does not fit", where=where, found=[issue])
    ordered = sorted(groups, key=lambda group: (group.site, group.accelerator))
    return JobPlacement(tuple(ordered), {kind: n for kind, n in sorted(allocated.items()) if n}, n_replicas)


def _take_accelerators(
    state: State, job: TrainingJob, placement: Placement, taken: Ints, reader: FigureReader
) -> tuple[list[AvailableGroup], list[Issue]]:
    """Take the accelerators of one placement, kind by kind.

    `taken` by node grows by what is taken, idle accelerators included.
    """
    tp = job.parallelism.tp
    # a placement of a replica over all sites holds some stages only
    size, label = block_size(job), block_label(job)
    if job.across_sites == "pipeline":
        size, label = size // job.parallelism.pp, "stage"
    where = f"jobs[{job.id}].placement[{placement.site}]"
    free = state["node_n_accelerators"] - taken
    at_site = state["node_site"] == state.sites.index(placement.site)
    usable = at_site & state["node_up"] & (free > 0) & (state["node_kind"] <= NODE_KINDS.index("host"))
    if placement.racks is not None:
        usable &= _matching_racks(state.node_ids, usable, placement.racks)
        if not usable.any():
            rack_ids = [state.node_ids[row] for row in np.flatnonzero(at_site & (state["node_n_accelerators"] > 0))[:3]]
            hint = f"the site has {', '.join(rack_ids)}, ..." if rack_ids else "the site has no rack with accelerators"
            return [], [Issue(f"{where}.racks", f"no free rack is like {placement.racks!r}", hint)]
    kinds, issues = _usable_kinds(state, placement, usable, where)
    if issues:
        return [], issues
    n_remaining = placement.n_accelerators if placement.n_accelerators is not None else int(free[usable].sum())
    groups: list[AvailableGroup] = []
    for kind in kinds:
        if not n_remaining:
            break
        rows = np.flatnonzero(usable & (state["node_accelerator"] == state.parts.index(kind)))
        n_domain = min(int(reader.part(kind, "n_nvlink_domain")), int(free[rows].max(initial=1)))
        if tp > n_domain:
            problem = f"tp {tp} goes beyond the NVLink domain of {n_domain} ({kind} in {placement.site})"
            return [], [Issue(f"jobs[{job.id}].parallelism.tp", problem, f"tp up to {n_domain}")]
        n_free_of_kind = int(free[rows].sum())
        if min(n_remaining, n_free_of_kind) > MAX_PLACED:
            return [], [Issue(where, f"more than {MAX_PLACED:,} accelerators of one kind", "state a smaller number")]
        rack, slot, domain = _tensor_groups(rows, free[rows], n_domain, tp)
        slot += taken[rack]
        n_fitting = min(n_remaining, len(rack))
        # of a stated number the next kind may take the remainder; of "all" the remainder of this kind stays idle
        takes_remainder = placement.n_accelerators is None or kind == kinds[-1]
        n_used = n_fitting if takes_remainder else n_fitting // size * size
        n_allocated = min(n_remaining, n_free_of_kind) if takes_remainder else n_used
        used = np.bincount(rack[:n_used], minlength=len(taken))
        # accelerators left over in one domain cannot join those of another domain
        stranded = used // (n_domain // tp * tp) * (n_domain % tp)
        taken += used + np.maximum(stranded, _idle_by_node(rows, free, rack[:n_used], n_allocated - n_used, len(taken)))
        n_remaining -= n_allocated
        ranks = rack[:n_used], slot[:n_used], domain[:n_used]
        groups.append(AvailableGroup(placement.site, kind, *ranks, n_allocated, placement))
    n_whole = sum(len(group.rack) // size * size for group in groups)
    # a placement too small for a block may be part of one
    issues = _shortages(placement, n_whole, size, label, int(free[usable].sum()), where)
    return ([], issues) if issues and n_whole else (groups, issues)


def _usable_kinds(state: State, placement: Placement, usable: Bools, where: str) -> tuple[list[str], list[Issue]]:
    """Accelerator kinds of the usable racks that the placement allows, sorted."""
    kinds = sorted({state.parts[code] for code in np.unique(state["node_accelerator"][usable]) if code >= 0})
    if placement.accelerator is not None:
        if placement.accelerator not in kinds:
            available_kinds = ", ".join(kinds) or "no free accelerators"
            holder = "the site has" if placement.racks is None else f"racks like {placement.racks!r} have"
            return [], [Issue(where, f"no free {placement.accelerator} that is up", f"{holder} {available_kinds}")]
        kinds = [placement.accelerator]
    if placement.micro_batch_s is not None and len(kinds) > 1:
        problem = f"one measured time for {', '.join(kinds)}"
        return [], [Issue(f"{where}.micro_batch_s", problem, "name the accelerator")]
    return kinds, []


def _shortages(placement: Placement, n_whole: int, size: int, label: str, n_free: int, where: str) -> list[Issue]:
    """Issues of a placement that gets no block of `size` accelerators, or fewer blocks than it states."""
    if not n_whole:
        return [Issue(where, f"no whole {label} of {size} accelerators fits", f"{n_free} are free and up")]
    if placement.n_accelerators is None or placement.n_accelerators - n_whole < size:
        return []
    hint = f"the site has {n_free} free and up, each {label} of {size} of one kind, tensor ranks on one NVLink"
    return [Issue(where, f"{placement.n_accelerators} accelerators asked for, {n_whole} placed", hint)]


def _idle_by_node(rows: Ints, free: Ints, rack: Ints, n: int, n_nodes: int) -> Ints:
    """Accelerators by node that are allocated without work: the first `n` that no tensor group has."""
    n_idle = free[rows] - np.bincount(rack, minlength=n_nodes)[rows]
    before = np.cumsum(n_idle) - n_idle
    out = np.zeros(n_nodes, dtype=np.int64)
    out[rows] = np.clip(n - before, 0, n_idle)
    return out


def _matching_racks(ids: tuple[str, ...], usable: Bools, pattern: str) -> Bools:
    """Racks of a placement: the one of exactly that id, else those that the pattern matches; bool[n_nodes]."""
    rows = np.flatnonzero(usable)
    exact = any(ids[row] == pattern for row in rows)
    out = np.zeros(len(ids), dtype=bool)
    for row in rows:
        out[row] = ids[row] == pattern if exact else fnmatchcase(ids[row], pattern)
    return out


def _tensor_groups(rows: Ints, free: Ints, n_domain: int, tp: int) -> tuple[Ints, Ints, Ints]:
    """(rack, slot, domain) of each accelerator in a whole tensor group, rack by rack and domain by domain.

    Slots count the free accelerators of a rack.
    """
    per_domain = n_domain // tp * tp
    n_used = free // n_domain * per_domain + free % n_domain // tp * tp
    n_domains = -(-free // n_domain)
    first = np.cumsum(n_used) - n_used
    index = np.arange(int(n_used.sum())) - np.repeat(first, n_used)
    domain = np.repeat(np.cumsum(n_domains) - n_domains, n_used) + index // per_domain
    slot = index // per_domain * n_domain + index % per_domain
    return np.repeat(rows, n_used), slot, domain


def accelerator_profile(group: PlacedGroup, job: TrainingJob, reader: FigureReader) -> AcceleratorProfile:
    """Profile of the group's accelerator at the job's precision, with the NVLink domain and cards of its racks."""
    profile = AcceleratorProfile.of(lambda name: reader.part(group.accelerator, name), job.precision)
    if group.card_gbps is not None:
        profile = profile.with_card_gbps(group.card_gbps)
    return replace(
        profile,
        n_domain=min(profile.n_domain, group.n_domain),
        nic_bytes_per_s=profile.nic_bytes_per_s * group.card_ratio,
        nic_hop_s=profile.nic_hop_s + profile.nvlink_hop_s * ((group.relayed_ratio > 0.0) + group.crosses_rails),
        relayed_ratio=group.relayed_ratio,
    )


@dataclass(frozen=True, slots=True)
class DomainSharing:
    """Least number of ranks that share an NVLink domain, by kind of rank group."""

    n_context: int
    n_expert: int
    n_data: int
    """Of the context ranks of a block, which reduce gradients before blocks do."""
    boundary_in_domain: bool
    """Whether every boundary between the group's stages lies within a domain; boundaries to another group do not."""


def domain_sharing(group: PlacedGroup, job: TrainingJob) -> DomainSharing:
    """Count how many ranks of a placed group share an NVLink domain, in the worst case of each kind of rank group."""
    parallelism, n_block_replicas = job.parallelism, layout_of(job, 1).n_block_replicas
    domain = group.domain
    tensor_domain = domain[:: parallelism.tp]
    width = parallelism.tp * parallelism.cp * n_block_replicas
    stage_domain = domain.reshape(-1, group.n_stages, width)
    return DomainSharing(
        _shortest_run(tensor_domain.reshape(-1, parallelism.cp)),
        _shortest_run(domain.reshape(-1, parallelism.ep)),
        _shortest_run(tensor_domain.reshape(-1, parallelism.cp * n_block_replicas)),
        group.n_stages == parallelism.pp and bool((stage_domain[:, 1:] == stage_domain[:, :-1]).all()),
    )


def _shortest_run(groups: Ints) -> int:
    """Least number of equal values in a row of a table whose rows never fall."""
    if groups.shape[1] < 2:
        return 1
    new = np.ones(groups.shape, dtype=bool)
    new[:, 1:] = groups[:, 1:] != groups[:, :-1]
    starts = np.flatnonzero(new.ravel())
    return int(np.diff(np.append(starts, groups.size)).min())


def rank_pairs_between_racks(racks: Ints, n_nodes: int) -> tuple[Ints, Ints, Floats]:
    """Count pairs of ranks of one group that lie in different racks.

    Args:
        racks: rack of each rank, one group a row; int64[n_groups, n_ranks].
        n_nodes: nodes of the network.

    Returns:
        (rack, other rack, number of pairs), each [n_pairs].
    """
    n_groups, n_ranks = racks.shape
    keys, counts = np.unique(np.repeat(np.arange(n_groups), n_ranks) * n_nodes + racks.ravel(), return_counts=True)
    group = keys // n_nodes
    per_group = np.bincount(group, minlength=n_groups)
    first = np.cumsum(per_group) - per_group
    row = np.repeat(np.arange(len(keys)), per_group[group])
    start = np.cumsum(per_group[group]) - per_group[group]
    other_row = first[group[row]] + np.arange(len(row)) - start[row]
    differs = keys[row] != keys[other_row]
    row, other_row = row[differs], other_row[differs]
    return keys[row] % n_nodes, keys[other_row] % n_nodes, (counts[row] * counts[other_row]).astype(np.float64)
