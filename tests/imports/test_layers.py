"""Layers of RFC 8345, OpenROADM lines, and Repetita."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from tests.imports.layer_samples import LAYERS, OPENROADM, REPETITA, REPETITA_DEMANDS, SIMAI, generic, te_link
from twin.errors import DocumentError
from twin.imports import Imported, ImportOptions, read
from twin.imports.yang_json import te_bandwidth_gbps
from twin.loading import from_document


def imported(tmp_path: Path, content: Any, name: str = "net.json", **options: Any) -> Imported:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read(path, options=ImportOptions(**options))


def layers(**changed: Any) -> dict[str, Any]:
    """The sample with links added to a layer: `ip=[...]`."""
    data = copy.deepcopy(LAYERS)
    for network in data["ietf-network:networks"]["network"]:
        network["ietf-network-topology:link"] += changed.get(network["network-id"], [])
    return data


def test_the_top_layer_is_read_with_rates_weights_and_latencies_by_direction(tmp_path: Path) -> None:
    found = imported(tmp_path, LAYERS)
    links = {link.id: link for link in found.document.links}
    assert list(links) == ["K-A", "K-B", "A-B"]
    first = links["K-A"]
    assert first.ends == ("Aachen", "Köln")
    assert (first.capacity_gbps, first.weight, first.latency_us) == ((40.0, 100.0), (20.0, 10.0), 412.0)
    assert links["K-B"].capacity_gbps == 10.0
    assert links["A-B"].capacity_gbps is None
    nodes = {node.id: node for node in found.document.nodes}
    assert (nodes["Köln"].name, nodes["Köln"].site, nodes["Bonn"].name) == ("Köln Süd", "Köln", "Bonn 1")
    assert [row.value for row in found.report.assumed if row.option == "--layer"] == ["ip"]


@pytest.mark.parametrize(("there", "back", "weight"), [(10, None, 10), (None, 20, 20), (10, 1, (10, 1))])
def test_a_weight_that_one_direction_lacks_is_that_of_the_other_and_counts_as_assumed(
    there: int | None, back: int | None, weight: Any, tmp_path: Path
) -> None:
    stated = [{} if value is None else {"te_default_metric": value} for value in (there, back)]
    ends = ("Aachen", "Bonn")
    more = [te_link("x", *ends, port="2", **stated[0]), te_link("y", *ends[::-1], port="2", **stated[1])]
    found = imported(tmp_path, layers(ip=more))
    assert {link.id: link.weight for link in found.document.links}["x"] == weight
    counted = [row.n for row in found.report.assumed if row.what == "weight of a direction"]
    assert counted == ([1] if None in (there, back) else [])


def test_a_stated_metric_of_1_goes_before_that_of_layer_3(tmp_path: Path) -> None:
    more = [te_link(name, *ends, port="2", te_default_metric=1) for name, ends in
            (("x", ("Aachen", "Bonn")), ("y", ("Bonn", "Aachen")))]  # fmt: skip
    for link in more:
        link["ietf-l3-unicast-topology:l3-link-attributes"] = {"metric1": 5}
    found = imported(tmp_path, layers(ip=more))
    assert {link.id: link.weight for link in found.document.links}["x"] == 1


def test_links_below_are_shared_risks_and_give_latencies(tmp_path: Path) -> None:
    links = {link.id: link for link in imported(tmp_path, LAYERS).document.links}
    assert links["K-A"].srlgs == ("7", "9", "f1")
    assert links["K-B"].srlgs == ("f2",)
    assert links["K-B"].latency_us == 150
    assert links["A-B"].srlgs == ()


def test_two_links_over_one_fibre_fail_together(tmp_path: Path) -> None:
    twice = [
        te_link("second", "Köln", "Bonn", below="f2 back", port="2"),
        te_link("second back", "Bonn", "Köln", below="f2", port="2"),
    ]
    network = from_document(imported(tmp_path, layers(ip=twice), capacity_gbps=10).document)
    down = network.what_if([{"kind": "fail_srlg", "srlg": "f2"}])
    assert down.after.metrics["n_partitions"].value == network.score().metrics["n_partitions"].value
    assert {link.id for link in network.links if "f2" in link.srlgs} == {"K-B", "second"}


def test_a_carrier_that_is_down_or_missing_is_a_finding(tmp_path: Path) -> None:
    data = layers(ip=[te_link("x", "Köln", "Bonn", port="2", below="no such")])
    data["ietf-network:networks"]["network"][1]["ietf-network-topology:link"][1]["ietf-te-topology:te"][
        "te-link-attributes"]["admin-status"] = "down"  # fmt: skip
    found = imported(tmp_path, data)
    kinds = {row.kind for row in found.report.findings}
    assert {"carrier down", "unknown carrier", "one-sided edge"} <= kinds
    assert [link.id for link in found.document.links if not link.up] == ["K-B"]


def test_layers_that_carry_each_other_end(tmp_path: Path) -> None:
    data = copy.deepcopy(LAYERS)
    ip, fibre = data["ietf-network:networks"]["network"]
    fibre["ietf-network-topology:link"][0]["supporting-link"] = [{"network-ref": "ip", "link-ref": "K-A"}]
    fibre["supporting-network"] = [{"network-ref": "ip"}]
    assert imported(tmp_path, data, layer="ip").document.links
    assert ip["network-id"] == "ip"


def test_a_layer_is_named_by_option(tmp_path: Path) -> None:
    found = imported(tmp_path, LAYERS, layer="fibre")
    assert [link.id for link in found.document.links] == ["f1", "f2"]
    with pytest.raises(DocumentError, match=r"did you mean 'fibre'"):
        imported(tmp_path, LAYERS, layer="fiber")


@pytest.mark.parametrize(
    ("text", "gbps"),
    [("0x1.74876ep+33", 100.0), ("0x1p10", 8.192e-6), ("12500000000", 100.0), (12.5e9, 100.0), ("0x0p0", None),
     ("fast", None), ("nan", None), (True, None), ("0x1p99999", None), ([], None)],
)  # fmt: skip
def test_bandwidths_are_bytes_per_second(text: object, gbps: float | None) -> None:
    assert te_bandwidth_gbps(text) == gbps


def test_a_rate_that_is_none_is_a_finding_and_stays_unknown(tmp_path: Path) -> None:
    found = imported(tmp_path, layers(ip=[te_link("y", "Köln", "Bonn", port="2", max_link_bandwidth=generic("10G"))]))
    assert next(link for link in found.document.links if link.id == "y").capacity_gbps is None
    assert any(row.kind == "bad value" for row in found.report.findings)


def test_component_links_are_members_that_share_the_rate(tmp_path: Path) -> None:
    link = te_link("m", "Köln", "Bonn", port="2", max_link_bandwidth=generic("50000000000"))
    link["ietf-te-topology:te"]["component-links"] = {"component-link": [{"sequence": i} for i in range(4)]}
    found = next(x for x in imported(tmp_path, layers(ip=[link])).document.links if x.id == "m")
    assert (found.n_parallel, found.capacity_gbps) == (4, 100.0)


def test_layer_2_rates_are_megabits(tmp_path: Path) -> None:
    link = te_link("l2", "Köln", "Bonn", port="2") | {
        "ietf-l2-topology:l2-link-attributes": {"rate": "1000.00", "delay": 5}
    }
    found = next(x for x in imported(tmp_path, layers(ip=[link])).document.links if x.id == "l2")
    assert (found.capacity_gbps, found.latency_us) == (1.0, 5.0)


def test_parts_of_a_roadm_are_one_node_and_its_lines_have_spans(tmp_path: Path) -> None:
    found = imported(tmp_path, OPENROADM)
    assert {node.id: node.site for node in found.document.nodes} == {"RA": "siteA", "RB": "siteB", "XA-XPDR1": "siteA"}
    line, drop = found.document.links
    assert line.ends == ("RA", "RB")
    assert [(span.length_km, span.fibre) for span in line.spans] == [(20, "G.652.D"), (40, "G.655")]
    assert [span.measured_loss_db for span in line.spans] == pytest.approx([4.2, 8.4])
    assert line.srlgs == ("SRLG 5",)
    assert set(drop.ends) == {"RA", "XA-XPDR1"}
    assert line.capacity_gbps is None
    assumed = {row.what: row.n for row in found.report.assumed}
    assert assumed["inside of a ROADM"] == 2
    converted = {(row.field, row.conversion.split(" → ")[0]): row.n for row in found.report.converted}
    assert converted["links", "links inside a ROADM"] == 4
    assert {row.kind for row in found.report.findings} == {"unknown rate", "different losses"}


def test_the_measured_loss_of_a_line_is_its_loss(tmp_path: Path) -> None:
    document = imported(tmp_path, OPENROADM).document.to_dict()
    document["links"][0] |= {"transceiver": "400ZR"}
    report = from_document(document).link(document["links"][0]["id"])
    assert "12.6" in repr(report)


def test_repetita_has_rates_delays_and_demands(tmp_path: Path) -> None:
    (tmp_path / "net.graph").write_text(REPETITA, encoding="utf-8")
    (tmp_path / "net.demands").write_text(REPETITA_DEMANDS, encoding="utf-8")
    found = read([tmp_path / "net.demands", tmp_path / "net.graph"])
    links = {link.id: link for link in found.document.links}
    assert (links["e0"].ends, links["e0"].capacity_gbps) == (("Köln Süd", "Aachen"), (100, 40))
    assert (links["e0"].weight, links["e0"].latency_us) == ((10, 20), 412)
    assert links["e4"].capacity_gbps is None
    demands = {demand.id: (demand.source, demand.target, demand.offered_gbps) for demand in found.document.demands}
    assert demands == {"d0": ("Köln Süd", "Bonn", 2.5), "d2": ("Bonn", "Aachen", 1e-6)}
    assert any(row.field == "demands of a node to itself" for row in found.report.dropped)
    assert found.report.supports.latency.why == ""


def test_positions_that_are_all_the_same_are_none(tmp_path: Path) -> None:
    text = REPETITA.replace("6.96 50.9", "0.0 0.0").replace("6.08 50.8", "0.0 0.0").replace("7.1 50.7", "0.0 0.0")
    found = imported(tmp_path, text, "net.graph")
    assert {row.field for row in found.report.dropped} == {"nodes.x", "nodes.y"}
    assert all(site.latitude_deg is None for site in found.document.sites)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("NODES 3", "NODES x", "line 1.*number of rows"), ("label x y", "label y x", "line 2.*headings"),
     ("EDGES 6", "EDGES 7", "EDGES has 6 rows"), ("EDGES 6", "EDGES 5", "stands behind"),
     ("e0 0 1 10 100000000 412", "e0", "line 9.*1 values"), ("NODES 3", "NODES 9999999", "at most")],
)  # fmt: skip
def test_a_broken_file_is_refused_with_its_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=message):
        imported(tmp_path, REPETITA.replace(old, new), "net.graph")


def test_an_end_that_is_no_node_is_a_finding(tmp_path: Path) -> None:
    found = imported(tmp_path, REPETITA.replace("e4 1 2", "e4 1 7"), "net.graph")
    assert {row.kind: row.n for row in found.report.findings}["unknown end"] == 1


def test_several_graphs_are_refused(tmp_path: Path) -> None:
    for name in ("a.graph", "b.graph"):
        (tmp_path / name).write_text(REPETITA, encoding="utf-8")
    with pytest.raises(DocumentError, match="several graphs"):
        read([tmp_path / "a.graph", tmp_path / "b.graph"])


def test_accelerators_of_a_server_are_one_host_and_leaves_have_rails(tmp_path: Path) -> None:
    text = SIMAI.replace("7 2 2 1 7 H100\n4 5 6", "8 2 2 2 7 H100\n4 5 6 7").replace("1 6", "1 7").replace("3 6", "3 7")
    found = imported(tmp_path, text, "fabric")
    nodes = {node.id: (node.kind, node.rail, node.n_cards) for node in found.document.nodes}
    assert nodes == {
        "server-0": ("host", None, 2), "server-1": ("host", None, 2),
        "switch-6": ("leaf", 0, None), "switch-7": ("leaf", 1, None),
    }  # fmt: skip
    rates = {link.ends: (link.capacity_gbps, link.latency_us) for link in found.document.links}
    assert rates["server-0", "switch-6"] == (400, 0.5)
    assert rates["server-1", "switch-7"] == (None, 0.5)
    assert {row.field: row.n for row in found.report.dropped}["links inside servers"] == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("7 2 2 1 7 H100", "7 2 2", "line 2: 3 switches"), ("4 5 6", "4 5 x", "line 2.*no number"),
     ("7 2 2 1 7 H100", "7 0 2 1 7 H100", "do not fit"), ("0 6 400Gbps", "0", "line 5: 3 values|no number")],
)  # fmt: skip
def test_a_broken_topology_is_refused_with_its_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "fabric"
    path.write_text(SIMAI.replace(old, new, 1))
    with pytest.raises(DocumentError, match=message):
        read(path, format="simai")


def test_a_count_of_links_that_is_wrong_is_a_finding(tmp_path: Path) -> None:
    found = imported(tmp_path, SIMAI.rpartition("3 6")[0], "fabric")
    assert "wrong count" in {row.kind for row in found.report.findings}


def test_positions_of_a_drawing_are_dropped_as_a_whole(tmp_path: Path) -> None:
    """One position beyond the globe says that none is in degrees."""
    (tmp_path / "net.graph").write_text(REPETITA.replace("7.1 50.7", "7.1 108.7"), encoding="utf-8")
    found = read(tmp_path / "net.graph")
    assert all(site.latitude_deg is None for site in found.document.sites)
    effects = {row.field: row.effect for row in found.report.dropped}
    assert effects["nodes.x"] == effects["nodes.y"] == "no positions in degrees: some lie beyond the globe"


def xml_of(name: str, value: Any) -> str:
    """Plain data of YANG as XML: lists repeat their element, names lose their modules."""
    if isinstance(value, list):
        return "".join(xml_of(name, item) for item in value)
    tag = name.rpartition(":")[2]
    inner = "".join(map(xml_of, value, value.values())) if isinstance(value, dict) else escape(str(value))
    return f"<{tag}>{inner}</{tag}>"


@pytest.mark.parametrize("data", [LAYERS, OPENROADM], ids=["layers", "openroadm"])
def test_xml_gives_the_network_of_the_json(tmp_path: Path, data: dict[str, Any]) -> None:
    text = "".join(map(xml_of, data, data.values()))
    found = imported(tmp_path, f'<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{text}</data>', "net.xml")
    expected = imported(tmp_path, data, "net.json")
    assert found.report.format == "rfc8345"
    plain = [each.document.model_dump_json().replace("net.json", "net.xml") for each in (found, expected)]
    assert plain[0] == plain[1]
