"""The kind `collective`: what it takes, what it answers, what it refuses, and the shipped cases group by group."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from twin.check import KINDS, check_file
from twin.errors import DocumentError
from twin.model.validation import validate_as

SHIPPED = Path(__file__).parents[2] / "fixtures" / "collectives.json"
TIER = {"kind": "switch", "n": 4, "algorithm": "ring", "bandwidth_gbps": 400, "latency_us": 2}


def run(given: dict[str, Any]) -> Any:
    whole = {"collective": "all_reduce", "size_bytes": 4e6, "tiers": [TIER], **given}
    return KINDS["collective"].run(validate_as(KINDS["collective"].given, whole, "given"), frozenset())


def test_the_time_and_its_parts() -> None:
    assert run({}) == pytest.approx({"time_us": 144.0, "latency_us": 24.0, "transfer_us": 120.0})
    assert run({"tiers": [{**TIER, "n": 1}]}) == {"time_us": 0.0, "latency_us": 0.0, "transfer_us": 0.0}


def test_messages_meet_only_where_that_is_asked_for() -> None:
    direct = {"collective": "all_to_all", "tiers": [{**TIER, "algorithm": "direct"}]}
    assert run(direct)["transfer_us"] == pytest.approx(20.0)
    assert run({**direct, "contention": True})["transfer_us"] == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"collective": "allreduce"}, "did you mean 'all_reduce'"),
        ({"size_bytes": -1}, "must be at least 0"),
        ({"tiers": []}, "at least 1 item"),
        ({"tiers": [{**TIER, "n": 0}]}, "must be at least 1"),
        ({"tiers": [{**TIER, "bandwidth_gbps": 0}]}, "must be more than 0"),
        ({"tiers": [{**TIER, "kind": "full-mesh"}]}, "did you mean 'full_mesh'"),
        ({"tiers": [{**TIER, "algorithm": "halving"}]}, "did you mean 'halving_doubling'"),
        ({"tiers": [{**TIER, "latency": 1}]}, "did you mean 'latency_us'"),
        ({"tiers": [{**TIER, "algorithm": "halving_doubling", "n": 6}]}, "power of two"),
        ({"tiers": [{**TIER, "algorithm": "tree"}, TIER]}, "outermost"),
    ],
)
def test_what_cannot_be_asked_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        run(given)


def test_a_case_may_expect_the_refusal(tmp_path: Path) -> None:
    tiers = [{**TIER, "algorithm": "halving_doubling", "n": 6}]
    case = {
        "id": "six do not halve",
        "given": {"collective": "all_reduce", "size_bytes": 1, "tiers": tiers},
        "expect": {"error": "DocumentError", "contains": "halving and doubling over 6 members"},
    }
    path = tmp_path / "f.json"
    path.write_text(json.dumps({"kind": "collective", "source": "hand", "cases": [case]}))
    assert check_file(path).within


def test_every_group_of_the_shipped_cases_is_far_inside_its_tolerance() -> None:
    """What is left grows with the bytes that are summed, and an all_gather sums none: the simulator's local memory."""
    cases = {case["id"]: case["given"] for case in json.loads(SHIPPED.read_text())["cases"]}
    groups = defaultdict(list)
    for row in check_file(SHIPPED).rows:
        given = cases[row.case]
        how = "+".join(f"{tier['kind']} {tier['algorithm']}" for tier in given["tiers"])
        groups[given["collective"], how].append(row.off_by_ratio)
    assert len(cases) == 213
    assert len(groups) == 37
    assert max(max(found) for found in groups.values()) < 0.0015
    assert max(max(found) for (name, _), found in groups.items() if name == "all_gather") < 0.0005
