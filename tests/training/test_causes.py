"""Causes of a step: with a limit removed, the step is that of a network that never had the limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.training.cases import line, reader, state_of
from tests.training.steps import GENEROUS, evaluated, inputs_of, sites
from twin.stages.causes import step_causes
from twin.training.causes import (
    ACCELERATORS,
    BUFFERS,
    CAUSES,
    DELAY,
    FABRIC,
    FILL,
    INTERCONNECT,
    LINE_LOSS,
    NETWORK_CAUSES,
    SENTENCES,
    SPLIT,
    Attribution,
    _distinct_rows,
    _shapley,
    links_without_line_loss,
    shares_without_line_loss,
)
from twin.training.step import step_time_s
from twin.training.step_inputs import UnitLinkLoads
from twin.training.step_timing import Counterfactual

MIXED = {"a": [("H100", 8)] * 2, "b": [("GB200", 8)] * 2}
JOB = {"parallelism": {"tp": 4, "pp": 2}, "n_global_batch": 36}
"""Two replicas a site with 9 micro batches each on 2 stages."""


def attribution(data: dict[str, Any]) -> Attribution:
    return step_causes(evaluated(data), reader())


def limited(removed: int, **lossless: Any) -> dict[str, Any]:
    """Two sites with every limit of the network, or without those of `removed`.

    A link without a limit of its capacity is slowed by nothing else: no loss, no pause, no congestion control.
    """
    no_wide_limit = removed & INTERCONNECT
    data = sites(
        MIXED,
        wide_gbps=GENEROUS if no_wide_limit else 200.0,
        km=None if removed & DELAY else 2000.0,
        rack_gbps=GENEROUS if removed & FABRIC else 150.0,
        **JOB,
    )
    if not removed & LINE_LOSS and not no_wide_limit:
        data["links"][-1]["loss_ratio"] = 1e-3
    # a link that is down shares in no buffer
    data["links"].append({"id": "wan-down", "ends": ["a-leaf", "b-leaf"], "capacity_gbps": 200.0, "up": False})
    for node in data["nodes"]:
        if node["kind"] == "leaf":
            node["part"] = "border-12.8T"
    lossless = {"congestion_control_ratio": 0.8} | lossless
    if removed & DELAY or no_wide_limit:
        lossless["congestion_control_ratio"] = 1.0
    if removed & (DELAY | BUFFERS) or no_wide_limit:
        lossless["policy"] = "lossy"
    if no_wide_limit and removed & FABRIC:
        lossless["in_flight_bytes"] = 1e12
    demand = {"id": "d", "source": "a-00", "target": "b-00", "offered_gbps": 5.0}
    return data | {"demands": [demand], "lossless": lossless}


@pytest.mark.parametrize(
    "lossless",
    [
        {"policy": "shaped"},
        {"policy": "drop_on_pause", "n_pauses_per_s": 100.0},
        {"policy": "drop_on_pause", "recovery": "tcp", "n_pauses_per_s": 100.0},
        {"in_flight_bytes": 5e4, "n_flows_per_accelerator": 2.0, "recovery": "selective_repeat"},
    ],
)
def test_each_combination_is_a_network_without_these_limits(lossless: dict[str, Any]) -> None:
    """All 256 combinations: 32 networks, each with the 8 combinations of limits of the accelerators."""
    found = attribution(limited(0, **lossless))
    for removed in range(NETWORK_CAUSES + 1):
        inputs = inputs_of(evaluated(limited(removed, **lossless)))
        for mask in range(0, 1 << len(CAUSES), NETWORK_CAUSES + 1):
            rest = Counterfactual(
                no_delay=bool(removed & DELAY),
                no_fabric_limit=bool(removed & FABRIC),
                one_accelerator=bool(mask & ACCELERATORS),
                best_split=bool(mask & SPLIT),
                full_pipeline=bool(mask & FILL),
            )
            assert found.times_s[removed | mask] == pytest.approx(step_time_s(inputs, rest), rel=1e-3), (removed, mask)


def test_the_three_figures_of_a_cause_are_differences_of_step_times() -> None:
    found = attribution(limited(0))
    none_removed, all_removed = found.times_s[0], found.times_s[255]
    assert found.step_time_s == none_removed == pytest.approx(found.step.step_time_s, rel=1e-12)
    assert found.ideal_step_time_s == all_removed
    assert found.gap_s == none_removed - all_removed == found.saved_s(*CAUSES)
    assert sum(cause.share_s for cause in found.causes) == pytest.approx(found.gap_s, rel=1e-12)
    for i, cause in enumerate(found.causes):
        assert cause.name == CAUSES[i]
        assert cause.alone_s == none_removed - found.times_s[2**i] == found.saved_s(cause.name)
        assert cause.last_s == found.times_s[255 - 2**i] - all_removed


def test_each_cause_has_a_sentence() -> None:
    assert list(SENTENCES) == list(CAUSES)


def test_progress_is_told_before_each_combination_of_the_network() -> None:
    told: list[str] = []
    step_causes(evaluated(limited(0)), reader(), told.append)
    assert len(told) == 32
    assert told[0] == "without 0 of 31 kinds of limit in the network"
    assert told[-1] == "without 31 of 31 kinds of limit in the network"


# --- accelerators, split and batch -----------------------------------------------------------------------------------


def test_the_best_split_is_a_cause_until_the_job_has_it() -> None:
    """It saves what a job with split: balanced saves, and nothing once the job has it."""
    uniform = sites(MIXED, **JOB)
    balanced = sites(MIXED, **JOB, split="balanced")
    saved_s = attribution(uniform).saved_s("split")
    now, then = (inputs_of(evaluated(data)) for data in (uniform, balanced))
    assert saved_s == pytest.approx(step_time_s(now) - step_time_s(then), rel=1e-9)
    assert saved_s > 0.1 * step_time_s(now)
    assert attribution(balanced).saved_s("split") == 0.0


def test_accelerators_are_no_cause_where_all_are_alike() -> None:
    alike = {site: [("H100", 8)] * 2 for site in "ab"}
    assert attribution(sites(alike, **JOB)).saved_s("accelerators") == pytest.approx(0.0, abs=1e-12)
    assert attribution(sites(MIXED, **JOB)).saved_s("accelerators") > 0.1


def test_pipeline_fill_is_the_bubble_of_the_schedule() -> None:
    """9 micro batches on 2 stages: the fill is 1 of 10 periods of a step without network and optimizer."""
    job = {**JOB, "placement": [{"site": "a", "micro_batch_s": 1.0}, {"site": "b", "micro_batch_s": 1.0}]}
    found = attribution(sites(MIXED, **job))
    assert found.times_s[NETWORK_CAUSES] == pytest.approx(10.0, rel=1e-3)
    assert found.times_s[NETWORK_CAUSES] - found.times_s[NETWORK_CAUSES | FILL] == pytest.approx(1.0)


# --- load balancing --------------------------------------------------------------------------------------------------


def hashed(wide_gbps: float = 25.0, up_gbps: float = 50.0, mode: str = "ecmp") -> dict[str, Any]:
    """Two sites of two racks: a leaf with 4 uplinks to a border router, and 8 members between the routers."""
    data = sites({site: [("H100", 8)] * 2 for site in "ab"}, parallelism={"tp": 8}, n_global_batch=8)
    nodes = [*data["nodes"], *({"id": f"{site}-border", "kind": "border", "site": site} for site in "ab")]
    links = [link for link in data["links"] if link["id"] != "wan-ab"]
    for site in "ab":
        ends = [f"{site}-leaf", f"{site}-border"]
        links.append({"id": f"{site}-up", "ends": ends, "capacity_gbps": up_gbps, "n_parallel": 4})
    ends = ["a-border", "b-border"]
    links.append({"id": "wan", "ends": ends, "capacity_gbps": wide_gbps, "n_parallel": 8})
    record = {"mode": mode} | ({"n_flows_per_pair": 1} if mode == "ecmp" else {"efficiency_ratio": 1.0})
    return data | {"nodes": nodes, "links": links, "load_balancing": [record]}


@pytest.mark.parametrize(("wide_gbps", "up_gbps"), [(25.0, 50.0), (25.0, 200.0), (100.0, 50.0)])
def test_without_buffers_no_two_flows_share_a_member(wide_gbps: float, up_gbps: float) -> None:
    """It is spraying without loss; collisions of a bundle go with the limit of its capacity."""
    found = attribution(hashed(wide_gbps, up_gbps))
    for removed in (0, INTERCONNECT, FABRIC, INTERCONNECT | FABRIC):
        gbps = GENEROUS if removed & INTERCONNECT else wide_gbps, GENEROUS if removed & FABRIC else up_gbps
        for buffers, mode in ((0, "ecmp"), (BUFFERS, "spray")):
            inputs = inputs_of(evaluated(hashed(*gbps, mode)))
            expected_s = step_time_s(inputs, Counterfactual(no_fabric_limit=bool(removed & FABRIC)))
            assert found.times_s[removed | buffers] == pytest.approx(expected_s, rel=1e-5), (removed, buffers)
    assert found.saved_s("buffers") > 0.1 * found.step_time_s


# --- links without line loss -----------------------------------------------------------------------------------------


def twin_lines(lumped_loss_db: float) -> dict[str, Any]:
    """Two sites joined by two amplifier-free lines of one transceiver, one of them behind so much loss."""
    data = sites({site: [("H100", 8)] * 2 for site in "ab"}, parallelism={"tp": 8})
    wide = next(link for link in data["links"] if link["id"] == "wan-ab")
    links = [link for link in data["links"] if link is not wide]
    for name, loss_db in (("wan-1", 0.0), ("wan-2", lumped_loss_db)):
        spans = [{"length_km": 1.0, "lumped_loss_db": loss_db}]
        links.append({"id": name, "ends": wide["ends"], "transceiver": "OpenZR+-400G", "spans": spans})
    return data | {"links": links, "load_balancing": [{"mode": "spray", "efficiency_ratio": 1.0}]}


@pytest.mark.parametrize("lumped_loss_db", [22.0, 60.0])
def test_without_line_loss_a_dark_or_slow_line_has_its_full_rate(lumped_loss_db: float) -> None:
    found = attribution(twin_lines(lumped_loss_db))
    sound_s = step_time_s(inputs_of(evaluated(twin_lines(0.0))))
    assert found.times_s[LINE_LOSS] == pytest.approx(sound_s, rel=1e-9)
    assert found.saved_s("line_loss") > 0


def test_links_without_line_loss_are_those_in_service() -> None:
    """A line that is dark by its loss is lit without it; one that is down or that has no rate stays dark."""
    data = line(part=None, capacity_gbps=100.0)
    spans = [{"length_km": 1.0, "lumped_loss_db": 60.0}]
    ends = data["links"][0]["ends"]
    data["links"] += [
        {"id": "m-dark", "ends": ends, "transceiver": "OpenZR+-400G", "spans": spans, "n_parallel": 3},
        {"id": "n-down", "ends": ends, "capacity_gbps": 100.0, "up": False},
        {"id": "o-unknown", "ends": ends},
    ]
    state, _ = state_of(data)
    assert state.link_ids == ("l", "m-dark", "n-down", "o-unknown")
    lit = np.array([True, False, False, True])
    assert links_without_line_loss(state, lit, reader()).tolist() == [True, True, False, True]
    assert links_without_line_loss(state, np.zeros(4, np.bool_), reader()).tolist() == [True, True, False, True]
    no_rate = state.with_capacity_gbps(np.array([0]), np.array([0.0]))
    assert links_without_line_loss(no_rate, np.zeros(4, np.bool_), reader()).tolist() == [False, True, False, True]
    share = np.array([100.0, 100.0, 0.0, 0.0, 0.0, 0.0, 7.0, 7.0])
    weights = shares_without_line_loss(state, lit, share, reader())
    assert weights.tolist() == [100.0, 100.0, 1200.0, 1200.0, 0.0, 0.0, 7.0, 7.0]


# --- helpers ---------------------------------------------------------------------------------------------------------


def test_shapley_of_the_glove_game() -> None:
    """Players 0 and 1 own left gloves, player 2 the right one, a pair is worth 1: 1/6, 1/6, 2/3 (Shapley 1953).

    Times fall from 1 to 0 as soon as a pair is complete.
    """
    times_s = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    assert _shapley(times_s) == pytest.approx([1 / 6, 1 / 6, 2 / 3])


def test_shapley_of_limits_that_do_not_interact() -> None:
    """Each saves its own: 1, 2, 4 and 8 s, whatever the order."""
    times_s = np.array([15.0 - mask for mask in range(16)])
    assert _shapley(times_s) == pytest.approx([1.0, 2.0, 4.0, 8.0])


def test_arcs_that_are_equal_in_all_columns_are_one() -> None:
    """Rows 0 and 2 are equal but for rounding; row 1 has another load, row 3 another capacity."""
    load = np.array([1.0, 2.0, 1.0 + 1e-15, 1.0])
    loads = UnitLinkLoads(np.arange(4), (load,), (), (), (), (), {}, 0.0, 0.0, 0.0, 0.0, 0.0, ())
    assert _distinct_rows(loads, [np.array([4.0, 4.0, 4.0, 5.0])]).tolist() == [0, 1, 3]
    none = UnitLinkLoads(np.arange(0), (load[:0],), (), (), (), (), {}, 0.0, 0.0, 0.0, 0.0, 0.0, ())
    assert _distinct_rows(none, [np.zeros(0)]).tolist() == []
    bare = UnitLinkLoads(np.arange(3), (), (), (), (), (), {}, 0.0, 0.0, 0.0, 0.0, 0.0, ())
    assert _distinct_rows(bare, []).tolist() == [0, 1, 2]
