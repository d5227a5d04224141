"""Kind `optical_line`: OSNR, nonlinear SNR and GSNR of an amplified line, for the middle and the worst channel."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field

from ..errors import DocumentError
from ..model.records import STRICT
from ..optics.gn_model import (
    AmplifiedSpans,
    Comb,
    line_dispersion_ps_per_nm,
    line_latency_us,
    line_noise,
    line_pmd_ps,
    outside_validity,
)
from .figures import Figures, value_of

GROUP_INDEX_RATIO = 1.468
"""Group index of the fibre in these fixtures (GNPy 3.0.1, core/parameters.py)."""
Loss = Annotated[float, Field(ge=0, le=100)]


class LineSpan(BaseModel):
    """One span, followed by an amplifier that restores its loss."""

    model_config = STRICT | {"frozen": True}

    length_km: Annotated[float, Field(gt=0, le=1000)]
    loss_db_per_km: Annotated[float, Field(gt=0, le=10)]
    connector_in_db: Loss = 0.0
    connector_out_db: Loss = 0.0
    lumped_db: tuple[Loss, ...] = ()
    dispersion_ps_per_nm_km: Annotated[float, Field(gt=0, le=100)]
    effective_area_um2: Annotated[float, Field(gt=1, le=1000)]
    pmd_ps_per_sqrt_km: Annotated[float, Field(ge=0, le=10)] = 0.0


class Channels(BaseModel):
    """Equal channels on a grid; the roll-off is not used."""

    model_config = STRICT | {"frozen": True}

    n: Annotated[int, Field(ge=1, le=2000)]
    first_thz: Annotated[float, Field(gt=100, lt=300)]
    spacing_ghz: Annotated[float, Field(gt=0, le=10_000)]
    baud_gbd: Annotated[float, Field(gt=0, le=1000)]
    roll_off: Annotated[float, Field(ge=0, le=1)] = 0.0
    launch_dbm: Annotated[float, Field(ge=-60, le=30)]


class OpticalLineGiven(BaseModel):
    """Spans, channels and the noise figure of the amplifiers."""

    model_config = STRICT | {"frozen": True}

    spans: Annotated[tuple[LineSpan, ...], Field(min_length=1, max_length=1000)]
    channels: Channels
    amplifier_nf_db: Annotated[float, Field(ge=0, le=30)]


def run_optical_line(given: OpticalLineGiven, _expected: frozenset[str]) -> Figures:
    """Compute the figures of channel n // 2, `gsnr_01nm_min_db` over all channels, and the figures of the fibre."""
    grid = given.channels
    comb = Comb.grid(grid.n, grid.first_thz, grid.spacing_ghz, grid.baud_gbd, grid.launch_dbm)
    for reason in outside_validity(comb):
        raise DocumentError(reason.problem, where="channels", hint="fewer channels, or less power in each")
    spans = _spans(given)
    noise, middle = line_noise(spans, comb), grid.n // 2
    return {
        "osnr_01nm_db": value_of(noise.osnr_01nm_db[middle]),
        "snr_nli_01nm_db": value_of(noise.snr_nli_01nm_db[middle]),
        "gsnr_01nm_db": value_of(noise.gsnr_01nm_db[middle]),
        "gsnr_01nm_min_db": value_of(noise.gsnr_01nm_db.min()),
        "latency_us": value_of(line_latency_us(spans)),
        "cd_ps_per_nm": value_of(line_dispersion_ps_per_nm(spans)),
        "pmd_ps": value_of(line_pmd_ps(spans)),
    }


def _spans(given: OpticalLineGiven) -> AmplifiedSpans:
    def column(name: str) -> np.ndarray:
        return np.array([getattr(span, name) for span in given.spans], dtype=np.float64)

    lumped = np.array([sum(span.lumped_db) for span in given.spans], dtype=np.float64)
    n = len(given.spans)
    return AmplifiedSpans(
        length_km=column("length_km"),
        loss_db_per_km=column("loss_db_per_km"),
        before_db=column("connector_in_db"),
        after_db=column("connector_out_db") + lumped,
        dispersion_ps_per_nm_km=column("dispersion_ps_per_nm_km"),
        effective_area_um2=column("effective_area_um2"),
        pmd_ps_per_sqrt_km=column("pmd_ps_per_sqrt_km"),
        noise_figure_db=np.full(n, given.amplifier_nf_db),
        group_index_ratio=np.full(n, GROUP_INDEX_RATIO),
    )
