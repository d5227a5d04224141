"""Score and what-if: the bytes of the Python interface, for every form of the network and many requests at once."""

from __future__ import annotations

import gc
import json
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from twin.api import networks as networks_
from twin.api.app import create_app
from twin.api.compute.kept_networks import N_KEPT, KeptNetworks
from twin.api.networks import Networks
from twin.topologies import MAX_RECORDS

import twin
from tests.api.conftest import TestClient
from tests.api.schemas import faults_of
from twin.store import NetworkStore, open_database

PLAN = "fibre-upgrade"
CUT = [{"kind": "fail_srlg", "srlg": "duct-13-a"}]
SQUARE: dict[str, Any] = {
    "name": "square",
    "nodes": [{"id": name, "kind": "switch"} for name in "abcd"],
    "links": [
        {"id": "a~b", "ends": ["a", "b"], "capacity_gbps": 100},
        {"id": "b~d", "ends": ["b", "d"], "capacity_gbps": 100},
        {"id": "a~c", "ends": ["a", "c"], "capacity_gbps": 100},
        {"id": "c~d", "ends": ["c", "d"], "capacity_gbps": 100, "weight": 2},
    ],
    "demands": [{"id": "a-d", "source": "a", "target": "d", "offered_gbps": 150}],
    "plans": [{"id": "cut", "changes": [{"kind": "fail_links", "links": "a~b"}]}],
}
UNRATED = {
    "as_of": "2026-11-02",
    "nodes": [{"id": "a 1", "kind": "leaf", "source": "inventory", "tags": ["x"]}, {"id": "光", "kind": "leaf"}],
    "links": [{"id": "l.[1]", "ends": ["a 1", "光"], "latency_us": [3.0, 4.0], "weight": [1.0, 2.0]}],
    "demands": [{"id": "d", "source": "光", "target": "a 1", "offered_gbps": 50.0}],
    "measurements": [{"of": {"link": "l.[1]"}, "quantity": "latency", "at": "2026-11-01", "value_us": 3.5}],
}
"""Ids of any text, a link of unknown rate, values by direction, and a reading that no answer uses."""


@cache
def expected(question: str) -> str:
    """The answer of the Python interface to a posted question, on a network of its own."""
    path, body = json.loads(question)
    network = body["network"]
    loaded = twin.load(network) if isinstance(network, str) else twin.from_document(network)
    if path == "/v1/score":
        return loaded.score(body.get("job"), ageing=body.get("ageing", "value")).to_json()
    return loaded.what_if(
        body.get("plan") or body["changes"], body.get("job"), ageing=body.get("ageing", "value")
    ).to_json()


QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/score", {"network": "memphis-small"}),
    ("/v1/score", {"network": "memphis-small", "job": "everything", "ageing": "high"}),
    ("/v1/score", {"network": "leaf-spine-demo"}),
    ("/v1/score", {"network": "two-campus", "ageing": "low"}),
    ("/v1/score", {"network": SQUARE}),
    ("/v1/what-if", {"network": "memphis-small", "plan": PLAN}),
    ("/v1/what-if", {"network": "memphis-small", "changes": CUT, "job": "everything"}),
    ("/v1/what-if", {"network": "two-campus", "changes": [{"kind": "split_work", "split": "balanced"}]}),
    ("/v1/score", {"network": UNRATED}),
    ("/v1/what-if", {"network": UNRATED, "changes": [{"kind": "fail_links", "links": "l.[1]"}]}),
    ("/v1/what-if", {"network": SQUARE, "plan": "cut"}),
    ("/v1/what-if", {"network": SQUARE, "changes": [], "plan": None, "job": None}),
]


@pytest.mark.parametrize(("path", "body"), QUESTIONS)
def test_answers_are_the_bytes_of_the_python_interface(client: Any, path: str, body: dict[str, Any]) -> None:
    first, second = client.post(path, json=body), client.post(path, json=body)
    assert first.status_code == 200, first.text
    assert first.headers["content-type"] == "application/json"
    assert first.content == second.content == expected(json.dumps([path, body])).encode()


@pytest.mark.main_assumptions
@pytest.mark.parametrize(("path", "body"), QUESTIONS)
def test_answers_are_of_the_described_type(client: Any, path: str, body: dict[str, Any]) -> None:
    name = "Score" if path == "/v1/score" else "Diff"
    assert faults_of(client, name, client.post(path, json=body).json()) == []


@pytest.mark.main_assumptions
def test_main_assumptions_are_those_of_the_python_interface_or_left_out(client: Any) -> None:
    network = twin.load("two-campus")
    assert network.score().main_assumptions
    posted = client.post("/v1/score", json={"network": "two-campus"})
    assert posted.content == network.score().to_json().encode()
    without = client.post("/v1/score", json={"network": "two-campus", "main_assumptions": False})
    assert without.json()["main_assumptions"] == []


def test_by_hand_half_of_the_demand_has_no_room_once_a_link_is_cut(client: Any) -> None:
    answer = client.post("/v1/what-if", json={"network": SQUARE, "plan": "cut"}).json()
    carried = answer["metrics"]["demand_satisfied_ratio"]
    # the path over b is shorter (1 + 1 against 1 + 2) and carries 100 of 150; without it the other one does
    assert carried["before"] == pytest.approx(100 / 150)
    assert carried["after"] == pytest.approx(100 / 150)
    assert answer["plan"] == "cut"


