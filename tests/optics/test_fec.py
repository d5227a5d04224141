"""Bits that arrive wrong, and what forward error correction leaves of them."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from tests.training.cases import ZRP, db, general, health_of, line, mode_of, of_part, penalty_db, worn
from twin.catalogue import catalogue
from twin.optics.fec import (
    FRAME_BITS,
    coherent_ber_ratio,
    direct_ber_ratio,
    reed_solomon_loss_ratio,
    residual_loss_ratio,
    threshold_snr_ratio,
)

TODAY = "2026-01-01"
BITS = {
    "DP-QPSK": [[(0,), (1,)], [(0,), (1,)]],
    "DP-8QAM": [[(0, 0), (0, 1), (1, 1), (1, 0)], [(0,), (1,)]],
    "DP-16QAM": [[(0, 0), (0, 1), (1, 1), (1, 0)]] * 2,
}
"""Gray labels of the levels along each axis, from the lowest."""


def counted_ber(modulation: str, snr_ratio: float, n: int = 200_000) -> float:
    """Errors of symbols sent through Gaussian noise and taken for the nearest level."""
    rng = np.random.default_rng(7)
    axes = [np.array(labels) for labels in BITS[modulation]]
    levels = [2.0 * np.arange(len(labels)) - len(labels) + 1 for labels in axes]
    energy = sum((level**2).mean() for level in levels)
    wrong = 0
    for level, labels in zip(levels, axes, strict=True):
        sent = rng.integers(0, len(level), n)
        seen = level[sent] + rng.normal(0.0, math.sqrt(energy / snr_ratio / 2), n)
        taken = np.abs(seen[:, None] - level).argmin(axis=1)
        wrong += int((labels[sent] != labels[taken]).sum())
    return wrong / (n * sum(labels.shape[1] for labels in axes))


@pytest.mark.parametrize("modulation", BITS)
@pytest.mark.parametrize("ber", [5e-3, 2e-2, 0.1])
def test_bit_errors_are_those_of_symbols_in_noise(modulation: str, ber: float) -> None:
    snr = threshold_snr_ratio(modulation, ber)
    assert counted_ber(modulation, snr) == pytest.approx(ber, rel=0.06)


@pytest.mark.parametrize(
    ("modulation", "bits", "eb_n0_db"), [("DP-QPSK", 2, 6.79), ("DP-16QAM", 4, 10.52)], ids=["QPSK", "16QAM"]
)
def test_a_thousandth_of_bits_is_wrong_at_the_textbook_s_energy_per_bit(
    modulation: str, bits: int, eb_n0_db: float
) -> None:
    snr = bits * 10 ** (eb_n0_db / 10)
    assert float(coherent_ber_ratio(np.array(snr), modulation)) == pytest.approx(1e-3, rel=0.02)


@pytest.mark.parametrize("modulation", BITS)
def test_errors_fall_from_half_of_the_bits_to_none(modulation: str) -> None:
    ber = coherent_ber_ratio(np.concatenate(([0.0], 10.0 ** np.linspace(-3, 4, 500))), modulation)
    assert ber[0] == pytest.approx(0.5)
    assert (np.diff(ber) <= 0).all()
    assert ber[-1] < 1e-100


@pytest.mark.parametrize("threshold", [1.25e-2, 2e-2, 2.4e-4])
@pytest.mark.parametrize("modulation", BITS)
def test_the_threshold_in_snr_is_where_the_errors_are_those_of_the_code(modulation: str, threshold: float) -> None:
    snr = threshold_snr_ratio(modulation, threshold)
    assert float(coherent_ber_ratio(np.array(snr), modulation)) == pytest.approx(threshold, rel=1e-9)


@pytest.mark.parametrize(
    ("part", "osnr_db", "implementation_db"), [("400ZR", 26.0, 5.65), (ZRP, 24.0, 4.47)], ids=["400ZR", "OpenZR+"]
)
def test_implementation_margins_are_those_of_the_field_notes(
    part: str, osnr_db: float, implementation_db: float
) -> None:
    """Required OSNR, at -12 dBm, less theory at the code's threshold, noise taken from 0.1 nm to the symbol rate."""
    fastest = catalogue().get(part).modes[0]
    needed = fastest.required_snr_db.value
    at_12_dbm = of_part(part, "receiver_snr_at_0dbm_db") - 12.0
    assert -db(10 ** (-needed / 10) - 10 ** (-at_12_dbm / 10)) == pytest.approx(osnr_db, abs=0.01)
    threshold = of_part(catalogue().get(part).fec or "", "threshold_ber_ratio")
    theory_db = db(threshold_snr_ratio(fastest.modulation, threshold)) + db(fastest.baud_gbd / 12.5)
    assert osnr_db - theory_db == pytest.approx(implementation_db, abs=0.01)


