"""The kinds: what they take, what they answer, and the optimum against networks whose optimum is plain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twin.check import KINDS, check_file
from twin.check.record import record, write_record
from twin.errors import ConvergenceError, DocumentError
from twin.model.validation import validate_as
from twin.traffic import optimum


def run(kind: str, given: dict[str, Any], *wanted: str) -> Any:
    return KINDS[kind].run(validate_as(KINDS[kind].given, given, "given"), frozenset(wanted))


def link_load(links: list[Any], demands: list[Any], *wanted: str, **more: Any) -> Any:
    nodes = sorted({end for _, a, b, *_ in links for end in (a, b)})
    given = {
        "nodes": nodes,
        "links": [{"id": i, "ends": [a, b], "capacity_gbps": c, "weight": w} for i, a, b, c, w in links],
        "demands": [{"from": a, "to": b, "gbps": g} for a, b, g in demands],
        **more,
    }
    return run("link_load", given, *wanted)


def test_ids_may_be_any_text_and_order_of_names_plays_no_part() -> None:
    links = [("Z > Ä", "New York", "São Paulo", 10, 1), ("a b", "New York", "São Paulo", 10, 1)]
    load = link_load(links, [("São Paulo", "New York", 3)])["load_gbps"]
    assert load == {"Z > Ä>": 0, "Z > Ä<": 1.5, "a b>": 0, "a b<": 1.5}


def test_parallel_links_are_separate_next_hops_and_wcmp_goes_by_capacity() -> None:
    links = [("p", "a", "b", 30, 1), ("q", "a", "b", 10, 1), ("r", "a", "c", 10, 1), ("s", "c", "b", 10, 1)]
    found = link_load(links, [("a", "b", 20)])
    assert found["load_gbps"]["p>"] == pytest.approx(10)
    assert found["max_utilisation_ratio"] == pytest.approx(1.0)
    assert found["max_load_gbps"] == pytest.approx(10)
    found = link_load(links, [("a", "b", 20)], routing="wcmp")
    assert found["load_gbps"]["p>"] == pytest.approx(15)
    assert found["max_utilisation_ratio"] == pytest.approx(0.5)


def test_demands_of_a_pair_add_up_and_those_to_oneself_load_nothing() -> None:
    found = link_load([("l", "a", "b", 10, 1)], [("a", "b", 1), ("a", "b", 2), ("a", "a", 9)])
    assert found["max_load_gbps"] == 3
    assert found["unrouted_gbps"] == 0


def test_capacities_and_weights_may_be_out_of_the_ordinary() -> None:
    found = link_load([("l", "a", "b", 3e12, 7e10)], [("a", "b", 1.5e12)])
    assert found["max_utilisation_ratio"] == pytest.approx(0.5)


def test_network_without_links_or_demands_is_idle() -> None:
    found = run("link_load", {"nodes": ["a", "b"], "links": [], "demands": []}, "optimal_max_utilisation_ratio")
    assert found["max_load_gbps"] == found["max_utilisation_ratio"] == found["optimal_max_utilisation_ratio"] == 0


def test_optimum_is_computed_only_where_it_is_wanted() -> None:
    links, demands = [("l", "a", "b", 10, 1)], [("a", "b", 4)]
    assert "optimal_max_utilisation_ratio" not in link_load(links, demands)
    assert link_load(links, demands, "optimal_max_utilisation_ratio")["optimal_max_utilisation_ratio"] == pytest.approx(
        0.4
    )


def test_demand_without_a_path_has_no_optimum() -> None:
    links = [("l", "a", "b", 10, 1), ("m", "c", "d", 10, 1)]
    found = link_load(links, [("a", "d", 4)], "optimal_max_utilisation_ratio")
    assert found["unrouted_gbps"] == 4
    assert "no path" in found["optimal_max_utilisation_ratio"].why


@pytest.mark.parametrize(
    ("demands", "best"),
    [
        # a to c over ac (10) and a-b-c (20): 15 of 30
        ([("a", "c", 15)], 0.5),
        # b's 10 to c must share bc with what a sends round: (15 + 10) / 30 out of the cut {a, b}
        ([("a", "c", 15), ("b", "c", 10)], 25 / 30),
        # three sources, one sink, and back: directions do not meet
        ([("a", "c", 15), ("b", "c", 10), ("c", "a", 30)], 1.0),
    ],
)
def test_optimum_of_a_triangle_is_its_cut(demands: list[Any], best: float) -> None:
    links = [("ab", "a", "b", 20, 1), ("bc", "b", "c", 20, 1), ("ac", "a", "c", 10, 1)]
    found = link_load(links, demands, "optimal_max_utilisation_ratio")
    assert found["optimal_max_utilisation_ratio"] == pytest.approx(best, rel=1e-9)


def test_optimum_is_never_worse_than_the_routing_and_does_not_depend_on_the_direction_of_all_demands() -> None:
    rng = np.random.default_rng(5)
    names = [f"n{i}" for i in range(9)]
    links = [(f"r{i}", names[i], names[(i + 1) % 9], float(rng.uniform(5, 20)), 1) for i in range(9)]
    links += [(f"c{i}", *rng.choice(names, 2, replace=False), float(rng.uniform(5, 20)), 1) for i in range(8)]
    one_sink = [(name, "n0", float(rng.uniform(1, 3))) for name in names[1:]]
    turned = [(b, a, g) for a, b, g in one_sink]
    there = link_load(links, one_sink, "optimal_max_utilisation_ratio")
    back = link_load(links, turned, "optimal_max_utilisation_ratio")
    name = "optimal_max_utilisation_ratio"
    assert there[name] == pytest.approx(back[name], rel=1e-7)
    assert there[name] <= there["max_utilisation_ratio"] * (1 + 1e-9)


def test_solver_that_gives_up_is_a_convergence_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimum, "TIME_LIMIT_S", 0.0)
    names = [f"n{i}" for i in range(30)]
    links = [(f"l{i}-{j}", names[i], names[(i + j) % 30], 10, 1) for i in range(30) for j in (1, 7, 11)]
    demands = [(a, b, 1 + i % 3) for i, a in enumerate(names) for b in names if a != b]
    with pytest.raises(ConvergenceError, match="HiGHS"):
        link_load(links, demands, "optimal_max_utilisation_ratio")


@pytest.mark.parametrize(("capacity", "gbps"), [(1e9, 1.0), (1.0, 1e9), (1e-6, 1e-9), (1e12, 1e12)])
def test_optimum_is_exact_whatever_the_unit(capacity: float, gbps: float) -> None:
    name = "optimal_max_utilisation_ratio"
    links = [("ab", "a", "b", 2 * capacity, 1), ("bc", "b", "c", 2 * capacity, 1), ("ac", "a", "c", capacity, 1)]
    assert link_load(links, [("a", "c", gbps)], name)[name] == pytest.approx(gbps / capacity / 3, rel=1e-9)


def test_demands_and_capacities_too_far_apart_are_a_convergence_error() -> None:
    with pytest.raises(ConvergenceError, match="too far apart"):
        link_load([("l", "a", "b", 1e-300, 1)], [("a", "b", 1e300)], "optimal_max_utilisation_ratio")


@pytest.mark.parametrize(
    ("links", "demands", "text"),
    [
        ([("l", "a", "b", 1, 1), ("l", "a", "b", 1, 1)], [], "link 'l' stands twice"),
        ([("l", "a", "a", 1, 1)], [], "both ends are 'a'"),
        ([("l", "a", "b", 0, 1)], [], "must be more than 0"),
        ([("l", "a", "b", 1, 0)], [], "must be more than 0"),
        ([("l", "alpha", "b", 1, 1)], [("alpah", "b", 1)], "did you mean 'alpha'"),
        ([("l", "a", "b", 1, 1)], [("a", "b", -1)], "must be at least 0"),
    ],
)
def test_link_loads_that_do_not_hold_together_are_refused(links: list[Any], demands: list[Any], text: str) -> None:
    with pytest.raises(DocumentError, match=text):
        link_load(links, demands)


def test_max_min_refuses_unknown_links_and_flows_over_nothing() -> None:
    links = [{"id": "alpha", "capacity_gbps": 1}]
    with pytest.raises(DocumentError, match="did you mean 'alpha'"):
        run("max_min", {"links": links, "flows": [{"id": "f", "links": ["alpa"]}]})
    with pytest.raises(DocumentError, match="at least 1 item"):
        run("max_min", {"links": links, "flows": [{"id": "f", "links": []}]})


def test_whatif_takes_a_plan_or_changes() -> None:
    with pytest.raises(DocumentError, match="not both"):
        run("whatif", {"network": "memphis-small", "plan": "local-sgd", "changes": []})
    with pytest.raises(DocumentError, match="did you mean 'ageing'"):
        run("whatif", {"network": "memphis-small", "aging": "low"})


def test_recording_gives_a_fixture_that_holds(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    write_record("leaf-spine-demo", path)
    assert check_file(path).within
    data = json.loads(path.read_text())
    assert [case["id"] for case in data["cases"]] == ["as it stands"]


def test_recording_a_refused_plan_records_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    data = record("leaf-spine-demo", plans=["no-such-plan"], metrics=["unrouted_gbps"])
    assert data["cases"][1]["expect"] == {"error": "CatalogueError", "contains": "no plan 'no-such-plan'"}
