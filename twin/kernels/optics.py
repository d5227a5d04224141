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
    """Signal, ASE and NLI power of every channel at the receiver; an amplifier restores all loss since the one before.

    frequency_hz, baud_hz, launch_w: float64[n_channels], ascending frequencies. Spans: float64[n_spans]; alpha is the
    linear power attenuation; in_ratio and out_ratio the power left by what lies before and within or after the fibre
    (connectors, lumped losses); noise_ratio the linear noise figure of the amplifier after the span, 0 where none is.
    NLI is computed for channels first_test <= i < last_test; for others it stays as on entry to the line, zero, so
    the rest of a comb costs nothing when one channel is asked for. out_*: float64[n_channels] in W, overwritten.

    Source: Poggiolini et al., arXiv:1209.0394, eq. 120 and 123. As in GNPy 3.0.1: P_k is the whole power of a channel
    at the fibre input, NLI is taken out of what makes it (powers add up), beta2 is constant over the band, roll-off
    and lumped losses do not enter. The effective area, given at reference_hz, follows a Gaussian mode in a step-index
    core, 1 / A(f) = 1 / A(f_ref) + ln(f / f_ref) / (pi core_radius^2).
    """
    n = frequency_hz.size
    density2, fresh = np.empty(n), np.empty(n)
    table = np.empty(n)
    for i in range(n):
        out_signal_w[i], out_ase_w[i], out_nli_w[i] = launch_w[i], 0.0, 0.0
    step_hz = frequency_hz[1] - frequency_hz[0] if n > 1 else 0.0
    uniform = True
    for i in range(1, n):
        even = abs(frequency_hz[i] - frequency_hz[i - 1] - step_hz) <= 1e-9 * step_hz
        uniform = uniform and even and baud_hz[i] == baud_hz[0]
    unrestored = 1.0
    for s in range(span_length_m.size):
        alpha, length = span_alpha_per_m[s], span_length_m[s]
        beta2 = abs(span_beta2_s2_per_m[s])
        reach = 1.0 / alpha
        effective = (1.0 - math.exp(-alpha * length)) / alpha
        scale = effective * effective / (2.0 * math.pi * beta2 * reach)
        curve = math.pi * math.pi * reach * beta2
        for i in range(n):
            out_signal_w[i] *= span_in_ratio[s]
            out_ase_w[i] *= span_in_ratio[s]
            out_nli_w[i] *= span_in_ratio[s]
            whole = out_signal_w[i] + out_ase_w[i] + out_nli_w[i]
            density2[i] = (whole / baud_hz[i]) ** 2
        if uniform and n > 0:
            for d in range(n):
                table[d] = _psi(scale, curve, baud_hz[0], baud_hz[0], d * step_hz)
        for i in range(first_test, last_test):
            narrow = math.log(frequency_hz[i] / reference_hz) / (math.pi * core_radius_m * core_radius_m)
            area = 1.0 / (1.0 / span_effective_area_m2[s] + narrow)
            gamma = 2.0 * math.pi * n2_m2_per_w * frequency_hz[i] / (light_m_per_s * area)
            total = 0.0
            for k in range(n):
                if uniform:
                    psi = table[abs(i - k)]
                else:
                    psi = _psi(scale, curve, baud_hz[i], baud_hz[k], abs(frequency_hz[i] - frequency_hz[k]))
                total += (1.0 if i == k else 2.0) * psi * density2[k]
            fresh[i] = gamma * gamma * (16.0 / 27.0) * total
        left = math.exp(-alpha * length) * span_out_ratio[s]
        unrestored *= left * span_in_ratio[s]
        gain = 1.0 / unrestored if span_noise_ratio[s] > 0.0 else 1.0
        if span_noise_ratio[s] > 0.0:
            unrestored = 1.0
        for i in range(n):
            if first_test <= i < last_test:
                whole = out_signal_w[i] + out_ase_w[i] + out_nli_w[i]
                out_signal_w[i] *= 1.0 - fresh[i]
                out_ase_w[i] *= 1.0 - fresh[i]
                out_nli_w[i] = out_nli_w[i] * (1.0 - fresh[i]) + whole * fresh[i]
            ase = planck_js * frequency_hz[i] * baud_hz[i] * span_noise_ratio[s]
            out_signal_w[i] *= left * gain
            out_nli_w[i] *= left * gain
            out_ase_w[i] = (out_ase_w[i] * left + ase) * gain


@kernel
def _psi(scale: float, curve: float, baud_i_hz: float, baud_k_hz: float, distance_hz: float) -> float:
    """Efficiency of the interference of channel k on i, in s of the closed form's unit (arXiv:1209.0394, eq. 123)."""
    upper = math.asinh(curve * baud_i_hz * (distance_hz + 0.5 * baud_k_hz))
    lower = math.asinh(curve * baud_i_hz * (distance_hz - 0.5 * baud_k_hz))
    return 0.5 * scale * (upper - lower)
