"""Candidates of single wide-area links that are used unevenly, and parts that stay where they suffice."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import twin
from twin.planner.candidate import Candidate
from twin.planner.generators import generated
from twin.planner.situation import Situation
from twin.scenario.changes import SetChannels

CITIES = ("a", "b", "c", "d", "e", "f", "g", "h", "i")
SPAN = {
    "length_km": 60.0,
    "fibre": "G.652.D",
    "installed": "2020-01-01",
    "n_splices": 5,
    "n_connectors": 2,
    "amplifier": "EDFA",
}


def line_of_cities(busy_gbps: float) -> twin.Network:
    """Return routers in a line of equal links, of which the first carries more than the others."""
    links = [
        {
            "id": f"{a}{b}",
            "ends": [a, b],
            "transceiver": "OpenZR+-400G",
            "n_parallel": 2,
            "mux": "mux-64",
            "launch_dbm": 0,
            "installed": "2024-01-01",
            "spans": [SPAN],
        }
        for a, b in pairwise(CITIES)
    ]
    demands: list[dict[str, Any]] = [
        {"id": "all", "source": "a", "target": "i", "offered_gbps": 80},
        {"id": "busy", "source": "a", "target": "b", "offered_gbps": busy_gbps},
    ]
    nodes = [{"id": name, "kind": "border", "site": f"city-{name}", "part": "border-deep-51.2T"} for name in CITIES]
    sites = [{"id": f"city-{name}"} for name in CITIES]
    data = {"as_of": "2026-11-01", "sites": sites, "nodes": nodes, "links": links, "demands": demands}
    return twin.from_document(data)


@pytest.fixture(scope="module")
def offered() -> dict[str, Candidate]:
    network = line_of_cities(600)
    origin, engine = network._scenario(None, None, "value"), network._engine
    today = engine.evaluate(origin.case)
    return {candidate.id: candidate for candidate in generated(Situation(origin, today, today, engine.reader))}


def test_the_one_busy_link_is_widened_alone_and_keeps_its_multiplexer(offered: dict[str, Candidate]) -> None:
    (change,) = offered["channels ab: 4"].changes
    assert isinstance(change, SetChannels)
    assert (change.n_parallel, change.mux) == (4, None)
    assert not any(name.startswith("channels bc") for name in offered)


def test_second_routes_are_offered_where_the_need_is_greatest(offered: dict[str, Candidate]) -> None:
    routes = [name for name in offered if name.startswith("route ")]
    assert "route ab-diverse" in routes
    assert len(routes) == 6
