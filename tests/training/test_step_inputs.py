"""The way between sites is the one that a plain search over the routed arcs finds."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from tests.training.steps import evaluated, inputs_of, sites
from twin.training.step_inputs import UnitLinkLoads, choose_schedule
from twin.workload.all_reduce_schedule import AllReduceSchedule, chains, ring_and_direct_schedules

PAIRS = [*permutations(range(3), 2)]


def loads(n_arcs: int, units: dict[tuple[int, int], list[float]]) -> UnitLinkLoads:
    wide = {pair: np.array(units.get(pair, [0.0] * n_arcs)) for pair in units}
    return UnitLinkLoads(np.arange(n_arcs), (), (), (), (), (), wide, 0.0, 0.0, 0.0, 0.0, 0.0, ())


def taken_s(schedule: AllReduceSchedule, unit: UnitLinkLoads, capacity: np.ndarray, local_bits: np.ndarray) -> float:
    """Arc by arc and pair by pair."""
    slowest = 0.0
    for arc, free in enumerate(capacity):
        bits = local_bits[arc] + sum(schedule.volume[i, j] * column[arc] for (i, j), column in unit.wide.items())
        slowest = max(slowest, bits / free if free else np.inf if bits else 0.0)
    return slowest


@pytest.mark.parametrize("seed", range(12))
def test_no_plain_way_is_quicker(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_arcs = 9
    unit = loads(n_arcs, {pair: (rng.random(n_arcs) * (rng.random(n_arcs) < 0.4)).tolist() for pair in PAIRS})
    capacity, local_bits = rng.uniform(1.0, 4.0, n_arcs), rng.random(n_arcs) * (seed % 2)
    schedule = choose_schedule(3, unit, capacity, 1.0, local_bits / capacity)
    assert schedule is not None
    best = min(taken_s(each, unit, capacity, local_bits) for each in [*ring_and_direct_schedules(3), *chains(3)])
    assert taken_s(schedule, unit, capacity, local_bits) <= best * (1 + 1e-9)


@pytest.mark.parametrize("names", [[0, 1, 2, 3, 4, 5, 6], [3, 0, 5, 1, 6, 2, 4]])
@pytest.mark.parametrize("closed", [True, False])
def test_many_sites_on_a_ring_or_a_line_are_found_whatever_their_names(names: list[int], closed: bool) -> None:
    """Seven sites, neighbours joined; what is sent farther goes the short way round, over all between."""
    n = len(names)
    steps = [(k, (k + 1) % n) for k in range(n if closed else n - 1)]
    arcs = {arc: i for i, arc in enumerate([*steps, *((b, a) for a, b in steps)])}
    units: dict[tuple[int, int], list[float]] = {}
    for a, b in permutations(range(n), 2):
        ahead = (b - a) % n <= n // 2 if closed else b > a
        at, used = a, [0.0] * len(arcs)
        while at != b:
            following = (at + (1 if ahead else -1)) % n
            used[arcs[at, following]] = 1.0
            at = following
        units[names[a], names[b]] = used
    schedule = choose_schedule(n, loads(len(arcs), units), np.ones(len(arcs)))
    assert schedule is not None
    taken = taken_s(schedule, loads(len(arcs), units), np.ones(len(arcs)), np.zeros(len(arcs)))
    assert taken == pytest.approx((n - 1) / n / 2 if closed else 0.5)
    assert schedule.name.startswith("two-way ring" if closed else "tree")


def test_a_dead_arc_of_two_pairs_is_gone_round() -> None:
    """An arc without capacity is no quick one because one of its two pairs has nothing to send."""
    units = {pair: np.eye(7)[k].tolist() for k, pair in enumerate(PAIRS)}
    for pair in ((0, 1), (0, 2)):
        units[pair][6] = 1.0
    capacity = np.append(np.ones(6), 0.0)
    schedule = choose_schedule(3, loads(7, units), capacity)
    assert schedule is not None
    assert taken_s(schedule, loads(7, units), capacity, np.zeros(7)) == np.inf  # 0 has no other way out: no choice is
    units[0, 2][6] = 0.0  # now only 0 to 1 and back is dead, and a tree over 2 goes round it
    units[1, 0][6] = 1.0
    schedule = choose_schedule(3, loads(7, units), capacity)
    assert schedule is not None
    assert schedule.name.startswith("tree")
    assert taken_s(schedule, loads(7, units), capacity, np.zeros(7)) == pytest.approx(0.5)


def test_of_equally_quick_ways_the_first_is_taken() -> None:
    """An arc inside a site takes 100 s whatever goes between the sites, so all schedules end with it."""
    unit = loads(7, {pair: np.eye(7)[k].tolist() for k, pair in enumerate(PAIRS)})
    local_s = np.append(np.zeros(6), 100.0)
    capacity = np.array([1.0, 3.0, 0.5, 2.0, 1.0, 4.0, 1.0])
    first = ring_and_direct_schedules(3)[0].name
    schedule, without = choose_schedule(3, unit, capacity, 1.0, local_s), choose_schedule(3, unit, capacity)
    assert schedule is not None
    assert without is not None
    assert schedule.name == first != without.name


def test_a_group_waits_for_the_cables_of_its_own_racks() -> None:
    """Context rings of two kinds; the cables of the second kind are four times as slow."""
    both = {"a": [("H100", 8)] * 2 + [("H200", 8)] * 2}
    data = sites(both, rack_gbps=100.0, parallelism={"tp": 8, "cp": 2})
    for link in data["links"]:
        if link["id"] in ("a-02~leaf", "a-03~leaf"):
            link["capacity_gbps"] = 25.0
    first, second = inputs_of(evaluated(data)).network_times
    assert second.context_s == pytest.approx(4.0 * first.context_s)
    assert first.context_s > 0
    assert (first.expert_s, first.boundary_s) == (0.0, 0.0)


@pytest.mark.parametrize("n_sites", [3, 7])
@pytest.mark.parametrize("seed", range(4))
def test_repeated_arcs_and_idle_ones_change_no_bit(n_sites: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_arcs, pairs = 12, [*permutations(range(n_sites), 2)]
    units = {pair: (rng.random(n_arcs) * (rng.random(n_arcs) < 0.3)).tolist() for pair in pairs}
    capacity, local_s = rng.uniform(1.0, 4.0, n_arcs), rng.random(n_arcs)
    expected = choose_schedule(n_sites, loads(n_arcs, units), capacity, 3.0, local_s)
    n_idle = 5
    more = {pair: [*unit, *unit, *([0.0] * n_idle)] for pair, unit in units.items()}
    idle_s = rng.random(n_idle) * local_s.min()
    found = choose_schedule(
        n_sites,
        loads(2 * n_arcs + n_idle, more),
        np.concatenate((capacity, capacity, np.ones(n_idle))),
        3.0,
        np.concatenate((local_s, local_s, idle_s)),
    )
    assert expected is not None
    assert found is not None
    assert found.name == expected.name
    np.testing.assert_array_equal(found.volume, expected.volume)
