"""Loads of a job's flow sets: which arcs they use, and the latencies of the slowest path of each phase."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from tests.training.steps import evaluated, sites
from twin.stages.evaluation import Evaluation
from twin.training.job_flows import Flows, JobFlows
from twin.training.link_loads import PairTable
from twin.training.step_inputs import UnitLinkLoads

THREE = {site: [("H100", 8)] * 2 for site in "abc"}
US_PER_KM = 4.9
"""Approximate one-way latency of fibre."""


def three_sites(ab_km: float, ac_km: float, bc_km: float, **job: Any) -> Evaluation:
    """Three sites of two racks; each pair has its own fibre."""
    data = sites(THREE, parallelism={"tp": 8}, **job)
    for link in data["links"]:
        km = {"wan-ab": ab_km, "wan-ac": ac_km, "wan-bc": bc_km}.get(link["id"])
        if km:
            link["spans"] = [{"length_km": km}]
    return evaluated(data)


def flows(*rows: tuple[int, int, float, float]) -> Flows:
    source, target, amount, n_pairs = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return Flows(source.astype(np.int64), target.astype(np.int64), amount, n_pairs)


def test_pairs_of_nodes_are_listed_once() -> None:
    """Two sets of a pipeline share the pair (0, 2); pairs of accelerators add up by phase."""
    first, second = flows((0, 2, 1.0, 4.0), (2, 0, 1.0, 4.0)), flows((0, 2, 3.0, 5.0))
    wide = flows((1, 2, 1.0, 7.0), (0, 2, 1.0, 1.0))
    table = PairTable.of(JobFlows((), (first, second, flows()), (), (), (), ((0, 1, wide),)), 3)
    assert list(zip(table.source.tolist(), table.target.tolist(), strict=True)) == [(0, 2), (1, 2), (2, 0)]
    assert [rows.tolist() for rows in table.rows] == [[0, 2], [0], [], [1, 0]]
    assert table.phases == ("pipeline", "pipeline", "pipeline", "wide_area")
    counted = {phase: column.tolist() for phase, column in table.n_accelerator_pairs.items()}
    assert counted == {"pipeline": [9.0, 0.0, 4.0], "wide_area": [1.0, 7.0, 0.0]}


def test_a_phase_without_flows_counts_no_pairs() -> None:
    table = PairTable.of(JobFlows((), (flows(),), (), (), (), ()), 3)
    assert table.source.tolist() == []
    assert table.n_accelerator_pairs == {}


def test_loads_are_on_arcs_that_something_uses() -> None:
    """Racks of b and c hold no rank, so that only the cables of a carry the ring; the links between sites are idle."""
    found = three_sites(1.0, 1.0, 1.0, placement=[{"site": "a"}])
    assert found.loads is not None
    assert {found.case.state.link_ids[arc // 2] for arc in found.loads.arc} == {"a-00~leaf", "a-01~leaf"}
    assert all((column >= 0).all() for column in found.loads.columns())
    assert np.sum(found.loads.columns(), axis=0).min() > 0


def test_unit_loads_have_no_latency_and_routed_ones_that_of_the_slowest_path() -> None:
    """100, 300 and 200 km: from a to c 300 km one way, 600 km there and back. Inside a site nothing takes time."""
    found = three_sites(100.0, 300.0, 200.0)
    unit, loads = cast(UnitLinkLoads, found.outcome("unit_link_loads")), found.loads
    assert loads is not None
    names = ("local_latency_us", "wide_latency_us", "pipeline_latency_us", "crossing_latency_us", "worst_round_trip_us")
    assert [getattr(unit, name) for name in names] == [0.0] * 5
    one_way_us = loads.wide_latency_us
    assert one_way_us == pytest.approx(300.0 * US_PER_KM, rel=0.01)
    assert [getattr(loads, name) for name in names] == [0.0, one_way_us, 0.0, 0.0, 2.0 * one_way_us]


def test_round_trips_of_an_arc_are_those_of_its_pairs() -> None:
    """A cable of a carries 8 pairs to b over 100 km and 8 to c over 300 km: a harmonic mean of 2 x 150 km."""
    found = three_sites(100.0, 300.0, 200.0)
    assert found.loads is not None
    km_us = found.loads.wide_latency_us / 300.0
    row = [found.case.state.link_ids[arc // 2] for arc in found.loads.arc].index("a-00~leaf")
    n_pairs, per_us = (columns["wide_area"][row] for columns in (found.loads.n_pairs, found.loads.n_pairs_per_us))
    assert n_pairs == 16.0
    assert n_pairs / per_us == pytest.approx(2 * 150.0 * km_us)


def test_a_crossing_between_sites_has_a_latency_of_its_own() -> None:
    found = evaluated(
        sites(
            {"a": [("H100", 8)], "b": [("H100", 8)]}, km=100.0, parallelism={"tp": 8, "pp": 2}, across_sites="pipeline"
        )
    )
    assert found.loads is not None
    assert found.loads.crossing_latency_us == pytest.approx(100.0 * US_PER_KM, rel=0.01)
    assert found.loads.wide_latency_us == found.loads.pipeline_latency_us == 0.0


def test_flows_without_a_path_are_named_once_a_set() -> None:
    """The first pair of each of the two sets between sites, with both ends."""
    data = sites({"a": [("H100", 8)] * 2, "b": [("H100", 8)] * 2}, parallelism={"tp": 8})
    data["links"] = [link for link in data["links"] if link["id"] != "wan-ab"]
    found = evaluated(data)
    assert found.loads is not None
    assert found.loads.unreachable == (("wide_area", "a-00", "b-00"), ("wide_area", "b-00", "a-00"))


def test_round_trips_of_less_than_a_microsecond_count() -> None:
    """16 pairs over 50 m: 0.49 µs there and back."""
    found = evaluated(sites({site: [("H100", 8)] * 2 for site in "ab"}, km=0.05, parallelism={"tp": 8}))
    assert found.loads is not None
    row = [found.case.state.link_ids[arc // 2] for arc in found.loads.arc].index("wan-ab")
    assert found.loads.n_pairs_per_us["wide_area"][row] == pytest.approx(16 / 0.49, rel=0.01)
