"""A database that fails while the service runs: 503 says so, the rest goes on, and so does the store afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from twin.api.app import create_app
from twin.api.questions.table import QUESTIONS

from tests.api.conftest import TestClient
from tests.api.test_errors import problem_of
from tests.store.conftest import postgres
from tests.store.postgres import PostgresServer
from twin.store import open_database

__all__ = ["postgres"]  # a fixture

DOCUMENT = b'{"nodes": [{"id": "a", "kind": "switch"}]}'
LARGE = DOCUMENT + b" " * 300_000
SCORE = {"network": "leaf-spine-demo", "main_assumptions": False, "fields": ["network"]}
BARE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a node": {"nodes": [{"id": "a", "kind": "switch"}]},
    "a pair without traffic": {
        "nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}],
        "links": [{"id": "ab", "ends": ["a", "b"]}],
    },
}


@contextmanager
def broken_disk(pragma: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[tuple[TestClient, Any]]:
    """A service, and a function that sets a pragma on each connection of its database from then on."""
    database = open_database(folder)
    value = ""

    def checkout(connection: Any, *_: object) -> None:
        if value:
            connection.execute(f"PRAGMA {pragma}={value}")

    def set_value(text: str) -> None:
        nonlocal value
        value = text

    event.listen(database.engine, "checkout", checkout)
    monkeypatch.setattr("twin.api.app.open_database", lambda _: database)
    with TestClient(create_app(warm=False, data=folder)) as client:
        yield client, set_value


@pytest.mark.parametrize(("pragma", "broken", "mended"), [("max_page_count", "30", "100000"), ("query_only", "1", "0")])
def test_a_full_or_read_only_disk_is_503_and_then_works_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pragma: str, broken: str, mended: str
) -> None:
    with broken_disk(pragma, monkeypatch, tmp_path) as (client, set_value):
        fail_and_recover(client, lambda: set_value(broken), lambda: set_value(mended))


def test_a_server_of_the_database_that_ends_is_503_and_then_works_again(postgres: PostgresServer) -> None:
    with TestClient(create_app(warm=False, data=postgres.new_url())) as client:
        fail_and_recover(client, postgres.stop, postgres.start, is_readable=False)


def fail_and_recover(
    client: TestClient, break_it: Callable[[], None], mend: Callable[[], None], *, is_readable: bool = True
) -> None:
    assert client.put("/v1/networks/kept", content=DOCUMENT).status_code == 201
    kept = client.get("/v1/networks/kept").content
    break_it()
    try:
        for _ in range(2):
            refused = client.put("/v1/networks/new", content=LARGE)
            problem_of(refused, 503, "store-error")
            assert int(refused.headers["retry-after"]) > 0
        assert (client.get("/v1/networks/kept").content == kept) == is_readable
        assert client.post("/v1/score", json=SCORE).status_code == client.get("/livez").status_code == 200
    finally:
        mend()
    assert client.put("/v1/networks/new", content=LARGE).status_code == 201
    assert client.get("/v1/networks/kept").content == kept


@pytest.mark.parametrize("name", BARE)
def test_every_question_about_a_bare_network_is_answered_or_refused(client: TestClient, name: str) -> None:
    for question in QUESTIONS:
        for example in question.examples.values():
            named = ("plan", "plans", "job", "jobs", "changes", "fields")
            body = {key: value for key, value in example.items() if key not in named} | {"network": BARE[name]}
            for changes in ({}, {"changes": []}):
                assert client.post(f"/v1/{question.path}", json=body | changes).status_code in (200, 404, 422)
