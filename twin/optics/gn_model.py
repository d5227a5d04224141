"""Amplified lines: OSNR, nonlinear noise and GSNR of every channel, latency, dispersion and PMD of the glass."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arrays import Floats
from ..errors import TwinError
from ..kernels.optics import propagate_line, signal_to_noise_db
from ..units import SPEED_OF_LIGHT_KM_PER_S

PLANCK_JS = 6.626_070_15e-34
"""Exact by the definition of the kilogram (SI brochure, 9th edition)."""
REFERENCE_NM = 1550.0
"""Wavelength at which dispersion and effective area are given."""
CORE_RADIUS_UM = 4.2
"""Of a step-index core, for the growth of the effective area with wavelength; GNPy 3.0.1, core/parameters.py."""
NONLINEAR_INDEX_M2_PER_W = 2.6e-20
"""n2 of silica; GNPy 3.0.1, core/parameters.py."""
NOISE_BANDWIDTH_GHZ = 12.5
"""0.1 nm at 1550 nm, the bandwidth in which OSNR is stated."""
LIGHT_M_PER_S = SPEED_OF_LIGHT_KM_PER_S * 1e3
PER_M_IN_DB_PER_KM = math.log(10.0) / 10.0 / 1e3
"""Linear power attenuation in 1/m of one dB/km."""
BETA2_IN_PS_PER_NM_KM = 1e-6 * (REFERENCE_NM * 1e-9) ** 2 / (2.0 * math.pi * LIGHT_M_PER_S)
"""Size of beta2 in s^2/m of one ps/(nm km)."""
FIBRE_CONSTANTS = (
    NONLINEAR_INDEX_M2_PER_W,
    CORE_RADIUS_UM * 1e-6,
    LIGHT_M_PER_S / (REFERENCE_NM * 1e-9),
    PLANCK_JS,
    LIGHT_M_PER_S,
)
"""As the kernel takes them, after the columns of the spans."""
MAX_CHANNEL_DBM = 10.0
MAX_TOTAL_DBM = 25.0
"""Above this in all channels together stimulated Raman scattering tilts a C band by decibels; the model knows none."""
CLIMB_DB = 1.0
"""Step of the walk towards the best launch power; it ends within two steps beyond the best."""
LAUNCH_TOLERANCE_DB = 1e-5
"""Width in which the best launch power is held; GSNR is then right to 1e-6 dB, also where the worst channel changes."""
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, eq=False)
class AmplifiedSpans:
    """Spans in order, float64[n_spans] each; an amplifier after one restores all loss since the amplifier before.

    The arrays are not to be written to: what the kernel needs is converted once and kept.
    """

    length_km: Floats
    loss_db_per_km: Floats
    before_db: Floats
    """Lost before the light enters the fibre (connector)."""
    after_db: Floats
    """Lost within or after the fibre (connector, splices, lumped losses); does not enter the nonlinear noise."""
    dispersion_ps_per_nm_km: Floats
    effective_area_um2: Floats
    pmd_ps_per_sqrt_km: Floats
    noise_figure_db: Floats
    """Of the amplifier after the span; minus infinity where there is none."""
    group_index_ratio: Floats

    @cached_property
    def _si(self) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats]:
        """Columns as the kernel takes them: m, 1/m, s^2/m, m^2, and power ratios before, after, and of the noise."""
        return (
            self.length_km * 1e3,
            self.loss_db_per_km * PER_M_IN_DB_PER_KM,
            self.dispersion_ps_per_nm_km * BETA2_IN_PS_PER_NM_KM,
            self.effective_area_um2 * 1e-12,
            10.0 ** (self.before_db * -0.1),
            10.0 ** (self.after_db * -0.1),
            10.0 ** (self.noise_figure_db * 0.1),
        )


@dataclass(frozen=True, eq=False)
class Comb:
    """Channels in ascending order, float64[n_channels] each; not to be written to (as of `AmplifiedSpans`)."""

    frequency_thz: Floats
    baud_gbd: Floats
    launch_dbm: Floats

    @classmethod
    def grid(cls, n: int, first_thz: float, spacing_ghz: float, baud_gbd: float, launch_dbm: float) -> Comb:
        """Equal channels at equal distances."""
        frequency: Floats = first_thz + np.arange(n, dtype=np.float64) * (spacing_ghz / 1e3)
        return cls(frequency, np.full(n, float(baud_gbd)), np.full(n, float(launch_dbm)))

    @cached_property
    def total_dbm(self) -> float:
        """Power of all channels together."""
        return float(10.0 * np.log10((10.0 ** (self.launch_dbm / 10.0)).sum()))

    @cached_property
    def _si(self) -> tuple[Floats, Floats, Floats]:
        """Frequency and symbol rate in Hz, launch power in W."""
        return self.frequency_thz * 1e12, self.baud_gbd * 1e9, 1e-3 * 10.0 ** (self.launch_dbm * 0.1)


@dataclass(frozen=True, eq=False)
class LineNoise:
    """Signal to noise by channel, float64[n_channels] in dB, noise in 0.1 nm (12.5 GHz).

    Infinite where there is no noise (no amplifier, no ASE); nan where nonlinear noise would take more than there is.
    """

    osnr_01nm_db: Floats
    snr_nli_01nm_db: Floats
    gsnr_01nm_db: Floats


def outside_validity(comb: Comb) -> str:
    """Why the model does not hold for a comb; empty where it does. Raman and very strong channels are not in it."""
    if float(comb.launch_dbm.max()) > MAX_CHANNEL_DBM:
        return f"a channel of {comb.launch_dbm.max():g} dBm is beyond the model ({MAX_CHANNEL_DBM:g} dBm)"
    if comb.total_dbm > MAX_TOTAL_DBM:
        return f"{comb.total_dbm:.1f} dBm in all channels together: Raman scattering is not in the model"
    return ""


def line_noise(spans: AmplifiedSpans, comb: Comb) -> LineNoise:
    """Noise of every channel after the last amplifier, by `kernels.optics.propagate_line` (incoherent GN model)."""
    n = comb.frequency_thz.size
    power, figures = np.empty((3, n)), np.empty((3, n))
    signal, ase, nli = power
    propagate_line(*comb._si, *spans._si, *FIBRE_CONSTANTS, 0, n, signal, ase, nli)
    signal_to_noise_db(signal, ase, nli, comb._si[1], NOISE_BANDWIDTH_GHZ * 1e9, figures)
    return LineNoise(*figures)


def best_launch_dbm(spans: AmplifiedSpans, comb: Comb, low_dbm: float, high_dbm: float) -> float:
    """Launch power of every channel, the same for all, at which the worst channel's GSNR is best; to 1e-5 dB.

    Of the comb only frequencies and symbol rates count. The answer lies in [low_dbm, high_dbm]; at low_dbm where
    nothing adds ASE. 1/GSNR of a channel is a / P + b P^2 (Poggiolini et al., arXiv:1209.0394, section on the optimum
    launch power: best where NLI is half the ASE), convex over P in dB, and so is the largest of them: one summit. It
    is climbed from below, since far above it the model breaks down, and then enclosed by golden sections.
    """
    if not low_dbm <= high_dbm:
        raise TwinError(f"{low_dbm:g} to {high_dbm:g} dBm", where="launch power", expected="low_dbm <= high_dbm")
    frequency_hz, baud_hz, _ = comb._si
    n = frequency_hz.size
    signal, ase, nli = np.empty((3, n))

    def worst(dbm: float) -> float:
        launch_w = np.full(n, 1e-3 * 10.0 ** (dbm * 0.1))
        propagate_line(frequency_hz, baud_hz, launch_w, *spans._si, *FIBRE_CONSTANTS, 0, n, signal, ase, nli)
        return float((signal / (ase + nli) * baud_hz).min())

    best, at_best = low_dbm, worst(low_dbm)
    while best < high_dbm:
        ahead = min(best + CLIMB_DB, high_dbm)
        at_ahead = worst(ahead)
        if at_ahead <= at_best:
            break
        best, at_best = ahead, at_ahead
    left, right = max(best - CLIMB_DB, low_dbm), min(best + CLIMB_DB, high_dbm)
    return _golden_summit(worst, left, right)


def _golden_summit(height: Callable[[float], float], left: float, right: float) -> float:
    """Where a function with one summit in [left, right] is highest (Kiefer 1953); the end itself if it is one."""
    ends = left, right
    a, b = right - GOLDEN * (right - left), left + GOLDEN * (right - left)
    at_a, at_b = height(a), height(b)
    while right - left > LAUNCH_TOLERANCE_DB:
        if at_a >= at_b:
            right, b, at_b = b, a, at_a
            a = right - GOLDEN * (right - left)
            at_a = height(a)
        else:
            left, a, at_a = a, b, at_b
            b = left + GOLDEN * (right - left)
            at_b = height(b)
    return max(*ends, (left + right) / 2.0, key=height)


def line_latency_us(spans: AmplifiedSpans) -> float:
    """Propagation through the glass."""
    return float((spans.length_km * spans.group_index_ratio).sum() / SPEED_OF_LIGHT_KM_PER_S * 1e6)


def line_dispersion_ps_per_nm(spans: AmplifiedSpans) -> float:
    """Chromatic dispersion of all spans together, at the reference wavelength."""
    return float((spans.length_km * spans.dispersion_ps_per_nm_km).sum())


def line_pmd_ps(spans: AmplifiedSpans) -> float:
    """Mean polarisation mode dispersion: spans add as squares."""
    return float(np.sqrt((spans.pmd_ps_per_sqrt_km**2 * spans.length_km).sum()))
