"""How much of the time a job goes on: by hand over all states of two racks on two rails."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from tests import naive_states
from twin.loading import from_document
from twin.network import Network
from twin.reliability.components import components_of
from twin.studies import availability_plan, job_states
from twin.studies.availability_rows import MINUTES_PER_YEAR
from twin.studies.job_states import JobStates


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def two_racks(**job: Any) -> Network:
    """Two racks of two accelerators, each with a cable to the leaf of each of two rails."""
    racks = [{"id": name, "kind": "rack", "accelerator": "H100", "n_accelerators": 2, "site": "s"} for name in "AB"]
    leaves = [{"id": f"leaf-{rail}", "kind": "leaf", "rail": rail, "site": "s"} for rail in (0, 1)]
    links = [
        {"id": f"{rack}-{rail}", "ends": [rack, f"leaf-{rail}"], "capacity_gbps": 400}
        for rack in "AB"
        for rail in (0, 1)
    ]
    trained = {
        "id": "j",
        "model": "llama-3.1-8b",
        "parallelism": {"tp": 2},
        "recompute": "full",
        "n_global_batch": 8,
        "placement": [{"site": "s"}],
    }
    document = {
        "name": "two racks",
        "sites": [{"id": "s"}],
        "nodes": [*racks, *leaves],
        "links": links,
        "jobs": [trained | job],
    }
    return from_document(document)


Up = Callable[[str], bool]


def card(up: Up, rack: str, rail: int) -> bool:
    return up(f"{rack}-{rail}") and up(f"leaf-{rail}")


RULES: dict[str, Callable[[Up], bool]] = {
    "stop": lambda up: all(card(up, rack, rail) for rack in "AB" for rail in (0, 1)),
    # a replica is a rack: one is left while a rack has both cards
    "drop_replicas": lambda up: any(card(up, rack, 0) and card(up, rack, 1) for rack in "AB"),
    # a rail joins the racks
    "pxn": lambda up: any(card(up, "A", rail) and card(up, "B", rail) for rail in (0, 1)),
}


@pytest.mark.parametrize("on_card_loss", RULES)
def test_both_methods_find_the_share_of_time_of_all_states(on_card_loss: str) -> None:
    network = two_racks(on_card_loss=on_card_loss)
    e = network._evaluate_after(None, "j", None)
    c = components_of(e.case.state, network._reader.fresh(), np.flatnonzero(np.asarray(e.outcome("routed_links"))))
    names = [c.name(int(first)).id for first in c.mode_first[:-1]]
    assert sorted(names) == ["A-0", "A-1", "B-0", "B-1", "leaf-0", "leaf-1"]
    job, goes_on = JobStates(e, c), RULES[on_card_loss]
    for state in product((0, 1), repeat=c.n):
        down = {name for name, mode in zip(names, state, strict=True) if mode}
        modes = np.array([first for first, mode in zip(c.mode_first, state, strict=False) if mode], np.int64)
        expected = goes_on(lambda name, down=down: name not in down)
        assert job.ask(modes)[0] == job.goes_on(modes) == expected, (down, expected)
    modes_down = [[float(ratio)] for ratio in c.down_ratio]
    by_name = dict.fromkeys(names)
    exact = naive_states.share_of_states(
        modes_down, lambda state: goes_on(lambda name: not state[list(by_name).index(name)])
    )
    report = network.availability(job="j", n_samples=200, rest_below=1e-15)
    (row,) = report.jobs
    assert row.goes_on is not None
    assert row.connected is not None
    assert row.goes_on.least_ratio - 1e-13 <= exact <= row.goes_on.most_ratio + 1e-13
    assert row.goes_on.most_down_minutes_per_year == pytest.approx((1 - exact) * MINUTES_PER_YEAR, abs=1e-6)
    assert row.goes_on.agrees is True
    assert row.goes_on.least_ratio <= row.connected.least_ratio or on_card_loss == "drop_replicas"
    assert "goes on" in repr(report)
    assert report.stays_above(row.goes_on.least_ratio)
    assert not report.stays_above(row.goes_on.least_ratio + 1e-9)


def test_a_job_whose_states_take_too_long_has_paths_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_states, "STATE_S", 2.0 * availability_plan.PART_S / availability_plan.MIN_STATES)
    report = two_racks().availability(job="j")
    (row,) = report.jobs
    assert row.connected is not None
    assert row.goes_on is None
    assert any(
        note.startswith("Job j: whether lost network cards stop it takes too long") for note in report.assumptions
    )
