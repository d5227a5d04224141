"""Where ranks lie: against a slow, obvious twin that deals accelerators out one by one, and rule by rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.training.cases import racks, reader
from twin.errors import TopologyError
from twin.model.job_rules import job_shape_issues
from twin.model.jobs import Parallelism, Placement, TrainingJob
from twin.model.shape import ModelShape
from twin.training.placement import (
    JobPlacement,
    accelerator_profile,
    domain_sharing,
    place_job,
    rank_pairs_between_racks,
)

SHAPE = ModelShape(n_layers=64, n_hidden=768, n_heads=48, n_ffn_hidden=1024, n_vocab=1000, n_sequence=240)
EXPERTS = replace(SHAPE, n_experts=16, n_experts_active=2)
DOMAIN = {"A100-80GB": 8, "H100": 8, "GB200": 72}
FEW = settings(max_examples=100, deadline=None)
READER = reader()

Racks = dict[str, list[tuple[str, int]]]


def job(*placement: Placement, shape: ModelShape = SHAPE, batch: int = 4800, **cut: Any) -> TrainingJob:
    across = cut.pop("across_sites", "data")
    return TrainingJob("j", shape, Parallelism(**cut), batch, placement, across_sites=across)


def placed(sites: Racks, found: TrainingJob) -> JobPlacement:
    return place_job(racks(sites), found, READER)


def problems(sites: Racks, found: TrainingJob) -> dict[str, tuple[str, str]]:
    with pytest.raises(TopologyError) as caught:
        placed(sites, found)
    return {issue.where: (issue.problem, issue.hint or "") for issue in caught.value.issues}


def block(found: TrainingJob) -> int:
    cut = found.parallelism
    return cut.tp * cut.cp * cut.pp * max(1, cut.ep // (cut.tp * cut.cp))


# --- the twin: one accelerator after the other ------------------------------------------------------------------------


def naive_groups(held: list[tuple[str, int]], kind: str, tp: int) -> list[list[tuple[int, int]]]:
    """Tensor groups of a kind, each its accelerators' (rack, domain in the rack), rack by rack."""
    groups = []
    for rack, (of, n) in enumerate(held):
        domains: dict[int, list[tuple[int, int]]] = {}
        for i in range(n if of == kind else 0):
            domains.setdefault(i // DOMAIN[kind], []).append((rack, i // DOMAIN[kind]))
        for members in domains.values():
            groups += [members[i : i + tp] for i in range(0, len(members) - tp + 1, tp)]
    return groups


@st.composite
def racks_and_job(draw: st.DrawFn) -> tuple[Racks, TrainingJob]:
    tp = draw(st.sampled_from([1, 2, 3, 4, 6, 8]))
    cp, pp = draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, 2, 3]))
    ep = draw(st.sampled_from([1, 2, 4, 8, 16]))
    shape = EXPERTS if ep > 1 else SHAPE
    found = job(Placement("a"), shape=shape, tp=tp, cp=cp, pp=pp, ep=ep)
    assume(not list(job_shape_issues(found)))
    rack = st.tuples(st.sampled_from(sorted(DOMAIN)), st.integers(tp, 40))
    return {"a": draw(st.lists(rack, min_size=1, max_size=6))}, found


