import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from twin.kernels.optics import propagate_line

CONSTANTS = {"n2": 2.6e-20, "core": 4.2e-6, "reference": 193.414e12, "planck": 6.62607015e-34, "light": 299_792_458.0}
Spans = list[dict[str, float]]


def span(length_km=80.0, db_per_km=0.2, ps=16.7, area=83.0, before_db=0.0, after_db=0.0, noise_db: float | None = 5.5):
    return {
        "length": length_km * 1e3,
        "alpha": db_per_km / 1e3 * math.log(10) / 10,
        "beta2": ps * 1e-6 * 1550e-9**2 / (2 * math.pi * CONSTANTS["light"]),
        "area": area * 1e-12,
        "before": 10 ** (-before_db / 10),
        "after": 10 ** (-after_db / 10),
        "noise": 0.0 if noise_db is None else 10 ** (noise_db / 10),
    }


def comb(n=9, spacing_ghz=75.0, baud_gbd=60.0, dbm=0.0, first_thz=193.0):
    return [(first_thz * 1e12 + i * spacing_ghz * 1e9, baud_gbd * 1e9, 1e-3 * 10 ** (dbm / 10)) for i in range(n)]


def propagate(channels, spans: Spans, tested: tuple[int, int] | None = None):
    f, r, p = (np.array(column) for column in zip(*channels, strict=True))
    names = ("length", "alpha", "beta2", "area", "before", "after", "noise")
    columns = [np.array([s[name] for s in spans]) for name in names]
    first, last = tested or (0, len(channels))
    c = CONSTANTS
    out = [np.full(len(channels), np.nan) for _ in range(3)]
    propagate_line(f, r, p, *columns, c["n2"], c["core"], c["reference"], c["planck"], c["light"], first, last, *out)
    return np.stack(out, axis=1)


MIXED = [
    span(80, before_db=0.5, after_db=1.5),
    span(60, 0.17, 21.0, 125.0, noise_db=4.5),
    span(20, 0.3, noise_db=None),
    span(30, 0.25, after_db=0.4),
    span(10, noise_db=None),
]
UNEVEN = [(193.1e12, 32e9, 1e-3), (193.2e12, 60e9, 2e-3), (193.4e12, 90e9, 5e-4), (193.55e12, 32e9, 1e-3)]


@pytest.mark.parametrize("channels", [comb(1), comb(2), comb(9), UNEVEN], ids=["one", "two", "grid", "uneven"])
@pytest.mark.parametrize("spans", [[span()], [span()] * 3, MIXED], ids=["one span", "three", "mixed"])
def test_it_is_the_naive_twin(channels, spans):
    expected = np.array(naive.gaussian_noise_line(channels, spans, CONSTANTS))
    assert propagate(channels, spans) == pytest.approx(expected, rel=1e-11)


def test_a_span_whose_loss_is_restored_keeps_the_power_of_a_channel():
    """Signal and nonlinear noise together leave as the signal came: noise is taken out of what makes it."""
    out = propagate(comb(), [span()] * 4)
    noiseless = propagate(comb(), [span(noise_db=-300.0)] * 4)
    assert noiseless.sum(axis=1) == pytest.approx(1e-3, rel=1e-12)
    assert (out[:, 1] > 0).all()


def test_asking_for_one_channel_gives_it_as_the_whole_comb_does_in_the_first_span():
    channels = comb(21)
    every, one = propagate(channels, [span()]), propagate(channels, [span()], (10, 11))
    assert one[10] == pytest.approx(every[10], rel=1e-14)
    assert not one[[9, 11], 2].any()


def test_without_an_amplifier_the_light_is_just_weaker():
    out = propagate(comb(3), [span(40, noise_db=None)])
    assert out[:, 1].tolist() == [0.0, 0.0, 0.0]
    assert out[:, [0, 2]].sum(axis=1) == pytest.approx(1e-3 * 10**-0.8)


@given(st.floats(-10, 4), st.integers(1, 12), st.floats(10, 120), st.floats(0.15, 0.35))
def test_power_and_company_make_noise(dbm, n, length_km, db_per_km):
    """3 dB more a channel is close to 6 dB more nonlinear noise over signal; a neighbour never lessens it."""
    glass = [span(length_km, db_per_km)]
    ratio = [
        out[n // 2, 2] / out[n // 2, 0]
        for out in (propagate(comb(n, dbm=dbm), glass), propagate(comb(n, dbm=dbm + 3), glass))
    ]
    assert ratio[1] / ratio[0] == pytest.approx(10**0.6, rel=0.05)
    alone = propagate([comb(n, dbm=dbm)[n // 2]], glass)[0]
    assert ratio[0] >= alone[2] / alone[0] * (1 - 1e-12)


@given(st.floats(5, 100), st.floats(0.1, 40))
def test_more_loss_never_raises_the_signal_or_osnr(length_km, more_km):
    short, long = (propagate(comb(5), [span(km)]) for km in (length_km, length_km + more_km))
    assert (long[:, 0] / long[:, 1] < short[:, 0] / short[:, 1]).all()
    dark = [propagate(comb(5), [span(km, noise_db=None)])[:, 0] for km in (length_km, length_km + more_km)]
    assert (dark[1] < dark[0]).all()
