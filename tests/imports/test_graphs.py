"""Graphs of other tools: node-link, GraphML, topohub, SNDlib."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.imports.samples import GRAPHML, NODE_LINK, SAMPLES, SNDLIB, SNDLIB_XML, TOPOHUB
from twin.errors import DocumentError
from twin.imports import Imported, ImportOptions, graphml, read
from twin.imports.options import import_options
from twin.imports.quantities import bundle_in
from twin.loading import from_document

EASY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(tmp_path: Path, name: str, content: Any) -> Path:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def kinds(found: Imported) -> dict[str, int]:
    return {finding.kind: finding.n for finding in found.report.findings}


def test_node_link_keeps_names_rates_lengths_and_weights(tmp_path: Path) -> None:
    found = read(written(tmp_path, "net.json", NODE_LINK))
    assert {node.id: node.kind for node in found.document.nodes} == {
        "Köln Süd": "core",
        "Aachen": "border",
        "Bonn": "switch",
    }
    links = {link.ends: link for link in found.document.links}
    first = links["Köln Süd", "Aachen"]
    assert (first.capacity_gbps, first.weight, first.spans[0].length_km) == (100, 2, 80.5)
    assert (links["Köln Süd", "Bonn"].n_parallel, links["Köln Süd", "Bonn"].capacity_gbps) == (2, 10)
    assert links["Aachen", "Bonn"].capacity_gbps is None
    dropped = {row.field: row.effect for row in found.report.dropped}
    assert "unit is not stated" in dropped["links.capacity"]
    assert "nodes.vendor" in dropped
    assert found.document.name == "three cities"


def test_capacity_without_a_unit_is_never_a_rate(tmp_path: Path) -> None:
    edges = [{"source": 1, "target": 2, name: 40} for name in ("capacity", "bandwidth", "speed")]
    edges += [{"source": 1, "target": 2, "bandwidth": "40 GB/s"}, {"source": 1, "target": 2, "length": 80}]
    found = read(written(tmp_path, "net.json", {"nodes": [{"id": 1}, {"id": 2}], "edges": edges}))
    assert {link.capacity_gbps for link in found.document.links} == {None}
    assert {link.spans for link in found.document.links} == {()}


def test_self_loops_unknown_ends_and_ids_that_stand_twice_are_findings(tmp_path: Path) -> None:
    edges = [{"source": 1, "target": 1}, {"source": 1, "target": 9}]
    data = {"nodes": [{"id": 1}, {"id": 1}, {"id": 2}], "edges": edges}
    found = {"duplicate id": 1, "self-loop": 1, "unknown end": 1, "no links": 1}
    assert kinds(read(written(tmp_path, "net.json", data))) == found


def test_names_that_stand_twice_are_numbered_and_kept(tmp_path: Path) -> None:
    nodes = [{"id": i, "name": name} for i, name in enumerate(["x", "x", " y\n", "z" * 300, "\u200b"])]
    document = read(written(tmp_path, "net.json", {"nodes": nodes, "edges": []})).document
    assert [node.id for node in document.nodes] == ["x", "x#2", "y", "z" * 200, "unnamed"]
    assert [node.name for node in document.nodes] == ["", "x", " y\n", "z" * 200, "\u200b"]


@EASY
@given(data=st.data())
def test_a_graph_of_networkx_comes_back(data: st.DataObject, tmp_path: Path) -> None:
    """Nodes, parallel edges, rates, weights and lengths are those of networkx, by node-link and by GraphML."""
    n = data.draw(st.integers(2, 8))
    graph = nx.MultiGraph()
    graph.add_nodes_from((f"n {i}", {"role": "core"}) for i in range(n))
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda pair: pair[0] != pair[1])
    for a, b in data.draw(st.lists(pairs, max_size=12)):
        rate, weight = data.draw(st.sampled_from([10.0, 100.0])), data.draw(st.sampled_from([1.0, 5.0]))
        graph.add_edge(
            f"n {a}", f"n {b}", capacity_gbps=rate, weight=weight, length_km=data.draw(st.sampled_from([1.5, 80.0]))
        )
    nx.write_graphml(graph, tmp_path / "net.graphml")
    written(tmp_path, "net.json", nx.node_link_data(graph, edges="edges"))
    stated = sorted(
        (*sorted((a, b)), d["capacity_gbps"], d["weight"], d["length_km"]) for a, b, d in graph.edges(data=True)
    )
    for name in ("net.graphml", "net.json"):
        document = read(tmp_path / name).document
        assert {node.id for node in document.nodes} == set(graph.nodes)
        made = [(*sorted(k.ends), k.capacity_gbps, k.weight, k.spans[0].length_km) for k in document.links]
        assert sorted(made) == stated


@EASY
@given(seed=st.integers(0, 10_000))
def test_loads_of_an_imported_graph_are_those_of_networkx(seed: int, tmp_path: Path) -> None:
    """One demand splits evenly over all shortest paths, hop by hop."""
    graph = nx.gnm_random_graph(7, 12, seed=seed)
    if not nx.has_path(graph, 0, 6):
        return
    nx.set_edge_attributes(graph, 100.0, "capacity_gbps")
    found = read(written(tmp_path, "net.json", nx.node_link_data(graph, edges="links")))
    demands = [{"id": "d", "source": "0", "target": "6", "offered_gbps": 8.0}]
    rows = from_document(found.document.to_dict() | {"demands": demands}).link_table().rows
    at, to_target = {0: 8.0}, nx.shortest_path_length(graph, target=6)
    expected: dict[str, float] = {}
    for node in sorted(graph, key=lambda n: -to_target.get(n, 99)):
        following = [peer for peer in graph[node] if to_target.get(peer) == to_target.get(node, 99) - 1]
        for peer in following if at.get(node) else ():
            share = at[node] / len(following)
            at[peer] = at.get(peer, 0.0) + share
            expected[f"{node} → {peer}"] = share
    loads = {row.direction: row.utilisation_ratio * 100 for row in rows if row.utilisation_ratio}
    assert loads == pytest.approx(expected)


def test_graphml_of_the_topology_zoo(tmp_path: Path) -> None:
    found = read(written(tmp_path, "net.graphml", GRAPHML))
    links = {link.ends: link for link in found.document.links}
    assert links["Köln Süd", "Aachen"].capacity_gbps == 100
    assert (links["Köln Süd", "Bonn"].n_parallel, links["Köln Süd", "Bonn"].capacity_gbps) == (2, 10)
    assert links["Aachen", "Bonn"].capacity_gbps is None
    assert kinds(found) == {"unknown rate": 1, "missing length": 2}
    assert any(row.what == "kind of a hyperedge node" for row in found.report.assumed)
    sites = {site.id: (site.latitude_deg, site.longitude_deg) for site in found.document.sites}
    assert sites["Köln Süd"] == (50.9, 6.96)
    assert sites["Bonn"] == (None, None)


DEFAULTS = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="r" for="edge" attr.name="capacity_gbps" attr.type="double"><default>40</default></key>
  <key id="w" for="all" attr.name="weight" attr.type="int"><default>7</default></key>
  <key id="k" for="node" attr.name="role" attr.type="string"><default>leaf</default></key>
  <key id="n" for="graph" attr.name="Network" attr.type="string"><default>two nodes</default></key>
  <key id="e" for="edge" attr.name="n_parallel" attr.type="int"><default/></key>
  <graph edgedefault="undirected">
    <node id="a"/><node id="b"><data key="k">spine</data></node><node id="c"/>
    <edge source="a" target="b"/>
    <edge source="b" target="c"><data key="r">100</data><data key="w"/></edge>
  </graph>
</graphml>"""


