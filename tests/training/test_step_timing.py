"""Timing of one split: exposed exchange by hand, and which group pays for which arc."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.training.cases import general, of_part
from tests.training.steps import evaluated, gather_bits, inputs_of, one_site, reduce_bits, seconds, sites, step
from twin.training.step import Step, bits_by_kind
from twin.training.step_timing import Counterfactual
from twin.workload.job_arithmetic import flops_per_step

TWO = {site: [("H100", 8)] * 2 for site in "ab"}


def timed(site: str, micro_batch_s: float, n_micro_batches: int | None = None) -> dict[str, Any]:
    """A placement whose micro batches take this long on a stage."""
    stated = {} if n_micro_batches is None else {"n_micro_batches": n_micro_batches}
    return {"site": site, "micro_batch_s": micro_batch_s, **stated}


def no_optimizer_s(found: Step, n_stage_times: float) -> float:
    """The step without the optimizer, whose time is what compute takes beyond the micro batches."""
    return found.step_time_s - (found.compute_time_s - n_stage_times)


# --- exchange of fully sharded weights -------------------------------------------------------------------------------


@pytest.mark.parametrize("gbps", [20.0, 60.0, 150.0, 1e6])
def test_sharded_weights_are_gathered_for_both_passes_and_gradients_scattered(gbps: float) -> None:
    """Two ranks, so half of everything leaves a rack, 4 micro batches of 1 s each.

    The forward pass hides 0.9 of its third of a second of gathering, the backward pass 0.9 of its two thirds of
    gathering and scattering.
    """
    job = {"parallelism": {"tp": 8, "fully_sharded": True}, "n_global_batch": 8, "recompute": "none"}
    data = one_site(2, 8, gbps=gbps, placement=[timed("a", 1.0)], **job)
    found, case = step(data), evaluated(data).case
    assert general("overlap_ratio") == 0.9
    assert case.job is not None
    # a cable that is faster than 8 cards of 400 Gb/s leaves the cards as the limit
    rate = min(gbps, 8 * 400.0) * 1e9
    gather_s, scatter_s = gather_bits(case.job) / 2 / rate, reduce_bits(case.job) / 2 / rate
    exposed_s = max(0.0, gather_s - 0.3) + max(0.0, gather_s + scatter_s - 0.6)
    assert no_optimizer_s(found, 4.0) == pytest.approx(4.0 * (1.0 + exposed_s), rel=1e-3)


def test_each_site_gathers_for_its_own_micro_batches() -> None:
    """3 micro batches at a and 5 at b: each cable carries its site's passes, half of the parameters of two ranks."""
    job = {"parallelism": {"tp": 8, "fully_sharded": True}, "n_global_batch": 16, "split": "stated"}
    data = sites(TWO, **job, placement=[timed("a", 1.0, 3), timed("b", 1.0, 5)])
    found, case = step(data), evaluated(data).case
    assert case.job is not None
    loads = evaluated(data).loads
    assert loads is not None
    ids = [case.state.link_ids[arc // 2] for arc in loads.arc]
    for phase, bits, n_passes in (
        ("reduce_scatter", reduce_bits(case.job), 1),
        ("all_gather", gather_bits(case.job), 2),
    ):
        by_link = dict(zip(ids, found.phase_bits[phase]["local"].tolist(), strict=True))
        assert by_link["a-00~leaf"] == pytest.approx(3 * n_passes * bits / 2)
        assert by_link["b-00~leaf"] == pytest.approx(5 * n_passes * bits / 2)
        assert by_link["wan-ab"] == 0.0


# --- sites ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sharded", [False, True])
def test_a_site_does_not_wait_for_the_cables_of_another_one(sharded: bool) -> None:
    """Site a computes for 8 s, b for 4 s. Exchange over the slow cables of b ends before a does: it costs nothing."""
    job = {"sync": "local_sgd", "n_local_steps": 1000, "n_global_batch": 16}
    job |= {"parallelism": {"tp": 8, "fully_sharded": sharded}, "placement": [timed("a", 2.0), timed("b", 1.0)]}
    fast = sites(TWO, **job)
    slow = fast | {
        "links": [
            link | ({"capacity_gbps": 600.0 if sharded else 150.0} if link["id"].startswith("b-") else {})
            for link in fast["links"]
        ]
    }
    alone = [step(data).exposed_s["reduce_scatter"] for data in (fast, slow)]
    assert alone[1] == pytest.approx(alone[0], abs=1e-9)
    assert evaluated(slow).step.bottleneck["reduce_scatter"][1] > 0.5  # type: ignore[union-attr]
    assert seconds(slow) == pytest.approx(seconds(fast), rel=1e-4)


def test_replicas_without_work_have_no_jitter() -> None:
    """All micro batches at a: the step is that of a alone, whose slowest of two replicas counts."""
    placement = [timed("a", 1.0, 8), timed("b", 1.0, 0)]
    job = {"parallelism": {"tp": 8}, "n_global_batch": 16, "jitter_ratio": 0.3}
    both = step(sites(TWO, **job, split="stated", placement=placement))
    alone = step(one_site(2, 8, **job, placement=placement[:1], split="stated"))
    assert both.compute_time_s == pytest.approx(alone.compute_time_s, rel=1e-9)
    # mean of the largest of two normal numbers: 1 / sqrt(pi); of 8 micro batches each 0.3 / sqrt(8)
    expected_s = 8.0 * (1.0 + 0.3 / np.sqrt(8) / np.sqrt(np.pi))
    assert alone.compute_time_s == pytest.approx(expected_s, rel=2e-3)


# --- figures of a step ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pp", "n_virtual", "batch", "expected"),
    [
        (4, 1, 12, 3 / 15),  # 12 micro batches and 3 of fill
        (4, 3, 12, 3 / 39),  # fill of a third
        (4, 2, 4, 3 / 11),
        (1, 1, 12, 0.0),
    ],
)
def test_bubble_of_equal_stages(pp: int, n_virtual: int, batch: int, expected: float) -> None:
    """(p - 1) / (v m + p - 1) of the step, with m micro batches, p stages and v virtual ones on each."""
    cut = {"tp": 8, "pp": pp, "n_virtual_stages": n_virtual}
    found = step(one_site(pp, 8, parallelism=cut, n_global_batch=batch, placement=[timed("a", 1.0)]))
    assert found.bubble_ratio == pytest.approx(expected)
    m = batch
    assert found.bubble_time_s == pytest.approx(m * (pp - 1) / (n_virtual * m), rel=1e-9)
    assert found.bubble_time_s / (m + found.bubble_time_s) == pytest.approx(expected)


def test_a_single_replica_exchanges_no_gradients() -> None:
    alone = step(one_site(1, 8, parallelism={"tp": 8}, n_global_batch=4))
    assert (alone.exposed_s["reduce_scatter"], alone.exposed_s["all_gather"]) == (0.0, 0.0)
    assert alone.bottleneck == {}


def test_latency_inside_a_site_counts_once_a_round_of_a_tree() -> None:
    """Four ranks: two rounds to reduce and two to gather, over a leaf of 0.6 µs."""
    data = one_site(4, 8, parallelism={"tp": 8}, n_global_batch=8)
    data["nodes"][0]["part"] = "leaf-51.2T"
    far, near = step(data), step(data, Counterfactual(no_delay=True))
    loads = evaluated(data).loads
    assert loads is not None
    assert loads.local_latency_us > 0.5
    assert far.step_time_s - near.step_time_s == pytest.approx(4 * loads.local_latency_us * 1e-6, rel=1e-3)
    assert far.bottleneck["reduce_scatter"][0] == far.bottleneck["all_gather"][0] == loads.arc[0]


def test_rates_of_a_step() -> None:
    """16 accelerators of 989 TFLOP/s; 32 sequences of 8192 tokens."""
    data = one_site(2, 8, parallelism={"tp": 8}, n_global_batch=32)
    found, job = step(data), evaluated(data).case.job
    assert job is not None
    assert job.precision == "bf16"
    assert of_part("H100", "bf16_tflops") == 989
    assert found.tokens_per_s == pytest.approx(32 * job.model.n_sequence / found.step_time_s)
    assert found.model_flops_per_s == pytest.approx(flops_per_step(job) / found.step_time_s)
    assert found.mfu_ratio == pytest.approx(flops_per_step(job) / found.step_time_s / (16 * 989e12))
    assert (found.exchange, found.n_local_steps) == ("none", 1)


def test_bits_between_sites_are_shared_out_over_local_steps() -> None:
    """An exchange every 20 steps; half of all gradients and parameters go each way."""
    job = {"parallelism": {"tp": 8}, "sync": "local_sgd", "n_local_steps": 20}
    data = sites(TWO, **job)
    found, case = evaluated(data), evaluated(data).case
    assert found.step is not None
    assert found.loads is not None
    assert case.job is not None
    assert found.step.n_local_steps == 20
    row = [case.state.link_ids[arc // 2] for arc in found.loads.arc].index("wan-ab")
    whole = (reduce_bits(case.job) + gather_bits(case.job)) / 2
    assert found.step.phase_bits["wide_area"]["wide_area"][row] == pytest.approx(whole)
    assert bits_by_kind(found.step)["wide_area"][row] == pytest.approx(whole / 20)
    assert found.step.arc_bits[row] == pytest.approx(whole / 20)
    cable = [case.state.link_ids[arc // 2] for arc in found.loads.arc].index("a-00~leaf")
    # two ranks reduce and gather: half of the gradients and half of the parameters leave each rack, in each step
    assert bits_by_kind(found.step)["local"][cable] == pytest.approx(whole)
    plain = step(sites(TWO, parallelism={"tp": 8}))
    assert plain.n_local_steps == 1
    assert bits_by_kind(plain)["wide_area"][row] == pytest.approx(whole)


# --- splits -----------------------------------------------------------------------------------------------------------

MIXED = {"a": [("H100", 8)] * 2, "b": [("GB200", 8)] * 2}


@pytest.mark.parametrize(
    ("held", "batch", "split", "uniform_is_faster"),
    [
        (MIXED, 8, (2, 2), True),  # balanced by compute alone, b would do more
        (MIXED, 24, (4, 8), False),
        (TWO, 8, (2, 2), False),  # the balanced split is the uniform one
    ],
)
def test_the_uniform_split_is_named_where_it_beats_the_balanced_one(
    held: dict[str, list[tuple[str, int]]], batch: int, split: tuple[int, ...], uniform_is_faster: bool
) -> None:
    job = {"parallelism": {"tp": 4, "pp": 2}, "n_global_batch": batch}
    found = step(sites(held, wide_gbps=10.0, split="balanced", **job))
    assert (found.split, found.uniform_is_faster) == (split, uniform_is_faster)
    assert not step(sites(held, wide_gbps=10.0, **job)).uniform_is_faster


def test_a_batch_so_large_that_it_divides_keeps_the_proportions_of_a_stated_split() -> None:
    """80 and 176 micro batches of two replicas each are twice a batch of 256: as 40 and 88."""
    whole = Counterfactual(full_pipeline=True)
    one, other = (
        sites(MIXED, parallelism={"tp": 4, "pp": 2}, split="stated", placement=[timed("a", 0.1, a), timed("b", 0.1, b)])
        for a, b in ((40, 88), (80, 176))
    )
    assert seconds(one, whole) == pytest.approx(seconds(other, whole), rel=1e-12)
    assert seconds(other, whole) == pytest.approx(8.8, rel=1e-2)
    assert seconds(other) > 17.0


def test_a_batch_so_large_that_it_divides_is_split_by_pace() -> None:
    """Two replicas of 0.1 s and two of 0.3 s a micro batch: 40 + 40/3 micro batches a second do 64 in 2.4 s."""
    data = sites(
        MIXED,
        parallelism={"tp": 4, "pp": 2},
        n_global_batch=64,
        placement=[timed("a", 0.3), timed("b", 0.1)],
        split="balanced",
    )
    found = step(data, Counterfactual(full_pipeline=True))
    assert found.compute_time_s == pytest.approx(2.4, rel=5e-3)
    assert found.straggler_ratio == pytest.approx(0.0, abs=1e-9)
    assert inputs_of(evaluated(data)).job.split == "balanced"
