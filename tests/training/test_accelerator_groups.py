"""The pace of a routed job against the reference node: two roads to one figure where the network is generous.

Both take kernels and exchange within layers from `stage.py`; where ranks lie, what crosses which boundary, how
gradients go up and back, and how passes add up to a step is worked out twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.model.samples import model_data
from tests.training.cases import reader
from tests.training.steps import evaluated, one_site, seconds, sites, step
from twin.errors import TopologyError
from twin.model.jobs import TrainingJob
from twin.training.accelerator_groups import CalibratedGroup, chained_group, data_exchange_floor, flops_per_s, n_rounds
from twin.training.placement import accelerator_profile
from twin.workload.group_times import TimedGroup
from twin.workload.job_arithmetic import flops_per_micro_batch, layout_of
from twin.workload.rank_exchange import context_bits, expert_bits, rank_parameters, stage_boundary_bits, stage_layers
from twin.workload.reference_node import DataExchange, NodeStep, reference_step

READER = reader()
LLAMA, MIXTRAL, QWEN = "llama-3.1-8b", "mixtral-8x7b", "qwen3-30b-a3b"
CLOSE = 0.003


def reference(data: dict[str, Any]) -> NodeStep:
    """The same job on the reference node of its one group."""
    found = evaluated(data)
    job, placed = found.case.job, found.placed
    assert job is not None
    assert placed is not None
    (group,) = placed.groups
    overlap = READER.part_or(group.accelerator, "overlap_ratio", READER.general("overlap_ratio"))
    exchange = DataExchange(
        job.gradient_bytes_per_parameter,
        job.parameter_bytes_per_parameter,
        overlap,
        READER.general("n_gradient_buckets"),
    )
    layout = layout_of(job, placed.n_replicas)
    return reference_step(job.model, layout, accelerator_profile(group, job, READER), exchange, job.n_global_batch)


def ratio(data: dict[str, Any]) -> float:
    return seconds(data) / reference(data).step_time_s


@pytest.mark.parametrize("recompute", ["none", "selective", "full"])
@pytest.mark.parametrize(
    "cut",
    [
        {"tp": 8},
        {"tp": 4},
        {"tp": 8, "cp": 2, "pp": 2},
        {"tp": 4, "cp": 2},
        {"tp": 8, "cp": 4},
        {"tp": 8, "pp": 4},
        {"tp": 8, "pp": 4, "n_virtual_stages": 2},
    ],
)
def test_dense_jobs_take_as_long_as_on_the_reference_node(recompute: str, cut: dict[str, int]) -> None:
    """What is left: with cp 2 in a domain gradients go up in two rings, first over context ranks on NVLink, and the
    reference puts all into one over the NICs (0.2 % here)."""
    data = one_site(8, 8, parallelism=cut, recompute=recompute, precision="fp8")
    assert ratio(data) == pytest.approx(1.0, abs=CLOSE)


@pytest.mark.parametrize(
    ("model", "cut"),
    [
        (MIXTRAL, {"tp": 8, "pp": 2}),
        (MIXTRAL, {"tp": 8, "pp": 2, "ep": 4}),
        (MIXTRAL, {"tp": 8, "ep": 8}),
        (MIXTRAL, {"tp": 4, "pp": 4, "ep": 8}),
        (QWEN, {"tp": 4, "ep": 32}),
        (QWEN, {"tp": 2, "cp": 2, "ep": 16, "pp": 2}),
        (QWEN, {"tp": 8, "ep": 2, "pp": 2}),
    ],
)
def test_experts_take_as_long_as_on_the_reference_node(model: str, cut: dict[str, int]) -> None:
    """What is left: copies of experts inside a tensor group sum up on NVLink before their block meets others."""
    data = one_site(8, 8, model=model, parallelism=cut)
    assert ratio(data) == pytest.approx(1.0, abs=0.015 if cut.get("ep", 8) < 8 else CLOSE)


@pytest.mark.parametrize("cut", [{"tp": 4, "pp": 2, "cp": 2}, {"tp": 4, "pp": 4}, {"tp": 8, "pp": 2}, {"tp": 16}])
@pytest.mark.parametrize("model", ["llama-3.1-70b", "qwen3-235b-a22b"])
def test_one_large_domain(model: str, cut: dict[str, int]) -> None:
    ep = {"ep": 16} if model.startswith("qwen") else {}
    data = one_site(1, 64, "GB200", model=model, parallelism=cut | ep)
    assert ratio(data) == pytest.approx(1.0, abs=CLOSE)


@pytest.mark.parametrize(
    ("cut", "low", "high"),
    [({"tp": 8}, 0.96, 1.0), ({"tp": 1}, 0.999, 1.001), ({"tp": 2, "pp": 2}, 0.99, 1.0), ({"tp": 4}, 0.99, 1.01)],
)
def test_fully_sharded_jobs(cut: dict[str, int], low: float, high: float) -> None:
    """Gathers hide behind a third of a micro batch (a quarter with `full`), where the reference has its forward pass:
    that is longer, or shorter, with exchange of tensor ranks in it, and most where gathers take longest (tp 8, 3 %).
    """
    data = one_site(8, 8, parallelism=cut | {"fully_sharded": True}, recompute="none" if cut["tp"] == 8 else "full")
    assert low <= ratio(data) <= high


def test_stages_in_a_domain_send_by_nvlink() -> None:
    """A replica of tp 2 and pp 4 lies in one domain of 8 here; the reference lays data ranks there, and sends from
    stage to stage by NIC but puts four NICs together for gradients."""
    data = one_site(8, 8, parallelism={"tp": 2, "pp": 4, "n_virtual_stages": 2})
    routed, node = step(data), reference(data)
    assert 0.9 < routed.step_time_s / node.step_time_s < 1.0
    assert routed.exposed_s["pipeline"] < node.point_to_point_s / 4


def test_a_batch_that_does_not_divide_is_rounded_up() -> None:
    """256 sequences on three replicas: 86 micro batches each, of which the reference does 85."""
    data = one_site(9, 8, parallelism={"tp": 8, "pp": 3})
    assert ratio(data) == pytest.approx((86 + 2) / (85 + 2), rel=CLOSE)


def test_a_thin_fabric_is_waited_for() -> None:
    """Each phase on a leaf of little capacity is what its bits take, once the cards are no longer what holds it up."""
    cut = {"tp": 8, "cp": 2}
    thin = [step(one_site(8, 8, gbps=x, parallelism=cut)).group_time_s[0] for x in (1e7, 50.0, 25.0)]
    # keys and values of eight ranks leave a rack for each layer, three times, four with `full`
    found = evaluated(one_site(8, 8, gbps=25.0, parallelism=cut))
    assert found.case.job is not None
    model = found.case.job.model
    bits = 8 * context_bits(model, layout_of(found.case.job, 1)) * 4 * model.n_layers * 64
    assert thin[2] - thin[1] == pytest.approx(bits * (1 / 25e9 - 1 / 50e9), rel=1e-6)
    assert thin[0] < thin[1]


def test_thin_all_to_alls_and_boundaries_are_waited_for() -> None:
    data = [one_site(8, 8, gbps=x, model=QWEN, parallelism={"tp": 8, "ep": 16}) for x in (20.0, 10.0)]
    a, b = (step(one).group_time_s[0] for one in data)
    job = evaluated(data[0]).case.job
    assert job is not None
    model = job.model
    # 8 of the 15 others lie in the other rack; two all-to-alls a pass, three passes
    bits = 8 * expert_bits(model, layout_of(job, 1)) * 8 / 15 * 6 * model.n_layers * 32
    assert b - a == pytest.approx(bits * (1 / 10e9 - 1 / 20e9), rel=1e-6)
    data = [one_site(8, 8, gbps=x, parallelism={"tp": 8, "pp": 2}) for x in (20.0, 10.0)]
    a, b = (step(one).group_time_s[0] for one in data)
    job = evaluated(data[0]).case.job
    assert job is not None
    each = 2 * 8 * stage_boundary_bits(job.model, layout_of(job, 1))
    assert b - a == pytest.approx((64 + 1) * each * (1 / 10e9 - 1 / 20e9), rel=1e-6)


def test_half_the_pace_is_twice_the_kernels_and_the_same_exchange() -> None:
    def timed(pace_ratio: float) -> tuple[float, float]:
        found = step(one_site(8, 8, parallelism={"tp": 8}, placement=[{"site": "a", "pace_ratio": pace_ratio}]))
        return found.compute_time_s, found.exposed_s["in_layers"]

    (one, exchange), (half, same) = timed(1.0), timed(0.5)
    optimizer = reference(one_site(8, 8, parallelism={"tp": 8})).optimizer_s
    assert half - optimizer == pytest.approx(2 * (one - optimizer), rel=1e-12)
    # gradients hide a bit better behind longer passes
    assert same == pytest.approx(exchange, rel=0.05)
    assert timed(1.25)[0] < one


def test_a_measured_micro_batch_is_the_pace() -> None:
    """Twice as long for all four stages, whatever the model says: 0.3 s, of 64 and three to fill."""
    cut = {"tp": 8, "pp": 4}
    found = step(one_site(16, 8, parallelism=cut, placement=[{"site": "a", "micro_batch_s": 0.3}]))
    assert found.compute_time_s + found.bubble_time_s == pytest.approx(0.3 * (64 + 3), rel=1e-3)
    assert found.exposed_s["in_layers"] == 0.0
    assert found.exposed_s["pipeline"] == pytest.approx(0.0, abs=1e-6)


def test_no_accelerator_is_faster_than_its_peak() -> None:
    for place in ({"pace_ratio": 5.0}, {"micro_batch_s": 1e-6}):
        with pytest.raises(TopologyError, match="times the peak"):
            step(one_site(4, 8, parallelism={"tp": 8}, placement=[{"site": "a", **place}]))


def test_pools_share_what_arcs_carry() -> None:
    """Two kinds whose context rings cross one leaf: each waits for its own racks' links alone."""
    cut = {"tp": 8, "cp": 2}
    both = {"a": [("H100", 8)] * 2 + [("H200", 8)] * 2}
    found = step(sites(both, rack_gbps=25.0, parallelism=cut))
    alone = step(one_site(2, 8, gbps=25.0, parallelism=cut))
    assert found.groups[0].accelerator == "H100"
    ring = [p.stage_time_s for p in (found.groups[0], alone.groups[0])]
    assert ring[0] == pytest.approx(ring[1], rel=1e-9)


