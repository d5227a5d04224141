"""A slow, obvious twin of hashing: flows that are drawn one by one, and every hash in turn."""

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from tests.naive import Link, next_hops, shortest_distances, unit_loads


def chance_none_fuller(n_flows: int, n_links: int, at_most: int) -> Fraction:
    """Every way to put the flows on the links, one link after the other, in exact fractions."""
    if n_links == 0:
        return Fraction(int(n_flows == 0))
    if n_flows > n_links * at_most:
        return Fraction(0)
    chance = Fraction(0)
    for here in range(min(n_flows, at_most) + 1):
        ways = math.comb(n_flows, here) * Fraction(1, n_links) ** here * (1 - Fraction(1, n_links)) ** (n_flows - here)
        chance += ways * chance_none_fuller(n_flows - here, n_links - 1, at_most)
    return chance


def polarised_fractions(entries: Sequence[tuple[int, int]]) -> list[Fraction]:
    """Part of all hashes that takes each (tail, head) link of a route, hash after hash; the source comes first."""
    nexts = {node: [i for i, (tail, _) in enumerate(entries) if tail == node] for node, _ in entries}
    n_hashes = math.lcm(*map(len, nexts.values()))
    taken = [0] * len(entries)
    for hashed in range(n_hashes):
        node = entries[0][0]
        while node in nexts:
            link = nexts[node][hashed % len(nexts[node])]
            taken[link] += 1
            node = entries[link][1]
    return [Fraction(n, n_hashes) for n in taken]


def unit_fractions(entries: Sequence[tuple[int, int]]) -> list[float]:
    """Part of one unit on each (tail, head) link of a route if every node splits it evenly; the source comes first."""
    at: dict[int, float] = defaultdict(float, {entries[0][0]: 1.0})
    found = []
    for tail, head in entries:
        part = at[tail] / sum(other == tail for other, _ in entries)
        found.append(part)
        at[head] += part
    return found


def present_fractions(entries: Sequence[tuple[int, int]]) -> list[float]:
    """Smaller of the parts of the first and of the last links that share a path with each link."""
    fraction, target = unit_fractions(entries), entries[-1][1]

    def paths_from(node: int) -> list[list[int]]:
        nexts = [i for i, (tail, _) in enumerate(entries) if tail == node]
        return [[]] if node == target else [[i, *rest] for i in nexts for rest in paths_from(entries[i][1])]

    paths, found = paths_from(entries[0][0]), []
    for i, (tail, head) in enumerate(entries):
        parts = [sum(fraction[j] for j in {path[end] for path in paths if i in path}) for end in (0, -1)]
        found.append(1.0 if tail == entries[0][0] or head == target else min(parts))
    return found


class Fabric(NamedTuple):
    """Cards are the first nodes; ends and capacity are by link, parallel links one by one."""

    n_cards: int
    n_nodes: int
    ends: Sequence[tuple[int, int]]
    capacity: Sequence[float]

    def toward(self, target: int) -> tuple[dict[int, list[int]], dict[int, dict[int, Fraction]]]:
        """(arcs on shortest paths to a switch, loads of one unit), by the node that it leaves."""
        links, cards = [Link(a, b, Fraction(1)) for a, b in self.ends], frozenset(range(self.n_cards))
        distance = shortest_distances(self.n_nodes, links, target, cards)
        switches = range(self.n_cards, self.n_nodes)
        arcs_out = {v: [arc for arc, _, _ in next_hops(links, distance, v, cards)] for v in switches}
        return arcs_out, {v: unit_loads(links, distance, v, cards) for v in switches}


def drawn_efficiencies(
    fabric: Fabric, pairs: Sequence[tuple[int, int]], sizes: Sequence[float], flows: tuple[str, int], n_draws: int
) -> list[float]:
    """Even time over the time of the busiest link, flow after flow; `flows`: mode and flows per pair."""
    draw, (mode, n_flows) = random.Random(n_draws), flows
    card_arc = {a: 2 * link for link, (a, _) in enumerate(fabric.ends) if a < fabric.n_cards}
    card_arc |= {b: 2 * link + 1 for link, (_, b) in enumerate(fabric.ends) if b < fabric.n_cards}
    head = [node for a, b in fabric.ends for node in (b, a)]
    toward = {switch: fabric.toward(switch) for switch in {head[arc] for arc in card_arc.values()}}

    even: dict[int, float] = defaultdict(float)
    for (a, b), size in zip(pairs, sizes, strict=True):
        even[card_arc[a]] += size
        even[card_arc[b] ^ 1] += size
        for arc, fraction in toward[head[card_arc[b]]][1][head[card_arc[a]]].items():
            even[arc] += size * float(fraction)
    found = []
    for _ in range(n_draws):
        load: dict[int, float] = defaultdict(float)
        n_on: dict[int, int] = defaultdict(int)
        waiting = [(a, b, size / n_flows) for (a, b), size in zip(pairs, sizes, strict=True) for _ in range(n_flows)]
        draw.shuffle(waiting)
        for a, b, size in waiting:
            node, target, hashed = head[card_arc[a]], head[card_arc[b]], draw.randrange(10**9)
            load[card_arc[a]] += size
            load[card_arc[b] ^ 1] += size
            while node != target:
                arcs_out = toward[target][0][node]
                if mode == "polarised":
                    arc = arcs_out[hashed % len(arcs_out)]
                elif mode == "dlb":
                    least = min(n_on[arc] for arc in arcs_out)
                    arc = draw.choice([arc for arc in arcs_out if n_on[arc] == least])
                else:
                    arc = draw.choice(arcs_out)
                load[arc] += size
                n_on[arc] += 1
                node = head[arc]
        even_s, busy_s = (max(n / fabric.capacity[arc >> 1] for arc, n in each.items()) for each in (even, load))
        found.append(even_s / busy_s)
    return found
