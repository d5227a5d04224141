"""Effects that are better or worse: against a slow obvious comparison, grouped, ranked, with causes that hold."""

from __future__ import annotations

from typing import Any

import pytest

import twin
from tests.model.samples import campus_data
from twin.answers.diff import Diff
from twin.answers.effects import Effect
from twin.errors import ChangeError
from twin.loading import from_document
from twin.network import Network


def line(*, n_parallel: int = 8, **more: Any) -> dict[str, Any]:
    """Two switches over two routes, the second one longer, and a demand between hosts."""
    nodes = [{"id": name, "kind": "switch"} for name in "abc"]
    nodes += [{"id": "x", "kind": "host"}, {"id": "y", "kind": "host"}]
    links = [
        {"id": "x~a", "ends": ["x", "a"], "capacity_gbps": 100.0, "n_parallel": 10},
        {"id": "b~y", "ends": ["b", "y"], "capacity_gbps": 100.0, "n_parallel": 10},
        {"id": "a~b", "ends": ["a", "b"], "capacity_gbps": 100.0, "n_parallel": n_parallel},
        {"id": "a~c", "ends": ["a", "c"], "capacity_gbps": 100.0, "n_parallel": 3},
        {"id": "c~b", "ends": ["c", "b"], "capacity_gbps": 100.0, "n_parallel": 3},
    ]
    demands = [{"id": "d", "source": "x", "target": "y", "offered_gbps": 500.0}]
    return {"schema_version": 1, "nodes": nodes, "links": links, "demands": demands} | more


def what_if(network: Network, *changes: dict[str, Any], **options: Any) -> Diff:
    return network.what_if(list(changes), main_assumptions=False, **options)


def effect(diff: Diff, kind: str, name: str, figure: str) -> Effect:
    (found,) = [row for row in getattr(diff.effects, kind) if name in (row.id, *row.examples) and row.figure == figure]
    return found


FAIL: dict[str, Any] = {"kind": "fail_links", "links": "a~b"}
FEWER: dict[str, Any] = {"kind": "set_channels", "links": "a~b", "n_parallel": 2}
OTHER: dict[str, Any] = {"kind": "fail_links", "links": "a~c"}


def test_a_failure_reroutes_and_names_the_link_it_came_from() -> None:
    diff = what_if(from_document(line()), FAIL)
    down = effect(diff, "links", "a~b", "capacity_gbps")
    assert (down.before, down.after, down.direction) == (800.0, 0.0, "worse")
    assert down.cause == "the link is down – fail_links a~b"
    detour = effect(diff, "links", "a~c", "utilisation_ratio")
    assert (detour.n, detour.before, detour.direction) == (2, 0.0, "worse")
    assert "rerouted from a~b, which is down" in detour.cause
    demand = effect(diff, "demands", "d", "carried_ratio")
    assert (demand.before, demand.after) == (1.0, pytest.approx(0.6))
    assert "limited by a~c (a → c), which is full" in demand.cause
    assert "after a~b failed" in demand.cause


def test_members_before_and_after_are_named() -> None:
    row = effect(what_if(from_document(line()), FEWER), "links", "a~b", "capacity_gbps")
    assert (row.before, row.after, row.verified, row.changes) == (800.0, 200.0, True, (0,))
    assert row.cause == "8 → 2 members up – set_channels a~b"


def test_the_cause_is_the_change_without_which_the_figure_is_another() -> None:
    """Each cause, checked by leaving the change out by hand."""
    network = from_document(line())
    changes = [{"kind": "age", "years": 3}, FEWER, {"kind": "scale_demands", "factor_ratio": 1.1}]
    diff = what_if(network, *changes)
    busy = effect(diff, "links", "a~b", "utilisation_ratio")
    for i in range(len(changes)):
        without = what_if(network, *changes[:i], *changes[i + 1 :])
        ratio = max(row.utilisation_ratio or 0.0 for row in without.network.link_table("a~b").rows)
        assert (i in busy.changes) == (abs(ratio - (busy.after or 0.0)) > 1e-6)
    assert busy.verified
    assert 0 not in busy.changes


