"""Kind `hash_collision`: cases that name the topologies and patterns of their file, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twin.check import check_file
from twin.errors import DocumentError

TOPOLOGY = {
    "about": "two leaves of two cards, two spines",
    "hosts": 4,
    "nodes": ["h0", "h1", "h2", "h3", "leaf0", "leaf1", "spine0", "spine1"],
    "links": [[0, 4, 1.0], [1, 4, 1.0], [2, 5, 1.0], [3, 5, 1.0], [4, 6, 1.0], [4, 7, 1.0], [5, 6, 1.0], [5, 7, 1.0]],
}
GIVEN = {"topology": "small", "pattern": "across", "mode": "ecmp", "queue_pairs": 1}


def write(path: Path, given: dict[str, Any], expect: dict[str, Any], **more: Any) -> Path:
    data = {
        "kind": "hash_collision",
        "source": "hand",
        "definitions": {"ecmp": "text"},
        "default_pair_bytes": 2.0,
        "topologies": {"small": TOPOLOGY},
        "patterns": {"across": {"topology": "small", "about": "text", "pairs": [[0, 2], [1, 3]]}},
        "cases": [{"id": "c", "given": {**GIVEN, **given}, "expect": expect}],
        **more,
    }
    file = path / "file.json"
    file.write_text(json.dumps(data))
    return file


def test_two_flows_on_two_links(tmp_path: Path) -> None:
    """They meet half of the time, and the phase then takes twice as long."""
    expect = {"mean_efficiency_ratio": 0.75, "p10_efficiency_ratio": 0.5, "p90_efficiency_ratio": 1.0}
    assert check_file(write(tmp_path, {}, expect)).within


def test_a_pair_of_three_times_the_bytes(tmp_path: Path) -> None:
    """The card of the larger pair sends as long as before if flows do not meet."""
    result = check_file(write(tmp_path, {"mode": "spray", "pair_bytes": [6.0, 2.0]}, {"mean_efficiency_ratio": 1.0}))
    assert result.within


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"topology": "smal"}, r"given\.topology: the file has no topology 'smal' \(did you mean 'small'\?\)"),
        ({"pattern": "x"}, r"given\.pattern: the file has no pattern 'x' \(known: across\)"),
        ({"mode": "ecpm"}, r"given\.mode: .*ecmp"),
        ({"mode": "flowlet"}, "needs rehashes"),
        ({"rehashes": 4}, "rehashes is a setting of mode flowlet"),
        ({"pair_bytes": [1.0]}, r"given\.pair_bytes: 1 values for 2 pairs"),
        ({"queue_pairs": 0}, r"given\.queue_pairs"),
    ],
)
def test_a_case_that_does_not_fit_its_file_is_told(tmp_path: Path, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(DocumentError, match=problem):
        check_file(write(tmp_path, given, {"mean_efficiency_ratio": 1.0}))


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"topologees": {}}, "topologees: unknown field"),
        ({"topologies": {"small": {**TOPOLOGY, "hosts": 99}}}, "99 hosts, but 8 nodes"),
        ({"topologies": {"small": {**TOPOLOGY, "links": [[0, 9, 1.0]]}}}, "no node 9; nodes are 0 to 7"),
        ({"topologies": {"small": {**TOPOLOGY, "links": [[5, 5, 1.0]]}}}, "both ends are node 5"),
        ({"patterns": {"across": {"topology": "small", "pairs": [[0, 4]]}}}, "only nodes 0 to 3 are network cards"),
        ({"patterns": {"across": {"topology": "other", "pairs": [[0, 1]]}}}, "is a pattern of topology 'other'"),
    ],
)
def test_faults_of_topologies_and_patterns_are_told(tmp_path: Path, more: dict[str, Any], problem: str) -> None:
    with pytest.raises(DocumentError, match=problem):
        check_file(write(tmp_path, {}, {"mean_efficiency_ratio": 1.0}, **more))


def test_a_fabric_that_does_not_carry_the_pattern_is_a_result(tmp_path: Path) -> None:
    broken = {**TOPOLOGY, "links": TOPOLOGY["links"][:4]}  # type: ignore[index]
    expect = {"error": "DocumentError", "contains": "topologies.small: no path from node 4 to node 5"}
    assert check_file(write(tmp_path, {}, expect, topologies={"small": broken})).within
