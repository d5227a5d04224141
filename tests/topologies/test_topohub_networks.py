"""Networks of the topohub package: names, lengths and what is said without it."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from twin.topologies import expand
from twin.topologies.topohub_networks import _data

from twin.errors import DocumentError, TopologyError
from twin.loading import from_document
from twin.model.document import Fabric

pytest.importorskip("topohub", reason="the extra topohub is not installed")


def expanded(**params: Any) -> Any:
    return expand(Fabric(id="b", generator="topohub", params=params))


def test_it_has_the_names_and_lengths_of_the_package() -> None:
    expansion = expanded(topology="sndlib/germany50", capacity_gbps=400)
    assert len(expansion.nodes) == 50
    assert len(expansion.links) == 88
    assert "b/Aachen" in {node.id for node in expansion.nodes}
    lengths = {link.ends: [span.length_km for span in link.spans] for link in expansion.links}
    assert lengths[("b/Aachen", "b/Koeln")] == [61.63]
    assert {link.capacity_gbps for link in expansion.links} == {400}


def test_nodes_without_a_name_have_their_number() -> None:
    ids = {node.id for node in expanded(topology="backbone/africa").nodes}
    assert "b/node-6272" in ids


def test_a_network_that_it_does_not_have_is_refused() -> None:
    with pytest.raises(TopologyError, match="no network 'sndlib/germany51'"):
        expanded(topology="sndlib/germany51")
    for key in ("germany50", "../../secret/x", "/etc/passwd", "sndlib//x"):
        with pytest.raises(DocumentError):
            expanded(topology=key)


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _data.cache_clear()
    monkeypatch.setitem(sys.modules, "topohub", None)
    with pytest.raises(TopologyError, match=r"pip install 'dc-twin\[topohub\]'"):
        expanded(topology="sndlib/abilene")


def test_traffic_between_its_routers_is_carried() -> None:
    data = {
        "schema_version": 1,
        "as_of": "2026-01-01",
        "fabrics": [{"id": "b", "generator": "topohub", "params": {"topology": "sndlib/abilene"}}],
        "traffic": [{"id": "t", "generator": "gravity", "params": {"peak_utilisation_ratio": 0.5}}],
    }
    score = from_document(data).score()
    assert score["max_link_utilisation_ratio"] == pytest.approx(0.5)
    assert score["unrouted_gbps"] == 0
