"""`POST /v1/diff`, `POST /v1/compare` and `fields`: what Python returns, and refusals by name."""

from __future__ import annotations

from typing import Any

import pytest

import twin
from tests.answers.test_effects import line

AFTER = [{"kind": "set_channels", "links": "a~b", "n_parallel": 2}]


def test_diff_is_what_python_returns(client: Any) -> None:
    answer = client.post("/v1/diff", json={"network": line(), "other": line(n_parallel=2)})
    assert answer.status_code == 200, answer.text
    want = twin.diff(line(), line(n_parallel=2))
    assert answer.text == want.to_json()
    changed = client.post("/v1/diff", json={"network": line(), "other_changes": AFTER})
    assert changed.json()["records"] == answer.json()["records"]


def test_compare_is_what_python_returns(client: Any) -> None:
    body = {"network": "memphis-small", "plans": ["second-pair"], "fields": ["summary"]}
    answer = client.post("/v1/compare", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == twin.load("memphis-small").compare_plans(["second-pair"]).to_dict(["summary"])


def test_fields_shorten_an_answer(client: Any) -> None:
    body = {"network": line(), "changes": AFTER, "main_assumptions": False, "fields": ["verdict", "plan"]}
    answer = client.post("/v1/what-if", json=body)
    assert list(answer.json()) == ["verdict", "plan"]
    assert list(client.get("/v1/topologies?fields=topologies.name").json()["topologies"][0]) == ["name"]


@pytest.mark.parametrize(
    ("path", "body", "hint"),
    [
        ("what-if", {"changes": AFTER, "fields": ["metric"]}, "did you mean 'metrics'"),
        ("what-if", {"changes": AFTER, "top": 0}, ""),
        ("diff", {"other": 5}, "neither a name nor a document"),
        ("diff", {"other_plan": "p", "other_changes": []}, "both are there"),
        ("diff", {"other_changes": {"kind": "age"}}, "no list"),
        ("diff", {}, "one network and 0 plans to compare"),
        ("diff", {"changes": []}, "name other, or a plan or changes of a side"),
        ("compare", {}, "no plans"),
    ],
)
def test_bad_input_is_refused(client: Any, path: str, body: dict[str, Any], hint: str) -> None:
    answer = client.post(f"/v1/{path}", json={"network": line()} | body)
    assert answer.status_code == 422, answer.text
    assert hint in answer.text


def test_unknown_names_of_the_other_side_are_not_found(client: Any) -> None:
    assert client.post("/v1/diff", json={"network": line(), "other": "memphis-smal"}).status_code == 404
    assert client.post("/v1/diff", json={"network": line(), "other_plan": "no"}).status_code == 404
