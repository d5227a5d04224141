"""Selectors: an id, a glob, a list of these or conditions select, wherever a change or a question takes a selector."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from tests.model.samples import campus_data, changed
from twin.arrays import State
from twin.errors import ChangeError, DocumentError
from twin.loading import Network, from_document
from twin.scenario.apply import parse_changes
from twin.scenario.changes import Change
from twin.scenario.select import select_nodes

KINDS: dict[str, Any] = {kind.model_fields["kind"].default: kind for kind in get_args(get_args(Change)[0])}
BOTH_CABLES = ["a-cable-1", "a-cable-2"]
BOTH_RACKS = ["a-rack-1", "a-rack-2"]
LISTS: dict[str, dict[str, Any]] = {
    "remove_links": {"links": BOTH_CABLES},
    "remove_nodes": {"nodes": ["a-rack-2", "a-border"]},
    "set_transceivers": {"links": BOTH_CABLES, "part": "400G-DR4"},
    "set_channels": {"links": BOTH_CABLES, "n_parallel": 2},
    "set_fibre": {"links": ["wan"], "fibre": "G.654.E"},
    "swap_switches": {"nodes": ["a-leaf", "b-leaf"], "part": "leaf-51.2T"},
    "swap_accelerators": {"racks": BOTH_RACKS, "accelerator": "H200", "n_per_rack": 16},
    "swap_servers": {"nodes": BOTH_RACKS, "part": "card-400G"},
    "fail_links": {"links": BOTH_CABLES},
    "fail_nodes": {"nodes": BOTH_RACKS},
    "fail_srlg": {"srlg": ["duct", "bridge"]},
    "age": {"links": [*BOTH_CABLES, "wan"], "years": 3},
    "cut_fibre": {"links": ["wan"]},
    "scale_demands": {"ids": ["east", "west"], "factor_ratio": 2.0},
    "leave_sites": {"sites": ["a"]},
}
"""A list for each kind of change that selects records."""
SELECTORS = ("links", "nodes", "racks", "srlg", "ids", "sites")


def campus() -> Network:
    return from_document(campus_data())


def test_every_change_that_selects_has_a_list() -> None:
    selecting = {kind for kind, model in KINDS.items() if set(model.model_fields) & set(SELECTORS)}
    assert set(LISTS) == selecting


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_selects_what_its_ids_select_one_by_one(kind: str) -> None:
    fields = LISTS[kind]
    name = next(name for name in SELECTORS if name in fields)
    one_by_one = [{"kind": kind, **fields, name: each} for each in fields[name]]
    network, job = campus(), "both" if kind == "leave_sites" else "alone"
    together = network.what_if([{"kind": kind, **fields}], job, main_assumptions=False)
    assert together.after.to_json() == network.what_if(one_by_one, job, main_assumptions=False).after.to_json()
    assert (
        network.what_if([{"kind": kind, **fields, name: fields[name] * 2}], job, main_assumptions=False).to_json()
        == together.to_json()
    )


def test_a_list_of_servers_selects_them() -> None:
    data = changed(campus_data(), "nodes", "a-rack-2", up=False)
    found = from_document(data).what_if(
        [{"kind": "fail_nodes", "nodes": ["a-border", "b-border"]}], "alone", main_assumptions=False
    )
    assert found.after["unrouted_gbps"] == 140.0


def test_globs_in_a_list_and_exact_ids_first() -> None:
    data = campus_data()
    data["nodes"] += [{"id": name, "kind": "leaf"} for name in ("rack[1]", "rack1")]
    network = from_document(data)

    def rows(nodes: Any) -> list[str]:
        (change,) = parse_changes([{"kind": "fail_nodes", "nodes": nodes}])
        found = select_nodes(State.of(network.arrays), change.nodes, None, "here")  # type: ignore[union-attr]
        return [network.arrays.node_ids[row] for row in found]

    assert rows(["rack[1]"]) == ["rack[1]"]
    assert rows(["rack[0-9]"]) == ["rack1"]
    assert rows(["a-rack-*", "b-leaf", "a-rack-1"]) == ["a-rack-1", "a-rack-2", "b-leaf"]


def test_an_id_of_a_list_that_matches_nothing_is_named() -> None:
    with pytest.raises(ChangeError, match=r"no node matches 'a-rack-9'.*'a-rack-1'"):
        campus().what_if([{"kind": "fail_nodes", "nodes": ["a-rack-1", "a-rack-9"]}], main_assumptions=False)


def test_questions_about_links_take_a_list() -> None:
    rows = campus().link_table(["wan", "a-cable-*"])
    assert list(dict.fromkeys(row["id"] for row in rows.rows)) == ["a-cable-1", "a-cable-2", "wan"]
    assert len(campus().forecast(2, links=["wan"]).links) == 1


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([], "changes[0].nodes: "),
        ([1], "changes[0].nodes[0]: "),
        (5, "changes[0].nodes: must be a text, a list or a mapping, found 5"),
        ({"knd": "leaf"}, "changes[0].nodes.knd: unknown field 'knd' (did you mean 'kind'?)"),
        ({"id": 7}, "changes[0].nodes.id: must be a text or a list, found 7"),
        ({"kind": "laef"}, "changes[0].nodes.kind: "),
    ],
)
def test_a_bad_selector_is_one_fault_at_its_place(nodes: Any, text: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse_changes([{"kind": "fail_nodes", "nodes": nodes}])
    (issue,) = error.value.issues
    assert str(issue).startswith(text)
