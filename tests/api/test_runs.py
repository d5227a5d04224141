"""Runs: the same bytes as the question itself, progress as events, cancelling, and what is left after a restart."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twin.api.app import create_app
from twin.api.body_reader import MAX_READ_BYTES
from twin.api.questions.context import Limits

from tests.api.conftest import TestClient
from tests.api.test_errors import problem_of
from twin.loading import Network
from twin.seal import sealed
from twin.store import RunStore, open_database
from twin.store.run_records import NewRun
from twin.store.tables import RUN_PARTS

DEMO = {"network": "leaf-spine-demo"}
WAIT_S = 20.0
PADDINGS = ("", " " * MAX_READ_BYTES)
"""Ends of a body that is read at once, and of one that is read in a compute process."""


def ended(client: TestClient, run: dict[str, Any]) -> dict[str, Any]:
    """The run once it has ended."""
    end = time.monotonic() + WAIT_S
    while run["state"] in ("queued", "running"):
        assert time.monotonic() < end, run
        time.sleep(0.02)
        run = client.get(f"/v1/runs/{run['id']}").json()
    return run


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Sweeps that make a step every 10 ms until they are let go."""
    go_on = threading.Event()

    def sweep(network: Network, *_: Any, advance: Callable[[int, int], None], **__: Any) -> Any:
        n_done = 0
        while not go_on.wait(0.01):
            n_done += 1
            advance(n_done, 10**6)
        return network.score()

    monkeypatch.setattr(Network, "sweep", sweep)
    yield go_on
    go_on.set()


def test_a_run_has_the_bytes_of_the_question_itself(client: TestClient) -> None:
    for path, body in (
        ("failures", DEMO | {"top": 7}),
        ("bill", {"network": "two-campus", "changes": [{"kind": "age", "years": 1.25}]}),
    ):
        asked = client.post(f"/v1/runs/{path}", json=body)
        assert asked.status_code == 202
        run = asked.json()
        assert asked.headers["location"] == f"/v1/runs/{run['id']}"
        run = ended(client, run)
        assert (run["state"], run["question"], run["network"]) == ("done", path, body["network"])
        answer = client.get(f"/v1/runs/{run['id']}/answer")
        assert answer.content == client.post(f"/v1/{path}", json=body).content
        for padding in PADDINGS:
            again = client.post(f"/v1/runs/{path}", content=json.dumps(dict(reversed(body.items()))) + padding)
            assert (again.status_code, again.json()) == (200, run)


def test_documents_and_stored_networks_run_with_the_revision_of_the_request(client: TestClient) -> None:
    def document(gbps: float) -> dict[str, Any]:
        nodes = [{"id": "a", "kind": "switch"}, {"id": "b", "kind": "switch"}]
        links = [{"id": "a~b", "ends": ["a", "b"], "capacity_gbps": gbps}]
        demands = [{"id": "d", "source": "a", "target": "b", "offered_gbps": 50}]
        return {"name": "pair", "nodes": nodes, "links": links, "demands": demands}

    posted = ended(
        client, client.post("/v1/runs/score", json={"network": document(100), "main_assumptions": False}).json()
    )
    assert (posted["state"], posted["network"]) == ("done", "pair")
    revision = client.put("/v1/networks/run-pair", json=document(100)).json()["revision"]
    first = client.post("/v1/runs/score", json={"network": "run-pair", "main_assumptions": False}).json()
    assert first["network"] == f"run-pair@{revision}"
    client.put("/v1/networks/run-pair", json=document(200))
    second = client.post("/v1/runs/score", json={"network": "run-pair", "main_assumptions": False}).json()
    assert first["id"] != second["id"]
    loads = []
    for run in (first, second):
        answer = client.get(f"/v1/runs/{ended(client, run)['id']}/answer").json()
        loads.append(answer["metrics"]["max_link_utilisation_ratio"]["value"])
    assert loads == [0.5, 0.25]


def test_a_run_that_cannot_be_answered_has_the_problem_of_the_question(client: TestClient) -> None:
    body = {"network": "two-campus", "plan": "fibre-upgrad"}
    run = ended(client, client.post("/v1/runs/what-if", json=body).json())
    assert run["state"] == "failed"
    problem = client.get(f"/v1/runs/{run['id']}/answer")
    same = client.post("/v1/what-if", json=body)
    assert (problem.status_code, problem.content) == (404, same.content)
    assert run["detail"] == same.json()["detail"]
    problem_of(client.get(f"/v1/runs/{'0' * 64}"), 404, "catalogue-error")


