"""Failures and the routing optimum over HTTP: the bytes of the Python interface, bounds, and bad fields."""

from __future__ import annotations

from typing import Any

import pytest
from twin.api.app import create_app
from twin.api.examples import PLAN_EXAMPLES
from twin.api.questions.context import MAX_OPTIMUM_WORK, Limits

import twin
from tests.api.conftest import TestClient
from tests.api.schemas import faults_of
from tests.api.test_errors import problem_of

FAILURES, OPTIMUM, PLAN = "/v1/failures", "/v1/optimum", "/v1/plan"
DEMO = {"network": "leaf-spine-demo"}
QUESTIONS: list[tuple[str, dict[str, Any], str]] = [
    (FAILURES, DEMO, "FailureReport"),
    (FAILURES, DEMO | {"of": "node", "top": 2, "ageing": "high"}, "FailureReport"),
    (FAILURES, DEMO | {"depth": 2, "sample": 7, "seed": 3}, "FailureReport"),
    (FAILURES, DEMO | {"of": "node", "depth": 2, "top": 3}, "FailureReport"),
    (FAILURES, {"network": "memphis-small", "of": "srlg", "job": "everything"}, "FailureReport"),
    (FAILURES, {"network": "memphis-small", "of": "site", "plan": "border-router-swap"}, "FailureReport"),
    (OPTIMUM, DEMO, "RoutingReport"),
    (PLAN, DEMO | {"budget_usd": 1e4}, "PlanReport"),
    (PLAN, PLAN_EXAMPLES["a step time at least cost"], "PlanReport"),
    (
        OPTIMUM,
        DEMO | {"gap_ratio": 0.2, "changes": [{"kind": "fail_links", "links": "leaf-1~spine-1"}]},
        "RoutingReport",
    ),
]


@pytest.mark.parametrize(("path", "body", "name"), QUESTIONS)
def test_answers_are_the_bytes_of_the_python_interface(client: Any, path: str, body: dict[str, Any], name: str) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    asked = {key: value for key, value in body.items() if key not in ("network", "plan")}
    if "plan" in body:
        asked["changes"] = body["plan"]
    network = twin.load(body["network"])
    ask = {FAILURES: network.failures, OPTIMUM: network.optimum, PLAN: network.plan}[path]
    found = ask(**({"top": 1000} if path == FAILURES else {}) | asked)
    assert answer.content == found.to_json().encode()
    assert faults_of(client, name, answer.json()) == []


@pytest.mark.parametrize(
    ("path", "body", "where", "told"),
    [
        (FAILURES, DEMO | {"of": "lnik"}, "of", "no kind of failures 'lnik'"),
        (FAILURES, DEMO | {"top": 0}, "top", "at least 1"),
        (FAILURES, DEMO | {"depth": 3}, "depth", "2"),
        (FAILURES, DEMO | {"sample": 5}, "sample", "a sample of single failures"),
        (FAILURES, DEMO | {"off": "link"}, "off", "of"),
        (OPTIMUM, DEMO | {"gap_ratio": 0}, "gap_ratio", "0.0001"),
        (PLAN, DEMO | {"budget_usd": -1}, "budget_usd", "at least 0"),
        (PLAN, DEMO | {"budget_usd": 1, "keep": ["step_tim<=3"]}, "keep[0]", "did you mean 'step_time_s'?"),
        (PLAN, DEMO | {"candidates": "own.yaml"}, "candidates", "no list"),
        (PLAN, DEMO | {"budget_usd": 1, "until": 2030}, "until", "as_of"),
        (OPTIMUM, {"network": "two-campus"}, "optimum", "no demands"),
        (FAILURES, {"network": {"nodes": [], "links": []}}, "demands", "no demands, and no job"),
    ],
)
def test_bad_questions_are_422_with_place(client: Any, path: str, body: dict[str, Any], where: str, told: str) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 422
    problem = answer.json()
    said = {issue["where"]: f"{issue['problem']} {issue['hint']} {problem['detail']}" for issue in problem["issues"]}
    assert told in said[where]


def test_unknown_names_are_404(client: Any) -> None:
    for path in (FAILURES, OPTIMUM, PLAN):
        problem_of(client.post(path, json={"network": "leaf-spine-dmo"}), 404, "catalogue-error")
    problem_of(client.post(FAILURES, json={"network": "memphis-small", "job": "flagshp"}), 404, "catalogue-error")


def test_time_and_work_are_bounded() -> None:
    with TestClient(create_app(warm=False, limits=Limits(max_study_s=0.0, max_optimum_work=1))) as client:
        asked = {"network": "memphis-small", "of": "srlg"}
        problem = problem_of(client.post(FAILURES, json=asked), 422, "change-error")
        assert "took all of the 0 s that this question may take" in problem.detail
        problem = problem_of(client.post(PLAN, json=DEMO | {"budget_usd": 1e6}), 422, "change-error")
        assert "sets took all of the 0 s that this question may take" in problem.detail
        problem = problem_of(client.post("/v1/availability", json=DEMO | {"n_samples": 500}), 422, "change-error")
        assert "steps took all of the 0 s that this question may take" in problem.detail
        problem = problem_of(client.post(OPTIMUM, json=DEMO), 422, "change-error")
        assert "at most 1 nodes of this network" in problem.detail


def test_what_the_bound_of_the_optimum_allows() -> None:
    arrays = twin.load("memphis").arrays
    assert MAX_OPTIMUM_WORK // (arrays.n_nodes + arrays.n_links) >= 100
