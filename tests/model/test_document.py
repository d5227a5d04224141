"""The document: nothing is lost on the way around, and order does not matter."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.model.samples import campus_data, network, shipped, shuffled, small_documents
from twin import topologies
from twin.errors import DocumentError
from twin.formats import parse_document
from twin.model.document import TopologyDocument

SHIPPED = sorted(topologies.NETWORKS)
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def round_trip(document: TopologyDocument) -> TopologyDocument:
    data = json.loads(json.dumps(network(document).to_document().to_dict(), allow_nan=False))
    return parse_document(data)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_networks_survive_the_round_trip(name: str) -> None:
    document = parse_document(shipped(name))
    assert round_trip(document) == document.canonical()
    assert parse_document(json.loads(document.to_json())).to_json() == document.to_json()


def test_a_document_with_one_of_everything_survives_the_round_trip() -> None:
    document = parse_document(campus_data())
    again = round_trip(document)
    assert again == document.canonical()
    for name, spec in TopologyDocument.model_fields.items():
        elsewhere = (
            "fabrics",
            "fibre_installed",
            "leases",
            "traffic",
            "routing",
            "lossless",
            "load_balancing",
            "schema_version",
            "jobs_together",
            "measurements",
            "parts",
            "wcmp_groups",
            "uncertain",
        )
        if name not in elsewhere:
            assert getattr(again, name) != spec.default, f"{name} is not exercised"


def test_uncertain_inputs_survive_the_round_trip_by_place() -> None:
    records = [
        {"where": "demands", "low": 0.5, "high": 2},
        {"where": "age", "low": 0, "value": 1, "high": 9, "name": "x"},
    ]
    document = parse_document({**campus_data(), "uncertain": records})
    assert [record.where for record in round_trip(document).uncertain] == ["age", "demands"]
    assert document.digest() == parse_document(campus_data()).digest()


@FEW
@given(small_documents())
def test_random_documents_survive_the_round_trip(data: dict[str, Any]) -> None:
    document = parse_document(data)
    assert round_trip(document) == document.canonical()


@FEW
@given(shuffled(campus_data()))
def test_order_of_lists_and_keys_does_not_matter(data: dict[str, Any]) -> None:
    base, other = parse_document(campus_data()), parse_document(data)
    assert other.canonical() == base.canonical()
    assert other.to_json() == base.to_json()
    assert other.digest() == base.digest()
    assert network(other).nodes == network(base).nodes
    assert network(other).links == network(base).links


@FEW
@given(st.data())
def test_order_does_not_matter_to_the_shipped_demo(data: st.DataObject) -> None:
    base = shipped("leaf-spine-demo")
    assert parse_document(data.draw(shuffled(base))).to_json() == parse_document(base).to_json()


def test_assumptions_keep_their_order() -> None:
    document = parse_document({"assumptions": ["z", "a"]})
    assert document.to_dict()["assumptions"] == ["z", "a"]


def test_defaults_are_not_written() -> None:
    assert parse_document({"nodes": [{"id": "a", "kind": "leaf", "up": True}]}).to_dict() == {
        "schema_version": 1,
        "nodes": [{"id": "a", "kind": "leaf"}],
    }


def test_what_is_off_default_in_a_nested_record_is_written() -> None:
    data = {"lossless": {"policy": "shaped"}, "routing": "wcmp", "as_of": "2026-01-01"}
    assert parse_document(data).to_dict() == {"schema_version": 1, **data}


@pytest.mark.parametrize(
    ("more", "same"),
    [
        ({"note": "other"}, True),
        ({"name": "other"}, True),
        ({"plans": []}, True),
        ({"jobs": [], "default_job": None}, True),
        ({"demands": []}, True),
        ({"price_book": {}}, True),
        ({"as_of": "2026-01-02"}, False),
        ({"required_margin_db": 2.0}, False),
        ({"routing": "wcmp"}, False),
        ({"sites": [{"id": "a"}, {"id": "b"}]}, False),
    ],
)
def test_the_digest_is_of_what_decides_the_columns(more: dict[str, Any], same: bool) -> None:
    base = campus_data()
    assert (parse_document(base | more).digest() == parse_document(base).digest()) is same


def test_a_document_is_frozen() -> None:
    document = parse_document(campus_data())
    with pytest.raises(ValueError, match="frozen"):
        document.name = "other"
    with pytest.raises(AttributeError):
        document.links[0].weight = 2.0


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"nodes": [{"id": "a ", "kind": "leaf"}]}, "nodes[a ].id"),
        ({"nodes": [{"id": "", "kind": "leaf"}]}, "nodes[].id"),
        ({"links": [{"id": "l", "ends": ["a"]}]}, "links[l].ends[1]"),
        ({"links": [{"id": "l", "ends": ["a", "b"], "capacity_gbps": 0}]}, "links[l].capacity_gbps"),
        ({"links": [{"id": "l", "ends": ["a", "b"], "n_parallel": 0}]}, "links[l].n_parallel"),
        ({"links": [{"id": "l", "ends": ["a", "b"], "loss_ratio": 1}]}, "links[l].loss_ratio"),
        ({"links": [{"id": "l", "ends": ["a", "b"], "spans": [{"length_km": -1}]}]}, "links[l].spans[0].length_km"),
        ({"demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": -1}]}, "demands[d].offered_gbps"),
        ({"sites": [{"id": "s", "pue_ratio": 0.5}]}, "sites[s].pue_ratio"),
    ],
)
def test_values_out_of_range_are_refused_with_their_place(data: dict[str, Any], place: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(data)
    assert place in [issue.where for issue in caught.value.issues]
