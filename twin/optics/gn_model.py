"""GN model of an amplified line: OSNR, nonlinear noise and GSNR by channel; latency, dispersion and PMD."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

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
"""Step-index core radius, for the growth of effective area with wavelength; GNPy 3.0.1, core/parameters.py."""
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
"""Constants in the order of the kernel's arguments, after the columns of the spans."""
MAX_CHANNEL_DBM = 10.0
MAX_TOTAL_DBM = 25.0
"""Above this total power, Raman scattering tilts the C band by decibels; the model does not include it."""
LAUNCH_STEP_DB = 1.0
"""Step of the search for the best launch power; it stops within two steps beyond the best."""
LAUNCH_TOLERANCE_DB = 1e-5
"""Width of the final interval of the launch power. GSNR is then exact to 1e-6 dB, even if the worst channel changes."""
GOLDEN_RATIO = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, eq=False)
class AmplifiedSpans:
    """Spans in order, float64[n_spans] each; an amplifier after a span restores all loss since the previous amplifier.

    Do not write to the arrays: their conversion to SI units is cached.
    """

    length_km: Floats
    loss_db_per_km: Floats
    before_db: Floats
    """Loss before the fibre (connector)."""
    after_db: Floats
    """Loss in or after the fibre (connector, splices, lumped losses); it does not affect the nonlinear noise."""
    dispersion_ps_per_nm_km: Floats
    effective_area_um2: Floats
    pmd_ps_per_sqrt_km: Floats
    noise_figure_db: Floats
    """Noise figure of the amplifier after the span; minus infinity without an amplifier."""
    group_index_ratio: Floats

    @cached_property
    def _si(self) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats]:
        """Columns for the kernel: m, 1/m, s^2/m, m^2, and power ratios of both losses and of the noise figure."""
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
    """Channels in ascending order, float64[n_channels] each; do not write to the arrays, as in `AmplifiedSpans`."""

    frequency_thz: Floats
    baud_gbd: Floats
    launch_dbm: Floats

    @classmethod
    def grid(cls, n: int, first_thz: float, spacing_ghz: float, baud_gbd: float, launch_dbm: float) -> Comb:
        """Build a comb of equal channels with equal spacing."""
        frequency: Floats = first_thz + np.arange(n, dtype=np.float64) * (spacing_ghz / 1e3)
        return cls(frequency, np.full(n, float(baud_gbd)), np.full(n, float(launch_dbm)))

    @cached_property
    def total_dbm(self) -> float:
        """Total power of all channels."""
        return float(10.0 * np.log10((10.0 ** (self.launch_dbm / 10.0)).sum()))

    @cached_property
    def _si(self) -> tuple[Floats, Floats, Floats]:
        """Frequency and symbol rate in Hz, launch power in W."""
        return self.frequency_thz * 1e12, self.baud_gbd * 1e9, 1e-3 * 10.0 ** (self.launch_dbm * 0.1)


@dataclass(frozen=True, eq=False)
class LineNoise:
    """Signal-to-noise ratio by channel, float64[n_channels] in dB, noise in 0.1 nm (12.5 GHz).

    Infinite without noise (no amplifier, no ASE); NaN where the nonlinear noise would exceed the signal.
    """

    osnr_01nm_db: Floats
    snr_nli_01nm_db: Floats
    gsnr_01nm_db: Floats


class BeyondModel(NamedTuple):
    """A power for which the model is not valid."""

    rule: str
    """`launch_dbm` of a channel, or `total_power_dbm`."""
    value_dbm: float
    limit_dbm: float
    problem: str


def outside_validity(comb: Comb) -> list[BeyondModel]:
    """Find why the model is not valid for a comb; empty if it is valid.

    Raman scattering and very strong channels are not modelled.
    """
    found: list[BeyondModel] = []
    launch_dbm, total_dbm = float(comb.launch_dbm.max()), float(comb.total_dbm)
    if launch_dbm > MAX_CHANNEL_DBM:
        problem = f"a channel of {launch_dbm:g} dBm is beyond the model ({MAX_CHANNEL_DBM:g} dBm)"
        found.append(BeyondModel("launch_dbm", launch_dbm, MAX_CHANNEL_DBM, problem))
    if total_dbm > MAX_TOTAL_DBM:
        problem = (
            f"{total_dbm:.1f} dBm in all channels together is beyond the model ({MAX_TOTAL_DBM:g} dBm): "
            "Raman scattering is not in it"
        )
        found.append(BeyondModel("total_power_dbm", total_dbm, MAX_TOTAL_DBM, problem))
    return found


