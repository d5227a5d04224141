"""What an import of an export has to give back: a document as plain values, whatever way a link is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twin.exports import FORMATS, Exported
from twin.imports import Imported, read
from twin.model.document import TopologyDocument
from twin.model.records import Link
from twin.network import Network

READABLE = [name for name, row in FORMATS.items() if row.import_name and row.write is not None]
"""Formats that hold nodes, links and demands; a format of lines holds less of them, and more of optics."""
FILE_NAMES = {
    "node-link": "net.json",
    "graphml": "net.graphml",
    "csv": "net",
    "gnpy": "lines",
    "containerlab": "net.clab.yml",
    "rfc8345": "net.json",
}


def round_trip(network: Network, name: str, folder: Path, **options: Any) -> tuple[Exported, Imported]:
    """Export a network and import the files."""
    target = folder / FILE_NAMES[name]
    return network.export(name, target, **options), read(target, format=FORMATS[name].import_name)


def plain_values(document: TopologyDocument) -> dict[str, dict[str, Any]]:
    """Return what the formats hold of a document without transceivers, protection or changes, by id."""
    sites = {site.id: (site.latitude_deg, site.longitude_deg) for site in document.sites}
    return {
        "nodes": {
            n.id: (n.kind, n.site, sites.get(n.site or ""), n.up, n.forwards, n.name, n.tags) for n in document.nodes
        },
        "links": {link.id: link_values(link) for link in document.links},
        "demands": {d.id: (d.source, d.target, d.offered_gbps, d.name, d.tags) for d in document.demands},
    }


def link_values(link: Link) -> dict[str, Any]:
    """Return the values of a link, those by direction from the end with the smaller id."""
    risks = {*link.srlgs, *(risk for span in link.spans for risk in span.srlgs)}
    found: dict[str, Any] = {
        "ends": tuple(sorted(link.ends)),
        "length_km": round(sum(span.length_km for span in link.spans), 9),
        "srlgs": tuple(sorted(risks)),
    }
    for name in ("capacity_gbps", "weight", "latency_us"):
        value = getattr(link, name)
        both = value if isinstance(value, tuple) else (value, value)
        found[name] = both if link.ends[0] < link.ends[1] else both[::-1]
    for name in ("n_parallel", "n_failed", "up", "name", "tags"):
        found[name] = getattr(link, name)
    return found
