"""An import of an export gives back all that both formats hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.exports.round_trip import READABLE, plain_values, round_trip
from twin.errors import DocumentError
from twin.loading import from_document, load
from twin.model.document import TopologyDocument

EASY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
EVERYTHING: dict[str, Any] = {
    "schema_version": 1,
    "name": "Köln & <Bonn>",
    "sites": [
        {"id": "Köln", "latitude_deg": 50.9375, "longitude_deg": 6.9603},
        {"id": "Bonn", "latitude_deg": 50.7, "longitude_deg": 7.1},
        {"id": "no position"},
    ],
    "nodes": [
        {"id": "a:1", "kind": "spine", "site": "Köln", "name": "A; one", "tags": ["x;y", 'q"[']},
        {"id": "b, 2", "kind": "leaf", "site": "Köln", "up": False},
        {"id": "c<3>", "kind": "core", "site": "Bonn", "forwards": False},
        {"id": "=d", "kind": "border", "site": "no position", "name": "=d"},
        {"id": "h", "kind": "host", "forwards": True},
        {"id": "r", "kind": "rack"},
        {"id": "s", "kind": "storage", "site": "Bonn"},
        {"id": "w", "kind": "switch"},
    ],
    "links": [
        {"id": "z", "ends": ["c<3>", "a:1"], "capacity_gbps": [100.0, 40.0], "weight": [3.0, 2.5], "n_parallel": 4,
         "n_failed": 1, "latency_us": [400.0, 410.5], "srlgs": ["duct; 1", "e"],
         "spans": [{"length_km": 12.1, "srlgs": ["f"]}, {"length_km": 0.3}]},
        {"id": "a~b", "ends": ["a:1", "b, 2"], "capacity_gbps": 1e-3, "up": False, "name": "a~b", "tags": ["t"]},
        {"id": "same", "ends": ["a:1", "b, 2"], "capacity_gbps": 1e6},
        {"id": "no rate", "ends": ["c<3>", "=d"]},
        {"id": "3", "ends": ["h", "w"], "capacity_gbps": 25.0, "latency_us": 0.0},
        {"id": "4", "ends": ["r", "w"], "weight": 1e-3},
        {"id": "5", "ends": ["s", "c<3>"], "latency_us": [1.0, 2.0]},
        {"id": "6", "ends": ["w", "a:1"], "weight": [1.0, 2.0]},
    ],
    "demands": [
        {"id": "d 1", "source": "h", "target": "a:1", "offered_gbps": 0.1, "name": "D", "tags": ["t"]},
        {"id": "d:2", "source": "=d", "target": "c<3>", "offered_gbps": 0.0},
    ],
}  # fmt: skip
"""A document with every field that the formats hold, and with signs that mean something to them."""


BESIDE_SITES: dict[str, Any] = {
    "schema_version": 1,
    "name": "n",
    "sites": [{"id": "s"}, {"id": "t"}],
    "nodes": [
        {"id": "a", "kind": "leaf", "site": "s"},
        {"id": "b", "kind": "leaf"},
        {"id": "c", "kind": "leaf", "site": "t"},
    ],
    "links": [{"id": "ab", "ends": ["a", "b"]}, {"id": "ac", "ends": ["a", "c"]}],
}
"""A node without a site beside one whose other link leads to another site, at an unknown length."""


@pytest.fixture(params=READABLE)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_field_comes_back(name: str, tmp_path: Path) -> None:
    network = from_document(EVERYTHING)
    answer, found = round_trip(network, name, tmp_path)
    assert plain_values(found.document) == plain_values(network.document)
    unnamed = {"document.name"} if name == "csv" else set()
    assert {row.field for row in answer.report.dropped} == {"links.spans"} | unnamed
    assert bool(found.document.name) != bool(unnamed)
    assert found.report.dropped == ()
    assert {row.kind for row in found.report.findings} <= {"unknown rate", "missing length"}


def test_a_node_without_a_site_stays_without_one(name: str, tmp_path: Path) -> None:
    network = from_document(BESIDE_SITES)
    _, found = round_trip(network, name, tmp_path)
    assert plain_values(found.document) == plain_values(network.document)


@pytest.mark.parametrize("shipped", ["leaf-spine-demo", "two-campus", "ageing-lines", "memphis-small"])
def test_shipped_networks_come_back(name: str, shipped: str, tmp_path: Path) -> None:
    """Nodes, links, lengths, members, weights and demands are the same; the rates are those in use."""
    network = load(shipped)
    if name == "containerlab" and len(network.links) > 100:
        pytest.skip("a link of the lab for each member takes long to parse")
    _, found = round_trip(network, name, tmp_path)
    again = from_document(found.document)
    stated, got = plain_values(_expanded(network)), plain_values(found.document)
    assert got["nodes"] == stated["nodes"]
    assert got["demands"] == stated["demands"]
    health = network.evaluate().health
    rates = health.arc_member_gbps.reshape(-1, 2).tolist()
    for i, (link_id, values) in enumerate(sorted(stated["links"].items())):
        values |= {"capacity_gbps": tuple(rates[i]), "srlgs": got["links"][link_id]["srlgs"]}
        standby = [span for span in network.links[i].spans if span.standby]
        values["length_km"] = round(values["length_km"] - sum(span.length_km for span in standby), 9)
        assert got["links"][link_id] == values
        assert set(values["srlgs"]) == {*_risks(network, i)}
    assert again.export(name).files == network.export(name).files


def _expanded(network: Any) -> TopologyDocument:
    update = {"nodes": network.nodes, "links": network.links, "fabrics": (), "name": network.label}
    document: TopologyDocument = network.document.model_copy(update=update)
    return document


def _risks(network: Any, link: int) -> list[str]:
    """Return the shared risks of a link by the columns of the network."""
    arrays = network.arrays
    return [arrays.srlgs[code] for code in arrays.srlg_code[arrays.srlg_link == link]]


TEXTS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc", "Cf", "Zs"]), min_size=1, max_size=6
)
LABELS = st.lists(TEXTS, max_size=3, unique=True)
RATES = st.floats(1e-6, 1e6)
BOTH = st.one_of(RATES, st.tuples(RATES, RATES).map(list))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    sites = draw(st.lists(TEXTS, max_size=3, unique=True))
    ids = draw(st.lists(TEXTS, min_size=2, max_size=6, unique=True))
    nodes = []
    for node in ids:
        record: dict[str, Any] = {"id": node, "kind": draw(st.sampled_from(["leaf", "core", "host", "switch", "rack"]))}
        optional = {
            "site": st.sampled_from(sites or [""]), "up": st.booleans(), "name": TEXTS, "tags": LABELS,
            "forwards": st.booleans(),
        }  # fmt: skip
        record |= {key: draw(values) for key, values in optional.items() if draw(st.booleans()) and (key, sites) != (
            "site", [])}  # fmt: skip
        nodes.append(record)
    links = []
    for link in draw(st.lists(TEXTS, max_size=6, unique=True)):
        record = {"id": link, "ends": draw(st.lists(st.sampled_from(ids), min_size=2, max_size=2, unique=True))}
        optional = {
            "capacity_gbps": BOTH, "weight": BOTH, "latency_us": BOTH, "n_parallel": st.integers(1, 9),
            "srlgs": LABELS, "up": st.booleans(), "name": TEXTS, "tags": LABELS,
            "spans": st.lists(st.fixed_dictionaries({"length_km": st.floats(1e-3, 500)}), min_size=1, max_size=3),
        }  # fmt: skip
        record |= {key: draw(values) for key, values in optional.items() if draw(st.booleans())}
        links.append(record | {"n_failed": draw(st.integers(0, record.get("n_parallel", 1)))})
    amounts = st.floats(0, 1e6)
    demands = [
        {"id": demand, "source": a, "target": b, "offered_gbps": draw(amounts)}
        for demand in draw(st.lists(TEXTS, max_size=4, unique=True))
        for a, b in [draw(st.lists(st.sampled_from(ids), min_size=2, max_size=2, unique=True))]
    ]
    places: list[dict[str, Any]] = [{"id": site} for site in sites]
    for place in places:
        if draw(st.booleans()):
            place |= {"latitude_deg": draw(st.floats(-90, 90)), "longitude_deg": draw(st.floats(-180, 180))}
    return {"schema_version": 1, "name": "n", "sites": places, "nodes": nodes, "links": links, "demands": demands}


@EASY
@given(data=documents())
def test_any_document_comes_back(name: str, data: dict[str, Any], tmp_path: Path) -> None:
    try:
        network = from_document(data)
        _ = network.arrays
    except DocumentError:
        return
    _, found = round_trip(network, name, tmp_path)
    assert plain_values(found.document) == plain_values(network.document)
