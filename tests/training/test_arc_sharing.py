"""Speeds of phases that share arcs, and shares of time, against the definition of max-min and against events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from twin.training import arc_sharing
from twin.training.arc_sharing import (
    ArcSharing,
    JobDemand,
    PhaseDemand,
    busiest_together,
    coincidence_p90,
    phase_speeds,
    shared_arcs,
)

TABLES = st.integers(1, 4).flatmap(
    lambda n: st.lists(
        st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0]), min_size=n, max_size=n), min_size=1, max_size=4
    )
)


def use(kind: str, seconds: float, **ratios: float) -> PhaseDemand:
    """A phase on arcs a0, a1, ..."""
    arcs = sorted(ratios)
    columns = np.array([int(arc[1:]) for arc in arcs], dtype=np.int64), np.array([ratios[arc] for arc in arcs])
    return PhaseDemand(kind, seconds, *columns)


def test_by_hand_the_smaller_need_is_met_and_the_larger_gets_the_rest() -> None:
    assert phase_speeds(np.array([[1.0], [1.0]])).tolist() == [0.5, 0.5]
    assert phase_speeds(np.array([[1.0], [0.25]])).tolist() == [0.75, 1.0]
    assert phase_speeds(np.array([[0.6], [0.4]])).tolist() == [1.0, 1.0]
    assert phase_speeds(np.array([[0.75], [0.75], [0.75]])) == pytest.approx([4 / 9] * 3)


def test_by_hand_a_phase_that_is_slow_elsewhere_leaves_room() -> None:
    """The second phase halves on the first arc, so it needs 0.4 of the second one, and the third phase gets 0.6."""
    table = np.array([[1.0, 0.0], [1.0, 0.8], [0.0, 1.0]])
    assert phase_speeds(table) == pytest.approx([0.5, 0.5, 0.6])


@settings(max_examples=200, deadline=None)
@given(TABLES)
def test_speeds_are_max_min(rows: list[list[float]]) -> None:
    """No arc is overfull, and each slowed phase has a full arc on which no other phase gets more."""
    table = np.array(rows)
    speed = phase_speeds(table)
    got = table * speed[:, None]
    assert np.all(got.sum(axis=0) <= 1.0 + 1e-9)
    for i in np.flatnonzero(speed < 1.0 - 1e-9):
        full = (got.sum(axis=0) >= 1.0 - 1e-9) & (table[i] > 0)
        assert np.any(full & (got[i] >= got.max(axis=0) - 1e-9))


@settings(max_examples=100, deadline=None)
@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_the_phases_changes_no_bit(rows: list[list[float]], random: Any) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    assert phase_speeds(np.array(rows)[order]).tolist() == phase_speeds(np.array(rows))[order].tolist()


def test_only_arcs_of_two_jobs_are_shared() -> None:
    a = JobDemand("a", 1.0, (use("local", 0.1, a1=1.0, a2=1.0), use("wide_area", 0.1, a3=1.0)))
    b = JobDemand("b", 1.0, (use("local", 0.1, a2=1.0, a4=1.0),))
    assert shared_arcs([a, b]).tolist() == [2]
    assert shared_arcs([a]).tolist() == []


def test_by_hand_a_phase_meets_each_state_of_the_other_job_for_its_share_of_time() -> None:
    """Half of the time the other job fills the arc and halves the speed, a quarter it needs a half: 1 - 1/2 x 1/2."""
    a = JobDemand("a", 1.0, (use("local", 0.1, a0=0.5),))
    b = JobDemand("b", 1.0, (use("local", 0.5, a0=1.0), use("expert", 0.25, a0=0.5)))
    sharing = ArcSharing([a, b])
    speeds = sharing.mean_speeds([{"local": 0.1}, {"local": 0.5, "expert": 0.25}])
    assert speeds[0]["local"] == pytest.approx(1.0)
    assert speeds[1] == pytest.approx({"local": 1.0 - 0.1 * 0.5, "expert": 1.0})
    full = ArcSharing([JobDemand("a", 1.0, (use("local", 0.1, a0=1.0),)), b])
    assert full.mean_speed(0, "local", [{}, {"local": 0.5, "expert": 0.25}]) == pytest.approx(
        1 - 0.5 * 0.5 - 0.25 * 0.5
    )


def test_too_many_states_are_a_steady_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three others with a share of 1/4 on a full arc are a steady 3/4, so a phase gets 1/2 beside it."""
    jobs = [JobDemand(name, 1.0, (use("local", 0.25, a0=1.0),)) for name in "abcd"]
    shares = [{"local": 0.25}] * 4
    exact = ArcSharing(jobs).mean_speed(0, "local", shares)
    chance = [27 / 64, 27 / 64, 9 / 64, 1 / 64]
    assert exact == pytest.approx(sum(p / (n + 1) for n, p in enumerate(chance)))
    monkeypatch.setattr(arc_sharing, "MAX_JOINT_STATES", 7)
    assert ArcSharing(jobs).mean_speed(0, "local", shares) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("own_s", "other_s", "period_s"), [(1.0, 2.0, 10.0), (3.0, 1.0, 5.0), (4.0, 4.0, 6.0), (0.3, 0.2, 10.0)]
)
def test_the_90th_percentile_of_the_overlap_is_that_of_all_offsets(
    own_s: float, other_s: float, period_s: float
) -> None:
    offsets = (np.arange(200_000) + 0.5) / 200_000 * period_s
    overlap_s = np.zeros(len(offsets))
    for turn in (-1, 0, 1):
        start = offsets + turn * period_s
        overlap_s += np.clip(np.minimum(own_s, start + other_s) - np.maximum(0.0, start), 0.0, None)
    want = float(np.quantile(overlap_s, 0.9)) / own_s
    assert coincidence_p90(own_s, other_s, period_s) == pytest.approx(want, abs=1e-4)
    assert coincidence_p90(0.0, other_s, period_s) == coincidence_p90(own_s, 0.0, period_s) == 0.0


