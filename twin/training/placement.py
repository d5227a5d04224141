"""A job's accelerators: which racks it takes, in which order its ranks lie on them, and what they hold.

Ranks lie block by block; within a block stage by stage, within a stage replica by replica, then context, then tensor
ranks. A block is one replica, or as many as share the experts of their layers. Tensor ranks never leave an NVLink
domain: what of a domain is too small for a group of them stays idle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np

from ..arrays import NODE_KINDS, Bools, Floats, Ints, State
from ..catalogue.figure_reader import FigureReader
from ..errors import Issue, TopologyError
from ..model.jobs import Placement, TrainingJob
from ..workload.compute import Pace
from ..workload.job_arithmetic import layout_of, n_per_replica

MAX_PLACED = 4_000_000
"""Accelerators of one kind in one placement; each is a row while flows are made."""
MAX_SITES = 32
"""Sites of one job; every pair of them exchanges."""


@dataclass(frozen=True, eq=False)
class PlacedGroup:
    """Ranks of one accelerator kind at one site. `rack` and `domain` by accelerator, in order of the ranks."""

    site: str
    accelerator: str
    n_replicas: int
    rack: Ints
    """Node row."""
    domain: Ints
    """NVLink domain, numbered from 0 at each site and kind."""
    first_stage: int
    n_stages: int
    """Pipeline stages here: all of them, or some where replicas reach over sites."""
    place: Placement

    @property
    def n_domain(self) -> int:
        """Accelerators of the largest domain that this uses."""
        return int(np.bincount(self.domain).max(initial=1))


@dataclass(frozen=True, eq=False)
class Placed:
    """A job on its racks: groups in order of site and kind; `n_allocated` includes what no whole replica fits on."""

    groups: tuple[PlacedGroup, ...]
    n_allocated: dict[str, int]
    """Accelerators taken by kind."""
    n_replicas: int
    """Of the whole job."""

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites of the job, sorted."""
        return tuple(sorted({group.site for group in self.groups}))

    def n_replicas_at(self, site: str, *, whole: bool) -> int:
        """Replicas that exchange gradients inside a site: those there, or all where each reaches over the sites."""
        return sum(p.n_replicas for p in self.groups if p.site == site) if whole else self.n_replicas


@dataclass(frozen=True, slots=True)
class Offer:
    """Accelerators of one kind that a placement may take, tensor group by tensor group."""

    site: str
    accelerator: str
    rack: Ints
    domain: Ints
    n_offered: int
    """All of them, with those that are no whole tensor group."""
    place: Placement


def place_job(state: State, job: TrainingJob, reader: FigureReader) -> Placed:
    """Whole replicas on racks that are up, by accelerator kind and rack id; TopologyError names every shortage."""
    n_sites = len({place.site for place in job.placement})
    where = f"jobs[{job.id}]"
    if n_sites > MAX_SITES:
        raise TopologyError(f"{n_sites} sites", where=f"{where}.placement", expected=f"at most {MAX_SITES}")
    order = sorted(
        job.placement,
        key=lambda p: (p.site, p.accelerator is None, p.accelerator or "", p.racks is None, p.racks or ""),
    )
    taken = np.zeros(state.n_nodes, dtype=np.int64)
    found: list[Offer] = []
    issues: list[Issue] = []
    for place in order:
        free, problem = _free(state, job, place, taken, reader)
        found += free
        issues += problem
    if not issues:
        groups, issues = (by_stage if job.across_sites == "pipeline" else by_replica)(job, found)
    if issues:
        raise TopologyError("the job does not fit", where=where, found=issues)
    allocated: dict[str, int] = {}
    for offer in found:
        allocated[offer.accelerator] = allocated.get(offer.accelerator, 0) + offer.n_offered
    n_replicas = groups[0].n_replicas if job.across_sites == "pipeline" else sum(group.n_replicas for group in groups)
    if job.parallelism.dp not in (None, n_replicas):
        wrong = Issue(
            f"{where}.parallelism.dp",
            f"dp {job.parallelism.dp} is stated, the placement holds {n_replicas} replicas",
            f"dp: {n_replicas}, or other numbers of accelerators",
        )
        raise TopologyError("the job does not fit", where=where, found=[wrong])
    merged = sorted(groups, key=lambda group: (group.site, group.accelerator))
    return Placed(tuple(merged), {kind: n for kind, n in sorted(allocated.items()) if n}, n_replicas)


