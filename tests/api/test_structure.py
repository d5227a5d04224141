"""Structure in scores and what-ifs: the sentences, the data, and that nobody else pays for it."""

from __future__ import annotations

from typing import Any

import pytest

import twin
from tests.model.samples import campus_data
from twin.answers.structure_metrics import STRUCTURE_METRICS
from twin.loading import from_document
from twin.network import Network
from twin.stages.table import STAGES
from twin.structure import fabric, half_cuts

STRUCTURE_STAGES = {
    "lit_fabric",
    "partitions",
    "site_paths",
    "tiers",
    "half_capacity",
    "farthest_by_hops",
    "farthest_by_latency",
}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def bare() -> Network:
    """The shipped leaf-spine without its demands."""
    network = twin.load("leaf-spine-demo")
    return network.with_document(network.document.model_copy(update={"demands": ()}))


def down(*nodes: str) -> list[dict[str, Any]]:
    return [{"kind": "fail_nodes", "nodes": list(nodes)}]


def test_a_score_says_what_the_structure_is() -> None:
    score = bare().score(main_assumptions=False)
    assert score.summary[:5] == (
        "8 hosts, all connected, bisection 1,600 Gb/s, diameter 4 hops.",
        "8 single-homed hosts: the loss of leaf-1 alone cuts off 2 of 8.",
        "No other single point of failure, and no bridge between switches.",
        "Oversubscription of leaves: 1 at worst (leaf-1), 1 in the median.",
        "The network has no job and no demands, so nothing uses its links. State demands or a job.",
    )
    data = score.to_dict()["structure"]
    assert (data["end_points"], data["n_end_points"], data["bisection_status"]) == ("host", 8, "exact")
    assert data["oversubscription"][0] == {
        "kind": "leaf",
        "n_nodes": 4,
        "worst_ratio": 1.0,
        "median_ratio": 1.0,
        "worst_node": "leaf-1",
    }
    assert (score["bisection_gbps"], score["n_diameter_hops"]) == (1600, 4)


def test_a_what_if_says_what_the_structure_loses() -> None:
    one = bare().what_if(down("spine-1"), main_assumptions=False)
    assert one.summary[:4] == (
        "Bisection 800 Gb/s instead of 1,600 Gb/s (−50 %).",
        "No partition: 8 hosts, all connected.",
        "New single point of failure: spine-2.",
        "New bridges: leaf-1~spine-2, leaf-2~spine-2, leaf-3~spine-2 and 1 more.",
    )
    both = bare().what_if(down("spine-1", "spine-2"), main_assumptions=False)
    assert both.summary[0] == "Bisection 0 Gb/s instead of 1,600 Gb/s (−100 %)."
    assert both.summary[1].startswith("Before: 8 hosts, all connected. After: 8 hosts in 4 partitions")
    assert "Diameter: 2 hops instead of 4." in both.summary
    same = bare().what_if([{"kind": "age", "years": 1}], main_assumptions=False)
    assert same.summary[0] == "The structure stays the same."
    assert (one.change("bisection_gbps"), one.change("n_bridges")) == (-800, 4)


def test_a_what_if_says_first_which_hosts_it_cuts_off() -> None:
    cable = {"kind": "remove_links", "links": "ab"}
    nodes = [{"id": "a", "kind": "host"}, {"id": "b", "kind": "leaf"}, {"id": "c", "kind": "host"}]
    links = [{"id": f"{host}b", "ends": [host, "b"], "capacity_gbps": 25} for host in "ac"]
    only = from_document({"nodes": nodes, "links": links})
    verdict = only.what_if(cable, main_assumptions=False).summary
    assert verdict[0] == "1 host is cut off, without a working link: a."
    assert "The structure stays the same." not in verdict
    two = bare().what_if(down("host-1-1", "leaf-4"), main_assumptions=False).summary
    assert two[:2] == (
        "2 hosts are cut off, without a working link: host-4-1, host-4-2.",
        "1 host is down: host-1-1.",
    )
    gone = bare().what_if({"kind": "remove_nodes", "nodes": ["host-1-1"]}, main_assumptions=False).summary
    assert gone[0] == "1 host is removed: host-1-1."


def test_a_bound_is_labelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_cuts, "MAX_EXACT_WORK", 0)
    diff = bare().what_if([{"kind": "fail_links", "links": "leaf-1~spine-1"}], main_assumptions=False)
    assert diff.summary[0] == "Bisection at most 1,200 Gb/s instead of 1,600 Gb/s (−25 %)."
    structure = diff.after.structure
    assert structure is not None
    assert structure.bisection_status == "upper bound"
    assert structure.bisection_method.startswith("upper bound: the best cut found")


