"""Amplified lines: OSNR, nonlinear noise and GSNR of every channel, latency, dispersion and PMD of the glass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from ..kernels.optics import propagate_line
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
DB_PER_NEPER = 10.0 / math.log(10.0)
MAX_CHANNEL_DBM = 10.0
MAX_TOTAL_DBM = 25.0
"""Above this in all channels together stimulated Raman scattering tilts a C band by decibels; the model knows none."""


@dataclass(frozen=True, eq=False)
class AmplifiedSpans:
    """Spans in order, float64[n_spans] each; an amplifier after one restores all loss since the amplifier before."""

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


@dataclass(frozen=True, eq=False)
class Comb:
    """Channels in ascending order, float64[n_channels] each."""

    frequency_thz: Floats
    baud_gbd: Floats
    launch_dbm: Floats

    @classmethod
    def grid(cls, n: int, first_thz: float, spacing_ghz: float, baud_gbd: float, launch_dbm: float) -> Comb:
        """Equal channels at equal distances."""
        frequency: Floats = first_thz + np.arange(n, dtype=np.float64) * (spacing_ghz / 1e3)
        return cls(frequency, np.full(n, float(baud_gbd)), np.full(n, float(launch_dbm)))

    @property
    def total_dbm(self) -> float:
        """Power of all channels together."""
        return float(10.0 * np.log10((10.0 ** (self.launch_dbm / 10.0)).sum()))


@dataclass(frozen=True, eq=False)
class LineNoise:
    """Signal to noise by channel, in dB, noise in 0.1 nm (12.5 GHz)."""

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
    n = len(comb.frequency_thz)
    signal, ase, nli = np.empty(n), np.empty(n), np.empty(n)
    light_m_per_s = SPEED_OF_LIGHT_KM_PER_S * 1e3
    reference_m = REFERENCE_NM * 1e-9
    beta2 = spans.dispersion_ps_per_nm_km * 1e-6 * reference_m**2 / (2.0 * math.pi * light_m_per_s)
    propagate_line(
        comb.frequency_thz * 1e12,
        comb.baud_gbd * 1e9,
        1e-3 * 10.0 ** (comb.launch_dbm / 10.0),
        spans.length_km * 1e3,
        spans.loss_db_per_km / DB_PER_NEPER / 1e3,
        beta2,
        spans.effective_area_um2 * 1e-12,
        10.0 ** (-spans.before_db / 10.0),
        10.0 ** (-spans.after_db / 10.0),
        10.0 ** (spans.noise_figure_db / 10.0),
        NONLINEAR_INDEX_M2_PER_W,
        CORE_RADIUS_UM * 1e-6,
        light_m_per_s / reference_m,
        PLANCK_JS,
        light_m_per_s,
        0,
        n,
        signal,
        ase,
        nli,
    )
    to_01nm_db = 10.0 * np.log10(comb.baud_gbd / NOISE_BANDWIDTH_GHZ)
    return LineNoise(
        osnr_01nm_db=10.0 * np.log10(signal / ase) + to_01nm_db,
        snr_nli_01nm_db=10.0 * np.log10(signal / nli) + to_01nm_db,
        gsnr_01nm_db=10.0 * np.log10(signal / (ase + nli)) + to_01nm_db,
    )


def line_latency_us(spans: AmplifiedSpans) -> float:
    """Propagation through the glass."""
    return float((spans.length_km * spans.group_index_ratio).sum() / SPEED_OF_LIGHT_KM_PER_S * 1e6)


def line_dispersion_ps_per_nm(spans: AmplifiedSpans) -> float:
    """Chromatic dispersion of all spans together, at the reference wavelength."""
    return float((spans.length_km * spans.dispersion_ps_per_nm_km).sum())


def line_pmd_ps(spans: AmplifiedSpans) -> float:
    """Mean polarisation mode dispersion: spans add as squares."""
    return float(np.sqrt((spans.pmd_ps_per_sqrt_km**2 * spans.length_km).sum()))
