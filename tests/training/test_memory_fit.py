"""Memory and batch of a placed job: limits by hand, and the proposals of what would fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.training.cases import of_part, racks, reader
from twin.errors import TopologyError
from twin.model.job_rules import job_shape_issues
from twin.model.jobs import Parallelism, Placement, TrainingJob
from twin.model.known_models import known_shape
from twin.model.shape import ModelShape
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


def job(*placement: Placement, shape: ModelShape = SMALL, batch: int = 64, **cut: Any) -> TrainingJob:
    job_fields = {name: cut.pop(name) for name in ("split", "across_sites") if name in cut}
    return TrainingJob("j", shape, Parallelism(**cut), batch, placement or (Placement("a"),), **job_fields)


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


def test_without_memory_for_one_micro_batch_none_fits() -> None:
    found = job(tp=2, pp=4)
    got = placed(found, ("H100", 8))
    (group,) = got.groups
    profile = replace(accelerator_profile(group, found, READER), memory_bytes=0.0)
    assert max_micro_batches_in_memory(got, group, found, profile) == 0


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


# --- every proposal fits ---------------------------------------------------------------------------------------------

BIG = known_shape("llama-3.1-70b")


def applied(found: TrainingJob, words: str) -> TrainingJob:
    """The job with a proposal taken up, written as in a document."""
    for part in words.split(" with "):
        name, value = part.split(": ")
        if name == "recompute":
            found = replace(found, recompute=value)  # type: ignore[arg-type]
        else:
            number: Any = True if value == "true" else int(value)
            found = replace(found, parallelism=replace(found.parallelism, **{name: number}))
    return found


@st.composite
def large_jobs(draw: st.DrawFn) -> tuple[dict[str, list[tuple[str, int]]], TrainingJob]:
    kinds = st.sampled_from(["H100", "GB200"])
    racks_of = st.lists(st.tuples(kinds, st.sampled_from([16, 36, 64, 72])), min_size=1, max_size=4)
    names = "ab"[: draw(st.integers(1, 2))]
    sites = {name: draw(racks_of) for name in names}
    across = draw(st.sampled_from(["data", "pipeline"])) if len(names) > 1 else "data"
    shape = draw(st.sampled_from([BIG, known_shape("mixtral-8x22b"), known_shape("llama-3.1-8b", n_sequence=65536)]))
    pp = draw(st.sampled_from([1, 2, 4]))
    cut = {
        "tp": draw(st.sampled_from([1, 2, 4, 8])),
        "pp": pp,
        "cp": draw(st.sampled_from([1, 2])),
        "n_virtual_stages": draw(st.sampled_from([1, 2])) if pp > 1 else 1,
        "n_micro_batch": draw(st.sampled_from([1, 4])),
        "ep": draw(st.sampled_from([1, 8])) if shape.n_experts > 1 else 1,
    }
    asked = draw(st.sampled_from([None, None, 32]))
    batch = draw(st.sampled_from([64, 256, 2048]))
    found = job(*(Placement(s, asked) for s in names), shape=shape, batch=batch, across_sites=across, **cut)
    return sites, replace(found, recompute=draw(st.sampled_from(["none", "selective"])))


@settings(max_examples=150, deadline=None)
@given(large_jobs(), st.booleans())
def test_a_proposal_fits_when_it_is_taken(
    case: tuple[dict[str, list[tuple[str, int]]], TrainingJob], dp_stated: bool
) -> None:
    sites, found = case
    assume(not list(job_shape_issues(found)))
    state = racks(sites)
    try:
        got = place_job(state, found, READER)
    except TopologyError:
        return
    if dp_stated:
        found = replace(found, parallelism=replace(found.parallelism, dp=got.n_replicas))
    for issue in fit_issues(got, found, READER):
        hint = issue.hint or ""
        if not hint.endswith(" would fit") or hint.startswith("neither"):
            continue
        for words in hint.removesuffix(" would fit").split(" or "):
            other = applied(found, words)
            assert not list(job_shape_issues(other)), words
            assert not fit_issues(place_job(state, other, READER), other, READER), words


def test_no_dp_is_proposed_that_idle_accelerators_would_change() -> None:
    """13 tensor groups of 4 in racks of 36 and 16 are 6 replicas of 2, and one group is idle.

    Of tensor groups of 8 there are 4 + 2, so 3 replicas. Those of the 6 replicas alone would be 4 + 1, so 2 replicas.
    """
    kinds = ("H100", 36), ("H100", 16)
    free = job(shape=known_shape("llama-3.1-70b"), tp=4, pp=2)
    stated = replace(free, parallelism=replace(free.parallelism, dp=6))
    assert placed(stated, *kinds).n_replicas == 6
    wide = replace(free.parallelism, tp=8)
    assert placed(replace(free, parallelism=wide), *kinds).n_replicas == 3
    hints = [fit_issues(placed(each, *kinds), each, READER)[0].hint for each in (free, stated)]
    certain = "recompute: full or fully_sharded: true"
    assert hints == [f"{certain} or tp: 8 would fit", f"{certain} would fit"]


def test_a_cut_too_wide_for_every_site_is_no_proposal() -> None:
    """16 accelerators of a domain of 72 at each site: tp 32 and 64 are within the domain, but no stage fits."""
    over = job(
        Placement("a"), Placement("b"), shape=known_shape("llama-3.1-70b"), pp=2, across_sites="pipeline", batch=2048
    )
    state = racks({site: [("GB200", 16)] for site in "ab"})
    issues = fit_issues(place_job(state, over, READER), over, READER)
    assert [issue.where for issue in issues] == [f"jobs[j].parallelism (GB200 in {site})" for site in "ab"]
    assert all("tp: 32" not in (issue.hint or "") for issue in issues)
