"""Routing reports: what routing costs by hand, what is left out, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from twin.errors import ChangeError, ConvergenceError
from twin.loading import from_document, load


def detour(**demand: Any) -> dict[str, Any]:
    """A link of 100 Gb/s and a detour of 100 Gb/s over two hops, which shortest paths leave empty."""
    return {
        "nodes": [{"id": name, "kind": "switch"} for name in "abcz"],
        "links": [
            {"id": "direct", "ends": ["a", "b"], "capacity_gbps": 100},
            {"id": "first", "ends": ["a", "c"], "capacity_gbps": 100},
            {"id": "second", "ends": ["c", "b"], "capacity_gbps": 100},
        ],
        "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 80} | demand],
    }


def test_a_detour_halves_the_busiest_link() -> None:
    report = from_document(detour()).optimum(gap_ratio=0.001)
    assert report.max_utilisation_ratio == pytest.approx(0.8)
    assert report.optimal_max_utilisation_ratio == pytest.approx(0.4, rel=1e-3)
    assert report.routing_cost_ratio == pytest.approx(2.0, rel=1e-3)
    assert report.busiest == "direct (a → b)"
    assert report.summary[0].startswith("Routing costs a factor of 2: the busiest link has 80 %")
    assert {row.id for row in report.links} == {"direct", "first", "second"}
    assert sum(row.price_ratio for row in report.links) == pytest.approx(1.0, abs=1e-2)


def test_a_network_whose_routing_is_the_best() -> None:
    report = load("leaf-spine-demo").optimum()
    assert report.routing_cost_ratio == pytest.approx(1.0, rel=1e-6)
    verdict = "Routing costs nothing: the busiest link has 60 %, and no routing has less than 60 %."
    assert report.summary[0] == verdict


def test_a_wide_gap_proves_no_more_than_its_lower_bound() -> None:
    """Two parallel links are split evenly, which is the best; the bound of a loose search stays below."""
    data = detour()
    data["links"].append({"id": "second direct", "ends": ["a", "b"], "capacity_gbps": 80})
    for gap_ratio in (0.5, 0.2, 0.05):
        report = from_document(data).optimum(gap_ratio=gap_ratio)
        assert report.lower_bound_ratio <= 80 / 280 * (1 + 1e-9) <= report.optimal_max_utilisation_ratio * (1 + 1e-9)
        assert report.optimal_max_utilisation_ratio <= report.max_utilisation_ratio
        if report.lower_bound_ratio * 1.005 < report.max_utilisation_ratio:
            assert not report.summary[0].startswith("Routing costs nothing")


def test_the_routing_in_use_counts_as_found() -> None:
    nodes = [{"id": name, "kind": "switch"} for name in "ab"]
    links = [
        {"id": "l8", "ends": ["a", "b"], "capacity_gbps": 40, "n_parallel": 4},
        {"id": "l9", "ends": ["a", "b"], "capacity_gbps": 40, "n_parallel": 3},
    ]
    demands = [{"id": "d", "source": "a", "target": "b", "offered_gbps": 250}]
    report = from_document({"nodes": nodes, "links": links, "demands": demands}).optimum(gap_ratio=0.1)
    assert report.routing_cost_ratio == 1.0
    assert report.optimal_max_utilisation_ratio == pytest.approx(250 / 280)


def test_changes_come_first_and_what_has_no_path_is_left_out() -> None:
    network = from_document(detour())
    cut = network.optimum(changes=[{"kind": "fail_links", "links": "direct"}])
    assert cut.max_utilisation_ratio == pytest.approx(0.8)
    assert cut.routing_cost_ratio == pytest.approx(1.0)
    lost = from_document(detour(target="z")).optimum()
    assert lost.unrouted_gbps == 80
    assert lost.routing_cost_ratio is None
    assert lost.summary == ("80 Gb/s have no path: no demand is routed.",)
    idle = network.optimum(changes=[{"kind": "scale_demands", "factor_ratio": 0}])
    assert idle.summary == ("No traffic: every routing is the best.",)
    full = network.optimum(changes=[{"kind": "scale_demands", "factor_ratio": 4}])
    assert "No routing carries all demands: they need more capacity." in full.summary


@pytest.mark.parametrize("gap_ratio", [0, 0.6, True, "1", float("nan")])
def test_a_gap_out_of_bounds_is_refused(gap_ratio: Any) -> None:
    with pytest.raises(ChangeError, match=r"0\.0001 to 0\.5"):
        from_document(detour()).optimum(gap_ratio=gap_ratio)


@pytest.mark.parametrize("capacity_gbps", [1e-310, 1e-300, 1e-20])
def test_capacities_far_below_the_demands_are_refused(capacity_gbps: float) -> None:
    data = detour()
    data["links"][0]["capacity_gbps"] = capacity_gbps
    with pytest.raises(ConvergenceError, match="too far apart"):
        from_document(data).optimum()


def test_without_demands_or_rates_it_says_what_to_state() -> None:
    with pytest.raises(ChangeError, match="no demands"):
        from_document(detour() | {"demands": []}).optimum()
    data = detour()
    del data["links"][1]["capacity_gbps"]
    with pytest.raises(ChangeError, match="1 link of unknown rate, 'first' first"):
        from_document(data).optimum()


def ring(**capacity_gbps: float) -> dict[str, Any]:
    """Three switches in a ring with a spur; demands that fill a-b and b-c, and a spur with room to spare."""
    capacity = {"ab": 100.0, "bc": 60.0, "ac": 80.0, "cd": 900.0} | capacity_gbps
    demands = [("a", "b", 90.0), ("b", "c", 50.0), ("a", "d", 40.0)]
    return {
        "nodes": [{"id": name, "kind": "switch"} for name in "abcd"],
        "links": [{"id": name, "ends": [*name], "capacity_gbps": gbps} for name, gbps in capacity.items()],
        "demands": [{"id": f"{a}{b}", "source": a, "target": b, "offered_gbps": gbps} for a, b, gbps in demands],
    }


def test_more_capacity_lowers_the_optimum_at_priced_links_alone() -> None:
    """Each link in turn with 1 % more capacity, optimised anew: the optimum falls by the price, else by 0."""
    report = from_document(ring()).optimum(gap_ratio=1e-4)
    prices = {row.id: row.price_ratio for row in report.links}
    assert len(prices) >= 2
    for name, gbps in {"ab": 100.0, "bc": 60.0, "ac": 80.0, "cd": 900.0}.items():
        again = from_document(ring(**{name: 1.01 * gbps})).optimum(gap_ratio=1e-4)
        fall = 1.0 - again.optimal_max_utilisation_ratio / report.optimal_max_utilisation_ratio
        assert fall == pytest.approx(0.01 * prices.get(name, 0.0), abs=3e-4)
        assert (fall > 1e-3) == (name in prices)