def test_sites_have_their_fewest_paths_and_farthest_pairs() -> None:
    data = campus_data() | {"jobs": [], "default_job": None, "demands": []}
    score = from_document(data).score(main_assumptions=False)
    structure = score.structure
    assert structure is not None
    assert [(p.source, p.target, p.n_paths) for p in structure.site_paths] == [("a", "b", 4)]
    assert score["n_disjoint_site_paths"] == 4
    assert "Fewest edge-disjoint paths between sites: 4, a to b." in score.summary
    assert set(structure.single_points_of_failure) == {"a-border", "b-border"}
    assert set(structure.bridges) == {"a-up", "b-up", "wan"}
    pair = structure.farthest_by_latency
    assert pair is not None
    assert {pair.source[0], pair.target[0]} == {"a", "b"}


def test_traffic_leaves_the_structure_out_and_runs_none_of_its_stages() -> None:
    for data in (campus_data(), campus_data() | {"jobs": [], "default_job": None}):
        network = from_document(data)
        network.score(main_assumptions=False)
        network.what_if({"kind": "age", "years": 1}, main_assumptions=False)
        assert not STRUCTURE_STAGES & set(network._engine._cache._entries)
        score = network.score(main_assumptions=False)
        assert "structure" not in score.to_dict()
        assert all(score.metrics[name].why.startswith("a score gives the structure") for name in STRUCTURE_METRICS)
    assert {name for name, stage in STAGES.items() if not stage.in_score} >= STRUCTURE_STAGES


def test_a_sweep_takes_the_structure_of_any_network() -> None:
    sweep = from_document(campus_data()).sweep("links.wan.n_failed=0..3:4", metric="n_disjoint_site_paths")
    assert sweep.values == (4, 3, 2, 1)


def test_unknown_rates_lengths_and_sizes_have_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {"a": "host", "b": "host", "p": "leaf"}
    data = {
        "sites": [{"id": "x"}, {"id": "y"}],
        "nodes": [{"id": name, "kind": kind, "site": "y" if name == "b" else "x"} for name, kind in kinds.items()],
        "links": [{"id": "ap", "ends": ["a", "p"]}, {"id": "bp", "ends": ["b", "p"], "capacity_gbps": 100}],
    }
    score = from_document(data).score(main_assumptions=False)
    assert score.metrics["bisection_gbps"].why == "the rate of ap is unknown"
    assert "length" in score.metrics["latency_diameter_us"].why
    assert score["n_diameter_hops"] == 2
    assert score.summary[0] == "2 hosts, all connected, diameter 2 hops."
    monkeypatch.setattr(fabric, "MAX_LINKS", 1)
    large = from_document(data).score(main_assumptions=False)
    assert large.metrics["n_partitions"].why == "2 links; the structure is computed up to 1"
    assert large.summary[0] == "The structure is unknown: 2 links; the structure is computed up to 1."
    empty = from_document({}).score(main_assumptions=False)
    assert empty.summary[0] == "No end point is up."
    assert all(empty.metrics[name].why for name in STRUCTURE_METRICS)


def test_http_returns_the_structure(client: Any) -> None:
    answer = client.post("/v1/what-if", json={"network": bare().document.to_dict(), "changes": down("spine-1")})
    assert answer.json()["metrics"]["bisection_gbps"]["after"] == 800
    score = client.post("/v1/score", json={"network": bare().document.to_dict()})
    assert score.json()["structure"]["farthest_by_hops"]["source"].startswith("host")


def hosts_of(*leaves: str) -> tuple[str, ...]:
    """Summary of hosts with one link each, to these leaves, and of two spines."""
    names = sorted(set(leaves))
    nodes = [{"id": name, "kind": "leaf"} for name in names] + [{"id": s, "kind": "spine"} for s in ("s1", "s2")]
    links = [{"id": f"{leaf}~{s}", "ends": [leaf, s], "capacity_gbps": 100} for leaf in names for s in ("s1", "s2")]
    for i, leaf in enumerate(leaves):
        nodes.append({"id": f"h{i}", "kind": "host"})
        links.append({"id": f"l{i}", "ends": [f"h{i}", leaf], "capacity_gbps": 100})
    return twin.from_document({"nodes": nodes, "links": links}).score(main_assumptions=False).summary


def test_the_only_leaf_of_all_hosts_is_not_called_safe() -> None:
    summary = hosts_of("a", "a", "a")
    assert "3 single-homed hosts: the loss of a alone cuts off 3 of 3." in summary
    assert not any("No " in line and "single point" in line for line in summary)


def test_the_leaf_with_most_single_homed_hosts_is_named() -> None:
    summary = hosts_of("a", "b", "b")
    assert "3 single-homed hosts: the loss of b alone cuts off 2 of 3." in summary
    assert "No other single point of failure, and no bridge between switches." in summary
