"""The topology file of a lab: names, ports, members, and a lab that comes back as it was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.exports.round_trip import plain_values, round_trip
from tests.exports.test_round_trip import EVERYTHING
from tests.imports.physical_samples import CLAB
from twin.errors import DocumentError
from twin.exports import containerlab
from twin.imports import read
from twin.loading import from_document, load

NODE_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-._|]*")
"""Names that containerlab takes. Source: its schema of topology files."""


def topology(network: Any) -> dict[str, Any]:
    lab: dict[str, Any] = yaml.safe_load(network.export("containerlab").files[""])
    assert NODE_NAME.fullmatch(lab["name"])
    return lab["topology"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("network", [load("leaf-spine-demo"), from_document(EVERYTHING)], ids=["shipped", "everything"])
def test_a_lab_has_valid_names_and_each_port_once(network: Any) -> None:
    lab = topology(network)
    assert len(lab["nodes"]) == len(network.nodes)
    assert all(NODE_NAME.fullmatch(name) for name in lab["nodes"])
    assert len({name.lower() for name in lab["nodes"]}) == len(lab["nodes"])
    ends = [end for link in lab["links"] for end in link["endpoints"]]
    assert len(set(ends)) == len(ends)
    assert {end.partition(":")[0] for end in ends} <= set(lab["nodes"])
    assert len(lab["links"]) == sum(link.n_parallel for link in network.links)
    assert {node["kind"] for node in lab["nodes"].values()} == set(lab["kinds"]) == {"nokia_srlinux", "linux"}


def test_ports_are_numbered_by_kind() -> None:
    nodes = [{"id": "A", "kind": "leaf"}, {"id": "a", "kind": "host"}, {"id": "ä", "kind": "rack"}]
    links = [{"id": "1", "ends": ["A", "a"], "n_parallel": 2, "capacity_gbps": 1.0}, {"id": "2", "ends": ["ä", "A"]}]
    lab = topology(from_document({"schema_version": 1, "nodes": nodes, "links": links}))
    assert list(lab["nodes"]) == ["A", "a-1", "n"]
    assert [link["endpoints"] for link in lab["links"]] == [
        ["A:e1-1", "a-1:eth1"], ["A:e1-2", "a-1:eth2"], ["A:e1-3", "n:eth1"],
    ]  # fmt: skip
    assert [link["vars"]["twin"] for link in lab["links"]][:2] == [
        {"id": "1", "capacity_gbps": 1.0, "length_km": 0.0}, {"id": "1"},
    ]  # fmt: skip


def test_an_imported_lab_keeps_kinds_and_ports(tmp_path: Path) -> None:
    path = tmp_path / "small.clab.yml"
    path.write_text(CLAB)
    first = read(path).document
    lab = topology(from_document(first))
    stated = yaml.safe_load(CLAB)["topology"]
    assert lab["nodes"]["spine1"].items() >= {
        "kind": "nokia_srlinux", "type": "ixrd3", "image": stated["kinds"]["nokia_srlinux"]["image"],
    }.items()  # fmt: skip
    assert {frozenset(link["endpoints"]) for link in lab["links"]} == {
        frozenset({"l1:e1-1", "spine1:e1-1"}), frozenset({"l2:e1-1", "spine1:e1-2"}), frozenset({"c1:eth1", "l1:e1-2"}),
    }  # fmt: skip
    _, again = round_trip(from_document(first), "containerlab", tmp_path)
    assert plain_values(again.document) == plain_values(first)


def test_what_is_down_is_reported() -> None:
    rows = {row.field: row.n for row in from_document(EVERYTHING).export("containerlab").report.converted}
    assert rows["links.up, links.n_failed"] == 2
    assert rows["links.n_parallel"] == 11


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containerlab, "MAX_LAB_LINKS", 5)
    with pytest.raises(DocumentError, match="at most 5 members"):
        from_document(EVERYTHING).export("containerlab")


def test_demands_to_unknown_nodes_are_findings(tmp_path: Path) -> None:
    path = tmp_path / "lab.yml"
    path.write_bytes(from_document(EVERYTHING).export("containerlab").files[""])
    path.write_text(
        path.read_text().replace('"target": "a:1"', '"target": "gone"').replace('"demands": [{', '"demands": [3, {')
    )
    found = read(path)
    assert len(found.document.demands) == 1
    assert {row.kind for row in found.report.findings} >= {"unknown end", "bad value"}
