from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from twin.kernels.congestion import N_TOGETHER, _touch, max_min_rates, queue_delay_us, utilisation

INF = float("inf")
Flow = dict[int, Fraction]


def rates(flows: list[Flow], capacity: list[float], limit: list[float] | None = None) -> list[float]:
    first = np.cumsum([0, *map(len, flows)]).astype(np.int64)
    resource = np.array([resource for flow in flows for resource in flow], dtype=np.int64)
    usage = np.array([float(part) for flow in flows for part in flow.values()])
    out = np.full(len(flows), np.nan)
    limits = np.array([INF] * len(flows) if limit is None else limit, dtype=float)
    max_min_rates(first, resource, usage, np.array(capacity, dtype=float), limits, out)
    return out.tolist()


def on(*resources: int) -> Flow:
    return dict.fromkeys(resources, Fraction(1))


def random_case(seed: int, n_flows: int, n_resources: int) -> tuple[list[Flow], list[int], list[float]]:
    """Flows on one to four resources, whole or in ECMP parts; some capacities zero, some flows limited."""
    rng = np.random.default_rng(seed)
    parts = [Fraction(1), Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(1, 7)]
    flows = []
    for _ in range(n_flows):
        chosen = rng.choice(n_resources, size=rng.integers(1, 5), replace=False).tolist()
        flows.append({resource: parts[rng.integers(0, len(parts))] for resource in chosen})
    capacity = rng.choice([0, 10, 100, 400, 400, 800], size=n_resources).tolist()
    limit = np.where(rng.random(n_flows) < 0.3, rng.integers(0, 60, n_flows), INF).tolist()
    return flows, capacity, limit


cases = st.builds(random_case, st.integers(0, 10**6), st.integers(1, 12), st.integers(5, 8))


def loads(flows: list[Flow], rate: list[float], n_resources: int) -> np.ndarray:
    load = np.zeros(n_resources)
    for flow, gbps in zip(flows, rate, strict=True):
        for resource, part in flow.items():
            load[resource] += float(part) * gbps
    return load


def test_three_flows_share_one_link_evenly():
    assert rates([on(0)] * 3, [10.0]) == [10 / 3] * 3


def test_the_parking_lot_gives_the_long_flow_the_same_half():
    assert rates([on(0, 1, 2), on(0), on(1), on(2)], [10.0, 10.0, 10.0]) == [5.0] * 4


def test_what_the_tight_link_leaves_goes_to_the_others():
    assert rates([on(0, 1), on(0), on(1)], [2.0, 10.0]) == [1.0, 1.0, 9.0]


def test_a_flow_spread_over_two_links_weighs_half_on_each():
    spread = {0: Fraction(1, 2), 1: Fraction(1, 2)}
    assert rates([spread, on(0)], [6.0, 100.0]) == [4.0, 4.0]


def test_a_limit_stops_a_flow_and_frees_the_rest():
    assert rates([on(0), on(0), on(0)], [12.0], [2.0, INF, INF]) == [2.0, 5.0, 5.0]


def test_limit_and_saturation_at_the_same_level():
    assert rates([on(0), on(0), on(1)], [8.0, 9.0], [4.0, 4.0, 4.0]) == [4.0, 4.0, 4.0]


def test_a_flow_without_resources_gets_its_limit():
    assert rates([{}, {}, {0: Fraction(0)}], [1.0], [7.0, INF, 3.0]) == [7.0, INF, 3.0]
    assert rates([{}], [], [2.0]) == [2.0]


def test_no_capacity_no_rate():
    assert rates([on(0, 1), on(1), on(2)], [0.0, 5.0, 0.0]) == [0.0, 5.0, 0.0]


def test_an_infinite_capacity_never_saturates():
    assert rates([on(0), on(0), on(0, 1)], [INF, 3.0], [9.0, INF, INF]) == [9.0, INF, 3.0]


def test_no_flows_no_rates():
    assert rates([], [1.0]) == []


def test_a_resource_used_twice_counts_twice():
    out = np.empty(1)
    max_min_rates(np.array([0, 2]), np.array([0, 0]), np.ones(2), np.array([10.0]), np.array([INF]), out)
    assert out.tolist() == [5.0]


def test_more_flows_than_are_read_together_stop_at_one_resource():
    n = 2 * N_TOGETHER + 1
    assert rates([on(0)] * n, [3.0 * n]) == [3.0] * n


def test_the_rows_that_are_read_ahead_are_those_of_the_flows():
    first, link, usage = (
        np.array([0, 2, 3, 6]),
        np.array([9, 1, 4, 7, 8, 20]),
        np.array([1.0, 0.5, 1.0, 0.5, 1.0, 0.25]),
    )
    # first places 0 and 3, links at the ends 9 + 1 and 7 + 20, and usage falls in both
    assert _touch(np.array([0, 2]), first, link, usage) == 0 + 3 + 10 + 27 + 2
    assert _touch(np.array([1]), first, link, usage) == 2 + 4 + 4 + 0


