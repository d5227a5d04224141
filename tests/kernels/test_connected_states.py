"""Connection of pairs over probable states equals all states, and series and parallel parts by hand."""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np
import pytest

from tests import naive_states
from twin.kernels.connected_states import FIRST_ROOM, connected_states
from twin.kernels.fallible_paths import Fallible


class Case(NamedTuple):
    n_nodes: int
    ends: list[tuple[int, int]]
    parts: list[list[int]]
    """Components of each link."""
    of_node: list[int]
    hosts: frozenset[int]
    down: list[float]

    def net(self) -> Fallible:
        at = [[] for _ in range(self.n_nodes)]
        for link, (a, b) in enumerate(self.ends):
            at[a].append((link, b))
            at[b].append((link, a))
        slots = [(link, node, head) for node in range(self.n_nodes) for link, head in at[node]]
        taken = [
            [
                entry
                for entry, (link, _, head) in enumerate(slots)
                if part in self.parts[link] or self.of_node[head] == part
            ]
            for part in range(len(self.down))
        ]
        return Fallible(
            first=np.cumsum([0, *(len(node) for node in at)]),
            link=np.array([link for link, _, _ in slots], np.int64),
            head=np.array([head for _, _, head in slots], np.int32),
            tail=np.array([tail for _, tail, _ in slots], np.int32),
            forwards=np.array([node not in self.hosts for node in range(self.n_nodes)]),
            part_first=np.cumsum([0, *(len(parts) for parts in self.parts)]),
            part=np.array([part for parts in self.parts for part in parts], np.int64),
            of_node=np.array(self.of_node, np.int64),
            down=np.array(self.down),
            takes_first=np.cumsum([0, *(len(entries) for entries in taken)]),
            takes=np.array([entry for entries in taken for entry in entries], np.int64),
        )

    def unconnected(self, pairs: list[tuple[int, int]], any_pair: bool) -> float:
        def holds(state: tuple[int, ...]) -> bool:
            up_nodes = {node for node in range(self.n_nodes) if self.of_node[node] < 0 or not state[self.of_node[node]]}
            up = [
                ends
                for ends, parts in zip(self.ends, self.parts, strict=True)
                if {*ends} <= up_nodes and not any(state[part] for part in parts)
            ]
            joined = [{a, b} <= up_nodes and naive_states.has_path(up, a, b, self.hosts) for a, b in pairs]
            return not (any(joined) if any_pair else all(joined))

        return naive_states.share_of_states([[q] if q else [] for q in self.down], holds)


def look(
    case: Case,
    pairs: list[tuple[int, int]],
    any_pair: bool = False,
    rest_below: float = 0.0,
    max_states: int = 100_000,
    hubs: tuple[int, ...] = (),
    max_steps: int = 10**9,
) -> tuple[float, float, int]:
    ordered = sorted(pairs)
    source, first = np.unique(np.array([a for a, _ in ordered]), return_index=True)
    target = np.array([b for _, b in ordered])
    out = np.full(3, np.nan)
    n = connected_states(
        case.net(),
        np.append(first, len(target)),
        source,
        target,
        any_pair,
        np.array(hubs, np.int64),
        rest_below,
        max_states,
        max_steps,
        out,
    )
    return float(out[0]), float(out[1]), n


def random_case(seed: int) -> Case:
    """A multigraph of 4 to 6 nodes and up to 8 links, two shared risks, some switches that fail, some hosts."""
    r = random.Random(seed)
    n_nodes, n_links = r.randint(4, 6), r.randint(4, 8)
    ends = [tuple(r.sample(range(n_nodes), 2)) for _ in range(n_links)]
    parts = [[i] + [n_links + risk for risk in range(2) if r.random() < 0.25] for i in range(n_links)]
    of_node, n = [], n_links + 2
    for _ in range(n_nodes):
        of_node.append(n if r.random() < 0.3 else -1)
        n += of_node[-1] >= 0
    down = [r.choice([0.0, 0.01, 0.1, 0.4]) if i < n_links else r.uniform(0.001, 0.2) for i in range(n)]
    hosts = frozenset(node for node in range(n_nodes) if r.random() < 0.3)
    return Case(n_nodes, ends, parts, of_node, hosts, down)


