"""Groups of a placed job: accelerators of one kind at one site that hold whole blocks of replicas, or some stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Ints
from ..errors import Issue
from ..model.jobs import Placement, TrainingJob
from ..workload.job_arithmetic import layout_of, n_per_replica


@dataclass(frozen=True, eq=False)
class PlacedGroup:
    """Ranks on one accelerator kind at one site; `rack`, `slot` and `domain` are by accelerator, in order of ranks."""

    site: str
    accelerator: str
    n_replicas: int
    rack: Ints
    """Node row of each accelerator; int64[n_accelerators]."""
    slot: Ints
    """Number of each accelerator in its rack, from 0; int64[n_accelerators]."""
    domain: Ints
    """NVLink domain of each accelerator, numbered from 0 at each site and kind; int64[n_accelerators]."""
    first_stage: int
    n_stages: int
    """Pipeline stages in this group: all of them, or some where replicas reach over sites."""
    placement: Placement
    card_ratio: float = 1.0
    """Rate that an accelerator has on its network cards over that of a card of its own."""
    relayed_ratio: float = 0.0
    """Share of the traffic of an accelerator that goes over NVLink to the card of another one, in the worst case."""
    crosses_rails: bool = False
    """Whether exchange goes over NVLink to the cards of other rails."""
    card_gbps: float | None = None
    """Rate of a card that its racks name as their part, in the worst rack; None = that of the accelerator."""
    mixed: tuple[tuple[str, Placement], ...] = ()
    """Kinds and placements of its accelerators where a replica has several of them."""

    @property
    def n_domain(self) -> int:
        """Accelerators of the largest domain in use."""
        return int(np.bincount(self.domain).max(initial=1))

    def variants(self) -> Iterator[PlacedGroup]:
        """Yield the group as if all of its accelerators were of one of its kinds and placements, for each of them."""
        for accelerator, placement in self.mixed or ((self.accelerator, self.placement),):
            yield replace(self, accelerator=accelerator, placement=placement)


@dataclass(frozen=True, slots=True)
class AvailableGroup:
    """Accelerators of one kind that a placement takes, tensor group by tensor group, before replicas are formed."""

    site: str
    accelerator: str
    rack: Ints
    slot: Ints
    domain: Ints
    n_allocated: int
    """Accelerators taken, with those that form no whole tensor group."""
    placement: Placement

    def ranks(self, first: int, last: int) -> tuple[Ints, Ints, Ints]:
        """Return (rack, slot, domain) of a range of its accelerators."""
        return self.rack[first:last], self.slot[first:last], self.domain[first:last]


def groups_by_replica(job: TrainingJob, available: list[AvailableGroup]) -> tuple[list[PlacedGroup], list[Issue]]:
    """Form groups of whole blocks of replicas, each on one kind, and mixed blocks with placements too small for one."""
    size, pp = block_size(job), job.parallelism.pp
    groups = []
    for source in available:
        n_blocks = len(source.rack) // size
        if n_blocks:
            n_replicas = n_blocks * (size // n_per_replica(job))
            ranks = source.ranks(0, n_blocks * size)
            groups.append(PlacedGroup(source.site, source.accelerator, n_replicas, *ranks, 0, pp, source.placement))
    for site in sorted({source.site for source in available}):
        groups += _mixed_groups(job, [source for source in available if source.site == site])
    return groups, []


def _mixed_groups(job: TrainingJob, available: list[AvailableGroup]) -> Iterator[PlacedGroup]:
    """Form blocks at a site with the accelerators of placements that are too small for a whole block.

    What the other placements leave over completes the blocks. Ranks lie rack by rack.
    """
    size = block_size(job)
    whole = {source.placement for source in available if len(source.rack) >= size}
    small = [source for source in available if source.placement not in whole]
    if not small or len({source.placement for source in available}) < 2:
        return
    pool = [(source, 0) for source in small]
    pool += [(source, len(source.rack) // size * size) for source in available if source.placement in whole]
    n_ranks = [len(source.rack) - first for source, first in pool]
    n_blocks = min(sum(n_ranks) // size, -(-sum(n_ranks[: len(small)]) // size))
    if not n_blocks:
        return
    ranks = [source.ranks(first, len(source.rack)) for source, first in pool]
    rack, slot, domain = (np.concatenate(column)[: n_blocks * size] for column in zip(*ranks, strict=True))
    origin = np.repeat(np.arange(len(pool)), n_ranks)[: n_blocks * size]
    order = np.lexsort((slot, rack))
    rack, slot, domain, origin = rack[order], slot[order], domain[order], origin[order]
    starts = (np.diff(rack) != 0) | (np.diff(domain) != 0) | (np.diff(origin) != 0)
    domain = np.concatenate((np.zeros(1, np.int64), np.cumsum(starts)))
    for first in range(0, n_blocks * size, size):
        block = slice(first, first + size)
        sources = [pool[i][0] for i in np.unique(origin[block])]
        kinds = tuple(dict.fromkeys((source.accelerator, source.placement) for source in sources))
        n_replicas = size // n_per_replica(job)
        new_ranks = rack[block], slot[block], domain[block] - domain[first]
        kind, placement = kinds[0]
        mixed = kinds if len(kinds) > 1 else ()
        yield PlacedGroup(sources[0].site, kind, n_replicas, *new_ranks, 0, job.parallelism.pp, placement, mixed=mixed)


def groups_by_stage(job: TrainingJob, available: list[AvailableGroup]) -> tuple[list[PlacedGroup], list[Issue]]:
    """Form groups of pipeline stages for replicas that reach over sites, so that as many replicas as possible fit."""
    parallelism = job.parallelism
    n_block_stage = block_size(job) // parallelism.pp
    # a kind with too few accelerators for one stage stays idle
    order = sorted(
        (source for source in available if len(source.rack) >= n_block_stage),
        key=lambda source: (source.site, source.accelerator),
    )
    where = f"jobs[{job.id}].placement"
    if not order:
        return [], [Issue(where, f"no whole stage of {n_block_stage} accelerators fits at any site")]
    if parallelism.n_virtual_stages > 1 and len({source.site for source in order}) > 1:
        where = f"jobs[{job.id}].parallelism.n_virtual_stages"
        return [], [Issue(where, "stages interleaved over sites feed one another over every crossing again", "1")]
    if len(order) > parallelism.pp:
        return [], [
            Issue(where, f"{len(order)} kinds and sites for {parallelism.pp} pipeline stages", "fewer, or a larger pp")
        ]
    stages = [1] * len(order)
    for _ in range(parallelism.pp - len(order)):
        chosen = max(range(len(order)), key=lambda i: (len(order[i].rack) / (stages[i] + 1), -i))
        stages[chosen] += 1
    n_blocks = min(
        len(source.rack) // (n_block_stage * n_stages) for source, n_stages in zip(order, stages, strict=True)
    )
    if not n_blocks:
        return [], [Issue(where, f"no whole {block_label(job)} of {block_size(job)} accelerators fits over the sites")]
    groups, first_stage = [], 0
    for source, n_stages in zip(order, stages, strict=True):
        n_used = n_blocks * n_block_stage * n_stages
        n_replicas = n_blocks * (n_block_stage // (parallelism.tp * parallelism.cp))
        ranks = source.ranks(0, n_used)
        groups.append(
            PlacedGroup(source.site, source.accelerator, n_replicas, *ranks, first_stage, n_stages, source.placement)
        )
        first_stage += n_stages
    return groups, []


def block_size(job: TrainingJob) -> int:
    """Accelerators of a block: one replica, or as many as share the experts of their layers."""
    return n_per_replica(job) * layout_of(job, 1).n_block_replicas


def block_label(job: TrainingJob) -> str:
    """Name a block in messages."""
    n = layout_of(job, 1).n_block_replicas
    return "replica" if n == 1 else f"block of {n} replicas"
