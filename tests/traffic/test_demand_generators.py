"""Demands of each generator, worked out by hand on a few nodes."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

from tests.model.samples import shipped
from tests.training.cases import state_of
from twin.arrays import NetworkArrays
from twin.errors import CatalogueError, ChangeError, DocumentError, TopologyError
from twin.model.document import TrafficBlock
from twin.traffic.demand_generators import DEMAND_GENERATORS, MAX_DEMANDS, generate


def arrays_of(ports: dict[str, int], kind: str = "host", **others: str) -> NetworkArrays:
    """Nodes of one kind, each with a link of so many members to a spine; others by name and kind have no link."""
    nodes = [{"id": name, "kind": kind} for name in ports]
    nodes += [{"id": name, "kind": other} for name, other in {"spine": "spine", **others}.items()]
    links = [{"id": f"l-{name}", "ends": [name, "spine"], "n_parallel": n} for name, n in ports.items() if n]
    return state_of({"nodes": nodes, "links": links})[0].arrays


def demands(arrays: NetworkArrays, generator: str, max_demands: int = MAX_DEMANDS, **params: Any) -> dict[str, float]:
    """Gb/s by "source>target"."""
    found = generate(TrafficBlock(id="t", generator=generator, params=params), arrays, max_demands)
    ids = arrays.node_ids
    rows = zip(found.source.tolist(), found.target.tolist(), found.gbps.tolist(), strict=True)
    return {f"{ids[a]}>{ids[b]}": gbps for a, b, gbps in rows}


def totals(found: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Gb/s that each node sends, and receives."""
    sent: dict[str, float] = {}
    received: dict[str, float] = {}
    for key, gbps in found.items():
        source, target = key.split(">")
        sent[source] = sent.get(source, 0.0) + gbps
        received[target] = received.get(target, 0.0) + gbps
    return sent, received


THREE = {"a": 1, "b": 1, "c": 1}


def test_all_to_all_is_equal() -> None:
    pairs = ["a>b", "a>c", "b>a", "b>c", "c>a", "c>b"]
    assert demands(arrays_of(THREE), "all_to_all", total_gbps=600) == dict.fromkeys(pairs, 100.0)
    assert demands(arrays_of(THREE), "all_to_all", gbps_per_node=10) == dict.fromkeys(pairs, 5.0)
    assert demands(arrays_of(THREE), "all_to_all", peak_utilisation_ratio=1) == dict.fromkeys(pairs, 1.0), "unscaled"
    assert demands(arrays_of(THREE), "all_to_all", total_gbps=0) == {}


def test_the_nodes_are_racks_hosts_and_storage_else_leaves_else_all() -> None:
    mixed = arrays_of({"a": 1}, "rack", h="host", d="storage", x="leaf", y="core")
    assert set(totals(demands(mixed, "all_to_all", total_gbps=1))[0]) == {"a", "h", "d"}
    assert set(totals(demands(arrays_of({"a": 1, "b": 1}, "leaf"), "all_to_all", total_gbps=1))[0]) == {"a", "b"}
    assert set(totals(demands(arrays_of({"a": 1}, "core"), "all_to_all", total_gbps=1))[0]) == {"a", "spine"}


def test_nodes_are_chosen_by_name_and_glob() -> None:
    arrays = arrays_of({"a1": 1, "a2": 1, "b": 1})
    assert set(demands(arrays, "all_to_all", nodes=["spine", "a*", "a1"], total_gbps=1)) == {
        "a1>a2",
        "a1>spine",
        "a2>a1",
        "a2>spine",
        "spine>a1",
        "spine>a2",
    }
    with pytest.raises(ChangeError, match=r"traffic\[t\].params.nodes"):
        demands(arrays, "all_to_all", nodes="c*", total_gbps=1)
    with pytest.raises(TopologyError, match="at least 2 nodes"):
        demands(arrays, "all_to_all", nodes="b", total_gbps=1)


@pytest.mark.parametrize("seed", range(5))
def test_a_permutation_is_one_cycle(seed: int) -> None:
    found = demands(arrays_of({f"n{i}": 1 for i in range(7)}), "permutation", gbps_per_node=4, seed=seed)
    graph = nx.DiGraph([key.split(">") for key in found])
    assert set(found.values()) == {4.0}
    assert [len(cycle) for cycle in nx.simple_cycles(graph)] == [7]


def test_random_demands_stay_the_same_in_later_versions() -> None:
    """The order that numpy.random.RandomState(1) gives 5 nodes is c, b, e, a, d; its stream never changes."""
    five = arrays_of(dict.fromkeys("abcde", 1))
    assert list(demands(five, "permutation", gbps_per_node=1, seed=1)) == ["a>d", "b>e", "c>b", "d>c", "e>a"]
    assert demands(five, "permutation", gbps_per_node=1) == demands(five, "permutation", gbps_per_node=1, seed=0)


