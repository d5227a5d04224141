"""Interruptions and checkpoints: what of the work survives."""

from __future__ import annotations

import math

from scipy.special import lambertw

from .figures import FigureReader

SECONDS_PER_DAY = 86_400.0


def daly_efficiency(mtbf_s: float, checkpoint_s: float, recovery_s: float) -> float:
    """Share of the time that becomes work at the best checkpoint interval; a ratio in 0..1.

    tau / (M e^(R/M) (e^((tau + d)/M) - 1)), Daly 2006, FGCS 22(3), eq. 20; its maximum over tau is exact:
    (1 - x) e^x = e^(-d/M) with x = tau/M, so x = 1 + W0(-e^(-1 - d/M)). Unlike first-order forms it stays positive.
    """
    d = checkpoint_s / mtbf_s
    x = 1.0 + float(lambertw(-math.exp(-1.0 - d)).real)
    if not x > 0.0:  # a checkpoint that costs nothing: W0 is lost in rounding near its branch point
        return math.exp(-recovery_s / mtbf_s)
    exponent = x + d
    if exponent + recovery_s / mtbf_s > 700.0:
        return 0.0
    return x / (math.exp(recovery_s / mtbf_s) * math.expm1(exponent))


def goodput_ratio(n_accelerators: int, reader: FigureReader) -> float:
    """Share of the step rate that survives interruptions of a job of this size."""
    rate = reader.general("n_interruptions_per_accelerator_day") * n_accelerators
    if rate <= 0:
        return 1.0
    return daly_efficiency(SECONDS_PER_DAY / rate, reader.general("checkpoint_write_s"), reader.general("recovery_s"))
