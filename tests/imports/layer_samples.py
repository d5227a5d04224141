"""Files of RFC 8345, OpenROADM and Repetita, written by hand."""

from __future__ import annotations

from typing import Any

TE, TOPO, ROADM = "ietf-te-topology", "ietf-network-topology", "org-openroadm-common-network"


def te_link(link_id: str, a: str, b: str, *, below: str = "", port: str = "", **attributes: Any) -> dict[str, Any]:
    """One direction of a link; names of attributes with _ for -."""
    link: dict[str, Any] = {
        "link-id": link_id,
        "source": {"source-node": a, "source-tp": f"to-{b}{port}"},
        "destination": {"dest-node": b, "dest-tp": f"to-{a}{port}"},
    }
    if below:
        link["supporting-link"] = [{"network-ref": "fibre", "link-ref": below}]
    if attributes:
        named = {name.replace("_", "-"): value for name, value in attributes.items()}
        link[f"{TE}:te"] = {"te-link-attributes": named}
    return link


def generic(text: str) -> dict[str, Any]:
    return {"te-bandwidth": {"generic": text}}


LAYERS: dict[str, Any] = {
    "ietf-network:networks": {
        "network": [
            {
                "network-id": "ip",
                "network-types": {f"{TE}:te-topology": {}},
                "supporting-network": [{"network-ref": "fibre"}],
                "node": [
                    {"node-id": "Köln", f"{TE}:te": {"te-node-attributes": {"name": "Köln Süd", "admin-status": "up"},
                                                     "geolocation": {"latitude": "50.9", "longitude": "6.96"}}},
                    {"node-id": "Aachen", f"{TE}:te": {"geolocation": {"latitude": "50.8", "longitude": "6.08"}}},
                    {"node-id": "Bonn", "ietf-l3-unicast-topology:l3-node-attributes": {"name": "Bonn 1"}},
                ],
                f"{TOPO}:link": [
                    te_link("K-A", "Köln", "Aachen", below="f1", max_link_bandwidth=generic("0x1.74876ep+33"),
                            te_default_metric=10, te_delay_metric=412, te_srlgs={"value": [7, 9]}),
                    te_link("A-K", "Aachen", "Köln", below="f1", max_link_bandwidth=generic("0x1.2a05f2p+32"),
                            te_default_metric=20, te_delay_metric=412),
                    te_link("K-B", "Köln", "Bonn", below="f2", max_link_bandwidth=generic("1250000000")),
                    te_link("B-K", "Bonn", "Köln", below="f2", max_link_bandwidth=generic("1250000000")),
                    te_link("A-B", "Aachen", "Bonn"),
                    te_link("B-A", "Bonn", "Aachen"),
                ],
            },
            {
                "network-id": "fibre",
                "node": [{"node-id": name} for name in ("k", "a", "b")],
                f"{TOPO}:link": [
                    te_link("f1", "k", "a", te_delay_metric=410),
                    te_link("f2", "k", "b", te_delay_metric=150),
                    te_link("f2 back", "b", "k", te_delay_metric=150),
                    te_link("f1 back", "a", "k", te_delay_metric=410),
                ],
            },
        ]
    }
}  # fmt: skip
"""Three routers over two fibres; one link has no rate and no fibre."""


def roadm_link(kind: str, a: tuple[str, str], b: tuple[str, str], **rest: Any) -> dict[str, Any]:
    return {
        "link-id": f"{a[0]}-{a[1]}to{b[0]}-{b[1]}",
        "source": {"source-node": a[0], "source-tp": a[1]},
        "destination": {"dest-node": b[0], "dest-tp": b[1]},
        f"{ROADM}:link-type": kind,
        f"{ROADM}:operational-state": "inService",
    } | rest


def oms(loss_db: float, *fibres: tuple[str, float, int]) -> dict[str, Any]:
    listed = [{"fiber-type": f, "SRLG-length": str(m), "SRLG-Id": risk, "pmd": "0.5"} for f, m, risk in fibres]
    span = {"spanloss-current": str(loss_db), "engineered-spanloss": "13", "link-concatenation": listed}
    return {"org-openroadm-network-topology:OMS-attributes": {"span": span}}


def roadm_node(node_id: str, kind: str, site: str, device: str) -> dict[str, Any]:
    below = [{"network-ref": "clli-network", "node-ref": site}, {"network-ref": "openroadm-network",
                                                                 "node-ref": device}]  # fmt: skip
    return {"node-id": node_id, f"{ROADM}:node-type": kind, "supporting-node": below}


OPENROADM: dict[str, Any] = {
    "ietf-network:network": [
        {
            "network-id": "openroadm-topology",
            "node": [
                roadm_node("RA-DEG1", "DEGREE", "siteA", "RA"),
                roadm_node("RA-DEG2", "DEGREE", "siteA", "RA"),
                roadm_node("RA-SRG1", "SRG", "siteA", "RA"),
                roadm_node("RB-DEG1", "DEGREE", "siteB", "RB"),
                roadm_node("XA-XPDR1", "XPONDER", "siteA", "XA"),
            ],
            f"{TOPO}:link": [
                roadm_link("EXPRESS-LINK", ("RA-DEG1", "CTP"), ("RA-DEG2", "CTP")),
                roadm_link("EXPRESS-LINK", ("RA-DEG2", "CTP"), ("RA-DEG1", "CTP")),
                roadm_link("ADD-LINK", ("RA-SRG1", "CP"), ("RA-DEG1", "CTP")),
                roadm_link("DROP-LINK", ("RA-DEG1", "CTP"), ("RA-SRG1", "CP")),
                roadm_link("ROADM-TO-ROADM", ("RA-DEG1", "TX"), ("RB-DEG1", "RX"),
                           **oms(12.0, ("smf", 20000.0, 5), ("eleaf", 40000.0, 0))),
                roadm_link("ROADM-TO-ROADM", ("RB-DEG1", "TX"), ("RA-DEG1", "RX"),
                           **oms(12.6, ("eleaf", 40000.0, 0), ("smf", 20000.0, 5))),
                roadm_link("XPONDER-INPUT", ("RA-SRG1", "PP1-TX"), ("XA-XPDR1", "NW1-RX")),
                roadm_link("XPONDER-OUTPUT", ("XA-XPDR1", "NW1-TX"), ("RA-SRG1", "PP1-RX")),
            ],
        }
    ]
}  # fmt: skip
REPETITA = """NODES 3
label x y
Köln Süd 6.96 50.9
Aachen 6.08 50.8
Bonn 7.1 50.7

EDGES 6
label src dest weight bw delay
e0 0 1 10 100000000 412
e1 1 0 20 40000000 412
e2 0 2 10 10000000 150
e3 2 0 10 10000000 150
e4 1 2 30 0 500
e5 2 1 30 0 500
"""
SIMAI = """7 2 2 1 7 H100
4 5 6
0 4 2880Gbps 0.000025ms 0
1 4 2880Gbps 0.000025ms 0
0 6 400Gbps 0.0005ms 0
1 6 400Gbps 0.0005ms 0
2 5 2880Gbps 0.000025ms 0
2 6 400Gbps 0.0005ms 0.1
3 6 fast 500ns 0
"""
ASTRA_SIM = """4 1 3
3
0 3 400Gbps 500ns 0
1 3 200Gbps 500ns 0
2 3 fast 500ns 0
"""
REPETITA_DEMANDS = """DEMANDS 3
label src dest bw
d0 0 2 2500000
d1 1 1 900000
d2 2 1 1
"""
