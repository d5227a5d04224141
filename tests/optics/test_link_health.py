"""Link health by hand, against the figures of the field notes, and what must hold whatever the figures are."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.cases import general, health_of, line, of_part, penalty_db, reader, state_of
from twin.catalogue import catalogue, load_price_book
from twin.catalogue.figure_reader import FigureReader
from twin.optics.fec import direct_ber_ratio, reed_solomon_loss_ratio
from twin.optics.link_budget import BUFFER, CARDS, DOWN, LINE_RATE, LOSS, MODE, REACH
from twin.optics.link_health import LinkHealth, compute_link_health

MANY = settings(max_examples=150, deadline=None)
KM_US = 1.468 / 299_792.458 * 1e6


def snr_db(received_dbm: float) -> float:
    """The unamplified receiver of the field notes, 34 dB out of the transmitter."""
    return -10 * math.log10(10**-3.4 + 10 ** (-(46.0 + received_dbm) / 10))


# --- loss ----------------------------------------------------------------------------------------------------------


def test_loss_is_glass_grown_with_age_splices_of_cuts_connectors_lumps_and_both_multiplexers() -> None:
    spans = [
        {"length_km": 20, "fibre": "G.652.D-2006", "installed": "2006-01-01", "n_splices": 4, "n_connectors": 3},
        {"length_km": 5, "fibre": "G.654.E", "lumped_loss_db": 0.7},
    ]
    loss = health_of(line(spans=spans, mux="mux-8", transceiver="OpenZR+-400G")).loss_db[0]
    age = 7305 / 365.25
    old = 20 * 0.24 * (1 + 0.002 * age) + (4 + 0.003 * 20 * age * 2) * 0.1 + 3 * 0.3
    assert loss == pytest.approx(old + 5 * 0.17 + 0.7 + 2 * 4.5, rel=1e-12)


def test_undated_glass_does_not_age() -> None:
    assert health_of(line(spans=[{"length_km": 10}])).loss_db[0] == pytest.approx(2.1)


def test_an_indoor_patch_has_a_connector_at_each_end_and_copper_none() -> None:
    assert health_of(line(transceiver="400G-DR4")).loss_db[0] == pytest.approx(0.6)
    assert health_of(line(transceiver="DAC-400G")).loss_db[0] == 0.0
    assert health_of(line()).loss_db[0] == 0.0


@pytest.mark.parametrize(
    ("ageing", "growth", "cuts", "droop"), [("low", 0.0, 0.0027, 0.05), ("high", 0.012, 0.01, 0.15)]
)
def test_the_ageing_dial(ageing: Any, growth: float, cuts: float, droop: float) -> None:
    data = line(
        spans=[{"length_km": 40, "installed": "2006-01-01"}], transceiver="OpenZR+-400G", installed="2016-01-01"
    )
    health = health_of(data, ageing)
    age, module_age = 7305 / 365.25, 3653 / 365.25
    loss = 40 * 0.21 * (1 + growth * age) + cuts * 40 * age * 2 * 0.1
    assert health.loss_db[0] == pytest.approx(loss)
    needed = 23.59 + penalty_db("OpenZR+-400G", 400, 40)
    assert health.margin_db[0] == pytest.approx(snr_db(0.0 - loss - droop * module_age) - needed)


# --- margins and rates ---------------------------------------------------------------------------------------------


def test_direct_detection_is_a_loss_budget_less_the_droop_of_the_laser() -> None:
    health = health_of(
        line(transceiver="400G-FR4", spans=[{"length_km": 2, "n_connectors": 2}], installed="2016-01-01")
    )
    loss = 2 * 0.35 + 2 * 0.3
    assert health.margin_db[0] == pytest.approx(4.0 - loss - 0.1 * 3653 / 365.25)
    assert health.member_gbps[0] == 400


def test_direct_detection_ends_at_its_reach() -> None:
    health = health_of(line(transceiver="400G-FR4", spans=[{"length_km": 2.1}]))
    assert health.margin_db[0] > 3
    assert not health.lit[0]
    assert health.arc_limit[0] == REACH
    assert list(health.arc_capacity_gbps) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("length_km", "installed", "field_db", "ageing"),
    [
        (23, "2006-01-01", 3.8, "value"),
        (34, "2006-01-01", 1.4, "value"),
        (23, "2006-01-01", 2.3, "high"),
        (34, "2006-01-01", -1.1, "high"),
    ],
)
def test_margins_of_worn_routes_are_near_those_of_the_field_notes(
    length_km: float, installed: str, field_db: float, ageing: Any
) -> None:
    """Year 20, 0 dBm, mux 4.5 dB at each end, six connectors; that the modules are of 2019 the notes do not say."""
    spans = [{"length_km": length_km, "fibre": "G.652.D-2006", "installed": installed, "n_connectors": 6}]
    data = line(spans=spans, mux="mux-8", transceiver="OpenZR+-400G", installed="2019-08-01")
    at_400g = health_of(data, ageing).budgets.mode_margin_db[0, 0]
    assert at_400g == pytest.approx(field_db, abs=0.15)


def test_openzr_falls_back_to_a_slower_mode_and_then_goes_dark() -> None:
    """The margin is to the SNR of the mode in use, or of the slowest where there is none."""
    for lumped_db, rate, needed, limit in (
        (19, 400, 23.59, LINE_RATE),
        (24, 300, 20.79, MODE),
        (28, 200, 16.91, MODE),
        (33, 100, 11.97, MODE),
        (36, 0, 11.97, DOWN),
    ):
        health = health_of(line(spans=[{"length_km": 1, "lumped_loss_db": lumped_db}], transceiver="OpenZR+-400G"))
        received = -lumped_db - 0.21
        assert health.received_dbm[0] == pytest.approx(received)
        penalty = penalty_db("OpenZR+-400G", rate or 100, 1)
        assert health.margin_db[0] == pytest.approx(snr_db(received) - needed - penalty)
        assert (health.member_gbps[0], health.arc_limit[0], bool(health.lit[0])) == (rate, limit, rate > 0)


def test_too_much_dispersion_is_out_of_reach() -> None:
    """2400 ps/nm over 16.7 ps/nm/km are 143 km, if only the light sufficed."""
    limits = [health_of(line(spans=[{"length_km": km}], transceiver="400ZR")).arc_limit[0] for km in (140, 150)]
    assert limits == [DOWN, REACH]


def test_copper_beyond_its_reach_is_believed_where_it_exists() -> None:
    """The warning, and the refusal of a change, are in `tests/scenario/test_cable_faults.py`."""
    for length_km in (0.002, 0.01):
        found = health_of(line(transceiver="DAC-400G", spans=[{"length_km": length_km, "fibre": "copper-cable"}]))
        assert (bool(found.lit[0]), found.arc_limit[0], found.loss_db[0]) == (True, LINE_RATE, 0.0)
        assert found.latency.propagation_us[0] == pytest.approx(length_km * 4.5, rel=1e-3)


@pytest.mark.parametrize("fibre", ["OM3", "OM4"])
def test_multimode_has_the_loss_at_850_nm_and_the_budget_of_its_channel(fibre: str) -> None:
    found = health_of(line(transceiver="100G-SR4", spans=[{"length_km": 0.1, "fibre": fibre, "n_connectors": 1}]))
    loss_db = 0.1 * 2.5 + catalogue().general["connector_db"].value
    assert found.loss_db[0] == pytest.approx(loss_db)
    assert found.margin_db[0] == pytest.approx(1.8 - loss_db)
    assert health_of(line(transceiver="100G-SR4", spans=[{"length_km": 1.0, "fibre": fibre}])).margin_db[0] < 0


def test_optics_at_1550_nm_see_the_loss_at_1550_nm_and_none_without_fec_bears_too_much() -> None:
    for km, lit in ((40.0, True), (60.0, False)):
        found = health_of(line(transceiver="10G-ER", spans=[{"length_km": km}]))
        assert found.loss_db[0] == pytest.approx(km * 0.21)
        assert (bool(found.lit[0]), found.margin_db[0]) == (lit, pytest.approx(10.9 - km * 0.21))
    over_budget = health_of(line(transceiver="10G-LR", spans=[{"length_km": 9.0, "lumped_loss_db": 4.0}]))
    assert (bool(over_budget.lit[0]), over_budget.arc_limit[0]) == (False, DOWN)


def test_network_cards_fill_no_more_than_they_have() -> None:
    """Two H100 of 400 Gb/s on a bundle of four: half of its light."""
    data = line(n_parallel=4, transceiver="400G-DR4", spans=[])
    rack = {"id": "p", "kind": "rack", "accelerator": "H100", "n_accelerators": 2}
    health = health_of(data | {"nodes": [rack, data["nodes"][1]]})
    assert health.arc_capacity_gbps.tolist() == [800, 800]
    assert health.arc_limit.tolist() == [CARDS, CARDS]
    more = health_of(data | {"nodes": [rack | {"n_accelerators": 4}, data["nodes"][1]]})
    assert (more.arc_capacity_gbps[0], more.arc_limit[0]) == (1600, LINE_RATE)


def test_400zr_has_one_rate_and_80_km_need_an_amplifier() -> None:
    at = {km: health_of(line(transceiver="400ZR", spans=[{"length_km": km}])) for km in (40, 80)}
    assert at[40].margin_db[0] == pytest.approx(snr_db(-6 - 8.4) - 25.36 - penalty_db("400ZR", 400, 40))
    assert (at[40].member_gbps[0], at[80].member_gbps[0]) == (400, 0)
    assert at[80].margin_db[0] == pytest.approx(snr_db(-6 - 16.8) - 25.36 - penalty_db("400ZR", 400, 80))
    assert at[80].margin_db[0] < 0


def test_much_light_leaves_little_headroom() -> None:
    health = health_of(line(transceiver="OpenZR+-400G", spans=[{"length_km": 0.1}]))
    assert health.receiver_headroom_db[0] == pytest.approx(0.021)


def test_capacity_is_the_slower_of_port_and_part_and_unknown_without_either() -> None:
    def total(**fields: Any) -> float:
        return float(health_of(line(**fields)).arc_capacity_gbps[0])

    health = health_of(line(capacity_gbps=None))
    assert np.isnan(health.arc_capacity_gbps).all()
    assert health.lit.all()
    assert health.rate_unknown.all()
    assert total(capacity_gbps=400, n_parallel=3, n_failed=1) == 800
    assert total(capacity_gbps=100, transceiver="400G-DR4") == 100
    assert total(capacity_gbps=800, transceiver="400G-DR4") == pytest.approx(400)
    assert total(transceiver="800G-DR8", n_parallel=2) == pytest.approx(1600)


@pytest.mark.parametrize("fields", [{"up": False}, {"n_parallel": 2, "n_failed": 2}])
def test_what_is_down_carries_nothing(fields: dict[str, Any]) -> None:
    health = health_of(line(**fields))
    assert not health.lit[0]
    assert list(health.arc_capacity_gbps) == [0, 0]


def test_a_node_that_is_down_takes_its_links_with_it() -> None:
    data = line()
    data["nodes"] = [data["nodes"][0], data["nodes"][1] | {"up": False}]
    assert not health_of(data).lit[0]


def test_the_required_margin_is_the_link_s_own_or_the_document_s() -> None:
    assert health_of(line(required_margin_db=2.0)).required_margin_db[0] == 2.0
    data = line()
    data["links"][0]["required_margin_db"] = 3.0
    assert health_of(data | {"required_margin_db": 2.0}).required_margin_db[0] == 3.0


def absorbed(health: LinkHealth, arc: int) -> float:
    """Gb/s per member that the buffer at the head of an arc absorbs; infinite where the question does not arise."""
    return health.headroom.of_arc("rate_gbps", arc, np.inf)


def frame_loss_ratio(margin_db: npt.NDArray[np.float64], threshold: float) -> npt.NDArray[np.float64]:
    return reed_solomon_loss_ratio(direct_ber_ratio(margin_db, threshold), "KP4")


# --- from margin to goodput ----------------------------------------------------------------------------------------


def test_kp4_frame_losses_of_the_field_notes() -> None:
    """Zero margin is the threshold, whatever it is: each bit error ratio of the notes is asked for at zero margin."""
    for ber, frames in ((2.4e-4, 6.5e-12), (5e-4, 2.2e-7), (1e-3, 1.2e-3)):
        assert frame_loss_ratio(np.zeros(1), ber)[0] == pytest.approx(frames, rel=0.05)


def test_kp4_codeword_failures_of_the_field_notes() -> None:
    for ber, codewords in ((2.4e-4, 8.2e-13), (5e-4, 2.8e-8), (1e-3, 1.5e-4)):
        frames = frame_loss_ratio(np.zeros(1), ber)[0]
        assert -math.expm1(math.log1p(-frames) / 8) == pytest.approx(codewords, rel=0.05)


def test_frame_losses_fall_with_margin_from_one_to_nothing() -> None:
    loss = frame_loss_ratio(np.linspace(-10, 10, 201), 2.4e-4)
    assert (np.diff(loss) <= 0).all()
    assert loss[0] == pytest.approx(1.0)
    assert loss[-1] < 1e-30
    assert ((loss >= 0) & (loss <= 1)).all()


def test_a_direct_link_below_its_budget_loses_frames_and_then_its_light() -> None:
    def at(lumped_db: float) -> Any:
        return health_of(line(transceiver="400G-FR4", spans=[{"length_km": 1, "lumped_loss_db": lumped_db}]))

    sound, worn, dead = at(3.0), at(4.36), at(6.0)
    assert sound.loss_ratio[0] < 1e-12
    assert 1e-4 < worn.loss_ratio[0] < 0.5
    assert worn.lit[0]
    assert worn.arc_limit[0] == LOSS
    assert worn.arc_capacity_gbps[0] < sound.arc_capacity_gbps[0]
    assert not dead.lit[0]


@pytest.mark.parametrize(
    ("length_km", "loss", "goodput"),
    [
        (2, 1e-5, 0.998),
        (2, 1e-4, 0.977),
        (16.1, 1e-5, 0.981),
        (16.1, 1e-4, 0.838),
        (40, 1e-5, 0.954),
        (40, 1e-4, 0.676),
        (80, 1e-4, 0.511),
        (120, 1e-5, 0.875),
        (120, 1e-4, 0.411),
    ],
)
def test_go_back_n_of_the_field_notes_on_one_queue_pair(length_km: float, loss: float, goodput: float) -> None:
    data = line(
        spans=[{"length_km": length_km}], loss_ratio=loss, lossless={"queue_pair_gbps": 400, "in_flight_bytes": 1e9}
    )
    health = health_of(data)
    assert health.goodput_ratio[0] == pytest.approx(goodput, abs=0.003)
    assert health.arc_capacity_gbps[0] == pytest.approx(400 * goodput, rel=0.005)
    assert health.arc_limit[0] == LOSS


def test_go_back_n_over_eight_queue_pairs() -> None:
    sender = {"queue_pair_gbps": 50, "in_flight_bytes": 1e9}
    data = line(spans=[{"length_km": 80}], loss_ratio=1e-4, lossless=sender)
    assert health_of(data).goodput_ratio[0] == pytest.approx(0.893, abs=0.002)


def test_a_measured_loss_overrules_the_model() -> None:
    worn = {"transceiver": "400G-FR4", "spans": [{"length_km": 1, "lumped_loss_db": 4.36}]}
    assert health_of(line(**worn, loss_ratio=0.0)).loss_ratio[0] == 0.0
    assert health_of(line(**worn, loss_ratio=0.0)).arc_capacity_gbps[0] == 400


# --- buffers -------------------------------------------------------------------------------------------------------


def shaped(**fields: Any) -> dict[str, Any]:
    return line(lossless={"policy": "shaped"}, part="border-12.8T", transceiver="OpenZR+-400G", **fields)


def test_headroom_of_eight_ports_at_23_km_is_that_of_the_field_notes() -> None:
    """64 MB, 60 % lossless, eight ports: 4.8 MB a port, 165 Gb/s of 400 in the notes."""
    health = health_of(shaped(n_parallel=8, spans=[{"length_km": 23}]))
    assert absorbed(health, 0) == pytest.approx(165, rel=0.02)
    in_hand = 9216 + 4096 + 1024 + 64 * 905
    assert absorbed(health, 0) == pytest.approx((4.8e6 - in_hand) * 8 * 1.98e8 / 46_000 / 1e9, rel=1e-12)
    assert list(health.arc_limit) == [BUFFER, BUFFER]
    assert health.arc_capacity_gbps[0] == pytest.approx(8 * absorbed(health, 0))


@pytest.mark.parametrize(("length_km", "megabytes"), [(2, 1.1), (16.1, 8.2), (40, 20.3), (80, 40.5)])
def test_headroom_for_400g_is_that_of_the_field_notes(length_km: float, megabytes: float) -> None:
    """With so many ports that each has just the buffer of the notes, 400 Gb/s are absorbed."""
    n_ports = 64e6 * 0.6 / (megabytes * 1e6)
    data = shaped(n_parallel=max(1, round(n_ports)), spans=[{"length_km": length_km}])
    found = absorbed(health_of(data), 0)
    share = max(1, round(n_ports)) / n_ports
    assert found * share == pytest.approx(400, rel=0.07 if length_km > 2 else 0.08)


def test_headroom_is_set_aside_for_members_that_are_down_too() -> None:
    whole = health_of(shaped(n_parallel=8, spans=[{"length_km": 23}]))
    part = health_of(shaped(n_parallel=8, n_failed=4, spans=[{"length_km": 23}]))
    four = health_of(shaped(n_parallel=4, spans=[{"length_km": 23}]))
    assert absorbed(part, 0) == absorbed(whole, 0)
    assert part.arc_capacity_gbps[0] == whole.arc_capacity_gbps[0] / 2
    assert absorbed(four, 0) > 1.9 * absorbed(whole, 0)


def test_buffers_matter_only_where_pause_is_honoured_and_only_on_long_links() -> None:
    assert health_of(shaped(n_parallel=8, spans=[{"length_km": 23}]) | {"lossless": {}}).arc_capacity_gbps[0] == 3200
    assert absorbed(health_of(shaped(n_parallel=8)), 0) == np.inf
    bare = line(lossless={"policy": "shaped"}, transceiver="OpenZR+-400G", spans=[{"length_km": 23}])
    assert absorbed(health_of(bare), 0) == np.inf


def test_the_far_router_s_buffer_counts_for_each_direction() -> None:
    data = shaped(n_parallel=8, spans=[{"length_km": 23}])
    data["nodes"] = [data["nodes"][0], data["nodes"][1] | {"part": "border-deep-28.8T"}]
    health = health_of(data)
    assert absorbed(health, 0) > 400 > absorbed(health, 1)
    assert list(health.arc_limit) == [LINE_RATE, BUFFER]


# --- latency -------------------------------------------------------------------------------------------------------


def test_light_takes_4897_ns_a_kilometre() -> None:
    health = health_of(line(spans=[{"length_km": 100}]))
    assert health.latency.propagation_us[0] == pytest.approx(489.7, rel=1e-4)
    assert health.latency.propagation_us[0] == pytest.approx(100 * KM_US, rel=1e-12)


def test_an_arc_s_latency_is_glass_code_and_the_switch_it_leads_to() -> None:
    data = line(spans=[{"length_km": 10}, {"length_km": 5, "fibre": "G.654.E"}], transceiver="OpenZR+-400G")
    data["nodes"] = [data["nodes"][0], data["nodes"][1] | {"part": "border-12.8T"}]
    health = health_of(data)
    glass = (10 * 1.468 + 5 * 1.463) / 299_792.458 * 1e6
    frame = 4096 * 8 / 400e3  # the router takes a frame in whole
    assert health.arc_latency_us == pytest.approx([glass + 3 + 0.675 + frame, glass + 3])


# --- whatever the figures are ----------------------------------------------------------------------------------------

UNAMPLIFIED = st.sampled_from(["400ZR", "OpenZR+-400G", "800ZR"])


@st.composite
def worse(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A link that is far from too much light, and the same with more of one thing that costs light."""
    span = {
        "length_km": draw(st.floats(1, 60)),
        "installed": draw(st.sampled_from(["2025-01-01", "2015-01-01"])),
        "n_splices": draw(st.integers(0, 10)),
        "n_connectors": draw(st.integers(0, 4)),
        "lumped_loss_db": draw(st.floats(8, 12)),
    }
    fields = {"spans": [span], "transceiver": draw(UNAMPLIFIED | st.just("400G-LR4")), "installed": "2020-01-01"}
    which = draw(
        st.sampled_from(["length_km", "installed", "n_splices", "n_connectors", "lumped_loss_db", "module", "mux"])
    )
    if which == "module":
        return line(**fields), line(**fields | {"installed": "2010-01-01"})
    if which == "mux":
        return line(**fields), line(**fields, mux="mux-8")
    more = "2001-01-01" if which == "installed" else span[which] + draw(st.integers(1, 5))
    return line(**fields), line(**fields | {"spans": [span | {which: more}]})


