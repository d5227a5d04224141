"""A Jellyfish: switches joined at random, each to the same number of others.

Source: Singla, Hong, Popa and Godfrey, Jellyfish: networking data centers randomly, NSDI 2012.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from twin.errors import TopologyError
from twin.model.network import Expansion

from .generator import Generator, padded
from .hosts import SwitchFabric, hosts_of, switch, switch_link

MAX_TRIALS = 100
"""Drawings until one has no loop and no pair twice that cannot be swapped away."""


class Jellyfish(SwitchFabric):
    """Parameters of a random regular graph of switches."""

    n_switches: Annotated[int, Field(ge=2, le=100_000)]
    """Switches."""
    n_neighbours: Annotated[int, Field(ge=1, le=10_000)]
    """Other switches that each switch is linked to; times the switches an even number."""
    n_hosts_per_switch: Annotated[int, Field(ge=0, le=10_000)] = 1
    """Hosts on each switch."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    """Seed of the drawing."""


def size(params: Jellyfish) -> tuple[int, int]:
    """Count nodes and links: switches * (1 + hosts), and switches * (neighbours / 2 + hosts)."""
    n, hosts = params.n_switches, params.n_hosts_per_switch
    return n * (1 + hosts), n * params.n_neighbours // 2 + n * hosts


def top_tier(block: str, params: Jellyfish) -> tuple[str, ...]:
    """Return all switches."""
    return tuple(padded(f"{block}/switch-", params.n_switches))


def build(block: str, params: Jellyfish) -> Expansion:
    """Build nodes `block/switch-01`, `block/host-01-1` and the links between them."""
    names = top_tier(block, params)
    nodes = [switch(name, "switch", params, params.part) for name in names]
    links = [switch_link(names[a], names[b], params) for a, b in random_pairs(params)]
    hosts, host_links = hosts_of(block, names, params.n_hosts_per_switch, params)
    return Expansion((*nodes, *hosts), (*links, *host_links))


def random_pairs(params: Jellyfish) -> list[tuple[int, int]]:
    """Draw the pairs of linked switches, ascending: each switch in the same number of pairs, no pair twice.

    Ports are paired at random. A pair of a switch with itself, or one that stands twice, swaps ends with random pairs
    until both are good.

    Raises:
        TopologyError: no such graph exists, or the drawing does not end.
    """
    n, degree = params.n_switches, params.n_neighbours
    if degree >= n or n * degree % 2:
        raise TopologyError(
            f"{n} switches with {degree} neighbours each",
            expected="fewer neighbours than switches, and an even product of the two",
        )
    draw = np.random.Generator(np.random.PCG64(params.seed))
    if 2 * degree > n - 1 and degree < n - 1:  # the graph of missing links is sparser, so it is drawn
        missing = set(_draw(n, n - 1 - degree, draw))
        return [(a, b) for a in range(n) for b in range(a + 1, n) if (a, b) not in missing]
    if degree == n - 1:
        return [(a, b) for a in range(n) for b in range(a + 1, n)]
    return _draw(n, degree, draw)


def _draw(n: int, degree: int, draw: np.random.Generator) -> list[tuple[int, int]]:
    ports = np.repeat(np.arange(n), degree)
    for _ in range(MAX_TRIALS):
        pairs = _swapped([(int(a), int(b)) for a, b in draw.permutation(ports).reshape(-1, 2)], draw)
        if pairs is not None:
            return sorted(pairs)
    raise TopologyError(f"no random graph of {n} switches with {degree} neighbours after {MAX_TRIALS} drawings")


def _swapped(drawn: list[tuple[int, int]], draw: np.random.Generator) -> set[tuple[int, int]] | None:
    """Pairs with the smaller number first, bad ones swapped away; None if swaps do not end."""
    good: dict[tuple[int, int], int] = {}
    order: list[tuple[int, int]] = []
    bad: list[tuple[int, int]] = []
    for a, b in drawn:
        pair = (a, b) if a < b else (b, a)
        if a == b or pair in good:
            bad.append(pair)
        else:
            good[pair] = len(order)
            order.append(pair)
    for _ in range(1000 * len(bad) + 1):
        if not bad:
            return set(order)
        if not order:
            return None
        a, b = bad[-1]
        c, d = order[int(draw.integers(len(order)))]
        if draw.integers(2):
            c, d = d, c
        swapped = [(min(a, c), max(a, c)), (min(b, d), max(b, d))]
        if a == c or b == d or swapped[0] == swapped[1] or any(pair in good for pair in swapped):
            continue
        bad.pop()
        place = good.pop((min(c, d), max(c, d)))
        order[place] = swapped[0]
        good[swapped[0]] = place
        good[swapped[1]] = len(order)
        order.append(swapped[1])
    return None


JELLYFISH = Generator(
    Jellyfish, size, build, "Switches joined at random, each to the same number of others, with hosts.", top_tier
)