@FEW
@given(racks_and_job())
def test_ranks_lie_as_the_slow_twin_deals_them(case: tuple[Racks, TrainingJob]) -> None:
    """Whole blocks of whole tensor groups, kind by kind; all accelerators of the site are allocated, idle or not."""
    sites, found = case
    cut, size = found.parallelism, block(found)
    wanted = {}
    for kind in sorted({kind for kind, _ in sites["a"]}):
        ranks = [rank for group in naive_groups(sites["a"], kind, cut.tp) for rank in group]
        if len(ranks) >= size:
            wanted[kind] = ranks[: len(ranks) // size * size]
    if not wanted:
        ((where, (problem, _)),) = problems(sites, found).items()
        assert (where, problem[:8]) == ("jobs[j].placement[a]", "no whole")
        return
    got = placed(sites, found)
    assert {p.accelerator: p.rack.tolist() for p in got.groups} == {k: [r for r, _ in v] for k, v in wanted.items()}
    per_replica = cut.tp * cut.cp * cut.pp
    assert {p.accelerator: p.n_replicas for p in got.groups} == {k: len(v) // per_replica for k, v in wanted.items()}
    assert got.n_replicas == sum(len(v) // per_replica for v in wanted.values())
    held = Counter[str]()
    for kind, n in sites["a"]:
        held[kind] += n
    assert got.n_allocated == dict(held)
    for group in got.groups:
        of = list(zip(group.rack.tolist(), group.domain.tolist(), strict=True))
        assert [len(set(of[i : i + cut.tp])) for i in range(0, len(of), cut.tp)] == [1] * (len(of) // cut.tp)
        # one number, one domain of one rack, and no more in it than it has
        assert len({domain for _, domain in of}) == len(set(of)) == len(set(wanted[group.accelerator]))
        assert max(Counter(of).values()) <= DOMAIN[group.accelerator]


@FEW
@given(racks_and_job())
def test_domain_sharing_is_that_of_the_worst_group(case: tuple[Racks, TrainingJob]) -> None:
    sites, found = case
    cut = found.parallelism
    k = max(1, cut.ep // (cut.tp * cut.cp))
    width = cut.tp * cut.cp * k
    try:
        got = placed(sites, found)
    except TopologyError:
        return
    for group in got.groups:
        domain = group.domain.tolist()

        def least(groups: list[list[int]]) -> int:
            return min(min(Counter(group).values()) for group in groups)

        def every(n: int, step: int, of: list[int]) -> list[list[int]]:
            return [of[i : i + n * step : step] for i in range(0, len(of), n * step)]

        sharing = domain_sharing(group, found)
        assert sharing.n_context == (least(every(cut.cp, cut.tp, domain)) if cut.cp > 1 else 1)
        assert sharing.n_expert == (least(every(cut.ep, 1, domain)) if cut.ep > 1 else 1)
        n_alike = cut.cp * k
        assert sharing.n_data == (least(every(n_alike, cut.tp, domain)) if n_alike > 1 else 1)
        together = all(
            domain[b + s * width + i] == domain[b + (s + 1) * width + i]
            for b in range(0, len(domain), width * cut.pp)
            for s in range(cut.pp - 1)
            for i in range(width)
        )
        assert sharing.boundary_in_domain == together


@FEW
@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=6))
def test_pairs_across_racks_are_those_of_two_loops(groups: list[list[int]]) -> None:
    wanted = Counter((a, b) for group in groups for a in group for b in group if a != b)
    source, target, pairs = rank_pairs_between_racks(np.array(groups), 6)
    got = Counter[tuple[int, int]]()
    for a, b, n in zip(source.tolist(), target.tolist(), pairs.tolist(), strict=True):
        got[a, b] += int(n)
    assert got == wanted


# --- several placements at a site -------------------------------------------------------------------------------------


def test_what_a_domain_has_left_over_joins_no_other_rest() -> None:
    """tp 3 in domains of 8: two of each stay idle, and eight of those are no domain. 64 in a rack hold 16 groups."""
    sites: Racks = {"a": [("H100", 64), ("H100", 8)]}
    found = job(Placement("a", 48, racks="a-00"), Placement("a"), tp=3)
    got = placed(sites, found)
    assert [(p.n_replicas, sorted(set(p.rack.tolist()))) for p in got.groups] == [(16, [0]), (2, [1])]
    assert got.n_replicas == len(naive_groups(sites["a"], "H100", 3))


@FEW
@given(
    st.lists(st.tuples(st.sampled_from(sorted(DOMAIN)), st.integers(8, 40)), min_size=2, max_size=6),
    st.sampled_from([1, 2, 3, 4, 8]),
    st.integers(1, 60),
    st.randoms(use_true_random=False),
)
def test_placements_of_a_site_share_no_accelerator(held: list[tuple[str, int]], tp: int, n: int, rng: Any) -> None:
    """A named rack, a named kind and the rest: no rack holds more groups than it has room for, in any order."""
    kind = held[0][0]
    places = [Placement("a", n, kind), Placement("a", racks="a-0[01]"), Placement("a")]
    try:
        got = placed({"a": held}, job(*places, tp=tp))
    except TopologyError:
        return
    rng.shuffle(places)
    again = placed({"a": held}, job(*places, tp=tp))
    assert [(p.accelerator, p.rack.tolist()) for p in got.groups] == [
        (p.accelerator, p.rack.tolist()) for p in again.groups
    ]
    assert got.n_allocated == again.n_allocated
    ranks = Counter(rank for group in got.groups for rank in group.rack.tolist())
    for rack, (of, _) in enumerate(held):
        room = sum(1 for group in naive_groups(held, of, tp) if group[0][0] == rack) * tp
        assert ranks[rack] <= room
    total = Counter[str]()
    for of, size in held:
        total[of] += size
    assert all(got.n_allocated[k] <= total[k] for k in got.n_allocated)


def test_patterns_of_racks() -> None:
    sites: Racks = {"a": [("H100", 8)] * 12}
    got = placed(sites, job(Placement("a", racks="a-0[2-4]"), Placement("a", 8, racks="a-1?"), tp=8))
    assert [p.rack.tolist() for p in got.groups] == [[2] * 8 + [3] * 8 + [4] * 8, [10] * 8]
    assert got.n_allocated == {"H100": 32}


def test_a_stated_number_is_filled_kind_by_kind_with_whole_blocks() -> None:
    """20 of 12 GB200 and 24 H100 in replicas of 8: one of the first kind, and the other 12 of the second."""
    got = placed({"a": [("GB200", 12), ("H100", 24)]}, job(Placement("a", 20), tp=4, pp=2))
    assert [(p.accelerator, len(p.rack)) for p in got.groups] == [("GB200", 8), ("H100", 8)]
    assert got.n_allocated == {"GB200": 8, "H100": 12}


# --- replicas over sites ---------------------------------------------------------------------------------------------


@FEW
@given(
    st.lists(st.integers(2, 40), min_size=1, max_size=4),
    st.integers(1, 9),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 2]),
)
def test_stages_are_dealt_out_for_the_most_replicas(sizes: list[int], pp: int, tp: int, cp: int) -> None:
    sites: Racks = {name: [("GB200", n)] for name, n in zip("abcd", sizes, strict=False)}
    found = job(*map(Placement, sites), tp=tp, cp=cp, pp=pp, across_sites="pipeline")
    n_group = tp * cp
    room = [n // tp * tp // n_group for n in sizes]
    dealt = [d for d in product(range(1, pp + 1), repeat=len(sizes)) if sum(d) == pp]
    most = max((min(r // k for r, k in zip(room, d, strict=True)) for d in dealt), default=0)
    if not most:
        assert problems(sites, found)
        return
    got = placed(sites, found)
    assert got.n_replicas == most
    assert [p.n_replicas for p in got.groups] == [most] * len(sizes)
    assert sum(p.n_stages for p in got.groups) == pp
    first = 0
    for group in got.groups:
        assert (group.first_stage, len(group.rack)) == (first, most * n_group * group.n_stages)
        first += group.n_stages
    assert got.n_allocated == {"GB200": sum(sizes)}


def test_stages_at_a_site_of_two_kinds_take_a_stated_number() -> None:
    """Of 8 asked for, 8 lie on the first kind; half a replica is no reason to leave it empty."""
    sites: Racks = {"a": [("GB200", 8), ("H100", 8)], "b": [("H100", 8)]}
    got = placed(sites, job(Placement("a", 8), Placement("b"), tp=4, pp=4, across_sites="pipeline"))
    assert [(p.site, p.accelerator, p.n_stages) for p in got.groups] == [("a", "GB200", 2), ("b", "H100", 2)]
    assert (got.n_replicas, got.n_allocated) == (1, {"GB200": 8, "H100": 8})


@pytest.mark.parametrize(
    ("sites", "places", "where", "problem"),
    [
        ({"a": [("H100", 8)], "b": [("H100", 0)]}, [Placement("a"), Placement("b")], "[b]", "no whole stage of 4"),
        (
            {"a": [("H100", 8)], "b": [("H100", 8)]},
            [Placement("a"), Placement("b", 24)],
            "[b]",
            "24 accelerators asked",
        ),
        ({s: [("H100", 8)] for s in "abcde"}, [Placement(s) for s in "abcde"], "", "5 kinds and sites for 4"),
    ],
)
def test_a_site_that_cannot_take_part_is_named(sites: Racks, places: list[Placement], where: str, problem: str) -> None:
    found = problems(sites, job(*places, tp=4, pp=4, across_sites="pipeline"))
    assert list(found) == [f"jobs[j].placement{where}"]
    assert problem in found[f"jobs[j].placement{where}"][0]


def test_a_boundary_to_another_site_is_in_no_domain() -> None:
    sites: Racks = {"a": [("GB200", 8)], "b": [("GB200", 8)]}
    over = job(Placement("a"), Placement("b"), tp=4, pp=2, across_sites="pipeline")
    assert [domain_sharing(group, over).boundary_in_domain for group in placed(sites, over).groups] == [False, False]
    here = job(Placement("a"), tp=4, pp=2)
    assert [domain_sharing(group, here).boundary_in_domain for group in placed(sites, here).groups] == [True]


def test_kinds_at_a_site_hold_stages_in_the_order_of_their_names() -> None:
    """Whatever racks the placements name: H100 is on the rack of the first name, GB200 holds the first stages."""
    sites: Racks = {"a": [("H100", 8), ("GB200", 8)], "b": [("H100", 8)]}
    places = Placement("a", racks="a-00"), Placement("a", racks="a-01"), Placement("b")
    got = placed(sites, job(*places, tp=4, pp=6, across_sites="pipeline"))
    found = [(p.site, p.accelerator, p.first_stage, p.n_stages) for p in got.groups]
    assert found == [("a", "GB200", 0, 2), ("a", "H100", 2, 2), ("b", "H100", 4, 2)]


def test_stages_are_interleaved_at_one_site_only() -> None:
    """Two kinds at a site are two groups without a crossing between sites."""
    sites: Racks = {"a": [("H100", 8), ("GB200", 8)], "b": [("H100", 8)]}
    cut = {"tp": 4, "pp": 4, "n_virtual_stages": 2, "across_sites": "pipeline"}
    assert placed(sites, job(Placement("a"), **cut)).n_replicas == 1
    found = problems(sites, job(Placement("a"), Placement("b"), **cut))
    assert list(found) == ["jobs[j].parallelism.n_virtual_stages"]


def test_a_site_without_accelerators_is_told_so() -> None:
    """A rack without accelerators is no rack to name."""
    sites: Racks = {"a": [("H100", 0), ("H100", 0)], "b": [("H100", 0), ("H100", 8)]}
    for site, hint in (("a", "the site has no rack with accelerators"), ("b", "the site has b-01, ...")):
        found = problems(sites, job(Placement(site, racks="x*"), tp=4))
        assert found[f"jobs[j].placement[{site}].racks"][1] == hint


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "where", "problem", "hint"),
    [
        (job(Placement("a"), tp=4, dp=3), "parallelism.dp", "dp 3 is stated, the placement holds 4", "dp: 4"),
        (job(Placement("a", racks="b-*"), tp=4), "placement[a].racks", "no free rack is like 'b-*'", "a-00, a-01"),
        (job(Placement("a", accelerator="GB300"), tp=4), "placement[a]", "no free GB300 that is up", "GB200, H100"),
        (job(Placement("a", micro_batch_s=0.1), tp=4), "placement[a].micro_batch_s", "GB200, H100", "name the acc"),
        (job(Placement("a"), tp=16), "parallelism.tp", "tp 16 goes beyond the NVLink domain of 8", "tp up to 8"),
        (job(Placement("a", 24), tp=8), "placement[a]", "24 accelerators asked for, 16 placed", "has 16 free"),
        (job(Placement("a"), tp=8, pp=4), "placement[a]", "no whole replica of 32", "16 are free"),
        (
            job(Placement("a"), shape=EXPERTS, tp=4, ep=16),
            "placement[a]",
            "no whole block of 4 replicas of 16",
            "16 are",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_place_rule_and_what_would(
    found: TrainingJob, where: str, problem: str, hint: str
) -> None:
    said = problems({"a": [("GB200", 8), ("H100", 8)]}, found)
    assert list(said) == [f"jobs[j].{where}"]
    assert problem in said[f"jobs[j].{where}"][0]
    assert hint in said[f"jobs[j].{where}"][1]


def test_one_measured_time_for_one_kind() -> None:
    sites: Racks = {"a": [("GB200", 8), ("H100", 8)]}
    got = placed(sites, job(Placement("a", accelerator="H100", micro_batch_s=0.1), Placement("a", 8, "GB200"), tp=4))
    assert [(p.accelerator, p.placement.micro_batch_s) for p in got.groups] == [("GB200", None), ("H100", 0.1)]


def test_more_sites_than_bounded() -> None:
    sites: Racks = {f"s{i:02d}": [("H100", 1)] for i in range(33)}
    with pytest.raises(TopologyError, match="33 sites"):
        placed(sites, job(*map(Placement, sites)))


# --- profiles ---------------------------------------------------------------------------------------------------------


def test_a_relayed_exchange_takes_a_hop_over_nvlink() -> None:
    """Another one where it goes to the cards of other rails; half a card is half the rate."""
    found = job(Placement("a"), tp=1)
    (group,) = placed({"a": [("H100", 8)]}, found).groups
    plain = accelerator_profile(group, found, READER)
    for relayed_ratio, crosses, n_hops in ((0.25, False, 1), (0.0, True, 1), (1.0, True, 2)):
        changed = replace(group, relayed_ratio=relayed_ratio, crosses_rails=crosses, card_ratio=0.5)
        profile = accelerator_profile(changed, found, READER)
        assert profile.nic_hop_s == pytest.approx(plain.nic_hop_s + n_hops * plain.nvlink_hop_s)
        assert profile.nic_bytes_per_s == 0.5 * plain.nic_bytes_per_s
        assert profile.relayed_ratio == relayed_ratio


def test_a_domain_is_as_large_as_what_is_in_use_of_it() -> None:
    found = job(Placement("a"), tp=1)
    for n, n_domain in ((1, 1), (3, 3), (8, 8), (20, 8)):
        (group,) = placed({"a": [("H100", n)]}, found).groups
        assert group.n_domain == accelerator_profile(group, found, READER).n_domain == n_domain
