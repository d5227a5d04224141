"""What is in the way, over HTTP: the bytes of the command, typed answers, and faults with their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import twin
from tests.api.schemas import faults_of
from tests.api.test_errors import problem_of
from tests.model.samples import campus_data
from twin.cli.main import app
from twin.training.causes import CAUSES

EXPLAIN = "/v1/explain"
SMALL = {"network": "memphis-small"}
CAMPUS = campus_data()

QUESTIONS: list[tuple[dict[str, Any], list[str]]] = [
    (SMALL, []),
    (SMALL | {"job": None, "plan": None, "changes": None}, []),
    (SMALL | {"job": "everything", "ageing": "high"}, ["--job", "everything", "--ageing", "high"]),
    (SMALL | {"plan": "border-router-swap"}, ["--plan", "border-router-swap"]),
    ({"network": "two-campus", "ageing": "low"}, ["--ageing", "low"]),
    ({"network": CAMPUS}, []),
    ({"network": CAMPUS, "plan": "wait"}, ["--plan", "wait"]),
]


@pytest.mark.parametrize(("body", "words"), QUESTIONS)
def test_answers_are_the_bytes_of_the_command_and_of_the_described_type(
    client: Any, body: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    network = body["network"]
    if not isinstance(network, str):
        file = tmp_path / "net.json"
        file.write_text(json.dumps(network), encoding="utf-8")
        network = str(file)
    result = CliRunner().invoke(app, ["explain", network, *words, "--json"])
    assert result.exit_code == 0, result.output
    answer = client.post(EXPLAIN, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == result.stdout_bytes
    data = answer.json()
    assert faults_of(client, "Explanation", data) == []
    assert {cause["name"] for cause in data["causes"]} == set(CAUSES)
    assert sum(cause["share_s"] for cause in data["causes"]) == pytest.approx(data["gap_s"])


def test_changes_come_first_as_in_python(client: Any) -> None:
    changes = [{"kind": "split_work", "split": "balanced"}, {"kind": "age", "years": 4}]
    answer = client.post(EXPLAIN, json=SMALL | {"changes": changes})
    assert answer.text == twin.load("memphis-small").explain(changes=changes).to_json()
    assert answer.json()["plan"] == "changes"


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"network": "memphis-smal"}, "memphis-small"),
        (SMALL | {"job": "flagshp"}, "flagship"),
        (SMALL | {"plan": "fibre-upgrde"}, "fibre-upgrade"),
    ],
)
def test_names_that_do_not_exist_are_404_with_near_ones(client: Any, body: Any, hint: str) -> None:
    assert hint in problem_of(client.post(EXPLAIN, json=body), 404, "catalogue-error").issues[0].hint


@pytest.mark.parametrize(
    ("body", "where", "told"),
    [
        ({}, "network", "is missing"),
        (SMALL | {"paln": "fibre-upgrade"}, "paln", "did you mean 'plan'"),
        (SMALL | {"metric": "step_time_s"}, "metric", "known: ageing, changes, fields, job, network, plan"),
        (SMALL | {"ageing": "hihg"}, "ageing", "'high'"),
        (SMALL | {"plan": "p", "changes": []}, "plan, changes", "both are there"),
        (SMALL | {"changes": "fibre-upgrade"}, "changes", "goes to plan"),
        (SMALL | {"changes": [{"kind": "agee"}]}, "changes[0].kind", "'age'"),
    ],
)
def test_bad_fields_are_422_with_place_and_hint(client: Any, body: Any, where: str, told: str) -> None:
    problem = problem_of(client.post(EXPLAIN, json=body), 422, "document-error")
    found = {issue.where.replace("changes.[", "changes["): f"{issue.problem} {issue.hint}" for issue in problem.issues}
    assert told in found[where]


def test_without_a_step_there_is_nothing_to_explain(client: Any) -> None:
    problem = problem_of(client.post(EXPLAIN, json={"network": "leaf-spine-demo"}), 422, "change-error")
    assert "no step to explain" in problem.detail
    assert problem.issues[0].where == "explain"
    assert "no job" in problem.issues[0].hint


def test_bodies_are_bounded_and_methods_told_as_elsewhere(strict_client: Any) -> None:
    params = {"n_leaves": 1000, "n_spines": 2}
    network = {"fabrics": [{"id": "f", "generator": "leaf_spine", "params": params}]}
    problem = problem_of(strict_client.post(EXPLAIN, json={"network": network}), 422, "topology-error")
    assert "at most 30 records" in problem.detail
    assert "2000 bytes" in problem_of(strict_client.post(EXPLAIN, content=b" " * 2001), 413).detail
    said = problem_of(strict_client.post(EXPLAIN, content=b"[]"), 422, "document-error").detail
    assert "holds a list; expected a JSON object with network, job, fields, ageing, plan, changes" in said
    answer = strict_client.get(EXPLAIN)
    problem_of(answer, 405)
    assert answer.headers["allow"] == "POST"
