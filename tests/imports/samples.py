"""A file of each format, written by hand, that stands for the same small network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.imports.gnpy_samples import topology
from tests.imports.layer_samples import ASTRA_SIM, LAYERS, REPETITA, SIMAI
from tests.imports.netbox_dump import INTERFACE, Dump
from tests.imports.netgraph_samples import NETGRAPH
from tests.imports.physical_samples import CLAB, IB, LAYER1, MINIGRAPH, lldp_folder

NODE_LINK = {
    "directed": False,
    "multigraph": True,
    "graph": {"name": "three cities"},
    "nodes": [
        {"id": 0, "name": "Köln Süd", "role": "core", "lat": 50.9, "lon": 6.96, "vendor": "X"},
        {"id": 1, "name": "Aachen", "role": "Border Router", "lat": 50.8, "lon": 6.08},
        {"id": 2, "name": "Bonn", "role": "firewall", "lat": 50.7, "lon": 7.1},
    ],
    "links": [
        {"source": 0, "target": 1, "key": 0, "capacity_gbps": 100, "length_km": 80.5, "weight": 2},
        {"source": 0, "target": 2, "key": 0, "bandwidth": "2x10G"},
        {"source": 1, "target": 2, "key": 0, "capacity": 40},
    ],
}
GRAPHML = """<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d0" for="node" attr.name="label" attr.type="string"/>
  <key id="d1" for="node" attr.name="Latitude" attr.type="double"/>
  <key id="d2" for="node" attr.name="Longitude" attr.type="double"/>
  <key id="d3" for="edge" attr.name="LinkSpeedRaw" attr.type="double"/>
  <key id="d4" for="edge" attr.name="LinkLabel" attr.type="string"/>
  <key id="d5" for="node" attr.name="hyperedge" attr.type="int"/>
  <key id="d6" for="graph" attr.name="Network" attr.type="string"/>
  <graph edgedefault="undirected">
    <data key="d6">three cities</data>
    <node id="0"><data key="d0">Köln Süd</data><data key="d1">50.9</data><data key="d2">6.96</data></node>
    <node id="1"><data key="d0">Aachen</data><data key="d1">50.8</data><data key="d2">6.08</data></node>
    <node id="2"><data key="d0">Bonn</data><data key="d5">1</data></node>
    <edge source="0" target="1"><data key="d3">100000000000</data></edge>
    <edge source="0" target="2"><data key="d4">2x10 Gbps</data></edge>
    <edge source="1" target="2"><data key="d4">leased</data></edge>
  </graph>
</graphml>
"""
SNDLIB = """?SNDlib native format; type: network; version: 1.0
# network three-cities

META (
  unit = MBITPERSEC
)

NODES (
  Koeln ( 6.96 50.90 )
  Aachen ( 6.08 50.80 )
  Bonn ( 7.10 50.70 )
)

LINKS (
  L1 ( Koeln Aachen ) 100000.00 0.00 2.00 0.00 ( 40000.00 133.00 )
  L2 ( Koeln Bonn ) 20000.00 0.00 0.00 0.00 ( )
  L3 ( Aachen Bonn ) 0.00 0.00 0.00 55.00 ( 40000.00 133.00 100000.00 200.00 )
)

DEMANDS (
  D1 ( Koeln Bonn ) 1 15000.00 UNLIMITED
  D2 ( Aachen Bonn ) 2 500.00 3
)
"""
SNDLIB_XML = """<?xml version="1.0" encoding="ISO-8859-1"?>
<network xmlns="http://sndlib.zib.de/network" version="1.0" name="three-cities">
 <meta><unit>MBITPERSEC</unit></meta>
 <networkStructure>
  <nodes coordinatesType="geographical">
   <node id="Koeln"><coordinates><x>6.96</x><y>50.90</y></coordinates></node>
   <node id="Aachen"><coordinates><x>6.08</x><y>50.80</y></coordinates></node>
   <node id="Bonn"><coordinates><x>7.10</x><y>50.70</y></coordinates></node>
  </nodes>
  <links>
   <link id="L1"><source>Koeln</source><target>Aachen</target>
    <preInstalledModule><capacity>100000.0</capacity><cost>0.0</cost></preInstalledModule>
    <routingCost>2.0</routingCost>
    <additionalModules><addModule><capacity>40000.0</capacity><cost>133.0</cost></addModule></additionalModules></link>
   <link id="L2"><source>Koeln</source><target>Bonn</target>
    <preInstalledModule><capacity>20000.0</capacity></preInstalledModule></link>
   <link id="L3"><source>Aachen</source><target>Bonn</target><setupCost>55.0</setupCost>
    <additionalModules><addModule><capacity>40000.0</capacity></addModule>
     <addModule><capacity>100000.0</capacity></addModule></additionalModules></link>
  </links>
 </networkStructure>
 <demands>
  <demand id="D1"><source>Koeln</source><target>Bonn</target><routingUnit>1</routingUnit>
   <demandValue>15000.0</demandValue></demand>
  <demand id="D2"><source>Aachen</source><target>Bonn</target><routingUnit>2</routingUnit>
   <demandValue>500.0</demandValue><maxPathLength>3</maxPathLength></demand>
 </demands>
