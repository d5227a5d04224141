"""Load balancing records: what is refused, with a hint."""

from __future__ import annotations

from typing import Any

import pytest

from twin.errors import DocumentError, TopologyError
from twin.formats import parse_document
from twin.loading import from_document
from twin.model.records import LoadBalancing

NODES = [{"id": "f/leaf-1", "kind": "leaf"}, {"id": "f/leaf-2", "kind": "leaf"}]
LINKS = [{"id": "l", "ends": ["f/leaf-1", "f/leaf-2"], "capacity_gbps": 400.0}]


def load(*records: dict[str, Any]) -> Any:
    network = from_document({"nodes": NODES, "links": LINKS, "load_balancing": list(records)})
    _ = network.arrays  # checks the records
    return network


def test_a_mode_for_all_and_one_for_a_tier_of_a_fabric() -> None:
    records = load({"mode": "ecmp", "n_flows_per_pair": 4}, {"mode": "spray", "tier": "fabric", "fabric": "f"}).document
    assert [record.mode for record in records.load_balancing] == ["ecmp", "spray"]
    assert records.to_dict()["load_balancing"][1] == {"mode": "spray", "tier": "fabric", "fabric": "f"}


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        (
            [{"mode": "flowlet"}],
            r"load_balancing\[0\].n_rehashes: flowlet needs the number of segments .*n_rehashes: 8",
        ),
        ([{"mode": "ecmp", "n_rehashes": 2}], "n_rehashes: is a setting of flowlet, not of ecmp"),
        ([{"mode": "ecmp", "efficiency_ratio": 0.9}], "efficiency_ratio: is a setting of spray, not of ecmp"),
        ([{"mode": "spray", "n_flows_per_pair": 8}], "n_flows_per_pair: has no effect on spray"),
        ([{"mode": "ecmp", "fabric": "g"}], r"fabric: no node id starts with 'g/' \(known: f\)"),
        ([{"mode": "ecmp"}, {"mode": "spray"}], "2 records for the whole network"),
        ([{"mode": "ecmp", "tier": "border"}, {"mode": "dlb", "tier": "border"}], "2 records for tier border"),
    ],
)
def test_settings_that_do_not_fit_are_refused(records: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(TopologyError, match=problem):
        load(*records)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"mode": "ecpm"}, "ecmp"),
        ({"mode": "ecmp", "n_flows_per_pair": 0}, "n_flows_per_pair"),
        ({"mode": "ecmp", "tier": "access"}, "tier"),
        ({"mode": "ecmp", "n_flows": 3}, "n_flows"),
        ({"mode": "spray", "efficiency_ratio": 1.5}, "efficiency_ratio"),
    ],
)
def test_bad_values_are_refused_with_their_place(record: dict[str, Any], problem: str) -> None:
    with pytest.raises(DocumentError, match=problem):
        load(record)


@pytest.mark.parametrize("short", ["spray", {"mode": "spray"}, [{"mode": "spray"}]])
def test_a_mode_alone_and_one_record_are_lists_of_one(short: Any) -> None:
    document = parse_document({"load_balancing": short})
    assert document.load_balancing == (LoadBalancing("spray"),)
    assert document.to_dict()["load_balancing"] == [{"mode": "spray"}]


def test_a_misspelled_mode_has_its_place_and_a_hint() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document({"load_balancing": "spry"})
    (issue,) = caught.value.issues
    assert issue.where == "load_balancing[0]"
    assert "did you mean 'spray'" in issue.problem + issue.hint
