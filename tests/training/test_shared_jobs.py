"""Jobs that run together, on jobs whose step is one exchange: closed forms by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from tests.training.steps import evaluated, inputs_of, sites
from twin.loading import from_document
from twin.stages.together import JobsTogether, evaluate_together
from twin.training.arc_sharing import JobDemand, PhaseDemand
from twin.training.shared_jobs import RunningJob, SharedStep, _demand_of, _shares
from twin.training.step import Step


def together(n_jobs: int, n_members: int = 1, batches: tuple[int, ...] = (16, 16, 16)) -> JobsTogether:
    """Jobs with a rack on each of two leaves; their gradients cross members of 1 Gb/s between the leaves."""
    names = "abc"[:n_jobs]
    racks = [f"{name}{i}" for name in names for i in (1, 2)]
    nodes: list[dict[str, Any]] = [
        {"id": rack, "kind": "rack", "site": "s", "accelerator": "H100", "n_accelerators": 8} for rack in racks
    ]
    nodes += [{"id": f"leaf-{i}", "kind": "leaf", "site": "s"} for i in (1, 2)]
    links = [
        {"id": f"{rack}~", "ends": [rack, f"leaf-{rack[1]}"], "capacity_gbps": 200, "n_parallel": 8} for rack in racks
    ]
    links.append({"id": "between", "ends": ["leaf-1", "leaf-2"], "capacity_gbps": 1, "n_parallel": n_members})
    shape = {"n_layers": 8, "n_hidden": 1000, "n_heads": 10, "n_ffn_hidden": 4000, "n_vocab": 1000, "n_sequence": 1000}
    jobs = [
        {
            "id": name,
            "model": shape,
            "parallelism": {"tp": 2, "pp": 4, "n_virtual_stages": 2},
            "n_global_batch": batch,
            "placement": [{"site": "s", "racks": f"{name}?", "micro_batch_s": 0.3}],
        }
        for name, batch in zip(names, batches, strict=False)
    ]
    network = from_document({"sites": [{"id": "s"}], "nodes": nodes, "links": links, "jobs": jobs})
    case = network.evaluate("a").case
    return evaluate_together(network._engine, [replace(case, job=network.job(name)) for name in names])


@pytest.mark.parametrize(
    ("durations_s", "speed", "expected"),
    [
        ((0.2, 0.3), 1.0, (0.2, 0.3)),
        ((0.2, 0.3), 0.5, (0.4, 0.3)),  # the first phase takes twice as long
        ((0.9, 0.6), 1.0, (0.6, 0.4)),  # they overlap, so they share the step
    ],
)
def test_phases_share_the_time_of_a_step(
    durations_s: tuple[float, float], speed: float, expected: tuple[float, float]
) -> None:
    none = np.zeros(0, np.int64), np.zeros(0)
    phases = tuple(PhaseDemand(kind, s, *none) for kind, s in zip(("local", "expert"), durations_s, strict=True))
    step = cast(Step, SimpleNamespace(step_time_s=1.0))
    found = _shares(JobDemand("a", 1.0, phases), {"local": speed, "expert": 1.0}, step)
    assert tuple(found.values()) == pytest.approx(expected)


def test_a_phase_uses_the_arcs_that_carry_its_bits() -> None:
    """Exchange between sites fills the link of 100 Gb/s, and a twentieth of a cable of 1000 Gb/s for half of it."""
    two = {site: [("H100", 8)] * 2 for site in "ab"}
    found = evaluated(sites(two, wide_gbps=100.0, rack_gbps=1000.0, parallelism={"tp": 8}))
    assert found.step is not None
    assert found.loads is not None
    capacity_gbps = found.health.arc_sending_gbps[found.loads.arc]
    nowhere = np.zeros(len(capacity_gbps), dtype=np.bool_)
    demand = _demand_of(RunningJob(inputs_of(found), found.step, capacity_gbps, nowhere))
    used = {
        p.kind: {
            found.case.state.link_ids[arc // 2]: ratio
            for arc, ratio in zip(p.arc.tolist(), p.utilisation_ratio.tolist(), strict=True)
        }
        for p in demand.phases
    }
    assert set(used) == {"local", "wide_area"}, "phases without bits are left out"
    cables = ("a-00~leaf", "a-01~leaf", "b-00~leaf", "b-01~leaf")
    assert used["local"] == pytest.approx(dict.fromkeys(cables, 1.0))
    assert used["wide_area"] == pytest.approx(dict.fromkeys(cables, 0.05) | {"wan-ab": 1.0})
    assert {p.kind: p.duration_s for p in demand.phases}["wide_area"] == found.step.bottleneck["wide_area"][1]


def test_a_phase_fills_the_hashed_arc_that_limits_it_and_leaves_room_elsewhere() -> None:
    """Collisions between sites double the exchange: the busiest member is full, and cables are half idle."""
    two = {site: [("H100", 8)] * 2 for site in "ab"}
    found = evaluated(sites(two, wide_gbps=100.0, rack_gbps=1000.0, parallelism={"tp": 8}))
    assert found.step is not None
    assert found.loads is not None
    inputs, names = inputs_of(found), [found.case.state.link_ids[arc // 2] for arc in found.loads.arc]
    hashed = replace(inputs, capacity=inputs.capacity.with_efficiency({"wide_area": 0.5}))
    is_balanced = np.array([name == "wan-ab" for name in names])
    capacity_gbps = found.health.arc_sending_gbps[found.loads.arc]
    before, after = (
        {p.kind: p for p in _demand_of(RunningJob(row, found.step, capacity_gbps, is_balanced)).phases}["wide_area"]
        for row in (inputs, hashed)
    )
    assert after.duration_s == pytest.approx(2.0 * before.duration_s)
    factors = np.where(is_balanced[np.isin(found.loads.arc, after.arc)], 1.0, 0.5)
    assert set(factors) == {0.5, 1.0}
    assert after.utilisation_ratio == pytest.approx(before.utilisation_ratio * factors)


def exchange_s(found: SharedStep) -> float:
    """Time of the exchange alone: 48 bits a parameter, half of it each way, over 1 Gb/s."""
    return 48 * 98_016_000 / 2 / 1e9


def test_two_equal_jobs_slow_each_other_as_the_closed_form_says() -> None:
    """D (1 - D / (2 (c + D))) = d, with c the rest of the step: D = d - c + sqrt(d^2 + c^2)."""
    found = together(2).shared
    a, b = found["a"], found["b"]
    d = exchange_s(a)
    c = a.alone.step_time_s - d
    slowed = d - c + math.hypot(d, c)
    assert c > 1.0
    assert a.shared.step_time_s == pytest.approx(c + slowed, rel=1e-8)
    assert a.speed_ratio == pytest.approx({"local": d / slowed})
    assert (b.shared.step_time_s, b.p90_step_time_s) == (a.shared.step_time_s, a.p90_step_time_s)
    (slowdown,) = a.slowed_by
    assert (slowdown.job, slowdown.phase, slowdown.other_phase) == ("b", "local", "local")
    assert slowdown.time_s == a.shared.step_time_s - a.alone.step_time_s


def test_at_the_90th_percentile_the_exchanges_coincide_longer() -> None:
    """Two intervals of D in a period T = c + D coincide for D - 0.05 T; half speed there, so d / (1 - share / 2)."""
    found = together(2).shared["a"]
    d, period_s = exchange_s(found), found.shared.step_time_s
    slowed = d / found.speed_ratio["local"]
    share = (slowed - 0.05 * period_s) / slowed
    c = found.alone.step_time_s - d
    assert found.p90_step_time_s == pytest.approx(max(c + d / (1.0 - share / 2.0), period_s), rel=1e-8)
    assert found.p90_step_time_s > found.shared.step_time_s


def test_the_other_job_adds_more_if_it_exchanges_more_often() -> None:
    """Job b computes four times as long as c between exchanges."""
    found = together(3, batches=(16, 64, 16)).shared["a"]
    pair = together(2).shared["a"]
    assert [slowdown.job for slowdown in found.slowed_by] == ["c", "b"]
    assert found.slowed_by[0].time_s == pytest.approx(pair.shared.step_time_s - pair.alone.step_time_s, rel=1e-9)
    assert found.slowed_by[0].time_s > found.slowed_by[1].time_s > 0
    assert found.shared.step_time_s > pair.shared.step_time_s


def test_room_for_all_leaves_each_job_its_step_to_the_last_bit() -> None:
    found = together(2, n_members=1000)
    for row in found.shared.values():
        assert row.shared is row.alone
        assert (row.speed_ratio, row.slowed_by) == ({}, ())
        assert row.p90_step_time_s == row.alone.step_time_s


def test_what_other_jobs_load_is_the_sum_of_their_steps() -> None:
    found = together(3)
    sharing = found.sharing_of("a")
    assert sharing is not None
    expected = sharing.other_gbps * 0.0
    for name in ("b", "c"):
        loads = found.alone[name].loads
        assert loads is not None
        step = found.shared[name].shared
        expected[loads.arc] += step.arc_bits / step.step_time_s / 1e9
    assert sharing.other_gbps.tolist() == pytest.approx(expected.tolist())
    assert dict(sharing.speed_ratio) == found.shared["a"].speed_ratio
    assert found.sharing_of("z") is None
