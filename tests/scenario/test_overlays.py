"""A failed link gives what a removed one gives, to the last bit; what a what-if answers. See also tests/contracts."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.model.samples import campus_data, changed, job_data, shipped, shuffled, small_documents, without
from twin.answers.score import Score
from twin.loading import Network, from_document, load

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
OF_THE_NETWORK = {"capex_usd", "opex_usd_per_year", "usd_per_effective_pflop_day", "lease_break_even_usd_per_month"}
"""Metrics of what stands there, be it up or not: a link that failed is still paid for."""


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


@cache
def named(name: str) -> Network:
    return load(name)


def metrics(score: Score, leaving_out: frozenset[str] | set[str] = frozenset({"capex_usd"})) -> dict[str, Any]:
    return {name: (value.value, value.why) for name, value in score.metrics.items() if name not in leaving_out}


DATA = campus_data()


@pytest.mark.parametrize("network", ["two-campus", "memphis-small"])
def test_age_wears_margins_and_nothing_else(network: str) -> None:
    diff = named(network).what_if([{"kind": "age", "years": 3}], main_assumptions=False)
    moved = {name for name in diff.after.metrics if diff.change(name)}
    assert "min_margin_db" in moved
    assert diff["capex_usd"] == (0, 0)
    assert diff["worst_rtt_us"][0] == diff["worst_rtt_us"][1]


# --- failed is removed, to the last bit ------------------------------------------------------------------------------


def failed_and_removed(network: Network, links: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    failed = network.what_if([{"kind": "fail_links", "links": links}], main_assumptions=False).after
    removed = network.what_if([{"kind": "remove_links", "links": links}], main_assumptions=False).after
    return metrics(failed, OF_THE_NETWORK), metrics(removed, OF_THE_NETWORK)


@pytest.mark.parametrize("link", [item["id"] for item in shipped("leaf-spine-demo")["links"]])
def test_every_link_of_the_demo(link: str) -> None:
    failed, removed = failed_and_removed(named("leaf-spine-demo"), link)
    assert failed == removed


def memphis_links() -> list[Any]:
    """One link of each tier and site, and some at once."""
    network = load("memphis-small")
    arrays = network.arrays
    seen: dict[tuple[int, ...], str] = {}
    for i, name in enumerate(arrays.link_ids):
        key = (int(arrays.link_tier[i]), *sorted(arrays.node_site[arrays.link_ends[i]].tolist()))
        seen[key] = name
    names = sorted(seen.values())
    return [*names, names, {"tier": "border", "site": "c2"}]


@pytest.mark.parametrize("links", memphis_links(), ids=str)
def test_links_of_memphis_small(links: Any) -> None:
    chosen = {"id": links} if isinstance(links, list) else links
    failed, removed = failed_and_removed(named("memphis-small"), chosen)
    assert failed == removed


@FEW
@given(small_documents(), st.data())
def test_links_of_random_networks(data: dict[str, Any], draw: st.DataObject) -> None:
    if not data["links"]:
        return
    links = draw.draw(st.lists(st.sampled_from([link["id"] for link in data["links"]]), min_size=1, max_size=3))
    failed, removed = failed_and_removed(from_document(data), {"id": links})
    assert failed == removed


def test_hosts_that_become_alike_when_a_link_fails() -> None:
    """h1 loses the link that told it from h2: the failed one must add up as the removed one does, bit by bit."""
    nodes = [{"id": name, "kind": "leaf"} for name in ("s", "t", "u")]
    nodes += [{"id": f"h{i}", "kind": "host"} for i in range(1, 8)]
    links = [{"id": f"h{i}~s", "ends": [f"h{i}", "s"]} for i in range(1, 7)]
    links += [{"id": f"h{i}~t", "ends": [f"h{i}", "t"]} for i in (1, 3, 5)]
    links += [{"id": "s~u1", "ends": ["s", "u"], "n_parallel": 3}, {"id": "s~u2", "ends": ["s", "u"], "n_parallel": 7}]
    links += [{"id": "h7~u", "ends": ["h7", "u"]}, {"id": "t~s", "ends": ["t", "s"]}]
    demands = [
        {"id": f"d{i}", "source": f"h{i}", "target": "h7", "offered_gbps": value}
        for i, value in enumerate((0.1, 0.7, 0.3, 1.1, 0.13, 17.7), start=1)
    ]
    network = from_document({"nodes": nodes, "links": links, "demands": demands})
    failed, removed = failed_and_removed(network, "h?~t")
    assert failed == removed


def test_one_failed_member_carries_what_one_member_less_carries() -> None:
    data = changed(DATA, "links", "a-up", n_parallel=2)
    failed = (
        from_document(data)
        .what_if([{"kind": "fail_links", "links": "a-up", "n_members": 1}], main_assumptions=False)
        .after
    )
    fewer = from_document(changed(data, "links", "a-up", n_parallel=1)).score(main_assumptions=False)
    assert metrics(failed, OF_THE_NETWORK) == metrics(fewer, OF_THE_NETWORK)


def test_a_node_that_fails_takes_its_links_along() -> None:
    data = without(DATA, "demands", "west") | {"default_job": "alone"}
    failed = from_document(data).what_if([{"kind": "fail_nodes", "nodes": "a-rack-2"}], main_assumptions=False).after
    removed = from_document(data).what_if([{"kind": "remove_nodes", "nodes": "a-rack-2"}], main_assumptions=False).after
    assert metrics(failed, OF_THE_NETWORK) == metrics(removed, OF_THE_NETWORK)


# --- the answer of a what-if -----------------------------------------------------------------------------------------


THREE_CHANGES: list[dict[str, Any]] = [
    {
        "kind": "add_link",
        "link": {
            "id": "new",
            "ends": ["a-border", "b-border"],
            "transceiver": "400ZR",
            "spans": [{"length_km": 9}],
        },
    },
    {"kind": "split_work", "split": "balanced"},
    {"kind": "fail_links", "links": "wan", "n_members": 2},
]


def three_changes(data: dict[str, Any]) -> str:
    return from_document(data).what_if(THREE_CHANGES, main_assumptions=False).to_json()


@cache
def three_changes_in_order() -> str:
    return three_changes(DATA)


@FEW
@given(shuffled(DATA))
def test_a_permuted_document_answers_a_what_if_with_the_same_bytes(data: dict[str, Any]) -> None:
    assert three_changes(data) == three_changes_in_order()


def test_the_diff_says_before_after_and_change() -> None:
    diff = named("memphis-small").what_if("fibre-upgrade", main_assumptions=False)
    data = json.loads(diff.to_json())
    before = named("memphis-small").score(main_assumptions=False)
    for name, row in data["metrics"].items():
        assert row["before"] == before[name] == diff[name][0]
        assert row["after"] == diff.after[name]
        assert row["change"] == (None if row["before"] is None else row["after"] - row["before"])
        assert ("why" in row) == (row["before"] is None)
    assert data["metrics"]["capex_usd"]["after"] == pytest.approx(sum(row["usd"] for row in data["purchases"]))
    assert data["plan"] == "fibre-upgrade"
    assert {cause["figure"] for cause in data["causes"]} >= {"wide_area_time_s", "capacity_gbps"}
    assert "step time" in diff._repr_html_()


def test_causes_name_what_moved_most() -> None:
    diff = from_document(DATA).what_if(
        [{"kind": "set_channels", "links": "wan", "n_parallel": 8}], main_assumptions=False
    )
    moved = {(cause.figure, cause.where): (cause.before, cause.after) for cause in diff.causes}
    assert moved["capacity_gbps", "wan (a-border → b-border)"] == (1600, 3200)
    swap = from_document(DATA).what_if(
        [{"kind": "swap_accelerators", "racks": "a-rack-1", "accelerator": "GB300"}], main_assumptions=False
    )
    counts = {cause.where: (cause.before, cause.after) for cause in swap.causes if cause.figure == "n_accelerators"}
    assert counts == {"H100 in a": (32, 16), "GB300 in a": (0, 72)}
    add = from_document(DATA).what_if(
        [{"kind": "add_node", "node": {"id": "A", "kind": "leaf"}}], main_assumptions=False
    )
    assert {cause.figure for cause in add.causes} <= {
        "wide_area_time_s",
        "pipeline_time_s",
        "reduce_scatter_time_s",
        "all_gather_time_s",
    }


def test_a_what_if_without_a_step_says_why() -> None:
    diff = from_document(DATA).what_if([{"kind": "fail_links", "links": "wan"}], main_assumptions=False)
    assert diff.change("step_time_s") is None
    assert diff.to_dict()["metrics"]["step_time_s"]["why"] == {
        "after": "no path for wide-area traffic from a-rack-1 to b-rack-1"
    }


def test_the_flagship_question_has_an_honest_answer() -> None:
    """On memphis-small the short worn fibre is innocent, the buffers are not, and campus 1 slows a uniform job down."""
    network = named("memphis-small")
    swap, fibre = (
        network.what_if("border-router-swap", main_assumptions=False),
        network.what_if([{"kind": "set_fibre", "links": "wan-*", "fibre": "G.654.E"}], main_assumptions=False),
    )
    assert swap.change("step_time_s") < -1  # type: ignore[operator]
    assert fibre.change("step_time_s") == pytest.approx(0, abs=1e-3)
    assert network.what_if("leave-out-first-campus", main_assumptions=False).change("step_time_s") < -1  # type: ignore[operator]
    assert any("PFC headroom per port of" in line for line in network.score(main_assumptions=False).bottlenecks)


def test_jobs_are_asked_by_name() -> None:
    diff = named("memphis-small").what_if("balance-load", "everything", main_assumptions=False)
    assert (diff.before.job, diff.after.job) == ("everything", "everything")
    other = from_document(DATA | {"jobs": [job_data(id="x", placement=[{"site": "b"}])], "default_job": "x"})
    assert other.what_if("wait", "x", main_assumptions=False).before.job == "x"
