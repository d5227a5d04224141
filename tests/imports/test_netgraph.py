"""NetGraph: expansion by its own rules, worked out by hand; bounds on patterns, names and pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.imports.netgraph_samples import NETGRAPH, OLD_NETGRAPH
from twin.errors import DocumentError
from twin.imports import Imported, read
from twin.model.records import Link


def imported(tmp_path: Path, text: str) -> Imported:
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return read(path)


def links_between(found: Imported, a: str, b: str) -> list[Link]:
    return [link for link in found.document.links if set(link.ends) == {a, b}]


def test_blueprints_groups_and_brackets_become_nodes(tmp_path: Path) -> None:
    found = imported(tmp_path, NETGRAPH)
    pods = [f"pod{p}/{name}" for p in (1, 2) for name in ("leaf/leaf-1", "leaf/leaf-2", "leaf/leaf-3")]
    spines = [f"pod{p}/spine/spine-{i:02d}" for p in (1, 2) for i in (1, 2)]
    assert {node.id for node in found.document.nodes} == {*pods, *spines, "WAN", "old"}
    by_id = {node.id: node for node in found.document.nodes}
    assert (by_id["WAN"].kind, by_id["WAN"].site, by_id["old"].up) == ("core", "WAN", False)
    assert by_id["pod1/leaf/leaf-3"].kind == "leaf"
    assert found.document.name == "two pods"


def test_links_follow_patterns_rules_and_variables(tmp_path: Path) -> None:
    found = imported(tmp_path, NETGRAPH)
    assert len(found.document.links) == 2 * 6 + 2 + 2 + 1
    fabric = links_between(found, "pod1/leaf/leaf-1", "pod1/spine/spine-01")
    assert [link.capacity_gbps for link in fabric] == [100.0]
    assert set(fabric[0].srlgs) == {"kind_fabric", "power", "spines"}
    (first,) = links_between(found, "pod1/spine/spine-01", "WAN")
    assert (first.capacity_gbps, first.weight, set(first.srlgs)) == (400.0, 10.0, {"duct1", "duct2", "power", "spines"})
    assert first.spans[0].length_km == 12.5
    assert links_between(found, "pod1/spine/spine-02", "WAN")[0].capacity_gbps == 100.0
    (unknown,) = links_between(found, "pod2/spine/spine-01", "WAN")
    assert unknown.capacity_gbps is None
    (down,) = links_between(found, "WAN", "old")
    assert (down.n_parallel, down.up) == (2, False)


def test_a_set_of_demands_is_spread_over_its_pairs(tmp_path: Path) -> None:
    found = imported(tmp_path, NETGRAPH)
    assert len(found.document.demands) == 9
    assert {demand.offered_gbps for demand in found.document.demands} == {10.0}
    kinds = {(row.kind, row.n) for row in found.report.findings}
    assert ("empty selection", 1) in kinds, "old is disabled"
    dropped = {row.field for row in found.report.dropped}
    assert {"demands", "failures", "nodes.attrs.vendor"} <= dropped


def test_the_older_format_is_read_alike(tmp_path: Path) -> None:
    found = imported(tmp_path, OLD_NETGRAPH)
    racks = [f"dc{d}/rack{r}/srv-{i}" for d in (1, 2) for r in "ab" for i in (1, 2)]
    assert {node.id for node in found.document.nodes} == {*racks, "A", "AB", "spine/spine-1"}
    assert len(found.document.links) == 8 + 1
    (direct,) = links_between(found, "A", "AB")
    assert (direct.n_parallel, direct.capacity_gbps, direct.weight) == (2, 10.0, 3.0)
    assert sum(demand.offered_gbps for demand in found.document.demands) == pytest.approx(16)
    assert any(row.what == "shares of a combined demand" for row in found.report.assumed)


LOOP = {"a": {"blueprint": "p"}}


def scenario(**network: Any) -> str:
    return yaml.safe_dump({"network": {"nodes": {"a": {}, "b": {}}, **network}})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (scenario(nodes={"x[1-99999]": {}}), "rising, up to"),
        (scenario(nodes={"x[3-1]": {}}), "rising"),
        (scenario(nodes={"[1-999][1-999]": {}}), "too many names"),
        (scenario(nodes={"x": {"count": 10**9}}), "too many records"),
        (scenario(nodes={"x": {"count": True}}), "a number from 1"),
        (scenario(nodes={"x": {"blueprint": "y"}}), "no blueprint 'y'"),
        (scenario(nodes={"x": {"count": 2000}}, links=[{"source": "x", "target": "x"}]), "too many records"),
        (scenario(links=[{"source": "(a+)+$", "target": "b"}]), "nests quantifiers"),
        (scenario(links=[{"source": ".*.*.*.*", "target": "b"}]), "too many quantifiers"),
        (scenario(links=[{"source": "(a", "target": "b"}]), "pattern"),
        (scenario(links=[{"source": "a", "target": "b", "pattern": "ring"}]), "mesh or one_to_one"),
        (scenario(links=[{"source": "a"}]), "selects nothing"),
        (scenario(links=[{"source": "a", "target": "b", "count": 0}]), "a number from 1"),
        (scenario(links=[{"source": "$v", "target": "b", "expand": {"vars": {"v": ["a"] * 10001}}}]), "combinations"),
        (scenario(links={"a": 1}), "expected a list"),
        (scenario(nodes={}), "has no nodes"),
        ("network: []", "holds a list"),
        (yaml.safe_dump({**yaml.safe_load(scenario(nodes=LOOP)), "blueprints": {"p": {"nodes": LOOP}}}), "too deeply"),
    ],
)  # fmt: skip
def test_what_cannot_be_expanded_is_refused_with_its_place(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=problem) as caught:
        imported(tmp_path, text)
    assert "scenario.yaml" in str(caught.value)


def test_uneven_sides_of_one_to_one_are_refused(tmp_path: Path) -> None:
    nodes = {"x": {"count": 3}, "y": {"count": 2}}
    with pytest.raises(DocumentError, match=r"one_to_one of 3 and 2 nodes"):
        imported(tmp_path, scenario(nodes=nodes, links=[{"source": "x", "target": "y", "pattern": "one_to_one"}]))


@pytest.mark.parametrize(
    ("condition", "selected"),
    [
        ({"op": "==", "value": 2}, {"b"}), ({"op": "!=", "value": 2}, {"a", "c"}), ({"op": "<", "value": 2}, {"a"}),
        ({"op": "<=", "value": 2}, {"a", "b"}), ({"op": ">", "value": 2}, set()), ({"op": ">=", "value": 2}, {"b"}),
        ({"op": "in", "value": [1, 3]}, {"a"}), ({"op": "not_in", "value": [1, 3]}, {"b"}),
        ({"op": "exists"}, {"a", "b"}), ({"operator": "no_value"}, {"c"}), ({"op": "?", "value": 1}, set()),
        ({"op": "contains", "value": 1}, set()),
    ],
)  # fmt: skip
def test_conditions_select_by_attributes(condition: dict[str, Any], selected: set[str], tmp_path: Path) -> None:
    nodes = {"a": {"attrs": {"rack": {"tier": 1}}}, "b": {"attrs": {"rack": {"tier": 2}}}, "c": {}, "hub": {}}
    source = {"path": "^[abc]$", "match": {"conditions": [{"attr": "rack.tier", **condition}]}}
    found = imported(tmp_path, scenario(nodes=nodes, links=[{"source": source, "target": "hub", "capacity": 1}]))
    assert {end for link in found.document.links for end in link.ends} - {"hub"} == selected
