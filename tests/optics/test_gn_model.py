"""Amplified lines: one channel as all of them, the best launch power, and what more loss, length or noise must do."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from twin.errors import TwinError
from twin.optics.gn_model import (
    CORE_RADIUS_UM,
    NONLINEAR_INDEX_M2_PER_W,
    PLANCK_JS,
    REFERENCE_NM,
    AmplifiedSpans,
    Comb,
    best_launch_dbm,
    line_noise,
)

LIGHT = 299_792_458.0
CONSTANTS = {
    "n2": NONLINEAR_INDEX_M2_PER_W,
    "core": CORE_RADIUS_UM * 1e-6,
    "reference": LIGHT / REFERENCE_NM / 1e-9,
    "planck": PLANCK_JS,
    "light": LIGHT,
}
FIGURES = ("osnr_01nm_db", "snr_nli_01nm_db", "gsnr_01nm_db")
SAME_DB = 1e-6
NONE = -math.inf
"""Noise figure where no amplifier stands."""


def spans(*rows: dict[str, float]) -> AmplifiedSpans:
    usual = {
        "length_km": 80.0,
        "loss_db_per_km": 0.2,
        "before_db": 0.3,
        "after_db": 0.5,
        "dispersion_ps_per_nm_km": 16.7,
        "effective_area_um2": 83.0,
        "pmd_ps_per_sqrt_km": 0.04,
        "noise_figure_db": 5.5,
        "group_index_ratio": 1.468,
    }
    return AmplifiedSpans(**{key: np.array([{**usual, **row}[key] for row in rows]) for key in usual})


def more(line: AmplifiedSpans, **added: float | np.ndarray) -> AmplifiedSpans:
    return replace(line, **{key: getattr(line, key) + value for key, value in added.items()})


def as_naive(line: AmplifiedSpans) -> list[dict[str, float]]:
    columns = {
        "length": line.length_km * 1e3,
        "alpha": line.loss_db_per_km / 1e3 * math.log(10) / 10,
        "beta2": line.dispersion_ps_per_nm_km * 1e-6 * (REFERENCE_NM * 1e-9) ** 2 / (2 * math.pi * LIGHT),
        "area": line.effective_area_um2 * 1e-12,
        "before": 10 ** (-line.before_db / 10),
        "after": 10 ** (-line.after_db / 10),
        "noise": 10 ** (line.noise_figure_db / 10),
    }
    return [{key: float(column[s]) for key, column in columns.items()} for s in range(len(line.length_km))]


def worst_gsnr_db(line: AmplifiedSpans, comb: Comb, launch_dbm: float) -> float:
    lit = replace(comb, launch_dbm=np.full(len(comb.frequency_thz), launch_dbm))
    return float(line_noise(line, lit).gsnr_01nm_db.min())


def best_gsnr_db(line: AmplifiedSpans, comb: Comb) -> float:
    return worst_gsnr_db(line, comb, best_launch_dbm(line, comb, -25.0, 20.0))


MIXED = spans(
    {}, {"length_km": 50.0, "loss_db_per_km": 0.17, "dispersion_ps_per_nm_km": 21.0, "effective_area_um2": 125.0}
)
DOWN = spans({"length_km": 30.0}, {"length_km": 20.0, "noise_figure_db": NONE}, {"length_km": 40.0})
GRID = Comb.grid(9, 193.0, 75.0, 60.0, 0.0)
RATES = Comb(GRID.frequency_thz, np.array([60.0, 32.0, 60.0] * 3), np.linspace(-2.0, 1.0, 9))
ONE = Comb.grid(1, 193.4, 75.0, 60.0, 1.0)
LINES = {"uniform": spans({}, {}, {}), "mixed": MIXED, "dark": DOWN}
COMBS = {"grid": GRID, "rates": RATES, "one": ONE}
over_lines = pytest.mark.parametrize("line", LINES.values(), ids=LINES)
over_combs = pytest.mark.parametrize("comb", COMBS.values(), ids=COMBS)


@over_combs
@over_lines
def test_noise_is_that_of_the_naive_twin(line: AmplifiedSpans, comb: Comb) -> None:
    channels = list(
        zip(comb.frequency_thz * 1e12, comb.baud_gbd * 1e9, 1e-3 * 10 ** (comb.launch_dbm / 10), strict=True)
    )
    powers = naive.gaussian_noise_line(channels, as_naive(line), CONSTANTS)
    every = line_noise(line, comb)
    for i, ((_, baud, _), (signal, ase, nli)) in enumerate(zip(channels, powers, strict=True)):
        expected = [10 * math.log10(signal / noise * baud / 12.5e9) for noise in (ase, nli, ase + nli)]
        found = [getattr(every, figure)[i] for figure in FIGURES]
        assert found == pytest.approx(expected, abs=1e-10)


def test_where_nothing_amplifies_there_is_no_ase_and_the_least_power_is_best() -> None:
    line = spans({"noise_figure_db": NONE}, {"noise_figure_db": NONE})
    assert np.isinf(line_noise(line, GRID).osnr_01nm_db).all()
    every = line_noise(line, GRID)
    assert (every.gsnr_01nm_db == every.snr_nli_01nm_db).all()
    assert best_launch_dbm(line, GRID, -7.0, 3.0) == -7.0


def test_a_power_at_which_the_model_breaks_down_has_no_figure() -> None:
    comb = Comb.grid(9, 193.0, 75.0, 60.0, 40.0)
    assert np.isnan(line_noise(MIXED, comb).gsnr_01nm_db).all()


@over_combs
@over_lines
def test_the_best_launch_power_is_that_of_the_naive_twin(line: AmplifiedSpans, comb: Comb) -> None:
    grid = list(zip(comb.frequency_thz * 1e12, comb.baud_gbd * 1e9, strict=True))
    expected = naive.best_launch_dbm(grid, as_naive(line), CONSTANTS, -10.0, 10.0)
    assert best_launch_dbm(line, comb, -10.0, 10.0) == pytest.approx(expected, abs=1e-3)


def test_at_the_best_launch_power_of_a_channel_its_nonlinear_noise_is_half_the_ase() -> None:
    """Poggiolini's closed form; ASE that makes nonlinear noise of its own moves it by a few hundredths of a dB."""
    best = best_launch_dbm(LINES["uniform"], ONE, -10.0, 20.0)
    noise = line_noise(LINES["uniform"], replace(ONE, launch_dbm=np.array([best])))
    assert noise.snr_nli_01nm_db[0] - noise.osnr_01nm_db[0] == pytest.approx(10 * math.log10(2), abs=0.05)
    ase, nli = (10 ** (-getattr(noise, name)[0] / 10) for name in FIGURES[:2])
    closed_dbm = best + 10 / 3 * math.log10(ase / nli / 2)
    assert best == pytest.approx(closed_dbm, abs=0.02)


