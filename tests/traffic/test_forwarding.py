"""Hosts and racks carry no traffic of others, unless a node states that it forwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.training.cases import state_of
from twin.errors import DocumentError
from twin.loading import from_document
from twin.traffic.optimum import optimal_max_utilisation_ratio


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def dual_homed(**server: Any) -> dict[str, Any]:
    """Two leaves that are joined by a spine (weight 2 a link) and by a server with two cables (weight 1 each)."""
    nodes = [{"id": name, "kind": kind} for name, kind in (("l1", "leaf"), ("l2", "leaf"), ("s", "spine"))]
    nodes += [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}, {"id": "web", "kind": "host"} | server]
    weights = {("a", "l1"): 1, ("b", "l2"): 1, ("l1", "s"): 2, ("l2", "s"): 2, ("l1", "web"): 1, ("l2", "web"): 1}
    links = [
        {"id": f"{a}-{b}", "ends": [a, b], "capacity_gbps": 100, "weight": weight} for (a, b), weight in weights.items()
    ]
    demands = [{"id": "d", "source": "a", "target": "b", "offered_gbps": 80}]
    return {"name": "dual-homed", "nodes": nodes, "links": links, "demands": demands}


def loads(data: dict[str, Any]) -> dict[str, float]:
    """Gb/s of each loaded link, both directions together."""
    network = from_document(data)
    by_link = network.evaluate().arc_load_gbps.reshape(-1, 2).sum(axis=1)
    return {name: gbps for name, gbps in zip(network.arrays.link_ids, by_link.tolist(), strict=True) if gbps}


def test_a_server_with_two_cables_is_no_way_through() -> None:
    assert loads(dual_homed()) == {"a-l1": 80, "l1-s": 80, "l2-s": 80, "b-l2": 80}
    assert loads(dual_homed(forwards=True)) == {"a-l1": 80, "l1-web": 80, "l2-web": 80, "b-l2": 80}


def test_a_server_sends_and_receives_over_both_cables() -> None:
    to_web = dual_homed() | {"demands": [{"id": "d", "source": "s", "target": "web", "offered_gbps": 8}]}
    assert loads(to_web) == {"l1-s": 4, "l2-s": 4, "l1-web": 4, "l2-web": 4}
    from_web = dual_homed() | {"demands": [{"id": "d", "source": "web", "target": "s", "offered_gbps": 8}]}
    assert loads(from_web) == loads(to_web)


def test_a_switch_may_state_that_it_does_not_forward() -> None:
    data = dual_homed()
    data["nodes"][2]["forwards"] = False
    network = from_document(data)
    demands = network.evaluate().demands
    assert demands is not None
    assert demands.unrouted_gbps == 80


def test_only_true_or_false_says_whether_a_node_forwards() -> None:
    with pytest.raises(DocumentError, match="forwards"):
        from_document(dual_homed(forwards="yes"))


def test_the_optimum_uses_no_way_through_a_server() -> None:
    """80 Gb/s over the spine alone are 0.8 of its links; if the server forwards, each way takes half of it."""

    def optimum(data: dict[str, Any], source: str, target: str) -> float:
        state = state_of(data)[0]
        row, capacity_gbps = state.node_index, np.full(2 * state.n_links, 100.0)
        capacity_gbps[[2 * state.link_index[name] + side for name in ("a-l1", "b-l2") for side in (0, 1)]] = 1000.0
        pair = np.array([row[source]]), np.array([row[target]])
        return optimal_max_utilisation_ratio(state, capacity_gbps, *pair, np.array([80.0]))

    assert optimum(dual_homed(), "a", "b") == pytest.approx(0.8)
    assert optimum(dual_homed(forwards=True), "a", "b") == pytest.approx(0.4)
    assert optimum(dual_homed(), "s", "web") == optimum(dual_homed(), "web", "s") == pytest.approx(0.4)


def test_the_optimum_of_many_sources_and_few_targets_is_that_of_the_reverse() -> None:
    state = state_of(dual_homed())[0]
    row, capacity_gbps = state.node_index, np.full(2 * state.n_links, 100.0)
    many, one = np.array([row["a"], row["web"], row["l1"]]), np.full(3, row["b"])
    offered_gbps = np.array([30.0, 20.0, 10.0])
    there = optimal_max_utilisation_ratio(state, capacity_gbps, many, one, offered_gbps)
    back = optimal_max_utilisation_ratio(state, capacity_gbps, one, many, offered_gbps)
    assert there == pytest.approx(0.6)
    assert back == pytest.approx(0.6)


def test_changes_keep_whether_a_node_forwards() -> None:
    network = from_document(dual_homed())
    with network.edit() as edit:
        edit.set_node("web", forwards=True)
    assert edit.network.arrays.node_forwards[edit.network.arrays.node_index["web"]]
    with edit.network.edit() as again:
        again.set_node("web", pod="p")
    assert again.network.arrays.node_forwards[again.network.arrays.node_index["web"]]
    assert [node.forwards for node in again.network.nodes if node.id == "web"] == [True]


def test_storage_with_two_cables_is_no_way_through_and_an_end_of_demands() -> None:
    nodes = [{"id": name, "kind": "leaf"} for name in ("l1", "l2")] + [{"id": "disk", "kind": "storage"}]
    links = [{"id": f"{leaf}~disk", "ends": [leaf, "disk"], "capacity_gbps": 100.0} for leaf in ("l1", "l2")]
    demands = [
        {"id": "across", "source": "l1", "target": "l2", "offered_gbps": 10.0},
        {"id": "to disk", "source": "l1", "target": "disk", "offered_gbps": 20.0},
    ]
    score = from_document({"nodes": nodes, "links": links, "demands": demands}).score()
    assert score["unrouted_gbps"] == 10.0
    assert score["max_link_utilisation_ratio"] == pytest.approx(0.2)
