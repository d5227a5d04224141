"""Boosters and amplifiers by hand: noise figure by gain, stated gains and outputs, attenuators, limits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.training.cases import health_of, line, of_part, reader, state_of
from twin.catalogue import Part, catalogue
from twin.catalogue.figure_reader import FigureReader
from twin.catalogue.prices import load_price_book
from twin.catalogue.two_stage_noise import two_stages
from twin.economics.cost import bill_of_materials, node_power_w
from twin.errors import TopologyError
from twin.loading import from_document
from twin.optics.amplifier_noise import noise_figure_of
from twin.optics.link_health import LinkHealth
from twin.reliability.link_failures import link_failures

ZRP = "OpenZR+-400G"
FIGURES = {"noise_figure_db": 6.0, "max_gain_db": 26.0, "max_output_dbm": 21.0, "power_w": 30.0}
LAW = {"noise_figure_at_min_gain_db": 10.0, "min_gain_db": 15.0}


def own(name: str, value: float) -> dict[str, Any]:
    return {"value": value, "low": value, "high": value, "source": "test", "as_of": "2026", "status": "own"}


def amplifier(figures: dict[str, float], **fields: Any) -> Part:
    made = {name: own(name, value) for name, value in figures.items()}
    return Part.model_validate({"id": "amp", "kind": "amplifier", "name": "test", "figures": made, **fields})


def noise_db(part: Part, gain_db: float, input_dbm: float = 0.0) -> float:
    with_part = FigureReader(catalogue().with_parts([part]), load_price_book())
    return noise_figure_of(with_part, "amp").at_db(gain_db, input_dbm)


def point(db: float, **at: float) -> dict[str, Any]:
    return {**at, "noise_figure_db": own("noise_figure_db", db)}


# --- noise figure by gain --------------------------------------------------------------------------------------------


def test_two_stages_give_the_noise_figures_of_gnpy() -> None:
    """Values of GNPy 3.0.1 for its std_medium_gain: 15 to 26 dB, 10 to 6 dB."""
    part = amplifier(FIGURES | LAW, noise_law="two_stage")
    found = [noise_db(part, gain_db) for gain_db in (26.0, 20.0, 15.0, 12.0)]
    assert found == pytest.approx([6.0, 6.578747, 10.0, 13.0], abs=1e-6)


def test_a_linear_law_and_points_interpolate_and_a_pad_adds_below_the_least_gain() -> None:
    linear = amplifier(FIGURES | LAW, noise_law="linear")
    assert [noise_db(linear, gain_db) for gain_db in (26.0, 20.5, 15.0, 13.0)] == pytest.approx([6.0, 8.0, 10.0, 12.0])
    table = amplifier(FIGURES, noise_figures=[point(9.0, gain_db=10.0), point(5.0, gain_db=20.0)])
    assert [noise_db(table, gain_db) for gain_db in (25.0, 15.0, 8.0)] == pytest.approx([5.0, 7.0, 11.0])
    by_input = amplifier(FIGURES, noise_figures=[point(5.0, input_dbm=-25.0), point(8.0, input_dbm=-10.0)])
    assert [noise_db(by_input, 20.0, dbm) for dbm in (-30.0, -20.0, 0.0)] == pytest.approx([5.0, 6.0, 8.0])
    assert noise_db(amplifier(FIGURES), 3.0) == 6.0


@pytest.mark.parametrize(
    ("figures", "fields", "text"),
    [
        (FIGURES, {"noise_law": "linear"}, "noise_figure_at_min_gain_db, min_gain_db"),
        (FIGURES | LAW | {"min_gain_db": 26.0}, {"noise_law": "linear"}, "not below max_gain_db"),
        (FIGURES | LAW | {"noise_figure_db": 3.0}, {"noise_law": "two_stage"}, "fit no two stages"),
        (FIGURES, {"noise_figures": [point(5.0, gain_db=20.0), point(6.0, gain_db=10.0)]}, "ascending"),
        (FIGURES, {"noise_figures": [point(5.0, gain_db=20.0), point(6.0, input_dbm=30.0)]}, "all by gain"),
        (FIGURES, {"noise_figures": [point(5.0)]}, "gain_db or at an input_dbm"),
    ],
)
def test_noise_that_is_none_is_refused(figures: dict[str, float], fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        amplifier(figures, **fields)


def test_stages_refuse_what_no_amplifier_does() -> None:
    with pytest.raises(ValueError, match="the first would have"):
        two_stages(15.0, 26.0, 4.0, 4.5)
    with pytest.raises(ValueError, match="not below"):
        two_stages(26.0, 26.0, 6.0, 10.0)


# --- stated gains, outputs and attenuators ---------------------------------------------------------------------------


def spans(*settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Spans of 80 km, 16.8 dB, each with an amplifier."""
    return [{"length_km": 80.0, "amplifier": "EDFA", **fields} for fields in settings]


