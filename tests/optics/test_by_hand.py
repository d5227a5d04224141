"""Single figures of optics by hand: each was wrong by one fault at a time without a test that noticed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from tests.training.cases import general, health_of, line, of_part, reader, state_of
from twin.optics.amplified_lines import amplified_spans, comb_of_link, noise_growth
from twin.optics.fec import reed_solomon_loss_ratio, residual_loss_ratio
from twin.optics.fibre import SpanLoss, span_loss
from twin.optics.gn_model import AmplifiedSpans, Comb, line_dispersion_ps_per_nm, outside_validity
from twin.optics.link_budget import compute_link_budgets
from twin.optics.optical_paths import optical_paths_of


def loss_of(**span: Any) -> SpanLoss:
    data = line(transceiver="400ZR", spans=[{"n_connectors": 2, "length_km": 40.0, **span}])
    return span_loss(state_of(data)[0], reader(), "value")


@pytest.mark.parametrize(("code", "n_symbols", "n_corrected"), [("KP4", 544, 15), ("KR4", 528, 7)])
@pytest.mark.parametrize("ber", [1e-5, 1e-4, 3e-4])
def test_a_frame_is_lost_where_one_of_its_eight_codewords_has_too_many_bad_symbols(
    code: str, n_symbols: int, n_corrected: int, ber: float
) -> None:
    """A symbol of 10 bits is bad with 1 - (1 - ber)^10; a codeword fails with more bad ones than it corrects."""
    codeword = binom.sf(n_corrected, n_symbols, 1 - (1 - ber) ** 10)
    expected = -math.expm1(8 * math.log1p(-codeword))
    assert expected > 0
    assert reed_solomon_loss_ratio(np.array([ber]), code)[0] == pytest.approx(expected, rel=1e-6)


def test_a_frame_of_4_kilobytes_has_32768_bits() -> None:
    """1 - (1 - 1e-5)^32768 = 1 - e^-0.32768 = 0.27941."""
    assert residual_loss_ratio(1e-5) == pytest.approx(0.27941, abs=2e-5)


def test_one_strong_channel_is_beyond_the_model() -> None:
    comb = Comb(np.array([193.0, 193.1]), np.array([60.0, 60.0]), np.array([0.0, 60.0]))
    assert outside_validity(comb)[0].problem.startswith("a channel of 60 dBm")
    assert outside_validity(Comb.grid(2, 193.0, 75.0, 60.0, 0.0)) == []


def test_dispersion_of_a_line_is_the_sum_over_its_lengths() -> None:
    """80 km x 17 + 20 km x 4 = 1,440 ps/nm."""
    ones = np.ones(2)
    spans = AmplifiedSpans(
        length_km=np.array([80.0, 20.0]),
        loss_db_per_km=ones,
        before_db=ones,
        after_db=ones,
        dispersion_ps_per_nm_km=np.array([17.0, 4.0]),
        effective_area_um2=ones,
        pmd_ps_per_sqrt_km=ones,
        noise_figure_db=ones,
        group_index_ratio=ones,
    )
    assert line_dispersion_ps_per_nm(spans) == pytest.approx(1440.0)


@pytest.mark.parametrize(("n_parallel", "n_channels"), [(2, 1), (3, 2), (4, 2), (5, 3)])
def test_the_fullest_of_two_fibre_pairs_counts_its_channels(n_parallel: int, n_channels: int) -> None:
    """75 GHz apart around 193.7 THz."""
    given = {"transceiver": "OpenZR+-400G", "mux": "mux-64", "n_fibre_pairs": 2, "n_parallel": n_parallel}
    state = state_of(line(**given, spans=[{"length_km": 80.0, "amplifier": "EDFA"}]))[0]
    comb = comb_of_link(state, reader(), 0, 0.0)
    assert comb.frequency_thz.tolist() == pytest.approx(
        [193.7 + 0.0375 * (2 * i + 1 - n_channels) for i in range(n_channels)]
    )


def test_a_short_span_is_scaled_to_its_measured_loss_too() -> None:
    """1 km with two connectors is below 1 dB; measured at twice that."""
    modelled = loss_of(length_km=1.0).total_db[0]
    assert 0 < modelled < 1
    data = {"length_km": 1.0, "measured_loss_db": 2 * modelled, "measured": "2026-01-01"}
    assert loss_of(**data).measured_ratio[0] == pytest.approx(2.0)


def test_glass_had_aged_until_it_was_measured_and_ages_on_from_there() -> None:
    """Laid ten years ago, measured four years ago: six years were in the measurement, so the model lacks nothing."""
    aged = loss_of(installed="2016-01-01")
    per_year_db = (aged.ageing_db[0] + aged.repairs_db[0]) / 10
    then_db = aged.total_db[0] - 4 * per_year_db
    measured = loss_of(installed="2016-01-01", measured="2022-01-01", measured_loss_db=then_db)
    assert measured.correction_db[0] == pytest.approx(0.0, abs=1e-2 * per_year_db)
    assert measured.total_db[0] == pytest.approx(aged.total_db[0], rel=1e-4)


def test_an_encrypted_link_takes_longer_by_what_encryption_takes_each_way() -> None:
    plain, encrypted = (
        health_of(line(transceiver="400ZR", spans=[{"length_km": 10.0}], macsec=encrypted))
        for encrypted in (False, True)
    )
    assert (encrypted.arc_latency_us - plain.arc_latency_us).tolist() == pytest.approx([general("macsec_us")] * 2)


def test_an_amplifier_lacks_what_all_spans_before_it_lose_beyond_its_gain() -> None:
    """Two spans without an amplifier between them, 25 dB each: 50 dB less the gain; the third loses less than it."""
    part = {"amplifier": "EDFA"}
    lumped = [{"length_km": 50.0, "lumped_loss_db": 15.0}, {"length_km": 50.0, "lumped_loss_db": 15.0, **part}]
    data = line(transceiver="OpenZR+-400G", mux="mux-64", spans=[*lumped, {"length_km": 1.0, **part}])
    state = state_of(data)[0]
    spans = span_loss(state, reader(), "value")
    short_db = -health_of(data).budgets.amplification.level_db
    lacking = spans.total_db[0] + spans.total_db[1] - of_part("EDFA", "max_gain_db")
    assert lacking > 0
    # what the first amplifier lacks reaches the second, which makes up for it as far as its gain goes
    rest = max(lacking + spans.total_db[2] - of_part("EDFA", "max_gain_db"), 0.0)
    assert short_db.tolist() == pytest.approx([0.0, lacking, rest])


def test_a_span_of_the_line_model_loses_where_its_parts_stand() -> None:
    """Fibre 8 and its growth 2 dB over 50 km are 0.2 dB/km; connectors 1 dB half on each side; points behind it."""
    state = state_of(line(transceiver="OpenZR+-400G", spans=[{"length_km": 50.0, "amplifier": "EDFA"}] * 2))[0]
    parts = {"fibre_db": 8.0, "ageing_db": 2.0, "connectors_db": 1.0, "splices_db": 0.4, "repairs_db": 0.2}
    spans = SpanLoss(
        **{name: np.full(2, db) for name, db in (parts | {"lumped_db": 3.0, "correction_db": 0.0}).items()},
        is_copper=np.zeros(2, dtype=np.bool_),
    )
    paths = optical_paths_of(state, reader())
    lacking = replace(
        compute_link_budgets(state, reader(), paths, "value").amplification, level_db=np.array([-1.5, 0.0])
    )
    growth = noise_growth(state, reader(), paths, "value", np.zeros(1))
    found = amplified_spans(state, reader(), spans, lacking, growth, paths, 0)
    assert found.loss_db_per_km.tolist() == pytest.approx([0.2, 0.2])
    assert found.before_db.tolist() == pytest.approx(
        [0.5, 0.5 + 1.5]
    )  # what the first amplifier lacks, before the next
    assert found.after_db.tolist() == pytest.approx([0.5 + 0.4 + 0.2 + 3.0] * 2)
