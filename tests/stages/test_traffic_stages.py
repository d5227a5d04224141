"""The stages of traffic, each by hand: their inputs are small arrays."""

from __future__ import annotations

import numpy as np
import pytest

from tests.stages.given import NO_STEP, given, result, some
from tests.training.cases import reader, state_of
from tests.training.steps import EVALUATOR
from twin.arrays import NODE_KINDS
from twin.kernels.congestion import queue_delay_us
from twin.stages import traffic
from twin.stages.evaluation import Case

NONE = np.zeros(0)


def test_wcmp_splits_by_the_capacity_of_the_direction_and_ecmp_by_members() -> None:
    needs = {
        "health.arc_capacity_gbps": np.array([100.0, 300.0, 500.0, 400.0, 7.0, 7.0]),
        "health.rate_unknown": np.array([False, False, True]),
    }
    state = some(n_members_up=np.array([4, 5, 6]))
    assert traffic.split_share(given(state=state, document=some(routing="ecmp"))).tolist() == [
        4.0,
        4.0,
        5.0,
        5.0,
        6.0,
        6.0,
    ]
    found = traffic.split_share(given(needs, state=state, document=some(routing="wcmp")))
    assert found.tolist() == [100.0, 300.0, 500.0, 400.0, 6.0, 6.0], "members where the rate is unknown"


def test_links_without_light_or_share_carry_nothing() -> None:
    lit, share = np.array([True, True, False, False]), np.array([1.0, 2.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    found = traffic.routed_links(given({"health.lit": lit, "split_share": share}))
    assert found.tolist() == [True, False, False, False]


def test_only_cables_of_racks_and_hosts_differ_by_latency() -> None:
    """Links rack-leaf, leaf-host, leaf-spine: there and back are 1 + 2 and 4 + 8 us, and the third does not count."""
    kinds = np.array([NODE_KINDS.index(kind) for kind in ("rack", "leaf", "host", "spine")])
    state = {"node_kind": kinds, "link_ends": np.array([[0, 1], [1, 2], [1, 3]])}
    needs = {"health.arc_latency_us": np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])}
    assert traffic.access_class(given(needs, state=state)).tolist() == [1, 2, 0]
    needs = {"health.arc_latency_us": np.array([4.0, 8.0, 1.5, 1.5, 16.0, 32.0])}
    assert traffic.access_class(given(needs, state=state)).tolist() == [2, 1, 0]


def demand(id_: str, source: str, target: str, offered_gbps: float) -> object:
    return some(id=id_, source=source, target=target, offered_gbps=offered_gbps)


def test_demands_of_one_pair_add_up_and_those_to_themselves_are_left_out() -> None:
    asked = [
        demand("4", "c", "a", 5.0),
        demand("1", "a", "b", 1.0),
        demand("2", "b", "b", 50.0),
        demand("3", "a", "b", 2.0),
    ]
    state = some(node_index={"a": 0, "b": 1, "c": 2}, n_nodes=3)
    found = traffic.demand_pairs(given(state=state, document=some(demands=asked)))
    assert found is not None
    assert (found.source.tolist(), found.target.tolist()) == ([0, 2], [1, 0])
    assert found.offered_gbps.tolist() == [3.0, 5.0]
    assert traffic.demand_pairs(given(state=state, document=some(demands=[]))) is None


@pytest.mark.parametrize(("routing", "is_unknown"), [("ecmp", [True, False]), ("wcmp", [True, True])])
def test_an_unknown_rate_leaves_a_split_by_rate_unknown_too(routing: str, is_unknown: list[bool]) -> None:
    """Demands a-c over a link of unknown rate, and b-c over the same second link, which has room for both."""
    nodes = [{"id": name, "kind": "leaf"} for name in "abc"]
    links = [{"id": "x", "ends": ["a", "b"]}, {"id": "y", "ends": ["b", "c"], "capacity_gbps": 100.0}]
    offered = [{"id": f"{source}c", "source": source, "target": "c", "offered_gbps": 30.0} for source in "ab"]
    state, document = state_of({"nodes": nodes, "links": links, "demands": offered, "routing": routing})
    found = EVALUATOR.evaluate(Case(state, document, None)).demands
    assert found is not None
    assert np.isnan(found.carried_gbps).tolist() == is_unknown


