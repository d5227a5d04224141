"""Goodput of the flows of a phase, arc by arc and by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.training.cases import general, reader
from twin.model.records import Lossless
from twin.optics.transport_goodput import FlowGoodput, TransportGoodput
from twin.training.phase_goodput import (
    ArcRates,
    ArcTransport,
    PhaseGoodput,
    line_gbps,
    n_flows_per_pair,
    phase_capacity,
    phase_goodput,
)
from twin.training.step_inputs import UnitLinkLoads

READER = reader()
N = 4
TRIP_US = 32.768
"""At 1 Gb/s a packet of 4096 bytes in flight: 32,768 bits."""


def loads(kind: str = "wide_area", pairs: tuple[float, ...] = (2.0, 5.0, 0.0, 5.0)) -> UnitLinkLoads:
    """Row 0: cable of a rack; rows 1 and 3: links between sites; row 2: a link that the phase does not use.

    The round trips of rows 0 and 1 are those of TRIP_US; that of row 3 is unknown.
    """
    n_pairs = np.array(pairs)
    per_us = n_pairs / TRIP_US * np.array([1.0, 1.0, 1.0, 0.0])
    arcs = np.arange(N)
    return UnitLinkLoads(arcs, (), (), (), (), (), {}, 0, 0, 0, 0, 0, (), {kind: n_pairs}, {kind: per_us})


def rates(**more: Any) -> ArcRates:
    """The cable gives 100 Gb/s, the links between sites 2000."""
    columns: dict[str, Any] = {
        "available_gbps": np.array([100.0, 2000.0, 700.0, 2000.0]),
        "member_gbps": np.full(N, 5000.0),
        "loss_ratio": np.array([0.0, 1e-3, 1e-3, 0.0]),
        "is_access": np.array([True, False, False, False]),
        "loses_in_pauses": np.zeros(N, np.bool_),
    }
    return ArcRates(**columns | more)


WIDE_WINDOWS = {"in_flight_bytes": 1e12, "n_flows_per_accelerator": 5.0}


def goodput(lossless: dict[str, Any], arcs: ArcRates | None = None, **more: Any) -> PhaseGoodput:
    return phase_goodput(READER, Lossless(**lossless), loads(), arcs or rates(), **more)["wide_area"]


def test_flows_and_round_trips_of_an_arc() -> None:
    assert general("n_flows_per_accelerator") == 4
    found = goodput({})
    assert found.n_flows.tolist() == [8.0, 20.0, 0.0, 20.0]
    assert found.round_trip_us == pytest.approx([TRIP_US, TRIP_US, TRIP_US * 0, 0.0])
    assert goodput(WIDE_WINDOWS).n_flows.tolist() == [10.0, 25.0, 0.0, 25.0]
    assert goodput({}, no_delay=True).round_trip_us.tolist() == [0.0] * N
    assert n_flows_per_pair(Lossless(), READER) == 4
    assert n_flows_per_pair(Lossless(n_flows_per_accelerator=0.5), READER) == 0.5


def test_go_back_n_resends_a_round_trip_at_the_rate_of_the_source() -> None:
    """The cable gives each of 10 flows 10 Gb/s: 10 packets in flight. So 0.999 / (1 + 1e-3 x 10) of the link remains.

    Where no cable is known, each of 25 flows gets 80 Gb/s of the link: 80 packets. Without delay none is in flight.
    """
    found = goodput(WIDE_WINDOWS).flows
    assert found.recovery_ratio == pytest.approx([1.0, 0.999 / 1.01, 1.0, 1.0])
    assert found.gbps == pytest.approx([100.0, 2000 * 0.999 / 1.01, 700.0, 2000.0])
    anywhere = goodput(WIDE_WINDOWS, rates(is_access=np.zeros(N, np.bool_))).flows
    assert anywhere.recovery_ratio[1] == pytest.approx(0.999 / 1.08)
    slow_cable = np.array([2.5, 2000.0, 700.0, 2000.0])
    slow = goodput(WIDE_WINDOWS, rates(available_gbps=slow_cable)).flows
    assert slow.recovery_ratio[1] == pytest.approx(0.999 / 1.00025)
    assert goodput(WIDE_WINDOWS, no_delay=True).flows.recovery_ratio[1] == pytest.approx(0.999)


def test_rows_without_flows_have_no_limit() -> None:
    """Also with a window of 32,768 bits, a packet: 1 Gb/s for each flow over a round trip."""
    found = goodput({"in_flight_bytes": 4096.0, "n_flows_per_accelerator": 5.0, "recovery": "selective_repeat"}).flows
    assert found.window_ratio == pytest.approx([10 / 100, 25 / 2000, 1.0, 1.0])
    assert found.gbps == pytest.approx([10.0, 25.0 * 0.999, 700.0, 2000.0])
    assert (found.cap_ratio[2], found.recovery_ratio[2], found.line_ratio[2], found.timeout_s[2]) == (1, 1, 1, 0)
    everywhere = phase_goodput(READER, Lossless(), loads(pairs=(2.0, 5.0, 1.0, 5.0)), rates())["wide_area"]
    assert everywhere.n_flows[2] == 4.0
    assert everywhere.flows.recovery_ratio[2] < 1.0


def test_a_pause_is_a_loss_event_of_every_tcp_connection() -> None:
    """20,000 pauses a second at 10 Gb/s: one of 10e9 / (20,000 x 8 x 8960) = 7 packets begins a loss event."""
    tcp = WIDE_WINDOWS | {"recovery": "tcp"}
    assert general("tcp_segment_bytes") == 8960
    quiet = np.zeros(N)
    paused = rates(loss_ratio=quiet, loses_in_pauses=np.array([False, True, True, False]))
    found = goodput(tcp | {"n_pauses_per_s": 2e4}, paused).flows
    lost = np.array([0.0, 2e4 * 8 * 8960 / 10e9, 0.0, 0.0])
    alike = goodput(tcp, rates(loss_ratio=lost)).flows
    assert found.recovery_ratio == pytest.approx(alike.recovery_ratio, rel=1e-9)
    assert found.recovery_ratio[1] < 0.9
    assert found.recovery_ratio[[0, 2, 3]].tolist() == [1.0] * 3
    assert goodput(tcp | {"n_pauses_per_s": 0.0}, paused).flows.recovery_ratio.tolist() == [1.0] * N
    # the other recoveries meet pauses as frames that a link loses
    assert goodput(WIDE_WINDOWS | {"n_pauses_per_s": 100.0}, paused).flows.recovery_ratio.tolist() == [1.0] * N


def test_capacity_and_line_of_a_phase() -> None:
    """A link that loses a thousandth in selective repeat: windows limit the phase, resent frames the line."""
    lossless = {"in_flight_bytes": 4096.0, "n_flows_per_accelerator": 5.0, "recovery": "selective_repeat"}
    arcs = rates()
    found = {"wide_area": goodput(lossless)}
    capacity = phase_capacity(arcs.available_gbps, found)
    assert capacity.gbps["wide_area"] == pytest.approx([10.0, 25.0 * 0.999, 700.0, 2000.0])
    assert capacity.gbps["local"] is arcs.available_gbps
    assert line_gbps(arcs.available_gbps, found)["wide_area"] == pytest.approx([100.0, 1998.0, 700.0, 2000.0])


# --- what transport leaves of the arcs of a network -------------------------------------------------------------------


def phase(n_flows: list[float], cap: list[float], window: list[float], recovery: list[float]) -> PhaseGoodput:
    n = len(n_flows)
    columns = (np.array(column) for column in (cap, window, recovery))
    flows = FlowGoodput(np.ones(n), *columns, np.ones(n), np.array([0.25] * n))
    return PhaseGoodput(np.array(n_flows), 10.0 * np.array(n_flows), flows)


def test_arcs_of_links_have_the_figures_of_queue_pairs_in_both_directions() -> None:
    transport = TransportGoodput(*(np.array(pair) for pair in ([0.9, 0.8], [0.7, 0.6], [0.5, 0.4], [0.1, 0.2])))
    found = ArcTransport.of_links(transport)
    assert found.recovery_ratio.tolist() == [0.9, 0.9, 0.8, 0.8]
    assert found.window_ratio.tolist() == [0.7, 0.7, 0.6, 0.6]
    assert found.goodput_ratio.tolist() == [0.5, 0.5, 0.4, 0.4]
    assert found.timeout_s.tolist() == [0.1, 0.1, 0.2, 0.2]
    assert found.cap_ratio.tolist() == [1.0] * 4
    assert found.n_flows.tolist() == found.round_trip_us.tolist() == [0.0] * 4


def test_an_arc_of_the_job_has_the_figures_of_its_worst_phase() -> None:
    """Arc 3: 0.5 x 0.8 x 1 = 0.4 in one phase and 0.9 in the other. Arc 1: 0.5 in both, so the first one.

    Arc 0 is in the loads without flows, and arc 2 is not in them.
    """
    transport = TransportGoodput(*(np.array(pair) for pair in ([0.9, 0.8], [0.7, 0.6], [0.5, 0.4], [0.1, 0.2])))
    own = ArcTransport.of_links(transport)
    arcs = np.array([0, 1, 3])
    first = phase([0.0, 4.0, 8.0], [0.1, 1.0, 1.0], [1.0, 0.5, 0.9], [1.0, 1.0, 1.0])
    second = phase([0.0, 6.0, 3.0], [0.1, 0.5, 0.5], [1.0, 1.0, 0.8], [1.0, 1.0, 1.0])
    recovering = replace(second, flows=replace(second.flows, recovery_ratio=np.array([1.0, 1.0, 0.75])))
    found = own.with_job(arcs, {"local": first, "wide_area": second})
    assert found.goodput_ratio == pytest.approx([0.5, 0.5, 0.4, 0.4])
    assert found.n_flows.tolist() == [0.0, 4.0, 0.0, 3.0]
    assert found.round_trip_us.tolist() == [0.0, 40.0, 0.0, 30.0]
    assert found.cap_ratio.tolist() == [1.0, 1.0, 1.0, 0.5]
    assert found.window_ratio == pytest.approx([0.7, 0.5, 0.6, 0.8])
    assert found.recovery_ratio == pytest.approx([0.9, 1.0, 0.8, 1.0])
    assert found.timeout_s == pytest.approx([0.1, 0.25, 0.2, 0.25])
    worse = own.with_job(arcs, {"local": first, "wide_area": recovering})
    assert worse.goodput_ratio[3] == pytest.approx(0.5 * 0.8 * 0.75)
    assert worse.recovery_ratio[3] == 0.75
    assert own.n_flows.tolist() == [0.0] * 4, "the figures without a job stay as they are"
