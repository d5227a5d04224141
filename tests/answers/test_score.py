"""The score: every metric with unit and direction, nulls that say why, and the same bytes whoever asks."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import twin
from tests.answers.lines import a_span, document, zr
from tests.model.samples import campus_data, changed, job_data, shipped, shuffled, small_documents
from twin.answers.metrics import METRICS
from twin.catalogue.figure_reader import PLACEHOLDER
from twin.errors import CatalogueError, DocumentError, TopologyError
from twin.loading import Network, from_document, load
from twin.units import unit_of

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


@cache
def campus() -> Network:
    return from_document(campus_data())


@cache
def named(name: str) -> Network:
    return load(name)


@pytest.mark.parametrize("name", ["leaf-spine-demo", "memphis-small", "two-campus"])
def test_every_metric_is_there_with_unit_and_direction(name: str) -> None:
    score = named(name).score(main_assumptions=False)
    data = json.loads(score.to_json())
    assert list(data["metrics"]) == list(METRICS)
    for key, row in data["metrics"].items():
        assert row["unit"] == unit_of(key)
        assert row["better"] == METRICS[key].better
        if row["value"] is None:
            assert row["why"]
        else:
            assert math.isfinite(row["value"])
            assert "why" not in row
        assert score[key] == row["value"]
    assert METRICS[key].sentence


def test_a_campus_with_everything_has_no_null() -> None:
    score = campus().score(main_assumptions=False)
    missing = [name for name, value in score.metrics.items() if value.value is None]
    assert missing == [name for name, metric in METRICS.items() if metric.without_traffic_only]
    assert (score.network, score.as_of, score.job) == ("two sites", "2026-01-01", "both")
    assert len(score.bottlenecks) > 3


def test_nulls_say_why() -> None:
    demo = named("leaf-spine-demo").score(main_assumptions=False)
    assert demo.metrics["step_time_s"].why == "the document has no job"
    small = named("memphis-small").score(main_assumptions=False)
    assert small.metrics["unrouted_gbps"].why == "the document has no demands"
    bare = from_document({"nodes": [{"id": "a", "kind": "leaf"}]}).score(main_assumptions=False)
    assert "no traffic" in bare.metrics["max_link_utilisation_ratio"].why
    assert bare.metrics["min_margin_db"].why == "no direct detect or coherent link is up"
    assert bare["capex_usd"] == 0
    apart = from_document(changed(campus_data(), "links", "wan", up=False)).score(main_assumptions=False)
    assert apart.metrics["step_time_s"].why.startswith("no path for wide-area traffic")
    assert apart["unrouted_gbps"] == 140


def test_nothing_at_all_has_a_score() -> None:
    score = from_document({}).score(main_assumptions=False)
    assert {name for name, value in score.metrics.items() if value.value is not None} == {
        "capex_usd",
        "opex_usd_per_year",
        "n_links_fallen_back",
        "n_links_below_margin",
    }


def test_the_demo_by_hand() -> None:
    """d1 puts 200 Gb/s on host cables of 400; d4 of 240 is the largest: 0.6. Five demands, all carried."""
    score = named("leaf-spine-demo").score(main_assumptions=False)
    assert score["max_link_utilisation_ratio"] == pytest.approx(0.6)
    assert score["demand_satisfied_ratio"] == 1.0
    assert score["unrouted_gbps"] == 0.0
    assert score["min_margin_db"] == pytest.approx(3.0 - 0.6)
    e = named("leaf-spine-demo").evaluate()
    arrays = e.case.state.arrays
    load = dict(zip(arrays.link_ids, e.arc_load_gbps.reshape(-1, 2).tolist(), strict=True))
    assert load["leaf-1~spine-1"] == pytest.approx([(200 + 160) / 2, 80 / 2])
    assert load["host-4-1~leaf-4"] == pytest.approx([80, 120])


def test_congestion_by_hand() -> None:
    """600 Gb/s over a leaf with two uplinks of 100: a third is carried."""
    data = shipped("leaf-spine-demo")
    links = [item | ({"capacity_gbps": 100.0} if "leaf-1~" in item["id"][:7] else {}) for item in data["links"]]
    demands = [{"id": "d", "source": "host-1-1", "target": "host-2-1", "offered_gbps": 400.0}]
    score = from_document(data | {"links": links, "demands": demands}).score(main_assumptions=False)
    assert score["demand_satisfied_ratio"] == pytest.approx(0.5)
    assert score["max_link_utilisation_ratio"] == pytest.approx(2.0)


def test_the_round_trip_by_hand() -> None:
    """a-rack - leaf - border - 20 km - border - leaf - b-rack, there and back."""
    score = campus().score(main_assumptions=False)
    a_span = 20 * 1.468 / 299_792.458 * 1e6
    switches = 3.75 * 2 + 2 * twin.catalogue.catalogue().get("leaf-25.6T").value("latency_us")
    stored = 2 * 4096 * 8 / 400e3  # both border routers take frames in whole
    assert score["worst_rtt_us"] == pytest.approx(2 * (a_span + 3 + 2 * 0.08 + switches + stored))


def test_the_longest_cable_of_hosts_on_one_leaf_counts() -> None:
    nodes = [{"id": "s", "kind": "leaf"}, *({"id": name, "kind": "host"} for name in ("h1", "h2", "h3"))]
    links: list[dict[str, Any]] = [{"id": name, "ends": [name, "s"]} for name in ("h1", "h2", "h3")]
    links[2]["spans"] = [{"length_km": 10}]
    demands = [{"id": name, "source": "h1", "target": name, "offered_gbps": 1.0} for name in ("h2", "h3")]
    score = from_document({"nodes": nodes, "links": links, "demands": demands}).score(main_assumptions=False)
    assert score["worst_rtt_us"] == pytest.approx(20 * 1.468 / 299_792.458 * 1e6)


def test_margins_count_only_what_is_up() -> None:
    spans = [{"length_km": 45.0}]
    worn = changed(campus_data(), "links", "wan", required_margin_db=25.0, spans=spans)
    assert from_document(worn).score(main_assumptions=False)["n_links_below_margin"] == 1
    down = from_document(changed(worn, "links", "wan", up=False)).score(main_assumptions=False)
    assert down["n_links_below_margin"] == 0
    assert down["min_margin_db"] != from_document(worn).score(main_assumptions=False)["min_margin_db"]


def test_links_at_nodes_that_are_down_do_not_count() -> None:
    worn = changed(campus_data(), "links", "wan", required_margin_db=25.0)
    assert (
        from_document(changed(worn, "nodes", "a-border", up=False)).score(main_assumptions=False)[
            "n_links_below_margin"
        ]
        == 0
    )
    assert (
        from_document(changed(worn, "links", "wan", n_failed=4)).score(main_assumptions=False)["n_links_below_margin"]
        == 0
    )


def test_a_dark_link_below_its_margin_counts() -> None:
    spans = [{"length_km": 150.0}]
    score = from_document(changed(campus_data(), "links", "wan", spans=spans)).score(main_assumptions=False)
    assert score["n_links_below_margin"] == 1
    assert score["step_time_s"] is None


def test_ageing_cases_are_in_order() -> None:
    margins = [
        campus().score(ageing=case, main_assumptions=False)["min_margin_db"] for case in ("low", "value", "high")
    ]
    assert margins == sorted(margins, reverse=True)  # type: ignore[type-var]
    assert margins[0] != margins[2]


def test_goodput_and_cost_follow_from_the_others() -> None:
    score, e = campus().score(main_assumptions=False), campus().evaluate()
    assert score["goodput_tokens_per_s"] == pytest.approx(score["tokens_per_s"] * e.goodput_ratio)  # type: ignore[operator]
    assert e.step is not None
    flops = e.step.model_flops_per_s * e.goodput_ratio
    assert score["usd_per_effective_pflop_day"] == pytest.approx(e.usd_per_day / (flops / 1e15))
    assert e.lease is not None
    assert score["lease_break_even_usd_per_month"] == e.lease.at_list_usd_per_month


def test_a_job_that_cannot_run_has_no_goodput() -> None:
    diff = named("memphis-small").what_if([{"kind": "fail_srlg", "srlg": "duct-shared"}], main_assumptions=False)
    for name in ("goodput_ratio", "n_interruptions_per_day", "checkpoint_interval_s", "availability_ratio"):
        assert diff.before[name] is not None
        assert diff.after[name] is None
        assert diff.after.metrics[name].why.startswith("no path for wide-area traffic")


def test_the_coherent_margin_is_at_the_current_mode_and_its_description_says_so() -> None:
    """Four kilometres more and 400G no longer comes through: 300G does, with more margin than 400G had."""
    near, worn = (from_document(document(zr(a_span(km)))) for km in (102.0, 106.0))
    assert [n.link_table().rows[0]["member_gbps"] for n in (near, worn)] == [400.0, 300.0]
    margin_db = [n.score(main_assumptions=False)["min_coherent_margin_db"] or 0.0 for n in (near, worn)]
    assert margin_db[1] > margin_db[0]
    sentence = METRICS["min_coherent_margin_db"].sentence
    assert "at the current mode; it rises where a link takes a slower mode" in sentence


def test_the_lease_by_hand() -> None:
    """Marginal goodput of site a at list rental of the cheapest equal, less its running cost; and where it flips."""
    with_a, without = (
        campus().evaluate("both"),
        from_document(campus_data() | {"jobs": [job_data(id="both", placement=[{"site": "b"}])]}).evaluate("both"),
    )
    lease = with_a.lease
    assert lease is not None
    assert with_a.step is not None
    assert without.step is not None
    marginal = (
        with_a.step.model_flops_per_s * with_a.goodput_ratio - without.step.model_flops_per_s * without.goodput_ratio
    )
    assert lease.marginal_flops_per_s == pytest.approx(marginal)
    assert (lease.site, lease.n_allocated, lease.n_accelerators) == ("a", 32, 32)
    if lease.flips_at_usd_per_accelerator_hour is not None:
        rent, at_list = lease.rent_usd_per_accelerator_hour, lease.at_list_usd_per_month
        n_hours = (at_list + lease.opex_avoided_usd_per_month) / rent
        assert lease.flips_at_usd_per_accelerator_hour * n_hours - lease.opex_avoided_usd_per_month == pytest.approx(
            1e5
        )


def test_estimates_are_named() -> None:
    score = campus().score(main_assumptions=False)
    assert score.assumptions
    assert {each.status for each in score.assumptions} == {"estimate", PLACEHOLDER}
    assert score.n_figures > len(score.assumptions)
    assert any(each.where.startswith("price of") for each in score.assumptions)


# --- the same bytes ------------------------------------------------------------------------------------------------


@FEW
@given(shuffled(campus_data()))
def test_a_permuted_document_has_the_same_score_to_the_last_byte(data: dict[str, Any]) -> None:
    assert (
        from_document(data).score(main_assumptions=False).to_json() == campus().score(main_assumptions=False).to_json()
    )


@FEW
@given(small_documents(), st.data())
def test_random_documents_have_a_score_that_order_does_not_change(data: dict[str, Any], draw: st.DataObject) -> None:
    score = from_document(data).score(main_assumptions=False).to_json()
    assert json.loads(score)
    assert from_document(draw.draw(shuffled(data))).score(main_assumptions=False).to_json() == score


def test_asking_again_or_after_something_else_gives_the_same_bytes() -> None:
    fresh = from_document(campus_data())
    first = fresh.score(main_assumptions=False).to_json()
    fresh.score("alone", main_assumptions=False)
    fresh.what_if("wait", main_assumptions=False)
    fresh.score(ageing="high", main_assumptions=False)
    assert fresh.score(main_assumptions=False).to_json() == first == campus().score(main_assumptions=False).to_json()


def test_a_cached_network_has_the_same_score(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", str(tmp_path))
    first, second = (
        from_document(campus_data()).score(main_assumptions=False),
        from_document(campus_data()).score(main_assumptions=False),
    )
    assert len(list(tmp_path.glob("*.npz"))) == 1
    assert first.to_json() == second.to_json() == campus().score(main_assumptions=False).to_json()


def test_threads_with_networks_of_their_own_agree() -> None:
    def ask(i: int) -> tuple[str, str]:
        own = load("memphis-small") if i % 2 else from_document(campus_data())
        return own.label, own.score(main_assumptions=False).to_json() + own.what_if(
            [{"kind": "age", "years": 5}], main_assumptions=False
        ).to_json()

    with ThreadPoolExecutor(8) as group:
        found = list(group.map(ask, range(8)))
    assert len({answer for _, answer in found}) == 2
    assert len({label for label, _ in found}) == 2


def test_threads_that_share_a_network_agree() -> None:
    shared = from_document(campus_data())
    questions = [
        lambda: shared.score(main_assumptions=False).to_json(),
        lambda: shared.what_if("wait", main_assumptions=False).to_json(),
    ]
    questions += [
        lambda: shared.score("alone", main_assumptions=False).to_json(),
        lambda: shared.what_if([{"kind": "fail_srlg", "srlg": "duct"}], main_assumptions=False).to_json(),
    ]
    want = [ask() for ask in questions]
    with ThreadPoolExecutor(8) as group:
        found = list(group.map(lambda i: questions[i % 4](), range(48)))
    assert [found[i] == want[i % 4] for i in range(48)] == [True] * 48


def test_no_answer_has_nan_or_a_clock_or_a_path() -> None:
    text = named("memphis-small").score(main_assumptions=False).to_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert str(Path.cwd()) not in text


# --- asking wrongly --------------------------------------------------------------------------------------------------


def test_near_names_are_offered() -> None:
    with pytest.raises(CatalogueError, match="did you mean 'memphis-small'"):
        load("memphis-smal")
    with pytest.raises(CatalogueError, match="did you mean 'both'"):
        campus().score("bot", main_assumptions=False)
    with pytest.raises(CatalogueError, match="did you mean 'wait'"):
        campus().what_if("wiat", main_assumptions=False)
    with pytest.raises(CatalogueError, match="expected a document with jobs"):
        named("leaf-spine-demo").score("j", main_assumptions=False)


def test_bad_plans_are_told_when_a_network_is_loaded() -> None:
    plans = [{"id": "p", "changes": [{"kind": "agee", "years": 1}, {"kind": "age"}]}]
    with pytest.raises(DocumentError) as caught:
        from_document(campus_data() | {"plans": plans})
    assert [issue.where for issue in caught.value.issues] == ["plans[p].changes[0].kind", "plans[p].changes[1].years"]


def test_what_cannot_be_built_is_scored_with_a_warning() -> None:
    sites = [{"id": "a", "n_rack_places": 1}, {"id": "b"}]
    score = from_document(campus_data() | {"sites": sites}).score(main_assumptions=False)
    assert score["step_time_s"]
    (warning,) = [row for row in score.warnings if row.where == "sites[a]"]
    assert (warning.problem, warning.value, warning.limit) == ("2 racks in 1 places", 2, 1)


def test_a_job_that_does_not_fit_has_no_score() -> None:
    jobs = [job_data(parallelism={"tp": 16, "pp": 4})]
    with pytest.raises(TopologyError, match="tp 16 goes beyond the NVLink domain of 8"):
        from_document(campus_data() | {"jobs": jobs, "default_job": "job"}).score(main_assumptions=False)


def test_files_and_prices_of_one_s_own(tmp_path: Any) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(json.dumps(campus_data()))
    book = tmp_path / "prices.yaml"
    book.write_text("part_usd: {GB200: 1}\nelectricity_usd_per_mwh: 0\n")
    own, base = load(path, prices=book).score(main_assumptions=False), load(path).score(main_assumptions=False)
    assert base.to_json() == campus().score(main_assumptions=False).to_json()
    assert own["opex_usd_per_year"] < base["opex_usd_per_year"]  # type: ignore[operator]
    assert own["step_time_s"] == base["step_time_s"]
    with pytest.raises(DocumentError, match="did you mean 'GB200'"):
        load(path, prices={"part_usd": {"GB20": 1}})


def test_a_price_book_lies_over_the_document_s_entry_by_entry() -> None:
    """The document prices the H100; a book that prices the GB200 leaves that as it is."""
    base = from_document(campus_data())
    assert base.price_book.entry("part_usd", "H100").value == 30000
    from twin.loading import _network

    over = _network(base.document, "x", {"part_usd": {"GB200": 1}})
    assert over.price_book.entry("part_usd", "GB200").value == 1
    assert over.price_book.entry("part_usd", "H100").value == 30000


def test_notebooks_show_the_summary_and_the_metrics_that_apply() -> None:
    for network in (campus(), named("leaf-spine-demo")):
        score = network.score(main_assumptions=False)
        html = score._repr_html_()
        shown = [name for name in METRICS if score[name] is not None]
        assert html.count("<tr>") == len(shown) + 1
        for name in METRICS:
            assert (f"<td style='text-align:left'>{METRICS[name].label}</td>" in html) == (name in shown), name
        for sentence in score.summary:
            assert escape(sentence) in html
    assert len(shown) < len(METRICS)
    assert "two sites" in campus()._repr_html_()
    assert "2026" in campus()._repr_html_()
