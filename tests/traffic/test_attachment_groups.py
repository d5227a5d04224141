"""Racks and hosts that are attached alike share a route; what tells them apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.model.samples import shipped
from tests.traffic.routes import members_by_arc, routed
from tests.training.cases import state_of
from twin.traffic.routing import attachment_groups


def test_racks_attached_alike_share_a_route() -> None:
    state, _ = state_of(shipped("leaf-spine-demo"))
    arrays = state.arrays
    hosts = [i for i, name in enumerate(arrays.node_ids) if name.startswith("host")]
    nothing = np.zeros(arrays.n_links)
    group = attachment_groups(state, state["link_up"], np.ones(2 * arrays.n_links), nothing)
    assert len({int(group[host]) for host in hosts}) == 4
    pairs = [(a, b) for a in hosts for b in hosts if a != b]
    routes = routed(state, np.array([a for a, _ in pairs]), np.array([b for _, b in pairs]))
    assert len(pairs) == 56
    assert len(routes.trace_first) - 1 == 16


def test_what_tells_racks_apart() -> None:
    def groups(*second: dict[str, Any]) -> int:
        nodes = [{"id": "s", "kind": "leaf"}, {"id": "t", "kind": "leaf"}]
        nodes += [{"id": "r1", "kind": "rack"}, {"id": "r2", "kind": "rack"}]
        links = [{"id": "a", "ends": ["r1", "s"]}, *({"id": f"b{i}", **link} for i, link in enumerate(second))]
        state, _ = state_of({"nodes": nodes, "links": links})
        nothing = np.zeros(state.arrays.n_links)
        group = attachment_groups(state, state["link_up"], members_by_arc(state), nothing)
        return len({int(group[state.arrays.node_index[name]]) for name in ("r1", "r2")})

    assert groups({"ends": ["r2", "s"]}) == 1
    assert groups({"ends": ["s", "r2"]}) == 1
    assert groups({"ends": ["r2", "t"]}) == 2
    assert groups({"ends": ["r2", "s"], "weight": 2.0}) == 2
    assert groups({"ends": ["r2", "s"], "weight": [1.0, 2.0]}) == 2
    assert groups({"ends": ["s", "r2"], "weight": [1.0, 1.0]}) == 1
    assert groups({"ends": ["r2", "s"], "n_parallel": 2}) == 2
    assert groups({"ends": ["r2", "s"], "up": False}) == 2
    assert groups({"ends": ["r2", "s"]}, {"ends": ["r2", "t"], "up": False}) == 1
    assert groups({"ends": ["r2", "s"]}, {"ends": ["r2", "t"]}) == 2
    assert groups({"ends": ["r1", "r2"]}) == 2
    assert groups() == 2


def test_a_switch_reaches_each_of_its_racks_over_that_rack_s_own_cable() -> None:
    nodes = [{"id": "s", "kind": "leaf"}, *({"id": name, "kind": "rack"} for name in ("r1", "r2", "r3"))]
    state, _ = state_of({"nodes": nodes, "links": [{"id": name, "ends": [name, "s"]} for name in ("r1", "r2", "r3")]})
    row = state.arrays.node_index
    source = np.array([row["s"], row["s"], row["r3"]])
    load = routed(state, source, np.array([row["r1"], row["r2"], row["s"]])).loads(np.array([1.0, 2.0, 4.0]))
    # arc 2l leaves the end that comes first by id, here the rack
    assert load.reshape(-1, 2).tolist() == [[0, 1], [0, 2], [4, 0]]
