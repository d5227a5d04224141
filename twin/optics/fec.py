"""Bits that arrive wrong, and what forward error correction leaves of them."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, erfc, erfcinv

from ..arrays import Floats

FEC_CODES = {"KP4": (544, 15), "KR4": (528, 7)}
"""Symbols of a Reed-Solomon codeword and how many of them are corrected (Intel AN-846, 5.2 and 5.3)."""
SYMBOL_BITS, CODEWORDS_PER_FRAME = 10, 8
FRAME_BITS = 4096 * 8


def direct_ber_ratio(margin_db: Floats, threshold_ber_ratio: float) -> Floats:
    """Bit errors before correction of direct detection, at a margin to the optics' budget.

    At zero margin it is the code's threshold; the Q factor of a receiver limited by thermal noise follows the power.
    """
    q_at_zero = np.sqrt(2.0) * erfcinv(2.0 * threshold_ber_ratio)
    q = q_at_zero * 10.0 ** (np.clip(margin_db, -60.0, 30.0) / 10.0)
    return np.asarray(0.5 * erfc(q / np.sqrt(2.0)))


def reed_solomon_loss_ratio(ber_ratio: Floats, code: str) -> Floats:
    """Share of 4 KB frames lost behind KP4 or KR4. Random errors only; bursts are worse.

    Codeword failure of KP4 = I_ps(16, 529), p_s = 1 - (1 - BER)^10 (Intel AN-846, 5.3).
    """
    n_symbols, n_corrected = FEC_CODES[code]
    symbol = -np.expm1(SYMBOL_BITS * np.log1p(-ber_ratio))
    codeword = betainc(n_corrected + 1, n_symbols - n_corrected, symbol)
    return np.asarray(-np.expm1(CODEWORDS_PER_FRAME * np.log1p(-np.minimum(codeword, 1.0 - 1e-15))))


def coherent_ber_ratio(snr_ratio: Floats, modulation: str) -> Floats:
    """Bit errors before correction at a linear SNR per symbol, Gray-coded in Gaussian noise, 8QAM as a 4 by 2 grid.

    Each axis carries two levels, bit errors erfc(x) / 2, or four, 3/8 erfc(x) + 1/4 erfc(3x) - 1/8 erfc(5x), where x is
    half the distance of neighbours over the noise: x^2 = s/2, s/6, s/10 (Proakis, Digital Communications, 5.2).
    """
    s = np.asarray(snr_ratio, dtype=np.float64)
    if modulation == "DP-QPSK":
        return np.asarray(0.5 * erfc(np.sqrt(s / 2.0)))
    x = np.sqrt(s / (6.0 if modulation == "DP-8QAM" else 10.0))
    four = 3 / 8 * erfc(x) + 1 / 4 * erfc(3 * x) - 1 / 8 * erfc(5 * x)
    return np.asarray((2 * four + 0.5 * erfc(x)) / 3.0 if modulation == "DP-8QAM" else four)


@cache
def threshold_snr_ratio(modulation: str, threshold_ber_ratio: float) -> float:
    """Linear SNR per symbol at which the bit errors before correction are at a code's threshold."""
    return float(
        brentq(
            lambda s: float(coherent_ber_ratio(np.array(s), modulation)) - threshold_ber_ratio, 1e-3, 1e4, xtol=1e-12
        )
    )


def residual_loss_ratio(residual_ber_ratio: float) -> float:
    """Share of 4 KB frames lost behind C-FEC or oFEC at or above their threshold; below it nothing gets through.

    These codes fall from clean to useless within a few tenths of a decibel, so a worn channel is clean, slower or dark.
    """
    return float(-np.expm1(FRAME_BITS * np.log1p(-residual_ber_ratio)))