def test_rounding_does_not_tear_a_common_bottleneck_apart():
    # both resources fill at 0.7; what rounding leaves on the second must not multiply into the rate of its tiny user
    part, tiny, level = Fraction(1, 11), Fraction(1, 10**9), Fraction(7, 10)
    flows: list[Flow] = [*({0: part, 1: part} for _ in range(10)), {1: tiny}]
    capacity = [float(10 * part * level), float((10 * part + tiny) * level)]
    assert rates(flows, capacity) == pytest.approx([0.7] * 11, rel=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_rates_equal_exact_progressive_filling(seed):
    flows, capacity, limit = random_case(seed, n_flows=40, n_resources=15)
    exact_limit = [Fraction(value) if value < INF else INF for value in limit]
    expected = naive.max_min_rates(flows, [Fraction(value) for value in capacity], exact_limit)
    assert rates(flows, capacity, limit) == pytest.approx([float(rate) for rate in expected], rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(cases)
def test_every_flow_has_a_limit_or_a_bottleneck_where_none_is_faster(case):
    flows, capacity, limit = case
    rate = rates(flows, capacity, limit)
    load = loads(flows, rate, len(capacity))
    assert np.all(load <= np.array(capacity) * (1 + 1e-9))
    for flow, gbps, most in zip(flows, rate, limit, strict=True):
        assert gbps <= most
        fastest_at = {
            resource: max(other_rate for other, other_rate in zip(flows, rate, strict=True) if resource in other)
            for resource in flow
            if load[resource] >= capacity[resource] * (1 - 1e-9)
        }
        assert gbps == most or any(gbps >= fastest * (1 - 1e-9) for fastest in fastest_at.values())


@settings(max_examples=40, deadline=None)
@given(cases, st.data())
def test_raising_a_limit_never_slows_its_flow_and_no_new_limit_lowers_the_slowest(case, data):
    flows, capacity, limit = case
    chosen = data.draw(st.integers(0, len(flows) - 1))
    raised = [most + 20 if flow == chosen else most for flow, most in enumerate(limit)]
    before, after = rates(flows, capacity, limit), rates(flows, capacity, raised)
    assert after[chosen] >= before[chosen] * (1 - 1e-9)
    assert min(after) >= min(before) * (1 - 1e-9)


@settings(max_examples=40, deadline=None)
@given(cases)
def test_twice_the_network_is_twice_the_rate(case):
    flows, capacity, limit = case
    doubled = rates(flows, [2 * value for value in capacity], [2 * value for value in limit])
    assert doubled == [2 * value for value in rates(flows, capacity, limit)]


@settings(max_examples=40, deadline=None)
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_flows_does_not_matter(case, random):
    flows, capacity, limit = case
    order = list(range(len(flows)))
    random.shuffle(order)
    shuffled = rates([flows[old] for old in order], capacity, [limit[old] for old in order])
    assert shuffled == pytest.approx([rates(flows, capacity, limit)[old] for old in order], rel=1e-9)


def test_utilisation_of_used_idle_and_absent_arcs():
    out = np.full(4, np.nan)
    utilisation(np.array([50.0, 0.0, 0.0, 3.0]), np.array([100.0, 100.0, 0.0, 0.0]), out)
    assert out.tolist() == [0.5, 0.0, 0.0, INF]


def test_half_used_a_packet_waits_half_a_service_time():
    out = np.full(1, np.nan)
    queue_delay_us(np.array([0.5]), np.array([100.0]), 1250.0, 0.98, out)
    assert out.tolist() == [0.05]  # 1250 bytes at 100 Gbit/s take 0.1 us


def test_the_queue_is_held_at_the_greatest_utilisation_and_absent_without_capacity():
    out = np.full(5, np.nan)
    queue_delay_us(np.array([0.0, 0.98, 1.7, INF, INF]), np.array([10.0, 10.0, 10.0, 10.0, 0.0]), 1500.0, 0.98, out)
    assert out[0] == out[4] == 0.0
    assert out[1] == out[2] == out[3] == pytest.approx(0.98 / 0.04 * 1.2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e4), st.sampled_from([0.0, 0.1, 100.0, 800.0])), min_size=1, max_size=8))
def test_utilisation_and_queues_equal_the_naive_twins(arcs):
    load, capacity = (np.array(column) for column in zip(*arcs, strict=True))
    ratio, delay = np.empty(load.size), np.empty(load.size)
    utilisation(load, capacity, ratio)
    queue_delay_us(ratio, capacity, 4096.0, 0.98, delay)
    expected = [naive.utilisation(*arc) for arc in arcs]
    assert ratio.tolist() == expected
    waits = [naive.queue_delay_us(rho, arc[1], 4096.0, 0.98) for rho, arc in zip(expected, arcs, strict=True)]
    assert delay.tolist() == pytest.approx(waits, rel=1e-12)
