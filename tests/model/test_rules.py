"""The rules that records keep together: each with a network that keeps it and one that does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.samples import campus_data, changed, job_data, model_data, network, without
from twin.errors import CatalogueError, Issue, TopologyError

BASE = campus_data()


def faults(data: dict[str, Any]) -> dict[str, str]:
    """Place -> problem of every fault."""
    try:
        _ = network(data).nodes
    except TopologyError as error:
        return {issue.where: issue.problem for issue in error.issues}
    return {}


def twice(name: str) -> dict[str, Any]:
    return BASE | {name: [*BASE[name], BASE[name][0]]}


def job(**fields: Any) -> dict[str, Any]:
    return BASE | {"jobs": [job_data(**fields)], "default_job": None}


def test_the_sound_network_has_no_fault() -> None:
    assert faults(BASE) == {}


@pytest.mark.parametrize(
    ("data", "where", "problem"),
    [
        (twice("nodes"), "nodes[a-border]", "stands 2 times"),
        (twice("links"), "links[a-up]", "stands 2 times"),
        (twice("sites"), "sites[b]", "stands 2 times"),
        (twice("demands"), "demands[east]", "stands 2 times"),
        (twice("jobs"), "jobs[both]", "stands 2 times"),
        (twice("plans"), "plans[wait]", "stands 2 times"),
        (changed(BASE, "nodes", "a-leaf", site="c"), "nodes[a-leaf].site", "no site 'c'"),
        (changed(BASE, "nodes", "a-leaf", part="leaf-26T"), "nodes[a-leaf].part", "unknown switch 'leaf-26T'"),
        (changed(BASE, "nodes", "a-leaf", part="400ZR"), "nodes[a-leaf].part", "'400ZR' is of kind transceiver"),
        (changed(BASE, "nodes", "a-rack-1", accelerator="H10"), "nodes[a-rack-1].accelerator", "unknown accelerator"),
        (
            changed(BASE, "nodes", "a-rack-1", accelerator=None),
            "nodes[a-rack-1].accelerator",
            "16 accelerators of no kind",
        ),
        (changed(BASE, "nodes", "a-rack-1", kind="spine"), "nodes[a-rack-1].kind", "a spine cannot hold accelerators"),
        (changed(BASE, "links", "wan", ends=["a-border", "b-bord"]), "links[wan].ends", "no node 'b-bord'"),
        (changed(BASE, "links", "wan", ends=["a-border", "a-border"]), "links[wan].ends", "both ends are 'a-border'"),
        (changed(BASE, "links", "wan", n_failed=5), "links[wan].n_failed", "5 members down of 4"),
        (changed(BASE, "links", "wan", transceiver="KP4"), "links[wan].transceiver", "is of kind fec"),
        (changed(BASE, "links", "wan", mux="mux-9"), "links[wan].mux", "unknown mux 'mux-9'"),
        (
            changed(BASE, "links", "wan", spans=[{"length_km": 1.0}, {"length_km": 1.0, "fibre": "G.999"}]),
            "links[wan].spans[1].fibre",
            "unknown fibre 'G.999'",
        ),
        (changed(BASE, "nodes", "a-leaf", installed="2026-01-02"), "nodes[a-leaf].installed", "lies after as_of"),
        (
            changed(BASE, "links", "wan", installed="2027-01-01"),
            "links[wan].installed",
            "2027-01-01 lies after as_of 2026-01-01",
        ),
        (
            changed(BASE, "links", "wan", spans=[{"length_km": 1.0, "installed": "2026-02-01"}]),
            "links[wan].spans[0].installed",
            "lies after",
        ),
        (BASE | {"as_of": None}, "as_of", "missing, though parts have installation dates"),
        (changed(BASE, "demands", "east", source="a-rack-9"), "demands[east].source", "no node 'a-rack-9'"),
        (changed(BASE, "demands", "east", target="q"), "demands[east].target", "no node 'q'"),
        (BASE | {"default_job": "bot"}, "default_job", "no job 'bot'"),
        (job(placement=[]), "jobs[job].placement", "no place to run"),
        (job(placement=[{"site": "z"}]), "jobs[job].placement[0].site", "no site 'z'"),
        (
            job(placement=[{"site": "a", "accelerator": "leaf-25.6T"}]),
            "jobs[job].placement[0].accelerator",
            "of kind switch",
        ),
        (job(placement=[{"site": "a"}, {"site": "a"}]), "jobs[job].placement", "site 'a' (any kind) stands 2 times"),
        (job(model=model_data(n_experts=4, n_experts_active=5)), "jobs[job].model", "5 active experts of 4"),
        (
            job(model=model_data(n_layers=4, n_predict_layers=5)),
            "jobs[job].model",
            "5 of 4 layers predict a token further",
        ),
        (job(parallelism={"n_virtual_stages": 2}), "jobs[job].parallelism", "virtual stages need pp > 1"),
        (job(parallelism={"pp": 4, "n_virtual_stages": 3}), "jobs[job].parallelism", "= 12 exceeds the 8 layers"),
        (job(parallelism={"tp": 3}), "jobs[job].parallelism.tp", "tp 3 does not divide the 16 heads"),
        (
            job(parallelism={"n_micro_batch": 3}),
            "jobs[job].n_global_batch",
            "512 sequences are no whole micro batches of 3",
        ),
        (job(n_local_steps=2), "jobs[job].n_local_steps", "local steps belong to"),
    ],
)
def test_a_broken_rule_is_named_with_its_place(data: dict[str, Any], where: str, problem: str) -> None:
    found = faults({key: value for key, value in data.items() if value is not None})
    assert list(found) == [where]
    assert problem in found[where]


@pytest.mark.parametrize(
    "data",
    [
        changed(BASE, "nodes", "a-leaf", site=None),
        changed(BASE, "nodes", "a-leaf", part=None),
        changed(BASE, "nodes", "a-rack-1", kind="host"),
        changed(BASE, "links", "wan", n_failed=4),
        changed(BASE, "links", "wan", installed="2026-01-01"),
        job(model=model_data(n_experts=4, n_experts_active=4)),
        job(parallelism={"pp": 4, "n_virtual_stages": 2}),
        job(parallelism={"tp": 16}),
        job(parallelism={"n_micro_batch": 64}),
        job(sync="local_sgd", n_local_steps=2),
        job(placement=[{"site": "a", "accelerator": "H100"}, {"site": "a", "accelerator": "H200"}]),
        without(BASE, "sites", "a") | {"sites": [{"id": "b"}, {"id": "a"}]},
        {
            "nodes": [{"id": "a", "kind": "leaf"}, {"id": "b", "kind": "leaf"}],
            "links": [{"id": "l", "ends": ["a", "b"]}],
        },
        {},
    ],
)
def test_what_keeps_the_rules_passes(data: dict[str, Any]) -> None:
    assert faults(data) == {}


def test_one_id_may_stand_in_different_lists() -> None:
    data = {"sites": [{"id": "x"}], "nodes": [{"id": "x", "kind": "leaf", "site": "x"}, {"id": "y", "kind": "leaf"}]}
    assert faults(data | {"links": [{"id": "x", "ends": ["x", "y"]}]}) == {}


def test_all_faults_are_told_at_once() -> None:
    data = changed(BASE, "nodes", "a-leaf", site="c", part="leaf-26T", installed="2030-01-01")
    data = changed(data, "links", "wan", ends=["p", "q"], mux="mux", n_failed=9)
    data = data | {"jobs": [job_data(placement=[], n_local_steps=3, parallelism={"tp": 3})]}
    data = changed(data, "demands", "east", source="p", target="q")
    with pytest.raises(TopologyError) as caught:
        _ = network(data).links
    places = [issue.where for issue in caught.value.issues]
    assert sorted(places) == sorted(
        [
            "nodes[a-leaf].site",
            "nodes[a-leaf].part",
            "nodes[a-leaf].installed",
            "links[wan].ends",
            "links[wan].ends",
            "links[wan].mux",
            "links[wan].n_failed",
            "demands[east].source",
            "demands[east].target",
            "default_job",
            "jobs[job].placement",
            "jobs[job].n_local_steps",
            "jobs[job].parallelism.tp",
        ]
    )
    assert f"{len(places)} faults" in str(caught.value)
    assert caught.value.where == "two sites"
    assert len(caught.value.to_dict()["issues"]) == len(places)  # type: ignore[arg-type]


def test_near_names_are_offered() -> None:
    with pytest.raises(TopologyError, match="did you mean 'b-border'"):
        _ = network(changed(BASE, "links", "wan", ends=["a-border", "b-boarder"])).nodes
    with pytest.raises(TopologyError, match=r"did you mean 'leaf-25\.6T'"):
        _ = network(changed(BASE, "nodes", "a-leaf", part="leaf-25.6")).nodes


def test_a_site_that_is_not_there_is_told_once_with_the_line_that_adds_it() -> None:
    nodes = [{"id": f"n{i}", "kind": "leaf", "site": "here"} for i in range(97)]
    with pytest.raises(TopologyError) as caught:
        _ = network({"nodes": nodes, "sites": [{"id": "her"}], "jobs": [job_data(placement=[{"site": "here"}])]}).nodes
    (issue,) = caught.value.issues
    assert issue == Issue(
        "nodes[n0].site", "no site 'here', named 97 times", "did you mean 'her'? sites: [{id: here}] adds it"
    )


def test_a_file_of_many_faults_is_cut_short() -> None:
    nodes = [{"id": f"n{i}", "kind": "leaf", "site": f"nowhere-{i}"} for i in range(1500)]
    with pytest.raises(TopologyError) as caught:
        _ = network({"nodes": nodes}).nodes
    assert len(caught.value.issues) == 1000
    assert len(str(caught.value).splitlines()) == 22
    assert str(caught.value).endswith("and 980 more")


def test_an_unknown_generator_is_named_with_near_ones() -> None:
    with pytest.raises(CatalogueError, match=r"fabrics\[f\].generator.*leaf_spine"):
        _ = network({"fabrics": [{"id": "f", "generator": "leafspine"}]}).nodes


def test_a_fabric_and_a_list_may_not_share_an_id() -> None:
    data = {
        "nodes": [{"id": "f/leaf-1", "kind": "leaf"}],
        "fabrics": [{"id": "f", "generator": "leaf_spine", "params": {"n_leaves": 1, "n_spines": 1}}],
    }
    assert faults(data) == {"nodes[f/leaf-1]": "id 'f/leaf-1' stands 2 times"}
