"""Steps over kinds and sites: who takes how many micro batches, who waits for whom, and what distance does."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.training.steps import evaluated, one_site, seconds, sites, step
from twin.errors import TopologyError
from twin.training.batch_split import _hill_climb, _interpolated_splits
from twin.training.step_timing import Counterfactual, StepTimingModel, expected_latest_end_s
from twin.workload.group_times import UNLIMITED, TimedGroup
from twin.workload.job_arithmetic import layout_of
from twin.workload.rank_exchange import context_bits, stage_boundary_bits, stage_layers

MIXED = {"a": [("H100", 8)] * 2, "b": [("GB200", 8)] * 2}
CUT = {"tp": 4, "pp": 2}
IDEALS = {
    "no_delay": Counterfactual(no_delay=True),
    "no_fabric_limit": Counterfactual(no_fabric_limit=True),
    "one_accelerator": Counterfactual(one_accelerator=True),
    "best_split": Counterfactual(best_split=True),
    "full_pipeline": Counterfactual(full_pipeline=True),
}
FEW = settings(max_examples=25, deadline=None)


def stated(a: int, b: int, **job: Any) -> dict[str, Any]:
    placement = [{"site": "a", "n_micro_batches": a}, {"site": "b", "n_micro_batches": b}]
    return {"placement": placement, "split": "stated", **job}


# --- splits -----------------------------------------------------------------------------------------------------------


def test_a_stated_split_is_taken_as_it_stands() -> None:
    """Two replicas a site, 256 sequences: 40 and 88 make a batch of 2 x 128."""
    found = step(sites(MIXED, parallelism=CUT, **stated(40, 88)))
    assert found.split == (40, 88)
    for group, took, m in zip(found.groups, found.group_time_s, found.split, strict=True):
        assert took >= m * group.stage_time_s
    assert found.slowest_group == int(np.argmax(found.group_time_s))


@pytest.mark.parametrize(("a", "b"), [(10, 22), (3, 3), (0, 0)])
def test_what_makes_no_batch_is_refused(a: int, b: int) -> None:
    with pytest.raises(TopologyError, match=f"x {a} .*= {2 * (a + b)} micro batches of 256"):
        step(sites(MIXED, parallelism=CUT, **stated(a, b)))


@FEW
@given(st.integers(0, 128), st.floats(10, 1e5), st.sampled_from([0.0, 0.1]))
def test_the_best_split_loses_to_no_stated_one_it_replaces(a: int, wide: float, jitter: float) -> None:
    data = sites(MIXED, wide_gbps=wide, parallelism=CUT, jitter_ratio=jitter, **stated(a, 128 - a))
    best = seconds(data, IDEALS["best_split"])
    assert best <= seconds(data) * (1 + 1e-12)
    plain = sites(MIXED, wide_gbps=wide, parallelism=CUT, jitter_ratio=jitter)
    uniform, balanced = (seconds({**plain, "jobs": [plain["jobs"][0] | {"split": s}]}) for s in ("uniform", "balanced"))
    assert best <= balanced * (1 + 1e-12)
    assert balanced <= uniform * (1 + 1e-12)


def test_an_early_pool_waits_once() -> None:
    """The fast group has few sequences and much slack, the slow one sets the pace: a group's own compute and what that
    does not hide is never longer than the step, and of one group it is just as long."""
    for a, b in ((40, 88), (20, 108), (100, 28)):
        found = step(sites(MIXED, wide_gbps=100.0, parallelism=CUT, **stated(a, b)))
        assert found.step_time_s >= max(found.group_time_s)
        assert found.step_time_s >= found.bottleneck["wide_area"][1]


def test_a_balanced_split_is_no_worse_than_any() -> None:
    """All splits of a small batch tried; the one that computes quickest hides less of its exchange."""
    held = {"a": [("H100", 8)], "b": [("A100-80GB", 8)] * 2}
    how = {"parallelism": {"tp": 4, "pp": 2}, "n_global_batch": 48, "recompute": "full"}
    for wide in (20.0, 60.0, 200.0):
        every = [seconds(sites(held, wide_gbps=wide, **how, **stated(a, -(-(48 - a) // 2)))) for a in range(0, 49, 2)]
        assert seconds(sites(held, wide_gbps=wide, split="balanced", **how)) <= min(every) * (1 + 1e-9)


def test_no_pool_gets_more_than_it_has_memory_for() -> None:
    """Four micro batches at once are too much for either; two for each are not."""
    long = {"n_sequence": 32_768, "n_global_batch": 4, "parallelism": {"pp": 8}, "recompute": "none"}
    model = {"model": {"preset": "llama-3.1-8b", "n_sequence": 32_768}}
    del long["n_sequence"]
    held = {"a": [("H100", 8)], "b": [("H100", 8)]}
    assert step(sites(held, **long, **model)).split == (2, 2)
    with pytest.raises(TopologyError, match="GB of 80 GB"):
        step(sites(held, **long, **model, **stated(4, 0)))
    assert max(step(sites(held, split="balanced", **long, **model)).split) <= 3


def pool(n_replicas: int, stage_time_s: float, max_micro_batches: int = UNLIMITED) -> TimedGroup:
    return TimedGroup("a", "H100", n_replicas, stage_time_s, max_micro_batches=max_micro_batches)


def test_splits_between_two_others_in_eight_steps() -> None:
    groups = pool(1, 1.0), pool(1, 1.0)
    found = _interpolated_splits(groups, (8, 8), (0, 16), 16)
    assert found == [(7, 9), (6, 10), (5, 11), (4, 12), (3, 13), (2, 14), (1, 15)]


def test_what_whole_numbers_leave_over_goes_to_the_pool_that_would_end_first() -> None:
    """From (4, 4) to (2, 6) in eighths of 2. 3.75 and 4.25 are 3 and 4, one too few: 4 x 1 s end before 5 x 1.5 s.

    A pool without memory for a fourth one leaves it to the other.
    """
    assert _interpolated_splits((pool(1, 1.0), pool(1, 1.5)), (4, 4), (2, 6), 8)[0] == (4, 4)
    assert _interpolated_splits((pool(1, 1.5), pool(1, 1.0)), (4, 4), (2, 6), 8)[0] == (3, 5)
    assert _interpolated_splits((pool(1, 1.0, 3), pool(1, 1.5)), (4, 4), (2, 6), 8)[0] == (3, 5)


def test_a_pool_that_is_too_slow_gets_no_work_and_a_full_one_no_more() -> None:
    """20 s for a single micro batch, 24 s for all of them at the other pool, which has memory for 30 or for 20."""
    for limit, best in ((30, (0, 24)), (20, (4, 20))):
        groups = pool(1, 20.0), pool(1, 0.5, limit)

        def step_s(split: tuple[float, ...], groups: tuple[TimedGroup, ...] = groups) -> float:
            return max(group.time_s(m) for group, m in zip(groups, split, strict=True))

        timing = cast(StepTimingModel, SimpleNamespace(step_s=step_s))
        assert _hill_climb(timing, groups, (12, 12), 24) == best


@pytest.mark.parametrize("seed", range(8))
def test_moves_between_pools_end_at_the_best_split(seed: int) -> None:
    """Against all splits of the batch, for steps that end with the slowest pool; two of them have 1 to 3 replicas."""
    draw = np.random.default_rng(seed)
    groups = tuple(pool(int(draw.integers(1, 4)), float(draw.uniform(0.5, 2.0)), 30) for _ in range(2))
    n_batches = 24

    def step_s(split: tuple[float, ...]) -> float:
        return max(group.time_s(m) for group, m in zip(groups, split, strict=True))

    every = [
        (a, b)
        for a, b in product(range(31), repeat=2)
        if a * groups[0].n_replicas + b * groups[1].n_replicas >= n_batches
    ]
    best_s = min(step_s(split) for split in every)
    start = (-(-n_batches // groups[0].n_replicas), 0)
    found = _hill_climb(cast(StepTimingModel, SimpleNamespace(step_s=step_s)), groups, start, n_batches)
    assert found in every
    assert step_s(found) == pytest.approx(best_s)


# --- jitter -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 8, 64, 1000])
def test_the_mean_of_the_largest_is_that_of_a_simulation(n: int) -> None:
    draw = np.random.default_rng(1)
    drawn = draw.standard_normal((20_000, n)).max(axis=1)
    assert expected_latest_end_s([0.0], [1.0], [n]) == pytest.approx(drawn.mean(), abs=0.015)
    assert expected_latest_end_s([0.0], [1.0], [1]) == pytest.approx(0.0, abs=1e-9)
    others = np.maximum(drawn * 0.5 + 3.0, draw.normal(2.0, 1.5, (20_000, 5)).max(axis=1))
    assert expected_latest_end_s([3.0, 2.0], [0.5, 1.5], [n, 5]) == pytest.approx(others.mean(), abs=0.02)
    assert expected_latest_end_s([3.0, 9.0], [0.5, 0.0], [n, 5]) == pytest.approx(9.0, abs=1e-6)


def test_the_slowest_replica_of_all_is_waited_for_wherever_it_stands() -> None:
    """Four replicas at one site, or two at each of two, on networks that cost nothing."""
    racks, waited_s = [("H100", 8)], []
    for held in ({"a": racks * 4}, {"a": racks * 2, "b": racks * 2}):
        how = {"parallelism": {"tp": 8}, "n_global_batch": 8}
        sure, unsure = (step(sites(held, jitter_ratio=ratio, **how)).compute_time_s for ratio in (0.0, 0.5))
        waited_s.append(unsure - sure)
    assert waited_s[1] == pytest.approx(waited_s[0], rel=1e-6)


@pytest.mark.parametrize(("n_racks", "batch"), [(4, 64), (16, 256), (16, 2048)])
def test_jitter_is_waited_for_as_in_a_simulation(n_racks: int, batch: int) -> None:
    """Each replica's time is the sum of its m micro batches, the step that of the slowest replica."""
    sure, unsure = (
        step(one_site(n_racks, 8, parallelism={"tp": 8}, n_global_batch=batch, jitter_ratio=ratio)).compute_time_s
        for ratio in (0.0, 0.2)
    )
    m = batch // n_racks
    drawn = np.random.default_rng(2).normal(1.0, 0.2, (4000, n_racks, m)).sum(axis=2).max(axis=1) / m
    assert unsure / sure == pytest.approx(drawn.mean(), rel=0.005)


