"""Every kind of change: its effect, the floor it stands on, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.model.samples import campus_data, changed, shipped
from twin.catalogue import catalogue, load_price_book
from twin.catalogue.figure_reader import FigureReader
from twin.errors import CatalogueError, ChangeError, DocumentError, TopologyError, TwinError
from twin.loading import Network, from_document, load
from twin.model.jobs import Placement
from twin.scenario.apply import Scenario, apply_changes, baseline, parse_changes
from twin.scenario.change import StateChange, StructureChange, WorkloadChange
from twin.scenario.changes import CHANGES as KINDS
from twin.training.step_timing import PHASES

LEAF = {"id": "c-leaf", "kind": "leaf"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "add_node": {"node": LEAF},
    "add_link": {"link": {"id": "more", "ends": ["a-leaf", "b-leaf"]}},
    "remove_links": {"links": "b-cable-1"},
    "remove_nodes": {"nodes": "a-rack-2"},
    "scale_demands": {"factor_ratio": 2.0},
    "place_job": {"placement": [{"site": "b"}]},
    "leave_sites": {"sites": ["a"]},
    "use_accelerator": {"site": "a", "accelerator": "H100"},
    "split_work": {"split": "balanced"},
    "synchronise": {"sync": "local_sgd", "n_local_steps": 10},
    "cut_job": {"tp": 4, "recompute": "full"},
    "recover_job": {"recovery": "elastic"},
    "set_load_balancing": {"mode": "spray"},
    "set_wcmp_groups": {"groups": [{"node": "a-leaf", "target": "a-rack-1", "next_hops": {"a-cable-1": 1}}]},
    "set_transceivers": {"links": "wan", "part": "400ZR"},
    "set_channels": {"links": "wan", "n_parallel": 8},
    "set_fibre": {"links": "wan", "fibre": "G.654.E"},
    "swap_switches": {"nodes": {"kind": "border"}, "part": "border-deep-51.2T"},
    "swap_accelerators": {"racks": {"site": "a", "kind": "rack"}, "accelerator": "GB300"},
    "swap_servers": {"nodes": {"site": "a", "kind": "rack"}, "part": "card-400G"},
    "fail_links": {"links": "wan", "n_members": 1},
    "fail_nodes": {"nodes": "a-rack-2"},
    "fail_srlg": {"srlg": "duct"},
    "age": {"years": 10},
    "cut_fibre": {"links": "wan", "n_cuts": 3},
}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


@cache
def campus() -> Network:
    return from_document(campus_data())


def reader() -> FigureReader:
    return FigureReader(catalogue(), load_price_book())


def applied(*changes: dict[str, Any], network: Network | None = None, job: str | None = None) -> Scenario:
    network = network or campus()
    return apply_changes(baseline(network, network.job(job)), parse_changes(changes), reader())


def one(kind: str, **fields: Any) -> Scenario:
    return applied({"kind": kind, **fields})


def column(scenario: Scenario, name: str, record: str) -> Any:
    arrays = scenario.case.state.arrays
    index = arrays.node_index if name.startswith("node") else arrays.link_index
    return scenario.case.state[name][index[record]]


# --- floors ----------------------------------------------------------------------------------------------------------


def test_there_is_an_example_of_every_kind() -> None:
    # add_lease needs accelerators that no job uses; the contract of changes has such a network
    assert set(EXAMPLES) == set(KINDS) - {"add_lease"}


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_a_change_edits_exactly_one_floor(kind: str) -> None:
    before = baseline(campus(), campus().job())
    nodes, links, document = campus().nodes, campus().links, campus().document
    after = one(kind, **EXAMPLES[kind])
    base = KINDS[kind].__bases__[0]
    floor = next(floor for floor in (StructureChange, WorkloadChange, StateChange) if issubclass(KINDS[kind], floor))
    assert base is not object
    if floor is StructureChange:
        assert after.network is not before.network
        assert (after.network.nodes, after.network.links) != (nodes, links)
        assert not after.case.state.overlay
        assert after.case.job == before.case.job
    elif floor is WorkloadChange:
        assert after.case.state is before.case.state or after.case.state.arrays is before.case.state.arrays
        assert not after.case.state.overlay
        asked, was = after.case, before.case
        assert (asked.job, asked.document) != (was.job, was.document) or kind == "use_accelerator"
    else:
        assert after.network is before.network
        assert after.case.state.arrays is campus().arrays
        assert after.case.state.overlay
        assert (after.case.document, after.case.job) == (before.case.document, before.case.job)
    assert (campus().nodes, campus().links, campus().document) == (nodes, links, document)


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_an_object_and_a_mapping_say_the_same(kind: str) -> None:
    change = (
        KINDS[kind](**EXAMPLES[kind])
        if kind not in ("add_node", "add_link")
        else parse_changes([{"kind": kind, **EXAMPLES[kind]}])[0]
    )
    assert (
        campus().what_if([change], main_assumptions=False).to_json()
        == campus().what_if([{"kind": kind, **EXAMPLES[kind]}], main_assumptions=False).to_json()
    )


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_asking_leaves_no_trace(kind: str) -> None:
    own = from_document(campus_data())
    before = own.score(main_assumptions=False).to_json()
    own.what_if([{"kind": kind, **EXAMPLES[kind]}], main_assumptions=False)
    assert own.score(main_assumptions=False).to_json() == before == campus().score(main_assumptions=False).to_json()


# --- effects ---------------------------------------------------------------------------------------------------------


def test_structure() -> None:
    assert "c-leaf" in one("add_node", node=LEAF).case.state.arrays.node_index
    more = one("add_link", link={"id": "more", "ends": ["a-leaf", "b-leaf"], "weight": 2.5})
    arrays = more.case.state.arrays
    link = arrays.link_index["more"]
    assert arrays.arc_weight[[2 * link, 2 * link + 1]].tolist() == [2.5, 2.5]
    assert "b-cable-1" not in one("remove_links", links="b-cable-1").case.state.arrays.link_index
    gone = one("remove_nodes", nodes="a-rack-2").case.state.arrays
    assert "a-rack-2" not in gone.node_index
    assert "a-cable-2" not in gone.link_index


def test_workload() -> None:
    doubled = one("scale_demands", factor_ratio=2.0).case.document.demands
    assert [d.offered_gbps for d in doubled] == [200.0, 80.0]
    some = one("scale_demands", factor_ratio=3.0, ids=["west"]).case.document.demands
    assert [d.offered_gbps for d in some] == [100.0, 120.0]
    for scenario, sites in (
        (one("place_job", placement=[{"site": "b", "n_accelerators": 8}]), [("b", 8, None)]),
        (one("leave_sites", sites=["a"]), [("b", None, None)]),
        (one("use_accelerator", site="a", accelerator="H100"), [("b", None, None), ("a", None, "H100")]),
    ):
        assert scenario.case.job is not None
        assert [(p.site, p.n_accelerators, p.accelerator) for p in scenario.case.job.placement] == sites
    job = one("split_work", split="balanced").case.job
    assert job is not None
    assert job.split == "balanced"
    job = one("synchronise", sync="local_sgd", n_local_steps=7).case.job
    assert job is not None
    assert (job.sync, job.n_local_steps) == ("local_sgd", 7)
    job = one("cut_job", pp=2, n_micro_batch=2, precision="fp8", n_global_batch=1024).case.job
    assert job is not None
    assert (job.parallelism.tp, job.parallelism.pp, job.precision, job.n_global_batch) == (2, 2, "fp8", 1024)
    # a split that was stated for other places is none
    job = applied(
        {"kind": "split_work", "split": "stated", "n_micro_batches": {"a": 8, "b": 24}},
        {"kind": "place_job", "placement": [{"site": "b"}]},
    ).case.job
    assert job is not None
    assert (job.split, [place.n_micro_batches for place in job.placement]) == ("balanced", [None])
    # even where all of those that are left had one
    left = applied(
        {"kind": "split_work", "split": "stated", "n_micro_batches": {"a": 8, "b": 24}},
        {"kind": "leave_sites", "sites": ["a"]},
    ).case.job
    assert left is not None
    assert left == job
    # new places may come with a split of their own
    job = one("place_job", placement=[{"site": "b", "n_micro_batches": 64}]).case.job
    assert job is not None
    assert (job.split, [place.n_micro_batches for place in job.placement]) == ("stated", [64])


def test_what_a_placement_states_stays_with_its_kind() -> None:
    slow = {"site": "a", "n_accelerators": 16, "accelerator": "H100", "racks": "a-*", "pace_ratio": 0.5}
    placed = {"kind": "place_job", "placement": [slow]}
    for kind, states in (("H100", slow), ("GB200", {"site": "a", "n_accelerators": 16, "racks": "a-*"})):
        job = applied(placed, {"kind": "use_accelerator", "site": "a", "accelerator": kind}).case.job
        assert job is not None
        assert job.placement == (Placement(**(states | {"accelerator": kind})),)
    two = {"kind": "place_job", "placement": [slow, {"site": "a", "accelerator": "GB200", "racks": "b-*"}]}
    kept = applied(two, {"kind": "use_accelerator", "site": "a", "accelerator": "H100"}).case.job
    assert kept is not None
    assert kept.placement == (replace(Placement(**slow), n_accelerators=None),)
    with pytest.raises(ChangeError, match="differ in racks"):
        applied(two, {"kind": "use_accelerator", "site": "a", "accelerator": "GB300"})


def test_state_of_links() -> None:
    new = one("set_transceivers", links="wan", part="400ZR")
    assert new.case.state.part_id(column(new, "link_transceiver", "wan")) == "400ZR"
    assert column(new, "link_age_years", "wan") == 0
    assert np.isnan(column(new, "link_capacity_gbps", "wan"))
    wide = one("set_channels", links="wan", n_parallel=16, n_fibre_pairs=2, mux="mux-64")
    assert (column(wide, "link_n_parallel", "wan"), column(wide, "link_n_fibre_pairs", "wan")) == (16, 2)
    assert wide.case.state.part_id(column(wide, "link_mux", "wan")) == "mux-64"
    glass = one("set_fibre", links="wan", fibre="G.654.E", n_splices=1, leased=True).case.state
    assert {glass.part_id(code) for code in glass["span_fibre"]} == {"G.654.E"}
    assert (glass["span_age_years"].tolist(), glass["span_n_splices"].tolist()) == ([0, 0], [1, 1])
    assert glass["span_leased"].all()
    assert glass["span_n_connectors"].tolist() == [2, 2]


def test_state_of_nodes() -> None:
    swapped = one("swap_switches", nodes={"kind": "border"}, part="border-deep-51.2T")
    assert swapped.case.state.part_id(column(swapped, "node_part", "a-border")) == "border-deep-51.2T"
    refilled = one("swap_accelerators", racks={"site": "a"}, accelerator="GB300", n_per_rack=10)
    assert refilled.case.state.part_id(column(refilled, "node_accelerator", "a-rack-1")) == "GB300"
    assert [column(refilled, "node_n_accelerators", f"a-rack-{i}") for i in (1, 2)] == [10, 10]
    assert column(refilled, "node_n_accelerators", "b-rack-1") == 16
    assert (
        column(one("swap_accelerators", racks="a-rack-1", accelerator="H100"), "node_n_accelerators", "a-rack-1") == 64
    )


def test_failures_and_age() -> None:
    assert column(one("fail_links", links="wan", n_members=3), "link_n_failed", "wan") == 3
    assert column(one("fail_links", links="wan", n_members=9), "link_n_failed", "wan") == 4
    assert not column(one("fail_links", links="wan"), "link_up", "wan")
    assert not column(one("fail_nodes", nodes="a-*"), "node_up", "a-leaf")
    for srlg in ("duct", "bridge"):
        failed = one("fail_srlg", srlg=srlg).case.state
        assert [failed.arrays.link_ids[i] for i in np.flatnonzero(~failed["link_up"])] == ["wan"]
    old, base = one("age", years=10), baseline(campus(), None)
    assert column(old, "link_age_years", "wan") == column(base, "link_age_years", "wan") + 10
    np.testing.assert_array_equal(old.case.state["span_age_years"], base.case.state["span_age_years"] + 10)
    assert np.isnan(column(old, "link_age_years", "a-up"))
    part = one("age", years=10, links="a-up").case.state
    np.testing.assert_array_equal(part["span_age_years"], base.case.state["span_age_years"])


def test_fail_members_twice() -> None:
    twice = applied(*[{"kind": "fail_links", "links": "wan", "n_members": 1}] * 2)
    assert twice.case.state.n_members_up[twice.case.state.arrays.link_index["wan"]] == 2


def test_megawatts_decide_how_many_racks_fit() -> None:
    data = campus_data()
    a = {"id": "a", "power_megawatts": 0.045, "pue_ratio": 1.0}
    network = from_document(data | {"sites": [a, {"id": "b"}]})
    swap = {
        "kind": "swap_accelerators",
        "racks": {"site": "a", "kind": "rack"},
        "accelerator": "GB300",
        "n_per_rack": 16,
    }
    with pytest.raises(ChangeError, match="more megawatts than the site has"):
        applied(swap, network=network)
    fitted = applied(swap | {"fit_power": True}, network=network)
    assert [column(fitted, "node_n_accelerators", f"a-rack-{i}") for i in (1, 2)] == [16, 0]
    with pytest.raises(ChangeError, match="not one rack fits"):
        applied(swap | {"fit_power": True, "n_per_rack": 24}, network=network)


def test_selectors_meet_every_condition() -> None:
    def failed(links: Any) -> set[str]:
        state = one("fail_links", links=links).case.state
        return {state.arrays.link_ids[i] for i in np.flatnonzero(~state["link_up"])}

    assert failed("a-*") == {"a-up", "a-cable-1", "a-cable-2"}
    assert failed({"id": ["a-up", "b-cable-?"]}) == {"a-up", "b-cable-1", "b-cable-2"}
    assert failed({"tier": "border"}) == {"a-up", "b-up"}
    assert failed({"tier": "access", "site": "b"}) == {"b-cable-1", "b-cable-2"}
    assert failed({"part": "OpenZR+-400G"}) == failed({"installed_before": "2023-01-01"}) == {"wan"}
    state = one("fail_nodes", nodes={"part": "GB200", "installed_before": "2026-01-01"}).case.state
    assert {state.arrays.node_ids[i] for i in np.flatnonzero(~state["node_up"])} == {"b-rack-1", "b-rack-2"}


# --- order -----------------------------------------------------------------------------------------------------------


def test_structure_then_workload_then_state_whatever_the_list_says() -> None:
    """The transceivers go into a link that a later entry adds; the order within a floor is kept."""
    link = {"id": "new", "ends": ["a-border", "b-border"], "spans": [{"length_km": 10}]}
    changes = [
        {"kind": "set_transceivers", "links": "new", "part": "400ZR"},
        {"kind": "split_work", "split": "uniform"},
        {"kind": "add_link", "link": link},
        {"kind": "split_work", "split": "balanced"},
        {"kind": "set_transceivers", "links": "new", "part": "OpenZR+-400G"},
    ]
    found = applied(*changes)
    assert found.case.state.part_id(column(found, "link_transceiver", "new")) == "OpenZR+-400G"
    assert found.case.job is not None
    assert found.case.job.split == "balanced"
    moved = [changes[2], changes[1], changes[3], changes[0], changes[4]]
    assert (
        campus().what_if(moved, main_assumptions=False, causes=False).to_json()
        == campus().what_if(changes, main_assumptions=False, causes=False).to_json()
    )


def test_a_plan_is_its_changes() -> None:
    plan, changes = (
        campus().what_if("wait", main_assumptions=False),
        campus().what_if([{"kind": "age", "years": 5}], main_assumptions=False),
    )
    assert (plan.plan, changes.plan) == (plan.preview.plan, changes.preview.plan) == ("wait", None)
    unnamed = replace(plan, plan=None, preview=replace(plan.preview, plan=None))
    assert unnamed.to_dict() == changes.to_dict()


def test_no_change_changes_nothing() -> None:
    diff = campus().what_if([], main_assumptions=False)
    assert diff.purchases == ()
    assert {cause.figure for cause in diff.causes} <= {f"{phase}_time_s" for phase in PHASES}
    assert {diff.change(name) for name, value in diff.after.metrics.items() if value.value is not None} == {0}
    assert {name: value.why for name, value in diff.after.metrics.items()} == {
        name: value.why for name, value in diff.before.metrics.items()
    }


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"kind": "fail_links", "links": "wann"}, ChangeError, "no link matches 'wann'.*did you mean 'wan'"),
        ({"kind": "fail_links", "links": "x*"}, ChangeError, r"changes\[0\] fail_links: no link matches"),
        ({"kind": "fail_links", "links": {"id": "wan", "tier": "access"}}, ChangeError, "no link meets all of: id=wan"),
        ({"kind": "fail_links", "links": {"site": "c"}}, ChangeError, "no site 'c'"),
        ({"kind": "fail_links", "links": {"part": "400G-FR"}}, ChangeError, "did you mean '400G-FR4'"),
        ({"kind": "fail_nodes", "nodes": "a-leave"}, ChangeError, "did you mean 'a-leaf'"),
        ({"kind": "fail_srlg", "srlg": "dukt"}, ChangeError, "no shared risk matches 'dukt'.*did you mean 'duct'"),
        ({"kind": "remove_links", "links": "q"}, ChangeError, "no link matches 'q'"),
        ({"kind": "remove_nodes", "nodes": "b-rack-1"}, ChangeError, "cannot be built.*no node 'b-rack-1'"),
        ({"kind": "add_node", "node": {"id": "a-leaf", "kind": "leaf"}}, ChangeError, "exists already"),
        (
            {"kind": "add_node", "node": {"id": "new", "kind": "leaf", "site": "a"}, "new_site": {"id": "z"}},
            ChangeError,
            "name the same site",
        ),
        ({"kind": "add_link", "link": {"id": "wan", "ends": ["a-leaf", "b-leaf"]}}, ChangeError, "exists already"),
        (
            {"kind": "add_link", "link": {"id": "n", "ends": ["a-leaf", "z"]}},
            ChangeError,
            "cannot be built.*no node 'z'",
        ),
        ({"kind": "scale_demands", "factor_ratio": 2, "ids": ["eats"]}, ChangeError, "did you mean 'east'"),
        ({"kind": "place_job", "placement": [{"site": "z"}]}, ChangeError, "no site 'z'"),
        ({"kind": "place_job", "placement": [{"site": "a"}, {"site": "a"}]}, TopologyError, "stands 2 times"),
        ({"kind": "leave_sites", "sites": ["z"]}, ChangeError, "no site of the job matches 'z'"),
        ({"kind": "leave_sites", "sites": ["a", "b"]}, ChangeError, "no site is left"),
        ({"kind": "use_accelerator", "site": "z"}, ChangeError, "the job is not at 'z'"),
        ({"kind": "use_accelerator", "site": "a", "accelerator": "H10"}, CatalogueError, "did you mean 'H100'"),
        ({"kind": "synchronise", "sync": "every_step", "n_local_steps": 2}, ChangeError, "belongs to sync: local_sgd"),
        ({"kind": "cut_job"}, ChangeError, "nothing is stated"),
        ({"kind": "recover_job"}, ChangeError, "nothing is stated"),
        ({"kind": "split_work", "split": "stated"}, ChangeError, "go with split: stated"),
        (
            {"kind": "split_work", "split": "stated", "n_micro_batches": {"z": 1}},
            ChangeError,
            "the job is not at 'z'",
        ),
        ({"kind": "cut_job", "tp": 3}, TopologyError, "tp 3 does not divide the 16 heads"),
        ({"kind": "set_transceivers", "links": "wan", "part": "mux-8"}, CatalogueError, "is of kind mux"),
        ({"kind": "set_transceivers", "links": "wan", "part": "400ZRR"}, CatalogueError, "did you mean '400ZR'"),
        ({"kind": "set_fibre", "links": "a-up", "fibre": "G.654.E"}, ChangeError, "link 'a-up' has no spans"),
        ({"kind": "set_channels", "links": "a-up", "n_parallel": 8, "n_fibre_pairs": 2}, ChangeError, "has no spans"),
        ({"kind": "swap_switches", "nodes": "a-rack-1", "part": "leaf-25.6T"}, ChangeError, "is no switch"),
        (
            {"kind": "swap_accelerators", "racks": "a-leaf", "accelerator": "H100"},
            ChangeError,
            "no rack with accelerators",
        ),
        ({"kind": "age", "years": -1}, DocumentError, "must be at least 0"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(change: dict[str, Any], error: type[TwinError], message: str) -> None:
    with pytest.raises(error, match=f"(?s){message}"):
        campus().what_if([change], main_assumptions=False)


def test_what_needs_a_job_or_demands_or_a_date_says_so() -> None:
    bare = from_document(
        {"nodes": [LEAF, {"id": "d", "kind": "leaf"}], "links": [{"id": "l", "ends": ["c-leaf", "d"]}]}
    )
    for change, message in (
        ({"kind": "split_work", "split": "balanced"}, "there is no job"),
        ({"kind": "scale_demands", "factor_ratio": 2}, "no demands to scale"),
        ({"kind": "fail_links", "links": {"installed_before": "2020-01-01"}}, "needs a document with as_of"),
        ({"kind": "swap_accelerators", "racks": "d", "accelerator": "H100"}, "no rack with accelerators"),
    ):
        with pytest.raises(ChangeError, match=message):
            bare.what_if([change], main_assumptions=False)
    with pytest.raises(ChangeError, match="needs racks at a site with power_megawatts"):
        campus().what_if(
            [
                {
                    "kind": "swap_accelerators",
                    "racks": {"site": "a", "kind": "rack"},
                    "accelerator": "H100",
                    "fit_power": True,
                }
            ],
            main_assumptions=False,
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "set_channels", "links": "a-up", "n_parallel": 100}, "no free port: "),
        ({"kind": "set_transceivers", "links": "wan", "part": "800ZR"}, "wrong cage: 800ZR is OSFP"),
        ({"kind": "set_transceivers", "links": "a-up", "part": "1.6T-DR8"}, "wrong cage"),
        ({"kind": "set_channels", "links": "wan", "n_parallel": 9}, "the multiplexers have 8 ports"),
        ({"kind": "set_channels", "links": "wan", "n_parallel": 65, "mux": "mux-64"}, "room for 64 on 1 fibre pair"),
        ({"kind": "set_channels", "links": "wan", "n_parallel": 2, "mux": "mux-32"}, ""),
        (
            {
                "kind": "swap_accelerators",
                "racks": {"site": "b", "kind": "rack"},
                "accelerator": "GB300",
                "n_per_rack": 300,
            },
            "more megawatts",
        ),
        (
            {
                "kind": "add_node",
                "node": {"id": "a-rack-3", "kind": "rack", "site": "a", "accelerator": "H100", "n_accelerators": 1},
            },
            "",
        ),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_reason(change: dict[str, Any], message: str) -> None:
    if not message:
        assert campus().what_if([change], main_assumptions=False)
        return
    with pytest.raises(ChangeError, match=f"cannot be built: .*{message}"):
        campus().what_if([change], main_assumptions=False)


def test_a_lane_that_is_too_fast_is_refused() -> None:
    demo = from_document(shipped("leaf-spine-demo"))
    with pytest.raises(ChangeError, match=r"cannot be built: .*wrong cage"):
        demo.what_if([{"kind": "set_transceivers", "links": "leaf-*", "part": "800G-DR8"}], main_assumptions=False)
    network = from_document(
        {
            "nodes": [{**LEAF, "part": "leaf-102.4T"}, {"id": "d", "kind": "leaf"}],
            "links": [{"id": "l", "ends": ["c-leaf", "d"]}],
        }
    )
    with pytest.raises(ChangeError, match="wrong lane rate"):
        network.what_if([{"kind": "set_transceivers", "links": "l", "part": "1.6T-DR8"}], main_assumptions=False)


def test_rack_places_are_counted() -> None:
    rack = {"kind": "rack", "site": "a", "accelerator": "H100", "n_accelerators": 1}
    changes = [{"kind": "add_node", "node": {"id": f"more-{i}", **rack}} for i in range(3)]
    assert campus().what_if(changes[:2], main_assumptions=False)
    with pytest.raises(ChangeError, match="5 racks in 4 places"):
        campus().what_if(changes, main_assumptions=False)


def test_a_thousand_changes_at_most() -> None:
    with pytest.raises(ChangeError, match="1001 changes"):
        parse_changes([{"kind": "age", "years": 1}] * 1001)


def test_a_fault_that_was_there_before_is_no_fault_of_the_change() -> None:
    """The plan must not be refused for something that it neither made nor made worse."""
    scenario = baseline(campus(), campus().job())
    state = scenario.case.state
    state = state.with_values("link_n_parallel", np.array([state.link_index["a-up"]]), 100)
    crowded = Scenario(scenario.network, replace(scenario.case, state=state))
    assert apply_changes(crowded, parse_changes([{"kind": "age", "years": 1}]), reader()).case.state


def test_every_plan_that_ships_can_be_asked() -> None:
    for name in ("memphis-small", "two-campus", "leaf-spine-demo"):
        network = load(name)
        for plan in network.document.plans:
            diff = network.what_if(plan.id, main_assumptions=False)
            assert diff.plan == plan.id
            assert any(diff.change(metric) for metric in diff.after.metrics), plan.id


def test_a_job_that_no_longer_fits_is_refused_or_smaller() -> None:
    jobs = [campus_data()["jobs"][0] | {"placement": [{"site": "a", "n_accelerators": 32}]}]
    network = from_document(changed(campus_data(), "nodes", "a-leaf", part=None) | {"jobs": jobs})
    with pytest.raises(TopologyError, match="32 accelerators asked for, 16 placed"):
        network.what_if([{"kind": "fail_nodes", "nodes": "a-rack-2"}], main_assumptions=False)
