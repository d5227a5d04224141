"""Requests with a key: answered once, and the same again gets the same answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import TestClient
from tests.api.test_errors import problem_of
from twin.errors import StoreLimitError
from twin.store import open_database
from twin.store.replies import OtherRequestError, PendingError, Reply, ReplyLimits, ReplyStore

PAIR: dict[str, Any] = {"nodes": [{"id": "a", "kind": "switch"}]}


def test_the_same_request_gets_the_same_answer(client: TestClient) -> None:
    key = {"Idempotency-Key": "once-1"}
    first = client.put("/v1/networks/key-pair", json=PAIR, headers=key)
    assert (first.status_code, "idempotency-replayed" in first.headers) == (201, False)
    client.put("/v1/networks/key-pair", json=PAIR | {"note": "later"})
    again = client.put("/v1/networks/key-pair", json=PAIR, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert (again.headers["etag"], again.headers["location"]) == (first.headers["etag"], "/v1/networks/key-pair")
    assert again.headers["idempotency-replayed"] == "true"
    assert client.get("/v1/networks/key-pair").json()["note"] == "later"
    other = client.put("/v1/networks/key-pair", json=PAIR | {"note": "other"}, headers=key)
    problem_of(other, 422)
    problem_of(client.put("/v1/networks/key-pair", json=PAIR, headers={"Idempotency-Key": "a b"}), 422)


def test_an_error_is_not_kept(client: TestClient) -> None:
    key = {"Idempotency-Key": "once-2"}
    problem_of(client.post("/v1/runs/bill", json={"network": "nothing"}, headers=key), 404, "catalogue-error")
    run = client.post("/v1/runs/bill", json={"network": "two-campus", "changes": []}, headers=key)
    assert run.status_code in (200, 202)
    again = client.post("/v1/runs/bill", json={"network": "two-campus", "changes": []}, headers=key)
    assert again.content == run.content


def test_answers_are_kept_for_a_day_and_bounded() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    replies = ReplyStore(open_database(None), ReplyLimits(n_replies=3, n_bytes=10), lambda: now)
    assert replies.begin("a", "1") is None
    with pytest.raises(PendingError):
        replies.begin("a", "1")
    replies.keep("a", Reply(201, {"Location": "/x"}, b"12345"))
    assert replies.begin("a", "1") == Reply(201, {"Location": "/x"}, b"12345")
    with pytest.raises(OtherRequestError):
        replies.begin("a", "2")
    now += timedelta(seconds=1)
    assert replies.begin("b", "1") is None
    replies.keep("b", Reply(200, {}, b"123456"))  # 11 bytes: the older one goes
    assert replies.begin("a", "1") is None
    replies.forget("a")
    assert [replies.begin(key, "1") for key in "cd"] == [None, None]
    with pytest.raises(StoreLimitError):
        [replies.begin(key, "1") for key in "ef"]
    now += timedelta(minutes=5)  # their server was lost
    assert replies.begin("c", "1") is None
    now += timedelta(days=2)
    assert replies.begin("b", "2") is None
