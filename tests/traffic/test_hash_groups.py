"""Groups of links that flows choose from, on routes written out by hand."""

from __future__ import annotations

import pytest

from tests.traffic.fabrics import leaf_spine, routes_of, written_routes
from twin.errors import TopologyError
from twin.traffic import hash_groups
from twin.traffic.hash_groups import LinkFlows, LinkGroups

TWO_WAYS = [(0, 1), (0, 2), (1, 3), (2, 3)]
"""From 0 over 1 or 2 to 3."""


def test_even_splitting_ends_with_the_busiest_member() -> None:
    """40 bytes by halves at 5 byte/s are 4 s; 20 and 10 bytes over 4 members of 2 byte/s are 3.75 s."""
    found = written_routes(
        [(0, 1), (0, 1), (0, 9)],
        [(0, 0.5), (1, 0.5)],
        [(1, 1.0)],
        n_pairs=[4.0, 2.0],
        pair_bytes=[10.0, 5.0],
        capacity_bytes_per_s=[5.0, 2.0, 0.0],
        n_members=[1, 4, 1],
    )
    assert found.even_s == 4.0
    assert written_routes([(0, 1)], [(0, 1.0)], floor_s=4.5).even_s == 4.5
    assert written_routes([]).even_s == 0.0


def test_members_of_bundles_become_links() -> None:
    bundles = written_routes(
        [(0, 1), (1, 2), (1, 3)],
        [(0, 1.0), (1, 0.6), (2, 0.4)],
        [(1, 1.0)],
        n_members=[1, 3, 2],
        capacity_bytes_per_s=[7.0, 8.0, 9.0],
        present_ratio=[1.0, 0.9, 0.8, 0.7],
        at_node_ratio=[0.5, 0.4, 0.3, 0.2],
    )
    single = bundles.with_single_links()
    assert single.first.tolist() == [0, 6, 9]
    assert single.link.tolist() == [0, 1, 2, 3, 4, 5, 1, 2, 3]
    assert single.split_ratio == pytest.approx([1.0, 0.2, 0.2, 0.2, 0.2, 0.2, 1 / 3, 1 / 3, 1 / 3])
    assert single.capacity_bytes_per_s.tolist() == [7.0, 8.0, 8.0, 8.0, 9.0, 9.0]
    assert (single.tail.tolist(), single.head.tolist()) == ([0, 1, 1, 1, 1, 1], [1, 2, 2, 2, 3, 3])
    assert single.n_members.tolist() == [1] * 6
    assert single.present_ratio is not None
    assert single.present_ratio.tolist() == [1.0, 0.9, 0.9, 0.9, 0.8, 0.8, 0.7, 0.7, 0.7]
    assert single.at_node_ratio is not None
    assert single.at_node_ratio.tolist() == [0.5, 0.4, 0.4, 0.4, 0.3, 0.3, 0.2, 0.2, 0.2]
    assert single.with_single_links() is single
    assert written_routes(TWO_WAYS, [(0, 1.0)], n_members=[1, 1, 2, 1]).with_single_links().present_ratio is None


def test_the_members_of_all_routes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hash_groups.MAX_SINGLE_LINKS == 5_000_000
    two = written_routes([(0, 1), (1, 2)], [(0, 1.0), (1, 1.0)], [(1, 1.0)], n_members=[2, 3])
    monkeypatch.setattr(hash_groups, "MAX_SINGLE_LINKS", 8)
    assert len(two.with_single_links().link) == 8
    monkeypatch.setattr(hash_groups, "MAX_SINGLE_LINKS", 7)
    with pytest.raises(TopologyError, match="8 members"):
        two.with_single_links()


def test_one_hash_leaves_half_of_the_later_links_unused() -> None:
    """An even hash goes to 1 and on to the first of its links, an odd one to 2 and on to the second."""
    links = [(0, 1), (0, 2), (1, 3), (1, 4), (2, 3), (2, 4)]
    even = written_routes(links, [(0, 0.5), (1, 0.5), (2, 0.25), (3, 0.25), (4, 0.25), (5, 0.25)])
    assert even.polarised().split_ratio.tolist() == [0.5, 0.5, 0.5, 0.0, 0.0, 0.5]
    assert written_routes([]).polarised().split_ratio.tolist() == []


