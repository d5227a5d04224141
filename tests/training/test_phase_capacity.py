"""Capacity by phase: each by hand, and what lowering one phase does to a step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.steps import evaluated, inputs_of, sites
from twin.training.phase_capacity import FLOW_KINDS, PhaseCapacity
from twin.training.step import step_of
from twin.training.step_inputs import StepInputs

TWO = {"a": [("H100", 8)] * 2, "b": [("H100", 8)] * 2}


def test_a_limit_lowers_one_phase_only() -> None:
    capacity = PhaseCapacity.same_for_all(np.array([400.0, 100.0])).lowered({"expert": np.array([50.0, 200.0])})
    assert capacity.gbps["expert"].tolist() == [50.0, 100.0]
    assert capacity.gbps["local"].tolist() == [400.0, 100.0]
    assert len(capacity.columns()) == 2


def test_the_time_of_a_phase_is_its_even_time_over_its_efficiency() -> None:
    """800 Gb over 400 Gb/s take 2 s; at an efficiency of 0.8 they take 2.5 s. Nothing takes no time."""
    even = PhaseCapacity.same_for_all(np.array([400.0, 0.0, 0.0]))
    capacity = replace(even, efficiency_ratio={**even.efficiency_ratio, "local": 0.8})
    bits = np.array([8e11, 0.0, 1.0])
    assert capacity.seconds("local", bits).tolist() == [2.5, 0.0, np.inf]
    assert capacity.seconds("wide_area", bits).tolist() == [2.0, 0.0, np.inf]


def step_inputs() -> StepInputs:
    """Two sites whose exchange is slow, inside and between them."""
    return inputs_of(evaluated(sites(TWO, wide_gbps=50.0, km=1.0, rack_gbps=100.0, parallelism={"tp": 8})))


def test_half_the_efficiency_is_half_the_capacity_of_a_phase() -> None:
    inputs = step_inputs()
    for kind in ("local", "wide_area"):
        even = inputs.capacity
        slowed = replace(even, efficiency_ratio={**even.efficiency_ratio, kind: 0.5})
        halved = even.lowered({kind: even.gbps[kind] / 2})
        slow, half = (step_of(replace(inputs, capacity=each)) for each in (slowed, halved))
        assert slow.step_time_s == pytest.approx(half.step_time_s, rel=1e-12)
        assert slow.step_time_s > step_of(inputs).step_time_s


def test_a_phase_that_the_job_does_not_have_changes_nothing() -> None:
    inputs = step_inputs()
    zero = inputs.capacity.lowered({kind: np.zeros(len(inputs.loads.arc)) for kind in ("expert", "context")})
    assert step_of(replace(inputs, capacity=zero)).step_time_s == step_of(inputs).step_time_s
    assert set(zero.gbps) == set(FLOW_KINDS)


def test_phases_that_share_an_arc_add_their_times() -> None:
    """Links of racks carry the exchange inside a site and the one between sites."""
    inputs = step_inputs()
    total_s = inputs.local_s + inputs.wide_s
    assert ((inputs.local_s > 0) & (inputs.wide_s > 0)).any()
    slower = replace(inputs.capacity, efficiency_ratio=dict.fromkeys(FLOW_KINDS, 0.25))
    slowed = replace(inputs, capacity=slower)
    assert slowed.local_s + slowed.wide_s == pytest.approx(4.0 * total_s)
