"""What senders make of losses and distance: repeats, windows, time-outs, against the field notes and by hand."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.cases import general, health_of, line, reader
from twin.model.records import Lossless
from twin.optics.link_budget import LINE_RATE, LOSS
from twin.optics.transport_goodput import (
    NEGLIGIBLE_LOSS_RATIO,
    ArcFlows,
    TransportGoodput,
    compute_transport_goodput,
    flow_goodput,
    tcp_gbps,
)

Recovery = Literal["go_back_n", "selective_repeat", "tcp"]
RECOVERIES: tuple[Recovery, ...] = ("go_back_n", "selective_repeat", "tcp")
ROUND_TRIP_US_PER_KM = 2 * 1.468 / 0.299792458
MANY = settings(max_examples=100, deadline=None)


def one(
    loss: float,
    km: float,
    recovery: Recovery = "go_back_n",
    pair_gbps: float = 50.0,
    in_flight_bytes: float | None = None,
    member_gbps: float = 400.0,
) -> TransportGoodput:
    """Senders over one link so long, nothing but glass."""
    lossless = Lossless(recovery=recovery, queue_pair_gbps=pair_gbps, in_flight_bytes=in_flight_bytes)
    trip_us = np.array([km * ROUND_TRIP_US_PER_KM])
    return compute_transport_goodput(reader(), lossless, np.array([loss]), trip_us, np.array([member_gbps]))


def goodput(*args: Any, **kwargs: Any) -> float:
    return float(one(*args, **kwargs).goodput_ratio[0])


# --- repeats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("km", "at_1e5", "at_1e4"), [(2, 0.998, 0.977), (16.1, 0.981, 0.838), (40, 0.954, 0.676), (120, 0.875, 0.411)]
)
def test_go_back_n_of_the_field_notes_on_one_queue_pair_at_400g(km: float, at_1e5: float, at_1e4: float) -> None:
    for loss, expected in ((1e-5, at_1e5), (1e-4, at_1e4)):
        wide = one(loss, km, pair_gbps=400.0, in_flight_bytes=1e9)
        assert wide.goodput_ratio[0] == pytest.approx(expected, abs=1e-3)
        assert wide.recovery_ratio[0] == wide.goodput_ratio[0]
        assert wide.window_ratio[0] == 1.0


def test_go_back_n_of_the_field_notes_over_80_km() -> None:
    wide = {"in_flight_bytes": 1e9}
    assert goodput(1e-4, 80, pair_gbps=400.0, **wide) == pytest.approx(0.511, abs=1e-3)
    assert goodput(1e-4, 80, pair_gbps=50.0, **wide) == pytest.approx(0.893, abs=1e-3)


def test_go_back_n_sends_all_again_that_was_in_flight() -> None:
    """(1 - p) / (1 + p W), W packets of 4096 B in a round trip."""
    packets = 50e9 * 30 * ROUND_TRIP_US_PER_KM / 1e6 / (4096 * 8)
    assert goodput(1e-3, 30) == pytest.approx((1 - 1e-3) / (1 + 1e-3 * packets))


@pytest.mark.parametrize("km", [0.0, 2.0, 80.0])
def test_selective_repeat_loses_what_is_lost_however_far(km: float) -> None:
    assert goodput(1e-3, km, "selective_repeat", in_flight_bytes=1e9) == 1 - 1e-3


@pytest.mark.parametrize("recovery", RECOVERIES)
def test_a_frame_in_ten_billion_does_not_show(recovery: Recovery) -> None:
    for loss in (0.0, NEGLIGIBLE_LOSS_RATIO):
        found = one(loss, 1.0, recovery)
        assert (found.recovery_ratio[0], found.goodput_ratio[0], found.timeout_s[0]) == (1.0, 1.0, 0.0)


def test_all_that_is_lost_brings_nothing() -> None:
    assert goodput(1.0, 10.0) == 0.0
    assert goodput(1.0, 10.0, "selective_repeat") == 0.0
    assert one(1.0, 10.0).timeout_s[0] == pytest.approx(general("retransmission_timeout_s"))


# --- TCP -------------------------------------------------------------------------------------------------------------


def rfc_3448_gbps(p: float, trip_s: float, segment_bytes: float) -> float:
    """Section 3.1 as it stands there, b = 1 and t_RTO = 4 R."""
    below = trip_s * math.sqrt(2 * p / 3) + 4 * trip_s * (3 * math.sqrt(3 * p / 8) * p * (1 + 32 * p**2))
    return segment_bytes / below * 8 / 1e9


@pytest.mark.parametrize("p", [1e-6, 1e-4, 1e-2, 0.3, 0.999])
@pytest.mark.parametrize("km", [2.0, 80.0, 1000.0])
def test_tcp_follows_the_throughput_equation(p: float, km: float) -> None:
    trip_us = km * ROUND_TRIP_US_PER_KM
    by_hand = rfc_3448_gbps(p, trip_us / 1e6, 8960)
    assert tcp_gbps(np.array([p]), np.array([trip_us]), 8960)[0] == pytest.approx(by_hand)
    assert goodput(p, km, "tcp", in_flight_bytes=1e12) == pytest.approx(min(1.0, by_hand / 50.0))


@pytest.mark.parametrize("p", [1e-8, 1e-6, 1e-5])
def test_tcp_is_near_mathis_where_losses_are_rare(p: float) -> None:
    """MSS / RTT * sqrt(3/2) / sqrt(p)."""
    trip_s = 80 * ROUND_TRIP_US_PER_KM / 1e6
    mathis = 8960 * 8 / trip_s * math.sqrt(1.5 / p) / 1e9
    assert tcp_gbps(np.array([p]), np.array([trip_s * 1e6]), 8960)[0] == pytest.approx(mathis, rel=1e-3)


def test_over_no_distance_tcp_is_as_fast_as_its_link() -> None:
    assert goodput(1e-3, 0.0, "tcp") == 1.0
    assert goodput(1e-3, 1e-308, "tcp") == 1.0
    assert tcp_gbps(np.zeros(1), np.ones(1), 1460).tolist() == [math.inf]
    assert health_of(line(loss_ratio=1e-3, lossless={"recovery": "tcp"})).arc_capacity_gbps[0] == 400


# --- windows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("km", "gbps", "within"), [(23, 149.0, 0.5), (1000, 3.4, 0.05)])
def test_a_window_of_4_mib_fills_what_the_field_notes_say(km: float, gbps: float, within: float) -> None:
    assert general("in_flight_bytes") == 4 * 2**20
    found = one(0.0, km, pair_gbps=400.0)
    assert found.window_ratio[0] * 400 == pytest.approx(gbps, abs=within)
    assert found.goodput_ratio[0] == found.window_ratio[0]
    assert found.recovery_ratio[0] == 1.0


def test_a_window_counts_from_the_distance_on_that_it_does_not_fill() -> None:
    full_km = 4 * 2**20 * 8 / 50e3 / ROUND_TRIP_US_PER_KM
    assert full_km == pytest.approx(68.5, abs=0.1)
    assert goodput(0.0, full_km * (1 - 1e-9)) == 1.0
    assert goodput(0.0, full_km * 2) == pytest.approx(0.5)


def test_a_window_keeps_fewer_packets_in_flight_to_be_sent_again() -> None:
    """At 1000 km a queue pair of 50 Gb/s sends at 3.4, and what is in flight is the window."""
    found = one(1e-3, 1000.0)
    window = 4 * 2**20 * 8 / (50e3 * 1000 * ROUND_TRIP_US_PER_KM)
    packets = 4 * 2**20 / 4096
    assert found.window_ratio[0] == pytest.approx(window)
    assert found.goodput_ratio[0] == pytest.approx(window * (1 - 1e-3) / (1 + 1e-3 * packets))
    assert found.recovery_ratio[0] < found.goodput_ratio[0] / window


def test_the_document_s_window_comes_before_the_catalogue_s() -> None:
    assert goodput(0.0, 1000.0, in_flight_bytes=8 * 2**20) == pytest.approx(2 * goodput(0.0, 1000.0))


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("loss", [0.0, 1e-3])
def test_no_flow_is_faster_than_its_member(recovery: Recovery, loss: float) -> None:
    """A queue pair that would run at 400 Gb/s does 100 on a link of 100, and is judged at that."""
    fast = one(loss, 23.0, recovery, pair_gbps=400.0, member_gbps=100.0)
    fit = one(loss, 23.0, recovery, pair_gbps=100.0, member_gbps=100.0)
    for name in ("window_ratio", "recovery_ratio", "goodput_ratio", "timeout_s"):
        assert getattr(fast, name)[0] == getattr(fit, name)[0], name


# --- time-outs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("member_gbps", "pairs"), [(400.0, 8.0), (50.0, 1.0), (25.0, 1.0), (125.0, 2.5)])
def test_a_lost_tail_costs_a_time_out(member_gbps: float, pairs: float) -> None:
    """RTO * (1 - (1 - p)^n), one tail for each queue pair of a member."""
    assert general("retransmission_timeout_s") == pytest.approx(4.096e-6 * 2**20, rel=1e-3)
    found = one(1e-4, 10.0, member_gbps=member_gbps).timeout_s[0]
    assert found == pytest.approx(4.295 * (1 - (1 - 1e-4) ** pairs))


# --- on a link -------------------------------------------------------------------------------------------------------


def test_windows_do_not_limit_a_link() -> None:
    """1000 km: eight queue pairs of 3.4 Gb/s would be all that one sender gets out of 400; others fill it."""
    stated = {"queue_pair_gbps": 50}
    health = health_of(line(capacity_gbps=400.0, n_parallel=3, spans=[{"length_km": 1000.0}], lossless=stated))
    assert health.arc_capacity_gbps.tolist() == health.arc_sending_gbps.tolist() == [1200.0, 1200.0]
    window = 4 * 2**20 * 8 / (50e3 * 1000 * ROUND_TRIP_US_PER_KM)
    assert health.transport.window_ratio[0] == pytest.approx(window)
    assert health.arc_limit.tolist() == [LINE_RATE, LINE_RATE]


def test_losses_lower_the_capacity_and_not_what_is_sent() -> None:
    stated = {"queue_pair_gbps": 50}
    health = health_of(line(capacity_gbps=400.0, loss_ratio=1e-3, spans=[{"length_km": 1000.0}], lossless=stated))
    alone = one(1e-3, 1000.0)
    assert health.arc_capacity_gbps[0] == pytest.approx(400 * alone.recovery_ratio[0])
    assert health.arc_sending_gbps[0] == 400.0
    assert health.goodput_ratio[0] == pytest.approx(alone.goodput_ratio[0])
    assert health.arc_limit[0] == LOSS


@pytest.mark.parametrize("recovery", ["go_back_n", "selective_repeat"])
def test_a_link_without_a_job_and_without_a_stated_queue_pair_resends_only_what_is_lost(recovery: str) -> None:
    """Many slow flows: go-back-N resends 1 frame for each lost one. One burst waits for the tail of one flow."""
    lossless = {"recovery": recovery}
    health = health_of(line(capacity_gbps=400.0, loss_ratio=1e-3, spans=[{"length_km": 1000.0}], lossless=lossless))
    assert health.transport.recovery_ratio[0] == health.transport.goodput_ratio[0] == pytest.approx(0.999)
    assert health.transport.window_ratio[0] == 1.0
    assert health.transport.timeout_s[0] == pytest.approx(1e-3 * general("retransmission_timeout_s"))


def test_a_link_that_is_dark_sends_nothing() -> None:
    health = health_of(line(transceiver="400ZR", spans=[{"length_km": 140.0}], lossless={"queue_pair_gbps": 400}))
    assert health.arc_sending_gbps.tolist() == [0.0, 0.0]


# --- whatever the figures are ----------------------------------------------------------------------------------------

LOSSES = st.just(0.0) | st.floats(-12, -0.5).map(lambda power: 10.0**power)
KM = st.floats(0, 5000)
PAIRS = st.sampled_from([10.0, 50.0, 400.0, 1000.0])
SLACK = 1 + 1e-12


@MANY
@given(LOSSES, KM, st.sampled_from(RECOVERIES), PAIRS, st.floats(1.0, 100.0))
def test_more_loss_and_more_distance_never_help_and_wider_windows_never_harm(
    loss: float, km: float, recovery: Recovery, pair_gbps: float, factor: float
) -> None:
    base = goodput(loss, km, recovery, pair_gbps)
    assert 0 < base <= 1
    assert goodput(min(loss * factor, 0.99), km, recovery, pair_gbps) <= base * SLACK
    assert goodput(loss, km * factor, recovery, pair_gbps) <= base * SLACK
    assert goodput(loss, km, recovery, pair_gbps, 4 * 2**20 * factor) >= base / SLACK


@MANY
@given(LOSSES, KM, st.sampled_from(RECOVERIES), PAIRS)
def test_the_shares_agree_with_each_other(loss: float, km: float, recovery: Recovery, pair_gbps: float) -> None:
    """A window costs at most its own share: what is not in flight need not be sent again."""
    found = one(loss, km, recovery, pair_gbps)
    both = found.goodput_ratio[0]
    assert both <= found.window_ratio[0] * SLACK
    assert both <= found.recovery_ratio[0] * SLACK
    assert both >= found.window_ratio[0] * found.recovery_ratio[0] / SLACK
    assert 0 <= found.timeout_s[0] <= general("retransmission_timeout_s")


@MANY
@given(LOSSES, KM, PAIRS)
def test_selective_repeat_is_never_worse_than_going_back(loss: float, km: float, pair_gbps: float) -> None:
    assert goodput(loss, km, "selective_repeat", pair_gbps) >= goodput(loss, km, "go_back_n", pair_gbps) / SLACK


@MANY
@given(st.lists(st.tuples(LOSSES, KM, st.sampled_from([0.0, 40.0, 100.0, 800.0])), min_size=1, max_size=6))
def test_links_are_judged_each_by_itself(rows: list[tuple[float, float, float]]) -> None:
    loss, km, member = (np.array(column) for column in zip(*rows, strict=True))
    every = compute_transport_goodput(reader(), Lossless(queue_pair_gbps=50.0), loss, km * ROUND_TRIP_US_PER_KM, member)
    for i, (p, length_km, gbps) in enumerate(rows):
        alone = one(p, length_km, member_gbps=gbps)
        for name in ("window_ratio", "recovery_ratio", "goodput_ratio", "timeout_s"):
            assert getattr(every, name)[i] == getattr(alone, name)[0], name


@pytest.mark.parametrize("loss_ratio", [1e-6, 1e-4])
def test_a_window_above_the_rate_of_tcp_changes_nothing(loss_ratio: float) -> None:
    """A hundred connections over 20 ms: what they send together never falls with a larger window."""
    rates, lines = [], []
    for in_flight_bytes in (1e6, 1e7, 1e8, 1e9):
        columns = [np.array([x]) for x in (100.0, 20_000.0, 400.0, 400.0)]
        flows = ArcFlows(*columns, 10.0, np.array([loss_ratio]), np.zeros(1))
        found = flow_goodput(reader(), Lossless(recovery="tcp", in_flight_bytes=in_flight_bytes), flows)
        rates.append(float(found.gbps[0]))
        lines.append(float(found.line_ratio[0]))
    assert rates == sorted(rates)
    assert rates[-1] == rates[-2]
    assert lines == [1.0 - loss_ratio] * 4
