"""Networks after changes: the metrics of the what-if, saved and loaded again, and changed once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import twin
from tests.contracts.change_examples import DATA, EXAMPLES, Example
from tests.contracts.test_changes import kinds, metrics
from twin.answers.data import to_data
from twin.loading import from_document
from twin.network import Network

DATED = [
    {"kind": "age", "years": 7.3, "links": "wan-*"},
    {"kind": "set_transceivers", "links": "wan-1-2", "part": "400ZR"},
]
WAN_PLANS = ["second-pair", "leave-out-first-campus", "new-diverse-route"]


def score_data(network: Network, job: str | None = None) -> dict[str, Any]:
    """A score without its warnings: fibre without a date has a stated age after a change."""
    data = network.score(job, main_assumptions=False).to_dict()
    return {name: value for name, value in data.items() if name not in ("warnings", "unused")}


@pytest.mark.parametrize("example", EXAMPLES, ids=kinds)
def test_the_network_after_a_change_scores_as_the_what_if_and_after_a_file(example: Example, tmp_path: Path) -> None:
    network = from_document(example.data)
    diff = network.what_if(example.changes, main_assumptions=False)
    after = diff.network
    assert metrics(after.score(main_assumptions=False)) == metrics(diff.after)
    assert to_data(after.score(main_assumptions=False).lease) == to_data(diff.after.lease)
    for ending in (".json", ".yaml"):
        path = tmp_path / f"after{ending}"
        after.save(path)
        assert score_data(twin.load(path)) == score_data(after)
    assert network.apply(example.changes).document == after.document


@pytest.mark.parametrize("plan", WAN_PLANS)
def test_plans_compose_with_changes_before_them(plan: str) -> None:
    network = twin.load("memphis-small")
    aged = network.apply(DATED)
    twice = aged.apply(plan)
    want = aged.what_if(plan, main_assumptions=False).after
    assert metrics(twice.score(main_assumptions=False)) == metrics(want)
    assert twice.label == f"memphis-small after changes after {plan}"
    assert len(twice.document.nodes) + len(twice.document.links) < 200, "fabrics stay compact"


def test_generated_traffic_stays_as_it_was(tmp_path: Path) -> None:
    network = twin.load("leaf-spine-demo").with_traffic("all-to-all:peak_utilisation_ratio=0.5")
    changes = [{"kind": "fail_nodes", "nodes": "spine-1"}]
    diff = network.what_if(changes, main_assumptions=False)
    path = tmp_path / "after.json"
    diff.network.save(path)
    assert metrics(twin.load(path).score(main_assumptions=False)) == metrics(diff.after)
    assert not diff.network.document.traffic
    unchanged = network.apply([{"kind": "age", "years": 1}])
    assert unchanged.document.traffic


def test_plans_for_what_is_gone_are_left_out(tmp_path: Path) -> None:
    plans = [
        {"id": "gone", "changes": [{"kind": "fail_links", "links": "wan"}]},
        {"id": "kept", "changes": [{"kind": "age", "years": 1}]},
    ]
    after = from_document(DATA | {"plans": plans}).apply([{"kind": "remove_links", "links": "wan"}])
    path = tmp_path / "after.yaml"
    after.save(path)
    assert [plan.id for plan in twin.load(path).document.plans] == ["kept"]
