"""Links whose rate nobody states: they connect, and what depends on their rate is null with the links named."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.model.samples import campus_data, changed, small_documents
from twin.answers.score import MetricValue, Score
from twin.loading import from_document

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RATED = ("max_link_utilisation_ratio", "p99_link_utilisation_ratio", "demand_satisfied_ratio")


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def network(links: dict[str, tuple[str, str, float | None]], demands: list[tuple[str, str, float]], **more: Any) -> Any:
    """Leaves and links by id: their ends and rate, None where nobody states it; demands from, to, Gb/s."""
    names = sorted({end for a, b, _ in links.values() for end in (a, b)})
    return from_document(
        {
            "nodes": [{"id": name, "kind": "leaf"} for name in names],
            "links": [
                {"id": name, "ends": [a, b]} | ({} if rate is None else {"capacity_gbps": rate})
                for name, (a, b, rate) in links.items()
            ],
            "demands": [
                {"id": f"d{i}", "source": a, "target": b, "offered_gbps": gbps}
                for i, (a, b, gbps) in enumerate(demands)
            ],
            **more,
        }
    )


def whys(score: Score) -> dict[str, str]:
    return {name: score.metrics[name].why for name in RATED if score[name] is None}


def test_what_crosses_a_link_of_unknown_rate_is_null_with_a_why() -> None:
    found = network({"x": ("a", "b", None), "y": ("b", "c", 100.0)}, [("a", "c", 50.0)])
    score = found.score(main_assumptions=False)
    assert whys(score) == dict.fromkeys(RATED, "rate of 1 link unknown: x")
    assert score["unrouted_gbps"] == 0
    assert score["worst_rtt_us"] == 0
    assert score["n_links_fallen_back"] == 0
    assert score.bottlenecks[0] == "Some utilisation is unknown: rate of 1 link unknown: x."
    rows = {(row["id"], row["direction"]): row for row in found.link_table().rows}
    assert rows["x", "a → b"]["utilisation_ratio"] is rows["x", "a → b"]["capacity_gbps"] is None
    assert (rows["x", "a → b"]["load_gbps"], rows["x", "b → a"]["utilisation_ratio"]) == (50.0, 0.0)
    assert rows["y", "b → c"]["utilisation_ratio"] == 0.5
    assert (rows["x", "a → b"]["limit"], rows["y", "b → c"]["limit"]) == ("rate unknown", "line rate")


def test_what_does_not_cross_it_is_as_if_it_were_not_there() -> None:
    links = {"x": ("a", "b", None), "y": ("b", "c", 100.0)}
    with_it = network(links, [("b", "c", 250.0)]).score(main_assumptions=False)
    without = network({"y": links["y"]}, [("b", "c", 250.0)]).score(main_assumptions=False)
    for name in ("max_link_utilisation_ratio", "demand_satisfied_ratio"):
        assert with_it[name] == without[name] is not None


def test_a_full_link_shared_with_an_unknown_rate_makes_a_rate_unknown_and_one_with_room_does_not() -> None:
    links = {"x": ("a", "b", None), "y": ("b", "c", 100.0), "z": ("c", "d", 10.0)}
    crossing, local, far = ("a", "c", 60.0), ("b", "c", 30.0), ("c", "d", 40.0)
    loads = network(links, [crossing, local, far]).evaluate().demands
    assert np.isnan(loads.carried_gbps).tolist() == [True, False, False]
    assert loads.carried_gbps[1:].tolist() == [30.0, 10.0]
    full = network(links, [crossing, ("b", "c", 50.0), far]).evaluate().demands
    assert np.isnan(full.carried_gbps).tolist() == [True, True, False]
    chain = network(links, [crossing, ("b", "d", 50.0), far]).evaluate().demands
    assert np.isnan(chain.carried_gbps).tolist() == [True, True, True]
    assert not np.isnan(chain.arc_offered_gbps).any()


def test_with_wcmp_the_split_is_unknown_too() -> None:
    links = {"x": ("a", "b", None), "v": ("a", "c", 100.0), "w": ("c", "b", 100.0), "y": ("b", "d", 100.0)}
    data: dict[str, Any] = {"x": ("a", "b", None), "x2": ("a", "b", 50.0), "y": links["y"]}
    by_rate = network(data, [("a", "d", 60.0)], routing="wcmp")
    assert whys(by_rate.score(main_assumptions=False)) == dict.fromkeys(RATED, "rate of 1 link unknown: x")
    rows = {row["id"]: row for row in by_rate.link_table().rows[::2]}
    assert [rows[name]["load_gbps"] for name in ("x", "x2")] == [None, None]
    equal = network(data, [("a", "d", 60.0)]).link_table().rows[::2]
    assert [row["load_gbps"] for row in equal] == [30.0, 30.0, 60.0]


def test_a_job_that_crosses_it_has_no_step_and_says_why() -> None:
    data = changed(campus_data(), "links", "a-cable-1", capacity_gbps=None)
    score = from_document(data).score(main_assumptions=False)
    assert score["step_time_s"] is None
    assert score.metrics["step_time_s"].why == "rate of 1 link unknown: a-cable-1"
    assert (
        from_document(data).score("alone", main_assumptions=False)["step_time_s"]
        == from_document(campus_data()).score("alone", main_assumptions=False)["step_time_s"]
    )
    assert (score["n_accelerators"], score["min_margin_db"]) == tuple(
        from_document(campus_data()).score(main_assumptions=False)[name] for name in ("n_accelerators", "min_margin_db")
    )


def test_a_job_beside_a_demand_of_unknown_rate_has_no_step() -> None:
    data = campus_data()
    data["nodes"] = [*data["nodes"], {"id": "outside", "kind": "switch", "site": "a"}]
    data["links"] = [*data["links"], {"id": "uplink", "ends": ["outside", "a-border"]}]
    assert from_document(data).score(main_assumptions=False)["step_time_s"] is not None
    demand = {"id": "new", "source": "outside", "target": "b-rack-1", "offered_gbps": 10.0}
    why = (
        from_document(data | {"demands": [*data["demands"], demand]})
        .score(main_assumptions=False)
        .metrics["step_time_s"]
    )
    assert why == MetricValue(None, "s", "lower", "step time", "rate of 1 link unknown: uplink")


def test_a_link_that_is_down_has_no_unknown_rate() -> None:
    found = network({"x": ("a", "b", None), "y": ("a", "b", 100.0)}, [("a", "b", 50.0)])
    after = found.what_if([{"kind": "fail_links", "links": "x"}], main_assumptions=False).after
    assert (after["max_link_utilisation_ratio"], after["demand_satisfied_ratio"]) == (0.5, 1.0)
    known = found.what_if([{"kind": "set_transceivers", "links": "x", "part": "400G-DR4"}], main_assumptions=False)
    assert known.before["max_link_utilisation_ratio"] is None
    assert known.after["max_link_utilisation_ratio"] == 0.25


def test_many_links_are_counted_and_a_few_named() -> None:
    links = {f"x{i}": ("a", "b", None) for i in range(9)}
    why = network(links, [("a", "b", 1.0)]).score(main_assumptions=False).metrics["max_link_utilisation_ratio"].why
    assert why == "rate of 9 links unknown: x0, x1, x2, x3, ..."


@FEW
@given(small_documents(), st.data())
def test_a_figure_that_is_given_holds_for_any_rate(data: dict[str, Any], draw: st.DataObject) -> None:
    """What is stated beside unknown rates is the same whatever these rates turn out to be."""
    if not data["links"]:
        return
    chosen = draw.draw(st.sets(st.sampled_from([link["id"] for link in data["links"]]), min_size=1))
    data["routing"] = draw.draw(st.sampled_from(["ecmp", "wcmp"]))

    def with_rate(rate: float | None) -> dict[str, Any]:
        links = [link | ({"capacity_gbps": rate} if link["id"] in chosen else {}) for link in data["links"]]
        return data | {"links": [{k: v for k, v in link.items() if v is not None} for link in links]}

    unknown = from_document(with_rate(None))
    json.loads(unknown.link_table().to_json(), parse_constant=pytest.fail)
    found, table = unknown.score(main_assumptions=False), unknown.link_table().rows
    for rate in (0.05, 30.0, 1e6):
        known = from_document(with_rate(rate))
        score = known.score(main_assumptions=False)
        for name in found:
            if found[name] is not None and "usd" not in name:
                assert score[name] == found[name], (name, rate)
        for row, other in zip(table, known.link_table().rows, strict=True):
            for name in ("utilisation_ratio", "load_gbps"):
                if row[name] is not None and other["up"]:
                    assert other[name] == pytest.approx(row[name], rel=1e-12), (name, rate)