@pytest.mark.parametrize("seed", range(12))
def test_all_states_of_random_networks(seed: int) -> None:
    case = random_case(seed)
    pairs = sorted({(a, b) for a in range(case.n_nodes) for b in range(a + 1, case.n_nodes)})
    for any_pair, chosen in ((False, pairs[:1]), (False, pairs[1:4]), (True, pairs[2:5])):
        down, rest, _ = look(case, chosen, any_pair)
        assert rest == pytest.approx(0.0, abs=1e-15)
        assert down == pytest.approx(case.unconnected(chosen, any_pair), rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("seed", range(12))
def test_all_pairs_over_a_hub(seed: int) -> None:
    """Every node that forwards may be a hub; two of them, where one may be down, and where pairs end at it."""
    case = random_case(seed)
    pairs = sorted({(a, b) for a in range(case.n_nodes) for b in range(a + 1, case.n_nodes)})
    forwarding = [node for node in range(case.n_nodes) if node not in case.hosts]
    for chosen in (pairs[:1], pairs[1:4]):
        exact = case.unconnected(chosen, False)
        for hubs in [(hub,) for hub in forwarding] + [tuple(forwarding[:2])]:
            down, rest, _ = look(case, chosen, hubs=hubs)
            assert rest == pytest.approx(0.0, abs=1e-15)
            assert down == pytest.approx(exact, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_the_bounds_hold_after_any_number_of_states(seed: int) -> None:
    case = random_case(seed)
    exact, last = case.unconnected([(0, 1)], False), 1.0
    for max_states in (1, 2, 3, 5, 8, 13, 21):
        down, rest, n = look(case, [(0, 1)], max_states=max_states)
        assert n <= max_states
        assert down - 1e-14 <= exact <= down + rest + 1e-14
        assert rest <= last + 1e-14
        last = rest


def chain(*down: float) -> Case:
    """Nodes in a row, whose links have these unavailabilities."""
    n = len(down)
    return Case(n + 1, [(i, i + 1) for i in range(n)], [[i] for i in range(n)], [-1] * (n + 1), frozenset(), [*down])


def test_parts_in_series_multiply() -> None:
    down, rest, n = look(chain(0.1, 0.2, 0.0, 0.05), [(0, 4)])
    assert down == pytest.approx(1 - 0.9 * 0.8 * 0.95, rel=1e-14)
    assert (rest, n) == (0.0, 4)


def test_parallel_links_are_down_together() -> None:
    case = Case(2, [(0, 1)] * 3, [[0], [1], [2]], [-1, -1], frozenset(), [0.1, 0.2, 0.3])
    down, rest, _ = look(case, [(0, 1)])
    assert down == pytest.approx(0.1 * 0.2 * 0.3, rel=1e-14)
    assert rest == pytest.approx(0.0, abs=1e-16)


def test_a_shared_risk_takes_both_parallel_links_and_a_node_its_ends() -> None:
    case = Case(2, [(0, 1)] * 2, [[0, 2], [1, 2]], [3, -1], frozenset(), [0.1, 0.1, 0.05, 0.02])
    assert look(case, [(0, 1)])[0] == pytest.approx(1 - 0.98 * 0.95 * (1 - 0.1**2), rel=1e-13)


def test_the_search_ends_when_the_rest_is_small() -> None:
    case = chain(1e-3, 1e-3)
    assert look(case, [(0, 2)], rest_below=0.5)[2] == 1
    down, rest, n = look(case, [(0, 2)], rest_below=1.5e-3)
    assert (n, down) == (2, pytest.approx(1e-3))
    assert rest == pytest.approx(1e-3 * (1 - 1e-3))


def test_hosts_do_not_forward_and_pairs_without_any_path_are_never_connected() -> None:
    case = chain(0.1, 0.1)._replace(hosts=frozenset({1}))
    assert look(case, [(0, 2)]) == (1.0, 0.0, 1)
    assert look(case, [(0, 1)])[0] == pytest.approx(0.1)


def test_a_search_ends_when_its_steps_are_used_up():
    """Equal sets come first, whatever the bound; what is left is the probability of the others."""
    case = random_case(3)
    pairs = [case.ends[0]]
    n_all = look(case, pairs)[2]
    assert n_all > 2
    assert look(case, pairs, max_steps=1) == look(case, pairs, max_states=1)
    counts = [look(case, pairs, max_steps=n)[2] for n in (1, 40, 80, 10**6)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (1, n_all)


def test_more_sets_than_there_is_room_for_at_first():
    """Twenty links in a row of pairs: each pair must have a link up."""
    ends = [(i // 2, i // 2 + 1) for i in range(20)]
    ladder = Case(11, ends, [[i] for i in range(20)], [-1] * 11, frozenset(), [0.1] * 20)
    down, rest, n = look(ladder, [(0, 10)])
    assert n > FIRST_ROOM
    assert down == pytest.approx(1 - (1 - 0.01) ** 10, abs=1e-12)
    assert rest == pytest.approx(0.0, abs=1e-12)
