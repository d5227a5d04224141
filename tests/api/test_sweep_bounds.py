"""Sweeps are bounded in points and time, keep nobody else waiting, and end when whoever asked has gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from twin.api import answering
from twin.api.app import create_app
from twin.api.problems import CLIENT_CLOSED_REQUEST
from twin.api.questions import context, sweeps

import twin
from tests.api.conftest import TestClient
from tests.api.test_errors import problem_of
from twin.loading import Network

SWEEP = "/v1/sweep"
DEMO = {"network": "leaf-spine-demo"}
WAIT_S = 20.0


@contextmanager
def served(**limits: Any) -> Iterator[TestClient]:
    with TestClient(create_app(warm=False, limits=context.Limits(**limits))) as client:
        yield client


class Slow:
    """Stands for `Network.sweep`: each of its points takes until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go_on, self.ended = Event(), Event(), Event()
        self.n_begun = self.n_points = 0

    def sweep(self, network: Network, *_: Any, advance: Callable[[int, int], None], **__: Any) -> Any:
        self.n_begun += 1
        self.begun.set()
        try:
            while True:
                if self.go_on.wait(0.01):
                    return network.score()
                self.n_points += 1
                advance(self.n_points, 10**9)
        finally:
            self.ended.set()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    slow = Slow()
    monkeypatch.setattr(Network, "sweep", lambda network, *args, **kwargs: slow.sweep(network, *args, **kwargs))
    yield slow
    slow.go_on.set()


# --- points and time -------------------------------------------------------------------------------------------------


def test_points_are_bounded_by_the_size_of_the_network() -> None:
    network = twin.load("memphis-small")
    n_records = network.arrays.n_nodes + network.arrays.n_links
    assert not network.document.demands
    with served(max_sweep_work=3 * n_records + 5) as client:
        asked = {"network": "memphis-small", "metric": "min_margin_db"}
        assert client.post(SWEEP, json=asked | {"vary": "age=0,1,2"}).status_code == 200
        for vary in ("age=0,1,2,3", ["age=0,1", "links.wan-*.n_failed=0,1"]):
            problem = problem_of(client.post(SWEEP, json=asked | {"vary": vary}), 422, "change-error")
            assert f"4 points of {n_records:,} nodes, links and demands" in problem.detail
            assert "at most 3 points of this network" in problem.detail
            assert problem.issues[0].where == "vary"
            assert "fewer values" in problem.issues[0].hint


def test_small_networks_count_for_something_and_one_point_is_always_answered() -> None:
    with served(max_sweep_work=2 * sweeps.MIN_RECORDS) as client:
        assert client.post(SWEEP, json=DEMO | {"vary": "demands=1,2"}).status_code == 200
        assert "at most 2 points" in client.post(SWEEP, json=DEMO | {"vary": "demands=1,2,3"}).json()["detail"]
    with served(max_sweep_work=1) as client:
        assert client.post(SWEEP, json=DEMO | {"vary": "demands=1"}).status_code == 200
        assert "at most 1 points" in client.post(SWEEP, json=DEMO | {"vary": "demands=1,2"}).json()["detail"]


def test_what_ships_may_be_swept_in_useful_detail() -> None:
    for name, n_points in (("memphis", 50), ("memphis-small", 1400), ("two-campus", 9000)):
        arrays = twin.load(name).arrays
        assert context.MAX_SWEEP_WORK // (arrays.n_nodes + arrays.n_links) >= n_points


def test_more_points_than_the_twin_ever_sweeps_are_refused_at_once(client: Any) -> None:
    body = {"network": "memphis", "vary": ["age=0..1:1000", "demands=0..1:1000"]}
    issue = problem_of(client.post(SWEEP, json=body), 422, "change-error").issues[0]
    assert (issue.where, issue.problem, issue.hint) == ("vary", "1000000 points", "expected at most 100000")


def test_time_is_bounded_but_an_answer_that_is_there_is_given() -> None:
    with served(max_sweep_s=0.0) as client:
        assert client.post(SWEEP, json=DEMO | {"vary": "demands=1"}).status_code == 200
        problem = problem_of(client.post(SWEEP, json=DEMO | {"vary": "demands=1,2,3"}), 422, "change-error")
    assert "1 of 3 points took all of the 0 s that this question may take" in problem.detail
    assert "fewer values" in problem.issues[0].hint


