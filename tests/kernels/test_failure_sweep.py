"""The kernels of the failure sweep, on a few networks that reach all their lines; `tests/failures` has the many."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from tests.failures.cases import Case, Kept, blown_up_case, check, clos_case, planes_case, random_case, torn_case
from tests.naive import Link
from twin.failures.kinds import GroupFailures, Kind, LinkFailures
from twin.failures.scratch import scratch_for
from twin.failures.sweep import Sweep
from twin.kernels.failure_sweep import Scratch
from twin.kernels.graph import RoutingTables, Streams
from twin.kernels.next_hops import GroupStore, next_hop_groups
from twin.kernels.pending_loads import Responses


def check_both(case: Case, failures: list[Kept], kind: Kind) -> None:
    """Compare the sweep of whole classes, and that of single destinations."""
    for most_ratio in (np.inf, 0.0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("twin.failures.routing_tables.MIN_CLASSES_RATIO", most_ratio)
            sweep = Sweep(kind)
        sweep.run(0, sweep.n_classes)
        check(case, failures, sweep.loads())


def check_links(case: Case, members: Sequence[int] = ()) -> None:
    kept = [Fraction(n - 1, n) for n in members] or [Fraction(0)] * len(case.links)
    failures: list[Kept] = [{i: ratio} for i, ratio in enumerate(kept)]
    check_both(case, failures, LinkFailures(case.fabric, np.array(kept, float)))


def check_groups(case: Case, groups: list[np.ndarray]) -> None:
    failures: list[Kept] = [dict.fromkeys(links.tolist(), Fraction(0)) for links in groups]
    check_both(case, failures, GroupFailures(case.fabric, groups))


@pytest.mark.parametrize("case", [random_case(0), random_case(5), blown_up_case(1), planes_case(3), clos_case(2)])
def test_each_link(case: Case) -> None:
    check_links(case)
    check_links(case, case.members)


@pytest.mark.parametrize("case", [clos_case(1), clos_case(4), random_case(2)])
def test_links_of_a_node_and_two_links_together(case: Case) -> None:
    groups = [np.array([i for i, link in enumerate(case.links) if node in link[:2]]) for node in range(case.n_nodes)]
    groups = [links for links in groups if len(links)] + [np.array([0, len(case.links) - 1])]
    check_groups(case, groups)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_classes_of_one_pod_that_share_most_next_hops(seed: int) -> None:
    case = torn_case(seed)
    check_links(case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("twin.failures.routing_tables.MIN_CLASSES_RATIO", np.inf)
        streams = Sweep(LinkFailures(case.fabric, np.zeros(len(case.links))))._streams
    assert ((streams.end - streams.begin > 1) & (streams.rank > 0)).any()


def test_twins_beside_others_whose_neighbour_has_a_way_around() -> None:
    """Nodes 0 and 1 hang at node 4; 2 and 3 as well, but as near over node 5."""
    links = [Link(i, 4, Fraction(1)) for i in (0, 1)] + [Link(i, 4, Fraction(2)) for i in (2, 3)]
    links += [Link(i, 5, Fraction(1)) for i in (2, 3)] + [Link(4, 5, Fraction(1)), Link(4, 6, Fraction(1))]
    demands = [(a, b, Fraction(1 + a)) for a in (0, 1, 2, 3, 6) for b in (0, 1, 2, 3, 6) if a != b]
    check_links(Case(7, links, frozenset(), [(4, 4)] * 8, [1] * 8, demands))


def leaf_spine(n_parallel: int) -> Case:
    """Two leaves of three racks, two spines, and more than one cable between rack and leaf."""
    links = [Link(rack, 6 + rack // 3, Fraction(1)) for rack in range(6) for _ in range(n_parallel)]
    links += [Link(leaf, spine, Fraction(1)) for leaf in (6, 7) for spine in (8, 9)]
    demands = [(a, b, Fraction(1 + a)) for a in range(6) for b in range(6) if a != b]
    n = len(links)
    return Case(10, links, frozenset(range(6)), [(4, 4)] * n, [1] * n, demands)


@pytest.mark.parametrize("n_parallel", [1, 2])
def test_racks_of_a_leaf_are_routed_at_once(n_parallel: int) -> None:
    case = leaf_spine(n_parallel)
    check_links(case)
    groups = [np.array([0, len(case.links) - 1]), np.array([len(case.links) - 4, len(case.links) - 1])]
    check_groups(case, groups)


def test_a_flow_to_one_rack_alone_leaves_others_unused() -> None:
    case = leaf_spine(1)
    check_links(case._replace(demands=[(0, 1, Fraction(1)), (1, 0, Fraction(1))]))


def test_two_nodes_of_a_pod_lose_their_way_up() -> None:
    leaves = [
        Link(2 * pod + leaf, 4 + 2 * pod + plane, Fraction(1)) for pod in (0, 1) for leaf in (0, 1) for plane in (0, 1)
    ]
    links = [*leaves, *(Link(4 + 2 * pod + plane, 8 + plane, Fraction(1)) for pod in (0, 1) for plane in (0, 1))]
    demands = [(a, b, Fraction(1 + a + b * b)) for a in range(4) for b in range(4) if a != b]
    links.append(Link(10, 11, Fraction(1)))  # apart from all others
    case = Case(12, links, frozenset(), [(2, 1)] * 13, [1] * 13, demands)
    check_groups(case, [np.array([8, 9]), np.array([8, 11]), np.array([8, 10])])
    check_links(case)


def test_new_paths_lead_through_nodes_that_lost_theirs_too() -> None:
    """A ring: without one link all traffic goes the other way; a detour that is found first is not the shortest."""
    weights = (1, 1, 1, 1, 1, 9)
    ring = [Link(i, (i + 1) % 6, Fraction(weight)) for i, weight in enumerate(weights)]
    links = [*ring, Link(0, 3, Fraction(30)), Link(1, 4, Fraction(50)), Link(2, 5, Fraction(12))]
    demands = [(a, b, Fraction(1 + a)) for a in range(6) for b in range(6) if a != b]
    check_links(Case(6, links, frozenset(), [(1, 1)] * 9, [1] * 9, demands))


def test_next_hops_beside_an_arc_that_is_none_share_a_change() -> None:
    """Node 0 reaches node 4 over 1 and 3, node 2 is farther; the change at 0 comes from node 5 behind it."""
    links = [Link(0, i, Fraction(1), True, Fraction(i)) for i in (1, 2, 3)] + [Link(i, 4, Fraction(1)) for i in (1, 3)]
    links += [Link(2, 4, Fraction(9)), Link(5, 0, Fraction(1)), Link(5, 6, Fraction(1)), Link(6, 4, Fraction(2))]
    case = Case(7, links, frozenset(), [(4, 4)] * 9, [1] * 9, [(5, 4, Fraction(3)), (0, 4, Fraction(1))])
    check_links(case)


@pytest.mark.parametrize("case", [clos_case(2), planes_case(3), leaf_spine(1), random_case(5)])
def test_with_room_for_one_destination_all_answers_are_the_same(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def little_room(tables: RoutingTables, streams: Streams, n_widest: int) -> Scratch:
        scratch = scratch_for(tables, streams, n_widest)
        n_groups, room = len(tables.groups.shape), scratch.responses
        n_more = (len(room.least) - n_groups) // 2
        n_values = len(tables.groups.fraction) + (len(room.value) - len(tables.groups.fraction)) // 2
        columns = room.first[: n_groups + n_more + 2], room.value[:n_values]
        less = Responses(room.n, *columns, room.least[: n_groups + n_more + 1], room.greatest[: n_groups + n_more + 1])
        return scratch._replace(responses=less)

    monkeypatch.setattr("twin.failures.sweep.scratch_for", little_room)
    groups = [np.array([i, len(case.links) - 1 - i]) for i in range(len(case.links) // 2)]
    check_links(case)
    check_groups(case, groups)


def test_too_little_room_for_next_hops_is_reported() -> None:
    fabric = leaf_spine(1).fabric
    sweep = Sweep(LinkFailures(fabric, np.zeros(fabric.n_links)))
    arcs, destinations = sweep._reduced.arcs, sweep._reduced.destinations
    shape = len(destinations.node), fabric.n_nodes
    for n_groups, n_hops in ((3, 99), (99, 3)):
        store = GroupStore(
            np.zeros(n_groups + 1, np.int64),
            np.empty(n_hops, np.uint32),
            np.empty(n_hops),
            np.full(fabric.n_nodes, -1),
            np.empty(n_groups, np.int64),
        )
        columns = sweep._tables.distance.copy(), np.empty(shape, np.int32), np.empty(shape, np.int32)
        assert next_hop_groups(arcs, destinations, sweep._tables.at_once, 1e-12, *columns, store) == -1


def test_a_network_without_links_or_demands() -> None:
    check_links(Case(3, [], frozenset(), [], [], []))
    check_links(Case(3, [Link(0, 1, Fraction(1))], frozenset(), [(1, 1)], [1], []))