def test_a_plan_and_its_changes_posted_give_the_same_figures(client: Any) -> None:
    document = client.get("/v1/topologies/memphis-small").json()["document"]
    changes = next(plan["changes"] for plan in document["plans"] if plan["id"] == PLAN)
    by_plan = client.post("/v1/what-if", json={"network": "memphis-small", "plan": PLAN}).json()
    by_changes = client.post("/v1/what-if", json={"network": "memphis-small", "changes": changes}).json()
    assert by_plan.pop("plan") == PLAN
    assert by_changes.pop("plan") is None
    assert (by_plan["preview"].pop("plan"), by_changes["preview"].pop("plan")) == (PLAN, None)
    assert by_plan == by_changes


def test_a_preview_is_that_of_the_python_interface(client: Any) -> None:
    posted = client.post("/v1/preview", json={"network": "memphis-small", "plan": PLAN})
    assert posted.content == twin.load("memphis-small").preview(PLAN).to_json().encode()
    assert faults_of(client, "Preview", posted.json()) == []


def test_a_document_posted_back_is_the_network_of_that_name(client: Any) -> None:
    document = client.get("/v1/topologies/memphis-small").json()["document"]
    by_name = client.post("/v1/score", json={"network": "memphis-small"})
    assert client.post("/v1/score", json={"network": document}).content == by_name.content


def test_32_at_once_on_mixed_networks_each_get_their_own_answer(client: Any) -> None:
    asked = [QUESTIONS[i % len(QUESTIONS)] for i in range(64)]
    with ThreadPoolExecutor(32) as group:
        answers = list(group.map(lambda question: client.post(question[0], json=question[1]), asked))
    for question, answer in zip(asked, answers, strict=True):
        assert answer.status_code == 200
        assert answer.content == expected(json.dumps(question)).encode()


def test_all_kinds_of_questions_at_once_on_one_network_each_get_their_own_answer() -> None:
    small: dict[str, Any] = {"network": "memphis-small"}
    questions = [
        ("/v1/score", small),
        ("/v1/score", small | {"ageing": "high"}),
        ("/v1/what-if", small | {"plan": PLAN}),
        ("/v1/what-if", small | {"plan": "leave-out-first-campus"}),
        ("/v1/explain", small),
        ("/v1/link", small | {"link": "wan-1-2", "years": 1}),
        ("/v1/forecast", small | {"years": 2}),
        ("/v1/score", small | {"job": "everything"}),
    ]
    with TestClient(create_app(warm=False)) as fresh:
        alone = [fresh.post(path, json=body).content for path, body in questions]
    with TestClient(create_app(warm=False)) as shared, ThreadPoolExecutor(32) as group:
        asked = [*questions, *reversed(questions)] * 4
        answers = list(group.map(lambda question: shared.post(question[0], json=question[1]).content, asked))
    assert answers == [*alone, *reversed(alone)] * 4


def test_a_shipped_network_is_loaded_once_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load = networks_.load

    def slow_load(name: str) -> Any:
        loaded.append(name)
        sleep(0.05)
        return load(name)

    monkeypatch.setattr(networks_, "load", slow_load)
    networks = Networks(MAX_RECORDS, NetworkStore(open_database(None)))
    with ThreadPoolExecutor(8) as group:
        given = list(group.map(networks.get, ["leaf-spine-demo", "two-campus"] * 4))
    assert sorted(loaded) == ["leaf-spine-demo", "two-campus"]
    assert {id(network) for network in given} == {id(given[0]), id(given[1])}


def test_a_long_question_has_its_own_network() -> None:
    networks = Networks(MAX_RECORDS, NetworkStore(open_database(None)))
    assert networks.get_separate("leaf-spine-demo") is not networks.get("leaf-spine-demo")


def test_cached_networks_are_bounded_and_the_last_used_stay() -> None:
    networks = Networks(MAX_RECORDS, NetworkStore(open_database(None)), n_cached=2)
    for name in ("leaf-spine-demo", "two-campus", "leaf-spine-demo", "memphis-small"):
        networks.get(name)
    assert list(networks._cached) == ["leaf-spine-demo", "memphis-small"]


def test_a_compute_process_lets_go_of_posted_networks() -> None:
    kept = KeptNetworks(Networks(MAX_RECORDS, NetworkStore(open_database(None))))
    seen = []
    for gbps in range(3 * N_KEPT):
        network = kept.get({**SQUARE, "note": f"{gbps}"})
        network.score(main_assumptions=False)
        seen.append(weakref.ref(network))
    del network
    gc.collect()
    assert [found() is not None for found in seen] == [False] * 2 * N_KEPT + [True] * N_KEPT


def test_a_name_is_never_a_path(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "square.json"
    file.write_text(json.dumps(SQUARE), encoding="utf-8")
    for path in (str(file), "topologies/memphis-small.yaml", "memphis-small.yaml", "../topologies/memphis-small", "."):
        answer = client.post("/v1/score", json={"network": path})
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:dc-twin:problem:catalogue-error"