def test_a_posted_network_is_bounded_as_elsewhere(strict_client: Any) -> None:
    params = {"n_leaves": 1000, "n_spines": 2}
    network = {"fabrics": [{"id": "f", "generator": "leaf_spine", "params": params}]}
    answer = strict_client.post(SWEEP, json={"network": network, "vary": "age=1"})
    assert "at most 30 records" in problem_of(answer, 422, "topology-error").detail
    assert "2000 bytes" in problem_of(strict_client.post(SWEEP, content=b" " * 2001), 413).detail
    answer = strict_client.get(SWEEP)
    problem_of(answer, 405)
    assert answer.headers["allow"] == "POST"


# --- others, and clients that leave ----------------------------------------------------------------------------------


def test_no_other_question_waits_for_a_sweep_and_sweeps_wait_for_their_turn(slow: Slow) -> None:
    ask = {"vary": "demands=1"}
    with served() as client, ThreadPoolExecutor(60) as group:
        sweeping = [group.submit(client.post, SWEEP, json=DEMO | ask) for _ in range(50)]  # more than there are threads
        try:
            assert slow.begun.wait(WAIT_S)
            assert group.submit(client.post, "/v1/score", json=DEMO).result(WAIT_S).status_code == 200
            assert group.submit(client.post, SWEEP, json=DEMO | {"vray": "age=1"}).result(WAIT_S).status_code == 422
            assert group.submit(client.post, SWEEP, json={"network": "x"} | ask).result(WAIT_S).status_code == 404
            assert slow.n_begun == answering.N_CONCURRENT
        finally:
            slow.go_on.set()
        answers = [future.result(WAIT_S) for future in sweeping]
    assert {answer.status_code for answer in answers} == {200}
    assert slow.n_begun == 50


def asked_and_left(app: Any, n: int, slow: Slow) -> list[list[Any]]:
    """What the server sends to clients that ask for a sweep and leave once the first has begun."""

    async def ask(left: asyncio.Event) -> list[Any]:
        body = {"type": "http.request", "body": json.dumps(DEMO | {"vary": "demands=1"}).encode()}
        waiting, sent = [body], []
        scope = {"type": "http", "method": "POST", "path": SWEEP, "headers": [], "query_string": b""}
        scope |= {"http_version": "1.1", "scheme": "http", "server": ("test", 80), "client": ("test", 1)}

        async def receive() -> Any:
            if waiting:
                return waiting.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, send)
        return sent

    async def ask_all() -> list[list[Any]]:
        left = asyncio.Event()
        asking = [asyncio.create_task(ask(left)) for _ in range(n)]
        assert await asyncio.to_thread(slow.begun.wait, WAIT_S)
        left.set()
        return await asyncio.wait_for(asyncio.gather(*asking), WAIT_S)

    return asyncio.run(ask_all())


def test_a_sweep_ends_when_the_client_has_gone_and_those_that_wait_never_begin(slow: Slow) -> None:
    sent = asked_and_left(create_app(warm=False), 5, slow)
    assert [messages[0]["status"] for messages in sent] == [CLIENT_CLOSED_REQUEST] * 5
    assert slow.ended.wait(WAIT_S)
    assert slow.n_begun == 1
    assert not slow.go_on.is_set()


def test_a_sweep_asked_while_others_ask_on_the_same_network_has_its_own_answer(client: Any) -> None:
    small = {"network": "memphis-small"}
    asked = [
        (SWEEP, small | {"vary": "age=0..20:5"}),
        ("/v1/explain", small),
        ("/v1/score", small),
        (SWEEP, small | {"vary": "job.n_local_steps=1,50"}),
    ]
    alone = [client.post(path, json=body).content for path, body in asked]
    with ThreadPoolExecutor(12) as group:
        answers = list(group.map(lambda i: client.post(asked[i % 4][0], json=asked[i % 4][1]).content, range(24)))
    assert all(answer == alone[i % 4] for i, answer in enumerate(answers))