@MANY
@given(worse(), st.sampled_from(["low", "value", "high"]))
def test_more_length_age_and_loss_never_help_a_link_without_amplifiers(
    pair: tuple[dict[str, Any], dict[str, Any]], ageing: Any
) -> None:
    before, after = (health_of(data, ageing) for data in pair)
    assert after.loss_db[0] >= before.loss_db[0]
    assert after.received_dbm[0] <= before.received_dbm[0]
    assert after.member_gbps[0] <= before.member_gbps[0]
    assert (after.arc_capacity_gbps <= before.arc_capacity_gbps + 1e-9).all()
    if after.member_gbps[0] == before.member_gbps[0]:
        assert after.margin_db[0] <= before.margin_db[0]


@MANY
@given(st.floats(0.0, 1e-2), st.floats(1, 200), st.floats(1.001, 10), st.sampled_from([50.0, 400.0]))
def test_more_loss_and_more_distance_never_raise_goodput(loss: float, km: float, factor: float, pair: float) -> None:
    def goodput(p: float, length_km: float) -> float:
        data = line(spans=[{"length_km": length_km}], loss_ratio=p, lossless={"queue_pair_gbps": pair})
        return float(health_of(data).goodput_ratio[0])

    base = goodput(loss, km)
    assert 0 < base <= 1
    assert goodput(min(loss * factor, 0.99), km) <= base
    assert goodput(loss, km * factor) <= base