def test_the_search_keeps_to_its_bounds_and_says_the_same_twice() -> None:
    line = LINES["uniform"]
    free = best_launch_dbm(line, GRID, -10.0, 10.0)
    assert best_launch_dbm(line, GRID, -10.0, free - 2.0) == free - 2.0
    assert best_launch_dbm(line, GRID, free + 2.0, 10.0) == free + 2.0
    assert best_launch_dbm(line, GRID, 1.0, 1.0) == 1.0
    assert best_launch_dbm(line, GRID, -60.0, 40.0) == pytest.approx(free, abs=1e-4)
    assert best_launch_dbm(spans({}, {}, {}), Comb.grid(9, 193.0, 75.0, 60.0, -3.0), -10.0, 10.0) == free
    with pytest.raises(TwinError, match="low_dbm <= high_dbm"):
        best_launch_dbm(line, GRID, 2.0, 1.0)


combs = st.builds(
    lambda n, spacing, filled: Comb.grid(n, 191.4, spacing, spacing * filled, 0.0),
    st.integers(1, 48),
    st.sampled_from([50.0, 75.0, 100.0]),
    st.floats(0.5, 0.98),
) | st.just(RATES)
rows = st.fixed_dictionaries(
    {
        "length_km": st.floats(5, 120),
        "loss_db_per_km": st.floats(0.15, 0.3),
        "before_db": st.floats(0, 1),
        "after_db": st.floats(0, 4),
        "dispersion_ps_per_nm_km": st.floats(3, 22),
        "effective_area_um2": st.floats(60, 150),
        "noise_figure_db": st.floats(3.5, 8),
    }
)
alike = st.builds(lambda row, n: spans(*[row] * n), rows, st.integers(1, 12))
unlike = st.builds(lambda some: spans(*some), st.lists(rows, min_size=1, max_size=6))


@settings(max_examples=60)
@given(
    unlike,
    combs,
    st.sampled_from(["length_km", "after_db", "noise_figure_db"]),
    st.floats(0.01, 10),
    st.integers(0, 5),
)
def test_length_loss_behind_the_fibre_and_noise_of_any_span_never_raise_the_best_gsnr(
    line: AmplifiedSpans, comb: Comb, what: str, added: float, where: int
) -> None:
    one = np.zeros(len(line.length_km))
    one[where % len(one)] = added
    assert best_gsnr_db(more(line, **{what: one}), comb) <= best_gsnr_db(line, comb) + SAME_DB


@settings(max_examples=60)
@given(alike, combs, st.sampled_from(["loss_db_per_km", "before_db"]), st.floats(0.001, 0.1))
def test_loss_in_or_before_the_fibre_of_every_span_never_raises_the_best_gsnr(
    line: AmplifiedSpans, comb: Comb, what: str, added: float
) -> None:
    """In one span alone it may: less light in the span that makes most of the nonlinear noise can be worth its ASE."""
    assert best_gsnr_db(more(line, **{what: added}), comb) <= best_gsnr_db(line, comb) + SAME_DB


@given(
    alike,
    combs,
    st.sampled_from(["loss_db_per_km", "length_km", "before_db", "after_db", "noise_figure_db"]),
    st.floats(0.001, 0.1),
    st.floats(-8, 3),
)
def test_more_loss_never_raises_osnr_at_the_same_launch_power(
    line: AmplifiedSpans, comb: Comb, what: str, added: float, launch_dbm: float
) -> None:
    lit = replace(comb, launch_dbm=np.full(len(comb.frequency_thz), launch_dbm))
    worse, better = (line_noise(each, lit).osnr_01nm_db for each in (more(line, **{what: added}), line))
    assert (worse <= better + SAME_DB).all()
