"""Small documents and how to load them, for tests of any room."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from twin import topologies
from twin.formats import parse_document
from twin.formats.native import parse_mapping
from twin.model.document import TopologyDocument
from twin.model.network import Generators, NetworkGraph

GENERATORS = Generators(topologies.expand, topologies.digest)
LISTS = ("sites", "fabrics", "nodes", "links", "demands", "traffic", "jobs", "plans")


def network(data: dict[str, Any] | TopologyDocument) -> NetworkGraph:
    document = data if isinstance(data, TopologyDocument) else parse_document(data)
    return NetworkGraph(document, GENERATORS)


def shipped(name: str) -> dict[str, Any]:
    """A network of the catalogue as plain data."""
    return parse_mapping(topologies.network_text(name), name, as_json=False)


def model_data(**more: Any) -> dict[str, Any]:
    """A small transformer, as plain data."""
    shape = {
        "n_layers": 8,
        "n_hidden": 4096,
        "n_heads": 16,
        "n_ffn_hidden": 16384,
        "n_vocab": 32000,
        "n_sequence": 2048,
    }
    return shape | more


def job_data(**more: Any) -> dict[str, Any]:
    data = {
        "id": "job",
        "model": model_data(),
        "parallelism": {"tp": 2},
        "n_global_batch": 512,
        "placement": [{"site": "a"}],
        "n_training_tokens": 1e12,
    }
    return data | more


def campus_data() -> dict[str, Any]:
    """Two sites with racks on leaves, border routers, a dated wide-area line, demands and a job: one of everything."""
    nodes: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    for site, accelerator in (("a", "H100"), ("b", "GB200")):
        nodes.append({"id": f"{site}-border", "kind": "border", "site": site, "part": "border-deep-28.8T"})
        nodes.append(
            {"id": f"{site}-leaf", "kind": "leaf", "site": site, "part": "leaf-25.6T", "installed": "2024-05-01"}
        )
        links.append(
            {"id": f"{site}-up", "ends": [f"{site}-leaf", f"{site}-border"], "n_parallel": 8, "transceiver": "400G-FR4"}
        )
        for i in (1, 2):
            rack = {
                "id": f"{site}-rack-{i}",
                "kind": "rack",
                "site": site,
                "accelerator": accelerator,
                "n_accelerators": 16,
            }
            nodes.append(rack | {"pod": "p", "rail": i, "installed": "2025-01-01"})
            links.append({"id": f"{site}-cable-{i}", "ends": [f"{site}-rack-{i}", f"{site}-leaf"]})
            links[-1] |= {"n_parallel": 4, "capacity_gbps": 400.0}
    glass = {"fibre": "G.652.D-2006", "installed": "2010-01-01", "n_splices": 3, "n_connectors": 2, "srlgs": ["duct"]}
    links.append(
        {
            "id": "wan",
            "ends": ["a-border", "b-border"],
            "n_parallel": 4,
            "transceiver": "OpenZR+-400G",
            "mux": "mux-8",
            "installed": "2022-01-01",
            "srlgs": ["bridge"],
            "spans": [
                {"length_km": 12.5, "lumped_loss_db": 0.5, "leased": True, **glass},
                {"length_km": 7.5, **glass},
            ],
        }
    )
    return {
        "schema_version": 1,
        "as_of": "2026-01-01",
        "name": "two sites",
        "pxn": True,
        "note": "for tests",
        "assumptions": ["one", "two"],
        "required_margin_db": 1.0,
        "sites": [{"id": "b", "power_megawatts": 1.0}, {"id": "a", "n_rack_places": 4, "lease_usd_per_month": 1e5}],
        "nodes": nodes,
        "links": links,
        "demands": [
            {"id": "east", "source": "a-rack-1", "target": "b-rack-1", "offered_gbps": 100.0},
            {"id": "west", "source": "b-rack-2", "target": "a-rack-1", "offered_gbps": 40.0, "traffic_class": "bulk"},
        ],
        "traffic_classes": [{"id": "bulk", "growth_ratio_per_year": 0.3}],
        "jobs": [
            job_data(id="both", placement=[{"site": "a"}, {"site": "b"}]),
            job_data(id="alone", placement=[{"site": "b", "n_accelerators": 16}]),
        ],
        "default_job": "both",
        "plans": [{"id": "wait", "changes": [{"kind": "age", "years": 5}]}],
        "price_book": {"part_usd": {"H100": 30000}},
    }


def rail_data(*, joined: bool = False, **job: Any) -> dict[str, Any]:
    """Two hosts of eight on two rails, with four ports on each; a spine joins the leaves of the rails or not."""
    hosts = [
        {"id": name, "kind": "host", "site": "s", "accelerator": "H100", "n_accelerators": 8} for name in ("h1", "h2")
    ]
    leaves = [{"id": f"leaf-{rail}", "kind": "leaf", "site": "s", "rail": rail} for rail in (1, 2)]
    cables = [
        {"id": f"{host}-{rail}", "ends": [host, f"leaf-{rail}"], "capacity_gbps": 400.0, "n_parallel": 4}
        for host in ("h1", "h2")
        for rail in (1, 2)
    ]
    spine = [{"id": "spine", "kind": "spine", "site": "s"}] if joined else []
    uplinks = [{"id": f"up-{rail}", "ends": [f"leaf-{rail}", "spine"], "capacity_gbps": 1600.0} for rail in (1, 2)]
    return {
        "sites": [{"id": "s"}],
        "nodes": hosts + leaves + spine,
        "links": cables + (uplinks if joined else []),
        "jobs": [job_data(**{"parallelism": {"tp": 8}, "placement": [{"site": "s"}], **job})],
    }


def changed(data: dict[str, Any], name: str, record: str, **fields: Any) -> dict[str, Any]:
    """The data with fields of one record replaced; None takes a field out."""
    found = [dict(item) for item in data[name]]
    chosen = [item for item in found if item["id"] == record]
    assert len(chosen) == 1, record
    chosen[0].update(fields)
    for key in [key for key, value in fields.items() if value is None]:
        del chosen[0][key]
    return data | {name: found}


def without(data: dict[str, Any], name: str, *records: str) -> dict[str, Any]:
    """The data without some records of one list."""
    kept = [item for item in data[name] if item["id"] not in records]
    assert len(kept) == len(data[name]) - len(records)
    return data | {name: kept}


@st.composite
def shuffled(draw: st.DrawFn, data: dict[str, Any]) -> dict[str, Any]:
    """The same document with its lists in another order, and its keys too."""
    out = {name: draw(st.permutations(value)) if name in LISTS else value for name, value in data.items()}
    return {name: out[name] for name in draw(st.permutations(list(out)))}


@st.composite
def small_documents(draw: st.DrawFn) -> dict[str, Any]:
    """A random sound document of a few switches, hosts, links (parallel ones, too) and demands."""
    switches = [f"s{i}" for i in range(draw(st.integers(1, 4)))]
    hosts = [f"h{i}" for i in range(draw(st.integers(0, 4)))]
    names = switches + hosts
    nodes: list[dict[str, Any]] = [{"id": name, "kind": "leaf"} for name in switches]
    nodes += [{"id": name, "kind": "host", "up": draw(st.booleans())} for name in hosts]
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda ends: ends[0] != ends[1])
    drawn = draw(st.lists(pair, max_size=8)) if len(names) > 1 else []
    links = [
        {
            "id": f"l{i}",
            "ends": list(ends),
            "capacity_gbps": draw(st.sampled_from([100.0, 400.0, 0.1])),
            "n_parallel": draw(st.integers(1, 3)),
            "weight": draw(st.sampled_from([1.0, 1.0, 2.5])),
        }
        for i, ends in enumerate(drawn)
    ]
    asked = draw(st.lists(pair, max_size=5)) if len(names) > 1 else []
    demands = [
        {"id": f"d{i}", "source": a, "target": b, "offered_gbps": draw(st.floats(0, 500))}
        for i, (a, b) in enumerate(asked)
    ]
    return {"nodes": nodes, "links": links, "demands": demands}