def _free(
    state: State, job: TrainingJob, place: Placement, taken: Ints, reader: FigureReader
) -> tuple[list[Offer], list[Issue]]:
    """What a placement takes, kind by kind; `taken` by rack grows by it, idle accelerators included."""
    tp = job.parallelism.tp
    # of a replica over all sites a placement holds some stages only
    size, unit = block_size(job), _unit(job)
    if job.across_sites == "pipeline":
        size, unit = size // job.parallelism.pp, "stage"
    where = f"jobs[{job.id}].placement[{place.site}]"
    free = state["node_n_accelerators"] - taken
    here = state["node_site"] == state.sites.index(place.site)
    usable = here & state["node_up"] & (free > 0) & (state["node_kind"] <= NODE_KINDS.index("host"))
    if place.racks is not None:
        usable &= _like(state.node_ids, usable, place.racks)
        if not usable.any():
            named = [state.node_ids[row] for row in np.flatnonzero(here & (state["node_n_accelerators"] > 0))[:3]]
            hint = f"the site has {', '.join(named)}, ..." if named else "the site has no rack with accelerators"
            return [], [Issue(f"{where}.racks", f"no free rack is like {place.racks!r}", hint)]
    kinds = sorted({state.parts[code] for code in np.unique(state["node_accelerator"][usable]) if code >= 0})
    if place.accelerator is not None:
        if place.accelerator not in kinds:
            have = ", ".join(kinds) or "no free accelerators"
            whose = "the site has" if place.racks is None else f"racks like {place.racks!r} have"
            return [], [Issue(where, f"no free {place.accelerator} that is up", f"{whose} {have}")]
        kinds = [place.accelerator]
    if place.micro_batch_s is not None and len(kinds) > 1:
        return [], [
            Issue(f"{where}.micro_batch_s", f"one measured time for {', '.join(kinds)}", "name the accelerator")
        ]
    left = place.n_accelerators if place.n_accelerators is not None else int(free[usable].sum())
    offers: list[Offer] = []
    for kind in kinds:
        if not left:
            break
        rows = np.flatnonzero(usable & (state["node_accelerator"] == state.parts.index(kind)))
        n_domain = min(int(reader.part(kind, "n_nvlink_domain")), int(free[rows].max(initial=1)))
        if tp > n_domain:
            problem = f"tp {tp} goes beyond the NVLink domain of {n_domain} ({kind} in {place.site})"
            return [], [Issue(f"jobs[{job.id}].parallelism.tp", problem, f"tp up to {n_domain}")]
        n_here = int(free[rows].sum())
        if min(left, n_here) > MAX_PLACED:
            return [], [Issue(where, f"more than {MAX_PLACED:,} accelerators of one kind", "state a smaller number")]
        rack, domain = _tensor_groups(rows, free[rows], n_domain, tp)
        fits = min(left, len(rack))
        # of a stated number the next kind may take the rest; of "all" the rest of this kind sits idle
        whole = place.n_accelerators is None or kind == kinds[-1]
        took = fits if whole else fits // size * size
        offered = min(left, n_here) if whole else took
        used = np.bincount(rack[:took], minlength=len(taken))
        # what is too small for a group in a domain joins no other domain's rest
        stranded = used // (n_domain // tp * tp) * (n_domain % tp)
        taken += used + np.maximum(stranded, _idle(rows, free, rack[:took], offered - took, len(taken)))
        left -= offered
        offers.append(Offer(place.site, kind, rack[:took], domain[:took], offered, place))
    n_whole = sum(len(offer.rack) // size * size for offer in offers)
    n_free = int(free[usable].sum())
    if not n_whole:
        return [], [Issue(where, f"no whole {unit} of {size} accelerators fits", f"{n_free} are free and up")]
    if place.n_accelerators is not None and place.n_accelerators - n_whole >= size:
        hint = f"the site has {n_free} free and up, each {unit} of {size} of one kind, tensor ranks on one NVLink"
        return [], [Issue(where, f"{place.n_accelerators} accelerators asked for, {n_whole} placed", hint)]
    return offers, []


def _idle(rows: Ints, free: Ints, rack: Ints, n: int, n_nodes: int) -> Ints:
    """Accelerators by node that are taken without work: the first `n` that no tensor group has."""
    rest = free[rows] - np.bincount(rack, minlength=n_nodes)[rows]
    before = np.cumsum(rest) - rest
    out = np.zeros(n_nodes, dtype=np.int64)
    out[rows] = np.clip(n - before, 0, rest)
    return out


def _like(ids: tuple[str, ...], usable: Bools, pattern: str) -> Bools:
    """Racks of a placement: the one of exactly that id, else those that the pattern matches."""
    rows = np.flatnonzero(usable)
    exact = any(ids[row] == pattern for row in rows)
    out = np.zeros(len(ids), dtype=bool)
    for row in rows:
        out[row] = ids[row] == pattern if exact else fnmatchcase(ids[row], pattern)
    return out


def _tensor_groups(rows: Ints, free: Ints, n_domain: int, tp: int) -> tuple[Ints, Ints]:
    """(rack, domain) of each accelerator that lies in a whole tensor group, rack by rack and domain by domain."""
    per_domain = n_domain // tp * tp
    n_used = free // n_domain * per_domain + free % n_domain // tp * tp
    n_domains = -(-free // n_domain)
    first = np.cumsum(n_used) - n_used
    index = np.arange(int(n_used.sum())) - np.repeat(first, n_used)
    domain = np.repeat(np.cumsum(n_domains) - n_domains, n_used) + index // per_domain
    return np.repeat(rows, n_used), domain


def by_replica(job: TrainingJob, found: list[Offer]) -> tuple[list[PlacedGroup], list[Issue]]:
    """Whole blocks of replicas of one kind each."""
    size, pp = block_size(job), job.parallelism.pp
    groups = []
    for offer in found:
        n = len(offer.rack) // size
        if n:
            n_replicas = n * (size // n_per_replica(job))
            rack, domain = offer.rack[: n * size], offer.domain[: n * size]
            groups.append(PlacedGroup(offer.site, offer.accelerator, n_replicas, rack, domain, 0, pp, offer.place))
    return groups, []


def by_stage(job: TrainingJob, found: list[Offer]) -> tuple[list[PlacedGroup], list[Issue]]:
    """Replicas whose stages are dealt out to the groups so that as many as possible fit."""
    cut = job.parallelism
    n_group = block_size(job) // cut.pp
    # a kind too few for one stage sits idle
    order = sorted((o for o in found if len(o.rack) >= n_group), key=lambda offer: (offer.site, offer.accelerator))
    where = f"jobs[{job.id}].placement"
    if cut.n_virtual_stages > 1 and len({offer.site for offer in order}) > 1:
        where = f"jobs[{job.id}].parallelism.n_virtual_stages"
        return [], [Issue(where, "stages interleaved over sites feed one another over every crossing again", "1")]
    if len(order) > cut.pp:
        return [], [Issue(where, f"{len(order)} kinds and sites for {cut.pp} pipeline stages", "fewer, or a larger pp")]
    stages = [1] * len(order)
    for _ in range(cut.pp - len(order)):
        best = max(range(len(order)), key=lambda i: (len(order[i].rack) / (stages[i] + 1), -i))
        stages[best] += 1
    n = min(len(offer.rack) // (n_group * k) for offer, k in zip(order, stages, strict=True))
    if not n:
        return [], [Issue(where, f"no whole {_unit(job)} of {block_size(job)} accelerators fits over the sites")]
    groups, first = [], 0
    for offer, k in zip(order, stages, strict=True):
        took = n * n_group * k
        n_replicas = n * (n_group // (cut.tp * cut.cp))
        rack, domain = offer.rack[:took], offer.domain[:took]
        groups.append(PlacedGroup(offer.site, offer.accelerator, n_replicas, rack, domain, first, k, offer.place))
        first += k
    return groups, []


def block_size(job: TrainingJob) -> int:
    """Accelerators of a replica, or of as many as share the experts of their layers."""
    return n_per_replica(job) * layout_of(job, 1).n_block_replicas


def _unit(job: TrainingJob) -> str:
    n = layout_of(job, 1).n_block_replicas
    return "replica" if n == 1 else f"block of {n} replicas"


def pace_of(group: PlacedGroup, job: TrainingJob, reader: FigureReader) -> Pace:
    """The group's accelerator at the job's precision, in NVLink domains as large as the racks have them."""
    pace = Pace.of(lambda name: reader.part(group.accelerator, name), job.precision)
    return replace(pace, n_domain=min(pace.n_domain, group.n_domain))


@dataclass(frozen=True, slots=True)
class Nearness:
    """How many ranks of each group share an NVLink domain, in the worst group of a group."""

    n_context: int
    n_expert: int
    n_data: int
    """Of the context ranks of a block, which reduce gradients before blocks do."""
    boundary: bool
    """Every boundary of the group's stages lies within a domain; those to another group do not."""


def nearness(group: PlacedGroup, job: TrainingJob) -> Nearness:
    """Of a group's ranks as they lie."""
    cut, k = job.parallelism, layout_of(job, 1).n_block_replicas
    domain = group.domain
    first = domain[:: cut.tp]
    width = cut.tp * cut.cp * k
    by_stage = domain.reshape(-1, group.n_stages, width)
    return Nearness(
        _least_run(first.reshape(-1, cut.cp)),
        _least_run(domain.reshape(-1, cut.ep)),
        _least_run(first.reshape(-1, cut.cp * k)),
        group.n_stages == cut.pp and bool((by_stage[:, 1:] == by_stage[:, :-1]).all()),
    )


def _least_run(groups: Ints) -> int:
    """The least number of equal values in a row of a table whose rows never fall."""
    if groups.shape[1] < 2:
        return 1
    new = np.ones(groups.shape, dtype=bool)
    new[:, 1:] = groups[:, 1:] != groups[:, :-1]
    starts = np.flatnonzero(new.ravel())
    return int(np.diff(np.append(starts, groups.size)).min())


def cross_racks(groups: Ints, n_nodes: int) -> tuple[Ints, Ints, Floats]:
    """(rack, other rack, pairs) of ranks of one group in different racks; `groups` holds racks, a group a row."""
    n_groups, n_ranks = groups.shape
    keys, counts = np.unique(np.repeat(np.arange(n_groups), n_ranks) * n_nodes + groups.ravel(), return_counts=True)
    group = keys // n_nodes
    per_group = np.bincount(group, minlength=n_groups)
    first = np.cumsum(per_group) - per_group
    here = np.repeat(np.arange(len(keys)), per_group[group])
    start = np.cumsum(per_group[group]) - per_group[group]
    there = first[group[here]] + np.arange(len(here)) - start[here]
    apart = keys[here] != keys[there]
    here, there = here[apart], there[apart]
    return keys[here] % n_nodes, keys[there] % n_nodes, (counts[here] * counts[there]).astype(np.float64)