# --- anatomy ----------------------------------------------------------------------------------------------------------

KINDS = [
    {"parallelism": CUT},
    {"parallelism": CUT | {"n_virtual_stages": 2}, "split": "balanced"},
    {"parallelism": {"tp": 4, "cp": 2}, "jitter_ratio": 0.1},
    {"parallelism": {"tp": 2, "fully_sharded": True}, "split": "balanced"},
    {"parallelism": {"tp": 4, "pp": 4}, "across_sites": "pipeline"},
    {"parallelism": CUT, "sync": "local_sgd", "n_local_steps": 32, "n_fragment_layers": 4, "n_overlap_steps": 2},
    {"parallelism": {"tp": 4, "ep": 8}, "model": "qwen3-30b-a3b"},
    {"parallelism": CUT, **stated(40, 88)},
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wide", [20.0, 1e5])
def test_parts_add_up_and_no_ideal_is_slower(kind: dict[str, Any], wide: float) -> None:
    """One kind of accelerator has the same rate together; with a uniform split in whole micro batches never slower."""
    data = sites(MIXED, wide_gbps=wide, km=100.0, rack_gbps=200.0, **kind)
    found = step(data)
    parts = found.compute_time_s, found.bubble_time_s, found.exposed_comm_time_s
    assert sum(parts) == pytest.approx(found.step_time_s, rel=1e-12)
    assert min(parts) >= -1e-12
    assert max(found.exposed_s.values()) <= found.exposed_comm_time_s * (1 + 1e-9) + 1e-12
    # each phase left out can only gain; local SGD alone lets the exchange hide behind what other phases take
    assert min(found.exposed_s.values()) >= -1e-12 or kind.get("split") == "balanced"
    actual_step = step(data, Counterfactual(False, False, False, False, False)).step_time_s
    for name, counterfactual in IDEALS.items():
        if name == "one_accelerator":
            continue
        assert seconds(data, counterfactual) <= actual_step * (1 + 1e-9), name
    every = Counterfactual(True, True, True, True, True)
    assert seconds(data, every) <= actual_step * (1 + 1e-9)
    assert step(data, Counterfactual(full_pipeline=True)).bubble_time_s <= 1e-9


@pytest.mark.parametrize("split", ["uniform", "balanced"])
def test_alike_accelerators_have_no_straggler(split: str) -> None:
    data = sites(MIXED, parallelism=CUT, split=split)
    assert step(data, Counterfactual(one_accelerator=True)).straggler_ratio == pytest.approx(0.0, abs=1e-9)
    assert step(data).straggler_ratio > (0.1 if split == "uniform" else 0.0)


# --- a replica over sites ---------------------------------------------------------------------------------------------

OVER = {"parallelism": {"tp": 4, "pp": 4}, "across_sites": "pipeline"}
TWO = {"a": [("H100", 8)] * 2, "b": [("H100", 8)] * 2}
THREE = {"a": [("H100", 8)] * 2, "b": [("H100", 8)] * 2, "c": [("H100", 8)]}


def test_without_distance_and_limit_it_is_the_job_at_one_site() -> None:
    """Here stages lie a site each, there a rack each; boundaries go by card and leaf in both, and gradients inside."""
    here = one_site(4, 8, parallelism=OVER["parallelism"])
    assert seconds(sites(TWO, km=0.001, **OVER)) == pytest.approx(seconds(here), rel=0.02)


@pytest.mark.parametrize("held", [TWO, THREE, MIXED])
def test_distance_and_capacity_only_ever_cost(held: dict[str, Any]) -> None:
    how = OVER
    by_distance = [seconds(sites(held, km=km, **how)) for km in (1.0, 100.0, 1000.0, 4000.0)]
    assert by_distance == sorted(by_distance)
    assert by_distance[-1] > by_distance[0]
    by_capacity = [seconds(sites(held, wide_gbps=x, km=10.0, **how)) for x in (1e5, 100.0, 10.0, 1.0, 0.1)]
    assert by_capacity == sorted(by_capacity)
    assert by_capacity[-1] > 10 * by_capacity[0]


def test_a_starved_crossing_sets_the_pace() -> None:
    """A micro batch of two replicas on 4 ranks: an activation each."""
    found = evaluated(sites(TWO, wide_gbps=0.5, km=0.1, **OVER))
    assert found.step is not None
    assert found.case.job is not None
    each = stage_boundary_bits(found.case.job.model, layout_of(found.case.job, 1))
    period = found.step.group_time_s[0] / 128
    assert period == pytest.approx(4 * 2 * each / 0.5e9, rel=0.02)


def test_distance_costs_what_a_simulation_of_the_order_says() -> None:
    """One forward, one backward, played through event by event; the same stages near and far."""
    for held, pp, batch in product((TWO, THREE), (4, 8), (4, 16, 62)):
        racks = {site: racks * (pp // 4 * 2) for site, racks in held.items()}
        place = [{"site": site, "micro_batch_s": 0.05} for site in held]
        how = OVER | {"parallelism": {"tp": 8, "pp": pp}, "n_global_batch": batch, "placement": place}
        near, far = (evaluated(sites(racks, km=km, **how)) for km in (1.0, 3000.0))
        assert near.step is not None
        assert far.step is not None
        assert far.placed is not None
        assert far.loads is not None
        n_stages = [group.n_stages for group in far.placed.groups]
        at = np.cumsum(n_stages)[:-1] - 1
        group = near.step.groups[0]

        def played(km: Any, t: float = group.stage_time_s, at: Any = at, pp: int = pp) -> float:
            latency = np.zeros(pp - 1)
            latency[at] = km.loads.crossing_latency_us * 1e-6
            m = -(-km.case.job.n_global_batch // km.placed.n_replicas)
            return naive.one_forward_one_backward([t / 3] * pp, [2 * t / 3] * pp, latency.tolist(), m)

        more_s = far.step.group_time_s[0] - near.step.group_time_s[0]
        assert more_s == pytest.approx(played(far) - played(near), rel=0.02), (n_stages, batch)


def test_a_slow_stage_of_a_replica_over_sites_keeps_the_others_waiting() -> None:
    """Half of the stages on accelerators that are faster: what these could do more is lost, and a cause of its own."""
    how = {"parallelism": {"tp": 4, "pp": 4}, "across_sites": "pipeline"}
    mixed, slow, fast = (
        step(sites({"a": [(a, 8)] * 2, "b": [(b, 8)] * 2}, **how))
        for a, b in (("H100", "GB300"), ("H100", "H100"), ("GB300", "GB300"))
    )
    assert slow.straggler_ratio == pytest.approx(0.0, abs=1e-9)
    h, g = slow.groups[0].stage_time_s, fast.groups[0].stage_time_s
    assert mixed.straggler_ratio == pytest.approx(
        1.0 - 2.0 / (1.0 / h + 1.0 / g) / mixed.groups[0].stage_time_s, abs=0.02
    )
    alike = step(sites({"a": [("H100", 8)] * 2, "b": [("GB300", 8)] * 2}, **how), Counterfactual(one_accelerator=True))
    assert fast.step_time_s < alike.step_time_s < 0.85 * mixed.step_time_s
    assert alike.straggler_ratio == pytest.approx(0.0, abs=1e-9)


def test_two_kinds_at_a_site_cross_no_distance() -> None:
    mixed = {"a": [("GB200", 8), ("H100", 8)], "b": [("H100", 8)] * 2}
    plain = {"a": [("H100", 8)] * 2, "b": [("H100", 8)] * 2}
    more = [seconds(sites(held, km=3000.0, **OVER)) - seconds(sites(held, km=1.0, **OVER)) for held in (mixed, plain)]
    assert more[0] == pytest.approx(more[1], rel=0.02)


def test_all_pools_of_a_replica_over_sites_send_their_context() -> None:
    cut = {"tp": 8, "cp": 2, "pp": 2}
    found = evaluated(sites(TWO, parallelism=cut, across_sites="pipeline", n_global_batch=4))
    assert found.step is not None
    assert found.loads is not None
    assert found.case.job is not None
    model, layout = found.case.job.model, layout_of(found.case.job, 1)
    each = 8 * context_bits(model, layout) * 4 * max(stage_layers(model, layout)) * 4
    names = [found.case.state.arrays.link_ids[arc // 2] for arc in found.loads.arc]
    at = {name: bits for name, bits in zip(names, found.step.arc_bits.tolist(), strict=True) if "wan" not in name}
    assert len(at) == 4
    assert all(bits >= each for bits in at.values())


# --- local SGD --------------------------------------------------------------------------------------------------------


@FEW
@given(st.floats(0.5, 500.0), st.sampled_from([1.0, 1000.0]), st.sampled_from([64, 256]))
def test_rarer_smaller_later_exchange_waits_less(wide: float, km: float, n_local: int) -> None:
    def waited(**how: Any) -> float:
        job = {"parallelism": CUT, "sync": "local_sgd", "n_local_steps": n_local} | how
        return step(sites(TWO, wide_gbps=wide, km=km, **job)).exposed_s["wide_area"]

    plain = waited()
    assert waited(n_local_steps=2 * n_local) <= plain * (1 + 1e-9)
    overlapped = [waited(n_overlap_steps=tau) for tau in (0, 1, 4)]
    assert overlapped == sorted(overlapped, reverse=True)
    bits = [waited(exchange_bits_per_parameter=b) for b in (24.0, 16.0, 4.0)]
    assert bits[0] == pytest.approx(plain)
    assert bits == sorted(bits, reverse=True)
    for fragment in (16, 4, 1):
        assert waited(n_fragment_layers=fragment) >= 0.0


def test_local_sgd_of_one_site_is_the_step() -> None:
    plain, local = (
        seconds(one_site(4, 8, parallelism=CUT, **how)) for how in ({}, {"sync": "local_sgd", "n_local_steps": 8})
    )
    assert local == plain
