"""Answers shortened to some fields: the same values, near names for unknown ones, fields that are absent when empty."""

from __future__ import annotations

from typing import Any

import pytest

import twin
from twin.answers.diff import Diff
from twin.answers.fields import MAX_FIELDS, chosen_fields
from twin.errors import ChangeError

DATA: dict[str, Any] = {
    "summary": ["fine"],
    "metrics": {"a_s": {"before": 1.0, "after": 2.0}, "b": {"before": None, "after": 3.0}},
    "rows": [{"id": "x", "at": {"n": 1, "m": 2}}, {"id": "y", "at": {"n": 3, "m": 4}}],
    "deep": {"x": {"y": {"a": 1, "b": 2, "c": 3}}, "z": {"y": {"b": 5}}},
    "none": [],
}


@pytest.fixture(scope="module")
def diff() -> Diff:
    return twin.load("leaf-spine-demo").what_if([{"kind": "fail_nodes", "nodes": "spine-1"}], main_assumptions=False)


@pytest.mark.parametrize(
    ("names", "want"),
    [
        (["summary"], {"summary": ["fine"]}),
        (["verdict"], {"verdict": ["fine"]}),
        (["metrics.a_s"], {"metrics": {"a_s": {"before": 1.0, "after": 2.0}}}),
        (["metrics.*.after"], {"metrics": {"a_s": {"after": 2.0}, "b": {"after": 3.0}}}),
        (["metrics.b", "metrics.*.after"], {"metrics": {"a_s": {"after": 2.0}, "b": {"before": None, "after": 3.0}}}),
        (["metrics.*.after", "metrics.a_s.before"], {"metrics": {"a_s": DATA["metrics"]["a_s"], "b": {"after": 3.0}}}),
        (["deep.x.y.a", "deep.*.y.b"], {"deep": {"x": {"y": {"a": 1, "b": 2}}, "z": {"y": {"b": 5}}}}),
        (["deep.*.y.b", "deep.x.*.c"], {"deep": {"x": {"y": {"b": 2, "c": 3}}, "z": {"y": {"b": 5}}}}),
        (["deep.*.y.b", "deep.x.y"], {"deep": {"x": {"y": {"a": 1, "b": 2, "c": 3}}, "z": {"y": {"b": 5}}}}),
        (["metrics.a_s.before", "metrics"], {"metrics": DATA["metrics"]}),
        (["metrics", "metrics.a_s.before"], {"metrics": DATA["metrics"]}),
        (["rows.at.n", "rows.id"], {"rows": [{"id": "x", "at": {"n": 1}}, {"id": "y", "at": {"n": 3}}]}),
        (["none.id"], {"none": []}),
    ],
)
def test_names_choose_fields(names: list[str], want: dict[str, Any]) -> None:
    assert chosen_fields(DATA, names) == want


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["metric"], "did you mean 'metrics'"),
        (["metrics.a_"], "did you mean 'a_s'"),
        (["metrics.a_s.before.x"], "it has no parts"),
        (["summary.x"], "it has no parts"),
        (["verdict.x"], "it has no parts"),
        (["rows.idd"], "did you mean 'id'"),
        ([], "0 names"),
        ([""], "none of them empty"),
        (["summary"] * (MAX_FIELDS + 1), "1 to 1000"),
        ("summary", "a list of names"),
        ([1], "a list of names"),
    ],
)
def test_other_names_are_refused(names: Any, message: str) -> None:
    with pytest.raises(ChangeError, match=message):
        chosen_fields(DATA, names)


def test_fields_that_are_absent_when_empty_are_no_unknown_names(diff: Diff) -> None:
    assert diff.to_dict(["jobs.before.id", "plan"]) == {"plan": None}
    with pytest.raises(ChangeError, match="did you mean 'id'"):
        diff.to_dict(["jobs.before.idd"])


def test_every_top_field_alone_and_all_together_give_the_answer(diff: Diff) -> None:
    whole = diff.to_dict()
    for name in whole:
        assert diff.to_dict([name]) == {name: whole[name]}
    assert diff.to_dict([*whole]) == whole
    assert diff.to_json(fields=["plan"]) == '{\n "plan": null\n}\n'
