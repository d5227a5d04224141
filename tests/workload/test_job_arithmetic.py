"""Work and volume of a step by hand, and the split of micro batches against brute force."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.model.jobs import Parallelism, Placement, TrainingJob
from twin.model.shape import ModelShape
from twin.workload.group_times import TimedGroup, balanced_split, group_times_s, uniform_split
from twin.workload.job_arithmetic import (
    flops_per_micro_batch,
    flops_per_step,
    layout_of,
    n_micro_batches,
    n_per_replica,
    tokens_per_step,
)
from twin.workload.rank_exchange import stage_boundary_bits

LLAMA_405B = ModelShape(
    n_layers=126,
    n_hidden=16384,
    n_heads=128,
    n_kv_heads=8,
    n_ffn_hidden=53248,
    gated_ffn=True,
    n_vocab=128256,
    n_sequence=8192,
)
FLAGSHIP = TrainingJob(
    "flagship",
    LLAMA_405B,
    Parallelism(tp=8, pp=8, cp=2, n_virtual_stages=4),
    n_global_batch=6144,
    placement=(Placement("c1"),),
    precision="fp8",
)


# --- work and volume -----------------------------------------------------------------------------------------------


def test_llama_has_its_405_billion_parameters() -> None:
    assert LLAMA_405B.n_parameters() == pytest.approx(405.85e9, rel=1e-3)
    assert LLAMA_405B.n_parameters(active=True) == LLAMA_405B.n_parameters()


def test_gpt3_has_its_175_billion_parameters() -> None:
    gpt3 = ModelShape(n_layers=96, n_hidden=12288, n_heads=96, n_ffn_hidden=49152, n_vocab=50257, n_sequence=2048)
    assert gpt3.n_parameters() == pytest.approx(175e9, rel=0.01)


def test_experts_count_all_for_volume_and_a_few_for_work() -> None:
    mixtral = ModelShape(
        n_layers=32,
        n_hidden=4096,
        n_heads=32,
        n_kv_heads=8,
        n_ffn_hidden=14336,
        gated_ffn=True,
        n_vocab=32000,
        n_sequence=4096,
        n_experts=8,
        n_experts_active=2,
    )
    assert mixtral.n_parameters() == pytest.approx(46.7e9, rel=0.01)
    assert mixtral.n_parameters(active=True) == pytest.approx(12.9e9, rel=0.01)
    assert mixtral.flops_per_token() == pytest.approx(6 * 12.9e9 + 6 * 32 * 4096 * 4096, rel=0.01)


def test_a_small_shape_by_hand() -> None:
    shape = ModelShape(n_layers=2, n_hidden=8, n_heads=4, n_kv_heads=2, n_ffn_hidden=16, n_vocab=10, n_sequence=3)
    a_layer = 2 * 64 + 2 * 64 // 2 + 2 * 8 * 16 + 2 * 8
    assert shape.n_parameters() == 2 * a_layer + 2 * 10 * 8
    assert replace(shape, gated_ffn=True).n_parameters() - shape.n_parameters() == 2 * 8 * 16
    assert shape.flops_per_token() == 6 * shape.n_parameters() + 6 * 2 * 8 * 3


def test_the_flagship_step() -> None:
    assert n_per_replica(FLAGSHIP) == 128
    assert tokens_per_step(FLAGSHIP) == 50_331_648
    assert n_micro_batches(FLAGSHIP) == 6144
    assert flops_per_micro_batch(FLAGSHIP) * 6144 == pytest.approx(flops_per_step(FLAGSHIP), rel=1e-12)
    assert flops_per_step(FLAGSHIP) == pytest.approx(1.27e20, rel=0.01)


def boundary_bits(job: TrainingJob) -> float:
    """Of all ranks of a stage."""
    return 16 * stage_boundary_bits(job.model, layout_of(job, 1))


def test_volumes_follow_the_micro_batch() -> None:
    assert boundary_bits(FLAGSHIP) == 16 * 8192 * 16384
    wide = replace(FLAGSHIP, parallelism=replace(FLAGSHIP.parallelism, n_micro_batch=4))
    assert boundary_bits(wide) == 4 * boundary_bits(FLAGSHIP)
    assert n_micro_batches(wide) == 1536


# --- the split of work ---------------------------------------------------------------------------------------------

CAMPUSES = [("c1", "H100", 822e12), ("c2", "GB200", 2129e12), ("c3", "GB300", 2646e12)]


def campuses(fill: float, n_replicas: int = 128, **interleaved: int) -> list[TimedGroup]:
    """The three campuses of the field notes, stage times from their sustained rates; `fill` in micro batches."""
    times = [flops_per_micro_batch(FLAGSHIP) / 128 / rate for _, _, rate in CAMPUSES]
    return [
        TimedGroup(site, kind, n_replicas, t, fill * t, **interleaved)
        for (site, kind, _), t in zip(CAMPUSES, times, strict=True)
    ]


def slowest(groups: list[TimedGroup], share: tuple[int, ...]) -> float:
    return max(group_times_s(groups, share))


@pytest.mark.parametrize(("n_virtual", "by_flops_s", "aware_s"), [(1, 2.74, 2.01), (4, 1.71, 1.57)])
def test_the_bubble_aware_split_of_the_field_notes(n_virtual: int, by_flops_s: float, aware_s: float) -> None:
    """128 replicas a campus, p = 8, 16 micro batches in the mean; the notes have 0.5 % less work in a step than we."""
    groups = campuses(7 / n_virtual)
    rates = [rate for _, _, rate in CAMPUSES]
    by_flops = tuple(round(48 * rate / sum(rates)) for rate in rates)
    assert by_flops == (7, 18, 23)
    assert slowest(groups, by_flops) == pytest.approx(by_flops_s, rel=0.012)
    share = balanced_split(groups, 6144)
    assert sum(m * 128 for m in share) >= 6144
    assert slowest(groups, share) == pytest.approx(aware_s, rel=0.01)


def brute_force(groups: list[TimedGroup], n_micro_batches: int) -> float:
    most = [-(-n_micro_batches // group.n_replicas) for group in groups]
    shares = product(*(range(m + 1) for m in most))
    enough = (s for s in shares if sum(m * p.n_replicas for m, p in zip(s, groups, strict=True)) >= n_micro_batches)
    return min(slowest(groups, share) for share in enough)


@st.composite
def groups(draw: st.DrawFn, largest: int = 3) -> list[TimedGroup]:
    n = draw(st.integers(1, largest))
    return [
        TimedGroup(
            f"s{i}",
            "x",
            draw(st.integers(1, 4)),
            draw(st.sampled_from([0.5, 1.0, 1.3, 2.0, 7.0])),
            draw(st.sampled_from([0.0, 0.25, 1.75, 7.0])),
            draw(st.sampled_from([1, 2, 4])),
            draw(st.sampled_from([1, 3])),
        )
        for i in range(n)
    ]


@settings(max_examples=200, deadline=None)
@given(groups(), st.integers(1, 12))
def test_the_balanced_split_is_the_best_there_is(found: list[TimedGroup], n: int) -> None:
    share = balanced_split(found, n)
    assert sum(m * group.n_replicas for m, group in zip(share, found, strict=True)) >= n
    assert slowest(found, share) == pytest.approx(brute_force(found, n), rel=1e-12)


@settings(max_examples=200, deadline=None)
@given(groups(largest=6), st.integers(1, 500))
def test_the_balanced_split_never_loses_to_the_uniform_one(found: list[TimedGroup], n: int) -> None:
    uniform = uniform_split(found, n)
    assert sum(m * group.n_replicas for m, group in zip(uniform, found, strict=True)) >= n
    assert len(set(uniform)) == 1
    assert slowest(found, balanced_split(found, n)) <= slowest(found, uniform)


def test_a_pool_that_would_only_hold_the_others_up_gets_nothing() -> None:
    found = [TimedGroup("a", "old", 1, 100.0), TimedGroup("b", "new", 1, 1.0)]
    assert balanced_split(found, 10) == (0, 10)
    assert group_times_s([replace(group, fill_s=3.0) for group in found], (0, 10)) == (0.0, 13.0)


def test_equal_pools_share_alike() -> None:
    found = [TimedGroup("a", "x", 4, 1.0, 1.75), TimedGroup("b", "x", 4, 1.0, 1.75)]
    assert balanced_split(found, 64) == uniform_split(found, 64) == (8, 8)


def test_what_does_not_divide_is_rounded_up() -> None:
    assert uniform_split([TimedGroup("a", "x", 3, 1.0)], 10) == (4,)
    assert balanced_split([TimedGroup("a", "x", 3, 1.0)], 10) == (4,)


def test_a_pool_with_fewer_micro_batches_than_stages_does_not_interleave() -> None:
    """Eight stages in four pieces: 8 micro batches take 8 + 7/4, 7 of them 7 + 7."""
    group = TimedGroup("a", "x", 1, 1.0, 7 / 4, n_interleaved=8, n_virtual_stages=4)
    assert (group.time_s(8), group.time_s(7), group.time_s(0)) == (9.75, 14.0, 0.0)
    assert [group.n_done_by(end_s, 100) for end_s in (7.9, 8.0, 9.7, 9.75, 10.75)] == [0, 1, 2, 8, 9]
    # so the slow campus of the notes does nothing but one micro batch where 7 would be its part
    share = balanced_split(campuses(7 / 4, n_interleaved=8, n_virtual_stages=4), 6144)
    assert share[0] < 8 <= min(share[1:])