def line_noise(spans: AmplifiedSpans, comb: Comb) -> LineNoise:
    """Compute the noise of every channel after the last amplifier.

    Source: incoherent GN model, see `kernels.optics.propagate_line`.
    """
    n = comb.frequency_thz.size
    power, figures = np.empty((3, n)), np.empty((3, n))
    signal, ase, nli = power
    propagate_line(*comb._si, *spans._si, *FIBRE_CONSTANTS, 0, n, signal, ase, nli)
    signal_to_noise_db(signal, ase, nli, comb._si[1], NOISE_BANDWIDTH_GHZ * 1e9, figures)
    return LineNoise(*figures)


def best_launch_dbm(spans: AmplifiedSpans, comb: Comb, low_dbm: float, high_dbm: float) -> float:
    """Find the launch power, the same for all channels, that maximises the GSNR of the worst channel; to 1e-5 dB.

    1/GSNR of a channel is a / P + b P^2, which is convex over P in dB. The maximum over channels is convex too, so
    there is one optimum. The search starts from below, since the model is not valid far above the optimum. Golden
    sections then narrow the interval.

    Args:
        spans: spans of the line.
        comb: channels; only frequencies and symbol rates are used.
        low_dbm: lower bound of the result; it is returned where nothing adds ASE.
        high_dbm: upper bound of the result.

    Returns:
        dBm per channel.

    Raises:
        TwinError: `low_dbm` exceeds `high_dbm`.

    Source: Poggiolini et al., arXiv:1209.0394, section on the optimum launch power (NLI is half the ASE there).
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

    best_dbm, best_gsnr = low_dbm, worst(low_dbm)
    while best_dbm < high_dbm:
        next_dbm = min(best_dbm + LAUNCH_STEP_DB, high_dbm)
        next_gsnr = worst(next_dbm)
        if next_gsnr <= best_gsnr:
            break
        best_dbm, best_gsnr = next_dbm, next_gsnr
    lower, upper = max(best_dbm - LAUNCH_STEP_DB, low_dbm), min(best_dbm + LAUNCH_STEP_DB, high_dbm)
    return _golden_section_maximum(worst, lower, upper)


def _golden_section_maximum(function: Callable[[float], float], lower: float, upper: float) -> float:
    """Maximum of a unimodal function in [lower, upper] (Kiefer 1953); a bound itself if it is the maximum."""
    bounds = lower, upper
    a, b = upper - GOLDEN_RATIO * (upper - lower), lower + GOLDEN_RATIO * (upper - lower)
    at_a, at_b = function(a), function(b)
    while upper - lower > LAUNCH_TOLERANCE_DB:
        if at_a >= at_b:
            upper, b, at_b = b, a, at_a
            a = upper - GOLDEN_RATIO * (upper - lower)
            at_a = function(a)
        else:
            lower, a, at_a = a, b, at_b
            b = lower + GOLDEN_RATIO * (upper - lower)
            at_b = function(b)
    return max(*bounds, (lower + upper) / 2.0, key=function)


def line_latency_us(spans: AmplifiedSpans) -> float:
    """Compute the propagation latency of all spans."""
    return float((spans.length_km * spans.group_index_ratio).sum() / SPEED_OF_LIGHT_KM_PER_S * 1e6)


def line_dispersion_ps_per_nm(spans: AmplifiedSpans) -> float:
    """Compute the chromatic dispersion of all spans at the reference wavelength."""
    return float((spans.length_km * spans.dispersion_ps_per_nm_km).sum())


def line_pmd_ps(spans: AmplifiedSpans) -> float:
    """Compute the mean polarisation mode dispersion of all spans, the root of the sum of squares."""
    return float(np.sqrt((spans.pmd_ps_per_sqrt_km**2 * spans.length_km).sum()))
