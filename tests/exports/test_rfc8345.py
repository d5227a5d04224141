"""Exports of RFC 8345: standard leaves that other tools read, and annotations for the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.exports.rfc8345 import te_bandwidth
from twin.imports.yang_json import te_bandwidth_gbps
from twin.loading import from_document

DOCUMENT: dict[str, Any] = {
    "schema_version": 1,
    "nodes": [{"id": "a", "kind": "leaf"}, {"id": "b", "kind": "spine", "up": False}],
    "links": [
        {"id": "x", "ends": ["b", "a"], "capacity_gbps": [100, 40], "n_parallel": 4, "weight": [3, 2.6],
         "latency_us": 7.4, "srlgs": ["2", "duct"]},
        {"id": "x (reverse)", "ends": ["a", "b"], "capacity_gbps": 10, "srlgs": ["pole"], "up": False},
    ],
}  # fmt: skip


def links(document: dict[str, Any]) -> dict[str, Any]:
    data = json.loads(from_document(document).export("rfc8345").files[""])
    (network,) = data["ietf-network:networks"]["network"]
    return {link["link-id"]: link for link in network["ietf-network-topology:link"]}


def test_each_direction_has_the_leaves_of_the_models() -> None:
    found = links(DOCUMENT)
    assert list(found) == ["x", "x (reverse)'", "x (reverse)", "x (reverse) (reverse)"]
    there, back = found["x"], found["x (reverse)'"]
    assert (there["source"], there["destination"]) == ({"source-node": "a"}, {"dest-node": "b"})
    assert (back["source"], back["destination"]) == ({"source-node": "b"}, {"dest-node": "a"})
    attributes = [link["ietf-te-topology:te"]["te-link-attributes"] for link in (there, back)]
    totals = [a["max-link-bandwidth"]["te-bandwidth"]["generic"] for a in attributes]
    assert [te_bandwidth_gbps(total) for total in totals] == [160, 400]
    assert [a["te-default-metric"] for a in attributes] == [3, 3]
    assert [a["te-delay-metric"] for a in attributes] == [7, 7]
    assert [a["te-srlgs"]["value"] for a in attributes] == [[2, 1], [2, 1]]
    assert there["@"]["dc-twin:weight"] == 2.6
    assert "dc-twin:weight" not in back["@"]
    down = found["x (reverse)"]["ietf-te-topology:te"]["te-link-attributes"]
    assert (down["admin-status"], down["te-srlgs"]) == ("down", {"value": [3]})


def test_annotations_are_single_values() -> None:
    for link in links(DOCUMENT).values():
        assert all(isinstance(value, str | int | float | bool) for value in link["@"].values())


@pytest.mark.parametrize(("gbps", "text"), [(100.0, "0x1.74876ep33"), (8e-9, "0x1p0"), (8.192e-6, "0x1p10")])
def test_bandwidths_are_written_as_the_standard_has_them(gbps: float, text: str) -> None:
    assert te_bandwidth(gbps) == text


@given(st.floats(8e-9, 1e13))
def test_a_bandwidth_is_exact_to_24_bits(gbps: float) -> None:
    assert float.fromhex(te_bandwidth(gbps)) * 8e-9 == pytest.approx(gbps, rel=2**-24)