def test_a_default_of_graphml_holds_where_an_element_has_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "n.graphml", DEFAULTS)
    document = read(path).document
    assert document.name == "two nodes"
    assert {node.id: node.kind for node in document.nodes} == {"a": "leaf", "b": "spine", "c": "leaf"}
    rows = {link.ends: (link.capacity_gbps, link.weight, link.n_parallel) for link in document.links}
    assert rows == {("a", "b"): (40, 7, 1), ("b", "c"): (100, 1, 1)}
    monkeypatch.setattr(graphml, "MAX_ELEMENTS", 9)
    with pytest.raises(DocumentError, match="12 values by default"):
        read(path)


def test_the_length_factor_makes_spans_of_positions(tmp_path: Path) -> None:
    path = written(tmp_path, "net.graphml", GRAPHML)
    spans = [link.spans for link in read(path, options=ImportOptions(length_factor=1.5)).document.links]
    # Köln to Aachen: 0.1 degrees north, 0.88 degrees west at 50.85 degrees: hypot(11.12, 61.78) km
    straight_km = 62.8
    assert [round(span[0].length_km / 1.5, 1) for span in spans if span] == [straight_km]


def test_both_forms_of_sndlib_give_the_same_network(tmp_path: Path) -> None:
    native, xml = (
        read(written(tmp_path, name, text)).document for name, text in (("n.txt", SNDLIB), ("n.xml", SNDLIB_XML))
    )
    for document in (native, xml):
        assert {k.id: (k.capacity_gbps, k.weight) for k in document.links} == {
            "L1": (100, 2),
            "L2": (20, 1),
            "L3": (None, 1),
        }
        assert {d.id: d.offered_gbps for d in document.demands} == {"D1": 15, "D2": 1}
        assert {s.id: s.longitude_deg for s in document.sites} == {"Koeln": 6.96, "Aachen": 6.08, "Bonn": 7.1}