</network>
"""
TOPOHUB = {
    "directed": False,
    "multigraph": False,
    "graph": {"name": "three", "demands": {"0": {"2": 15.0}, "1": {"2": 1.0}, "2": {"1": 0.5}}, "stats": {"nodes": 3}},
    "nodes": [
        {"id": 0, "name": "Köln", "pos": [6.96, 50.9]},
        {"id": 1, "name": "Aachen", "pos": [6.08, 50.8]},
        {"id": 2, "name": "Bonn", "pos": [7.1, 50.7]},
    ],
    "edges": [
        {"source": 0, "target": 1, "dist": 80.5, "ecmp_fwd": {"org": 3}, "ecmp_bwd": {"org": 3}},
        {"source": 0, "target": 2, "dist": 30.0},
        {"source": 1, "target": 2, "dist": 90.0},
    ],
}
TABLE = """A device;A port;B device;B port;Length (m);Speed;Cable ID;Type
leaf 1;Eth 1/1;spine 1;Eth 1;30,5;100G;K-001;OS2
leaf 1;Eth 1/2;spine 2;Eth 1;12;4x25G;K-002;DAC
leaf 2;Eth 1/1;spine 1;Eth 2;;;K-003;OS2
leaf 2;Eth 1/2;;;12;100G;K-004;
spine 1;Eth 1;leaf 1;Eth 1/1;30,5;100G;K-001b;OS2
"""


def netbox_folder(folder: Path) -> Path:
    """Two leaves and a server, one rate unknown."""
    dump = Dump()
    site = dump.site("DC1", 50.0, 8.0)
    leaf, spine, host = (dump.device(name, role, site) for name, role in
                         (("leaf 1", "Leaf"), ("spine 1", "Spine"), ("srv 1", "Server")))  # fmt: skip
    ports = [
        dump.interface(leaf, "e1", "100gbase-x-qsfp28"),
        dump.interface(spine, "e1", "100gbase-x-qsfp28"),
        dump.interface(leaf, "e2", "25gbase-x-sfp28"),
        dump.interface(host, "eth0", "other"),
        dump.interface(spine, "e2", "other"),
        dump.interface(host, "eth1", "other"),
    ]
    for i in (0, 2, 4):
        dump.cable([(INTERFACE, ports[i])], [(INTERFACE, ports[i + 1])], 30)
    owner, kind = {"id": 1}, {"model": "QSFP-100G", "manufacturer": {"name": "Maker"}}
    dump.add("modules", device=owner, module_bay={"id": 1, "name": "x"}, module_type=kind)
    dump.add("inventory-items", device=owner, name="a", part_id="b", component_type=INTERFACE, component_id=ports[0])
    return dump.write(folder)


def _file(name: str, text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


SAMPLES: dict[str, Callable[[Path], Path]] = {
    "netbox": netbox_folder,
    "table": _file("cabling.csv", TABLE),
    "graphml": _file("net.graphml", GRAPHML),
    "node-link": _file("net.json", json.dumps(NODE_LINK)),
    "topohub": _file("net.json", json.dumps(TOPOHUB)),
    "sndlib": _file("net.txt", SNDLIB),
    "lldp": lldp_folder,
    "batfish": _file("layer1_topology.json", LAYER1),
    "containerlab": _file("small.clab.yml", CLAB),
    "sonic": _file("minigraph.xml", MINIGRAPH),
    "ibnetdiscover": _file("fabric.txt", IB),
    "rfc8345": _file("net.json", json.dumps(LAYERS)),
    "repetita": _file("net.graph", REPETITA),
    "simai": _file("fabric", SIMAI),
    "astra-sim": _file("topology.txt", ASTRA_SIM),
    "gnpy": _file("net.json", json.dumps(topology())),
    "netgraph": _file("scenario.yaml", NETGRAPH),
}
"""Writes a sample of each format into a folder; three nodes at least, three links at most, one of them of unknown
rate or all of them."""