@pytest.mark.parametrize("padding", PADDINGS, ids=len)
def test_faults_are_found_when_a_run_is_asked_for(client: TestClient, padding: str) -> None:
    def refused(path: str, body: dict[str, Any], slug: str = "document-error") -> Any:
        answer = client.post(f"/v1/runs/{path}", content=json.dumps(body) + padding)
        return problem_of(answer, 404 if slug == "catalogue-error" else 422, slug)

    refused("what-if", {"network": "two-campu", "plan": "fibre-upgrade"}, "catalogue-error")
    refused("what-if", DEMO)
    half = {"network": {"name": "\ud800", "nodes": [{"id": "a", "kind": "switch"}]}}
    refused("score", half)
    bad = {"network": {"nodes": [{"id": "a", "kind": "switch"}, {"id": "a", "kind": "swich"}], "lnks": []}}
    assert len(refused("score", bad).issues) == 2
    traffic = {"id": "all", "generator": "all_to_all", "params": {"total_gbps": 1}}
    nodes = [{"id": name, "kind": "host"} for name in "ab"]
    bad = {"network": {"nodes": nodes, "links": [{"id": "l", "ends": ["a", "c"]}], "traffic": [traffic]}}
    same = client.post("/v1/score", json=bad)
    for body in (bad, {"network": "leaf-spine-demo", "other": bad["network"]}):
        assert refused("diff" if "other" in body else "score", body, "topology-error").detail == same.json()["detail"]
    blocks = [traffic, traffic | {"id": "some", "params": {"total_gbps": 1, "nodes": ["a", "d"]}}]
    blocks += [{"id": "in", "generator": "incast", "params": {"total_gbps": 1, "target": "e"}}]
    bad = {"network": {"nodes": nodes, "traffic": blocks}}
    assert refused("score", bad).issues == problem_of(client.post("/v1/score", json=bad), 422, "document-error").issues
    assert {issue.where for issue in refused("score", bad).issues} == {
        "traffic[some].params.nodes", "traffic[in].params.target",
    }  # fmt: skip


def test_progress_is_followed_and_a_run_is_cancelled(client: TestClient, slow: threading.Event) -> None:
    run = client.post("/v1/runs/sweep", json=DEMO | {"vary": "demands=1,2"}).json()
    names, data = [], []
    with client.stream("GET", f"/v1/runs/{run['id']}/events") as stream:
        for line in stream.iter_lines():
            kind, _, text = line.partition(": ")
            if kind == "event":
                names.append(text)
            if kind == "data":
                data.append(json.loads(text))
                if data[-1]["n_done"] > 0 and len(names) < 9:
                    client.post(f"/v1/runs/{run['id']}/cancel")
    assert names[-1] == "end"
    assert set(names[:-1]) == {"progress"}
    assert data[-1]["state"] == "cancelled"
    assert max(event["n_items"] for event in data) == 10**6
    problem_of(client.get(f"/v1/runs/{run['id']}/answer"), 409)
    assert client.delete(f"/v1/runs/{run['id']}").status_code == 204
    problem_of(client.get(f"/v1/runs/{run['id']}"), 404, "catalogue-error")


def test_runs_go_on_after_a_restart(tmp_path: Path, slow: threading.Event) -> None:
    data = str(tmp_path / "store")
    sweep = DEMO | {"vary": "demands=1,3"}
    with TestClient(create_app(warm=False, data=data)) as client:
        run = client.post("/v1/runs/sweep", json=sweep).json()
        while client.get(f"/v1/runs/{run['id']}").json()["state"] == "queued":
            time.sleep(0.01)
    database = open_database(data)
    assert RunStore(database).find(run["id"]).state == "queued"
    RunStore(database).ask(NewRun("f" * 64, "explain", "two-campus", b'{"network": "two-campus"}'))
    database.close()
    slow.set()
    with TestClient(create_app(warm=False, data=data)) as client:
        assert ended(client, run)["state"] == "done"
        assert client.get(f"/v1/runs/{run['id']}/answer").json()["network"] == "leaf-spine-demo"
        assert ended(client, {"id": "f" * 64, "state": "queued"})["state"] == "done"
        page = client.get("/v1/runs", params={"limit": 1, "state": "done"}).json()
        assert (page["runs"][0]["id"], page["next"]) == ("f" * 64, 2)
        assert client.get("/v1/runs", params={"question": "sweep"}).json()["runs"][0]["id"] == run["id"]
        problem_of(client.get("/v1/runs", params={"state": "ready"}), 422, "document-error")
        refused = problem_of(client.get("/v1/runs", params={"question": "failure"}), 422, "document-error")
        (issue,) = refused.issues
        assert (issue.where, issue.hint) == ("query.question", "did you mean 'failures'?")


