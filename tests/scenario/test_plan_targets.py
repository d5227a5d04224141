"""Plans that name what does not exist are refused when the document is read; one change is as good as a list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twin.topologies import NETWORKS

from tests.contracts.change_examples import EXAMPLES
from tests.model.samples import campus_data
from twin.errors import TopologyError
from twin.loading import from_document, load
from twin.model.document import TopologyDocument
from twin.scenario.changes import Age
from twin.scenario.plan_targets import NOUNS, PART_KINDS


def data(*changes: dict[str, Any]) -> dict[str, Any]:
    return campus_data() | {"plans": [{"id": "p", "changes": list(changes)}]}


def faults(*changes: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(TopologyError) as error:
        from_document(data(*changes)).score(main_assumptions=False)
    return {
        issue.where.removeprefix("plans[p].changes"): f"{issue.problem} {issue.hint}" for issue in error.value.issues
    }


@pytest.mark.parametrize(
    ("change", "place", "text"),
    [
        ({"kind": "fail_links", "links": "wann"}, "links", "no link matches 'wann' did you mean 'wan'?"),
        ({"kind": "fail_links", "links": ["wan", "q*"]}, "links", "no link matches 'q*'"),
        ({"kind": "age", "years": 1, "links": {"id": "w", "tier": "wide_area"}}, "links", "no link matches 'w'"),
        ({"kind": "age", "years": 1, "links": {"site": "z"}}, "links.site", "no site 'z'"),
        ({"kind": "fail_nodes", "nodes": "a-leav"}, "nodes", "did you mean 'a-leaf'"),
        ({"kind": "remove_nodes", "nodes": "zzz"}, "nodes", "no node matches"),
        ({"kind": "swap_accelerators", "racks": "x-*", "accelerator": "H100"}, "racks", "no node matches"),
        (
            {"kind": "swap_accelerators", "racks": "a-rack-*", "accelerator": "H10"},
            "accelerator",
            "did you mean 'H100'",
        ),
        ({"kind": "set_transceivers", "links": "wan", "part": "mux-8"}, "part", "'mux-8' is of kind mux"),
        ({"kind": "set_channels", "links": "wan", "n_parallel": 2, "mux": "x"}, "mux", "unknown mux"),
        ({"kind": "set_fibre", "links": "wan", "fibre": "G.999"}, "fibre", "unknown fibre"),
        ({"kind": "swap_switches", "nodes": "a-leaf", "part": "x"}, "part", "unknown switch"),
        ({"kind": "fail_srlg", "srlg": "dukt"}, "srlg", "did you mean 'duct'"),
        ({"kind": "scale_demands", "factor_ratio": 2, "ids": ["eest"]}, "ids", "'east'"),
        ({"kind": "leave_sites", "sites": "z"}, "sites", "no site matches 'z'"),
        ({"kind": "use_accelerator", "site": "z"}, "site", "no site 'z'"),
        ({"kind": "use_accelerator", "site": "a", "accelerator": "x"}, "accelerator", "unknown accelerator"),
        ({"kind": "place_job", "placement": [{"site": "z"}]}, "placement[0].site", "no site 'z'"),
    ],
)
def test_a_target_that_does_not_exist_is_a_fault_of_the_document(change: dict[str, Any], place: str, text: str) -> None:
    found = faults({"kind": "age", "years": 1}, change)
    assert list(found) == [f"[1].{place}"]
    assert text in found[f"[1].{place}"]


def test_all_faults_of_all_changes_are_told_once() -> None:
    found = faults({"kind": "fail_links", "links": "x"}, {"kind": "fail_nodes", "nodes": "y"})
    assert list(found) == ["[0].links", "[1].nodes"]


def test_what_the_plan_adds_may_be_named() -> None:
    link = {"id": "new", "ends": ["a-leaf", "extra"], "srlgs": ["trench"]}
    added: list[dict[str, Any]] = [
        {"kind": "fail_links", "links": "new"},
        {"kind": "fail_nodes", "nodes": ["extra"]},
        {"kind": "fail_srlg", "srlg": "trench"},
        {"kind": "add_node", "node": {"id": "extra", "kind": "leaf"}},
        {"kind": "add_link", "link": link},
    ]
    found = from_document(data(*added))
    assert found.what_if("p", main_assumptions=False).after.metrics
    other_plan = data(*added[:1])["plans"]
    with pytest.raises(TopologyError, match="no link matches 'new'"):
        from_document(campus_data() | {"plans": [{**data(*added)["plans"][0], "id": "q"}, *other_plan]}).score(
            main_assumptions=False
        )


def test_the_cached_network_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", str(tmp_path))
    _ = from_document(campus_data()).arrays
    with pytest.raises(TopologyError, match="1 fault in the plans"):
        _ = from_document(data({"kind": "fail_links", "links": "x"})).arrays


def test_an_edit_and_a_change_may_remove_what_a_plan_names() -> None:
    origin = from_document(data({"kind": "fail_links", "links": "b-cable-2"}))
    assert origin.what_if(
        [{"kind": "remove_links", "links": "b-cable-2"}], "alone", main_assumptions=False
    ).after.metrics
    with origin.edit() as edit:
        edit.remove_link("b-cable-2")
    assert edit.network.arrays  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_plans_of_shipped_networks_name_what_exists(name: str) -> None:
    assert isinstance(load(name).document, TopologyDocument)
    assert load(name).arrays.n_nodes


def test_every_example_of_a_change_makes_a_valid_plan() -> None:
    for example in EXAMPLES:
        plans = [{"id": "p", "changes": example.changes}]
        assert from_document(example.data | {"plans": plans}).arrays.n_links
    fields = {name for example in EXAMPLES for change in example.changes for name in change}
    assert {*NOUNS, *(field for _, field in PART_KINDS)} <= fields | {"srlg", "ids", "sites"}


@pytest.mark.parametrize("one", [{"kind": "age", "years": 5}, Age(years=5)])
def test_one_change_is_a_list_of_one(one: Any) -> None:
    network = from_document(campus_data())
    assert (
        network.what_if(one, main_assumptions=False).to_json()
        == network.what_if([one], main_assumptions=False).to_json()
    )
    assert network.forecast(2, changes=one).to_json() == network.forecast(2, changes=[one]).to_json()