def test_sndlib_without_a_unit_counts_the_assumption(tmp_path: Path) -> None:
    path = written(tmp_path, "n.txt", SNDLIB.replace("unit = MBITPERSEC", "origin = made"))
    found = read(path)
    assert [row.n for row in found.report.assumed if row.option == "--demand-scale"] == [4]
    stated = read(path, options=ImportOptions(demand_scale=0.001))
    assert {d.offered_gbps for d in stated.document.demands} == {15, 1}
    assert not [row for row in stated.report.assumed if row.option == "--demand-scale"]


def test_sndlib_positions_on_a_plane_are_dropped(tmp_path: Path) -> None:
    found = read(written(tmp_path, "n.txt", SNDLIB.replace("6.96 50.90", "696 509")))
    assert not [site for site in found.document.sites if site.latitude_deg is not None]
    assert kinds(found)["missing length"] == 3


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("L1 ( Koeln Aachen )", "L1 ( Koeln", "line 15"),
        ("NODES (", "NODES", "line 8"),
        ("Bonn ( 7.10", "Bonn 7.10", "line 11"),
    ],
)
def test_a_broken_line_of_sndlib_is_named(old: str, new: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=line):
        read(written(tmp_path, "n.txt", SNDLIB.replace(old, new)), format="sndlib")


def test_topohub_lengths_and_demands(tmp_path: Path) -> None:
    """A demand that is stated in one direction holds for both; one that is stated in both is left as it is."""
    found = read(written(tmp_path, "net.json", TOPOHUB))
    assert {k.ends: k.spans[0].length_km for k in found.document.links}["Köln", "Aachen"] == 80.5
    amounts = {d.id: d.offered_gbps for d in found.document.demands}
    assert amounts == {"Köln→Bonn": 15, "Bonn→Köln": 15, "Aachen→Bonn": 1, "Bonn→Aachen": 0.5}
    assert found.report.records.n_demands == 4
    scaled = read(written(tmp_path, "net.json", TOPOHUB), options=ImportOptions(demand_scale=2)).document
    assert {d.id: d.offered_gbps for d in scaled.demands}["Köln→Bonn"] == 30


def test_topohub_positions_of_generated_networks_are_dropped(tmp_path: Path) -> None:
    nodes = [{"id": i, "name": f"R{i}", "pos": [10.0 * i, 20.0]} for i in range(3)]
    found = read(written(tmp_path, "net.json", TOPOHUB | {"nodes": nodes}))
    assert not [site for site in found.document.sites if site.latitude_deg is not None]


def test_networks_of_the_topohub_package_have_their_own_loads(tmp_path: Path) -> None:
    """The shares of load that the package states for its demands are those of the twin, up to one factor."""
    pytest.importorskip("topohub")
    from importlib.resources import files

    path = Path(str(files("topohub"))) / "data" / "sndlib" / "polska.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    names = {node["id"]: node["name"] for node in data["nodes"]}
    stated = {}
    for edge in data["edges" if "edges" in data else "links"]:
        a, b = names[edge["source"]], names[edge["target"]]
        stated |= {f"{a} → {b}": edge["ecmp_fwd"]["org"], f"{b} → {a}": edge["ecmp_bwd"]["org"]}
    found = read(path, options=ImportOptions(capacity_gbps=1e6))
    loads = {row.direction: row.utilisation_ratio for row in from_document(found.document).link_table().rows}
    factor = max(loads.values()) / max(stated.values())
    assert loads == pytest.approx(
        {name: share * factor for name, share in stated.items()}, abs=2e-4 * max(loads.values())
    )


def test_roles_are_told_by_pattern_then_by_word_then_by_name(tmp_path: Path) -> None:
    nodes = [
        {"id": "leaf-7"},
        {"id": "Corentin"},
        {"id": "box", "role": "Compute Node"},
        {"id": "nas-1", "role": "Storage Array"},
        {"id": "sw9", "role": "frobnicator"},
        {"id": "pdu-1"},
    ]
    path = written(tmp_path, "net.json", {"nodes": nodes, "edges": [{"source": "leaf-7", "target": "pdu-1"}]})
    options = import_options(roles=["frob=spine", "^pdu=ignore"])
    found = read(path, options=options)
    assert {node.id: node.kind for node in found.document.nodes} == {
        "leaf-7": "leaf",
        "Corentin": "switch",
        "box": "host",
        "nas-1": "storage",
        "sw9": "spine",
    }
    assert found.document.links == ()


