"""Amplified lines: noise of amplifiers and of the fibre's nonlinearity, channel by channel (incoherent GN model)."""

import math

import numpy as np
import numpy.typing as npt

from twin.kernels.jit import kernel


@kernel
def propagate_line(
    frequency_hz: npt.NDArray[np.float64],
    baud_hz: npt.NDArray[np.float64],
    launch_w: npt.NDArray[np.float64],
    span_length_m: npt.NDArray[np.float64],
    span_alpha_per_m: npt.NDArray[np.float64],
    span_beta2_s2_per_m: npt.NDArray[np.float64],
    span_effective_area_m2: npt.NDArray[np.float64],
    span_in_ratio: npt.NDArray[np.float64],
    span_out_ratio: npt.NDArray[np.float64],
    span_noise_ratio: npt.NDArray[np.float64],
    n2_m2_per_w: float,
    core_radius_m: float,
    reference_hz: float,
    planck_js: float,
    light_m_per_s: float,
    first_test: int,
    last_test: int,
    out_signal_w: npt.NDArray[np.float64],
    out_ase_w: npt.NDArray[np.float64],
    out_nli_w: npt.NDArray[np.float64],
) -> None:
    """Compute signal, ASE and NLI power of each channel at the receiver.

    An amplifier restores all loss since the previous amplifier.

    NLI is computed for channels first_test <= i < last_test. Their results do not depend on this range, to the last
    bit. The signal and ASE of other channels still include the power that NLI would take.

    Args:
        frequency_hz: float64[n_channels], ascending.
        baud_hz: float64[n_channels], symbol rates.
        launch_w: float64[n_channels], power into the first span.
        span_length_m: float64[n_spans].
        span_alpha_per_m: float64[n_spans], linear power attenuation.
        span_beta2_s2_per_m: float64[n_spans].
        span_effective_area_m2: float64[n_spans], at reference_hz.
        span_in_ratio: float64[n_spans], power left by what lies before the fibre (connectors, lumped losses).
        span_out_ratio: float64[n_spans], power left by what lies within or after it.
        span_noise_ratio: float64[n_spans], linear noise figure of the amplifier after the span, 0 without one.
        n2_m2_per_w: nonlinear refractive index of the fibre.
        core_radius_m: radius of its core.
        reference_hz: frequency of the stated effective areas.
        planck_js: Planck constant.
        light_m_per_s: speed of light in vacuum.
        first_test: first channel with NLI.
        last_test: end of the channels with NLI, exclusive.
        out_signal_w: float64[n_channels], overwritten.
        out_ase_w: float64[n_channels], overwritten.
        out_nli_w: float64[n_channels], overwritten.

    Source:
        Poggiolini et al., arXiv:1209.0394, eq. 120 and 123. As in GNPy 3.0.1: P_k is the whole power of a channel at
        the fibre input, NLI is taken out of what makes it (powers add up), beta2 is constant over the band, roll-off
        and lumped losses do not enter. The effective area, given at reference_hz, follows a Gaussian mode in a
        step-index core, 1 / A(f) = 1 / A(f_ref) + ln(f / f_ref) / (pi core_radius^2).

    Since NLI only turns power of a channel into noise of the same channel, its whole power at a fibre's input is
    P_k = kept * launch_k + noise * h f_k R_k, with two numbers for all channels. So the sums of the GN model over
    (P_k / R_k)^2 are three sums that change only with alpha / beta2: a run of like spans makes them once.
    """
    n = frequency_hz.size
    pump, sums = np.empty((3, n)), np.zeros((3, n))
    narrow = np.empty(n)
    for i in range(n):
        lit, quantum = launch_w[i] / baud_hz[i], planck_js * frequency_hz[i]
        pump[0, i], pump[1, i], pump[2, i] = lit * lit, 2.0 * lit * quantum, quantum * quantum
        out_signal_w[i], out_ase_w[i], out_nli_w[i] = launch_w[i], 0.0, 0.0
    for i in range(first_test, last_test):
        narrow[i] = math.log(frequency_hz[i] / reference_hz) / (math.pi * core_radius_m * core_radius_m)
    kept, noise, unrestored, curve = 1.0, 0.0, 1.0, -1.0
    for s in range(span_length_m.size):
        alpha, beta2 = span_alpha_per_m[s], abs(span_beta2_s2_per_m[s])
        if math.pi * math.pi * beta2 / alpha != curve:
            curve = math.pi * math.pi * beta2 / alpha
            _sum_interference(curve, frequency_hz, baud_hz, pump, first_test, last_test, sums)
        kept *= span_in_ratio[s]
        noise *= span_in_ratio[s]
        effective = -math.expm1(-alpha * span_length_m[s]) / alpha
        through = math.exp(-alpha * span_length_m[s]) * span_out_ratio[s]
        unrestored *= through * span_in_ratio[s]
        restores = span_noise_ratio[s] > 0.0
        gain = 1.0 / unrestored if restores else 1.0
        strength = 2.0 * math.pi * n2_m2_per_w / light_m_per_s * effective
        strength *= strength * (16.0 / 27.0) * alpha / (4.0 * math.pi * beta2)
        for i in range(first_test, last_test):
            per_area = frequency_hz[i] * (1.0 / span_effective_area_m2[s] + narrow[i])
            total = kept * (kept * sums[0, i] + noise * sums[1, i]) + noise * noise * sums[2, i]
            fresh = strength * per_area * per_area * total
            quantum_w = planck_js * frequency_hz[i] * baud_hz[i]
            left = (1.0 - fresh) * (span_in_ratio[s] * through * gain)
            made = fresh * (kept * launch_w[i] + noise * quantum_w) * (through * gain)
            out_signal_w[i] *= left
            out_nli_w[i] = out_nli_w[i] * left + made
            out_ase_w[i] = out_ase_w[i] * left + quantum_w * (span_noise_ratio[s] * gain)
        kept *= through * gain
        noise = (noise * through + span_noise_ratio[s]) * gain
        if restores:
            unrestored = 1.0
    for i in range(n):
        if not first_test <= i < last_test:
            out_signal_w[i] = kept * launch_w[i]
            out_ase_w[i] = noise * planck_js * frequency_hz[i] * baud_hz[i]