def test_two_failures_of_which_each_is_enough() -> None:
    """Without one of them the demand has no path either, so each is tried alone."""
    network = from_document(line())
    cut = {"kind": "fail_links", "links": "x~a"}
    other = {"kind": "fail_links", "links": "b~y"}
    row = effect(what_if(network, cut, other), "demands", "d", "carried_ratio")
    assert row.after == 0.0
    assert row.changes == (0, 1)
    assert "each alone is enough: fail_links x~a (alone 0 %); fail_links b~y (alone 0 %)" in row.cause


def test_two_failures_that_act_only_together() -> None:
    row = effect(what_if(from_document(line()), FAIL, OTHER), "demands", "d", "carried_ratio")
    assert row.after == 0.0
    assert row.changes == (0, 1)
    assert "no path after a~b" in row.cause or "no path after a~c" in row.cause


def test_less_load_because_traffic_is_lost_is_no_improvement() -> None:
    diff = what_if(from_document(line()), FAIL, OTHER)
    idle = effect(diff, "links", "x~a", "utilisation_ratio")
    assert (idle.direction, idle.after) == ("neither", 0.0)
    assert diff.effects.link_counts.n_better == 0


def test_equal_links_are_one_effect_and_the_order_of_records_does_not_matter() -> None:
    network = twin.load("leaf-spine-demo")
    changes = [{"kind": "fail_nodes", "nodes": "spine-1"}]
    data = network.document.to_dict()
    turned = from_document({name: value[::-1] if isinstance(value, list) else value for name, value in data.items()})
    diff = what_if(network, *changes)
    assert diff.to_dict(["effects"]) == what_if(turned, *changes).to_dict(["effects"])
    row = effect(diff, "links", "leaf-1~spine-1", "capacity_gbps")
    assert row.n == 4
    assert len(row.examples) == 3
    assert "spine-1 is down" in row.cause


def test_counts_hold_all_and_lists_the_first_of_each_direction() -> None:
    network = twin.load("leaf-spine-demo")
    changes = [{"kind": "fail_nodes", "nodes": "spine-1"}]
    whole, first = (what_if(network, *changes, top=top).effects for top in (1000, 1))
    assert first.link_counts == whole.link_counts
    assert whole.link_counts.n_worse <= network.arrays.n_links
    assert first.links[0] == whole.links[0]
    assert len([row for row in first.links if row.direction == "worse"]) == 1
    with pytest.raises(ChangeError, match="1 to 1000"):
        what_if(network, *changes, top=0)


def test_a_job_says_what_it_waits_for() -> None:
    network = from_document(campus_data())
    swap = {"kind": "swap_accelerators", "racks": {"site": "b"}, "accelerator": "A100-80GB", "n_per_rack": 8}
    slower = effect(what_if(network, swap), "jobs", "both", "step_time_s")
    assert slower.cause.startswith("waits for slower step of A100-80GB in b")


def test_without_causes_nothing_is_computed_again() -> None:
    diff = what_if(from_document(line()), FEWER, OTHER, causes=False)
    assert {row.changes for row in diff.effects.links} == {()}
    assert not any(row.verified for row in diff.effects.links)


def test_more_changes_than_parts_are_left_out_in_groups() -> None:
    ages = [{"kind": "age", "years": 1}] * 20
    row = effect(what_if(from_document(line()), *ages, FEWER), "links", "a~b", "capacity_gbps")
    assert 20 in row.changes
    assert len(row.changes) <= 3