def test_without_demands_there_are_no_routes_loads_and_queues() -> None:
    nothing = {"demand_pairs": None, "demands.arc_carried_gbps": None}
    assert traffic.demand_routes(given(nothing)) is None
    assert traffic.demands(given(nothing)) is None
    assert traffic.arc_queue(given(nothing, state=some(n_links=2))).tolist() == [0.0] * 4


def test_the_bits_of_a_step_are_spread_over_its_time() -> None:
    """4e9 bits in 2 s are 2 Gb/s."""
    offered = np.array([1.0, 0.0, 3.0, 0.0])
    step = result(arc_bits=np.array([4e9, 8e9]), step_time_s=2.0)
    needs = {"demands.arc_offered_gbps": offered, "step": step, "link_loads.arc": np.array([2, 1])}
    state = some(n_links=2)
    assert traffic.arc_load(given(needs, state=state)).tolist() == [1.0, 4.0, 5.0, 0.0]
    alone = traffic.arc_load(given(needs | {"demands.arc_offered_gbps": None}, state=state))
    assert alone.tolist() == [0.0, 4.0, 2.0, 0.0]
    assert traffic.arc_load(given(needs | {"step": NO_STEP}, state=state)).tolist() == offered.tolist()


def test_an_arc_is_used_as_far_as_its_load_fills_it() -> None:
    needs = {"arc_load": np.array([1.0, 3.0]), "health.arc_capacity_gbps": np.array([2.0, 4.0])}
    assert traffic.arc_utilisation(given(needs)).tolist() == [0.5, 0.75]


def test_queues_follow_the_load_of_the_arc_and_the_rate_of_its_members() -> None:
    needs = {
        "demands.arc_carried_gbps": np.array([50.0, 0.0, 100.0, 100.0]),
        "health.arc_capacity_gbps": np.array([100.0, 100.0, 400.0, 200.0]),
        "health.arc_member_gbps": np.array([100.0, 100.0, 200.0, 200.0]),
    }
    expected = np.empty(4)
    packet_bytes = reader().general("packet_bytes")
    ratio, member_gbps = np.array([0.5, 0.0, 0.25, 0.5]), np.array([100.0, 100.0, 200.0, 200.0])
    queue_delay_us(ratio, member_gbps, packet_bytes, 0.9, expected)
    found = traffic.arc_queue(given(needs, state=some(n_links=2), reader=reader()))
    assert found == pytest.approx(expected, rel=1e-12)
    assert found[0] == pytest.approx(2 * found[3]), "half full as well, on members of half the rate"


def test_the_slowest_path_is_that_of_the_job_else_of_the_demands() -> None:
    latency_us, reachable = np.array([3.0, 9.0, 5.0, 4.0]), np.array([True, False, True, True])
    routes = some(reachable=reachable, worst_latency_us=lambda arc_latency_us: latency_us + arc_latency_us)
    known = some(length_unknown=np.array([False, False]))
    needs = {"link_loads": None, "demand_routes": routes, "health.arc_latency_us": np.ones(4), "health.latency": known}
    job = {"link_loads": some(worst_round_trip_us=4.0, arc=np.array([0, 1]))}
    assert traffic.worst_round_trip(given(needs)) == 7.0, "9 us leads nowhere"
    assert traffic.worst_round_trip(given(needs | job)) == 4.0
    assert traffic.worst_round_trip(given(needs | {"demand_routes": None})) is None
    second_unknown = {"health.latency": some(length_unknown=np.array([False, True]))}
    assert traffic.worst_round_trip(given(needs | second_unknown)) is None
    assert traffic.worst_round_trip(given(needs | job | second_unknown)) == 4.0, "the job does not use that link"
    first_unknown = {"health.latency": some(length_unknown=np.array([True, False]))}
    assert traffic.worst_round_trip(given(needs | job | first_unknown)) is None
    routes.reachable = np.zeros(4, np.bool_)
    assert traffic.worst_round_trip(given(needs)) is None