@pytest.mark.parametrize(("code", "part"), [("C-FEC", "400ZR"), ("oFEC", ZRP)])
def test_at_no_margin_the_errors_of_a_coherent_channel_are_its_code_s_threshold(code: str, part: str) -> None:
    required = mode_of(part, 400).required_snr_db.value
    floor = 10 ** (-(required + penalty_db(part, 400, 1.0)) / 10) - 10**-3.4
    received = -db(floor) - 46.0
    data = line(transceiver=part, spans=[{"length_km": 1.0}], measured_received_dbm=received + 1e-9, measured=TODAY)
    found = health_of(data)
    assert found.margin_db[0] == pytest.approx(0.0, abs=1e-8)
    assert found.budgets.pre_fec_ber_ratio[0] == pytest.approx(of_part(code, "threshold_ber_ratio"), rel=1e-6)


@pytest.mark.parametrize("mode", range(4))
def test_every_mode_s_errors_stand_at_its_margin(mode: int) -> None:
    """A decibel in hand is a decibel of SNR above the code's threshold."""
    mode_ = catalogue().get(ZRP).modes[mode]
    found = health_of(worn((19.0, 24.0, 28.0, 33.0)[mode]))
    assert found.budgets.mode[0] == mode
    snr = threshold_snr_ratio(mode_.modulation, 2e-2) * 10 ** (found.margin_db[0] / 10)
    expected = float(coherent_ber_ratio(np.array(snr), mode_.modulation))
    assert found.budgets.pre_fec_ber_ratio[0] == pytest.approx(expected)
    assert found.budgets.pre_fec_ber_ratio[0] < 2e-2


@pytest.mark.parametrize(("code", "part"), [("KP4", "400G-DR4"), ("KR4", "100G-LR4")])
def test_at_no_margin_the_errors_of_direct_detection_are_its_code_s_threshold(code: str, part: str) -> None:
    threshold = of_part(code, "threshold_ber_ratio")
    assert direct_ber_ratio(np.zeros(1), threshold)[0] == pytest.approx(threshold, rel=1e-9)
    budget = of_part(part, "loss_budget_db")
    lumped_db = budget - health_of(line(transceiver=part, spans=[{"length_km": 0.1}])).loss_db[0]
    found = health_of(line(transceiver=part, spans=[{"length_km": 0.1, "lumped_loss_db": lumped_db}]))
    assert found.margin_db[0] == pytest.approx(0.0, abs=1e-9)
    assert found.budgets.pre_fec_ber_ratio[0] == pytest.approx(threshold, rel=1e-6)


def test_a_decibel_of_light_is_a_decibel_of_q_in_direct_detection() -> None:
    """Thermal noise: Q follows the power; KP4's threshold of 2.4e-4 is Q = 3.49."""
    found = direct_ber_ratio(np.array([-1.0, 0.0, 1.0]), 2.4e-4)
    q = [-NormalDist().inv_cdf(float(ber)) for ber in found]
    assert q == pytest.approx([3.492 * 10**-0.1, 3.492, 3.492 * 10**0.1], rel=1e-3)


def test_what_is_left_behind_coherent_codes_is_a_frame_in_thirty_thousand_million() -> None:
    assert residual_loss_ratio(1e-15) == pytest.approx(1e-15 * FRAME_BITS, rel=1e-9)
    found = health_of(worn(10.0))
    assert found.loss_ratio[0] == residual_loss_ratio(general("coherent_residual_ber_ratio"))
    assert found.goodput_ratio[0] == 1.0
    assert found.arc_capacity_gbps[0] == 400


def test_a_coherent_channel_is_clean_to_its_last_decibel_and_then_dark() -> None:
    losses = [float(health_of(worn(lumped_db)).loss_ratio[0]) for lumped_db in (19.0, 24.0, 33.0, 36.0)]
    assert losses[:3] == [losses[0]] * 3
    assert (losses[0] < 1e-10, losses[3]) == (True, 1.0)


def test_kr4_corrects_less_than_kp4() -> None:
    ber = np.array([1e-5, 1e-4])
    assert (reed_solomon_loss_ratio(ber, "KR4") > reed_solomon_loss_ratio(ber, "KP4")).all()
    assert reed_solomon_loss_ratio(np.array([0.0, 0.5]), "KP4") == pytest.approx([0.0, 1.0])
