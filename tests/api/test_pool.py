"""Compute processes: one hostile question costs one process, and affects no other question."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from twin.api.batches import BatchItem, JoinTask, SplitTask
from twin.api.bodies import DiffRequest, NetworkRequest, ScoreRequest
from twin.api.compute import parent_process
from twin.api.compute.checking import checking_of
from twin.api.compute.estimate import estimate_of
from twin.api.compute.fair_queue import FairQueue, Turn
from twin.api.compute.pool import Pool
from twin.api.compute.pool_records import PoolEvents, PoolSettings, Submission
from twin.api.compute.work import Asking, Task, Work
from twin.api.compute.worker import WorkerSettings
from twin.api.file_tasks import FileAnswer, ImportTask, PostedFile
from twin.api.problems import InternalError, NotFoundError, ProblemError
from twin.api.questions.context import Limits
from twin.api.questions.table import QUESTION_BY_PATH
from twin.api.run_requests import RunTask, TableTask, pinned_run, read_run

from tests.api.hostile_networks import hostile_networks
from twin.deadline import CancelledError, DeadlineError
from twin.errors import DocumentError
from twin.store import NetworkStore, open_database

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0
ALLOWED_S = 0.5


class Counted(PoolEvents):
    def __init__(self) -> None:
        self.n_restarts = 0
        self.reasons: list[str] = []

    def refused(self, reason: str) -> None:
        self.reasons.append(reason)

    def restarted(self) -> None:
        self.n_restarts += 1


class Harness:
    """A pool of one process on an event loop of its own, so that plain functions can test it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.events = Counted()
        worker = WorkerSettings(hostile_networks, math.inf, 2**28)
        settings = PoolSettings(worker, 1, warm=False, max_waiting=6, max_of_client=4)
        self.pool = self.call(lambda: Pool(settings, self.events))
        asyncio.run_coroutine_threadsafe(self.pool.start(), self.loop).result(WAIT_S)

    def call(self, function: Callable[[], Any]) -> Any:
        async def run() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(WAIT_S)

    def submit(self, network: str, client: str = "a", max_s: float = WAIT_S, *, is_light: bool = True) -> Any:
        asked: NetworkRequest = ScoreRequest(network=network, main_assumptions=False)
        return self.submit_task(Asking("score", asked), network, client, max_s, is_light=is_light)

    def submit_task(
        self, task: Task, network: str, client: str = "a", max_s: float = WAIT_S, *, is_light: bool = True
    ) -> Any:
        submission = Submission(Work(task, max_s, Limits()), client, network, is_light)
        return self.call(lambda: self.pool.submit(submission))

    def result(self, asked: Any) -> str:
        async def wait() -> str:
            return await asked.result

        return asyncio.run_coroutine_threadsafe(wait(), self.loop).result(WAIT_S)

    def ask(self, network: str, max_s: float = WAIT_S) -> str:
        return self.result(self.submit(network, max_s=max_s))

    def wait_until_idle(self) -> None:
        end_s = monotonic() + WAIT_S
        while self.pool.n_running and monotonic() < end_s:
            threading.Event().wait(0.02)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.pool.close(), self.loop).result(WAIT_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(WAIT_S)
        self.loop.close()


@pytest.fixture(scope="module")
def harness() -> Iterator[Harness]:
    sys.path.insert(0, str(ROOT))  # compute processes receive it, and import the hostile networks
    harness = Harness()
    try:
        yield harness
    finally:
        harness.close()
        sys.path.remove(str(ROOT))


def test_a_hostile_question_ends_with_its_own_error_and_the_next_one_is_answered(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    answer = harness.ask("one")
    cases: list[tuple[str, type[Exception], str]] = [
        ("sleep", DeadlineError, "deadline"),
        ("wait", DeadlineError, "deadline"),
        ("fill", ProblemError, "memory"),
        ("crash", ProblemError, "crash"),
        ("fail", InternalError, "fault"),
        ("leaf-spine-dem", NotFoundError, ""),
    ]
    for network, error, reason in cases:
        harness.events.reasons.clear()
        with caplog.at_level(logging.ERROR, "twin.api"), pytest.raises(error) as found:
            harness.ask(network, ALLOWED_S if "deadline" in reason else WAIT_S)
        assert harness.events.reasons == [reason] * bool(reason), network
        if isinstance(found.value, ProblemError):
            assert found.value.status == {"memory": 422, "crash": 503}[reason]
        assert harness.ask("one") == answer
    assert harness.events.n_restarts == 4  # one that waits looks at the clock itself
    assert "secret" not in caplog.text
    assert any("hostile_networks" in line for record in caplog.records for line in getattr(record, "trace", ()))


def test_an_import_with_many_costly_patterns_ends_at_its_deadline(harness: Harness) -> None:
    names = [f"{'a' * 40}{i}" for i in range(4000)]
    rows = [f"{one},eth0,{other},eth0" for one, other in itertools.pairwise(names)]
    file = PostedFile("\n".join(["a_device,a_port,b_device,b_port", *rows]).encode(), "cables.csv", "table")
    asked = harness.submit_task(ImportTask(file, {"roles": ["a*a*a*b=leaf"] * 200}), "file", max_s=1.0)
    n_restarts = harness.events.n_restarts
    with pytest.raises(DeadlineError):
        harness.result(asked)
    assert harness.events.n_restarts == n_restarts  # it looked at the clock itself, so its process lives
    small = PostedFile(file.content[:400].rpartition(b"\n")[0], "cables.csv", None)
    answer: FileAnswer = harness.result(harness.submit_task(ImportTask(small, {"capacity_gbps": 100.0}), "file"))
    assert answer.status == 200
    assert '"format": "table"' in answer.text


def test_light_questions_do_not_wait_for_heavy_ones(harness: Harness) -> None:
    heavy = [harness.submit("sleep", f"client {i}", is_light=False) for i in range(3)]
    start_s = monotonic()
    assert harness.ask("one") == harness.ask("two")
    assert monotonic() - start_s < 5
    assert harness.pool.n_waiting == 2
    for asked in heavy:
        harness.call(asked.cancel)
        with pytest.raises(CancelledError):
            harness.result(asked)
    assert harness.pool.n_waiting == 0
    harness.wait_until_idle()


def test_a_client_that_leaves_ends_its_work(harness: Harness) -> None:
    n_restarts = harness.events.n_restarts
    for network, n_killed in (("wait", 0), ("sleep", 1)):
        asked = harness.submit(network)
        assert not asked.result.done()
        sleep(0.5)  # a process that is still receiving a question is killed at once
        harness.call(asked.cancel)
        with pytest.raises(CancelledError):
            harness.result(asked)
        harness.wait_until_idle()
        assert harness.events.n_restarts == n_restarts + n_killed
    assert harness.ask("one")


def turn(client: str, network: str, *, is_light: bool = False) -> Turn[str]:
    return Turn(f"{client}-{network}", client, network, is_light)


def test_clients_and_networks_take_turns_however_many_questions_each_asks() -> None:
    queue: FairQueue[str] = FairQueue(1, 100, 100)
    for i in range(20):
        queue.add(turn("a", "x"), 1)
        if i == 19:
            queue.add(turn("a", "y"), 1)
            queue.add(turn("b", "x"), 1)
    served = []
    for _ in range(4):
        served.append(queue.start())
        assert not queue.may_start()
        queue.end(served[-1])
    assert {found.entry for found in served[:3]} == {"a-x", "b-x", "a-y"}


def test_a_full_queue_refuses_with_a_time_to_ask_again() -> None:
    queue: FairQueue[str] = FairQueue(1, 3, 2)
    for client in ("a", "a", "b"):
        queue.add(turn(client, "x"), 7)
    for client, status in (("a", 429), ("c", 503)):
        with pytest.raises(ProblemError) as found:
            queue.add(turn(client, "x"), 7)
        assert (found.value.status, found.value.headers) == (status, {"Retry-After": "7"})


def test_light_questions_have_a_place_of_their_own_until_they_take_long() -> None:
    queue: FairQueue[str] = FairQueue(1, 10, 10)
    for is_light in (False, True, True):
        queue.add(turn("a", "x", is_light=is_light), 1)
    heavy, light = queue.start(), queue.start()
    assert (heavy.is_light, light.is_light, queue.may_start()) == (False, True, False)
    light = queue.outlast(light)
    assert queue.start().is_light
    queue.end(light)
    queue.end(heavy)


def test_the_first_question_of_a_client_does_not_wait_for_light_ones_that_turn_out_heavy() -> None:
    queue: FairQueue[str] = FairQueue(1, 10, 10)
    queue.add(turn("a", "heavy"), 1)
    for i in range(4):
        queue.add(turn("a", f"{i}", is_light=True), 1)
    running = [queue.start(), queue.start()]
    assert not queue.may_start()
    queue.add(turn("b", "small", is_light=True), 1)
    assert queue.may_start(only_first=True)
    small = queue.start(only_first=True)
    assert small.entry == "b-small"
    queue.add(turn("c", "small", is_light=True), 1)
    assert not queue.may_start()
    queue.end(small)
    queue.end(queue.start())
    for _ in range(2):
        running[-1] = queue.outlast(running[-1])
        if queue.may_start():
            running.append(queue.start())
    assert [found.client for found in running] == [
        "a"
    ] * 3  # one process of four stays for clients with nothing running
    queue.add(turn("d", "small", is_light=True), 1)
    assert queue.may_start(only_first=True)


def test_a_killed_process_is_replaced_while_another_one_is_ready(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pool", "process"):
        monkeypatch.setattr(f"twin.api.compute.{module}.GRACE_S", 0.1)
    harness.wait_until_idle()
    hostile = [harness.submit("sleep", max_s=0.1), *(harness.submit("sleep", is_light=False) for _ in range(2))]
    first = harness.submit("one", "b")
    assert harness.result(first)
    assert first.spent.queue_s < 1.0
    with pytest.raises(DeadlineError):
        harness.result(hostile[0])
    second = harness.submit("one", "b")
    assert harness.result(second)
    assert second.spent.queue_s < 1.0
    for asked in hostile[1:]:
        harness.call(asked.cancel)
    harness.wait_until_idle()


@pytest.mark.parametrize(("name", "is_light"), [("leaf-spine-demo", True), ("memphis-small", True), ("memphis", False)])
def test_networks_that_ship_count_with_their_records(name: str, is_light: bool) -> None:
    assert (
        estimate_of(QUESTION_BY_PATH["score"], ScoreRequest(network=name), NetworkStore(open_database(None))).is_light
        is is_light
    )


@pytest.mark.parametrize(
    ("generator", "params", "is_light"),
    [
        ("permutation", {"gbps_per_node": 1}, True),
        ("all_to_all", {"total_gbps": 1}, False),
        ("all_to_all", {"total_gbps": 1, "nodes": ["h0", "h1"]}, True),
        ("all_to_all", {"total_gbps": 1, "nodes": "h*"}, False),
    ],
)
def test_demands_of_traffic_blocks_count_in_the_estimate(generator: str, params: Any, is_light: bool) -> None:
    nodes = [{"id": f"h{i}", "kind": "host"} for i in range(102)]
    document = {"nodes": nodes, "traffic": [{"id": "t", "generator": generator, "params": params}]}
    asked = ScoreRequest(network="x").model_copy(update={"network": document})
    store = NetworkStore(open_database(None))
    assert estimate_of(QUESTION_BY_PATH["score"], asked, store).is_light is is_light
    assert (checking_of({"": asked}, store) is not None) is is_light
    store.put("stored", json.dumps(document).encode())
    assert estimate_of(QUESTION_BY_PATH["score"], ScoreRequest(network="stored"), store).is_light is is_light
    small = {"nodes": nodes[:2]}
    for name in ("stored", "memphis"):
        beside = DiffRequest(network="x", other=name).model_copy(update={"network": small})
        is_checked = checking_of({"": beside}, store) is not None
        assert is_checked is (is_light and name == "stored")


def test_bodies_of_runs_are_read_and_their_answers_joined_in_compute_processes(harness: Harness) -> None:
    body = json.dumps({"questions": [{"question": "score", "request": {"network": "leaf-spine-demo"}}]}).encode()
    run = harness.result(harness.submit_task(RunTask("batch", body, True), "one"))
    assert run == pinned_run("batch", read_run("batch", body), NetworkStore(open_database(None)))
    split = SplitTask(run.request)
    parts = harness.result(harness.submit_task(split, "one"))
    assert parts == split.run()
    join = JoinTask(parts, (BatchItem(200, '{"metrics": {}}'),))
    assert harness.result(harness.submit_task(join, "one")) == join.run()
    table = TableTask("links", b'{"links": []}')
    assert harness.result(harness.submit_task(table, "one")).startswith("id,")
    bad = json.dumps({"network": "leaf-spine-demo", "jbo": 1, "ageing": 2}).encode()
    with pytest.raises(DocumentError) as found:
        harness.result(harness.submit_task(RunTask("score", bad, True), "one"))
    assert len(found.value.issues) == 2


def test_requests_that_arrived_count_before_they_are_in_the_queue(harness: Harness) -> None:
    harness.call(lambda: harness.pool.check_room("a", 6, 6))
    with pytest.raises(ProblemError, match="7 questions of this client") as refused:
        harness.call(lambda: harness.pool.check_room("a", 7, 7))
    assert refused.value.status == 429
    with pytest.raises(ProblemError, match="9 questions are not answered yet") as refused:
        harness.call(lambda: harness.pool.check_room("b", 0, 9))
    assert refused.value.status == 503


def test_a_pool_that_compiles_says_how_long_it_still_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = WorkerSettings(hostile_networks, math.inf, 2**28)

    async def ask() -> None:
        pool = Pool(PoolSettings(worker, 1, warm=False, max_wait_s=0.01))
        assert (pool.is_ready, pool.retry_s) == (False, 30)
        asked: NetworkRequest = ScoreRequest(network="quick")
        waiting = pool.submit(Submission(Work(Asking("score", asked), 1.0, Limits()), "a", "quick", True))
        with pytest.raises(ProblemError, match="still compiles its kernels") as refused:
            await waiting.result
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "30")
        assert pool.starting_text.endswith("ready in about 60 s")
        monkeypatch.setattr("twin.api.compute.pool.monotonic", lambda: pool._start_s + 75.2)
        assert pool.starting_text.endswith("; it has taken 75 s, longer than the usual 60 s; ask again in 30 s")
        assert pool.retry_s == 30
        await pool.close()

    asyncio.run(ask())


def test_compute_processes_do_not_import_from_the_current_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []
    monkeypatch.setattr(
        parent_process.forkserver, "ensure_running", lambda: seen.append(os.environ.get("PYTHONSAFEPATH"))
    )
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    parent_process.start_parent()
    assert (seen, os.environ.get("PYTHONSAFEPATH")) == (["1"], None)
