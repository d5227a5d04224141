"""Flows that share an arc: by hand, beside a version for one flow, and for any number of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.training.cases import reader
from twin.model.records import Lossless
from twin.optics.transport_goodput import ArcFlows, FlowGoodput, flow_goodput

MANY = settings(max_examples=100, deadline=None)
FOUR_MIB = 4 * 2**20


def shared(n_flows: float, available: float = 1200.0, member: float = 400.0, **more: Any) -> FlowGoodput:
    """One arc of 3 x 400 Gb/s over 21 ms, unless stated otherwise."""
    lossless = Lossless(**{"in_flight_bytes": FOUR_MIB} | more.pop("lossless", {}))
    columns = {"round_trip_us": 21e3, "loss_ratio": 0.0, "n_pauses_per_s": 0.0} | more
    source_gbps = columns.pop("source_gbps", np.inf)
    arrays = {name: np.array([value]) for name, value in columns.items()}
    flows = ArcFlows(
        n_flows=np.array([float(n_flows)]),
        available_gbps=np.array([available]),
        member_gbps=np.array([member]),
        source_gbps=source_gbps,
        **arrays,
    )
    return flow_goodput(reader(), lossless, flows)


def test_the_window_of_6144_flows_over_21_ms_never_binds() -> None:
    """Each needs 0.195 Gb/s, and 4 MiB in flight allow 8 x 4194304 / 21 ms = 1.598 Gb/s."""
    found = shared(6144)
    assert found.gbps[0] == 1200.0
    assert found.window_ratio[0] == 1.0


def test_few_flows_are_held_by_their_windows() -> None:
    """100 flows of 1.598 Gb/s: 159.8 of 1200 Gb/s."""
    found = shared(100)
    assert found.gbps[0] == pytest.approx(100 * 8 * FOUR_MIB / 21e-3 / 1e9)
    assert found.window_ratio[0] == pytest.approx(159.78 / 1200, rel=1e-4)


def test_a_flow_is_no_faster_than_its_member_or_a_stated_queue_pair() -> None:
    """2 flows without a round trip: 2 x 400 of 1200 Gb/s; 16 queue pairs of 50 Gb/s: 800."""
    assert shared(2, round_trip_us=0.0).gbps[0] == 800.0
    found = shared(16, round_trip_us=0.0, lossless={"queue_pair_gbps": 50.0})
    assert found.gbps[0] == 800.0
    assert found.cap_ratio[0] == pytest.approx(2 / 3)
    assert shared(24, round_trip_us=0.0, lossless={"queue_pair_gbps": 50.0}).gbps[0] == 1200.0


def test_half_a_flow_takes_as_long_as_a_flow() -> None:
    """A flow takes one of two routes: each has half a flow on average, and half of its bits."""
    assert shared(0.5, round_trip_us=0.0).gbps[0] == 200.0


@pytest.mark.parametrize(("n_flows", "kept"), [(8, 0.893), (1, 0.511)])
def test_go_back_n_counts_the_packets_of_one_flow(n_flows: int, kept: float) -> None:
    """80 km of 400 Gb/s at a loss of 1e-4: .893 on eight queue pairs and .511 on one."""
    found = shared(n_flows, available=400.0, round_trip_us=783.475, loss_ratio=1e-4, lossless={"in_flight_bytes": 1e9})
    assert found.recovery_ratio[0] == pytest.approx(kept, abs=0.002)


def test_a_flow_is_no_faster_than_where_it_starts() -> None:
    """A quarter of a flow on each of four uplinks would run at 400 Gb/s; its card gives 100."""
    slow, fast = (shared(0.25, 400.0, round_trip_us=80.0, loss_ratio=1e-4, source_gbps=gbps) for gbps in (100.0, 400.0))
    assert slow.recovery_ratio[0] > fast.recovery_ratio[0]


@pytest.mark.parametrize("n_flows", [1, 8])
def test_one_burst_waits_if_the_tail_of_any_flow_is_lost(n_flows: int) -> None:
    assert shared(n_flows, loss_ratio=1e-4).timeout_s[0] == pytest.approx(4.295 * (1 - (1 - 1e-4) ** n_flows), rel=1e-3)


def test_pauses_that_lose_frames_are_loss_events_of_tcp_alone() -> None:
    paused = {"n_pauses_per_s": 1000.0, "round_trip_us": 800.0}
    rdma, tcp = (
        shared(24, lossless={"recovery": recovery, "in_flight_bytes": 1e9}, **paused)
        for recovery in ("go_back_n", "tcp")
    )
    assert rdma.gbps[0] == 1200.0
    assert tcp.gbps[0] < 1200.0


@MANY
@given(
    st.floats(0.1, 1e6),
    st.floats(0.0, 1e5),
    st.sampled_from([0.0, 1e-6, 1e-3, 0.1]),
    st.sampled_from(["go_back_n", "selective_repeat", "tcp"]),
    st.sampled_from([None, 10.0, 50.0]),
)
def test_it_is_what_one_flow_gets_times_their_number(
    n_flows: float, trip_us: float, loss: float, recovery: str, queue_pair_gbps: float | None
) -> None:
    lossless = {"recovery": recovery, "queue_pair_gbps": queue_pair_gbps}
    found = shared(n_flows, round_trip_us=trip_us, loss_ratio=loss, lossless=lossless)
    expected = naive.flow_gbps(1200.0, 400.0, n_flows, trip_us, loss, recovery, queue_pair_gbps)
    assert found.gbps[0] == pytest.approx(n_flows * expected, rel=1e-9)


@MANY
@given(
    st.floats(0.1, 1e6), st.floats(1.0, 100.0), st.floats(0.0, 1e5), st.sampled_from([0.0, 1e-4, 0.1]), st.booleans()
)
def test_more_flows_and_shorter_links_are_never_slower(
    n_flows: float, factor: float, trip_us: float, loss: float, is_tcp: bool
) -> None:
    lossless = {"recovery": "tcp" if is_tcp else "go_back_n"}
    base = shared(n_flows, round_trip_us=trip_us, loss_ratio=loss, lossless=lossless).gbps[0]
    more = shared(n_flows * factor, round_trip_us=trip_us, loss_ratio=loss, lossless=lossless).gbps[0]
    shorter = shared(n_flows, round_trip_us=trip_us / factor, loss_ratio=loss, lossless=lossless).gbps[0]
    assert more >= base * (1 - 1e-9)
    assert shorter >= base * (1 - 1e-9)
    if n_flows * 8 * FOUR_MIB >= 1200e3 * trip_us * (1 + 1e-9):
        assert shared(n_flows, round_trip_us=trip_us).window_ratio[0] == 1.0
