"""Time of a collective over tiers of a hierarchy, in closed form: latency of its steps and bytes on its links.

In the alpha-beta model a message of m bytes over a link takes `hops * latency + m / bandwidth`. A collective is a
sequence of steps in which every member sends at once.

Sources: Chan et al. 2007 (Collective communication: theory, practice, and experience) and Thakur et al. 2005
(Optimization of collective communication operations in MPICH) for the costs of ring, direct exchange and halving and
doubling. Rabenseifner 2004 for the order of the latter (halve the vector while the distance doubles). Patarasuk & Yuan
2009 for the ring, which no all-reduce beats in bytes. Sanders, Speck & Träff 2009 for the two trees. The phases over
tiers are those of ASTRA-sim 2 (Won et al. 2023).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..catalogue import Catalogue
from ..errors import DocumentError, did_you_mean

COLLECTIVES = ("all_reduce", "reduce_scatter", "all_gather", "all_to_all")
KINDS = ("ring", "switch", "full_mesh")
ALGORITHMS = ("ring", "halving_doubling", "tree", "direct")
US_PER_BYTE_AT_1_GBPS = 8e-3


@dataclass(frozen=True, slots=True)
class Tier:
    """One level of a hierarchy: groups of `n_members`, their wiring and their algorithm.

    bandwidth_gbps: one direction of one member; on a full mesh and on a ring, of each of its links. latency_us: of one
    hop. A message crosses two hops on a switch, min(d, n - d) on a ring to a member d places away, one on a full mesh.

    Raises:
        DocumentError: a value out of range, or an algorithm that the tier cannot run.
    """

    kind: str
    n_members: int
    algorithm: str
    bandwidth_gbps: float
    latency_us: float

    def __post_init__(self) -> None:
        _check_choice("kind of tier", self.kind, KINDS)
        _check_choice("algorithm", self.algorithm, ALGORITHMS)
        if self.n_members < 1:
            raise DocumentError(f"{self.n_members} members", where="n_members", expected="1 or more")
        if not (math.isfinite(self.bandwidth_gbps) and self.bandwidth_gbps > 0):
            raise DocumentError(f"{self.bandwidth_gbps} Gb/s", where="bandwidth_gbps", expected="a number above 0")
        if not (math.isfinite(self.latency_us) and self.latency_us >= 0):
            raise DocumentError(f"{self.latency_us} µs", where="latency_us", expected="0 or more")
        if self.algorithm == "halving_doubling" and self.n_members & (self.n_members - 1):
            raise DocumentError(
                f"halving and doubling over {self.n_members} members",
                where="algorithm",
                expected="a power of two",
                hint="a ring takes any number",
            )
        if self.algorithm == "tree" and self.kind == "ring":
            raise DocumentError("trees on a ring", where="algorithm", expected="a switch or a full mesh")


@dataclass(frozen=True, slots=True)
class Collective:
    """A collective over tiers. `size_bytes` is the input of each member; of an all_gather, its contribution.

    tiers: innermost first. contention: messages of one step on the same link share it. Without contention each message
    travels as if alone (the "congestion-unaware" simulators). This matters only for direct exchange and trees on a
    switch, and for direct exchange and halving and doubling on a ring.

    Raises:
        DocumentError: an unknown collective, a negative size, or trees in an inner tier.
    """

    name: str
    size_bytes: float
    tiers: tuple[Tier, ...]
    contention: bool = True

    def __post_init__(self) -> None:
        _check_choice("collective", self.name, COLLECTIVES)
        if not (math.isfinite(self.size_bytes) and self.size_bytes >= 0):
            raise DocumentError(f"{self.size_bytes} B", where="size_bytes", expected="0 or more")
        trees = [i for i, tier in enumerate(self.tiers) if tier.algorithm == "tree"]
        if trees and (self.name != "all_reduce" or trees != [len(self.tiers) - 1]):
            raise DocumentError(
                "trees reduce and send back the whole",
                where=f"tiers[{trees[0]}].algorithm",
                expected="an all_reduce, and trees in its outermost tier only",
            )


@dataclass(frozen=True, slots=True)
class Phase:
    """Part of one tier. `name` is its collective, `n_steps` are one after another."""

    tier: int
    name: str
    n_steps: int
    latency_us: float
    transfer_us: float

    @property
    def time_us(self) -> float:
        """Sum of latency and transfer."""
        return self.latency_us + self.transfer_us


def time_us(collective: Collective) -> float:
    """Time from the first byte sent until the last member has all it needs; 0 for a single member."""
    return sum(phase.time_us for phase in phases(collective))


def phases(collective: Collective) -> tuple[Phase, ...]:
    """Phases of a collective in their order; each runs in all groups of its tier at once.

    A reduce_scatter works outwards on ever smaller shards, an all_gather inwards on ever larger ones. An all_reduce is
    a reduce_scatter followed by an all_gather, so the outermost tier carries the least. An all_to_all crosses each tier
    once with all data of a member. Tiers of one member are left out.
    """
    return tuple(_phases(collective))


def _phases(collective: Collective) -> Iterator[Phase]:
    size, contention = collective.size_bytes, collective.contention
    tiers = [(i, tier) for i, tier in enumerate(collective.tiers) if tier.n_members > 1]
    if collective.name == "all_to_all":
        for i, tier in tiers:
            yield _phase(i, tier, "all_to_all", size, contention)
        return
    if collective.name in ("all_reduce", "reduce_scatter"):
        for i, tier in tiers:
            if tier.algorithm == "tree":
                yield _trees(i, tier, size, contention)
                continue
            yield _phase(i, tier, "reduce_scatter", size, contention)
            size /= tier.n_members
    if collective.name in ("all_reduce", "all_gather"):
        for i, tier in reversed(tiers):
            if tier.algorithm != "tree":
                size *= tier.n_members
                yield _phase(i, tier, "all_gather", size, contention)


def _phase(i: int, tier: Tier, name: str, total_bytes: float, contention: bool) -> Phase:
    """Phase of one tier, for any algorithm but trees. `total_bytes`: sum of all shards of a group's member."""
    n = tier.n_members
    if tier.algorithm == "ring":
        # in an all-to-all, a block for the member k places away is forwarded k times
        carried_bytes = total_bytes * ((n - 1) / 2 if name == "all_to_all" else (n - 1) / n)
        n_steps, n_hops = n - 1, (n - 1) * _hops(tier, 1)
    elif tier.algorithm == "direct":
        n_steps, n_hops = 1, _hops(tier, n // 2)
        carried_bytes = total_bytes / n * (_contention_direct(tier) if contention else 1.0)
    else:
        distances = [1 << step for step in range(n.bit_length() - 1)]
        n_steps, n_hops, carried_bytes = len(distances), sum(_hops(tier, d) for d in distances), 0.0
        for d in distances:
            message_bytes = total_bytes / (2 if name == "all_to_all" else 2 * d)
            carried_bytes += message_bytes * (_contention_pairs(tier, d) if contention else 1.0)
    return Phase(i, name, n_steps, n_hops * tier.latency_us, _transfer_us(carried_bytes, tier))


def _trees(i: int, tier: Tier, size_bytes: float, contention: bool) -> Phase:
    """Phase of two binary trees, each for half of the bytes, cut into the number of chunks that ends first.

    A member is inside one tree and a leaf of the other, so in each round its port receives, and sends, two chunks at
    most. Chunks move up one level in a round and then down again: 2 (levels + chunks - 1) rounds.
    """
    n_levels = (tier.n_members - 1).bit_length()
    n_per_link = 2.0 if contention and tier.kind == "switch" and tier.n_members > 2 else 1.0
    latency_us, half_us = _hops(tier, 1) * tier.latency_us, n_per_link * _transfer_us(size_bytes / 2, tier)
    max_chunks = max(1, int(size_bytes / 2))
    optimal_chunks = math.sqrt((n_levels - 1) * half_us / latency_us) if latency_us else float(max_chunks)
    n_chunks = min(
        (min(max_chunks, max(1, math.floor(optimal_chunks))), min(max_chunks, max(1, math.ceil(optimal_chunks)))),
        key=lambda n: (n_levels + n - 1) * (latency_us + half_us / n),
    )
    n_rounds = 2 * (n_levels + n_chunks - 1)
    return Phase(i, "all_reduce", n_rounds, n_rounds * latency_us, n_rounds * half_us / n_chunks)


def _hops(tier: Tier, distance: int) -> int:
    """Links that a message crosses to the member that many places away."""
    if tier.kind == "ring":
        return min(distance, tier.n_members - distance)
    return 2 if tier.kind == "switch" else 1


def _contention_direct(tier: Tier) -> float:
    """Messages on the busiest link while each member sends one to each other member.

    On a ring, messages to the member halfway round use both directions.
    """
    n = tier.n_members
    if tier.kind == "ring":
        return max(1.0, (n * n // 4) / 2)
    return float(n - 1) if tier.kind == "switch" else 1.0


def _contention_pairs(tier: Tier, distance: int) -> float:
    """Messages on the busiest link while pairs at that distance exchange."""
    if tier.kind != "ring":
        return 1.0
    return max(1.0, distance / 2) if 2 * distance == tier.n_members else float(distance)


def _transfer_us(n_bytes: float, tier: Tier) -> float:
    return n_bytes * US_PER_BYTE_AT_1_GBPS / tier.bandwidth_gbps


def _check_choice(kind: str, name: str, choices: tuple[str, ...]) -> None:
    if name not in choices:
        raise DocumentError(
            f"unknown {kind} {name!r}", expected=f"one of {', '.join(choices)}", hint=did_you_mean(name, choices)
        )


@dataclass(frozen=True, slots=True)
class MeasuredAllReduce:
    """All-reduce inside one NVLink domain, fitted to measurements: a floor, a rate, and the cost of dividing the work.

    A message is cut twice, into k chunks and over c channels. It takes S/B for the bytes, S/(k c B) until the first
    chunk is through, k a for the chunks and c b for the channels. The best k and c make the last three equal, and
    together 3 (a b S/B)^(1/3). `division_us` is the geometric mean of a and b. `bandwidth_gbps` is bytes reduced over
    time of a very large message (bus bandwidth is 2 (n - 1)/n of it). The time is at least `floor_us`, that of launch
    and barrier.
    """

    floor_us: float
    bandwidth_gbps: float
    division_us: float

    def time_us(self, size_bytes: float) -> float:
        """Time of one all-reduce of that size; 0 for no bytes."""
        if size_bytes <= 0:
            return 0.0
        moving_us = size_bytes * US_PER_BYTE_AT_1_GBPS / self.bandwidth_gbps
        return max(self.floor_us, moving_us + 3.0 * float((self.division_us**2 * moving_us) ** (1 / 3)))


def nvlink_all_reduce(catalogue: Catalogue) -> MeasuredAllReduce:
    """All-reduce of eight H100 over NVLink with SHARP, fitted to NVIDIA's own measurements (see the catalogue)."""
    return MeasuredAllReduce(
        floor_us=catalogue.general_figure("nvlink_all_reduce_floor_us").value,
        bandwidth_gbps=catalogue.general_figure("nvlink_all_reduce_gbps").value,
        division_us=catalogue.general_figure("nvlink_all_reduce_division_us").value,
    )
