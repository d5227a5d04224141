"""Studies of samples on a tiny network: shrinking to the point, executors, nulls, refusals."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from tests.model.samples import campus_data
from twin.answers.metrics import METRICS
from twin.errors import ChangeError, DocumentError, TopologyError
from twin.loading import from_document
from twin.network import Network
from twin.scenario.apply import parse_changes
from twin.stages.changed_inputs import ChangedInputs
from twin.stages.engine import Engine
from twin.studies.executor import Workers
from twin.studies.sample_report import SampleReport
from twin.studies.samples import inputs_of, rows_of
from twin.studies.sampling import SampledCase, SampleItem, SampleQuestion, SampleTask, run_sample
from twin.studies.uncertainty import sampled_cases

TWO_NODES: dict[str, Any] = {
    "schema_version": 1,
    "name": "two",
    "sites": [{"id": "s", "lease_usd_per_month": 100.0}],
    "nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}],
    "links": [{"id": "a~b", "ends": ["a", "b"], "capacity_gbps": 100}],
    "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 40}],
    "plans": [{"id": "half", "changes": [{"kind": "scale_demands", "factor_ratio": 0.5}]}],
}


def two_nodes(*uncertain: dict[str, Any]) -> Network:
    return from_document({**TWO_NODES, "uncertain": list(uncertain)})


def sampled(network: Network, *plans: str, **options: Any) -> SampleReport:
    return network.sample(plans, **{"n_samples": 64, "executor": "serial", **options})


def test_the_load_of_a_link_follows_its_uncertain_demand() -> None:
    """40 Gb/s over 100 Gb/s become 20 to 60: uniform, so p10 is 24 % and p90 56 %."""
    report = sampled(two_nodes({"where": "demands.d", "low": 20.0, "high": 60.0}), "half")
    found = report.interval("max_link_utilisation_ratio")
    assert found.at_value == 0.4
    assert (found.p10, found.p50, found.p90) == pytest.approx((0.24, 0.4, 0.56), abs=0.01)
    assert report.metric == "max_link_utilisation_ratio"
    assert report.best == "half"
    assert [row.best_ratio for row in report.plans] == [0.0, 1.0]
    (row,) = [row for row in report.tornado if row.where == "demands.d"]
    assert (row.at_low, row.at_high) == ((0.2, 0.1), (0.6, 0.3))
    assert (row.swing, row.lead_swing) == pytest.approx((0.2, 0.2))


def test_a_factor_on_all_demands_keeps_what_a_plan_does() -> None:
    report = sampled(two_nodes({"where": "demands", "low": 0.5, "value": 1.0, "high": 2.0}), "half")
    now, half = report.interval("max_link_utilisation_ratio"), report.interval("max_link_utilisation_ratio", "half")
    assert half.p10 == pytest.approx(now.p10 / 2)  # type: ignore[operator]
    assert half.beats_ratio == 1.0
    (pair,) = [row for row in report.comparisons if row.plan == "half"]
    assert (pair.better_ratio, pair.equal_ratio, pair.n_samples) == (1.0, 0.0, 64)
    assert report.worth_of_all == 0.0


@pytest.fixture(scope="module")
def campus() -> Network:
    return from_document(campus_data())


def test_intervals_of_inputs_without_a_range_are_the_point(campus: Network) -> None:
    inputs = sampled(campus, job="both", n_samples=2).inputs
    pinned = [{"where": row.where, "low": row.value, "value": row.value, "high": row.value} for row in inputs]
    network = from_document({**campus_data(), "uncertain": pinned})
    report = sampled(network, job="both", n_samples=4)
    score = network.score("both", main_assumptions=False)
    assert {row.low == row.high for row in report.inputs} == {True}
    for name, interval in report.plans[0].metrics.items():
        assert (interval.p10, interval.p50, interval.p90) == (score[name],) * 3, name
        assert interval.at_value == score[name]
    assert report.tornado == ()
    assert report.summary[0].endswith(", the same in eight samples of ten.")


def test_all_executors_and_all_repetitions_give_the_same_bytes(campus: Network) -> None:
    plans = [[{"kind": "fail_links", "links": "wan", "n_members": 1}]]
    serial = campus.sample(plans, job="both", n_samples=8, executor="serial").to_json()
    again = from_document(campus_data())
    again.score()
    assert again.sample(plans, job="both", n_samples=8, executor="threads", n_workers=2).to_json() == serial
    assert again.sample(plans, job="both", n_samples=8, seed=1, executor="serial").to_json() != serial


def test_a_sample_is_the_score_of_a_network_with_these_figures(campus: Network) -> None:
    """Each row is computed as a difference to the central case; a fresh engine must agree."""
    case = campus._scenario(None, "both").case
    cases = (SampledCase("now", case, case),)
    inputs = inputs_of(cases, campus._engine)
    rows = rows_of(inputs, 8, 5)
    names = ("step_time_s", "goodput_tokens_per_s", "opex_usd_per_year", "min_margin_db")
    found = run_sample(SampleQuestion(cases, inputs, rows.values, names), campus._engine, Workers(), None)
    assert len({row[0].values for row in found}) > 50
    for row in (0, 3, 8, 20, 41):
        engine = Engine(campus.catalogue, campus.price_book)
        values = {known.figure: float(value) for known, value in zip(inputs, rows.values[row], strict=True)}
        fresh = ChangedInputs(engine, values).evaluate(engine.evaluate(case))  # type: ignore[arg-type]
        assert found[row][0].values == tuple(METRICS[name].compute(fresh) for name in names)


@pytest.mark.parametrize(
    ("where", "hint"),
    [
        ("site.s.lease_usd_per_month", "did you mean 'sites'"),
        ("sites.t.pue_ratio", "no site 't' (one of s)"),
        ("sites.s.pue", "did you mean 'pue_ratio'"),
        ("demands.e", "one of d"),
        ("links.a.length_km", "no link"),
        ("prices.electricity_usd_per_mw", "did you mean 'prices.electricity_usd_per_mwh'"),
        ("parts.H10.bf16_tflops", "did you mean 'parts.H100.bf16_tflops'"),
        ("general.splice", "did you mean 'general.splice_db'"),
    ],
)
def test_an_unknown_place_is_refused_with_what_is_meant(where: str, hint: str) -> None:
    network = two_nodes({"where": where, "low": 1.0, "high": 2.0})
    with pytest.raises((ChangeError, TopologyError)) as caught:
        sampled(network)
    assert hint in str(caught.value)
    assert caught.value.where == "uncertain[0].where"


def test_an_end_that_the_place_cannot_take_is_refused() -> None:
    with pytest.raises(ChangeError, match="uncertain"):
        sampled(two_nodes({"where": "demands.d", "low": -1.0, "high": 2.0}))


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"where": "demands", "low": 2.0, "high": 1.0}, "above high"),
        ({"where": "demands", "low": 1.0, "high": 2.0, "value": 3.0}, "outside"),
    ],
)
def test_ranges_without_order_are_refused_with_the_document(record: dict[str, Any], problem: str) -> None:
    with pytest.raises(TopologyError, match=problem):
        two_nodes(record).score()
    with pytest.raises(TopologyError, match="stands twice"):
        two_nodes({"where": "demands", "low": 1, "high": 2}, {"where": "demands", "low": 1, "high": 2}).score()
    with pytest.raises(DocumentError):
        two_nodes({"where": "demands", "low": 1, "high": 2, "distribution": "normal"}).score()


def test_unknown_metrics_and_plans_are_refused() -> None:
    network = two_nodes()
    with pytest.raises(ChangeError, match="did you mean 'capex_usd'"):
        sampled(network, metric="capex_us")
    with pytest.raises(ChangeError, match="stands twice"):
        sampled(network, "half", "half")


def test_without_a_tornado_the_intervals_are_the_same() -> None:
    network = two_nodes({"where": "demands.d", "low": 20.0, "high": 60.0})
    short, long = sampled(network, "half", tornado=False), sampled(network, "half")
    assert short.plans == long.plans
    assert short.tornado == ()
    assert long.tornado != ()


def test_the_task_of_a_process_can_be_pickled_and_gives_the_same(campus: Network) -> None:
    changes = list(parse_changes([{"kind": "fail_links", "links": "wan", "n_members": 1}]))
    cases = sampled_cases(campus._scenario(None, "both"), {"x": ("x", changes)}, campus._reader)
    rows = rows_of((), 2, 0)
    question = SampleQuestion(cases, (), rows.values, ("step_time_s",))
    task = SampleTask(question, campus.catalogue, campus.price_book)
    here, there = (
        list(each.start()([SampleItem(range(2), row) for row in (0, 1)]))
        for each in (task, pickle.loads(pickle.dumps(task)))
    )
    assert here == there


def test_cases_of_a_large_network_are_computed_one_by_one_to_the_same(
    campus: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = [[{"kind": "fail_links", "links": "wan", "n_members": 1}], [{"kind": "split_work", "split": "balanced"}]]
    together = campus.sample(plans, n_samples=4)
    monkeypatch.setattr("twin.studies.sampling.MAX_LINKS_TOGETHER", 0)
    calls: list[tuple[int, int]] = []
    alone = campus.sample(plans, n_samples=4, advance=lambda *n: calls.append(n))
    assert alone.to_dict() == together.to_dict()
    assert calls[-1] == (1 + 4 + 2 * len(alone.inputs),) * 2
    assert [n for n, _ in calls] == sorted(n for n, _ in calls)


def test_growth_of_a_class_moves_later_years_and_not_today() -> None:
    demand = {"id": "d", "source": "a", "target": "b", "offered_gbps": 100.0, "traffic_class": "web"}
    data = {
        "as_of": "2026-11-01",
        "nodes": [{"id": name, "kind": "switch"} for name in "ab"],
        "links": [{"id": "ab", "ends": ["a", "b"], "capacity_gbps": 1000.0}],
        "demands": [demand],
        "traffic_classes": [{"id": "web", "growth_ratio_per_year": 0.3}],
        "uncertain": [{"where": "traffic_classes.web.growth_ratio_per_year", "low": 0.1, "value": 0.3, "high": 0.5}],
    }
    net = from_document(data)
    name = "max_link_utilisation_ratio"

    def found(years: float) -> SampleReport:
        return net.sample(metric=name, n_samples=16, years=years, executor="serial")

    today, later = (found(years).plans[0].metrics[name] for years in (0, 2))
    assert (today.p10, today.p90) == (0.1, 0.1)
    assert later.at_value == pytest.approx(0.1 * 1.3**2)
    assert later.p10 is not None
    assert later.p90 is not None
    assert 0.1 * 1.1**2 < later.p10 < 0.169 < later.p90 < 0.1 * 1.5**2
    row = found(2).tornado[0]
    assert (row.at_low[0], row.at_high[0]) == (pytest.approx(0.121), pytest.approx(0.225))
    with pytest.raises(ChangeError, match="years"):
        found(-1)
