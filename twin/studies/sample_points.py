"""Points of a sample: a scrambled Sobol sequence, so that few points cover many inputs evenly."""

from __future__ import annotations

import numpy as np
from scipy.stats import qmc

from ..arrays import Floats
from ..errors import ChangeError
from ..errors.wording import value_text

MAX_SAMPLES = 2**16
MAX_INPUTS = 2**14
"""The sequence has 21,201 dimensions."""
MAX_SEED = 2**63 - 1


def check_sample(n_samples: object, seed: object) -> None:
    """Check the size and seed of a sample.

    Raises:
        ChangeError: not a power of two from 2 to MAX_SAMPLES, or no whole number as a seed.
    """
    is_whole = isinstance(n_samples, int) and not isinstance(n_samples, bool)
    if not is_whole or not 2 <= n_samples <= MAX_SAMPLES or n_samples & (n_samples - 1):  # type: ignore[operator]
        expected = f"a power of two from 2 to {MAX_SAMPLES:,}"
        hint = "only these cover every input evenly"
        if is_whole and 2 < n_samples < MAX_SAMPLES:  # type: ignore[operator]
            hint = f"did you mean {2 ** round(np.log2(n_samples))}?"  # type: ignore[call-overload]
        raise ChangeError(f"{value_text(n_samples)} samples", where="samples", expected=expected, hint=hint)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= MAX_SEED:
        raise ChangeError(f"seed {value_text(seed)}", where="seed", expected=f"a whole number from 0 to {MAX_SEED}")


def unit_points(n_samples: int, n_inputs: int, seed: int) -> Floats:
    """Draw the points of a sample.

    In every dimension each of the intervals of length 1 / n_samples holds one point.

    Args:
        n_samples: a power of two.
        n_inputs: dimensions.
        seed: seed of the scrambling.

    Returns:
        float64[n_samples, n_inputs], from 0 to below 1.

    Source: Sobol 1967; scrambling of Matoušek 1998, as in `scipy.stats.qmc`.
    """
    if n_inputs > MAX_INPUTS:
        raise ChangeError(f"{n_inputs:,} uncertain inputs", where="uncertain", expected=f"at most {MAX_INPUTS:,}")
    sampler = qmc.Sobol(n_inputs, scramble=True, seed=np.random.default_rng(seed))
    return np.asarray(sampler.random_base2(n_samples.bit_length() - 1))
