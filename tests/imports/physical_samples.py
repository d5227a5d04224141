"""Small files of formats of physical cabling, written by hand, and short views of what is read of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twin.imports import Imported


def lldpctl(rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Output of `lldpctl -f json`: rows of local port, neighbour, port there."""
    interfaces = [
        {port: {"via": "LLDP", "chassis": {name: {"id": {"type": "mac", "value": f"00:00:00:00:00:{i:02x}"}}},
                "port": {"id": {"type": "ifname", "value": there}, "ttl": "120"}}}
        for i, (port, name, there) in enumerate(rows)
    ]  # fmt: skip
    return {"lldp": {"interface": interfaces}}


def lldp_folder(folder: Path) -> Path:
    """Two leaves and a spine; the server says nothing."""
    folder.mkdir(exist_ok=True)
    leaf = lldpctl([("swp1", "spine-1.lab", "Ethernet1/1"), ("swp2", "srv-1", "eth0")])
    leaf["lldp"]["interface"][1]["swp2"]["port"]["auto-negotiation"] = {"current": "25GBaseCR - copper"}
    other = {"lldpNeighbors": [{"port": "Ethernet1", "neighborDevice": "spine-1.lab", "neighborPort": "Eth1/2"}]}
    spine = {"TABLE_nbor_detail": {"ROW_nbor_detail": [
        {"l_port_id": "Eth1/1", "sys_name": "leaf-1.lab", "chassis_id": "0a", "port_id": "swp1"},
        {"l_port_id": "Eth1/2", "sys_name": "leaf-2.lab", "chassis_id": "0b", "port_id": "Ethernet1"},
        {"l_port_id": "mgmt0", "sys_name": "oob", "chassis_id": "0c", "port_id": "ge-0/0/1"},
    ]}}  # fmt: skip
    for name, data in (("leaf-1", leaf), ("leaf-2_lldp_neighbors", other), ("spine-1", spine)):
        (folder / f"{name}.json").write_text(json.dumps(data))
    return folder


def layer1(*edges: tuple[str, str, str, str]) -> str:
    """A layer-1 topology of Batfish."""
    ends = ({"node1": {"hostname": a, "interfaceName": p}, "node2": {"hostname": b, "interfaceName": q}}
            for a, p, b, q in edges)  # fmt: skip
    return json.dumps({"edges": list(ends)})


