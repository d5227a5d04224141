"""Answers where a rate is unknown or optics are not modelled: null with a reason, never a number that looks known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.loading import from_document

NODES = [{"id": name, "kind": "switch"} for name in "abc"]
DEMANDS = [{"id": "d", "source": "a", "target": "b", "offered_gbps": 50}]


def triangle(**rate_of_cb: Any) -> list[dict[str, Any]]:
    ends = {"ab": {"capacity_gbps": 100}, "ac": {}, "cb": rate_of_cb}
    return [{"id": name, "ends": [*name], **rate} for name, rate in ends.items()]


@pytest.mark.parametrize("rate_of_cb", [{}, {"capacity_gbps": 1000}, {"capacity_gbps": 10}])
def test_a_failure_that_loads_a_link_of_unknown_rate_leaves_what_is_carried_unknown(rate_of_cb: dict[str, Any]) -> None:
    report = from_document({"nodes": NODES, "links": triangle(**rate_of_cb), "demands": DEMANDS}).failures()
    rows = {row.id: row for row in report.failures for _ in row.ids}
    assert rows["ab"].not_carried_gbps is None
    assert rows["ab"].why_unknown
    assert all(row.not_carried_gbps == 0.0 for row in report.failures if "ab" not in row.ids)


@pytest.mark.parametrize("part", ["400G-LR4", "400ZR"])
def test_a_line_through_a_roadm_has_no_steps_beyond_the_launch(part: str) -> None:
    nodes = [{"id": "a", "kind": "border"}, {"id": "b", "kind": "roadm"}]
    link = {"id": "l", "ends": ["a", "b"], "transceiver": part, "spans": [{"length_km": 5}]}
    report = from_document({"nodes": nodes, "links": [link]}).link("l")
    assert [step.step for step in report.budget[0].steps] == ["launch power"]
    assert "NaN" not in json.dumps(report.to_dict())


def test_availability_takes_levels_below_0_dbm() -> None:
    link = {"id": "l", "ends": ["a", "b"], "transceiver": "400ZR", "launch_dbm": 0, "spans": [{"length_km": 10}]}
    report = from_document({"nodes": NODES[:2], "links": [link], "demands": DEMANDS}).availability(job=None)
    assert report.demands
