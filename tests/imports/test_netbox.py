"""NetBox dumps: cables traced through panels and circuits, bundles, breakouts, and what is found wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.imports.netbox_dump import CIRCUIT, FRONT, INTERFACE, REAR, Dump, worked_case
from tests.imports.samples import SAMPLES
from twin.errors import DocumentError
from twin.imports import Imported, read
from twin.loading import from_document
from twin.model.records import Link


def imported(dump: Dump, tmp_path: Path) -> Imported:
    return read(dump.write(tmp_path / "dump"))


def findings(found: Imported) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in found.report.findings:
        counts[finding.kind] = counts.get(finding.kind, 0) + finding.n
    return counts


def only_link(found: Imported) -> Link:
    (link,) = found.document.links
    return link


def two_routers(kind: str = "100gbase-x-qsfp28", n: int = 1) -> tuple[Dump, list[int], list[int]]:
    dump = Dump()
    site = dump.site("DC1")
    a, b = dump.device("leaf-1", "Leaf", site), dump.device("spine-1", "Spine", site)
    return (
        dump,
        [dump.interface(a, f"e{i}", kind) for i in range(n)],
        [dump.interface(b, f"x{i}", kind) for i in range(n)],
    )


def test_the_worked_case_is_one_link(tmp_path: Path) -> None:
    """30 m + 12.4 km + 45 m = 12.475 km; two panels of two connectors each."""
    found = imported(worked_case(), tmp_path)
    link = only_link(found)
    assert (link.n_parallel, link.capacity_gbps, link.n_fibre_pairs) == (4, 400, 4)
    assert sum(span.length_km for span in link.spans) == pytest.approx(12.475, abs=1e-5)
    assert sum(span.n_connectors for span in link.spans) == 4
    assert link.id == "border 1:Port-Channel1~border 2:Port-Channel1"
    assert "border 1:Ethernet1/1 ~ border 2:Ethernet9/1" in link.tags
    assert [span.name for span in link.spans if span.length_km == 12.4] == ["DF-1"]
    assert not findings(found)
    attenuation = next(row for row in found.report.assumed if row.what == "attenuation of fibre")
    assert (attenuation.value, attenuation.n) == ("that of G.652.D", 1)
    assert found.report.supports.latency.supported
    assert [site.id for site in found.document.sites] == ["Halle Nord", "Süd"]
    assert {node.kind for node in found.document.nodes} == {"border"}


def test_the_worked_case_is_evaluated(tmp_path: Path) -> None:
    network = from_document(imported(worked_case(), tmp_path).document)
    rows = network.link_table().rows
    assert all(row.length_km == pytest.approx(12.475, abs=1e-4) for row in rows)
    assert network.score(main_assumptions=False)["n_links_below_margin"] == 0


def test_a_bare_list_and_an_envelope_give_the_same(tmp_path: Path) -> None:
    first = read(worked_case().write(tmp_path / "a", envelope=True)).document
    assert first == read(worked_case().write(tmp_path / "b", envelope=False)).document
    together = tmp_path / "all.json"
    together.write_text(json.dumps({f"dcim/{name}/": records for name, records in worked_case().endpoints.items()}))
    assert len(read(together).document.links) == 1


def test_pages_of_one_endpoint_are_read_together(tmp_path: Path) -> None:
    folder = worked_case().write(tmp_path / "dump", envelope=False)
    records = json.loads((folder / "cables.json").read_text())
    (folder / "cables.json").unlink()
    (folder / "dcim_cables_1.json").write_text(json.dumps(records[:7]))
    (folder / "dcim_cables_2.json").write_text(json.dumps(records[7:]))
    assert only_link(read(folder)).n_parallel == 4


def test_a_page_of_several_is_a_finding(tmp_path: Path) -> None:
    folder = worked_case().write(tmp_path / "dump")
    page: dict[str, Any] = json.loads((folder / "sites.json").read_text()) | {
        "count": 99,
        "next": "https://x/?offset=2",
    }
    (folder / "sites.json").write_text(json.dumps(page))
    assert findings(read(folder))["incomplete dump"] == 1


def test_a_trunk_with_positions_keeps_its_pairs(tmp_path: Path) -> None:
    """Two panels joined by one trunk: front port 2 of one is front port 2 of the other."""
    dump, near, far = two_routers(n=3)
    panels = [dump.panel(f"cassette {i}", 1, 3, shared_rear=True) for i in (1, 2)]
    dump.cable([(REAR, panels[0][1][0])], [(REAR, panels[1][1][0])], 90)
    for i in (2, 0, 1):
        dump.cable([(INTERFACE, near[i])], [(FRONT, panels[0][0][i])], 5)
        dump.cable([(FRONT, panels[1][0][i])], [(INTERFACE, far[i])], 5)
    found = imported(dump, tmp_path)
    assert {link.id for link in found.document.links} == {f"leaf-1:e{i}~spine-1:x{i}" for i in range(3)}
    for link in found.document.links:
        assert sum(span.length_km for span in link.spans) == pytest.approx(0.1)
        assert [span.n_connectors for span in link.spans] == [2, 2, 0]


def test_a_breakout_is_links_that_fail_together(tmp_path: Path) -> None:
    dump = Dump()
    site = dump.site("DC1")
    leaf = dump.device("leaf", "Leaf", site)
    port = dump.interface(leaf, "Ethernet1", "400gbase-x-qsfpdd")
    ends = [dump.interface(dump.device(f"gpu{i}", "Server", site), "eth0", "100gbase-x-qsfp28") for i in range(4)]
    dump.cable([(INTERFACE, port)], [(INTERFACE, end) for end in ends], 3, type="dac-passive")
    found = imported(dump, tmp_path)
    assert len(found.document.links) == 4
    assert {link.capacity_gbps for link in found.document.links} == {100}
    assert {link.srlgs for link in found.document.links} == {("port leaf:Ethernet1",)}
    assert not findings(found)
    demands = [{"id": "d", "source": "gpu0", "target": "gpu3", "offered_gbps": 10}]
    report = from_document(found.document.to_dict() | {"demands": demands}).failures(of="srlg")
    (failure,) = report.failures
    assert failure.n_demand_pairs_lost == 1


def test_an_unknown_interface_type_has_no_rate(tmp_path: Path) -> None:
    dump, near, far = two_routers("other")
    dump.cable([(INTERFACE, near[0])], [(INTERFACE, far[0])], 3)
    found = imported(dump, tmp_path)
    assert only_link(found).capacity_gbps is None
    assert findings(found) == {"unknown interface type": 2, "unknown rate": 1}
    assert from_document(found.document).score(main_assumptions=False).to_dict()["metrics"]


def test_the_stated_speed_counts_first(tmp_path: Path) -> None:
    dump, near, far = two_routers()
    for port, end in ((near, 0), (far, 0)):
        dump.endpoints["interfaces"][port[end] - 1]["speed"] = 40_000_000
    dump.cable([(INTERFACE, near[0])], [(INTERFACE, far[0])])
    assert only_link(imported(dump, tmp_path)).capacity_gbps == 40


def test_mixed_speeds_in_a_bundle_are_two_links_and_a_finding(tmp_path: Path) -> None:
    dump = worked_case()
    for record in dump.endpoints["interfaces"]:
        if record["name"] in ("Ethernet4/1", "Ethernet12/1"):
            record["type"] = {"value": "100gbase-x-qsfp28"}
    found = imported(dump, tmp_path)
    assert sorted((link.capacity_gbps, link.n_parallel) for link in found.document.links) == [(100, 1), (400, 3)]
    assert findings(found) == {"mixed speeds": 1}


def test_an_unknown_rate_of_a_bundle_counts_once(tmp_path: Path) -> None:
    dump = worked_case()
    for record in dump.endpoints["interfaces"]:
        record["type"] = {"value": "other"}
    found = imported(dump, tmp_path)
    assert (only_link(found).n_parallel, only_link(found).capacity_gbps) == (4, None)
    assert findings(found) == {"unknown interface type": 8, "unknown rate": 1}
    assert found.report.supports.routing.why == "yes, but no utilisation for 1 of 1 links"


def test_a_bundle_at_one_end_only_is_a_finding(tmp_path: Path) -> None:
    dump = worked_case(2)
    for record in dump.endpoints["interfaces"]:
        if record["name"] == "Ethernet9/1":
            record["lag"] = None
    found = imported(dump, tmp_path)
    assert sorted(link.n_parallel for link in found.document.links) == [1, 1]
    assert findings(found) == {"one-sided bundle": 1}


def test_a_copper_patch_before_a_circuit_keeps_its_length(tmp_path: Path) -> None:
    dump = worked_case(1)
    dump.endpoints["cables"][0]["type"] = "cat6"
    assert sum(s.length_km for s in only_link(imported(dump, tmp_path)).spans) == pytest.approx(12.475, abs=1e-5)


def test_a_circle_of_panels_ends(tmp_path: Path) -> None:
    dump, near, _ = two_routers()
    front, rear = dump.panel("P1", 1, 2)
    dump.cable([(INTERFACE, near[0])], [(FRONT, front[0])])
    dump.cable([(REAR, rear[0])], [(REAR, rear[1])])
    dump.cable([(FRONT, front[1])], [(FRONT, front[0])])
    found = imported(dump, tmp_path)
    assert not found.document.links
    assert findings(found)["cycle"] == 1


def test_cables_that_end_nowhere_are_findings(tmp_path: Path) -> None:
    dump, near, far = two_routers(n=3)
    front, _ = dump.panel("P1", 1, 1)
    dump.cable([(INTERFACE, near[0])], [(FRONT, front[0])])
    dump.cable([(INTERFACE, near[1])], [])
    dump.cable([(INTERFACE, near[2])], [(INTERFACE, 999)])
    dump.cable([(INTERFACE, far[0])], [(INTERFACE, far[1])])
    found = imported(dump, tmp_path)
    assert findings(found) == {"one-sided cable": 3, "unknown end": 1, "self-loop": 1, "no links": 1}


def test_a_provider_network_is_a_node_and_a_finding(tmp_path: Path) -> None:
    dump, near, far = two_routers()
    dump.add("provider-networks", name="Carrier MPLS")
    for port in (near[0], far[0]):
        circuit = dump.circuit(f"C-{port}", 80, commit_rate=10_000_000)
        dump.endpoints["circuit-terminations"][circuit[1] - 1]["provider_network"] = {"id": 1, "name": "Carrier MPLS"}
        dump.cable([(INTERFACE, port)], [(CIRCUIT, circuit[0])], 10)
    found = imported(dump, tmp_path)
    assert {node.id for node in found.document.nodes} == {"leaf-1", "spine-1", "Carrier MPLS"}
    assert [(link.capacity_gbps, len(link.ends)) for link in found.document.links] == [(10, 2), (10, 2)]
    assert findings(found) == {"provider network": 1}


def test_a_circuit_without_a_length_leaves_the_length_unknown(tmp_path: Path) -> None:
    dump = worked_case(1)
    dump.endpoints["circuits"][0]["distance"] = None
    dump.endpoints["circuits"][0]["distance_unit"] = None
    dump.endpoints["sites"][0]["latitude"] = None
    found = imported(dump, tmp_path)
    assert only_link(found).spans == ()
    assert findings(found) == {"missing length": 1}
    assert not found.report.supports.latency.supported
    latencies = {row.latency_us for row in from_document(found.document).link_table().rows}
    assert latencies == {None}


def test_units_of_lengths_are_converted(tmp_path: Path) -> None:
    dump, near, far = two_routers(n=2)
    dump.cable([(INTERFACE, near[0])], [(INTERFACE, far[0])], 1000)
    dump.endpoints["cables"][0]["length_unit"] = {"value": "ft"}
    dump.cable([(INTERFACE, near[1])], [(INTERFACE, far[1])], 7)
    dump.endpoints["cables"][1]["length_unit"] = {"value": "furlong"}
    found = imported(dump, tmp_path)
    by_id = {link.id: link for link in found.document.links}
    assert by_id["leaf-1:e0~spine-1:x0"].spans[0].length_km == pytest.approx(0.3048)
    assert by_id["leaf-1:e1~spine-1:x1"].spans == ()
    assert findings(found) == {"bad value": 1}


def test_names_states_and_tags_are_kept(tmp_path: Path) -> None:
    dump = Dump()
    site = dump.site("Zürich – Hardstraße 1")
    tags = [{"id": 1, "name": "prod, ausfallkritisch"}]
    a = dump.device("Übergabe Router 1", "Router", site, tags=tags, rack={"id": 4, "name": "R 07"})
    b = dump.device("srv 9", "Server", site, status={"value": "offline", "label": "Offline"})
    dump.cable(
        [(INTERFACE, dump.interface(a, "Te 1/1", "10gbase-x-sfpp"))],
        [(INTERFACE, dump.interface(b, "eth0", "10gbase-t"))],
    )
    document = imported(dump, tmp_path).document
    node = {node.id: node for node in document.nodes}["Übergabe Router 1"]
    assert node.tags == ("prod, ausfallkritisch", "model: Maker X-1", "rack: R 07")
    assert (node.kind, node.site) == ("switch", "Zürich – Hardstraße 1")
    assert not {node.id: node for node in document.nodes}["srv 9"].up
    rows = from_document(document).link_table().rows
    assert {row.id for row in rows} == {"Übergabe Router 1:Te 1/1~srv 9:eth0"}


def test_fields_of_older_versions_are_read(tmp_path: Path) -> None:
    dump, near, far = two_routers()
    dump.cable([(INTERFACE, near[0])], [(INTERFACE, far[0])], 3)
    record = dump.endpoints["cables"][0]
    for side, port in (("a", near[0]), ("b", far[0])):
        del record[f"{side}_terminations"]
        record |= {f"termination_{side}_type": INTERFACE, f"termination_{side}_id": port}
    for device in dump.endpoints["devices"]:
        device["device_role"] = device.pop("role")
    found = imported(dump, tmp_path)
    assert only_link(found).capacity_gbps == 100
    assert {node.kind for node in found.document.nodes} == {"leaf", "spine"}


def test_power_strips_and_their_cables_are_left_out(tmp_path: Path) -> None:
    dump, near, far = two_routers()
    dump.device("PDU 1", "PDU", 1)
    dump.cable([("dcim.powerport", 1)], [("dcim.poweroutlet", 4)])
    dump.cable([(INTERFACE, near[0])], [(INTERFACE, far[0])], 3)
    found = imported(dump, tmp_path)
    assert len(found.document.nodes) == 2
    assert {row.field for row in found.report.dropped} >= {"cables", "devices"}


def test_a_folder_without_devices_names_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "cables.json").write_text("[]")
    with pytest.raises(DocumentError, match="devices among the endpoints"):
        read(tmp_path)


@pytest.mark.parametrize("content", ["[1]", '[{"name": "x"}]', '{"results": 3}', "{", '[{"id": true}]'])
def test_broken_dumps_name_the_file(tmp_path: Path, content: str) -> None:
    folder = worked_case(1).write(tmp_path / "dump")
    (folder / "devices.json").write_text(content)
    with pytest.raises(DocumentError, match=r"devices\.json"):
        read(folder, format="netbox")


def test_a_device_with_virtual_interfaces_only_is_left_out(tmp_path: Path) -> None:
    folder = SAMPLES["netbox"](tmp_path / "dump")
    interfaces = json.loads((folder / "interfaces.json").read_text())
    devices = json.loads((folder / "devices.json").read_text())
    device = {**devices["results"][0], "id": 900, "name": "vm"}
    devices["results"].append(device)
    port = {"id": 901, "name": "lo0", "device": {"id": 900, "name": "vm"}, "type": {"value": "virtual"}}
    interfaces["results"].append(port)
    (folder / "interfaces.json").write_text(json.dumps(interfaces))
    (folder / "devices.json").write_text(json.dumps(devices))
    found = read(folder)
    assert "vm" not in {node.id for node in found.document.nodes}
    assert "vm" in next(row.places for row in found.report.dropped if row.field == "devices")


@pytest.mark.parametrize(
    ("endpoint", "cost"),
    [
        ("interfaces", "rates, states"),
        ("sites", "positions"),
        ("front-ports", "cables to patch panels end there"),
        ("rear-ports", "cables to patch panels end there"),
        ("circuits", "lengths, rates and states of circuits"),
        ("circuit-terminations", "cables to circuits end there"),
    ],
)
def test_an_endpoint_that_is_missing_is_named_with_what_it_costs(endpoint: str, cost: str, tmp_path: Path) -> None:
    dump = worked_case()
    del dump.endpoints[endpoint]
    if endpoint == "interfaces":
        with pytest.raises(DocumentError, match=r"no cable can be read without interfaces\.json"):
            read(dump.write(tmp_path / "none"))
        for cable in dump.endpoints["cables"]:
            for end in (*cable["a_terminations"], *cable["b_terminations"]):
                if end["object_type"] == INTERFACE:
                    end["object"] = {"id": end["object_id"], "name": f"e{end['object_id']}",
                                     "device": {"id": 1 + end["object_id"] % 2}}  # fmt: skip
    found = read(dump.write(tmp_path / "dump"))
    rows = [row for row in found.report.findings if row.kind == "missing endpoint"]
    assert [row.problem.partition(": ")[0] for row in rows] == [f"no {endpoint}.json"]
    assert cost in rows[0].problem


def test_endpoints_that_no_cable_needs_are_not_missed(tmp_path: Path) -> None:
    dump = Dump()
    site = dump.site("A")
    ports = [dump.interface(dump.device(name, "Leaf", site), "e1", "10gbase-x-sfpp") for name in ("a", "b")]
    dump.cable([(INTERFACE, ports[0])], [(INTERFACE, ports[1])], 3)
    for name in ("front-ports", "rear-ports", "circuits", "circuit-terminations"):
        del dump.endpoints[name]
    assert "missing endpoint" not in findings(read(dump.write(tmp_path / "dump")))
    del dump.endpoints["cables"]
    (tmp_path / "dump" / "cables.json").unlink()
    with pytest.raises(DocumentError, match=r"no cable can be read without cables\.json"):
        read(tmp_path / "dump")


def test_a_dump_of_the_database_is_read_as_the_api_is(tmp_path: Path) -> None:
    """Rows by model: names of others by their ids, ends of cables in rows of their own, types as lists."""

    def row(table: str, pk: int, **fields: Any) -> dict[str, Any]:
        return {"model": table, "pk": pk, "fields": {"_name": "x", **fields}}

    def end(pk: int, cable: int, side: str, model: str, port: int) -> dict[str, Any]:
        kind = model.split(".")
        return row("dcim.cabletermination", pk, cable=cable, cable_end=side, termination_type=kind, termination_id=port)

    rows = [
        {"model": "contenttypes.contenttype", "fields": {"app_label": "dcim"}},
        row("dcim.site", 1, name="Nord", latitude="51.5", longitude="12.0"),
        row("dcim.devicerole", 7, name="Leaf", slug="leaf"),
        row("dcim.manufacturer", 3, name="Maker"),
        row("dcim.devicetype", 2, manufacturer=3, model="X-1", slug="x-1"),
        row("dcim.device", 11, name="leaf 1", role=7, site=1, device_type=2, status="active"),
        row("dcim.device", 12, name="leaf 2", device_role=7, site=1, device_type=2, status="planned"),
        row("dcim.interface", 21, device=11, name="e1", type="100gbase-x-qsfp28", lag=None, enabled=True),
        row("dcim.interface", 22, device=12, name="e1", type="100gbase-x-qsfp28", lag=None, enabled=True),
        row("dcim.cable", 31, type="mmf-om4", status="connected", label="K1", length="30.0", length_unit="m"),
        end(41, 31, "A", "dcim.interface", 21),
        end(42, 31, "B", "dcim.interface", 22),
    ]
    path = tmp_path / "netbox.json"
    path.write_text(json.dumps(rows))
    found = read(path)
    (link,) = found.document.links
    assert (link.id, link.ends, link.capacity_gbps, link.spans[0].fibre) == ("K1", ("leaf 1", "leaf 2"), 100, "OM4")
    assert [(n.id, n.kind, n.site, n.up) for n in found.document.nodes] == [
        ("leaf 1", "leaf", "Nord", True),
        ("leaf 2", "leaf", "Nord", False),
    ]
    assert "model: Maker X-1" in found.document.nodes[0].tags
    assert findings(found) == {}