@kernel
def signal_to_noise_db(
    signal_w: npt.NDArray[np.float64],
    ase_w: npt.NDArray[np.float64],
    nli_w: npt.NDArray[np.float64],
    baud_hz: npt.NDArray[np.float64],
    bandwidth_hz: float,
    out_db: npt.NDArray[np.float64],
) -> None:
    """Compute signal over ASE, over NLI and over both, with noise of baud_hz stated in bandwidth_hz.

    Without noise, or for negative powers, the result is that of `above_db`.

    Args:
        signal_w: float64[n].
        ase_w: float64[n].
        nli_w: float64[n].
        baud_hz: float64[n], symbol rates.
        bandwidth_hz: bandwidth in which noise is stated.
        out_db: float64[3, n], overwritten: over ASE, over NLI, over both.
    """
    for i in range(signal_w.size):
        signal = signal_w[i] * (baud_hz[i] / bandwidth_hz)
        out_db[0, i] = above_db(signal, ase_w[i])
        out_db[1, i] = above_db(signal, nli_w[i])
        out_db[2, i] = above_db(signal, ase_w[i] + nli_w[i])


@kernel
def above_db(signal: float, noise: float) -> float:
    """Return signal over noise in dB.

    Args:
        signal: power, any unit.
        noise: power in the same unit.

    Returns:
        Infinite without noise; nan if one power is negative, because the model is not valid there.
    """
    if noise == 0.0:
        return math.inf
    ratio = signal / noise
    return 10.0 * math.log10(ratio) if ratio > 0.0 else math.nan


@kernel
def _sum_interference(
    curve: float,
    frequency_hz: npt.NDArray[np.float64],
    baud_hz: npt.NDArray[np.float64],
    pump: npt.NDArray[np.float64],
    first_test: int,
    last_test: int,
    out_sums: npt.NDArray[np.float64],
) -> None:
    """Per tested channel i, sum over k of weight * (asinh - asinh of eq. 123) * pump[:, k]; weight 1 for k = i, else 2.

    curve: pi^2 |beta2| / alpha. pump, out_sums: float64[3, n_channels]. On an even grid of equal channels the weighted
    asinh depends on |i - k| alone: a table, its mirror image in front. The order of adding is that of k for every i.
    """
    n, n_tested = frequency_hz.size, last_test - first_test
    step_hz = (frequency_hz[n - 1] - frequency_hz[0]) / (n - 1) if n > 1 else 0.0
    even = True
    for i in range(n):
        off_grid_hz = abs(frequency_hz[i] - frequency_hz[0] - i * step_hz)
        even = even and off_grid_hz <= 1e-10 * step_hz and baud_hz[i] == baud_hz[0]
    mirror = np.empty(2 * n)
    if even:
        for d in range(max(last_test, n - first_test)):
            weight = 1.0 if d == 0 else 2.0
            mirror[n - 1 - d] = weight * math.log1p(_asinh_growth(curve * baud_hz[0], d * step_hz, baud_hz[0]))
            mirror[n - 1 + d] = mirror[n - 1 - d]
    tested_hz, tested_baud_hz = frequency_hz[first_test:], baud_hz[first_test:]
    lit, mixed, quantum = out_sums[0, first_test:], out_sums[1, first_test:], out_sums[2, first_test:]
    out_sums[:] = 0.0
    for k in range(n):
        if even:
            row = mirror[n - 1 - k + first_test :]
        else:
            row = mirror
            for j in range(n_tested):  # in two rounds: apart, the one without logarithms takes half the time
                apart_hz = abs(tested_hz[j] - frequency_hz[k])
                row[j] = _asinh_growth(curve * tested_baud_hz[j], apart_hz, baud_hz[k])
            for j in range(n_tested):
                row[j] = 2.0 * math.log1p(row[j])
            if first_test <= k < last_test:
                row[k - first_test] *= 0.5
        pump_lit, pump_mixed, pump_quantum = pump[0, k], pump[1, k], pump[2, k]
        for j in range(n_tested):
            lit[j] += row[j] * pump_lit
            mixed[j] += row[j] * pump_mixed
            quantum[j] += row[j] * pump_quantum


@kernel
def _asinh_growth(curve_s: float, apart_hz: float, baud_k_hz: float) -> float:
    """exp(asinh(b) - asinh(a)) - 1 without cancelling digits; a and b are curve_s * (apart_hz -+ baud_k_hz / 2)."""
    low, high = curve_s * (apart_hz - 0.5 * baud_k_hz), curve_s * (apart_hz + 0.5 * baud_k_hz)
    root_low, root_high = math.sqrt(1.0 + low * low), math.sqrt(1.0 + high * high)
    # exp(-asinh(low)): of its two forms one loses digits below zero, the other above
    shrink = 1.0 / (root_low + low) if low > 0.0 else root_low - low
    return curve_s * baud_k_hz * (1.0 + (high + low) / (root_high + root_low)) * shrink