def test_gravity_sends_and_receives_the_totals() -> None:
    """3, 3 and 4: c divides its 4 equally, so a and b keep 1 for each other."""
    found = demands(arrays_of(THREE), "gravity", totals_gbps={"a": 3, "b": 3, "c": 4})
    want = {"a>b": 1.0, "a>c": 2.0, "b>a": 1.0, "b>c": 2.0, "c>a": 2.0, "c>b": 2.0}
    assert found == {key: pytest.approx(gbps, rel=1e-8) for key, gbps in want.items()}


def test_gravity_is_that_of_wilson() -> None:
    """Every demand is a factor of its source times one of its target: so are all 2 x 2 blocks without the diagonal."""
    sizes = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 5.0}
    found = demands(arrays_of(dict.fromkeys("abcd", 1)), "gravity", totals_gbps=sizes)
    sent, received = totals(found)
    assert sent == {name: pytest.approx(size, rel=1e-8) for name, size in sizes.items()}
    assert received == {name: pytest.approx(size, rel=1e-8) for name, size in sizes.items()}
    assert found["a>b"] * found["c>d"] == pytest.approx(found["a>d"] * found["c>b"])
    assert found["b>a"] * found["d>c"] == pytest.approx(found["b>c"] * found["d>a"])


def test_totals_hold_to_a_billionth_where_a_matrix_is_slow_to_balance() -> None:
    sizes = {"a": 1.0, "b": 1.0, "c": 1.99}
    sent, received = totals(demands(arrays_of(THREE), "gravity", totals_gbps=sizes))
    for found in (sent, received):
        assert found == {name: pytest.approx(size, rel=3e-9) for name, size in sizes.items()}


def test_a_node_as_large_as_all_others_has_all_traffic() -> None:
    found = demands(arrays_of({"a": 1, "b": 1, "c": 2}), "gravity", total_gbps=8)
    assert found == {"a>c": 2.0, "b>c": 2.0, "c>a": 2.0, "c>b": 2.0}, "in proportion to ports"
    assert demands(arrays_of(THREE), "gravity", totals_gbps={"a": 5, "b": 5}) == {"a>b": 5.0, "b>a": 5.0}


def test_nearly_as_large_as_all_others_is_still_balanced() -> None:
    """A difference of one in ten billion is rounding; one in a million is refused."""
    just = demands(arrays_of(THREE), "gravity", totals_gbps={"a": 1, "b": 1, "c": 2 * (1 + 1e-10)})
    assert set(just) == {"a>c", "b>c", "c>a", "c>b"}
    with pytest.raises(TopologyError, match="'c' has more traffic"):
        demands(arrays_of(THREE), "gravity", totals_gbps={"a": 1, "b": 1, "c": 2 * (1 + 1e-6)})
    with pytest.raises(TopologyError, match="cannot be balanced in 2000 rounds"):
        demands(arrays_of(THREE), "gravity", totals_gbps={"a": 1, "b": 1, "c": 2 * (1 - 1e-7)})
    with pytest.raises(TopologyError, match="more traffic"):
        demands(arrays_of(THREE), "gravity", totals_gbps={"a": 1, "b": 0}), "one node alone"


def test_a_node_of_size_0_has_no_demand() -> None:
    four = arrays_of({"a": 1, "b": 1, "c": 1, "d": 0})
    for generator, more in (("gravity", {}), ("hose", {"by_ports": True})):
        assert set(totals(demands(four, generator, total_gbps=1, **more))[0]) == {"a", "b", "c"}
    assert demands(four, "gravity", totals_gbps={"a": 0, "b": 0}) == {}


def test_unknown_nodes_of_totals_are_all_named() -> None:
    with pytest.raises(TopologyError) as caught:
        demands(arrays_of(THREE), "gravity", totals_gbps={"a": 1, "y": 1, "x": 1})
    assert ["'x'" in str(issue) for issue in caught.value.issues] == [True, False]


@pytest.mark.parametrize("by_ports", [False, True])
def test_a_hose_fills_the_limit_of_each_node_at_random(by_ports: bool) -> None:
    ports = {"a": 1, "b": 2, "c": 3, "d": 4}
    found = demands(arrays_of(ports), "hose", gbps_per_node=10, by_ports=by_ports, seed=3)
    want = {name: pytest.approx(4.0 * n if by_ports else 10.0, rel=1e-8) for name, n in ports.items()}
    sent, received = totals(found)
    assert sent == want
    assert received == want
    assert len({round(gbps, 6) for gbps in found.values()}) == 12, "no two demands are alike"