def test_links_that_carry_more_because_the_job_is_faster_are_not_worse() -> None:
    network = from_document(campus_data())
    fast = {"kind": "swap_accelerators", "racks": "a-rack-*", "accelerator": "GB200"}
    diff = what_if(network, fast)
    assert diff.effects.link_counts.n_worse == 0
    wan = effect(diff, "links", "wan", "utilisation_ratio")
    assert (wan.direction, (wan.after or 0.0) > (wan.before or 1.0)) == ("neither", True)
    assert wan.cause.startswith("the same bits of the job in a step of ")
    grown = what_if(network, fast, {"kind": "scale_demands", "factor_ratio": 1.5})
    assert effect(grown, "links", "wan", "utilisation_ratio").direction == "worse"


def test_a_demand_whose_limit_stays_has_one_clear_sentence() -> None:
    """Two equal routes over switches c and e, both full; one goes down."""
    data = line(n_parallel=1)
    data["nodes"].append({"id": "e", "kind": "switch"})
    data["links"] = [link for link in data["links"] if link["id"] != "a~b"] + [
        {"id": "a~e", "ends": ["a", "e"], "capacity_gbps": 100.0, "n_parallel": 3},
        {"id": "e~b", "ends": ["e", "b"], "capacity_gbps": 100.0, "n_parallel": 3},
    ]
    data["demands"][0]["offered_gbps"] = 900.0
    row = effect(what_if(from_document(data), {"kind": "fail_nodes", "nodes": "e"}), "demands", "d", "carried_ratio")
    assert row.cause == "still limited by a~c (a → c), now without a~e, e~b – fail_nodes e"


def test_the_age_of_a_link_names_its_transceiver_fibre_and_amplifiers() -> None:
    """The field `age_years` of the link does not hide that of its spans; spans without an amplifier name none."""
    network = twin.load("ageing-lines")
    diff = what_if(network, {"kind": "age", "years": 10})
    plain = effect(diff, "links", "metro", "margin_db")
    assert plain.cause == "transceiver age_years 5.418 → 15.42, fibre age_years 20.42 → 30.42 – age"
    spans = [change for change in network.preview([{"kind": "age", "years": 10}]).changes if change.record == "span"]
    amplified = {name for c in spans if "amplifier_age_years" in {f.name for f in c.fields} for name in c.examples}
    assert amplified
    assert not any(name.startswith(("metro", "campus", "protected")) for name in amplified)


def test_equal_utilisation_of_other_loads_is_not_merged() -> None:
    """500 Gb/s over 8 and 2 members of 100: both are used half, before and after alike, but carry other loads."""
    data = line()
    data["links"].append({"id": "short", "ends": ["a", "b"], "capacity_gbps": 100.0, "n_parallel": 2})
    diff = what_if(from_document(data), {"kind": "set_channels", "links": "a~b", "n_parallel": 18})
    for name, loads in (("a~b", "400 Gb/s → 450 Gb/s"), ("short", "100 Gb/s → 50 Gb/s")):
        row = effect(diff, "links", name, "utilisation_ratio")
        assert (row.n, row.before, row.after) == (1, pytest.approx(0.5), pytest.approx(0.25))
        assert f"carries {loads}" in row.cause


def test_a_demand_of_other_latency_names_the_link_of_other_latency() -> None:
    data = line(as_of="2026-01-01", n_parallel=1)
    data["links"][2] |= {"transceiver": "100G-LR4", "spans": [{"length_km": 5.0}]}
    diff = what_if(from_document(data), {"kind": "set_fibre", "links": "a~b", "fibre": "G.654.E"})
    assert "latency of a~b 2" in effect(diff, "demands", "d", "latency_us").cause


def test_a_link_with_two_worse_figures_counts_once() -> None:
    diff = what_if(from_document(line()), FEWER)
    worse = [row for row in diff.effects.links if row.direction == "worse"]
    assert sorted(row.figure for row in worse if row.id == "a~b") == ["capacity_gbps", "utilisation_ratio"]
    assert diff.effects.link_counts.n_worse == len({name for row in worse for name in (row.id, *row.examples)})
