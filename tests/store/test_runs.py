"""Runs in each kind of database: one run per question, a queue that servers share, and lost runs that begin anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from twin.errors import CatalogueError, DocumentError, StoreLimitError
from twin.store import Database, RunLimits, RunStore
from twin.store.run_records import Ending, NewRun, RunState
from twin.store.tables import RUN_PARTS

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
DONE = Ending(RunState.DONE, b'{"a": 1}\n')


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runs(database: Database, clock: Clock) -> RunStore:
    return RunStore(database, RunLimits(n_queued=3, n_runs=5, n_bytes=100), clock)


def new(name: str, question: str = "failures") -> NewRun:
    return NewRun(name, question, "memphis-small", b'{"of": "link"}')


def test_a_run_goes_from_the_queue_to_its_answer(runs: RunStore) -> None:
    asked = runs.ask(new("a"))
    assert (asked.run.state, asked.is_new, asked.run.asked_at) == ("queued", True, "2026-11-01T12:00:00Z")
    claim = runs.claim("server 1")
    assert claim is not None
    assert (claim.run.id, claim.request, claim.run.state) == ("a", b'{"of": "link"}', "running")
    assert runs.claim("server 2") is None
    assert runs.report("a", "server 1", 3, 7)
    assert (runs.find("a").n_done, runs.find("a").n_items, runs.ending("a")) == (3, 7, None)
    runs.end("a", "server 1", DONE)
    ending = runs.ending("a")
    assert ending is not None
    assert (ending.state, ending.answer) == (RunState.DONE, b'{"a": 1}\n')
    assert runs.find("a").is_ended


def test_the_same_question_is_the_same_run_until_it_fails(runs: RunStore) -> None:
    assert [runs.ask(new("a")).is_new for _ in range(3)] == [True, False, False]
    runs.claim("s")
    runs.end("a", "s", DONE)
    assert not runs.ask(new("a")).is_new
    runs.ask(new("b"))
    runs.claim("s")
    runs.end("b", "s", Ending(RunState.FAILED, status=422, detail="too large", problem=b"{}"))
    assert runs.find("b").detail == "too large"
    again = runs.ask(new("b"))
    assert (again.is_new, again.run.state, again.run.detail, again.run.n_attempts) == (True, "queued", None, 0)
    assert runs.ending("b") is None


def test_the_oldest_run_is_first_whatever_its_id(runs: RunStore) -> None:
    for name in ("c", "a", "b"):
        runs.ask(new(name))
    claims = [runs.claim("s") for _ in range(3)]
    assert [claim.run.id for claim in claims if claim] == ["c", "a", "b"]


def test_a_run_of_a_lost_server_begins_anew_and_that_server_cannot_end_it(runs: RunStore, clock: Clock) -> None:
    runs.ask(new("a"))
    runs.claim("lost")
    clock.wait(seconds=59)
    assert runs.claim("other") is None
    assert runs.report("a", "lost", 1, 2)  # a sign of life
    clock.wait(seconds=59)
    assert runs.claim("other") is None
    clock.wait(seconds=2)
    claim = runs.claim("other")
    assert claim is not None
    assert (claim.run.id, claim.run.n_attempts, claim.run.n_done) == ("a", 2, 0)
    assert not runs.report("a", "lost", 2, 2)
    runs.end("a", "lost", DONE)
    assert runs.find("a").state == RunState.RUNNING


def test_parts_that_are_damaged_or_of_another_place_are_not_used(
    runs: RunStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("study-1-000000", "study-1-000001", "item-000000")
    for run_id in "ab":
        runs.ask(new(run_id))
        runs.claim(run_id)
        runs.keep(run_id, run_id, {name: f"{name} of {run_id}".encode() for name in names})
    with runs.database.write() as connection:
        content = {(row.run_id, row.name): bytes(row.content) for row in connection.execute(RUN_PARTS.select())}
        cut, flipped = content["a", names[0]][:-1], bytearray(content["a", names[1]])
        flipped[3] ^= 4
        for place, wrong in (
            (("a", names[0]), cut),
            (("a", names[1]), bytes(flipped)),
            (("b", names[0]), content["a", names[0]]),
            (("b", names[1]), content["b", names[0]]),
        ):
            is_it = (RUN_PARTS.c.run_id == place[0]) & (RUN_PARTS.c.name == place[1])
            connection.execute(RUN_PARTS.update().where(is_it).values(content=wrong))
    clock.wait(minutes=2)
    for run_id in "ab":
        claim = runs.claim(f"{run_id} again")
        assert claim is not None
        assert claim.parts == {names[2]: f"{names[2]} of {run_id}".encode()}
    assert len(caplog.messages) == 4


def test_a_run_whose_server_is_lost_each_time_fails(runs: RunStore, clock: Clock) -> None:
    runs.ask(new("a"))
    for _ in range(3):
        assert runs.claim("s") is not None
        clock.wait(seconds=61)
    assert runs.claim("s") is None
    assert (runs.find("a").state, runs.find("a").detail) == ("failed", "its server ended 3 times while it ran")


def test_a_server_that_ends_gives_its_runs_back(runs: RunStore) -> None:
    runs.ask(new("a"))
    runs.ask(new("b"))
    runs.claim("s")
    runs.claim("s")
    runs.cancel("b")
    runs.release("s")
    assert (runs.find("a").state, runs.find("a").n_attempts) == ("queued", 0)
    assert runs.find("b").state == RunState.CANCELLED


def test_cancelling(runs: RunStore) -> None:
    runs.ask(new("a"))
    assert runs.cancel("a").state == RunState.CANCELLED
    assert runs.claim("s") is None
    runs.ask(new("b"))
    runs.claim("s")
    assert runs.cancel("b").state == RunState.RUNNING
    assert not runs.report("b", "s", 1, 2)
    runs.end("b", "s", Ending(RunState.CANCELLED))
    assert runs.cancel("b").state == RunState.CANCELLED
    runs.ask(new("c"))
    runs.claim("first")
    runs.cancel("c")
    assert runs.ask(new("c")).is_new  # the work that is being cancelled counts no more
    assert runs.claim("second") is not None
    runs.end("c", "first", Ending(RunState.CANCELLED))
    assert runs.report("c", "second", 1, 2)
    runs.delete("b")
    with pytest.raises(CatalogueError, match="unknown run"):
        runs.cancel("b")
    with pytest.raises(CatalogueError, match="unknown run"):
        runs.ending("b")


def test_runs_that_wait_are_bounded(runs: RunStore) -> None:
    for name in "abc":
        runs.ask(new(name))
    with pytest.raises(StoreLimitError, match="4 runs that wait"):
        runs.ask(new("d"))
    assert not runs.ask(new("a")).is_new


def test_old_runs_and_those_beyond_the_bound_of_bytes_are_deleted(runs: RunStore, clock: Clock) -> None:
    for name in "ab":
        runs.ask(new(name))
        runs.claim("s")
        runs.end(name, "s", Ending(RunState.DONE, b"x" * 30))
    clock.wait(days=6)
    runs.ask(new("c"))  # 14 + 30 bytes twice, and 14 more: over 100
    assert [run.id for run in runs.page().runs] == ["c", "b"]
    clock.wait(days=2)
    runs.purge()
    assert [run.id for run in runs.page().runs] == ["c"]


def test_pages_and_filters(runs: RunStore) -> None:
    for name, question in (("a", "plan"), ("b", "failures"), ("c", "plan")):
        runs.ask(new(name, question))
    runs.claim("s")
    page = runs.page(limit=2)
    assert ([run.id for run in page.runs], page.next) == (["c", "b"], 2)
    assert [run.id for run in runs.page(after=page.next).runs] == ["a"]
    assert [run.id for run in runs.page(state="queued").runs] == ["c", "b"]
    assert [run.id for run in runs.page(question="plan").runs] == ["c", "a"]
    with pytest.raises(DocumentError, match="no state"):
        runs.page(state="waiting")
    with pytest.raises(DocumentError, match="rows"):
        runs.page(limit=0)
