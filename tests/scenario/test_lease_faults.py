"""Jobs on accelerators that tenants have: a warning as it stands, and a refusal of changes that make it."""

from __future__ import annotations

from typing import Any

import pytest

import twin
from tests.studies.test_decision_leases import RUNNING, network
from twin.errors import ChangeError
from twin.model.jobs import Placement
from twin.scenario.lease_faults import _n_matching

OVERLAP = "192 accelerators of the job and 400 of t1; north has 512"


def overlaps(net: twin.Network) -> list[str]:
    return [row.problem for row in net.warnings if row.where == "jobs[train-70b].placement[north]"]


def test_a_job_on_leased_accelerators_is_a_warning() -> None:
    net = network(RUNNING, n_north=192)
    assert overlaps(net) == [OVERLAP]
    assert any(OVERLAP in line for line in net.leases().summary)
    assert overlaps(network(RUNNING, n_north=112)) == []
    assert overlaps(network(RUNNING | {"term_days": 100}, n_north=192)) == []


def place(n_north: int) -> dict[str, Any]:
    sites = {"north": n_north, "south": 64}
    return {
        "kind": "place_job",
        "placement": [{"site": site, "n_accelerators": n} for site, n in sites.items()],
    }


def test_a_change_that_places_the_job_on_leased_accelerators_is_refused() -> None:
    net = network(RUNNING)
    with pytest.raises(ChangeError, match=OVERLAP):
        net.leases(changes=place(192))
    assert next(row.n_leased for row in net.leases(changes=place(96)).free if row.site == "north") == 400


def test_a_change_may_lessen_an_overlap_and_leave_it() -> None:
    net = network(RUNNING, n_north=192)
    net.leases(changes=place(128))
    net.leases(changes={"kind": "age", "years": 1})
    with pytest.raises(ChangeError, match="256 accelerators of the job"):
        net.leases(changes=place(256))


def test_a_placement_without_a_number_takes_what_matches() -> None:
    state = network().evaluate().case.state
    rack = next(name for name, n in zip(state.node_ids, state["node_n_accelerators"], strict=True) if n)
    for placement, n in (
        (Placement("north"), 512),
        (Placement("north", racks=rack), 64),
        (Placement("north", accelerator="GB200"), 0),
        (Placement("nowhere"), 0),
    ):
        assert _n_matching(state, placement) == n
