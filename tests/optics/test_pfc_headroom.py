"""Pause over a distance: headroom of the field notes, and what each policy makes of a buffer that is too small."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.cases import general, health_of, line
from twin.errors import DocumentError
from twin.loading import from_document
from twin.optics.link_budget import BUFFER, CONGESTION_CONTROL, LINE_RATE, LOSS, PAUSES
from twin.optics.link_health import LinkHealth

Recovery = Literal["go_back_n", "selective_repeat", "tcp"]
RECOVERIES: tuple[Recovery, ...] = ("go_back_n", "selective_repeat", "tcp")
SHALLOW, DEEP = "border-12.8T", "border-deep-28.8T"
SHALLOW_BYTES, DEEP_BYTES = 64e6 * 0.6, 8e9 * 0.6
"""Lossless buffer of one forwarding chip."""
QUANTA = {100: 394, 400: 905, 800: 905}
MANY = settings(max_examples=50, deadline=None)


def over(
    km: float, gbps: float = 400.0, n_parallel: int = 1, part: str | None = SHALLOW, **lossless: Any
) -> LinkHealth:
    """Two border routers and so much fibre between them; windows wide enough for anything."""
    spans = [{"length_km": km}]
    data = line(capacity_gbps=gbps, n_parallel=n_parallel, spans=spans, part=part)
    return health_of(data | {"lossless": {"in_flight_bytes": 1e12, **lossless}})


def needed_bytes(km: float, gbps: float) -> float:
    """xoff = lossless MTU + MTU + 2 L R / (8 v) + MAC and PHY + quanta of 64 B, cell factor 1."""
    return 4096 + 9216 + 2 * km * 1e3 * gbps * 1e9 / (8 * 1.98e8) + 1024 + 64 * QUANTA[round(gbps)]


def round_trip_s(health: LinkHealth) -> float:
    return float(health.arc_latency_us.sum()) / 1e6


# --- headroom --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("km", "megabytes"),
    [(2, (0.3, 1.1, 2.1)), (16.1, (2.1, 8.2, 16.3)), (40, (5.1, 20.3, 40.5)), (80, (10.1, 40.5, 80.9))],
)
def test_headroom_is_that_of_the_field_notes(km: float, megabytes: tuple[float, ...]) -> None:
    """By the formula of the notes to the last byte, by their table to its last figure."""
    for gbps, expected in zip((100, 400, 800), megabytes, strict=True):
        found = over(km, gbps, policy="shaped").headroom.needed_bytes
        assert found == pytest.approx([needed_bytes(km, gbps)] * 2, rel=1e-12)
        assert found[0] / 1e6 == pytest.approx(expected, abs=0.05)


def test_the_lossless_buffer_is_divided_among_the_wide_area_ports_of_a_chip() -> None:
    there = {n: over(10, n_parallel=n, policy="shaped").headroom.available_bytes[0] for n in (1, 2, 8, 16)}
    assert there == pytest.approx({n: SHALLOW_BYTES / n for n in there})
    deep = {n: over(10, n_parallel=n, part=DEEP, policy="shaped").headroom.available_bytes[0] for n in (1, 4, 5, 8, 9)}
    assert deep == pytest.approx({n: DEEP_BYTES / -(-n // 4) for n in deep})  # four chips


def test_a_rate_between_two_that_are_tabled_answers_as_the_faster() -> None:
    """A port that runs 300 Gb/s takes as many quanta as one of 400; one beyond 800 as one of 800."""
    per_gbps = 2 * 10e3 * 1e9 / (8 * 1.98e8)
    for gbps, quanta in ((300, 905), (150, 453), (75, 394), (40, 147), (20, 80), (5, 67), (1600, 905)):
        fixed = 4096 + 9216 + 1024 + 64 * quanta
        assert over(10, gbps, policy="shaped").headroom.needed_bytes[0] == pytest.approx(fixed + gbps * per_gbps)


def test_indoor_links_and_lossy_transport_have_no_such_question() -> None:
    for health in (over(40, policy="lossy"), health_of(line(part=SHALLOW) | {"lossless": {"policy": "shaped"}})):
        assert len(health.headroom.arcs) == 0
        assert health.arc_capacity_gbps.tolist() == [400.0, 400.0]
        assert health.arc_limit.tolist() == [LINE_RATE, LINE_RATE]
        assert health.headroom.of_arc("needed_bytes", 0, np.inf) == np.inf
        assert health.headroom.by_arc("retained_ratio", 2, 1.0).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("policy", ["shaped", "drop_on_pause"])
def test_routers_of_unknown_make_hold_nothing_back(policy: str) -> None:
    health = over(80, part=None, policy=policy)
    assert np.isnan(health.headroom.available_bytes).all()
    assert health.headroom.needed_bytes[0] == pytest.approx(needed_bytes(80, 400))
    assert health.arc_capacity_gbps.tolist() == [400.0, 400.0]


def test_the_buffer_that_counts_is_the_far_router_s() -> None:
    data = line(capacity_gbps=400.0, n_parallel=8, spans=[{"length_km": 40}], lossless={"policy": "shaped"})
    data["nodes"] = [data["nodes"][0] | {"part": SHALLOW}, data["nodes"][1] | {"part": DEEP}]
    found = health_of(data).headroom
    assert found.available_bytes == pytest.approx([DEEP_BYTES / 2, SHALLOW_BYTES / 8])
    assert found.rate_gbps[0] > 400 > found.rate_gbps[1]


# --- shaped ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("km", "n_parallel"), [(16.1, 8), (23, 8), (40, 4), (80, 16)])
def test_shaped_is_headroom_solved_for_the_rate(km: float, n_parallel: int) -> None:
    health = over(km, n_parallel=n_parallel, policy="shaped")
    room, rate = health.headroom, health.headroom.rate_gbps[0]
    assert rate < 400
    at_that_rate = 4096 + 9216 + 1024 + 64 * 905 + rate * 1e9 / 8 * 2e3 * km / 1.98e8
    assert at_that_rate == pytest.approx(room.available_bytes[0], rel=1e-12)
    assert health.arc_capacity_gbps == pytest.approx([n_parallel * rate] * 2)
    assert health.arc_limit.tolist() == [BUFFER, BUFFER]
    assert room.retained_ratio.tolist() == [1.0, 1.0]


def test_where_the_buffer_suffices_a_shaped_port_runs_at_its_rate() -> None:
    health = over(40, part=DEEP, policy="shaped")
    assert health.headroom.needed_bytes[0] < health.headroom.available_bytes[0]
    assert health.headroom.rate_gbps[0] > 400
    assert (health.arc_capacity_gbps[0], health.arc_limit[0]) == (400, LINE_RATE)


def test_a_buffer_that_does_not_hold_the_fixed_part_lets_nothing_through() -> None:
    """1000 ports share 38 MB: less than the frames that are on their way in any case."""
    health = over(10, n_parallel=1000, policy="shaped")
    assert health.headroom.rate_gbps.tolist() == [0.0, 0.0]
    assert health.arc_capacity_gbps.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("policy", ["shaped", "drop_on_pause"])
def test_glass_of_next_to_no_length_is_no_trouble(policy: str) -> None:
    assert over(1e-6, policy=policy).arc_capacity_gbps.tolist() == [400.0, 400.0]


# --- drop on pause ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize(("km", "part"), [(40, SHALLOW), (80, DEEP)])
def test_nothing_is_lost_where_the_buffer_suffices(km: float, part: str, recovery: Recovery) -> None:
    health = over(km, part=part, policy="drop_on_pause", recovery=recovery, n_pauses_per_s=1e6)
    assert (health.headroom.needed_bytes < health.headroom.available_bytes).all()
    assert health.headroom.retained_ratio.tolist() == [1.0, 1.0]
    assert (health.arc_capacity_gbps[0], health.arc_limit[0]) == (400, LINE_RATE)


@pytest.mark.parametrize("n_pauses", [1.0, 10.0, 1000.0])
@pytest.mark.parametrize("km", [23.0, 80.0])
def test_each_pause_costs_what_does_not_fit_and_going_back_a_round_trip_besides(km: float, n_pauses: float) -> None:
    short = needed_bytes(km, 400) - SHALLOW_BYTES / 8
    for recovery in ("selective_repeat", "go_back_n"):
        health = over(km, n_parallel=8, policy="drop_on_pause", recovery=recovery, n_pauses_per_s=n_pauses)
        again = short + (round_trip_s(health) * 50e9 if recovery == "go_back_n" else 0.0)
        kept = 1 / (1 + n_pauses * again / 50e9)
        assert health.headroom.retained_ratio == pytest.approx([kept] * 2)
        assert health.arc_capacity_gbps == pytest.approx([3200 * kept] * 2)
        assert (health.headroom.rate_gbps == np.inf).all()


@pytest.mark.parametrize("n_pauses", [0.1, 10.0, 1000.0, 1e6])
def test_tcp_takes_each_pause_as_one_loss_of_every_connection(n_pauses: float) -> None:
    """RFC 3448, section 3.1, at so many loss events a packet of a connection of 50 Gb/s."""
    tcp = {"policy": "drop_on_pause", "recovery": "tcp", "queue_pair_gbps": 50}
    health = over(80, n_parallel=8, n_pauses_per_s=n_pauses, **tcp)
    p = min(1.0, n_pauses * 8960 * 8 / 50e9)
    trip_s = round_trip_s(health)
    below = trip_s * np.sqrt(2 * p / 3) + 4 * trip_s * 3 * np.sqrt(3 * p / 8) * p * (1 + 32 * p**2)
    kept = min(1.0, 8960 * 8 / below / 50e9)
    assert health.headroom.retained_ratio == pytest.approx([kept] * 2)


def test_pauses_cost_many_slow_tcp_connections_nothing_on_a_link_without_a_job() -> None:
    health = over(80, n_parallel=8, policy="drop_on_pause", recovery="tcp", n_pauses_per_s=1000.0)
    assert (health.headroom.lost_bytes > 0).all()
    assert health.headroom.retained_ratio.tolist() == [1.0, 1.0]


def test_tcp_connections_are_no_faster_than_their_port() -> None:
    kept = [
        over(80, 100, 16, policy="drop_on_pause", recovery="tcp", n_pauses_per_s=100, queue_pair_gbps=pair)
        for pair in (100, 400)
    ]
    assert kept[0].headroom.retained_ratio.tolist() == kept[1].headroom.retained_ratio.tolist()
    assert kept[0].headroom.retained_ratio[0] < 1


def test_the_catalogue_says_how_often_where_the_document_does_not() -> None:
    lossless = {"policy": "drop_on_pause", "recovery": "selective_repeat"}
    assert general("n_pauses_per_s") == 10
    silent, ten = over(80, n_parallel=8, **lossless), over(80, n_parallel=8, n_pauses_per_s=10.0, **lossless)
    assert silent.headroom.retained_ratio.tolist() == ten.headroom.retained_ratio.tolist()
    assert silent.headroom.retained_ratio[0] < 1


@pytest.mark.parametrize("recovery", RECOVERIES)
def test_without_pauses_nothing_is_lost(recovery: Recovery) -> None:
    health = over(80, n_parallel=8, policy="drop_on_pause", recovery=recovery, n_pauses_per_s=0.0)
    assert health.headroom.retained_ratio.tolist() == [1.0, 1.0]


def test_pauses_are_named_where_they_take_most() -> None:
    pauses = {"policy": "drop_on_pause", "recovery": "selective_repeat", "n_pauses_per_s": 1000.0}
    assert over(80, n_parallel=8, **pauses).arc_limit.tolist() == [PAUSES, PAUSES]
    rare = pauses | {"n_pauses_per_s": 0.001}
    assert over(80, n_parallel=8, **rare).arc_limit.tolist() == [LINE_RATE, LINE_RATE]


# --- congestion control ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["shaped", "drop_on_pause", "lossy"])
def test_congestion_control_keeps_its_share_of_wide_area_links(policy: str) -> None:
    health = over(10, part=DEEP, policy=policy, congestion_control_ratio=0.85)
    assert health.arc_capacity_gbps == pytest.approx([340.0, 340.0])
    assert health.arc_limit.tolist() == [CONGESTION_CONTROL, CONGESTION_CONTROL]


def test_congestion_control_leaves_links_without_spans_alone() -> None:
    health = health_of(line() | {"lossless": {"congestion_control_ratio": 0.7}})
    assert health.arc_capacity_gbps.tolist() == [400.0, 400.0]


def test_shares_multiply_and_the_worst_is_named() -> None:
    spans, lossless = [{"length_km": 40.0}], {"queue_pair_gbps": 50, "congestion_control_ratio": 0.85}
    for loss, limit in ((1e-5, CONGESTION_CONTROL), (1e-2, LOSS)):
        health = health_of(line(capacity_gbps=400.0, loss_ratio=loss, spans=spans) | {"lossless": lossless})
        assert health.arc_capacity_gbps[0] == pytest.approx(400 * health.transport.recovery_ratio[0] * 0.85)
        assert health.arc_limit[0] == limit


def test_a_buffer_is_named_only_where_it_holds_more_back_than_the_rest() -> None:
    """At 23 km eight ports are shaped to 165 Gb/s; where congestion control keeps but 0.3 of 400, that is less."""
    shaped = over(23, n_parallel=8, policy="shaped")
    slower = over(23, n_parallel=8, policy="shaped", congestion_control_ratio=0.3)
    assert shaped.arc_capacity_gbps[0] == pytest.approx(8 * 165, rel=0.02)
    assert (slower.arc_capacity_gbps[0], slower.arc_limit[0]) == (pytest.approx(960), CONGESTION_CONTROL)


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("policy", "shape", "'shaped'"),
        ("recovery", "goback", "'go_back_n'"),
        ("n_pauses_per_s", -1.0, "must be at least 0"),
        ("n_pauses_per_s", float("nan"), "finite number"),
        ("queue_pair_gbps", 0.0, "must be more than 0"),
        ("in_flight_bytes", 1.0, "must be at least 1500"),
        ("congestion_control_ratio", 1.1, "must be at most 1"),
        ("congestion_control_ratio", 0.0, "must be more than 0"),
    ],
)
def test_a_bad_field_is_named_with_its_place(field: str, value: Any, problem: str) -> None:
    with pytest.raises(DocumentError) as caught:
        from_document(line(lossless={field: value}))
    assert [issue.where for issue in caught.value.issues] == [f"lossless.{field}"]
    assert problem in caught.value.issues[0].problem


# --- whatever the figures are ----------------------------------------------------------------------------------------

# shorter links of nodes without a site are indoor cables, which have no headroom
PLACES = st.tuples(st.floats(0.501, 2000), st.sampled_from([25.0, 100.0, 400.0, 800.0]), st.integers(1, 40))


@MANY
@given(PLACES, st.floats(0, 1e6), st.floats(1, 1e3), st.sampled_from(RECOVERIES))
def test_more_pauses_never_help(
    place: tuple[float, float, int], n_pauses: float, factor: float, recovery: Recovery
) -> None:
    def kept(n: float) -> float:
        return float(
            over(*place, policy="drop_on_pause", recovery=recovery, n_pauses_per_s=n).headroom.retained_ratio[0]
        )

    few = kept(n_pauses)
    assert 0 < few <= 1
    assert kept(min(n_pauses * factor, 1e6)) <= few


@MANY
@given(PLACES, st.floats(1, 10), st.sampled_from(["shaped", "drop_on_pause"]), st.sampled_from(RECOVERIES))
def test_more_distance_and_more_ports_never_help(
    place: tuple[float, float, int], factor: float, policy: str, recovery: Recovery
) -> None:
    def of_a_member(km: float, gbps: float, n: int) -> float:
        health = over(km, gbps, n, policy=policy, recovery=recovery)
        return float(health.arc_capacity_gbps[0]) / n

    km, gbps, n = place
    here = of_a_member(*place)
    assert 0 <= here <= gbps * (1 + 1e-12)
    assert of_a_member(km * factor, gbps, n) <= here * (1 + 1e-12)
    assert of_a_member(km, gbps, n + 7) <= here * (1 + 1e-12)