def boosted(*settings: dict[str, Any], **fields: Any) -> LinkHealth:
    given = {"transceiver": ZRP, "n_parallel": 4, "mux": "mux-8", "launch_dbm": 0.0, "spans": spans(*settings)}
    return health_of(line(**{**given, **fields}))


def test_a_stated_gain_holds_and_the_next_amplifier_restores_what_it_lacks() -> None:
    found = boosted({"amplifier_gain_db": 14.0}, {}).budgets.amplification
    assert found.level_db.tolist() == pytest.approx([14.0 - 16.8, 0.0])
    assert found.gain_db.tolist() == pytest.approx([14.0, 16.8 + 2.8])
    assert boosted({"amplifier_gain_db": 14.0}).received_dbm[0] == pytest.approx(-2.8 - 4.5)


def test_an_attenuator_takes_its_loss_and_an_automatic_gain_makes_up_for_it() -> None:
    automatic = boosted({"amplifier_voa_db": 3.0}).budgets.amplification
    assert (automatic.gain_db[0], automatic.level_db[0]) == (pytest.approx(19.8), pytest.approx(0.0))
    stated = boosted({"amplifier_voa_db": 3.0, "amplifier_gain_db": 18.0}).budgets.amplification
    assert stated.level_db[0] == pytest.approx(18.0 - 3.0 - 16.8)


def test_a_stated_output_is_before_the_attenuator() -> None:
    found = boosted({"amplifier_output_dbm": 2.0, "amplifier_voa_db": 1.0}).budgets.amplification
    assert (found.gain_db[0], found.level_db[0]) == (pytest.approx(18.8), pytest.approx(1.0))


def test_gain_and_output_power_of_the_part_are_limits() -> None:
    short = boosted({"lumped_loss_db": 12.0}).budgets.amplification
    assert (short.gain_db[0], short.level_db[0]) == (pytest.approx(26.0), pytest.approx(26.0 - 28.8))
    # 21 dBm for 96 design channels are 1.18 dBm each
    full = boosted({"amplifier_output_dbm": 3.0}, n_design_channels=96).budgets.amplification
    assert full.level_db[0] == pytest.approx(21.0 - 10 * math.log10(96))


def test_a_stated_gain_is_believed_beyond_that_of_the_part() -> None:
    found = boosted({"amplifier_gain_db": 28.0, "lumped_loss_db": 12.0}).budgets.amplification
    assert (found.gain_db[0], found.level_db[0]) == (pytest.approx(28.0), pytest.approx(28.0 - 28.8))


def test_a_stated_noise_figure_replaces_that_of_the_part() -> None:
    quiet, plain = boosted({"amplifier_noise_figure_db": 4.0}), boosted({})
    assert quiet.budgets.amplification.noise_figure_db[0] == 4.0
    assert quiet.line_gsnr_db[0] > plain.line_gsnr_db[0]


def test_a_surplus_of_power_reaches_the_next_fibre_as_if_it_were_launched() -> None:
    """Two spans with +2 dB into the second: the GN model with that power there; the booster's noise is tiny."""
    found = boosted({"amplifier_output_dbm": 2.0}, {}, mux=None)
    twice = boosted({}, {}, mux=None, launch_dbm=0.0)
    assert found.budgets.amplification.level_db[0] == pytest.approx(2.0)
    assert found.budgets.amplification.gain_db[1] == pytest.approx(14.8)
    assert found.line_gsnr_db[0] > twice.line_gsnr_db[0]  # 4 channels: ASE rules, and falls


def test_design_channels_count_whether_they_are_lit_or_not() -> None:
    lit, designed = boosted({}), boosted({}, n_design_channels=64)
    assert designed.line_gsnr_db[0] < lit.line_gsnr_db[0]
    assert designed.line_gsnr_db[0] == pytest.approx(boosted({}, n_parallel=64, mux="mux-64").line_gsnr_db[0], abs=0.1)