@pytest.mark.parametrize(
    "bad",
    [
        {"capacity_gbps": -1},
        {"capacity_gbps": float("nan")},
        {"demand_scale": 0},
        {"length_factor": 0.5},
        {"roles": ["leaf"]},
        {"roles": ["(=leaf"]},
        {"roles": ["x=leave"]},
        {"columns": ["x"]},
    ],
)
def test_options_out_of_range_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(DocumentError, match="--"):
        import_options(**bad)


def test_a_file_of_two_formats_names_both(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no format fits"):
        read(written(tmp_path, "net.json", {"a": 1}))
    folder = tmp_path / "both"
    (SAMPLES["netbox"](folder) / "x.csv").write_text("a,b\n")
    assert read(folder).report.format == "netbox"


@pytest.mark.parametrize("value", ["duct 7", ["duct 7"], 7])
def test_a_shared_risk_of_an_edge_is_kept_whatever_its_form(value: Any, tmp_path: Path) -> None:
    data = {"nodes": [{"id": 1}, {"id": 2}], "edges": [{"source": 1, "target": 2, "srlg": value}]}
    found = read(written(tmp_path, "net.json", data))
    assert found.document.links[0].srlgs == (("7",) if value == 7 else ("duct 7",))
    assert found.report.dropped == ()


def test_a_stated_latency_counts_where_no_length_is_known(tmp_path: Path) -> None:
    edges = [{"source": 1, "target": 2, "latency_us": 7}]
    report = read(written(tmp_path, "net.json", {"nodes": [{"id": 1}, {"id": 2}], "edges": edges})).report
    assert (report.supports.latency.supported, report.supports.latency.why) == (True, "")
    assert {row.problem for row in report.findings if row.kind == "missing length"} == {
        "loss has no value; latency is stated"
    }


YED = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
<key for="node" id="d0" yfiles.type="nodegraphics"/><key for="edge" id="d1" yfiles.type="edgegraphics"/>
<graph edgedefault="directed" id="G">
<node id="n0"><data key="d0"><y:ShapeNode><y:NodeLabel>Köln Süd</y:NodeLabel></y:ShapeNode></data></node>
<node id="n1"><data key="d0"><y:ShapeNode><y:NodeLabel>leaf-1</y:NodeLabel></y:ShapeNode></data></node>
<node id="n2"><data key="d0"><y:ShapeNode/></data></node>
<node id="n3"/>
<edge id="e0" source="n0" target="n1"><data key="d1"><y:Line><y:EdgeLabel>OC-192c</y:EdgeLabel></y:Line></data></edge>
<edge id="e1" source="n1" target="n0"><data key="d1"><y:Line><y:EdgeLabel>to be lit</y:EdgeLabel></y:Line></data></edge>
<edge id="e2" source="n1" target="n2"/><edge id="e3" source="n2" target="n3"/><edge id="e4" source="n0" target="n3"/>
</graph></graphml>"""


def test_a_drawing_of_yed_keeps_its_labels_and_its_edges_are_links_of_their_own(tmp_path: Path) -> None:
    found = read(written(tmp_path, "net.graphml", YED))
    assert {node.id: node.kind for node in found.document.nodes} == {
        "Köln Süd": "switch", "leaf-1": "leaf", "n2": "switch", "n3": "switch"
    }  # fmt: skip
    links = found.document.links
    assert sorted(link.ends for link in links) == [
        ("Köln Süd", "leaf-1"), ("Köln Süd", "leaf-1"), ("Köln Süd", "n3"), ("leaf-1", "n2"), ("n2", "n3"),
    ]  # fmt: skip
    assert {(link.capacity_gbps, link.tags) for link in links} == {
        (9.95328, ()), (None, ("to be lit",)), (None, ())
    }  # fmt: skip
    whys = {row.why for row in found.report.assumed if row.what == "opposite direction of a link"}
    assert whys == {"most edges of the source have no opposite"}


@pytest.mark.parametrize(
    ("label", "n", "gbps"),
    [("Peering, 10 Gbps", 1, 10.0), ("45 Mbps DS-3", 1, 0.045), ("OC192/STM64", 1, 9.95328), ("STM-64x2", 2, 9.95328),
     ("2x10Gb/s", 2, 10.0), ("2 x STM-16", 2, 2.48832), ("205 Mbps", 1, 0.205), ("10GE ring", 1, 10.0),
     ("T3", 1, 0.044736), ("< 10 Gbps", 0, 0), ("1-20Gbps", 0, 0), ("1 GB/s", 0, 0), ("10Gbps, 100Mbps", 0, 0),
     ("less than 100 Mbps", 0, 0), ("TAT-14", 0, 0), ("SeaMeWe-3", 0, 0), ("Red Link", 0, 0)],
)  # fmt: skip
def test_rates_inside_of_labels(label: str, n: int, gbps: float) -> None:
    assert bundle_in(label) == ((n, gbps) if n else None)
