"""Inputs varied: values as asked, points as single what-ifs have them, knees and crossings where they are."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from twin.errors import ChangeError, TwinError
from twin.loading import Network, load
from twin.studies.inputs import Axis, parse_axis
from twin.studies.sweep import crossings_of, knees_of


@pytest.fixture(scope="module")
def small() -> Network:
    return load("memphis-small")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("age=0,10,20", (0.0, 10.0, 20.0)),
        ("x=1..4:4", (1.0, 2.0, 3.0, 4.0)),
        ("x=1..1000:log4", (1.0, 10.0, 100.0, 1000.0)),
        ("job.split=uniform,balanced", ("uniform", "balanced")),
    ],
)
def test_values_as_they_are_asked_for(text: str, values: tuple[float | str, ...]) -> None:
    assert parse_axis(text).values == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("age", "no path=values"),
        ("age=", "no path=values"),
        ("x=0..10:log3", "above 0"),
        ("x=1..2:1", "at most"),
        ("x=1..2:99999", "at most"),
        ("x=a..b:3", "values"),
        ("x=nan", "finite"),
        ("x=1,,2", "values"),
        ("x=1..1e999:3", "finite"),
        ("x=-1e308..1e308:3", "finite"),
        ("x=1..1e999:log3", "finite"),
        ("x=nan..3:3", "finite"),
        ("x=0..10", r"1\.\.10:4"),
        ("x=1..", r"1\.\.10:4"),
        ("x=0..10:-3", r"1\.\.10:4"),
        ("x=1..10:lin3", r"1\.\.10:4"),
        ("x=1..10:4,5", r"1\.\.10:4"),
    ],
)
def test_values_that_make_no_sense_are_refused(text: str, says: str) -> None:
    with pytest.raises(ChangeError, match=says):
        parse_axis(text)


def test_a_point_is_the_what_if_of_its_changes(small: Network) -> None:
    sweep = small.sweep(["age=0,12", "job.split=uniform,balanced"])
    assert sweep.points() == [(0.0, "uniform"), (0.0, "balanced"), (12.0, "uniform"), (12.0, "balanced")]
    aged = small.what_if(
        [{"kind": "age", "years": 12}, {"kind": "split_work", "split": "balanced"}], main_assumptions=False
    )
    assert sweep.values[3] == aged.after["step_time_s"]
    assert sweep.values[0] == small.score(main_assumptions=False)["step_time_s"]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("links.wan-*.n_failed=3", {"kind": "fail_links", "links": "wan-*", "n_members": 3}),
        ("links.wan-*.n_parallel=4", {"kind": "set_channels", "links": "wan-*", "n_parallel": 4}),
        ("job.n_local_steps=50", {"kind": "synchronise", "sync": "local_sgd", "n_local_steps": 50}),
    ],
)
def test_inputs_that_are_changes_too(small: Network, path: str, change: dict[str, object]) -> None:
    assert small.sweep(path).values[0] == small.what_if([change], main_assumptions=False).after["step_time_s"]


def test_length_moves_round_trip_and_headroom(small: Network) -> None:
    near, far = small.sweep("links.wan-*.length_km=1,40").values
    assert near is not None
    assert far is not None
    assert near < far
    rtt = small.sweep("links.wan-*.length_km=1,40", metric="worst_rtt_us").values
    assert rtt[1] - rtt[0] == pytest.approx(2 * 39 * 1.468 / 299_792.458 * 1e6, rel=0.02)


def test_more_capacity_is_never_slower_and_crosses_the_other_plan_once(small: Network) -> None:
    sweep = small.sweep(
        "links.wan-*.total_gbps=400..51200:log9", changes="fibre-and-balance", against="leave-out-first-campus"
    )
    known = [value for value in sweep.values if value is not None]
    assert len(known) == 9
    # the mixture of trees is chosen by the busiest arc between sites, not by the step: a hair may be lost by it
    assert all(after <= before * (1 + 1e-4) for before, after in pairwise(known))
    assert len(sweep.crossings) == 1
    at = sweep.crossings[0][0]
    assert isinstance(at, float)
    below, above = small.sweep(f"links.wan-*.total_gbps={at * 0.8},{at * 1.2}", changes="fibre-and-balance").values
    assert above is not None
    assert below is not None
    assert sweep.against_value is not None
    assert above < sweep.against_value < below


def test_a_point_without_an_answer_says_why(small: Network) -> None:
    sweep = small.sweep("links.wan-*.length_km=10,400")
    assert sweep.values[1] is None
    assert "no path" in sweep.why[1]
    assert sweep.to_csv().splitlines()[0] == "links.wan-*.length_km,step_time_s,why"
    assert sweep.to_csv().splitlines()[1].endswith(",")
    assert sweep.to_csv().splitlines()[-1] == f"400.0,,{sweep.why[1]}"
    assert json.loads(sweep.to_json())["values"][1] is None


def test_the_share_of_old_accelerators(small: Network) -> None:
    """Whole replicas of 128: of 1,024 a third and more of a kind are 384; the last old one sets the pace."""
    faster = [{"kind": "place_job", "placement": [{"site": "c1", "n_accelerators": 640, "accelerator": "H100"}]}]
    sweep = small.sweep("mix.c1.H100.GB200=0,0.2,0.35,1", changes=faster)
    none, one, two, every = sweep.values
    assert None not in sweep.values
    assert none < one  # type: ignore[operator]
    assert (one, every) == pytest.approx((two, two), rel=1e-4)
    by_hand = [
        {"site": "c1", "n_accelerators": 256, "accelerator": "H100"},
        {"site": "c1", "n_accelerators": 384, "accelerator": "GB200"},
    ]
    assert (
        small.what_if([{"kind": "place_job", "placement": by_hand}], main_assumptions=False).after["step_time_s"] == two
    )
    # 768 of GB200 fit, 1,024 do not: that point has no answer, the others have
    kept = small.sweep("mix.c1.H100.GB200=0,0.5")
    assert kept.values[0] is None
    assert "1024 accelerators asked for, 768 placed" in kept.why[0]
    assert kept.values[1] is not None


def test_knees_of_known_curves() -> None:
    x = Axis("x", tuple(float(i) for i in range(11)))
    assert knees_of([x], [10.0 - v if v <= 3 else 7.0 - 0.01 * v for v in range(11)]) == ((3.0,),)
    assert knees_of([x], [float(v) for v in range(11)]) == ()
    # what capacity shortens until computing binds: the corner, not where the curve looks steep
    wide = Axis("x", tuple(float(2**i) for i in range(13)))
    assert knees_of([wide], [max(1000.0 / v, 4.0) for v in wide.values]) == ((256.0,),)  # type: ignore[operator]
    assert knees_of([wide], [min(v, 300.0) for v in wide.values]) == ((256.0,),)  # type: ignore[type-var]
    assert knees_of([x], [1.0] * 11) == ()
    assert knees_of([Axis("x", (1.0, 2.0))], [1.0, 2.0]) == ()


def test_crossings_are_interpolated() -> None:
    x = Axis("x", (0.0, 10.0, 20.0))
    assert crossings_of([x], [0.0, 10.0, 0.0], 5.0) == ((5.0,), (15.0,))
    assert crossings_of([x], [None, 10.0, 0.0], 5.0) == ((15.0,),)
    assert crossings_of([x], [1.0, 1.0, 1.0], 5.0) == ()


def test_the_order_of_values_changes_no_knee_and_no_crossing() -> None:
    """Neighbours are those by size; a value that stands twice counts once."""
    x = tuple(float(i) for i in range(11))
    curve = {v: 10.0 - v if v <= 3 else 7.0 - 0.01 * v for v in x}
    mixed = Axis("x", (7.0, 3.0, 0.0, 10.0, 1.0, 3.0, 9.0, 2.0, 5.0, 4.0, 8.0, 6.0))
    values = [curve[v] for v in mixed.values]  # type: ignore[index]
    assert knees_of([mixed], values) == knees_of([Axis("x", x)], list(curve.values())) == ((3.0,),)
    assert crossings_of([mixed], values, 8.5) == ((1.5,),)
    both = [Axis("x", (20.0, 0.0, 10.0)), Axis("y", ("b", "a"))]
    assert crossings_of(both, [0.0, 9.0, 10.0, 5.0, 0.0, 5.0], 8.0) == ((2.0, "b"), (17.5, "a"))


def test_a_level_that_is_met_exactly_is_crossed_there() -> None:
    x = Axis("x", (0.0, 10.0, 20.0))
    assert crossings_of([x], [0.0, 5.0, 10.0], 5.0) == ((10.0,),)
    assert crossings_of([x], [5.0, 6.0, 5.0], 5.0) == ((0.0,), (20.0,))
    long = Axis("x", tuple(float(i) for i in range(6)))
    assert crossings_of([long], [3.0, 5.0, 5.0, 7.0, 5.0, 3.0], 5.0) == ((1.0,), (4.0,))
    assert crossings_of([long], [None, 5.0, 5.0, None, 5.0, 3.0], 5.0) == ((1.0,), (4.0,))
    assert crossings_of([x], [5.0, 5.0, 5.0], 5.0) == ((0.0,),)


def test_a_curve_that_hardly_moves_has_no_knee(small: Network) -> None:
    x = Axis("x", tuple(float(i) for i in range(11)))
    bent = [10.0 - v if v <= 3 else 7.0 - 0.01 * v for v in range(11)]
    assert knees_of([x], bent) == ((3.0,),)
    assert knees_of([x], [1000.0 + v for v in bent]) == ()
    assert small.sweep("age=0..20:5").knees == ()


def test_inputs_are_texts_mappings_or_axes(small: Network) -> None:
    asked = small.sweep("age=0,10")
    assert small.sweep({"path": "age", "values": [0, 10]}) == asked
    assert small.sweep([{"path": "age", "values": "0,10"}]) == asked
    assert small.sweep(Axis("age", (0.0, 10.0))) == asked
    assert asked.axes == (Axis("age", (0.0, 10.0)),)


@pytest.mark.parametrize(
    "vary",
    [
        None,
        3,
        [],
        [None],
        {"path": "age"},
        *({"path": "age", "values": v} for v in (3, [], [None], [10**400], ["0..9:3"])),
    ],
)
def test_what_is_no_input_is_told_in_python_too(small: Network, vary: Any) -> None:
    with pytest.raises(ChangeError, match="vary") as caught:
        small.sweep(vary)
    assert "--" not in str(caught.value)


@pytest.mark.parametrize(
    ("vary", "says"),
    [
        ("links.wam-1.n_parallel=2", "wan-1"),
        ("links.wan-*.n_paralel=2", "n_parallel"),
        ("links.wan-*.n_parallel=2.5", "whole"),
        ("links.wan-*.n_parallel=0", "at least 1"),
        ("links.wan-*.total_gbps=0", "more than 0"),
        ("links.wan-*.length_km=-1", "not negative"),
        ("links.wan-*.n_parallel=1e300", "n_parallel 1e.300; expected at most 1,000,000"),
        ("links.wan-*.n_parallel=3e9", "at most 1,000,000"),
        ("links.wan-*.n_failed=1e300", "n_failed 1e.300; expected at most"),
        ("links.wan-*.total_gbps=1e300", "at most 10,000,000 Gb/s a member"),
        ("links.wan-*.total_gbps=5e-324", "total_gbps 4.9.*e-324"),
        ("links.wan-*.length_km=1e308", "at most 20,000 km a span"),
        ("placement.c1.n_accelerators=1e300", "from 0 to 10,000,000"),
        ("placement.c1.n_accelerators=-1", "from 0 to 10,000,000"),
        ("job.n_local_step=3", "n_local_steps"),
        ("mix.c9.H100.GB200=0", "the job is not at 'c9'"),
        ("mix.c1.H10.GB200=0", "H100"),
        ("mix.c1.H100.GB200=2", "expected 0 to 1"),
        ("mix.c1.H100.H100=0", "two kinds"),
        ("job.placement=3", r"placement.SITE.n_accelerators"),
        ("job.parallelism=3", "parallelism.tp"),
        ("job.note=x", "for readers"),
        ("job.id=x", "names the job"),
        ("parallelism.tpp=2", "did you mean 'tp'"),
        ("parallelism.tp=0", "must be at least 1"),
        ("parallelism=2", "nothing to vary at"),
        ("job.foo=1", "expected model, n_global_batch, precision"),
        ("mix.c1=0", "nothing to vary"),
        ("job.split=fair", "split"),
        ("age=-3", "must be at least"),
        ("placement.c9.n_accelerators=5", "c1"),
        ("lossless.policy=shape", "shaped"),
        ("moon=1", "age"),
        ("demands=many", "no number"),
    ],
)
def test_a_path_that_is_none_is_refused_with_what_there_is(small: Network, vary: str, says: str) -> None:
    with pytest.raises(TwinError, match=says):
        small.sweep(vary)


def test_sizes_and_metrics_are_bounded(small: Network) -> None:
    with pytest.raises(ChangeError, match="points"):
        small.sweep(["age=0..50:1000", "demands=1..2:1000"])
    with pytest.raises(ChangeError, match="3 inputs; expected one or two"):
        small.sweep(["age=1", "demands=2", "job.n_global_batch=64"])
    with pytest.raises(ChangeError, match="age stands twice"):
        small.sweep(["age=1", "age=2"])
    with pytest.raises(ChangeError, match=r"did you mean .step_time_s"):
        small.sweep("age=1", metric="step_tim_s")
    with pytest.raises(ChangeError, match=r"no metric 3.*twin score --all"):
        small.sweep("age=1", metric=3)  # type: ignore[arg-type]


def test_progress_is_told_point_by_point(small: Network) -> None:
    told: list[tuple[int, int]] = []
    small.sweep("age=0,1,2", advance=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("path", ["n_parallel=1,1e6", "n_failed=1e6", "total_gbps=1e-300,1e7", "length_km=1e-6,2e4"])
def test_links_go_as_far_as_documents_do(small: Network, path: str) -> None:
    sweep = small.sweep(f"links.wan-*.{path}")
    assert all(value is not None or why for value, why in zip(sweep.values, sweep.why, strict=True))


def test_demands_stay_what_a_document_may_state() -> None:
    network = load("leaf-spine-demo")
    assert network.document.demands
    for factor in ("1e300", "-1"):
        with pytest.raises(ChangeError, match="from 0 to 1,000,000,000"):
            network.sweep(f"demands={factor}", metric="unrouted_gbps")


def test_a_sweep_without_a_job_is_about_the_busiest_link_and_one_with_a_job_about_the_step() -> None:
    without = load("leaf-spine-demo").sweep("age=0..10:2")
    assert without.metric == "max_link_utilisation_ratio"
    assert without.summary == ("No effect: busiest link is 60 % at every point.",)
    assert load("two-campus").sweep("age=0..10:2").metric == "step_time_s"