def settled_steps(jobs: list[tuple[float, list[naive.Phase]]]) -> list[float]:
    """Steps of jobs whose phases follow their compute, with shares of time that agree with them."""
    uses = []
    for i, (compute_s, phases) in enumerate(jobs):
        rows = tuple(
            use(f"p{k}", p.seconds, **{f"a{arc}": ratio for arc, ratio in p.use.items()}) for k, p in enumerate(phases)
        )
        uses.append(JobDemand(f"j{i}", compute_s + sum(p.seconds for p in phases), rows))
    sharing, steps = ArcSharing(uses), [job.step_time_s for job in uses]
    speeds = [{p.kind: 1.0 for p in job.phases} for job in uses]
    for _ in range(100):
        shares = [
            {p.kind: p.duration_s / speed[p.kind] / step_s for p in job.phases}
            for job, speed, step_s in zip(uses, speeds, steps, strict=True)
        ]
        speeds = sharing.mean_speeds(shares)
        steps = [jobs[i][0] + sum(p.duration_s / speeds[i][p.kind] for p in job.phases) for i, job in enumerate(uses)]
    return steps


@pytest.mark.parametrize("seed", range(12))
def test_shares_of_time_agree_with_two_jobs_event_by_event(seed: int) -> None:
    """Periods without a common multiple: the mean step over a thousand steps, to 6 %."""
    random = np.random.default_rng(seed)
    jobs = []
    for _ in range(2):
        phases = [
            naive.Phase(float(random.uniform(0.05, 0.4)), {arc: float(random.uniform(0.3, 1.0)) for arc in (0, 1)})
            for _ in range(int(random.integers(1, 3)))
        ]
        jobs.append((float(random.uniform(0.5, 2.0)), phases))
    starts = random.uniform(0.0, 2.0, 10)
    simulated = np.mean([naive.two_jobs(jobs, 200, float(start)) for start in starts], axis=0)
    assert settled_steps(jobs) == pytest.approx(simulated.tolist(), rel=0.06)


def test_the_worst_meeting_is_named() -> None:
    """Phase p loses 0.2 s at half speed, r only 0.1 s; it needs most together with q on arc 2: 0.9 + 0.8."""
    own = JobDemand("a", 1.0, (use("p", 0.2, a1=0.3, a2=0.9, a3=0.9), use("r", 0.1, a4=1.0)))
    other = JobDemand("b", 1.0, (use("o", 0.5, a1=1.0), use("q", 0.5, a2=0.8, a3=0.7), use("z", 0.5, a4=1.0)))
    assert busiest_together(own, other, {"p": 0.5, "r": 0.5}) == ("p", "q", 2)
    assert busiest_together(own, other, {"p": 0.9, "r": 0.5}) == ("r", "z", 4)


def test_a_job_without_phases_shares_no_arc() -> None:
    idle, busy = JobDemand("a", 1.0, ()), JobDemand("b", 1.0, (use("p", 0.5, a1=1.0),))
    assert shared_arcs([idle, busy]).tolist() == []
    assert ArcSharing([idle, busy]).mean_speeds([{}, {"p": 0.5}]) == [{}, {"p": 1.0}]
    assert ArcSharing([busy, idle]).mean_speeds([{"p": 0.5}, {}]) == [{"p": 1.0}, {}]
