"""Hashing onto links: every way to place flows, and every hash, beside the kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multinomial

from tests import naive_hashing
from twin.kernels.hashing import chance_none_fuller, polarised_fractions, present_fractions


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 10))
def test_the_chance_is_that_of_the_naive_twin(n_flows: int, n_links: int, at_most: int) -> None:
    expected = float(naive_hashing.chance_none_fuller(n_flows, n_links, at_most))
    assert chance_none_fuller(n_flows, n_links, at_most) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("at_most", [2, 3, 5, 7])
def test_the_chance_is_a_sum_of_the_multinomial_distribution(at_most: int) -> None:
    """All loads of three links that add up to seven flows."""
    loads = [(a, b, 7 - a - b) for a in range(8) for b in range(8 - a)]
    expected = sum(multinomial.pmf(load, 7, [1 / 3] * 3) for load in loads if max(load) <= at_most)
    assert chance_none_fuller(7, 3, at_most) == pytest.approx(expected, rel=1e-9)


def test_birthdays() -> None:
    """Check the birthday problem: of 23 people two share a day with a chance of 0.5073."""
    assert 1.0 - chance_none_fuller(23, 365, 1) == pytest.approx(0.507297, abs=1e-6)


def fractions_of(
    entries: list[tuple[int, int]], n_states: int = 1000, max_modulus: int = 1 << 30
) -> tuple[int, list[float]]:
    """(failed route, fractions) of one route; the same route twice, so that scratch must be clean in between."""
    n_nodes = 1 + max(node for entry in entries for node in entry)
    table = np.array(entries, dtype=np.int64)
    n = len(entries)
    out = np.full(2 * n, -1.0)
    newest = np.full(n_nodes, -1)
    scratch = [np.empty(n_states, np.int64) for _ in range(3)]
    failed = polarised_fractions(
        np.array([0, n, n, 2 * n]),
        np.tile(np.arange(n), 2),
        np.tile(naive_hashing.unit_fractions(entries), 2),
        np.ascontiguousarray(table[:, 0]),
        np.ascontiguousarray(table[:, 1]),
        max_modulus,
        newest,
        scratch[0],
        scratch[1],
        scratch[2],
        np.empty(n_states),
        out,
    )
    assert (newest == -1).all()
    if not failed:
        assert out[:n].tolist() == out[n:].tolist()
    return failed, out[:n].tolist()


@st.composite
def layers(draw: st.DrawFn) -> list[tuple[int, int]]:
    """A route through up to three layers of switches; every switch has links to several nodes of the next layer."""
    sizes = [1, *draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)), 1]
    first = [sum(sizes[:i]) for i in range(len(sizes))]
    entries, reached = [], {0}
    for i in range(len(sizes) - 1):
        for node in sorted(reached & set(range(first[i], first[i] + sizes[i]))):
            heads = draw(st.lists(st.integers(0, sizes[i + 1] - 1), min_size=1, max_size=6))
            entries += [(node, first[i + 1] + head) for head in heads]
            reached |= {first[i + 1] + head for head in heads}
    return entries


@given(layers())
def test_polarised_fractions_are_those_of_every_hash_in_turn(entries: list[tuple[int, int]]) -> None:
    failed, found = fractions_of(entries)
    assert failed == 0
    assert found == pytest.approx([float(part) for part in naive_hashing.polarised_fractions(entries)], abs=1e-12)


def test_equal_tiers_use_one_link_of_each_later_switch() -> None:
    """A hash that is even takes link 0 everywhere."""
    entries = [(0, 1), (0, 2), (1, 3), (1, 4), (2, 5), (2, 6)]
    assert fractions_of(entries)[1] == [0.5, 0.5, 0.5, 0.0, 0.0, 0.5]


def test_beyond_the_largest_modulus_later_switches_split_evenly() -> None:
    entries = [(0, 1), (0, 2), (1, 3), (1, 3), (1, 3), (2, 3)]
    exact = [1 / 2, 1 / 2, 1 / 6, 1 / 6, 1 / 6, 1 / 2]
    assert fractions_of(entries, max_modulus=2)[1] == pytest.approx(exact)
    assert fractions_of([(0, 1), (0, 2), (1, 3), (1, 3), (2, 3)], max_modulus=1)[1] == [0.5, 0.5, 0.25, 0.25, 0.5]


def test_too_little_room_names_the_route() -> None:
    assert fractions_of([(0, 1), (0, 2), (1, 3), (2, 3)], n_states=4)[0] == 1
    assert fractions_of([(0, 1), (0, 2), (1, 3), (2, 3)], n_states=5)[0] == 0


def test_hashes_start_anew_at_every_switch_that_no_link_leads_to() -> None:
    """A rack on two leaves: each leaf hashes its half of the flows onto its own two links."""
    entries = [(1, 3), (1, 3), (2, 3), (2, 3)]
    out, newest = np.empty(4), np.full(4, -1)
    scratch = [np.empty(9, np.int64) for _ in range(3)]
    links = np.array(entries)
    tail, head = np.ascontiguousarray(links[:, 0]), np.ascontiguousarray(links[:, 1])
    even = np.full(4, 0.25)
    first, rows = np.array([0, 4]), np.arange(4)
    assert polarised_fractions(first, rows, even, tail, head, 64, newest, *scratch, np.empty(9), out) == 0
    assert out.tolist() == [0.25] * 4


def present(entries: list[tuple[int, int]], fractions: list[float], switches: tuple[int, ...] = ()) -> list[float]:
    """Fractions of one route; arc 2 i leads from tail to head of entry i."""
    head = np.array([node for tail, head in entries for node in (head, tail)])
    n = len(entries)
    out, at_node = np.full(2 * n, -1.0), np.full(2 * n, -1.0)
    scratch = np.zeros(head.max() + 1, np.int64), np.zeros(head.max() + 1, np.int64)
    first, arc = np.array([0, n, n, 2 * n]), np.tile(2 * np.arange(n), 2)
    has_cards = ~np.isin(np.arange(len(scratch[0])), switches)
    present_fractions(first, arc, np.tile(fractions, 2), head, has_cards, *scratch, out, at_node)
    assert not scratch[0].any()
    assert not scratch[1].any()
    assert out[:n].tolist() == out[n:].tolist()
    for tail in {tail for tail, _ in entries}:  # all flows of a node leave it, and each over a link that it can cross
        rows = [i for i in range(n) if entries[i][0] == tail]
        assert len(set(at_node[rows])) == 1
        assert max(out[rows]) <= at_node[rows[0]] <= sum(out[rows]) + 1e-12
    return out[:n].tolist()


def test_two_rails_with_spines_of_their_own_carry_half_of_the_flows_each() -> None:
    """Rack 0, leaves 1 and 2, spines 3 and 4, leaves 5 and 6, rack 7."""
    entries = [(0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7), (6, 7)]
    assert present(entries, [0.5] * 8) == [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0]


def test_a_shared_core_carries_all_flows_and_uneven_ports_their_part() -> None:
    """Rack 0, leaves 1 and 2 with a quarter and three quarters, core 3, leaf 4, rack 5."""
    entries = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5)]
    assert present(entries, [0.25, 0.75, 0.25, 0.75, 1.0, 1.0]) == [1.0, 1.0, 0.25, 0.75, 1.0, 1.0]


def test_ends_that_are_switches_have_no_ports_of_cards() -> None:
    """Rack 0, leaves 1 and 2, spine 3, leaf 4: its own port halves the flows; leaf 4 takes all."""
    entries = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)]
    assert present(entries, [0.5, 0.5, 0.5, 0.5, 1.0], switches=(4,)) == [1.0, 1.0, 0.5, 0.5, 1.0]
    assert present(entries, [0.5, 0.5, 0.5, 0.5, 1.0], switches=(0, 4)) == [1.0] * 5


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 4))
def test_present_fractions_are_those_of_all_paths_written_out(n_first: int, n_spines: int, n_last: int) -> None:
    """Every leaf of the source is joined to every spine, and every spine to every leaf of the target."""
    spine, last, target = 1 + n_first, 1 + n_first + n_spines, 1 + n_first + n_spines + n_last
    entries = [(0, 1 + i) for i in range(n_first)]
    entries += [(1 + i, spine + j) for i in range(n_first) for j in range(n_spines)]
    entries += [(spine + j, last + k) for j in range(n_spines) for k in range(n_last)]
    entries += [(last + k, target) for k in range(n_last)]
    found = present(entries, naive_hashing.unit_fractions(entries))
    assert found == pytest.approx(naive_hashing.present_fractions(entries))


def test_a_route_with_more_ports_than_bits_counts_all_flows_everywhere() -> None:
    entries = [(0, 1 + i) for i in range(70)] + [(1 + i, 71) for i in range(70)] + [(71, 72), (72, 73)]
    assert present(entries, naive_hashing.unit_fractions(entries)) == [1.0] * len(entries)
