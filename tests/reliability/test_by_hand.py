"""Single figures of reliability by hand: each was wrong by one fault at a time without a test that noticed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.reliability.test_goodput import parts, table
from tests.training.cases import line, reader, state_of
from twin.arrays import State
from twin.catalogue.figure_reader import UsedFigure
from twin.reliability.goodput import daly_efficiency, job_goodput
from twin.reliability.link_failures import link_failures
from twin.reliability.outages import failing_nodes, links_between


def halls(*links: tuple[str, str], km: float | None = None) -> State:
    """Sites a and b with two leaves each, a1 a2 b1 b2, and links l0, l1, ... between leaves."""
    nodes = [{"id": f"{site}{i}", "kind": "leaf", "site": site} for site in "ab" for i in (1, 2)]
    spans: dict[str, Any] = {} if km is None else {"spans": [{"length_km": km}]}
    rows = [{"id": f"l{i}", "ends": list(ends), "capacity_gbps": 400, **spans} for i, ends in enumerate(links)]
    return state_of({"sites": [{"id": "a"}, {"id": "b"}], "nodes": nodes, "links": rows})[0]


def used_figure(name: str) -> tuple[UsedFigure, ...]:
    asked = reader().fresh()
    asked.general(name)
    return asked.used_figures()


def used(state: State, *sites: str) -> list[str]:
    rows = links_between(state, sites, np.arange(2 * state.n_links))
    return [state.link_ids[row] for row in rows]


@pytest.mark.parametrize("ends", [("a1", "b1"), ("b1", "a1")])
def test_a_link_that_leaves_the_jobs_sites_is_between_sites_whichever_end_is_inside(ends: tuple[str, str]) -> None:
    assert used(halls(ends, ("a1", "a2")), "a") == ["l0"]


def test_a_link_inside_a_site_of_the_job_is_not_between_sites() -> None:
    assert used(halls(("a1", "a2"), ("b1", "b2")), "a", "b") == []
    assert used(halls(("a1", "a2"), ("b1", "b2")), "a") == ["l1"]


def test_a_leaf_at_the_end_of_a_wide_area_link_counts_as_a_node_that_fails() -> None:
    """With fibre the leaves are the ends of a wide-area link; without, their failure is that of a fabric."""
    far, near = halls(("a1", "b1"), km=10.0), halls(("a1", "b1"))
    link = np.array([0])
    assert [far.node_ids[row] for row in failing_nodes(far, ["a", "b"], link)] == ["a1", "b1"]
    assert len(failing_nodes(near, ["a", "b"], link)) == 0


def test_with_free_checkpoints_only_recovery_is_lost() -> None:
    """e^(-100 / 1000) = 0.904837."""
    assert daly_efficiency(1000.0, 0.0, 100.0) == pytest.approx(0.904837, abs=1e-6)


def test_an_interruption_every_second_day_is_one_in_two_days() -> None:
    assert job_goodput(parts(0.5), table(), reader()).mtbf_s == 2 * 86_400


def test_an_abort_that_cuts_no_site_off_waits_for_no_repair() -> None:
    """Traffic goes another way after the abort; only the loss of site a is waited for, 10 x 8.766 / 8766 = 0.01."""
    around = table(("link", 10.0, 8.766, 3600.0, "abort", ""))
    cut_off = table(("link", 10.0, 8.766, 3600.0, "abort", "a"))
    assert job_goodput(parts(0.0), around, reader()).waiting_ratio["repairs"] == 0.0
    assert job_goodput(parts(0.0), cut_off, reader()).waiting_ratio["repairs"] == pytest.approx(0.01 / 1.01)


def test_an_amplifier_of_a_link_without_a_transceiver_fails_too() -> None:
    """Its part is then the first of the network: two amplifiers, 3333 failures in 1e9 hours each, 8766 h a year."""
    state = state_of(line(capacity_gbps=400, spans=[{"length_km": 80.0, "amplifier": "EDFA"}, {"length_km": 80.0}]))[0]
    found = link_failures(state, reader(), np.array([0]))
    assert found.n_amplifier_failures_per_year[0] == pytest.approx(2 * 3333e-9 * 8766)