LAYER1 = layer1(
    ("leaf-1", "Ethernet1", "spine-1", "Ethernet1/1"),
    ("spine-1", "Ethernet1/1", "leaf-1", "Ethernet1"),
    ("leaf-2", "Ethernet1", "spine-1", "Ethernet1/2"),
    ("spine-1", "Ethernet1/2", "leaf-2", "Ethernet1"),
)
CLAB = """# yaml-language-server: $schema=clab.schema.json
name: small
topology:
  defaults: {kind: nokia_srlinux}
  kinds:
    nokia_srlinux: &srl
      image: ghcr.io/nokia/srlinux:24.10
    linux: {image: alpine}
  groups:
    tor: {labels: {role: leaf}}
  nodes:
    l1: {group: tor}
    l2: {group: tor, labels: {pod: 7}}
    spine1: {<<: *srl, type: ixrd3}
    c1: {kind: linux}
  links:
    - endpoints: ["l1:e1-1", "spine1:e1-1"]
      impairments: {delay: 1ms500us, jitter: 1ms, loss: 0.5}
    - type: veth
      endpoints:
        - {node: l2, interface: e1-1}
        - {node: spine1, interface: e1-2}
    - endpoints: ["c1:eth1", "l1:e1-2"]
    - type: mgmt-net
      endpoint: {node: l1, interface: eth9}
      host-interface: h1
    - endpoints: ["l2:e1-9", "macvlan:${PARENT:=ens3}"]
"""
MINIGRAPH = """<?xml version="1.0" encoding="utf-8"?>
<DeviceMiniGraph xmlns="Microsoft.Search.Autopilot.Evolution" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
  <PngDec>
    <DeviceInterfaceLinks>
      <DeviceLinkBase i:type="DeviceInterfaceLink"><ElementType>DeviceInterfaceLink</ElementType>
        <Bandwidth>40000</Bandwidth><EndDevice>T1-A</EndDevice><EndPort>Ethernet1</EndPort>
        <StartDevice>tor-1</StartDevice><StartPort>fortyGigE0/112</StartPort></DeviceLinkBase>
      <DeviceLinkBase><ElementType>DeviceInterfaceLink</ElementType>
        <Bandwidth>40000</Bandwidth><EndDevice>tor-1</EndDevice><EndPort>fortyGigE0/116</EndPort>
        <StartDevice>T1-A</StartDevice><StartPort>Ethernet2</StartPort></DeviceLinkBase>
      <DeviceLinkBase><ElementType>DeviceInterfaceLink</ElementType>
        <EndDevice>Servers0</EndDevice><EndPort>eth0</EndPort>
        <StartDevice>tor-1</StartDevice><StartPort>fortyGigE0/0</StartPort></DeviceLinkBase>
      <DeviceLinkBase><ElementType>DeviceMgmtLink</ElementType>
        <Bandwidth>1000</Bandwidth><EndDevice>tor-1</EndDevice><EndPort>Management1</EndPort>
        <StartDevice>m0</StartDevice><StartPort>Management1</StartPort></DeviceLinkBase>
    </DeviceInterfaceLinks>
    <Devices>
      <Device i:type="ToRRouter"><Hostname>tor-1</Hostname><HwSku>Force10-S6000</HwSku></Device>
      <Device i:type="LeafRouter"><Hostname>T1-A</Hostname><HwSku>Arista</HwSku></Device>
      <Device i:type="Server"><Hostname>Servers0</Hostname></Device>
    </Devices>
  </PngDec>
  <DpgDec><DeviceDataPlaneInfo><PortChannelInterfaces><PortChannel>
    <Name>PortChannel01</Name><AttachTo>fortyGigE0/112;fortyGigE0/116</AttachTo>
  </PortChannel></PortChannelInterfaces></DeviceDataPlaneInfo></DpgDec>
  <Hostname>tor-1</Hostname>
</DeviceMiniGraph>
"""
CONFIG_DB: dict[str, Any] = {
    "DEVICE_METADATA": {"localhost": {"hostname": "T1-A", "type": "LeafRouter", "hwsku": "ACS"}},
    "PORT": {
        "Ethernet0": {"alias": "Ethernet1", "speed": "40000", "lanes": "1,2", "admin_status": "up"},
        "Ethernet4": {"alias": "Ethernet2", "speed": "40000", "admin_status": "down"},
        "Ethernet8": {"alias": "Ethernet3", "speed": "100000"},
    },
    "PORTCHANNEL_MEMBER": {"PortChannel7|Ethernet0": {}, "PortChannel7|Ethernet4": {}},
    "DEVICE_NEIGHBOR": {
        "Ethernet0": {"name": "tor-1", "port": "fortyGigE0/112"},
        "Ethernet4": {"name": "tor-1", "port": "fortyGigE0/116"},
        "Ethernet8": {"name": "T2-A", "port": "Ethernet9"},
    },
    "DEVICE_NEIGHBOR_METADATA": {"T2-A": {"type": "SpineRouter", "hwsku": "X"}},
    "BGP_NEIGHBOR": {"10.0.0.1": {}},
}
IB = """#
# Topology file: generated on Thu Nov 26 10:00:00 2026
#
# Initiated from node 0000000000000011 port 0000000000000011

vendid=0x2c9
devid=0xd2f0
sysimgguid=0xa1
switchguid=0xa1(a1)
Switch\t41 "S-00000000000000a1"\t\t# "MF0;ib-leaf-a:MQM8700/U1" enhanced port 0 lid 1 lmc 0
[1]\t"H-0000000000000011"[1](11) \t\t# "gpu001 mlx5_0" lid 4 4xHDR
[2]\t"H-0000000000000012"[1](12) \t\t# "gpu001 mlx5_1" lid 5 2xHDR
[21]\t"S-00000000000000b1"[1]\t\t# "Quantum Mellanox Technologies" lid 2 4xHDR
[22]\t"S-00000000000000b1"[2]\t\t# "Quantum Mellanox Technologies" lid 2 4xHDR
[23]\t"S-00000000000000b1"[3]\t\t# "Quantum Mellanox Technologies" lid 2 4xEDR
[41]\t"H-00000000000000f1"[1](f1) \t\t# "Mellanox Technologies Aggregation Node" lid 9 4xHDR

switchguid=0xb1(b1)
Switch\t40 "S-00000000000000b1"\t\t# "Quantum Mellanox Technologies" base port 0 lid 2 lmc 0
[1]\t"S-00000000000000a1"[21]\t\t# "MF0;ib-leaf-a:MQM8700/U1" lid 1 4xHDR
[2]\t"S-00000000000000a1"[22]\t\t# "MF0;ib-leaf-a:MQM8700/U1" lid 1 4xHDR
[3]\t"S-00000000000000a1"[23]\t\t# "MF0;ib-leaf-a:MQM8700/U1" lid 1 4xEDR
[9]\t"H-0000000000000021"[1](21) \t\t# "MT4123 ConnectX6" lid 7 4xXYZ

caguid=0x11
Ca\t1 "H-0000000000000011"\t\t# "gpu001 mlx5_0"
[1](11) \t"S-00000000000000a1"[1]\t\t# lid 4 lmc 0 "MF0;ib-leaf-a:MQM8700/U1" lid 1 4xHDR

caguid=0x12
Ca\t1 "H-0000000000000012"\t\t# "gpu001 mlx5_1"
[1](12) \t"S-00000000000000a1"[2]\t\t# lid 5 lmc 0 "MF0;ib-leaf-a:MQM8700/U1" lid 1 2xHDR
"""


def kinds(found: Imported) -> dict[str, int]:
    counted: dict[str, int] = {}
    for finding in found.report.findings:
        counted[finding.kind] = counted.get(finding.kind, 0) + finding.n
    return counted


def nodes(found: Imported) -> dict[str, str]:
    return {node.id: node.kind for node in found.document.nodes}


def rates(found: Imported) -> dict[str, tuple[Any, int]]:
    return {link.id: (link.capacity_gbps, link.n_parallel) for link in found.document.links}


def written(tmp_path: Path, **files: Any) -> Path:
    """A folder of files; names have `__` for the dot, data is written as JSON."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder
