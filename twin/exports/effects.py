"""Answers that a field could change which no exported file holds, for the report of an export."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.document import TopologyDocument

NO_EFFECT = "only text for people"
OPTICS = "link budget, margin and ageing"
EFFECTS: dict[str, dict[str, str]] = {
    "nodes": {
        "part": "ports, latency, power and price of the device",
        "accelerator": "training jobs and their cost",
        "n_accelerators": "training jobs and their cost",
        "n_cards": "training jobs: what a lost network card costs",
        "n_servers": "ports, power and price of the rack",
        "pod": "selectors of changes",
        "rail": "training jobs: which card uses which leaf",
        "installed": "selectors of changes",
        "site": "positions, and which cables are indoor",
        "latitude_deg": "positions, and lengths that follow from them",
        "longitude_deg": "positions, and lengths that follow from them",
        "up": "nodes that are down look as if they were up",
        "forwards": "which nodes carry traffic of others",
        "kind": "which nodes carry traffic of others",
    },
    "links": {
        "loss_ratio": "goodput of the link",
        "macsec": "latency of encryption",
        "protection": "availability of the link",
        "transceiver": "the part; its rate is written",
        "capacity_gbps": "rates, and so utilisation",
        "n_failed": "capacity that is left",
        "weight": "shortest paths",
        "length_km": "latency",
        "latency_us": "latency",
        "srlgs": "failures that links share",
        "up": "links that are down look as if they were up",
        "reverse_capacity_gbps": "the rate of the other direction",
    },
    "sites": {
        "power_megawatts": "limit of power",
        "pue_ratio": "cost of power",
        "n_rack_places": "limit of racks",
        "lease_usd_per_month": "value of a lease",
        "budgets": "power, cooling and places of later days",
    },
    "demands": {
        "traffic_class": "growth of the demand",
        "offered_gbps": "loads of links",
    },
}
"""Kind of record -> field -> what it could change."""
OPTICAL = ("n_fibre_pairs", "launch_dbm", "mux", "installed", "required_margin_db", "measured_received_dbm", "measured")
LABELS = frozenset({"name", "display_name", "note", "tags", "source", "origin", "id"})
DOCUMENT_EFFECTS: dict[str, str] = {
    "as_of": "ages; no date is written",
    "note": NO_EFFECT,
    "assumptions": NO_EFFECT,
    "required_margin_db": OPTICS,
    "routing": "split over equal-cost links; other tools choose their own",
    "pxn": "training jobs",
    "lossless": "losses on wide-area links",
    "load_balancing": "how flows of a job spread",
    "wcmp_groups": "next hops in place of shortest paths",
    "traffic_classes": "growth of demands",
    "jobs": "training jobs",
    "default_job": "training jobs",
    "jobs_together": "training jobs",
    "plans": "changes that were not asked for",
    "measurements": OPTICS,
    "parts": "own parts; rates that follow from them are written",
    "price_book": "cost",
}
"""Field of the document -> what it could change. Sites, nodes, links and demands are written; blocks are expanded."""


def effect_of(kind: str, name: str) -> str:
    """Return what a field of a record could change."""
    if name in OPTICAL and kind == "links":
        return OPTICS
    return EFFECTS[kind].get(name, NO_EFFECT if name in LABELS else "not in the file")


def document_effects(document: TopologyDocument) -> Iterator[tuple[str, str, int]]:
    """Yield (field, effect, number of records) of each field of a document that no file holds and that is stated."""
    for name, effect in DOCUMENT_EFFECTS.items():
        value = getattr(document, name)
        if value != type(document).model_fields[name].default:
            yield name, effect, len(value) if isinstance(value, tuple | dict) else 1