def test_groups_under_one_hash_are_those_of_the_links_that_are_left() -> None:
    """The four links above that are used carry half of the flows each; the two from 0 decide for all of them."""
    links = [(0, 1), (0, 2), (1, 3), (1, 4), (2, 3), (2, 4)]
    even = written_routes(links, [(0, 0.5), (1, 0.5), (2, 0.25), (3, 0.25), (4, 0.25), (5, 0.25)])
    found = LinkGroups.of(even, one_hash=True)
    assert (found.n_flows.tolist(), found.n_links.tolist(), found.n_groups.tolist()) == ([1.0], [2.0], [1.0])
    found = LinkGroups.of(even)
    assert (found.n_flows.tolist(), found.n_links.tolist(), found.n_groups.tolist()) == ([1, 1], [2, 4], [1, 1])


@pytest.mark.parametrize("new", [[5, 0, 1, 2], [0, 9, 1, 2], [7, 1, 0, 8], [1, 2, 3, 0]])
def test_numbers_of_nodes_change_nothing(new: list[int]) -> None:
    """Two ways from the first to the last node, the second link of each twice as fast, and back over one of them."""
    links = [(new[a], new[b]) for a, b in [*TWO_WAYS, (3, 1), (1, 0)]]
    routes = written_routes(
        links,
        [(0, 0.5), (1, 0.5), (2, 0.5), (3, 0.5)],
        [(4, 1.0), (5, 1.0)],
        capacity_bytes_per_s=[1.0, 1.0, 2.0, 2.0, 1.0, 1.0],
    )
    found = LinkFlows.of(routes)
    assert found.group.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.n_counted().tolist() == found.n_counted(one_hash=True).tolist() == [2.0, 2.0, 1.0]
    assert routes.polarised().split_ratio.tolist() == [0.5, 0.5, 0.5, 0.5, 1.0, 1.0]


def test_the_paths_of_one_hash_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    fabric = routes_of(leaf_spine(2, 3, 3), [(0, 3)])
    monkeypatch.setattr(hash_groups, "MAX_STATES", 1)
    with pytest.raises(TopologyError, match="more than 1 paths"):
        fabric.polarised()


def test_links_with_the_same_flows_and_capacity_are_a_group() -> None:
    """Half of the flows on each way; the first way down is faster, and nothing uses the last link."""
    found = LinkFlows.of(
        written_routes(
            [*TWO_WAYS, (3, 0)],
            [(0, 0.5), (1, 0.5), (2, 0.5), (3, 0.5)],
            n_pairs=[6.0],
            pair_bytes=[4.0],
            capacity_bytes_per_s=[1.0, 1.0, 2.0, 1.0, 1.0],
        )
    )
    assert found.group.tolist() == [0, 0, 1, 0, -1]
    assert found.n_next.tolist() == [2, 2, 1, 1]
    assert found.at_node_ratio.tolist() == [1.0, 1.0, 0.5, 0.5]
    assert found.chance_ratio.tolist() == [0.5] * 4
    assert found.load_bytes.tolist() == [12.0] * 4
    assert found.flow_bytes.tolist() == [4.0, 4.0]
    assert found.flow_s.tolist() == [4.0, 2.0]
    assert found.n_counted().tolist() == [2.0, 1.0], "the way down from 2 carries the flows of the link to it"


def test_capacities_that_differ_by_rounding_are_equal() -> None:
    nearly = written_routes(TWO_WAYS, [(0, 0.5), (1, 0.5)], capacity_bytes_per_s=[1.0, 1.0 + 1e-13, 1.0, 1.0])
    assert LinkFlows.of(nearly).group.tolist() == [0, 0, -1, -1]
    differ = written_routes(TWO_WAYS, [(0, 0.5), (1, 0.5)], capacity_bytes_per_s=[1.0, 1.0 + 1e-9, 1.0, 1.0])
    assert LinkFlows.of(differ).group.tolist() == [0, 1, -1, -1]


def test_chances_that_differ_by_rounding_are_equal() -> None:
    assert LinkFlows.of(written_routes(TWO_WAYS, [(0, 0.5), (1, 0.5 - 1e-13)])).group.tolist() == [0, 0, -1, -1]
    assert LinkFlows.of(written_routes(TWO_WAYS, [(0, 0.5), (1, 0.5 - 1e-7)])).group.tolist() == [0, 1, -1, -1]


def test_routes_that_send_nothing_leave_no_entry() -> None:
    found = LinkFlows.of(
        written_routes(
            TWO_WAYS,
            [(0, 1.0), (2, 1.0)],
            [(0, 0.0), (1, 1.0), (3, 1.0)],
            [(1, 1.0)],
            n_pairs=[1.0, 2.0, 0.0],
            pair_bytes=[0.0, 1.0, 1.0],
        )
    )
    assert found.route.tolist() == [1, 1]
    assert found.link.tolist() == [1, 3]
    assert found.n_next.tolist() == [1, 1]


