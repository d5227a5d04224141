"""Routes of a pattern over plain links: by hand, and beside the naive recursion."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.naive_hashing import Fabric
from tests.traffic.fabrics import Pairs, leaf_spine, routes_of
from twin.traffic.fabric_routes import pairs_array
from twin.traffic.hash_groups import HashedRoutes


def drawn(seed: int) -> tuple[Fabric, Pairs, list[float]]:
    """Switches joined at random with parallel links, cards at either end of their link, and pairs with sizes."""
    draw = random.Random(seed)
    n_cards, n_switches = 6, 5
    switches = list(range(n_cards, n_cards + n_switches))
    ends = [(switches[i], switches[(i + 1) % n_switches]) for i in range(n_switches)]
    ends += [tuple(draw.sample(switches, 2)) for _ in range(4)]  # type: ignore[misc]
    ends += [(card, draw.choice(switches)) for card in range(n_cards)]
    ends = [end if draw.random() < 0.5 else end[::-1] for end in ends]
    draw.shuffle(ends)
    capacity = [float(draw.randint(1, 9)) for _ in ends]
    pairs = [tuple(draw.sample(range(n_cards), 2)) for _ in range(12)]
    return Fabric(n_cards, n_cards + n_switches, ends, capacity), pairs, [float(draw.randint(1, 2)) for _ in pairs]  # type: ignore[return-value]


def of_route(routes: HashedRoutes, route: int) -> dict[int, float]:
    rows = slice(routes.first[route], routes.first[route + 1])
    return dict(zip(routes.link[rows].tolist(), routes.split_ratio[rows].tolist(), strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_routes_are_those_of_the_naive_recursion(seed: int) -> None:
    fabric, pairs, sizes = drawn(seed)
    routes = routes_of(fabric, pairs, sizes)
    leaf = {min(end): max(end) for end in fabric.ends if min(end) < fabric.n_cards}
    wanted: dict[tuple[int, int, float], int] = {}
    for (a, b), size in zip(pairs, sizes, strict=True):
        if leaf[a] != leaf[b]:
            key = leaf[b], leaf[a], size
            wanted[key] = wanted.get(key, 0) + 1
    assert len(routes.n_pairs) == len(wanted)
    for i, ((target, source, size), n_pairs) in enumerate(sorted(wanted.items())):
        assert (routes.n_pairs[i], routes.pair_bytes[i]) == (n_pairs, size)
        exact = fabric.toward(target)[1][source]
        assert of_route(routes, i) == {arc: pytest.approx(float(part)) for arc, part in exact.items()}
    for link, (a, b) in enumerate(fabric.ends):
        assert (routes.tail[2 * link], routes.head[2 * link]) == (a, b)
        assert (routes.tail[2 * link + 1], routes.head[2 * link + 1]) == (b, a)
    assert routes.capacity_bytes_per_s.tolist() == np.repeat(fabric.capacity, 2).tolist()
    assert (routes.n_members == 1).all()


@pytest.mark.parametrize("seed", range(20))
def test_the_busiest_card_is_that_of_a_sum_by_card(seed: int) -> None:
    """A card sends and receives at once, each at the capacity of its link."""
    fabric, pairs, sizes = drawn(seed)
    speed = {min(end): c for end, c in zip(fabric.ends, fabric.capacity, strict=True) if min(end) < fabric.n_cards}
    busy = [0.0]
    for card in range(fabric.n_cards):
        for side in (0, 1):
            busy.append(sum(size for pair, size in zip(pairs, sizes, strict=True) if pair[side] == card) / speed[card])
    assert routes_of(fabric, pairs, sizes).floor_s == pytest.approx(max(busy))


def test_pairs_of_one_leaf_have_no_route() -> None:
    routes = routes_of(leaf_spine(2, 2, 2), [(0, 1)], [5.0])
    assert (routes.first.tolist(), len(routes.link), routes.floor_s, routes.even_s) == ([0], 0, 5.0, 5.0)


def test_no_pairs() -> None:
    assert pairs_array([]).shape == (0, 2)
    assert pairs_array([(1, 2), (3, 4)]).tolist() == [[1, 2], [3, 4]]
    fabric = leaf_spine(2, 2, 2)
    routes = routes_of(fabric, pairs_array([]))  # type: ignore[arg-type]
    assert (routes.first.tolist(), routes.floor_s) == ([0], 0.0)


def test_a_switch_without_a_path_is_named() -> None:
    with pytest.raises(ValueError, match="no path from node 2 to node 3"):
        routes_of(Fabric(2, 4, [(0, 2), (1, 3)], [1.0, 1.0]), [(0, 1)])


def test_cards_need_one_link_to_a_switch() -> None:
    for ends, problem in (
        ([(0, 3), (1, 3)], "node 2 is a network card and has 0 links"),
        ([(0, 3), (2, 3), (1, 3), (3, 1)], "node 1 is a network card and has 2 links"),
        ([(0, 3), (2, 1)], "node 2 is a network card and has 1 link"),
    ):
        with pytest.raises(ValueError, match=problem):
            routes_of(Fabric(3, 4, ends, [1.0] * len(ends)), [(0, 1)])
