"""Single figures of reliability by hand: each was wrong by one fault at a time without a test that noticed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.reliability.test_goodput import parts, table
from tests.reliability.test_outages import network, sites_of, wan, with_figures
from tests.training.cases import line, reader, state_of
from twin.arrays import State
from twin.catalogue.figure_reader import UsedFigure
from twin.reliability.goodput import daly_efficiency, daly_interval_s, job_goodput
from twin.reliability.link_failures import link_failures, published_wan_link
from twin.reliability.outages import build_site_graph, failing_nodes, links_between, site_outages


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
    assert used(halls(ends, ("b1", "b2")), "b") == ["l0"]


def test_a_link_inside_a_site_of_the_job_is_not_between_sites() -> None:
    assert used(halls(("a1", "a2"), ("b1", "b2")), "a", "b") == []
    assert used(halls(("a1", "a2"), ("b1", "b2")), "a") == ["l1"]


def test_a_leaf_at_the_end_of_a_wide_area_link_counts_as_a_node_that_fails() -> None:
    """The leaves are the ends of a wide-area link, with or without stated fibre."""
    far, near = halls(("a1", "b1"), km=10.0), halls(("a1", "b1"))
    link = np.array([0])
    assert [far.node_ids[row] for row in failing_nodes(far, ["a", "b"], link)] == ["a1", "b1"]
    assert [near.node_ids[row] for row in failing_nodes(near, ["a", "b"], link)] == ["a1", "b1"]


def test_a_host_at_the_end_of_a_wide_area_link_is_no_node_that_fails() -> None:
    nodes = [{"id": "h", "kind": "host", "site": "a"}, {"id": "b1", "kind": "leaf", "site": "b"}]
    far = {"id": "l", "ends": ["h", "b1"], "capacity_gbps": 400, "spans": [{"length_km": 10.0}]}
    state = state_of({"sites": [{"id": "a"}, {"id": "b"}], "nodes": nodes, "links": [far]})[0]
    assert [state.node_ids[row] for row in failing_nodes(state, ["a", "b"], np.array([0]))] == ["b1"]


def test_a_cut_takes_links_of_its_duct_that_the_job_does_not_use() -> None:
    """The spare link lies in the duct of the used one: it is no way around a cut of the duct."""
    both = (wan("used", ("a1", "b1"), (20, "duct")), wan("spare", ("a1", "b1"), (20, "duct")))
    state = state_of(network(*both, sites="ab"))[0]
    sites, links = sites_of(state), np.array([state.link_index["used"]])
    graph = build_site_graph(state, state.in_service, sites, links)
    found = {(row.element, row.names): row for row in site_outages(state, reader(), graph, (0.4, 0.6), links).rows()}
    assert found["risk", ("duct",)].lost_sites == ("a",)
    assert found["risk", ("duct",)].n_per_year == pytest.approx(0.003 * 20)


def test_outages_that_differ_in_one_figure_are_rows_of_their_own() -> None:
    same = ("link", 10.0, 8.0, 3600.0, "abort", "a")
    one_apart = [
        ("node", *same[1:]),
        ("link", 9.0, *same[2:]),
        ("link", 10.0, 7.0, *same[3:]),
        ("link", 10.0, 8.0, 1800.0, *same[4:]),
        ("link", 10.0, 8.0, 3600.0, "stall", "a"),
        ("link", 10.0, 8.0, 3600.0, "abort", ""),
    ]
    rows = [same, *one_apart, same]
    found = table(*rows).rows()
    assert {row.names for row in found} == {("l0", "l7"), *((f"l{i}",) for i in range(1, 7))}


def test_the_interval_of_very_short_checkpoints_is_that_of_the_first_order() -> None:
    """sqrt(2 x 1 x 1e18) s: the exact form has no digit left."""
    assert daly_interval_s(1e18, 1.0) == pytest.approx(math.sqrt(2.0) * 1e9)


def test_a_published_link_at_the_end_of_the_range() -> None:
    """336.51 e^3.4371 = 10,465 h and 1.1345 e^4.7709 = 133.9 h."""
    assert published_wan_link(1.0) == pytest.approx((10_465.0, 133.9), rel=1e-3)


def test_two_paths_mended_within_the_hour_still_fail_together() -> None:
    """23 and 34 km, each mended after 0.25 e^(0.765^2 / 2) = 0.335 h: n1 n2 (m1 + m2) a year."""
    spans = [{"length_km": 23.0}, {"length_km": 34.0, "standby": True}]
    state = state_of(line(transceiver="400ZR", protection="optical-protection", spans=spans))[0]
    found = link_failures(state, with_figures(cut_repair_h=0.25), np.array([0]))
    assert found.n_failures_per_year[0] == pytest.approx(0.003 * 23 * 0.003 * 34 * 2 * 0.335 / 8766, rel=1e-3)


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
