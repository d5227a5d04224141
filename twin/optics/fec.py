"""Forward error correction: bit errors before correction, and frame loss after it."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import betainc, erfc, erfcinv

from ..arrays import Floats

FEC_CODES = {"KP4": (544, 15), "KR4": (528, 7)}
"""Symbols of a Reed-Solomon codeword, and how many of them it corrects (Intel AN-846, 5.2 and 5.3)."""
SYMBOL_BITS, CODEWORDS_PER_FRAME = 10, 8
FRAME_BITS = 4096 * 8


def direct_ber_ratio(margin_db: Floats, threshold_ber_ratio: float) -> Floats:
    """Compute the bit error ratio before correction of direct detection.

    At zero margin it is the threshold of the code. The receiver is limited by thermal noise, so its Q factor is
    proportional to the received power.

    Args:
        margin_db: margin to the loss budget of the optics, float64[n].
        threshold_ber_ratio: threshold of the code.

    Returns:
        float64[n].
    """
    q_at_zero = np.sqrt(2.0) * erfcinv(2.0 * threshold_ber_ratio)
    q = q_at_zero * 10.0 ** (np.clip(margin_db, -60.0, 30.0) / 10.0)
    return np.asarray(0.5 * erfc(q / np.sqrt(2.0)))


def reed_solomon_loss_ratio(ber_ratio: Floats, code: str) -> Floats:
    """Compute the share of 4 KB frames lost after KP4 or KR4, for random errors; bursts are worse.

    Codeword failure of KP4 = I_ps(16, 529), with p_s = 1 - (1 - BER)^10.

    Source: Intel AN-846, 5.3.
    """
    n_symbols, n_corrected = FEC_CODES[code]
    symbol = -np.expm1(SYMBOL_BITS * np.log1p(-ber_ratio))
    codeword = betainc(n_corrected + 1, n_symbols - n_corrected, symbol)
    return np.asarray(-np.expm1(CODEWORDS_PER_FRAME * np.log1p(-np.minimum(codeword, 1.0 - 1e-15))))


def coherent_ber_ratio(snr_ratio: Floats, modulation: str) -> Floats:
    """Compute the bit error ratio before correction of a coherent receiver, Gray-coded in Gaussian noise.

    8QAM is modelled as a 4 by 2 grid. An axis with two levels has bit errors erfc(x) / 2. An axis with four levels has
    3/8 erfc(x) + 1/4 erfc(3x) - 1/8 erfc(5x). Here x is half the distance of neighbours over the noise: x^2 = s/2 for
    QPSK, s/6 for 8QAM, s/10 for 16QAM.

    Args:
        snr_ratio: linear SNR per symbol, float64[n].
        modulation: name of the modulation.

    Returns:
        float64[n].

    Source: Proakis, Digital Communications, 5.2.
    """
    s = np.asarray(snr_ratio, dtype=np.float64)
    if modulation == "DP-QPSK":
        return np.asarray(0.5 * erfc(np.sqrt(s / 2.0)))
    x = np.sqrt(s / (6.0 if modulation == "DP-8QAM" else 10.0))
    four = 3 / 8 * erfc(x) + 1 / 4 * erfc(3 * x) - 1 / 8 * erfc(5 * x)
    return np.asarray((2 * four + 0.5 * erfc(x)) / 3.0 if modulation == "DP-8QAM" else four)


@cache
def threshold_snr_ratio(modulation: str, threshold_ber_ratio: float) -> float:
    """Compute the linear SNR per symbol at which the bit error ratio before correction equals a code's threshold."""
    from scipy.optimize import brentq  # 0.2 s of import that networks without coherent links do not need

    return float(
        brentq(
            lambda s: float(coherent_ber_ratio(np.array(s), modulation)) - threshold_ber_ratio, 1e-3, 1e4, xtol=1e-12
        )
    )


def residual_loss_ratio(residual_ber_ratio: float) -> float:
    """Compute the share of 4 KB frames lost after C-FEC or oFEC at or above the threshold SNR.

    These codes change from error-free to unusable within a few tenths of a decibel. A degraded channel is therefore
    error-free, slower, or down.
    """
    return float(-np.expm1(FRAME_BITS * np.log1p(-residual_ber_ratio)))
