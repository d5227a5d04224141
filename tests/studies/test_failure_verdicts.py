"""Verdicts of the study of failures: what is lost by all failures, what is unknown, what is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.studies.test_failures import report
from twin.errors import ChangeError, TopologyError
from twin.loading import from_document
from twin.network import Network


def chain(n_nodes: int, *more: dict[str, Any], gbps: float | None = 10.0) -> Network:
    """A line of switches with a demand of 5 Gb/s from end to end."""
    names = [f"n{i:04}" for i in range(n_nodes)]
    rate = {} if gbps is None else {"capacity_gbps": gbps}
    return from_document(
        {
            "schema_version": 1,
            "nodes": [{"id": name, "kind": "switch"} for name in (*names, "spare")],
            "links": [{"id": f"l{i:04}", "ends": list(pair), **rate} for i, pair in enumerate(pairwise(names))]
            + list(more),
            "demands": [{"id": "d", "source": names[0], "target": names[-1], "offered_gbps": 5.0}],
        }
    )


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def test_demand_that_every_failure_loses_is_lost() -> None:
    found = report(chain(3), "link")
    assert found.summary[0] == "2 of 2 link failures lose demand: after l0000 5 Gb/s have no path."
    assert [row.lost_gbps for row in found.failures] == [5.0, 5.0]


def test_demand_without_a_path_before_is_not_lost_by_failures() -> None:
    network = chain(2, {"id": "twin", "ends": ["n0000", "n0001"], "capacity_gbps": 10.0})
    assert report(network, "link").summary[0] == "None of 2 link failures loses demand."


def test_failures_that_only_congest_are_counted_in_the_verdict() -> None:
    """5 Gb/s between each two nodes of a ring of 8 Gb/s: after a failure demands share links."""
    closing = {"id": "closing", "ends": ["n0000", "n0002"], "capacity_gbps": 8.0}
    network = chain(3, closing, gbps=8.0)
    ends = (("n0000", "n0001"), ("n0001", "n0002"), ("n0000", "n0002"))
    demands = [{"id": f"d{i}", "source": a, "target": b, "offered_gbps": 5.0} for i, (a, b) in enumerate(ends)]
    data = network.document.model_dump(mode="json", exclude_none=True) | {"demands": demands}
    found = report(from_document(data), "link")
    # without `closing` each of three demands gets 4 of 5 Gb/s; without another link two of them do
    expected = {"closing": 3.0, "l0000": 2.0, "l0001": 2.0}
    assert {row.id: row.not_carried_gbps for row in found.failures} == pytest.approx(expected)
    assert found.summary[0] == "None of 3 link failures cuts demand off; 3 leave up to 3 Gb/s not carried."
    assert report(from_document(data), "node").summary[0].startswith("3 of 3 node failures lose demand: after n0000 10")


def test_a_loaded_link_of_unknown_rate_is_not_empty() -> None:
    found = report(chain(2, {"id": "second", "ends": ["n0000", "n0001"]}, gbps=None), "link")
    assert found.worst_utilisation_ratio is None
    assert not found.stays_below(0.9)
    assert found.summary[-1] == "The use of some loaded links is unknown: rate of 2 links unknown: l0000, second."
    for row in found.links:
        assert (row.intact_utilisation_ratio, row.worst_utilisation_ratio, row.headroom_gbps) == (None, None, None)
        assert row.direction == "n0000 → n0001"
    for failure in found.failures:
        assert (failure.worst_link, failure.worst_utilisation_ratio) == (None, None)
        assert failure.why_unknown == "the rate of each link that carries demands then is unknown"
    alone = report(chain(2, gbps=None), "link").failures[0]
    assert (alone.worst_utilisation_ratio, alone.why_unknown) == (0.0, None), "nothing carries demands then"


def test_what_the_intact_network_does_not_carry_is_told() -> None:
    """5 Gb/s over links of 4 Gb/s; the second way is longer and carries nothing before the first fails."""
    found = report(
        chain(2, {"id": "long", "ends": ["n0000", "n0001"], "capacity_gbps": 3.0, "weight": 2.0}, gbps=4.0), "link"
    )
    assert found.intact_not_carried_gbps == pytest.approx(1.0)
    assert found.failures[0].not_carried_gbps == pytest.approx(2.0)
    assert "Without a failure 1 Gb/s are not carried already." in found.summary


def test_an_idle_link_of_unknown_rate_leaves_the_rest_known() -> None:
    network = chain(3, {"id": "idle", "ends": ["n0000", "spare"]})
    found = report(network, "node")
    assert found.worst_utilisation_ratio == 0.5
    assert {row.id: row.worst_utilisation_ratio for row in found.links} == {"l0000": 0.5, "l0001": 0.5, "idle": None}


def test_the_time_of_deep_networks_is_estimated_by_their_hops(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 failures, one destination: 30 x (1.2 + 0.1 x 30 hops) µs = 126 µs."""
    monkeypatch.setattr("twin.studies.failures.MAX_S", 125e-6)
    with pytest.raises(TopologyError, match="30 failures and 1 destinations take"):
        report(chain(31), "link")
    monkeypatch.setattr("twin.studies.failures.MAX_S", 127e-6)
    assert len(report(chain(31), "link").failures) == 30


@pytest.mark.parametrize("of", [3, ["link"], None])
def test_a_kind_that_is_no_text_is_refused(of: Any) -> None:
    with pytest.raises(ChangeError, match="no kind of failures"):
        report(chain(3), of)