def test_each_route_leaves_its_first_switch_with_all_flows() -> None:
    """Two routes that follow each other in the table, both from 0."""
    found = LinkFlows.of(written_routes(TWO_WAYS, [(0, 0.5), (1, 0.5)], [(0, 0.5), (1, 0.5)]))
    assert found.at_node_ratio.tolist() == [1.0] * 4
    assert found.n_next.tolist() == [2] * 4


def test_members_of_bundles_are_chosen_like_links() -> None:
    """Two members and one link: a third of the flows each."""
    found = LinkFlows.of(written_routes(TWO_WAYS, [(0, 2 / 3), (1, 1 / 3)], n_members=[2, 1, 1, 1]))
    assert found.n_next.tolist() == [3, 3]
    assert found.group.tolist() == [0, 0, -1, -1]
    assert found.n_counted().tolist() == [3.0]


def test_flows_that_belong_to_a_link_choose_less() -> None:
    """Half of six pairs can cross each way, by the ports of their cards: then the link up is no choice."""
    ways = [(0, 0.5), (1, 0.5), (2, 0.5), (3, 0.5)]
    found = LinkFlows.of(
        written_routes(TWO_WAYS, ways, n_pairs=[6.0], present_ratio=[0.5] * 4, at_node_ratio=[0.5, 0.5, 0.5, 0.5])
    )
    assert found.n_pairs.tolist() == [3.0] * 4
    assert found.chance_ratio.tolist() == [1.0] * 4
    assert found.at_node_ratio.tolist() == [1.0] * 4
    assert found.n_next.tolist() == [1] * 4
    assert found.load_bytes.tolist() == [3.0] * 4


def test_without_a_choice_the_first_link_of_a_chain_counts() -> None:
    chain = LinkFlows.of(written_routes([(0, 1), (1, 2), (2, 3)], [(0, 1.0), (1, 1.0), (2, 1.0)], n_members=[1, 1, 1]))
    assert chain.group.tolist() == [0, 0, 0]
    assert chain.n_counted().tolist() == [1.0]
    two = LinkFlows.of(written_routes(TWO_WAYS, [(0, 0.5), (1, 0.5), (2, 0.5), (3, 0.5)]))
    assert two.n_counted(one_hash=True).tolist() == [2.0]
    assert two.n_counted().tolist() == [2.0]


def test_flows_of_different_bytes_count_by_their_squares() -> None:
    """1 and 3 bytes: (1 + 3)^2 / (1 + 9) = 1.6 equal flows of 2.5 bytes, at 5 byte/s for half a second."""
    both = [(0, 0.5), (1, 0.5)]
    found = LinkGroups.of(
        written_routes(TWO_WAYS, both, both, pair_bytes=[1.0, 3.0], capacity_bytes_per_s=[5.0, 5.0, 1.0, 1.0])
    )
    assert found.n_flows.tolist() == pytest.approx([1.6])
    assert found.n_links.tolist() == [2.0]
    assert found.flow_s.tolist() == [0.5]
    assert found.n_groups.tolist() == [1.0]
    assert found.even_s == 0.4


def test_uneven_chances_count_as_even_ones_with_the_same_mean_and_variance() -> None:
    """One route takes both links, the other the first alone: on it 1.5 flows with a chance of (0.25 + 1) / 1.5."""
    found = LinkGroups.of(written_routes(TWO_WAYS, [(0, 0.5), (1, 0.5)], [(0, 1.0)]))
    assert found.n_links.tolist() == pytest.approx([2.0, 1.2])
    assert found.n_flows.tolist() == pytest.approx([0.5 * 2, 1.5 * 1.2])
    assert found.n_groups.tolist() == pytest.approx([1 / 2, 1 / 1.2])


def test_groups_are_sorted_and_alike_ones_added() -> None:
    """Two leaves with two flows each over two links, and one with a flow alone."""
    links = [(0, 9), (0, 9), (1, 9), (1, 9), (2, 9), (2, 9)]
    halves = [[(2 * i, 0.5), (2 * i + 1, 0.5)] for i in range(3)]
    found = LinkGroups.of(written_routes(links, *halves, n_pairs=[2.0, 1.0, 2.0]))
    assert found.n_flows.tolist() == [1.0, 2.0]
    assert found.n_links.tolist() == [2.0, 2.0]
    assert found.flow_s.tolist() == [1.0, 1.0]
    assert found.n_groups.tolist() == [1.0, 2.0]


def test_without_links_there_is_no_group() -> None:
    found = LinkGroups.of(written_routes([], floor_s=3.0))
    assert (len(found.n_flows), len(found.n_groups), found.even_s) == (0, 0, 3.0)