def test_bits_of_a_step_by_phase() -> None:
    """What lies on the arcs in a step: rings and all-to-alls of all layers, each gather of a sharded job twice."""
    found = evaluated(one_site(2, 8, parallelism={"tp": 8, "cp": 2}, n_global_batch=4))
    assert found.step is not None
    assert found.case.job is not None
    model, layout = found.case.job.model, layout_of(found.case.job, 1)
    each = 8 * context_bits(model, layout) * 4 * max(stage_layers(model, layout)) * 4
    reduced = 8 * (4 + 2) * model.n_parameters() / 2  # eight ranks send half of their eighth to the other context rank
    assert found.step.arc_bits.max() == pytest.approx(each + reduced)
    for batch in (8, 16):
        sharded = evaluated(one_site(8, 8, parallelism={"tp": 8, "fully_sharded": True}, n_global_batch=batch))
        assert sharded.step is not None
        assert sharded.case.job is not None
        pass_bits = 8 * (7 / 8) * sharded.case.job.model.n_parameters() / 8 * 8
        assert sharded.step.arc_bits.max() == pytest.approx(pass_bits * (4 + 2 * 2) * batch / 8)


def test_optimizer_state_is_that_of_the_fullest_rank() -> None:
    data = one_site(8, 8, model=MIXTRAL, parallelism={"tp": 8, "ep": 8})
    found = evaluated(data)
    assert found.case.job is not None
    alike, spread = rank_parameters(found.case.job.model, layout_of(found.case.job, 8))
    assert spread > 4 * alike
    shrunk = replace(found.case.job.model, n_layers=16)
    assert sum(rank_parameters(shrunk, layout_of(found.case.job, 8))) < alike + spread


