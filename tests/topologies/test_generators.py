"""Generators: sizes in closed form, names, structure, and what they refuse before building."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twin.topologies import GENERATORS, expand
from twin.topologies.generator import Generator, Params, read_params

from twin import topologies
from twin.catalogue import catalogue
from twin.errors import CatalogueError, DocumentError, TopologyError
from twin.model.document import Fabric
from twin.model.network import Expansion
from twin.model.records import Link, Node

SMALL_CLOS = {"racks": [{"accelerator": "H100", "n_racks": 20}, {"accelerator": "GB200", "n_racks": 9}]}


def expanded(generator: str, block: str = "b", **params: Any) -> Expansion:
    return expand(Fabric(id=block, generator=generator, params=params))


def assert_well_formed(generator: str, params: dict[str, Any], expansion: Expansion) -> None:
    """What holds for every generator: the promised size, unique ids in natural order, ends that exist."""
    row = GENERATORS[generator]
    assert row.size(read_params(row.params, params, "params")) == (len(expansion.nodes), len(expansion.links))
    nodes = [node.id for node in expansion.nodes]
    links = [link.id for link in expansion.links]
    assert len(set(nodes)) == len(nodes)
    assert len(set(links)) == len(links)
    known = set(nodes)
    assert all(end in known for link in expansion.links for end in link.ends)
    assert all(link.id == "~".join(link.ends) or "~" not in link.id for link in expansion.links)
    assert sorted(nodes) == sorted(nodes, key=natural)


def natural(name: str) -> list[tuple[str, int]]:
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D+)(\d*)", name)]


def by_kind(expansion: Expansion) -> Counter[str]:
    return Counter(node.kind for node in expansion.nodes)


def used_ports(expansion: Expansion) -> Counter[str]:
    used: Counter[str] = Counter()
    for link in expansion.links:
        for end in link.ends:
            used[end] += link.n_parallel
    return used


def campus(name: str, generator: str = "rail_clos", **more: Any) -> dict[str, Any]:
    params = {"rail_clos": SMALL_CLOS, "leaf_spine": {"n_leaves": 3, "n_spines": 4}, "fat_tree": {"k": 4}}[generator]
    return {
        "id": name,
        "site": f"site-{name}",
        "generator": generator,
        "params": params,
        "borders": {"n_uplinks": 4},
    } | more


# --- sizes, over their parameters -----------------------------------------------------------------------------------


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 12))
def test_leaf_spine_has_the_promised_size(n_leaves: int, n_spines: int, n_hosts: int) -> None:
    params = {"n_leaves": n_leaves, "n_spines": n_spines, "n_hosts_per_leaf": n_hosts}
    expansion = expanded("leaf_spine", **params)
    assert_well_formed("leaf_spine", params, expansion)
    assert len(expansion.nodes) == n_leaves * (1 + n_hosts) + n_spines
    assert len(expansion.links) == n_leaves * (n_spines + n_hosts)


@pytest.mark.parametrize("k", [2, 4, 6, 8])
@pytest.mark.parametrize("hosts", [True, False])
def test_fat_tree_has_the_published_size(k: int, hosts: bool) -> None:
    expansion = expanded("fat_tree", k=k, hosts=hosts)
    assert_well_formed("fat_tree", {"k": k, "hosts": hosts}, expansion)
    n_hosts = k**3 // 4 if hosts else 0
    assert by_kind(expansion) == Counter(core=k**2 // 4, spine=k**2 // 2, leaf=k**2 // 2) + Counter(host=n_hosts)
    assert len(expansion.links) == k**3 // 2 + n_hosts


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["H100", "GB200"]), st.integers(1, 40)), min_size=1, max_size=3),
    st.sampled_from([4, 8]),
    st.sampled_from([2, 3]),
    st.sampled_from([2, 8]),
    st.integers(1, 4),
    st.sampled_from([1, 4]),
)
def test_rail_clos_has_the_promised_size(
    groups: list[tuple[str, int]], rails: int, tiers: int, n_spines: int, n_pods_per_block: int, n_cores: int
) -> None:
    params = {
        "racks": [{"accelerator": name, "n_racks": n} for name, n in groups],
        "n_rails": rails,
        "n_tiers": tiers,
        "n_spines_per_rail": n_spines,
        "n_pods_per_block": n_pods_per_block,
        "n_cores_per_spine_group": n_cores,
        "n_parallel_leaf_spine": 1,
        "n_parallel_spine_core": 1,
    }
    expansion = expanded("rail_clos", **params)
    assert_well_formed("rail_clos", params, expansion)
    per_pod = {"H100": 64 // (64 // rails), "GB200": 64 // (72 // rails)}
    n_pods = sum(-(-n // per_pod[name]) for name, n in groups)
    n_blocks = -(-n_pods // n_pods_per_block) if tiers == 3 else 1
    n_racks = sum(n for _, n in groups)
    counts = by_kind(expansion)
    assert counts["rack"] == n_racks
    assert counts["leaf"] == n_pods * rails
    assert counts["spine"] == n_blocks * rails * n_spines
    assert counts["core"] == (rails * n_spines * n_cores if tiers == 3 else 0)
    assert len(expansion.links) == rails * (
        n_racks + n_pods * n_spines + (n_blocks * n_spines * n_cores if tiers == 3 else 0)
    )


@pytest.mark.parametrize("second", ["rail_clos", "leaf_spine", "fat_tree"])
def test_campuses_have_the_promised_size(second: str) -> None:
    params = {
        "campuses": [campus("a"), campus("b", second)],
        "interconnects": [{"id": "wan", "ends": ["a/border-1", "b/border-2"], "n_parallel": 2}],
        "joins": [{"ends": ["a", "b"], "n_links": 4, "transceiver": "400G-FR4", "span": {"length_km": 1}}],
    }
    expansion = expanded("campuses", **params)
    assert_well_formed("campuses", params, expansion)
    assert by_kind(expansion)["border"] == 4


# --- structure ------------------------------------------------------------------------------------------------------


def test_fat_tree_of_four_is_connected_with_two_disjoint_ways_up() -> None:
    expansion = expanded("fat_tree", k=4)
    graph = nx.Graph([link.ends for link in expansion.links])
    hosts = [node.id for node in expansion.nodes if node.kind == "host"]
    assert len(hosts) == 16
    assert nx.is_connected(graph)
    assert {graph.degree(host) for host in hosts} == {1}
    assert {graph.degree(node.id) for node in expansion.nodes if node.kind != "host"} == {4}
    paths = list(nx.all_shortest_paths(graph, "b/host-p1-1-1", "b/host-p4-2-2"))
    assert {len(path) for path in paths} == {7}
    assert len(paths) == 4  # (k/2)² shortest paths between pods


@pytest.mark.parametrize(("accelerator", "per_pod", "down"), [("H100", 8, 64), ("GB200", 7, 63)])
def test_rail_clos_does_not_block(accelerator: str, per_pod: int, down: int) -> None:
    expansion = expanded("rail_clos", racks=[{"accelerator": accelerator, "n_racks": 8 * per_pod}])
    kinds = {node.id: node.kind for node in expansion.nodes}
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for link in expansion.links:
        lower, upper = link.ends
        sums[upper]["down"] += link.n_parallel
        sums[lower]["up"] += link.n_parallel
    assert {(sums[name]["down"], sums[name]["up"]) for name, kind in kinds.items() if kind == "leaf"} == {(down, 64)}
    assert {(sums[name]["down"], sums[name]["up"]) for name, kind in kinds.items() if kind == "spine"} == {(64, 64)}
    n_per_rack = int(catalogue().get(accelerator).value("n_per_rack"))
    assert {sums[name]["up"] for name, kind in kinds.items() if kind == "rack"} == {n_per_rack}


def test_rail_clos_keeps_rails_apart_and_pods_of_one_kind() -> None:
    expansion = expanded("rail_clos", **SMALL_CLOS)
    nodes = {node.id: node for node in expansion.nodes}
    kinds_of_pod: dict[str | None, set[str | None]] = defaultdict(set)
    for node in expansion.nodes:
        if node.kind == "rack":
            kinds_of_pod[node.pod].add(node.accelerator)
    assert all(len(kinds) == 1 for kinds in kinds_of_pod.values())
    assert len(kinds_of_pod) == 3 + 2  # 20 racks by 8, 9 racks by 7
    for link in expansion.links:
        lower, upper = (nodes[end] for end in link.ends)
        if lower.kind == "rack":
            assert lower.pod == upper.pod
        else:
            assert lower.rail == upper.rail


def test_names_are_those_of_the_field() -> None:
    names = {node.id for node in expanded("rail_clos", block="c1", **SMALL_CLOS).nodes}
    assert {"c1/rack-01", "c1/leaf-p1-r1", "c1/spine-b1-r8-s8", "c1/core-r1-s1-k1"} <= names
    assert "c1/border-1" in {node.id for node in expanded("campuses", campuses=[campus("c1")]).nodes}


def test_two_tiers_end_at_spines() -> None:
    expansion = expanded("rail_clos", n_tiers=2, n_spines_per_rail=4, **SMALL_CLOS)
    assert by_kind(expansion) == Counter(rack=29, leaf=40, spine=32)
    assert "b/spine-r1-s1" in {node.id for node in expansion.nodes}


def test_border_routers_reach_every_rail_equally() -> None:
    expansion = expanded("campuses", campuses=[campus("a", borders={"n": 2, "n_uplinks": 16, "n_parallel": 2})])
    rails = {node.id: node.rail for node in expansion.nodes}
    for border in ("a/border-1", "a/border-2"):
        uplinks = [link for link in expansion.links if link.ends[1] == border]
        assert Counter(rails[link.ends[0]] for link in uplinks) == Counter(dict.fromkeys(range(1, 9), 2))
        assert {link.n_parallel for link in uplinks} == {2}
    attached = [link.ends[0] for link in expansion.links if "border" in link.ends[1]]
    assert len(set(attached)) == 32  # no core serves two routers while there are others


def test_joins_pair_switches_of_one_rail() -> None:
    join = {"ends": ["a", "b"], "n_links": 16, "transceiver": "400G-FR4", "span": {"length_km": 1, "n_connectors": 2}}
    expansion = expanded("campuses", campuses=[campus("a"), campus("b")], joins=[join])
    rails = {node.id: node.rail for node in expansion.nodes}
    joined = [link for link in expansion.links if link.spans]
    assert len(joined) == 16
    assert all(rails[link.ends[0]] == rails[link.ends[1]] for link in joined)
    assert Counter(rails[link.ends[0]] for link in joined) == Counter(dict.fromkeys(range(1, 9), 2))


def test_the_site_of_a_campus_is_that_of_its_nodes() -> None:
    expansion = expanded("campuses", campuses=[campus("a"), campus("b", "leaf_spine")])
    assert {node.site for node in expansion.nodes if node.id.startswith("a/")} == {"site-a"}
    assert {node.site for node in expansion.nodes if node.id.startswith("b/")} == {"site-b"}


def test_borders_of_a_fat_tree_attach_to_cores_of_different_planes() -> None:
    expansion = expanded("campuses", campuses=[campus("a", "fat_tree", borders={"n": 2, "n_uplinks": 2})])
    graph = nx.Graph([link.ends for link in expansion.links])
    for border in ("a/border-1", "a/border-2"):
        cores = list(graph.neighbors(border))
        assert [core for core in cores if "/core-" not in core] == []
        spines = [{spine for spine in graph.neighbors(core) if "/spine-p1-" in spine} for core in cores]
        assert len(set.union(*spines)) == 2, "both spines of a pod reach the router"
    assert len({core for core in graph if "/core-" in core and graph.degree(core) == 5}) == 4


def test_a_top_tier_needs_the_parameters_of_a_fabric() -> None:
    row = GENERATORS["leaf_spine"]

    class Plain(Params):
        n: int

    with pytest.raises(TypeError, match="derive it from FabricParams"):
        Generator(Plain, lambda _: (0, 0), row.build, "x.", lambda *_: ())


def test_hosts_of_a_leaf_spine_may_hold_accelerators() -> None:
    params = {"n_leaves": 2, "n_spines": 1, "n_hosts_per_leaf": 1}
    plain = [node for node in expanded("leaf_spine", **params).nodes if node.kind == "host"]
    fast = [node for node in expanded("leaf_spine", accelerator="H100", **params).nodes if node.kind == "host"]
    assert [node.n_accelerators for node in plain] == [0, 0]
    assert [node.n_accelerators for node in fast] == [8, 8]


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_size_out_of_bounds_is_refused_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    row = GENERATORS["fat_tree"]

    def build(block: str, params: Any) -> Expansion:
        raise AssertionError("must not be built")

    monkeypatch.setitem(GENERATORS, "fat_tree", Generator(row.params, row.size, build, row.sentence))
    with pytest.raises(TopologyError, match=r"expands to .* nodes and .* links; expected at most 2000000 records"):
        expanded("fat_tree", k=256)


def test_the_bound_can_be_set() -> None:
    fabric = Fabric(id="b", generator="leaf_spine", params={"n_leaves": 4, "n_spines": 2})
    assert len(expand(fabric, max_records=14).nodes) == 6
    with pytest.raises(TopologyError, match="at most 13 records"):
        expand(fabric, max_records=13)


def test_an_unknown_generator_is_answered_with_near_names() -> None:
    with pytest.raises(CatalogueError, match="did you mean 'leaf_spine'") as caught:
        expanded("leafspine")
    assert caught.value.where == "fabrics[b].generator"


def test_a_misspelled_parameter_is_answered_with_near_names() -> None:
    with pytest.raises(DocumentError) as caught:
        expanded("leaf_spine", n_leafs=4, n_spines=2)
    issues = {issue.where: issue for issue in caught.value.issues}
    assert "n_leaves" in issues["fabrics[b].params.n_leafs"].hint
    assert issues["fabrics[b].params.n_leaves"].problem == "is missing"


def test_faults_inside_a_campus_say_which_campus() -> None:
    wrong = campus("a") | {"params": {"racks": [{"accelerator": "H100", "n_rack": 1, "n_racks": "3"}]}}
    with pytest.raises(DocumentError) as caught:
        expanded("campuses", campuses=[wrong])
    issues = {issue.where: issue for issue in caught.value.issues}
    place = "fabrics[b].params.campuses[a].params.racks[0]"
    assert set(issues) == {f"{place}.n_rack", f"{place}.n_racks"}
    assert "'n_racks'" in issues[f"{place}.n_rack"].hint
    assert "'3'" in issues[f"{place}.n_racks"].problem


def test_faults_inside_a_link_and_a_span_are_placed() -> None:
    link = {"id": "wan", "ends": ["a/border-1", "a/border-2"], "spans": [{"length": 3}], "n_paralel": 2}
    with pytest.raises(DocumentError) as caught:
        expanded("campuses", campuses=[campus("a")], interconnects=[link])
    hints = {issue.where: issue.hint for issue in caught.value.issues}
    assert "'n_parallel'" in hints["fabrics[b].params.interconnects[wan].n_paralel"]
    assert "'length_km'" in hints["fabrics[b].params.interconnects[wan].spans[0].length"]


def test_an_unknown_generator_of_a_campus_is_answered_with_near_names() -> None:
    with pytest.raises(DocumentError, match="did you mean 'rail_clos'"):
        expanded("campuses", campuses=[campus("a") | {"generator": "rail_close"}])


@pytest.mark.parametrize(
    ("generator", "params"),
    [
        ("fat_tree", {"k": 5}),
        ("fat_tree", {"k": 0}),
        ("leaf_spine", {"n_leaves": 0, "n_spines": 1}),
        ("leaf_spine", {"n_leaves": 2.5, "n_spines": 1}),
        ("leaf_spine", {"n_leaves": 2, "n_spines": 1, "capacity_gbps": 0}),
        ("rail_clos", {"racks": []}),
        ("rail_clos", {**SMALL_CLOS, "n_tiers": 4}),
        ("campuses", {"campuses": [campus("a") | {"params": {**SMALL_CLOS, "site": "elsewhere"}}]}),
    ],
)
def test_parameters_out_of_bounds_are_refused(generator: str, params: dict[str, Any]) -> None:
    with pytest.raises(DocumentError):
        expanded(generator, **params)


def test_an_unknown_part_is_answered_with_near_names() -> None:
    with pytest.raises(CatalogueError, match=r"leaf-51\.2T"):
        expanded("rail_clos", leaf_part="leaf-51.3T", **SMALL_CLOS)


def test_switches_without_enough_ports_are_refused_by_name() -> None:
    with pytest.raises(TopologyError) as caught:
        expanded("leaf_spine", n_leaves=65, n_spines=2, spine_part="leaf-25.6T", leaf_part="leaf-25.6T")
    assert [issue.where for issue in caught.value.issues] == ["nodes[b/spine-1]", "nodes[b/spine-2]"]
    assert "65 cables on the 64 ports of leaf-25.6T" in str(caught.value)


def test_a_rack_too_wide_for_a_leaf_is_refused() -> None:
    with pytest.raises(TopologyError, match="takes 72 ports of each rail's leaf"):
        expanded("rail_clos", racks=[{"accelerator": "GB200", "n_racks": 1}], n_rails=1)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"campuses": [campus("a"), campus("a")]}, "stands twice"),
        ({"campuses": [campus("a", borders={"n_uplinks": 1000})]}, "1000 uplinks to 512 switches"),
        ({"campuses": [campus("a"), campus("b")], "joins": [{"ends": ["a", "bb"], "n_links": 1}]}, "no campus 'bb'"),
        ({"campuses": [campus("a"), campus("b")], "joins": [{"ends": ["a", "b"], "n_links": 513}]}, "at most 512"),
        ({"campuses": [campus("a")], "joins": [{"ends": ["a", "a"], "n_links": 1}]}, "two campuses"),
    ],
)
def test_campuses_that_do_not_fit_are_refused(params: dict[str, Any], text: str) -> None:
    for join in params.get("joins", ()):
        join.update(transceiver="400G-FR4", span={"length_km": 1})
    with pytest.raises(TopologyError, match=text):
        expanded("campuses", **params)


# --- the table ------------------------------------------------------------------------------------------------------


def test_the_digest_is_stable_and_of_the_source() -> None:
    assert topologies.digest() == topologies.digest()
    assert re.fullmatch(r"[0-9a-f]{64}", topologies.digest())


def test_every_generator_says_what_it_is() -> None:
    assert list(GENERATORS) == sorted(GENERATORS)
    assert all(row.sentence.endswith(".") for row in GENERATORS.values())
    assert all(row.params.model_json_schema()["properties"] for row in GENERATORS.values())


def test_records_are_the_shared_vocabulary() -> None:
    expansion = expanded("leaf_spine", n_leaves=1, n_spines=1)
    assert {type(node) for node in expansion.nodes} == {Node}
    assert {type(link) for link in expansion.links} == {Link}
    assert used_ports(expansion) == Counter({"b/leaf-1": 1, "b/spine-1": 1})
