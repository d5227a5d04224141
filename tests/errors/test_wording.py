"""Messages: own words for every rule, one line for a fault of many records, and all faults at once."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.errors.corpus import CORPUS, RECORDED
from twin import loading
from twin.errors import ChangeError, DocumentError, Issue, TopologyError, TwinError, group_text, grouped
from twin.errors.wording import counted, quoted, ratio_hint, type_text, value_text
from twin.formats import partial
from twin.loading import from_document, load
from twin.model.validation import validate_as

SWITCHES = [{"id": f"sw-{i:02}", "kind": "leaf", "part": "leaf-26T"} for i in range(64)]
FOREIGN = re.compile(
    r"Input should|Value error|valid (string|number|integer|array|boolean|object|dictionary)|unable to parse|Tuple|"
    r"constrained|NodeSelector|LinkSelector|NoneType|Figure\(|\bdict\b|\bfloat\b|\bint\b|\bstr\b|\bTrue\b|\bFalse\b|\bNone\b"
)
"""Words of a validator or of a programming language."""


def error_of(data: Any) -> TwinError:
    with pytest.raises(TwinError) as error:
        _ = from_document(data).arrays
    return error.value


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [("srlgs", "duct", "write [duct]"), ("srlgs", "a, b", "write [a, b]"), ("srlgs", "{a", ""), ("spans", "duct", "")],
)
def test_a_text_in_place_of_a_list_of_texts_is_shown_as_one(field: str, value: str, hint: str) -> None:
    error = error_of({"links": [{"id": "l", "ends": ["a", "b"], field: value}]})
    assert [issue.hint for issue in error.issues] == [hint]


def test_a_name_like_an_optional_field_is_taken_for_the_field_that_is_missing() -> None:
    params = {"n_switches": 8, "n_links_per_switch": 3}
    error = error_of({"fabrics": [{"id": "j", "generator": "jellyfish", "params": params}]})
    hints = {issue.where: issue.hint for issue in error.issues}
    assert hints["fabrics[j].params.n_links_per_switch"] == "did you mean 'n_neighbours', which is missing?"


def test_no_recorded_message_has_words_of_the_validator() -> None:
    for name, message in json.loads(RECORDED.read_text(encoding="utf-8")).items():
        assert not FOREIGN.search(message["text"]), name
    assert CORPUS


@pytest.mark.parametrize(
    ("kind", "value", "problem", "hint"),
    [
        (int, "20", "must be a whole number, found '20'", "write the number without quotes"),
        (int, True, "must be a whole number, found true", ""),
        (int, None, "must be a whole number, found null", ""),
        (int, 2.5, "must be a whole number, found 2.5", ""),
        (float, "20%", "must be a number, found '20%'", "a ratio: 20 % is 0.2"),
        (float, "400G", "must be a number, found '400G'", "a number alone: the unit is in the name of the field"),
        (float, "fast", "must be a number, found 'fast'", ""),
        (bool, "yes", "must be true or false, found 'yes'", ""),
        (str, 5, "must be a text, found 5", ""),
        (str, [1], "must be a text, found a list", ""),
        (str | list[str], {}, "must be a text or a list, found a mapping", ""),
        (list[int], "x", "must be a list, found 'x'", ""),
        (dict[str, int], 3, "must be a mapping, found 3", ""),
    ],
)
def test_a_value_of_another_type(kind: Any, value: Any, problem: str, hint: str) -> None:
    with pytest.raises(DocumentError) as error:
        validate_as(kind, value, "here", prefix="x")
    assert error.value.issues == (Issue("x", problem, hint),)


def test_a_ratio_above_one_is_taken_for_per_cent() -> None:
    link = {"id": "l", "ends": ["a", "b"], "loss_ratio": 20}
    (issue,) = error_of({"links": [link]}).issues[:1]
    assert (issue.problem, issue.hint) == ("must be less than 1, found 20", "a ratio: 20 % is 0.2")
    assert ratio_hint("x") == "a ratio: 20 % is 0.2"


def test_words_of_values_and_counts() -> None:
    assert [counted(n, "fault") for n in (0, 1, 2)] == ["0 faults", "1 fault", "2 faults"]
    assert counted(2, "switch", "switches") == "2 switches"
    assert [type_text(v) for v in (None, True, 1.5, "", (), {}, object())] == [
        "null", "true", "a number", "a text", "a list", "a mapping", "no plain data",
    ]  # fmt: skip
    assert value_text("x" * 500) == "'" + "x" * 99 + "…"
    assert quoted("光\\1") == "'光\\1'"
    assert quoted("a\nb") == "'a\\nb'"


def test_the_same_fault_of_64_records_is_one_line() -> None:
    error = error_of({"nodes": SWITCHES})
    first, line = str(error).splitlines()
    assert first == "64 faults in the network"
    places = "nodes[sw-00].part, nodes[sw-01].part, nodes[sw-02].part and 61 more"
    assert line.startswith(f"  - {places}: unknown switch 'leaf-26T' (did you mean ")
    assert "'leaf-25.6T'" in line
    assert len(error.issues) == 64


def test_faults_are_grouped_by_problem_and_field_alone() -> None:
    issues = [
        Issue("nodes[a].part", "x"),
        Issue("nodes[b].part", "x", "fix"),
        Issue("nodes[c].kind", "x"),
        Issue("links[a].part", "x"),
        Issue("nodes[d[0]].part", "x"),
        Issue("nodes[e].part", "y"),
    ]
    groups = grouped(issues)
    assert [len(group) for group in groups] == [3, 1, 1, 1]
    assert group_text(groups[0]) == "nodes[a].part, nodes[b].part, nodes[d[0]].part: x (fix)"


def test_a_change_that_cannot_be_built_at_many_switches_names_some() -> None:
    racks = [{"id": f"r{i}", "kind": "host"} for i in range(9)]
    leaves = [{"id": f"leaf-{i}", "kind": "leaf", "part": "leaf-25.6T"} for i in range(9)]
    links = [{"id": f"l{i}", "ends": [f"r{i}", f"leaf-{i}"], "transceiver": "400G-DR4"} for i in range(9)]
    network = from_document({"nodes": racks + leaves, "links": links})
    with pytest.raises(ChangeError) as error:
        network.what_if([{"kind": "set_channels", "links": "*", "n_parallel": 900}])
    assert "nodes[leaf-0], nodes[leaf-1], nodes[leaf-2] and 6 more: no free port" in str(error.value)


def test_one_thing_is_one_thing() -> None:
    nodes = [{"id": "a", "kind": "leaf", "part": "leaf-25.6T"}, {"id": "b", "kind": "host"}]
    link = {"id": "l", "ends": ["a", "b"], "transceiver": "400G-DR4", "n_parallel": 900}
    assert str(error_of({"nodes": nodes, "links": [link | {"n_failed": 901}]})).startswith("1 fault in the network")


def places(data: Any) -> list[str]:
    return [issue.where for issue in error_of(data).issues]


def test_bad_fields_and_faults_between_records_are_told_together() -> None:
    nodes = [{"id": "a", "kind": "leaf"}, {"id": "b", "kind": "tor"}, {"id": "c", "kind": "leaf", "site": "nowhere"}]
    links = [
        {"id": "to-invalid", "ends": ["a", "b"]},
        {"id": "to-nothing", "ends": ["a", "z"]},
        {"id": "bad", "ends": ["a", "c"], "n_parallel": 0},
    ]
    data = {"nodes": nodes, "links": links}
    assert places(data) == ["nodes[b].kind", "links[bad].n_parallel", "nodes[c].site", "links[to-nothing].ends"]
    assert "2 bad fields and 2 faults between records" in str(error_of(data))


@pytest.mark.parametrize(
    "data",
    [
        {"nodes": [{"name": "a", "kind": "leaf"}], "links": [{"id": "l", "ends": ["a", "b"]}]},
        {"nodez": [{"id": "a", "kind": "leaf"}], "links": [{"id": "l", "ends": ["a", "b"]}]},
        {"fabrics": [{"id": "f"}], "links": [{"id": "l", "ends": ["f/a", "f/b"]}]},
        {"as_of": "x", "nodes": [{"id": "a", "kind": "leaf", "installed": "2020-01-01"}]},
        {"parts": [{"id": "own", "kind": "switch"}], "nodes": [{"id": "a", "kind": "leaf", "part": "own"}]},
        {"jobs": [{"id": "j"}], "default_job": "j"},
    ],
    ids=["id missing", "list misspelled", "fabric", "day", "part", "job"],
)
def test_what_follows_from_a_bad_field_is_no_fault_of_its_own(data: Any) -> None:
    assert "between records" not in str(error_of(data))


def test_bad_changes_of_plans_hide_no_other_fault() -> None:
    plan = {"id": "p", "changes": [{"kind": "agee"}]}
    data = {"nodes": [{"id": "a", "kind": "leaf"}], "links": [{"id": "l", "ends": ["a", "z"]}], "plans": [plan]}
    assert places(data) == ["plans[p].changes[0].kind", "links[l].ends"]


@pytest.mark.parametrize("more", [{"zz": 1}, {"plans": [{"id": "p", "changes": [{"kind": "agee"}]}]}], ids=list)
def test_a_bad_field_is_told_before_large_fabrics_are_expanded(more: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def expand(document: Any) -> Any:
        raise AssertionError("expanded")

    monkeypatch.setattr(loading, "GENERATORS", loading.GENERATORS._replace(expand=expand))
    params = {"n_leaves": 400, "n_spines": 100}
    data = {"fabrics": [{"id": "f", "generator": "leaf_spine", "params": params}]}
    assert str(error_of(data | more)).startswith("document: 1 bad field")
    monkeypatch.setattr(partial, "MAX_EXPANDED", 10**6)
    with pytest.raises(AssertionError, match="expanded"):
        error_of(data | more)


def test_faults_of_all_fabrics_are_told_together() -> None:
    fabrics = [{"id": "a", "generator": "leafspine"}, {"id": "b", "generator": "leaf_spine", "params": {"n_leaves": 2}}]
    assert places({"fabrics": fabrics}) == ["fabrics[a].generator", "fabrics[b].params.n_spines"]


def test_what_is_no_plain_data_is_named_with_its_place() -> None:
    assert str(error_of({"nodes": [{"id": object()}]})).endswith(
        "nodes[0].id: is no plain data (text, numbers, lists, mappings)"
    )
    loop: list[Any] = []
    loop.append(loop)
    assert "contains itself" in str(error_of({"nodes": loop}))
    with pytest.raises(DocumentError, match="cannot load a number"):
        load(5)  # type: ignore[arg-type]
    network = from_document({"nodes": [{"id": "a", "kind": "leaf"}]})
    with pytest.raises(ChangeError, match="a number is no plan"):
        network.what_if(5)  # type: ignore[arg-type]


def test_an_error_that_is_one_of_several_is_not_wrapped() -> None:
    with pytest.raises(TopologyError):
        _ = from_document({"nodes": [{"id": "a", "kind": "leaf", "site": "q"}]}).arrays


def test_a_place_with_the_same_fault_twice_is_named_once() -> None:
    both_ends = [Issue("links[wan]", "too hot"), Issue("links[wan]", "too hot"), Issue("links[x]", "too hot")]
    assert group_text(both_ends[:2]) == "links[wan]: too hot"
    assert group_text(both_ends) == "links[wan], links[x]: too hot"
