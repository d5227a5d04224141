import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from twin.kernels.optics import _asinh_growth, above_db, propagate_line, signal_to_noise_db

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


UNLIKE = [(f, r, 1e-3 * (1 + 0.1 * i)) for i, (f, r, _) in enumerate(comb(9))]
FASTER = [(f, 60e9 if i % 3 else 40e9, watt) for i, (f, _, watt) in enumerate(comb(9))]
COMBS = {"one": comb(1), "two": comb(2), "grid": comb(9), "unlike": UNLIKE, "mixed rates": FASTER, "uneven": UNEVEN}
LINES = {
    "one span": [span()],
    "three": [span()] * 3,
    "mixed": MIXED,
    "worn": [span(80, 0.2), span(60, 0.2), span(80, 0.21), span(80, 0.2)],
    "dark": [span(20, noise_db=None)] * 2,
}


@pytest.mark.parametrize("channels", COMBS.values(), ids=COMBS)
@pytest.mark.parametrize("spans", LINES.values(), ids=LINES)
def test_it_is_the_naive_twin(channels, spans):
    expected = np.array(naive.gaussian_noise_line(channels, spans, CONSTANTS))
    assert propagate(channels, spans) == pytest.approx(expected, rel=1e-12)
    for i in range(len(channels)):
        assert propagate(channels, spans, (i, i + 1))[i] == pytest.approx(expected[i], rel=1e-12)


def test_a_span_whose_loss_is_restored_keeps_the_power_of_a_channel():
    """Signal and nonlinear noise together leave as the signal came: noise is taken out of what makes it."""
    out = propagate(comb(), [span()] * 4)
    noiseless = propagate(comb(), [span(noise_db=-300.0)] * 4)
    assert noiseless.sum(axis=1) == pytest.approx(1e-3, rel=1e-12)
    assert (out[:, 1] > 0).all()


@given(
    st.lists(
        st.builds(
            span,
            st.floats(5, 120),
            st.floats(0.15, 0.35),
            st.floats(2, 22),
            st.floats(50, 150),
            after_db=st.floats(0, 5),
            noise_db=st.none() | st.floats(3, 9),
        ),
        max_size=8,
    ),
    st.sampled_from([comb(40), comb(96, 50.0, 32.0), UNLIKE, FASTER, UNEVEN, comb(1)]),
    st.data(),
)
def test_a_channel_is_the_same_to_the_last_bit_whatever_else_is_asked_for(spans, channels, data):
    """Nonlinear noise changes what the power of a channel consists of, not how much the others have to bear."""
    first = data.draw(st.integers(0, len(channels) - 1))
    last = data.draw(st.integers(first + 1, len(channels)))
    every, some = propagate(channels, spans), propagate(channels, spans, (first, last))
    np.testing.assert_array_equal(some[first:last], every[first:last])


def test_channels_not_asked_for_keep_what_their_nonlinear_noise_would_have_taken():
    channels = comb(21)
    every, one = propagate(channels, MIXED), propagate(channels, MIXED, (10, 11))
    others = np.arange(21) != 10
    assert not one[others, 2].any()
    assert one[others].sum(axis=1) == pytest.approx(every[others].sum(axis=1), rel=1e-13)
    assert not propagate(channels, MIXED, (3, 3))[:, 2].any()


def test_a_grid_is_summed_as_channels_are_that_stand_just_off_it():
    channels = comb(40)
    moved = [(f + (30.0 if i == 7 else 0.0), r, watt) for i, (f, r, watt) in enumerate(channels)]
    assert propagate(moved, MIXED) == pytest.approx(propagate(channels, MIXED), rel=1e-8)
    assert propagate(moved, MIXED)[7, 2] != propagate(channels, MIXED)[7, 2]


def test_a_line_without_spans_or_without_channels_is_no_trouble():
    assert propagate(comb(2), []).tolist() == [[1e-3, 0.0, 0.0]] * 2
    none = np.empty(0)
    one = [np.array([value]) for value in span().values()]
    c = CONSTANTS.values()
    propagate_line(none, none, none, *one, *c, 0, 0, none, none, none)


def test_decibels_are_in_the_bandwidth_asked_for_and_say_where_there_is_no_noise_or_no_sense():
    columns = np.array([[1.0, 1.0, -1.0], [0.01, 0.0, 0.1], [0.03, 0.1, 0.1], [25.0, 12.5, 12.5]])
    out = np.empty((3, 3))
    signal_to_noise_db(*columns, 12.5, out)
    twice = 10 * math.log10(2)
    assert out[:, 0] == pytest.approx([20 + twice, 10 * math.log10(2 / 0.03), 10 * math.log10(2 / 0.04)], rel=1e-14)
    assert out[:, 1] == pytest.approx([math.inf, 10.0, 10.0])
    assert np.isnan(out[:, 2]).all()
    assert above_db(1.0, 0.0) == math.inf
    assert above_db(3.0, 0.3) == pytest.approx(10.0)


@given(st.floats(-30, 2), st.floats(0, 4), st.floats(-3, 3))
def test_two_asinh_and_one_logarithm_say_the_same_to_the_last_digits(curve, apart, baud):
    """Against 60 digits: far channels, the channel itself (low = -high), overlapping ones, hardly any dispersion."""
    curve_s, apart_hz, baud_hz = 10.0**curve, 10.0**apart - 1.0, 10.0**baud
    with localcontext() as context:
        context.prec = 60
        ends = [Decimal(curve_s) * (Decimal(apart_hz) + sign * Decimal(baud_hz) / 2) for sign in (-1, 1)]
        low, high = ((abs(x) + (1 + x * x).sqrt()).ln().copy_sign(x) for x in ends)
        expected = float(high - low)
    # the difference low = apart - baud / 2 is rounded before it gets here, once
    assert math.log1p(_asinh_growth(curve_s, apart_hz, baud_hz)) == pytest.approx(expected, rel=2e-15)


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