def test_weights_of_a_hose_are_exponential() -> None:
    """Minus the logarithm of uniform numbers: with two nodes only the diagonal is left out, so balancing hides them.

    With three nodes the product around one way over that around the other is that of the weights.
    """
    found = demands(arrays_of(THREE), "hose", total_gbps=1, seed=7)
    weight = -np.log1p(-np.random.RandomState(7).random_sample((3, 3)))
    one_way, back = weight[0, 1] * weight[1, 2] * weight[2, 0], weight[1, 0] * weight[2, 1] * weight[0, 2]
    ratio = found["a>b"] * found["b>c"] * found["c>a"] / (found["b>a"] * found["c>b"] * found["a>c"])
    assert ratio == pytest.approx(one_way / back)


def test_incast_goes_to_one_node() -> None:
    four = arrays_of(dict.fromkeys("abcd", 1))
    assert demands(four, "incast", target="b", total_gbps=6) == {"a>b": 2.0, "c>b": 2.0, "d>b": 2.0}
    assert demands(four, "incast", target="spine", nodes="c", total_gbps=6) == {"c>spine": 6.0}
    found = [demands(four, "incast", target="d", n_sources=2, total_gbps=6, seed=seed) for seed in range(30)]
    assert {tuple(one) for one in found} == {("a>d", "b>d"), ("a>d", "c>d"), ("b>d", "c>d")}
    for one in found:
        assert len(totals(one)[0]) == 2
        assert list(totals(one)[1].values()) == [6.0]
        assert list(one) == sorted(one)


def test_incast_needs_a_source_and_no_more_than_there_are() -> None:
    three = arrays_of(THREE)
    assert len(demands(three, "incast", target="a", n_sources=2, total_gbps=1)) == 2
    with pytest.raises(TopologyError, match="1 to 2 sources"):
        demands(three, "incast", target="a", n_sources=3, total_gbps=1)
    with pytest.raises(TopologyError, match="another node than the target"):
        demands(three, "incast", target="a", nodes="a", total_gbps=1)
    with pytest.raises(TopologyError, match=r"no node 'aa'.*\[t\]|\[t\].*no node 'aa'"):
        demands(three, "incast", target="aa", total_gbps=1)


def test_a_stated_matrix_is_read_and_may_be_scaled() -> None:
    text = "source,target,gbps\na,b,1\nc,a,3\n"
    assert demands(arrays_of(THREE), "matrix", csv=text) == {"a>b": 1.0, "c>a": 3.0}
    assert demands(arrays_of(THREE), "matrix", csv=text, total_gbps=8) == {"a>b": 2.0, "c>a": 6.0}
    assert demands(arrays_of(THREE), "matrix", csv=text, gbps_per_node=4) == {"a>b": 2.0, "c>a": 6.0}
    with pytest.raises(DocumentError, match="at most 1 "):
        demands(arrays_of(THREE), "matrix", 1, csv=text)


@pytest.mark.parametrize(
    ("generator", "n"), [("all_to_all", 6), ("permutation", 3), ("gravity", 6), ("hose", 6), ("incast", 2)]
)
def test_the_number_of_demands_is_bounded(generator: str, n: int) -> None:
    more = {"target": "a"} if generator == "incast" else {}
    assert len(demands(arrays_of(THREE), generator, n, total_gbps=1, **more)) == n
    with pytest.raises(TopologyError, match=f"make {n} demands"):
        demands(arrays_of(THREE), generator, n - 1, total_gbps=1, **more)


@pytest.mark.parametrize(
    ("generator", "n", "total_gbps"),
    [
        ("all_to_all", 56, 800),
        ("permutation", 8, 800),
        ("gravity", 6, 240),
        ("hose", 56, 800),
        ("incast", 4, 400),
        ("matrix", 2, 150),
    ],
)
def test_examples_on_the_eight_hosts_of_the_demo(generator: str, n: int, total_gbps: float) -> None:
    found = demands(state_of(shipped("leaf-spine-demo"))[0].arrays, generator, **DEMAND_GENERATORS[generator].example)
    assert len(found) == n
    assert sum(found.values()) == pytest.approx(total_gbps)
    if generator == "gravity":
        assert totals(found)[0] == pytest.approx({"host-1-1": 100, "host-2-1": 80, "host-3-1": 60})


def test_two_million_demands_are_the_most() -> None:
    assert MAX_DEMANDS == 2_000_000


def test_an_unknown_generator_and_a_bad_parameter_are_refused() -> None:
    with pytest.raises(CatalogueError, match="gravity"):
        demands(arrays_of(THREE), "gravty", total_gbps=1)
    with pytest.raises(DocumentError, match="total_gbps"):
        demands(arrays_of(THREE), "gravity", total_gbs=1)