def batch(*questions: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"questions": [{"question": name, "request": request} for name, request in questions]}


def test_each_question_of_a_batch_has_its_own_status(client: TestClient) -> None:
    score = DEMO | {"main_assumptions": False}
    body = batch(("score", score), ("what-if", {"network": "two-campus", "plan": "fibre-upgrad"}), ("failures", DEMO))
    run = ended(client, client.post("/v1/runs/batch", json=body).json())
    assert (run["state"], run["question"], run["network"]) == ("done", "batch", "2 networks")
    assert (run["n_done"], run["n_items"]) == (3, 3)
    answer = client.get(f"/v1/runs/{run['id']}/answer").json()
    assert (answer["n_answered"], answer["n_failed"]) == (2, 1)
    assert [row["status"] for row in answer["answers"]] == [200, 404, 200]
    alone = [client.post(f"/v1/{item['question']}", json=item["request"]).json() for item in body["questions"]]
    assert [row["answer"] or row["problem"] for row in answer["answers"]] == alone
    assert client.get("/v1/runs", params={"question": "batch"}).json()["runs"][0]["id"] == run["id"]
    bad = batch(("score", score), ("scor", score), ("failures", {"of": 3, "network": "two-campus", "topp": 1}))
    found = problem_of(client.post("/v1/runs/batch", json=bad), 422, "document-error")
    assert {issue.where for issue in found.issues} == {
        "questions[1].question", "questions[2].request.of", "questions[2].request.topp",
    }  # fmt: skip


@pytest.mark.parametrize("padding", PADDINGS, ids=len)
def test_a_fault_that_refuses_a_batch_names_its_question(client: TestClient, padding: str) -> None:
    nodes = [{"id": name, "kind": "host"} for name in "ab"]
    links = [{"id": "l", "ends": ["a", "c"]}]
    for request, status, where in (
        ({"network": "two-campu"}, 404, "network"),
        ({"network": "two-campus", "other": "nope"}, 404, "other"),
        ({"network": f"two-campus@{'0' * 64}"}, 404, "network"),
        ({"network": {"nodes": nodes}, "other": "nope"}, 404, "other"),
        ({"network": {"nodes": [{"id": "a", "kind": "swich"}]}}, 422, "network.nodes[a].kind"),
        ({"network": "two-campus", "other": {"nodes": nodes, "links": links}}, 422, "other.links[l].ends"),
        ({"network": {"nodes": nodes}, "job": "j"}, 404, ""),
    ):
        body = batch(("score", DEMO), ("diff" if "other" in request else "score", request))
        answer = client.post("/v1/runs/batch", content=json.dumps(body) + padding)
        slug = {404: "catalogue-error", 422: "topology-error" if "links" in where else "document-error"}[status]
        (issue,) = problem_of(answer, status, slug).issues
        assert issue.where == f"questions[1].request.{where}".rstrip(".")
        assert answer.json()["detail"].startswith("questions[1].request")


def test_finished_questions_of_a_batch_outlive_a_restart(tmp_path: Path, slow: threading.Event) -> None:
    data = str(tmp_path / "store")
    score = DEMO | {"main_assumptions": False}
    body = batch(("score", score), ("sweep", DEMO | {"vary": "demands=1,3"}))
    with TestClient(create_app(warm=False, data=data)) as client:
        run = client.post("/v1/runs/batch", json=body).json()
        while client.get(f"/v1/runs/{run['id']}").json()["n_done"] == 0:
            time.sleep(0.01)
    database = open_database(data)
    with database.read() as connection:
        assert [row.name for row in connection.execute(RUN_PARTS.select())] == ["item-000000"]
    with database.write() as connection:  # another answer shows that the question is not asked again
        kept = sealed(b'200\n{"kept": true}', f"{run['id']} item-000000")
        connection.execute(RUN_PARTS.update().values(content=kept))
    database.close()
    slow.set()
    with TestClient(create_app(warm=False, data=data)) as client:
        assert ended(client, run)["state"] == "done"
        rows = client.get(f"/v1/runs/{run['id']}/answer").json()["answers"]
        assert (rows[0]["answer"], rows[1]["status"]) == ({"kept": True}, 200)
    database = open_database(data)
    with database.read() as connection:
        assert connection.execute(RUN_PARTS.select()).all() == []
    database.close()


def test_a_run_has_one_deadline() -> None:
    limits = Limits(max_answer_s=30.0, max_study_s=120.0)
    assert (limits.longest_s(is_long=True), limits.longest_s(is_long=False)) == (150.0, 30.0)