def test_the_reader_names_the_figures_that_were_used() -> None:
    figures = reader()
    health_of(line(transceiver="OpenZR+-400G", spans=[{"length_km": 10}], mux="mux-8"), figures=figures)
    used = {(each.where, each.name) for each in figures.used_figures()}
    assert {
        ("general", "attenuation_growth_ratio_per_year"),
        ("mux-8", "loss_db"),
        ("OpenZR+-400G", "launch_dbm"),
    } <= used
    assert ("OpenZR+-400G", "required_snr_db at 400G") in used
    assert all(each.low <= each.value <= each.high and each.source for each in figures.used_figures())


def test_links_are_judged_each_for_itself() -> None:
    """A link's health does not depend on what else is in the network."""
    both = line(transceiver="400ZR", spans=[{"length_km": 30}])
    both["links"] = [*both["links"], {"id": "m", "ends": ["q", "p"], "transceiver": "400G-FR4", "n_parallel": 3}]
    health, alone = health_of(both), health_of(line(transceiver="400ZR", spans=[{"length_km": 30}]))
    for name in ("loss_db", "margin_db", "member_gbps", "arc_latency_us", "goodput_ratio"):
        assert getattr(health, name)[0] == getattr(alone, name)[0]


def test_a_state_is_judged_and_the_base_is_not_touched() -> None:
    state, document = state_of(line(transceiver="400ZR", spans=[{"length_km": 30}]))
    figures = FigureReader(catalogue(), load_price_book())
    older = state.with_values("span_age_years", np.array([0]), 30.0)
    base = compute_link_health(state, document, figures)
    assert compute_link_health(older, document, figures).margin_db[0] < base.margin_db[0]
    assert compute_link_health(state, document, figures).margin_db[0] == base.margin_db[0]
    assert compute_link_health(replace(older, overlay={}), document, figures).margin_db[0] == base.margin_db[0]


def test_the_figures_used_by_hand_above_are_those_of_the_catalogue() -> None:
    assert general("splice_db") == 0.1
    assert general("connector_db") == 0.3
    assert of_part("G.652.D", "attenuation_db_per_km") == 0.21
    assert of_part("400ZR", "launch_dbm") == -6