# --- least times and rounds by hand ----------------------------------------------------------------------------------


EXPERTS = model_data(n_experts=8, n_experts_active=2, n_ffn_hidden=1024)


def group_of(data: dict[str, Any]) -> tuple[CalibratedGroup, TrainingJob]:
    found = evaluated(data)
    assert found.case.job is not None
    assert found.accelerators is not None
    (group,) = found.accelerators.groups
    return group, found.case.job


def test_the_least_time_of_gradients_over_context_ranks_and_copies_of_experts() -> None:
    """tp 4 and cp 4 on two racks: two context ranks in a rack. Experts of four ranks have four copies, two in a rack.

    So both rings of four ranks have two in a domain: 3/4 of the parameters over two cards, a hop each over NVLink and
    card.
    """
    group, job = group_of(one_site(2, 8, model=EXPERTS, parallelism={"tp": 4, "cp": 4, "ep": 4}))
    alike, spread = rank_parameters(job.model, group.layout)
    profile, floor = group.profile, data_exchange_floor(group, job, 1)
    assert floor.per_byte_s == pytest.approx(0.75 * (alike + spread) / (2 * profile.nic_bytes_per_s))
    assert floor.fixed_s == pytest.approx(2 * (profile.nvlink_hop_s + profile.nic_hop_s))


