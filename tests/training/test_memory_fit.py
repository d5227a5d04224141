"""Memory and batch of a placed job: limits by hand, and the proposals of what would fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.training.cases import of_part, racks, reader
from twin.model.jobs import Parallelism, Placement, TrainingJob
from twin.model.known_models import known_shape
from twin.training.memory_fit import (
    _layouts_with_less_memory,
    _needed_bytes,
    fit_issues,
    max_micro_batches_in_memory,
    peak_issues,
    split_issues,
)
from twin.training.placement import JobPlacement, accelerator_profile, place_job
from twin.workload.group_times import UNLIMITED, TimedGroup
from twin.workload.job_arithmetic import flops_per_micro_batch

READER = reader()
SMALL = known_shape("llama-3.1-8b")


def job(*placement: Placement, batch: int = 64, split: str = "uniform", **cut: Any) -> TrainingJob:
    return TrainingJob("j", SMALL, Parallelism(**cut), batch, placement or (Placement("a"),), split=split)  # type: ignore[arg-type]


def placed(found: TrainingJob, *kinds: tuple[str, int]) -> JobPlacement:
    return place_job(racks({"a": list(kinds)}), found, READER)


# --- micro batches in memory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [{"tp": 8}, {"tp": 2, "pp": 4}, {"tp": 2, "pp": 4, "n_virtual_stages": 2}])
def test_as_many_micro_batches_as_fit(cut: dict[str, int]) -> None:
    """Memory for k micro batches to the byte, and a byte less. A pipeline of p stages never keeps 4 p of them."""
    found = job(**cut)
    got = placed(found, ("H100", 8))
    (group,) = got.groups
    profile = accelerator_profile(group, found, READER)
    need_bytes = [_needed_bytes(got, group, found, profile, m) for m in range(4 * found.parallelism.pp + 1)]
    assert need_bytes == sorted(need_bytes)
    for memory_bytes in {size - less for size in need_bytes for less in (0.0, 1.0)}:
        fitting = [m for m, size in enumerate(need_bytes) if size <= memory_bytes]
        if not fitting:
            continue
        expected = UNLIMITED if len(fitting) == len(need_bytes) else fitting[-1]
        memory = replace(profile, memory_bytes=memory_bytes)
        assert max_micro_batches_in_memory(got, group, found, memory) == expected


def test_the_issue_has_both_figures() -> None:
    """Fully sharded over 8 ranks the job fits; the message of the whole one has both figures in GB."""
    whole, sharded = job(tp=1), job(tp=1, fully_sharded=True)
    got = placed(whole, ("H100", 8))
    (issue,) = fit_issues(got, whole, READER)
    (group,) = got.groups
    need_bytes = _needed_bytes(got, group, whole, accelerator_profile(group, whole, READER), 64 // 8)
    assert of_part("H100", "memory_bytes") == 80e9
    assert issue.problem == (
        f"weights, gradients, optimizer and activations take {need_bytes / 1e9:.0f} GB of 80 GB an accelerator"
    )
    # weights 2, gradients 4, and an eighth of the 12 of the optimizer, whose state 8 replicas share; and activations
    assert 80e9 > 7.5 * SMALL.n_parameters() == pytest.approx(60.2e9, rel=1e-3)
    assert need_bytes > 80e9
    assert fit_issues(placed(sharded, ("H100", 8)), sharded, READER) == []


# --- splits and rates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "batch", "hint"),
    [
        (4, 28, 64, None),  # 2 x 4 + 2 x 28 = 64
        (4, 29, 64, None),  # more than the batch
        (4, 27, 64, "16 for each replica would do"),  # 62 of 64
        (0, 0, 65, "17 for each replica would do"),
    ],
)
def test_a_stated_split_covers_the_batch(first: int, second: int, batch: int, hint: str | None) -> None:
    """Two replicas on each kind."""
    places = (
        Placement("a", None, "A100-80GB", n_micro_batches=first),
        Placement("a", None, "H100", n_micro_batches=second),
    )
    found = job(*places, batch=batch, split="stated", tp=8)
    got = placed(found, *[("H100", 8), ("A100-80GB", 8)] * 2)
    issues = split_issues(got, found)
    assert [issue.hint for issue in issues] == ([hint] if hint else [])
    if hint:
        sum_of_terms = f"2 x {first} (A100-80GB in a) + 2 x {second} (H100 in a) = {2 * (first + second)}"
        assert issues[0].problem == f"{sum_of_terms} micro batches of {batch}"
        assert issues[0].where == "jobs[j].placement"
    assert split_issues(got, replace(found, split="uniform")) == []


@pytest.mark.parametrize(("times_peak", "told"), [(0.5, False), (1.0, False), (2.5, True)])
def test_a_pace_beyond_the_peak_is_named(times_peak: float, told: bool) -> None:
    """16 accelerators of 989 TFLOP/s do a micro batch in its FLOPs over 15.8 PFLOP/s at best."""
    found = replace(job(tp=8, pp=2), precision="bf16")
    assert of_part("H100", "bf16_tflops") == 989
    best_s = flops_per_micro_batch(found) / (16 * 989e12) * (1 + 1e-12)
    groups = TimedGroup("a", "H100", 1, best_s / times_peak), TimedGroup("b", "H100", 1, 2.0 * best_s)
    issues = peak_issues(groups, found, READER)
    assert [issue.where for issue in issues] == ["jobs[j].placement[a]"] * told
    assert [issue.problem for issue in issues] == ["2.5 times the peak of H100 in a"] * told


def test_too_few_micro_batches_to_interleave() -> None:
    """4 stages, 2 replicas: a batch of 7 gives each 4 micro batches, one of 6 gives 3; one of 8 would do."""
    cut = {"pp": 4, "n_virtual_stages": 2}
    for batch, problems in ((7, 0), (6, 1)):
        found = job(batch=batch, **cut)
        assert len(
            [i for i in fit_issues(placed(found, ("H100", 8)), found, READER) if "interleaved" in i.problem]
        ) == (problems)
    found = job(batch=6, **cut)
    (issue,) = fit_issues(placed(found, ("H100", 8)), found, READER)
    assert issue.problem == "3 micro batches of a replica are fewer than the 4 stages that are interleaved"
    assert issue.hint == "1, or an n_global_batch of 8"
    plain = job(batch=6, pp=4)
    assert fit_issues(placed(plain, ("H100", 8)), plain, READER) == []


# --- proposals -------------------------------------------------------------------------------------------------------


def test_proposals_come_with_the_smallest_change_first() -> None:
    plain = replace(job(tp=2, n_micro_batch=4), recompute="selective")
    factors = (2, 4, 8, 16, 32, 64)
    finer = [f"{name}: {n * factor}" for factor in factors for name, n in (("tp", 2), ("pp", 1))]
    batches = ["n_micro_batch: 2", "n_micro_batch: 1"]
    sharded = ["fully_sharded: true"]
    texts = [text for text, _ in _layouts_with_less_memory(plain)]
    assert texts == ["recompute: full", *batches, *sharded, *finer]
    none = [text for text, _ in _layouts_with_less_memory(replace(plain, recompute="none"))]
    assert none == ["recompute: selective", *texts]
    full = [text for text, _ in _layouts_with_less_memory(replace(plain, recompute="full"))]
    assert full == texts[1:]
    cut = replace(plain.parallelism, fully_sharded=True, n_micro_batch=1)
    assert [text for text, _ in _layouts_with_less_memory(replace(plain, parallelism=cut))] == [
        "recompute: full",
        *finer,
    ]
    experts = replace(SMALL, n_experts=8, n_experts_active=2)
    texts = [text for text, _ in _layouts_with_less_memory(replace(plain, model=experts))]
    assert [text for text in texts if text.startswith("ep")] == [f"ep: {factor}" for factor in factors]
    assert texts.index("ep: 2") < texts.index("tp: 4") < texts.index("pp: 2") < texts.index("ep: 4")


def test_a_proposal_names_dp_only_where_it_is_stated_and_changes() -> None:
    """8 replicas of 1 H100; with tp 2 there are 4, fully sharded there are still 8."""
    free, stated = job(tp=1), job(tp=1, dp=8)
    hints = [fit_issues(placed(each, ("H100", 8)), each, READER)[0].hint for each in (free, stated)]
    assert hints[0] == "recompute: full or fully_sharded: true or tp: 2 would fit"
    assert hints[1] == "recompute: full or fully_sharded: true or tp: 2 with dp: 4 would fit"
