"""Latency of links without spans: stated, assumed from the positions of sites, or unknown."""

from __future__ import annotations

import math
from typing import Any

import pytest

from twin.loading import Network, from_document

LA = {"id": "la", "latitude_deg": 34.05, "longitude_deg": -118.24}
NY = {"id": "ny", "latitude_deg": 40.71, "longitude_deg": -74.01}
STRAIGHT_KM = 6371.0088 * math.acos(
    math.sin(math.radians(34.05)) * math.sin(math.radians(40.71))
    + math.cos(math.radians(34.05)) * math.cos(math.radians(40.71)) * math.cos(math.radians(118.24 - 74.01))
)
"""3,936 km, by the spherical law of cosines."""
ROUTE_US = STRAIGHT_KM * 1.4 * 1.468 / 299792.458 * 1e6


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def coast_to_coast(link: dict[str, Any] | None = None, *, sites: Any = (LA, NY), at: Any = ("la", "ny")) -> Network:
    nodes = [{"id": name, "kind": "switch", "site": site} for name, site in zip("ab", at, strict=True)]
    return from_document(
        {
            "sites": list(sites),
            "nodes": nodes,
            "links": [{"id": "l", "ends": ["a", "b"], "capacity_gbps": 100} | (link or {})],
            "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 10}],
        }
    )


def latencies_us(network: Network) -> list[float]:
    return network.evaluate().health.arc_latency_us.tolist()  # type: ignore[no-any-return]


def test_a_link_between_sites_takes_the_great_circle_and_says_so() -> None:
    network = coast_to_coast()
    assert pytest.approx(3936, rel=1e-3) == STRAIGHT_KM
    assert latencies_us(network) == pytest.approx([ROUTE_US, ROUTE_US])
    score = network.score()
    assert score.metrics["worst_rtt_us"].value == pytest.approx(2 * ROUTE_US)
    assert "route_over_straight_ratio" in score.to_json()
    assert [(row.problem, row.links) for row in network.warnings] == [
        ("between sites without a length", ("l",)),
        ("at switches without a part", ("l",)),
    ]


def test_spans_and_stated_latencies_replace_the_assumed_route() -> None:
    by_spans = coast_to_coast({"spans": [{"length_km": 5000}]})
    assert latencies_us(by_spans)[0] == pytest.approx(5000 * 1.468 / 299792.458 * 1e6)
    assert latencies_us(coast_to_coast({"latency_us": 70.0})) == [70.0, 70.0]
    assert latencies_us(coast_to_coast({"latency_us": [70.0, 80.0]})) == [70.0, 80.0]
    assert latencies_us(coast_to_coast({"latency_us": [70.0, 80.0], "ends": ["b", "a"]})) == [80.0, 70.0]
    assert "route_over_straight_ratio" not in coast_to_coast({"latency_us": 70.0}).score().to_json()


def test_without_positions_the_latency_is_null_with_a_why() -> None:
    network = coast_to_coast(sites=(LA, {"id": "ny"}))
    metric = network.score().metrics["worst_rtt_us"]
    assert (metric.value, metric.why) == (None, "length of 1 link unknown: l")
    forward, back = network.link_table().rows
    assert (forward.latency_us, forward.propagation_us, back.latency_us) == (None, None, None)
    assert coast_to_coast({"latency_us": 9.0}, sites=(LA, {"id": "ny"})).score().metrics["worst_rtt_us"].value == 18.0


def test_a_link_within_a_site_or_without_a_site_has_no_length() -> None:
    assert latencies_us(coast_to_coast(at=("la", "la"))) == [0.0, 0.0]
    assert latencies_us(coast_to_coast(at=("la", None))) == [0.0, 0.0]


def test_the_great_circle_crosses_the_date_line() -> None:
    sites = (
        {"id": "la", "latitude_deg": 0, "longitude_deg": 179.5},
        {"id": "ny", "latitude_deg": 0, "longitude_deg": -179.5},
    )
    assert coast_to_coast(sites=sites).arrays.link_straight_km.tolist() == pytest.approx([math.radians(1) * 6371.0088])
