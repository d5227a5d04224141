"""Distances and single traces of a router: by hand, asked twice, and beyond the room of its first arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.traffic.routes import members_by_arc
from tests.training.cases import state_of
from twin.arrays import State
from twin.traffic.routing import Router, links_with_share


def diamond(first_weight: float = 1.0, **fields: Any) -> State:
    """From a over b (two members) or c to d; e is alone. Links ab, ac, bd, cd."""
    nodes = [{"id": name, "kind": "leaf"} for name in "abcde"]
    links = [{"id": "".join(pair), "ends": list(pair)} | fields for pair in ("ab", "ac", "bd", "cd")]
    links[0] = links[0] | {"n_parallel": 2, "weight": first_weight}
    return state_of({"nodes": nodes, "links": links})[0]


@pytest.mark.parametrize("weight", [0.25, 1.0, 7.0])
@pytest.mark.parametrize("max_bytes", [0, 400_000_000])
def test_equal_weights_count_hops(weight: float, max_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Router, "MAX_BYTES", max_bytes)
    state = diamond(weight, weight=weight)
    router = Router(state, state["link_up"])
    for _ in range(3):
        assert router.distances_to(3).tolist() == [2.0, 1.0, 1.0, 0.0, np.inf]
        assert router.distances_to(4).tolist() == [np.inf] * 4 + [0.0]


@pytest.mark.parametrize("max_bytes", [0, 400_000_000])
def test_other_weights_add_up(max_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Router, "MAX_BYTES", max_bytes)
    state = diamond(0.125, weight=0.25)
    router = Router(state, state["link_up"])
    for _ in range(3):
        assert router.distances_to(3).tolist() == [0.375, 0.25, 0.25, 0.0, np.inf]
        assert router.distances_to(1).tolist() == [0.125, 0.0, 0.375, 0.25, np.inf]


def test_the_cache_of_distances_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five nodes by hops are 10 bytes a target: three targets in 30 bytes; with weights 40 bytes each."""
    monkeypatch.setattr(Router, "MAX_BYTES", 30)
    state = diamond()
    router = Router(state, state["link_up"])
    for target in range(5):
        router.distances_to(target)
    assert sorted(router._distances) == [0, 1, 2]
    monkeypatch.setattr(Router, "MAX_BYTES", 79)
    state = diamond(0.5)
    router = Router(state, state["link_up"])
    for target in range(5):
        router.distances_to(target)
    assert sorted(router._distances) == [0]


def test_a_trace_divides_by_the_share_of_arcs() -> None:
    state = diamond()
    router = Router(state, state["link_up"])
    arc, fraction = router.trace(members_by_arc(state), 0, 3)
    assert dict(zip(arc.tolist(), fraction.tolist(), strict=True)) == pytest.approx(
        {0: 2 / 3, 2: 1 / 3, 4: 2 / 3, 6: 1 / 3}
    )
    assert [len(part) for part in router.trace(members_by_arc(state), 0, 4)] == [0, 0]
    one_way = members_by_arc(state)
    one_way[1] = 0.0
    arc, fraction = router.trace(one_way, 0, 3)
    assert (arc.tolist(), fraction.tolist()) == ([2, 6], [1.0, 1.0]), "a link needs a share in both directions"


def test_new_shares_of_all_arcs_are_seen() -> None:
    """Two to one, then two to three, then two to one again, with another share of each arc every time."""
    state = diamond()
    router = Router(state, state["link_up"])
    found = []
    for first, second, other in ((2.0, 1.0, 5.0), (4.0, 6.0, 7.0), (2.0, 1.0, 5.0), (8.0, 4.0, 5.0)):
        share = np.repeat([first, second, other, other], 2)
        found.append(router.routes(share, np.array([0]), np.array([3])).loads(np.array([30.0]))[::2].tolist())
    twice, half = [20.0, 10.0, 20.0, 10.0], [12.0, 18.0, 12.0, 18.0]
    assert found == [pytest.approx(want) for want in (twice, half, twice, twice)]


def test_links_have_a_share_in_both_directions() -> None:
    assert links_with_share(np.array([1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.5, 2.0])).tolist() == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_a_route_of_many_arcs_is_whole() -> None:
    """1100 squares in a row: 4400 arcs with half of the traffic each, more than the room of the first arrays."""
    n = 1100
    nodes = [{"id": f"n{i:04d}", "kind": "leaf"} for i in range(3 * n + 1)]
    ends = [(3 * i + a, 3 * i + b) for i in range(n) for a, b in ((0, 1), (0, 2), (1, 3), (2, 3))]
    links = [{"id": f"l{i:04d}", "ends": [f"n{a:04d}", f"n{b:04d}"]} for i, (a, b) in enumerate(ends)]
    state = state_of({"nodes": nodes, "links": links})[0]
    router = Router(state, state["link_up"])
    arc, fraction = router.trace(members_by_arc(state), 0, 3 * n)
    assert sorted(arc.tolist()) == list(range(0, 8 * n, 2))
    assert set(fraction.tolist()) == {0.5}
    routes = router.routes(members_by_arc(state), np.array([0]), np.array([3 * n]))
    assert routes.loads(np.array([2.0])).reshape(-1, 2).tolist() == [[1.0, 0.0]] * (4 * n)


@pytest.mark.parametrize("first_weight", [1.0, 0.5])
@pytest.mark.parametrize("missing", [[], [0], [2], [0, 1], [2, 3], [0, 3]])
def test_a_router_that_starts_from_a_larger_one_finds_the_same(first_weight: float, missing: list[int]) -> None:
    state = diamond(first_weight)
    lit, share = np.ones(4, np.bool_), members_by_arc(state)
    source, target = np.array([0, 1, 0]), np.array([3, 2, 4])
    larger = Router(state, lit)
    larger.routes(share, source, target)
    lit = lit.copy()
    lit[missing] = False
    small, fresh = Router(state, lit), Router(state, lit)
    small.start_from(larger)
    for node in range(state.n_nodes):
        assert small.distances_to(node).tolist() == fresh.distances_to(node).tolist()
    found, expected = (router.routes(share, source, target) for router in (small, fresh))
    assert found.trace_arc.tolist() == expected.trace_arc.tolist()
    assert found.trace_fraction.tolist() == expected.trace_fraction.tolist()
    assert found.arc.tolist() == expected.arc.tolist()
    amount = np.array([3.0, 5.0, 7.0])
    assert found.loads(amount).tolist() == expected.loads(amount).tolist()
    assert found.loads(amount)[found.arc].tolist() == found.loads_by_row(amount).tolist()
