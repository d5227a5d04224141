"""Readers of physical cabling: LLDP, Batfish, containerlab, SONiC and InfiniBand, by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.imports.physical_samples import (
    CLAB,
    CONFIG_DB,
    MINIGRAPH,
    kinds,
    layer1,
    lldp_folder,
    lldpctl,
    nodes,
    rates,
    written,
)
from tests.imports.samples import SAMPLES
from twin.errors import DocumentError
from twin.formats import native
from twin.imports import build, read
from twin.imports.containerlab_links import duration_us
from twin.imports.files import SourceFile
from twin.imports.lldp import name_of_file
from twin.imports.options import import_options
from twin.imports.sightings import port_key


class TestLldp:
    def test_both_ends_are_one_cable_and_short_names_are_the_same(self, tmp_path: Path) -> None:
        found = read(lldp_folder(tmp_path / "x"))
        assert rates(found) == {
            "leaf-1:swp1~spine-1:Eth1/1": (None, 1),
            "leaf-1:swp2~srv-1:eth0": (25, 1),
            "leaf-2:Ethernet1~spine-1:Eth1/2": (None, 1),
        }
        assert nodes(found) == {"leaf-1": "leaf", "leaf-2": "leaf", "spine-1": "spine", "srv-1": "host"}
        dropped = {row.field: row.places for row in found.report.dropped}
        assert dropped["cables of management ports"] == ("spine-1:mgmt0",)
        (seen,) = [row for row in found.report.assumed if row.what == "cable that one end states"]
        assert (seen.n, seen.places) == (1, ("leaf-1:swp2 ~ srv-1:eth0",))
        assert kinds(found) == {"unknown rate": 2}
        assert {node.site for node in found.document.nodes} == {"site"}  # neighbours by LLDP: no site of its own each
        assert {(row.what, row.value, row.n) for row in found.report.assumed} >= {
            ("site of a device", "site", 4),
            ("length of a cable at one site", "0 km", 3),
        }

    def test_a_cable_that_only_one_of_two_files_states_is_found(self, tmp_path: Path) -> None:
        folder = written(tmp_path, a__json=lldpctl([("e1", "b", "e1")]), b__json=lldpctl([("e9", "c", "e1")]))
        found = read(folder, format="lldp")
        assert kinds(found)["one-sided cable"] == 1
        assert len(found.document.links) == 2

    def test_a_port_that_its_neighbour_names_by_number_is_one_cable(self, tmp_path: Path) -> None:
        folder = written(tmp_path, a__json=lldpctl([("e1", "b", "513"), ("e2", "b", "514")]),
                         b__json=lldpctl([("xe-0", "a", "e1"), ("xe-1", "a", "e2")]))  # fmt: skip
        found = read(folder, format="lldp")
        assert set(rates(found)) == {"a:e1~b:xe-0", "a:e2~b:xe-1"}
        assert "one-sided cable" not in kinds(found)

    def test_one_statement_of_each_end_is_assumed_to_be_one_cable(self, tmp_path: Path) -> None:
        folder = written(tmp_path, a__json=lldpctl([("e1", "b", "x")]), b__json=lldpctl([("e7", "a", "y")]))
        found = read(folder, format="lldp")
        assert set(rates(found)) == {"a:e1~b:e7"}
        assert any(row.what == "ports of a cable" for row in found.report.assumed)

    def test_an_address_is_settled_by_the_name_that_others_give_it(self, tmp_path: Path) -> None:
        json0 = {"lldp": [{"interface": [
            {"name": "eth0", "chassis": [{"id": [{"type": "mac", "value": "02:00:00:00:00:01"}]}],
             "port": [{"id": [{"type": "mac", "value": "02:00:00:00:00:09"}], "descr": [{"value": "swp9"}]}]},
        ]}]}  # fmt: skip
        named = {"lldp": {"interface": {"eth0": {
            "chassis": {"tor": {"id": {"type": "mac", "value": "0200.0000.0001"}, "capability": []}},
            "port": {"id": {"type": "ifname", "value": "swp8"}}}}}}  # fmt: skip
        found = read(written(tmp_path, h1__json=json0, h2__json=named), format="lldp")
        assert set(rates(found)) == {"h1:eth0~tor:swp9", "h2:eth0~tor:swp8"}

    @pytest.mark.parametrize(
        "data",
        [
            {"lldpNeighbors": {"e1": {"lldpNeighborInfo": [{"systemName": "b", "neighborInterfaceInfo": {
                "interfaceId": '"e2"'}}]}}},
            {"jsonrpc": "2.0", "result": [{}, {"lldpNeighbors": [
                {"port": "e1", "neighborDevice": "b", "neighborPort": "e2"}]}]},
            {"TABLE_cdp_neighbor_detail_info": {"ROW_cdp_neighbor_detail_info": {
                "device_id": "b(FOX1234ABCD)", "intf_id": "e1", "port_id": "e2"}}},
            {"ins_api": {"outputs": {"output": {"body": {"TABLE_nbor": {"ROW_nbor": [
                {"chassis_id": "b", "l_port_id": "e1", "port_id": "e2"}]}}}}}},
            {"lldp-neighbors-information": [{"lldp-neighbor-information": [{
                "lldp-local-port-id": [{"data": "e1"}], "lldp-remote-system-name": [{"data": "b"}],
                "lldp-remote-port-id": [{"data": "e2"}]}]}]},
            {"openconfig-lldp:lldp": {"interfaces": {"interface": [{"name": "e1", "neighbors": {"neighbor": [
                {"id": "1", "state": {"system-name": "b", "port-id": "e2"}}]}}]}}},
            {"srl_nokia-lldp:interface": [{"name": "e1", "neighbor": [{"system-name": "b", "port-id": "e2"}]}]},
            {"e1": [{"hostname": "b", "port": "e2"}]},
            [{"LOCAL_INTERFACE": "e1", "NEIGHBOR_NAME": "b", "NEIGHBOR_INTERFACE": "e2"}],
            {"a": {"e1": [{"remote_system_name": "b", "remote_port": "e2"}]}},
        ],
        ids=["eos detail", "eos", "cdp", "nxos", "junos", "openconfig", "srl", "napalm", "ntc", "many hosts"],
    )  # fmt: skip
    def test_shapes(self, data: Any, tmp_path: Path) -> None:
        found = read(written(tmp_path, a__json=data))
        assert found.report.format == "lldp"
        assert set(rates(found)) == {"a:e1~b:e2"}

    def test_two_domains_are_two_devices(self, tmp_path: Path) -> None:
        rows = [("e1", "sw.one.net", "1/1"), ("e2", "sw.two.net", "1/1"), ("e3", "192.0.2.7", "1/1")]
        found = read(written(tmp_path, a__json=lldpctl(rows)))
        assert set(nodes(found)) == {"a", "sw.one.net", "sw.two.net", "192.0.2.7"}

    @pytest.mark.parametrize(
        ("name", "device"),
        [("leaf-1.json", "leaf-1"), ("leaf-1_lldp.json", "leaf-1"), ("show_lldp_neighbors_sw2.json", "sw2"),
         ("sw2.example.org.json", "sw2.example.org"), ("r1-show-cdp-neighbors-detail.json", "r1"),
         ("lldp.json", "lldp"), ("cisco-1.json", "cisco-1")],
    )  # fmt: skip
    def test_a_file_is_named_after_its_device(self, name: str, device: str) -> None:
        assert name_of_file(SourceFile(Path(name))) == device


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Gi0/1", "GigabitEthernet0/1", True), ("Eth1/1", "Ethernet1/1", True), ("Te1/1", "TenGigE1/1", True),
     ("xe-0/0/1", "xe-0/0/1.0", True), ("Gi0/1", "Gi0/11", False), ("Te1/1", "Gi1/1", False),
     ("eth0", "Ethernet0", False), ("swp1", "SWP1", True), ("Hu0/0/0/1", "HundredGigE0/0/0/1", True),
     ("fortyGigE0/4", "FortyGigE0/4", True)],
)  # fmt: skip
def test_names_of_a_port_compare(one: str, other: str, same: bool) -> None:
    assert (port_key(one) == port_key(other)) is same


class TestBatfish:
    def test_edges_in_one_direction_are_cables(self, tmp_path: Path) -> None:
        found = read(written(tmp_path, l1__json=layer1(("A", "e1", "b", "e1"), ("b", "e2", "c", "e1"))))
        assert set(rates(found)) == {"A:e1~b:e1", "b:e2~c:e1"}
        assert set(kinds(found)) == {"unknown rate"}

    def test_one_sided_edges_among_two_sided_ones_and_loops_are_found(self, tmp_path: Path) -> None:
        edges = [("a", "e1", "b", "e1"), ("b", "e1", "a", "e1"), ("a", "e2", "b", "e2"), ("c", "e1", "c", "e2")]
        found = read(written(tmp_path, l1__json=layer1(*edges, ("c", "e2", "c", "e1"), ("a", "e1", "b", "e1"))))
        assert len(found.document.links) == 2
        counted = {kind: n for kind, n in kinds(found).items() if kind not in ("missing length", "unknown rate")}
        assert counted == {"one-sided cable": 1, "self-loop": 1, "duplicate cable": 1}

    def test_tables_beside_it_give_rates_bundles_and_kinds(self, tmp_path: Path) -> None:
        table = (
            "Interface,Active,Speed,Bandwidth,Channel_Group,Description\n"
            "leaf-1[Ethernet1],True,1e11,5e10,,up\nspine-1[Ethernet1/1],False,,100000000000.0,None,\n"
            "leaf-2[Ethernet1],True,4e10,4e10,Po1,\nspine-1[Ethernet1/2],True,4e10,4e10,Po2,\n"
        )
        answer = {"answerElements": [{"rows": [{"Node": "leaf-1", "Device_Type": "HOST"}]}]}
        sample = SAMPLES["batfish"](tmp_path / "x").read_text()
        folder = written(tmp_path, layer1_topology__json=sample, ifs__csv=table, nodes__json=answer)
        found = read(folder, format="batfish")
        assert rates(found) == {"leaf-1:Ethernet1~spine-1:Ethernet1/1": (100, 1), "leaf-2:Po1~spine-1:Po2": (40, 1)}
        assert {link.id: link.up for link in found.document.links}["leaf-1:Ethernet1~spine-1:Ethernet1/1"] is False
        assert nodes(found)["leaf-1"] == "host"

    def test_edges_as_a_table(self, tmp_path: Path) -> None:
        rows = [{"Interface": "a[e1]", "Remote_Interface": {"hostname": "b", "interface": "e2"}},
                {"Interface": "a[e1.5]", "Remote_Interface": "b[e2.5]", "IPs": ["10.0.0.1"]}]  # fmt: skip
        found = read(written(tmp_path, edges__json=rows), format="batfish")
        assert set(rates(found)) == {"a:e1~b:e2"}
        assert any("layer 3" in row.effect for row in found.report.dropped)


class TestContainerlab:
    def test_a_topology(self, tmp_path: Path) -> None:
        found = read(SAMPLES["containerlab"](tmp_path / "x"))
        assert found.document.name == "small"
        assert nodes(found) == {"c1": "host", "l1": "leaf", "l2": "leaf", "spine1": "spine"}
        assert {node.id: node.tags for node in found.document.nodes}["l2"] == (
            "kind: nokia_srlinux", "image: ghcr.io/nokia/srlinux:24.10", "group: tor", "pod=7",
        )  # fmt: skip
        links = {link.id: link for link in found.document.links}
        assert set(links) == {"l1:e1-1~spine1:e1-1", "l2:e1-1~spine1:e1-2", "c1:eth1~l1:e1-2"}
        first = links["l1:e1-1~spine1:e1-1"]
        assert (first.latency_us, first.loss_ratio) == (1500, pytest.approx(0.005))
        dropped = {row.field: row.n for row in found.report.dropped}
        assert dropped["links of type mgmt-net"] == dropped["links to macvlan"] == 1
        assert dropped["links.impairments.jitter"] == 1

    def test_a_lab_is_one_site_unless_groups_or_labels_name_others(self, tmp_path: Path) -> None:
        nodes_of = "  nodes: {{a: {{kind: ceos{}}}, b: {{kind: ceos{}}}, c: {{group: leaf}}}}\n"
        text = "name: lab\ntopology:\n" + nodes_of + '  links: [{{endpoints: ["a:eth1", "b:eth1"]}}]\n'
        for more, sites, missing in (
            (("", ""), ["lab", "lab", "lab"], 0),
            ((", group: dc1", ", labels: {site: North}"), ["dc1", "North", None], 1),
        ):
            path = tmp_path / "t.yml"
            path.write_text(text.format(*more))
            found = read(path)
            assert [node.site for node in found.document.nodes] == sites
            assert kinds(found).get("missing length", 0) == missing

    def test_impairments_beside_it(self, tmp_path: Path) -> None:
        rows = {
            "l1": [{"interface": "e1-1", "delay": "2ms", "jitter": "", "packet_loss": 1.0, "rate": 0}],
            "spine1": [{"interface": "e1-1 (x)", "delay": "", "packet_loss": 0.0, "rate": 0},
                       {"interface": "e1-2", "delay": "1s", "packet_loss": 100.0, "rate": 1000000}],
        }  # fmt: skip
        found = read(written(tmp_path, lab__yml=CLAB, netem__json=rows), format="containerlab")
        links = {link.id: link for link in found.document.links}
        first, second = links["l1:e1-1~spine1:e1-1"], links["l2:e1-1~spine1:e1-2"]
        assert (first.latency_us, first.loss_ratio) == ((2000, 0), 0.01)
        assert (second.latency_us, second.capacity_gbps, second.up) == ((0, 1e6), 1, False)

    @pytest.mark.parametrize(
        ("own", "rates", "rate", "n_assumed"),
        [("", (1, 0), 1, 1), ("", (0, 1), 1, 1), ("", (1, 2), (1, 2), 0), ("", (1, 1), 1, 0), ("", (0, 0), None, 0),
         ("\n      vars: {rate: 10Gbit}", (1, 0), (1, 10), 0), ("\n      vars: {rate: 10Gbit}", (0, 1), (10, 1), 0)],
    )  # fmt: skip
    def test_a_limit_of_one_direction_leaves_the_rate_of_the_other(
        self, own: str, rates: tuple[int, int], rate: Any, n_assumed: int, tmp_path: Path
    ) -> None:
        lab = f'topology:\n  nodes: {{a: {{}}, b: {{}}}}\n  links:\n    - endpoints: ["a:e1", "b:e1"]{own}\n'
        rows = {n: [{"interface": "e1", "rate": gbps * 10**6}] for n, gbps in zip("ab", rates, strict=True)}
        found = read(written(tmp_path, lab__yml=lab, netem__json=rows), format="containerlab")
        assert [link.capacity_gbps for link in found.document.links] == [rate]
        assert sum(row.n for row in found.report.assumed if row.what == "rate of a direction") == n_assumed

    def test_linux_nodes_are_hosts_unless_name_or_image_say_otherwise(self, tmp_path: Path) -> None:
        text = (
            "topology:\n  nodes:\n    a: {kind: linux, image: frrouting/frr}\n    leaf1: {kind: linux}\n"
            "    x:\n    br: {kind: bridge}\n    y: {kind: linux}\n    super-spine2: {kind: ceos}\n"
        )
        found = read(written(tmp_path, t__yml=text))
        assert nodes(found) == {"a": "switch", "leaf1": "leaf", "x": "switch", "br": "switch", "y": "host",
                                "super-spine2": "core"}  # fmt: skip

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("nodes:\n    l1", "nodes:\n  {{ if }}\n    l1", "render it first"),
            ("  nodes:\n    l1: {group: tor}", "  nodes: []\n  x:\n    l1: 1", "topology with nodes"),
            ("links:\n", "links: 3\n  other:\n", "links hold a number"),
            ("name: small", "name: small\nname: twice", "stands twice"),
            ("*srl", "*nobody", "undefined alias"),
            ("<<: *srl", "<<: 3", "takes mappings"),
        ],
    )
    def test_broken_topologies_are_refused(self, old: str, new: str, message: str, tmp_path: Path) -> None:
        assert old in CLAB
        with pytest.raises(DocumentError, match=message):
            read(written(tmp_path, t__yml=CLAB.replace(old, new)))

    def test_broken_links_are_findings(self, tmp_path: Path) -> None:
        text = (
            "topology:\n  nodes: {a: , b: 7, c: {}}\n  links:\n    - 3\n    - endpoints: [a]\n"
            '    - endpoints: ["a:1", "nobody:1"]\n    - endpoints: ["a:2", "b:2"]\n      vars: {delay: 5, loss: 700}\n'
            '    - endpoints: ["a:3", "host:e"]\n    - endpoints: ["a:${X}", "c:1"]\n'
        )
        found = read(written(tmp_path, t__yml=text))
        assert set(rates(found)) == {"a:2~b:2", "a:${X}~c:1"}
        assert {"bad value": 4, "one-sided cable": 1, "unknown end": 1, "unknown variable": 1}.items() <= kinds(
            found
        ).items()

    def test_merge_keys_are_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Merges of merges hold each key once; a chain of ever longer ones stops."""
        lines = ["x0: &a0 {k0: 1, k1: 2}"]
        lines += [f"x{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 60)]
        text = "\n".join([*lines, CLAB])
        assert nodes(read(written(tmp_path, t__yml=text)))["l1"] == "leaf"
        monkeypatch.setattr(native, "MAX_MERGED", 1000)
        base = "".join(f"k{i}: 1, " for i in range(60))
        many = [f"a{i}: {{<<: *big}}" for i in range(20)]
        text = "\n".join([f"x: &big {{{base}}}", *many, CLAB])
        (tmp_path / "big.yml").write_text(text)
        with pytest.raises(DocumentError, match="too many merge keys"):
            read(tmp_path / "big.yml")

    def test_aliases_that_multiply_are_refused(self, tmp_path: Path) -> None:
        lines = ["x0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
        lines += [f"x{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
        with pytest.raises(DocumentError, match="too large once its aliases"):
            read(written(tmp_path, t__yml="\n".join([*lines, CLAB])))

    @pytest.mark.parametrize(
        ("text", "us"), [("5ms", 5000), ("1m0.5s", 60.5e6), ("250us", 250), ("5", None), ("ms", None), ("-5ms", None)]
    )
    def test_durations(self, text: str, us: float | None) -> None:
        assert duration_us(text) == us


class TestSonic:
    def test_a_minigraph(self, tmp_path: Path) -> None:
        found = read(SAMPLES["sonic"](tmp_path / "x"))
        assert nodes(found) == {"tor-1": "leaf", "T1-A": "spine", "Servers0": "host"}
        assert rates(found) == {
            "T1-A:PortChannel01~tor-1:PortChannel01": (40, 2),
            "Servers0:eth0~tor-1:fortyGigE0/0": (None, 1),
        }
        assert {row.field: row.n for row in found.report.dropped}["links of type DeviceMgmtLink"] == 1
        assert [row.n for row in found.report.assumed if row.what == "bundle at the far end"] == [2]

    def test_files_of_several_switches_are_merged_by_hostname(self, tmp_path: Path) -> None:
        found = read(written(tmp_path, minigraph__xml=MINIGRAPH, t1__json=CONFIG_DB), format="sonic")
        links = {link.id: link for link in found.document.links}
        assert set(links) == {"T1-A:PortChannel7~tor-1:PortChannel01", "T1-A:Ethernet8~T2-A:Ethernet9",
                              "Servers0:eth0~tor-1:fortyGigE0/0"}  # fmt: skip
        bundle = links["T1-A:PortChannel7~tor-1:PortChannel01"]
        assert (bundle.n_parallel, bundle.n_failed, bundle.capacity_gbps) == (2, 1, 40)
        assert set(bundle.tags) == {"T1-A:Ethernet0 ~ tor-1:fortyGigE0/112", "T1-A:Ethernet4 ~ tor-1:fortyGigE0/116"}
        assert links["T1-A:Ethernet8~T2-A:Ethernet9"].capacity_gbps == 100
        assert nodes(found)["T2-A"] == "core"
        assert "one-sided cable" not in kinds(found)

    def test_what_differs_between_files_is_found(self, tmp_path: Path) -> None:
        config = json.loads(json.dumps(CONFIG_DB))
        config["DEVICE_METADATA"]["localhost"]["type"] = "ToRRouter"
        del config["DEVICE_NEIGHBOR"]["Ethernet4"]
        config["DEVICE_NEIGHBOR"]["Ethernet12"] = {"name": "None"}
        config["PORT"]["Ethernet16"] = "up"
        folder = written(tmp_path, a__xml=MINIGRAPH, b__json=config, c__json=config)
        found = kinds(read(folder, format="sonic"))
        assert {"conflict": 2, "one-sided cable": 3, "duplicate id": 1, "bad value": 2}.items() <= found.items()

    def test_chips_of_a_line_card_are_the_switch(self, tmp_path: Path) -> None:
        link = (
            "<DeviceLinkBase><ElementType>DeviceInterfaceLink</ElementType><ChassisInternal>true</ChassisInternal>"
            "<EndDevice>{}</EndDevice><EndPort>Eth0</EndPort><StartDevice>{}</StartDevice><StartPort>{}</StartPort>"
            "</DeviceLinkBase>"
        )
        links = [("ASIC0", "T1-A", "e7"), ("ASIC1", "T1-A", "e8"), ("ASIC0", "tor-1", "e0"), ("ASIC0", "ASIC1", "e0")]
        text = MINIGRAPH.replace("</DeviceInterfaceLinks>", "".join(link.format(*row) for row in links)
                                 + "</DeviceInterfaceLinks>")  # fmt: skip
        bundle = (
            "<DpgDec><DeviceDataPlaneInfo><Hostname>ASIC0</Hostname><PortChannelInterfaces><PortChannel>"
            "<Name>PortChannel9</Name><AttachTo>Eth0</AttachTo></PortChannel></PortChannelInterfaces>"
            "</DeviceDataPlaneInfo>"
        )
        found = read(written(tmp_path, m__xml=text.replace("<DpgDec>", bundle)))
        assert {"T1-A:PortChannel9~tor-1:PortChannel9", "T1-A:e8~tor-1:ASIC1 Eth0"} <= set(rates(found))
        assert {row.field: row.n for row in found.report.dropped}["links inside of a chassis"] == 2
        assert "ASIC0" not in nodes(found)


def test_a_stated_site_makes_cables_indoor(tmp_path: Path) -> None:
    found = read(SAMPLES["ibnetdiscover"](tmp_path / "x"), options=import_options(site="Hall"))
    assert found.report.supports.latency.supported
    assert "missing length" not in kinds(found)


def test_too_many_sites_of_their_own_are_refused_with_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "MAX_SITES", 3)
    path = written(tmp_path, cables__csv="a,b\n" + "".join(f"spine,leaf-{i}\n" for i in range(3)))
    with pytest.raises(DocumentError, match=r"4 sites.*--site NAME"):
        read(path)
    assert read(path, options=import_options(site="Hall")).document.nodes


def test_sites_are_stated_by_pattern_and_links_between_them_have_no_known_length(tmp_path: Path) -> None:
    path = written(tmp_path, l1__json=layer1(("east-1", "e1", "east-2", "e1"), ("east-2", "e2", "west-1", "e1")))
    found = read(path, options=import_options(site=["^east=East", "West"]))
    assert {node.id: node.site for node in found.document.nodes} == {
        "east-1": "East",
        "east-2": "East",
        "west-1": "West",
    }
    assert kinds(found)["missing length"] == 1
