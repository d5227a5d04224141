"""Networks whose failures are swept, and the same failures one by one with everything routed anew."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from tests import naive
from tests.naive import Link
from twin.failures.fabric import Fabric
from twin.failures.sweep import FailureLoads

Kept = dict[int, Fraction]
"""What is left of links."""


class Case(NamedTuple):
    """A network in the layout of the naive twin, all its links up."""

    n_nodes: int
    links: list[Link]
    hosts: frozenset[int]
    capacity: list[tuple[int, int]]
    members: list[int]
    demands: list[tuple[int, int, Fraction]]

    @property
    def fabric(self) -> Fabric:
        back = [link.back or (link.weight, link.share) for link in self.links]
        source, target = (np.array([demand[i] for demand in self.demands], dtype=np.int64) for i in (0, 1))
        return Fabric(
            forwards=np.array([node not in self.hosts for node in range(self.n_nodes)]),
            ends=np.array([(link.a, link.b) for link in self.links], dtype=np.int64).reshape(-1, 2),
            weight=np.array(
                [(link.weight, other[0]) for link, other in zip(self.links, back, strict=True)], float
            ).ravel(),
            share=np.array(
                [(link.share, other[1]) for link, other in zip(self.links, back, strict=True)], float
            ).ravel(),
            capacity_gbps=np.array(self.capacity, float).ravel(),
            n_members=np.array(self.members, dtype=np.int64),
            source=source,
            target=target,
            offered_gbps=np.array([float(demand[2]) for demand in self.demands]),
        )

    def after(self, kept: Kept) -> tuple[np.ndarray, float, int]:
        """(load by arc that would use the whole capacity as much, demand without a path, number of such demands)."""
        links = []
        for i, link in enumerate(self.links):
            ratio = kept.get(i, Fraction(1))
            back = link.back and (link.back[0], link.back[1] * ratio)
            links.append(link._replace(up=ratio > 0, share=link.share * ratio, back=back))
        load, lost = routed(self.n_nodes, links, self.demands, self.hosts)
        out = np.array([load.get(arc, 0.0) / float(kept.get(arc // 2) or 1) for arc in range(2 * len(links))])
        return out, float(sum(lost)), len(lost)


def routed(
    n_nodes: int, links: list[Link], demands: list[tuple[int, int, Fraction]], hosts: frozenset[int]
) -> tuple[dict[int, float], list[Fraction]]:
    """Load by arc, and the demands without a path: `naive.place_demands` in one pass for each destination."""
    arcs = naive.arcs(links)
    out: list[list[tuple[int, int, int, float]]] = [[] for _ in range(n_nodes)]
    into: list[list[tuple[int, int]]] = [[] for _ in range(n_nodes)]
    for arc, tail, head, link in arcs:
        weight = int(link.weight * 10)
        out[tail].append((arc, head, weight, float(link.share)))
        into[head].append((tail, weight))
    load: dict[int, float] = defaultdict(float)
    lost = []
    for target in sorted({demand[1] for demand in demands}):
        distance, order, heap = {target: 0}, [], [(0, target)]
        while heap:
            near, node = heapq.heappop(heap)
            if near > distance[node] or node in order:
                continue
            order.append(node)
            for tail, weight in into[node] if node == target or node not in hosts else ():
                if near + weight < distance.get(tail, near + weight + 1):
                    distance[tail] = near + weight
                    heapq.heappush(heap, (near + weight, tail))
        flow: dict[int, float] = defaultdict(float)
        for source, to, amount in demands:
            if to == target and source in distance:
                flow[source] += float(amount)
            elif to == target:
                lost.append(amount)
        for node in order[:0:-1]:
            hops = [
                hop
                for hop in out[node]
                if distance.get(hop[1], math.inf) + hop[2] == distance[node]
                and (hop[1] == target or hop[1] not in hosts)
            ]
            shares = sum(hop[3] for hop in hops)
            for arc, head, _, share in hops:
                load[arc] += flow[node] * share / shares
                flow[head] += flow[node] * share / shares
    return load, lost


def check(case: Case, failures: Sequence[Kept], loads: FailureLoads) -> None:
    """Compare a sweep with all of its failures routed anew; every cause that it names is looked at."""
    capacity = np.array(case.capacity, float).ravel()
    total = float(sum(demand[2] for demand in case.demands)) or 1.0
    intact, lost_before, n_before = case.after({})
    found = [case.after(kept) for kept in failures]
    np.testing.assert_allclose(loads.intact_gbps, intact, rtol=1e-12, atol=1e-13 * total)
    greatest = np.max([intact, *(load for load, _, _ in found)], axis=0)
    np.testing.assert_allclose(loads.greatest_gbps, greatest, rtol=1e-12, atol=1e-13 * total)
    for f, (load, lost, n_lost) in enumerate(found):
        assert abs(loads.lost_gbps[f] - (lost - lost_before)) <= 1e-12 * total
        assert loads.n_lost[f] == n_lost - n_before
        ratio = load / capacity
        assert abs(loads.worst_ratio[f] - ratio.max(initial=0.0)) <= 1e-12 * max(ratio.max(initial=0.0), total / 1e3)
        if ratio.max(initial=0.0) > 1e-9:
            assert abs(ratio[loads.worst_arc[f]] - ratio.max()) <= 1e-12 * ratio.max()
        else:
            assert loads.worst_arc[f] == -1
    for arc, cause in enumerate(loads.cause.tolist()):
        of_cause = intact if cause < 0 else found[cause][0]
        assert abs(of_cause[arc] - greatest[arc]) <= 1e-12 * greatest[arc] + 1e-13 * total
        if greatest[arc] <= intact[arc] * (1 + 1e-14):
            assert cause == -1, "the intact network comes first"


def small(rng: np.random.Generator, top: int) -> Fraction:
    return Fraction(int(rng.integers(1, top)))


def some_demands(rng: np.random.Generator, ends: Sequence[int]) -> list[tuple[int, int, Fraction]]:
    part = rng.choice([0.3, 1.0])
    pairs = [(a, b) for a in ends for b in ends if a != b and rng.random() < part]
    return [(a, b, Fraction(int(rng.integers(1, 1000)), 8)) for a, b in pairs]


def random_case(seed: int) -> Case:
    """A multigraph: weights in tenths, shares and capacities by direction, hosts, parts without a way between."""
    rng = np.random.default_rng(seed)
    n, links = int(rng.integers(3, 10)), []
    for _ in range(int(rng.integers(2, 18))):
        a, b = (int(node) for node in rng.choice(n, 2, replace=False))
        top = [2, 3, 6][seed % 3]
        back = (small(rng, top) / 10, small(rng, 4)) if seed % 2 else None
        links.append(Link(a, b, small(rng, top) / 10, True, small(rng, 4) if seed % 4 > 1 else Fraction(1), back))
    ends = np.sort(rng.choice(n, int(rng.integers(2, n + 1)), replace=False)).tolist()
    hosts = frozenset(rng.permutation(n)[: int(rng.integers(0, 3))].tolist())
    return finish(rng, n, links, hosts, ends, seed % 5 == 0)


def finish(
    rng: np.random.Generator, n: int, links: list[Link], hosts: frozenset[int], ends: list[int], uneven: bool
) -> Case:
    capacity = [(int(rng.integers(1, 5)), int(rng.integers(1, 5))) if uneven else (2, 2) for _ in links]
    members = [int(rng.integers(1, 4)) if uneven else 2 for _ in links]
    return Case(n, links, hosts, capacity, members, some_demands(rng, ends))


def blown_up_case(seed: int) -> Case:
    """A small graph whose nodes are replaced by sets of twins, then cut a little."""
    rng = np.random.default_rng((seed, 1))
    sizes = rng.integers(1, 5, int(rng.integers(3, 6)))
    start = np.concatenate(([0], np.cumsum(sizes))).tolist()
    links = []
    for a in range(len(sizes)):
        for b in range(a + 1, len(sizes)):
            if rng.random() < 0.6:
                weight, back, copies = small(rng, 3) / 10, (small(rng, 3) / 10, small(rng, 3)), int(rng.integers(1, 3))
                for i in range(start[a], start[a + 1]):
                    for j in range(start[b], start[b + 1]):
                        links += [Link(i, j, weight, True, Fraction(2), back if seed % 2 else None)] * copies
    links = damaged(rng, links) or [Link(0, 1, Fraction(1))]
    ends = [node for a in range(len(sizes)) if rng.random() < 0.5 for node in range(start[a], start[a + 1])]
    hosts = frozenset(range(start[0], start[1])) if seed % 3 == 0 else frozenset()
    return shuffled(rng, finish(rng, start[-1], links, hosts, ends if len(ends) > 1 else [0, 1], False))


def planes_case(seed: int) -> Case:
    """End points, and copies of a part that are attached to them alike, with twins inside; then cut a little."""
    rng = np.random.default_rng((seed, 2))
    n_ends, n_inner, n_copies, n_twins = (
        int(rng.integers(low, high)) for low, high in ((2, 6), (1, 4), (2, 5), (0, 3))
    )
    inner = [(i, j, small(rng, 3)) for i in range(n_inner) for j in range(i + 1, n_inner) if rng.random() < 0.7]
    outer = [
        (e, i, small(rng, 3), int(rng.integers(1, 3)))
        for e in range(n_ends)
        for i in range(n_inner)
        if rng.random() < 0.6
    ]
    links, n = [], n_ends
    for _ in range(n_copies):
        links += [Link(n + i, n + j, weight) for i, j, weight in inner]
        links += [Link(e, n + i, weight) for e, i, weight, copies in outer for _ in range(copies)]
        links += [Link(n + n_inner + t, n + i, Fraction(1)) for t in range(n_twins) for i in range(n_inner)]
        n += n_inner + n_twins
    if rng.random() < 0.4:
        links.append(Link(0, 1, small(rng, 4)))
    links = damaged(rng, links) or [Link(0, 1, Fraction(1))]
    return shuffled(rng, finish(rng, n, links, frozenset(), list(range(n_ends)), False))


def clos_case(seed: int) -> Case:
    """A fat tree of uneven sizes with racks that forward or not, weights by tier, shares by plane, a few links down."""
    rng = np.random.default_rng((seed, 3))
    n_pods, n_leaves, n_aggs, n_cores = (int(rng.integers(low, high)) for low, high in ((2, 4), (2, 4), (2, 4), (1, 4)))
    share, copies, weights = rng.choice([1, 2, 3], n_aggs), int(rng.integers(1, 3)), (small(rng, 4), small(rng, 4))
    n_ends = n_pods * n_leaves
    core = n_ends + n_pods * n_aggs
    links = []
    for pod in range(n_pods):
        for plane in range(n_aggs):
            agg = n_ends + pod * n_aggs + plane
            for leaf in range(n_leaves):
                links += [Link(pod * n_leaves + leaf, agg, weights[0], True, Fraction(int(share[plane])))] * copies
            links += [Link(agg, core + plane * n_cores + i, weights[1]) for i in range(n_cores)]
    n = core + n_aggs * n_cores
    hosts = frozenset(range(n_ends)) if seed % 2 else frozenset()
    return shuffled(rng, finish(rng, n, damaged(rng, links), hosts, list(range(n_ends)), False))


def torn_case(seed: int) -> Case:
    """Pods of two planes, each plane two switches in a pod; some racks lost one plane, others one switch of it.

    Two racks of each pod are whole. The last switch of a pod lost a cable to a core switch in odd cases.
    """
    rng = np.random.default_rng((seed, 4))
    n_pods, n_racks = 2 + seed % 2, 5
    core, n = n_pods * (n_racks + 4), n_pods * (n_racks + 4) + 4
    links = []
    for pod in range(n_pods):
        first, agg = n_racks * pod, n_racks * n_pods + 4 * pod
        lost = [set[int](), set[int](), {0, 1}, {2, 3} if seed % 3 else {0, 1}, {int(rng.integers(4))}]
        for rack, gone in enumerate(lost):
            links += [Link(first + rack, agg + i, Fraction(1)) for i in range(4) if i not in gone]
        cables = [(i, i // 2 * 2 + j) for i in range(4) for j in range(2)]
        links += [Link(agg + i, core + j, Fraction(1)) for i, j in cables[: 8 - seed % 2]]
    return shuffled(rng, finish(rng, n, links, frozenset(), list(range(n_racks * n_pods)), False))


def damaged(rng: np.random.Generator, links: list[Link]) -> list[Link]:
    gone = set(rng.integers(0, max(len(links), 1), int(rng.integers(0, 3))).tolist())
    return [link for i, link in enumerate(links) if i not in gone]


def shuffled(rng: np.random.Generator, case: Case) -> Case:
    """Return the document with nodes and links in another order."""
    to = rng.permutation(case.n_nodes).tolist()
    order = rng.permutation(len(case.links)).tolist()
    links = [case.links[i]._replace(a=to[case.links[i].a], b=to[case.links[i].b]) for i in order]
    return Case(
        case.n_nodes,
        links,
        frozenset(to[node] for node in case.hosts),
        [case.capacity[i] for i in order],
        [case.members[i] for i in order],
        [(to[a], to[b], amount) for a, b, amount in case.demands],
    )


CASES = {"random": random_case, "twins": blown_up_case, "planes": planes_case, "clos": clos_case, "torn": torn_case}
