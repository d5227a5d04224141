"""Links over amplified spans: their GSNR against the line model, their margin by hand, and what cannot be built."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.cases import general, health_of, line, of_part, reader, state_of
from twin.arrays import State
from twin.economics.cost import bill_of_materials, purchased_items
from twin.optics.gn_model import AmplifiedSpans, Comb, line_noise, outside_validity
from twin.optics.link_budget import DOWN, LINE_RATE, MODE, REACH
from twin.optics.link_health import compute_link_health
from twin.scenario.feasibility import build_faults

PHOTON_DBM = 10 * math.log10(6.62607015e-34 * 193.7e12 * 12.5e9 * 1e3)
"""Power of one photon a second and hertz in 0.1 nm, in the middle of the band."""


def span(length_km: float = 80.0, amplifier: str | None = "EDFA", **fields: Any) -> dict[str, Any]:
    return {"length_km": length_km, "n_connectors": 2, **({"amplifier": amplifier} if amplifier else {}), **fields}


def amplified(n_spans: int = 3, **fields: Any) -> dict[str, Any]:
    given = {"transceiver": "OpenZR+-400G", "n_parallel": 40, "mux": "mux-64", "launch_dbm": 0.0}
    return line(**{**given, "spans": [span() for _ in range(n_spans)], **fields})


def issues(data: dict[str, Any]) -> dict[str, str]:
    state, document = state_of(data)
    return {key: fault.problem for key, fault in build_faults(state, document, reader()).items()}


def test_the_line_of_a_link_is_that_of_the_model_and_its_worst_channel_counts() -> None:
    health = health_of(amplified())
    ones = np.ones(3)
    spans = AmplifiedSpans(
        length_km=80 * ones,
        loss_db_per_km=of_part("G.652.D", "attenuation_db_per_km") * ones,
        before_db=general("connector_db") * ones,
        after_db=general("connector_db") * ones,
        dispersion_ps_per_nm_km=of_part("G.652.D", "dispersion_ps_per_nm_km") * ones,
        effective_area_um2=of_part("G.652.D", "effective_area_um2") * ones,
        pmd_ps_per_sqrt_km=of_part("G.652.D", "pmd_ps_per_sqrt_km") * ones,
        noise_figure_db=of_part("EDFA", "noise_figure_db") * ones,
        group_index_ratio=ones,
    )
    comb = Comb.grid(40, 193.7 - 39 * 0.0375, 75.0, 60.1385, 0.0)
    # a booster restores the multiplexer's loss, 5.75 dB; its noise is h f B G F
    booster = 10 ** (-(-5.75 - of_part("EDFA-booster", "noise_figure_db") - PHOTON_DBM) / 10)
    worst_db = -10 * np.log10((10 ** (line_noise(spans, comb).gsnr_01nm_db / -10) + booster).max())
    assert health.line_gsnr_db[0] == pytest.approx(worst_db, abs=2e-3)
    # restored to 0 dBm, then the demultiplexer; 1/SNR = line + transmitter + receiver
    received = -of_part("mux-64", "loss_db")
    assert health.received_dbm[0] == pytest.approx(received)
    noise = 10 ** (-health.line_gsnr_db[0] / 10) + 10**-3.4 + 10 ** (-(46 + received) / 10)
    penalty = 0.5 * 240 * 16.7 / 20_000 + 0.5 * 0.04 * math.sqrt(240) / 20
    needed = of_part("OpenZR+-400G", "required_snr_db") + penalty
    assert health.margin_db[0] == pytest.approx(-10 * math.log10(noise) - needed)


def test_an_amplifier_restores_all_since_the_one_before() -> None:
    """Two spans of 40 km with one amplifier behind both do as one of 80 km does; a tail is not restored."""
    whole = health_of(amplified(spans=[span(80, n_connectors=4)]))
    halves = health_of(amplified(spans=[span(40, None), span(40)]))
    assert halves.received_dbm[0] == pytest.approx(whole.received_dbm[0])
    assert halves.line_gsnr_db[0] == pytest.approx(whole.line_gsnr_db[0], abs=0.5)
    tail = health_of(amplified(spans=[span(80), span(10, None, n_connectors=0)]))
    tail_db = 10 * of_part("G.652.D", "attenuation_db_per_km")
    assert tail.received_dbm[0] == pytest.approx(whole.received_dbm[0] - tail_db)


def test_without_a_booster_the_transceiver_launches_behind_the_multiplexer() -> None:
    low = health_of(amplified(launch_dbm=None))
    assert low.received_dbm[0] == pytest.approx(-2 * of_part("mux-64", "loss_db"))
    assert low.line_gsnr_db[0] < health_of(amplified()).line_gsnr_db[0]


@given(n_spans=st.integers(1, 12), years=st.floats(0, 30))
@settings(max_examples=25)
def test_more_spans_and_more_years_leave_less(n_spans: int, years: float) -> None:
    """At fixed launch more loss may mean less nonlinear noise; with these spans ASE rules and every year costs."""
    made = {"installed": "2000-01-01", "fibre": "G.652.D-2006"}
    line_of = [health_of(amplified(spans=[span(80, **made) for _ in range(n)])) for n in (n_spans, n_spans + 1)]
    assert line_of[1].line_gsnr_db[0] < line_of[0].line_gsnr_db[0]
    data = amplified(spans=[span(80, **made) for _ in range(n_spans)])
    state, document = state_of(data)
    older = state.with_values("span_age_years", np.arange(n_spans), state["span_age_years"] + years)
    older = older.with_values("span_amplifier_age_years", np.arange(n_spans), state["span_age_years"] + years)
    aged = compute_link_health(older, document, reader())
    assert aged.line_gsnr_db[0] <= line_of[0].line_gsnr_db[0] + 1e-9


def test_a_line_that_is_too_long_goes_down_a_mode_and_then_beyond_dispersion() -> None:
    wide = {"in_flight_bytes": 1e9}
    found = [health_of(amplified(n) | {"lossless": wide}) for n in (3, 12, 20, 40)]
    assert [(h.member_gbps[0], h.arc_limit[0]) for h in found] == [
        (400, LINE_RATE),
        (300, MODE),
        (100, MODE),
        (0, REACH),
    ]
    faint = health_of(amplified(launch_dbm=-25.0))
    assert (faint.member_gbps[0], faint.arc_limit[0]) == (0, DOWN)


def test_amplifiers_take_time_and_money() -> None:
    with_them, without = health_of(amplified()), health_of(amplified(spans=[span(80, None)] * 3))
    more_us = with_them.latency.propagation_us[0] - without.latency.propagation_us[0]
    assert more_us == pytest.approx(3 * general("amplifier_site_us"))
    state, document = state_of(amplified(n_fibre_pairs=2))
    assert bill_of_materials(state, document, reader()).n_parts["EDFA"] == 2 * 3 * 2
    empty = State.of(state_of({"nodes": line()["nodes"]})[0].arrays)
    assert purchased_items(empty, state, reader())[0]["EDFA"] == 12
    assert "EDFA" not in {part for part, n in purchased_items(state, state, reader())[0].items() if n}
    one_pair = state_of(amplified())[0]
    assert purchased_items(one_pair, state, reader())[0]["EDFA"] == 6


@pytest.mark.parametrize(
    ("fields", "key", "text"),
    [
        ({"spans": [span(140)]}, "amplifier max_gain_db l span 0", "EDFA gives 26 dB; 30.0 dB are asked for"),
        ({"launch_dbm": 8.0}, "amplifier max_output_dbm l booster 0", "EDFA-booster gives 21 dBm; 24.0 dBm"),
        ({"launch_dbm": 10.0, "n_parallel": 64}, "total_power_dbm l path 0", "Raman"),
        ({"transceiver": "400G-FR4", "n_parallel": 1, "mux": None}, "amplifier l", "does not run over amplifiers"),
    ],
)
def test_what_no_amplifier_can_do_is_told(fields: dict[str, Any], key: str, text: str) -> None:
    assert text in issues(amplified(**fields))[key]
    assert issues(amplified()) == {}


def test_the_model_says_where_it_ends() -> None:
    assert outside_validity(Comb.grid(96, 191.35, 50.0, 32.0, 0.0)) == []
    (many,) = outside_validity(Comb.grid(1000, 180.0, 50.0, 32.0, 0.0))
    assert (many.rule, many.value_dbm, many.limit_dbm) == ("total_power_dbm", pytest.approx(30.0), 25.0)
    assert "Raman" in many.problem
    (strong,) = outside_validity(Comb.grid(1, 193.0, 50.0, 32.0, 12.0))
    assert (strong.rule, strong.value_dbm, strong.limit_dbm) == ("launch_dbm", pytest.approx(12.0), 10.0)