def test_the_least_time_of_gradients_in_blocks_and_between_them() -> None:
    """Replicas of tp 4, two in each of two racks; experts of two ranks have two copies in the domain of a replica.

    Between four replicas, two in a domain, go 3/4 over two cards; of experts half, which their copies have summed over
    NVLink before.
    """
    group, job = group_of(one_site(2, 8, model=EXPERTS, parallelism={"tp": 4, "ep": 2}))
    alike, spread = rank_parameters(job.model, group.layout)
    profile, floor = group.profile, data_exchange_floor(group, job, 4)
    cards, nvlink = 2 * profile.nic_bytes_per_s, profile.nvlink_bytes_per_s
    assert cards < nvlink
    assert floor.per_byte_s == pytest.approx(0.75 * (alike + spread / 2) / cards + 0.5 * spread / nvlink)
    dense, plain = group_of(one_site(2, 8, parallelism={"tp": 4}))
    own = rank_parameters(plain.model, dense.layout)[0]
    assert data_exchange_floor(dense, plain, 4).per_byte_s == pytest.approx(0.75 * own / cards)
    assert data_exchange_floor(dense, plain, 1).per_byte_s == 0.0


@pytest.mark.parametrize(("recompute", "context", "expert"), [("full", 4 * 11, 6 * 11), ("none", 3 * 11, 4 * 11)])
def test_rounds_of_the_fullest_stage(recompute: str, context: float, expert: float) -> None:
    """32 layers on 3 stages are 11, 11 and 10. Keys go round in the forward pass and twice in the backward one;
    tokens go out and back in both. Recompute repeats the forward pass.
    """
    group, job = group_of(one_site(3, 8, parallelism={"tp": 8, "pp": 3}, recompute=recompute, n_global_batch=4))
    assert sorted(stage_layers(job.model, group.layout)) == [10, 11, 11]
    assert n_rounds(job) == {"context": context, "expert": expert}


def test_flops_per_s_of_an_accelerator_are_those_of_a_replica_in_one_domain() -> None:
    """4 micro batches of one replica of 8 accelerators, tensor ranks on NVLink included."""
    data = one_site(1, 8, parallelism={"tp": 8}, n_global_batch=4)
    _, job = group_of(data)
    busy_s = step(data).group_time_s[0]
    assert flops_per_s(job, "H100", READER) == pytest.approx(4 * flops_per_micro_batch(job) / (8 * busy_s), rel=1e-9)


def test_groups_in_a_chain_fill_one_after_the_other() -> None:
    """Stages of 2 s and 3 s with 4 s and 1 s to fill each of two virtual stages: (2 + 8) + (3 + 2) = 15 s in all.

    The slowest stage sets the pace, and the other 12 s fill, over two virtual stages.
    """
    one, other = TimedGroup("b", "H100", 5, 2.0, 4.0, 4, 2), TimedGroup("a", "H100", 5, 3.0, 1.0, 4, 2)
    chained = chained_group((one, other))
    assert (chained.site, chained.stage_time_s, chained.fill_s) == ("a+b", 3.0, 6.0)