# --- boosters --------------------------------------------------------------------------------------------------------

LAUNCHED = {"transceiver": ZRP, "mux": "mux-8", "spans": [{"length_km": 60.0}]}


def test_a_launch_power_beyond_the_transceiver_assumes_a_booster_that_adds_noise() -> None:
    """0 dBm behind 4.5 dB of multiplexer: 4.5 dB of gain, OSNR 57.9 - 4.5 - 5.5 dB."""
    found = health_of(line(**LAUNCHED, launch_dbm=0.0))
    assert found.budgets.amplification.booster_gain_db[0] == pytest.approx(4.5)
    photon_dbm = 10 * math.log10(6.62607015e-34 * 193.7e12 * 12.5e9 * 1e3)
    osnr_db = -4.5 - of_part("EDFA-booster", "noise_figure_db") - photon_dbm
    nli = 10 ** (-found.line_gsnr_db[0] / 10) - 10 ** (-osnr_db / 10)
    assert 0 < nli < 10**-4.0
    # without a stated power, or with one that it reaches, none
    for reached in ({}, {"launch_dbm": -3.5}):
        assert np.isnan(health_of(line(**LAUNCHED, **reached)).budgets.amplification.booster_gain_db[0])


def test_a_named_booster_restores_the_multiplexer_or_has_its_stated_gain() -> None:
    named = LAUNCHED | {"booster": "EDFA-variable-26"}
    found = health_of(line(**named)).budgets.amplification
    assert (found.into_fibre_dbm[0], found.booster_gain_db[0]) == (pytest.approx(0.0), pytest.approx(4.5))
    # below its least gain of 15 dB an input pad adds to the 10 dB
    assert found.booster_noise_figure_db[0] == pytest.approx(10.0 + 10.5)
    stated = health_of(line(**named, booster_gain_db=16.0, booster_voa_db=10.0, booster_noise_figure_db=5.0))
    assert stated.budgets.into_fibre_dbm[0] == pytest.approx(-4.5 + 16.0 - 10.0)
    both = health_of(line(**named, booster_gain_db=20.0, launch_dbm=0.0, booster_noise_figure_db=5.0))
    # the power into the booster follows: -20 dBm, so OSNR 57.9 - 20 - 5
    assert both.line_gsnr_db[0] == pytest.approx(57.95 - 25.0, abs=0.25)


def test_boosters_cost_draw_power_and_fail() -> None:
    with_it, without = (state_of(line(**LAUNCHED, launch_dbm=dbm)) for dbm in (0.0, -10.0))
    assert bill_of_materials(*with_it, reader()).n_parts["EDFA-booster"] == 2
    assert "EDFA-booster" not in bill_of_materials(*without, reader()).n_parts
    more_w = node_power_w(with_it[0], reader()) - node_power_w(without[0], reader())
    assert more_w.tolist() == pytest.approx([of_part("EDFA-booster", "power_w")] * 2)
    failures = [
        link_failures(state, reader(), np.array([0])).n_amplifier_failures_per_year[0]
        for state, _ in (with_it, without)
    ]
    assert failures == pytest.approx([2 * 3333e-9 * 8766, 0.0])


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "span", "text"),
    [
        ({}, {"amplifier": None, "amplifier_gain_db": 10.0}, "amplifier_gain_db: a setting without amplifier"),
        ({}, {"amplifier": None, "amplifier_voa_db": 1.0}, "amplifier_voa_db: a setting without amplifier"),
        ({}, {"amplifier_gain_db": 10.0, "amplifier_output_dbm": 1.0}, "stands beside amplifier_gain_db"),
        ({"booster_gain_db": 10.0}, {}, "booster_gain_db: a setting without booster"),
        ({"booster": "mux-8"}, {}, "is of kind mux"),
        ({"booster": "EDFA", "spans": []}, {}, "a booster of a link without spans"),
        ({"n_design_channels": 8, "spans": []}, {}, "channels of a line without spans"),
    ],
)
def test_settings_belong_to_an_amplifier(link: dict[str, Any], span: dict[str, Any], text: str) -> None:
    one = {name: value for name, value in (spans({})[0] | span).items() if value is not None}
    with pytest.raises(TopologyError, match=text):
        from_document(line(**{"transceiver": ZRP, "spans": [one], **link})).arrays  # noqa: B018
