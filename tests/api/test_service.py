"""The service for operators: keys, hosts, request ids, figures, logs, late bodies, and its end."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twin.api.app import create_app
from twin.api.compute.pool_records import Spent
from twin.api.keys import add_key
from twin.api.logs import JsonFormatter
from twin.api.metrics import Metrics
from twin.api.observation import Observation
from twin.api.settings import Settings

from tests.api.test_errors import problem_of

SCORE = {"network": "leaf-spine-demo", "main_assumptions": False, "fields": ["network"]}
DOCUMENT = b'{"nodes": [{"id": "a", "kind": "host"}]}'
HOST = {"host": "twin.example"}
WAIT_S = 60


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    file = tmp_path_factory.mktemp("keys") / "keys"
    return {"file": str(file)} | {scope: add_key(file, f"{scope}er", scope) for scope in ("read", "write")}


@pytest.fixture(scope="module")
def guarded(keys: dict[str, str]) -> Iterator[Any]:
    from tests.api.conftest import TestClient

    settings = Settings(keys=Path(keys["file"]), allowed_hosts=("twin.example",), cors_origins=("https://a.example",))
    with TestClient(create_app(warm=False, settings=settings)) as client:
        client.headers.update(HOST)
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_keys_are_asked_for_and_a_key_that_reads_does_not_write(guarded: Any, keys: dict[str, str]) -> None:
    assert "Bearer" in guarded.post("/v1/score", json=SCORE).headers["www-authenticate"]
    for headers in ({}, bearer("twin_wrong"), {"authorization": f"Basic {keys['read']}"}):
        problem_of(guarded.post("/v1/score", json=SCORE, headers=headers), 401)
    browser = guarded.get("/")
    assert (browser.status_code, browser.headers["www-authenticate"].partition(" ")[0]) == (401, "Basic")
    for secret, status in ((keys["read"], 200), ("twin_wrong", 401)):
        basic = base64.b64encode(f"any:{secret}".encode()).decode()
        assert guarded.get("/", headers={"authorization": f"Basic {basic}"}).status_code == status
    for path in ("/livez", "/readyz", "/metrics"):
        assert guarded.get(path).status_code == 200
    assert guarded.post("/v1/score", json=SCORE, headers=bearer(keys["read"])).status_code == 200
    refused = guarded.put("/v1/networks/mine", content=DOCUMENT, headers=bearer(keys["read"]))
    assert "reader" in problem_of(refused, 403).detail
    assert guarded.put("/v1/networks/mine", content=DOCUMENT, headers=bearer(keys["write"])).status_code == 201
    file = Path(keys["file"])
    assert file.stat().st_mode & 0o077 == 0
    assert not any(keys[scope] in file.read_text() for scope in ("read", "write"))


def test_other_hosts_are_refused_and_pages_of_named_origins_may_ask(guarded: Any, keys: dict[str, str]) -> None:
    for host in ("evil.example", "evil.example:80", "[::1]", ""):
        problem_of(guarded.get("/v1/topologies", headers=bearer(keys["read"]) | {"host": host}), 421)
    headers = bearer(keys["read"]) | {"host": "TWIN.example:8000", "origin": "https://a.example"}
    answer = guarded.get("/v1/topologies", headers=headers)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://a.example")
    asked = {"origin": "https://b.example", "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in guarded.options("/v1/score", headers=asked).headers


def test_pages_of_other_sites_can_neither_ask_nor_store(guarded: Any, keys: dict[str, str]) -> None:
    write = bearer(keys["write"])
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        problem_of(guarded.post("/v1/import/table?store=mine", content=b"a,b", headers=write | headers), 403)
        problem_of(guarded.post("/v1/score", json=SCORE, headers=write | headers), 403)
    for headers in ({"origin": "http://twin.example"}, {"origin": "https://a.example"}, {"sec-fetch-site": "none"}):
        assert guarded.post("/v1/score", json=SCORE, headers=write | headers).status_code == 200


def test_a_key_that_reads_cancels_only_the_runs_that_it_alone_asked_for(guarded: Any, keys: dict[str, str]) -> None:
    read, write = bearer(keys["read"]), bearer(keys["write"])
    run = guarded.post("/v1/runs/score", json=SCORE, headers=read).json()
    assert guarded.get(f"/v1/runs/{run['id']}", headers=read).status_code == 200
    assert guarded.post(f"/v1/runs/{run['id']}/cancel", headers=read).status_code == 200
    guarded.post("/v1/runs/score", json=SCORE, headers=write)
    assert "reader" in problem_of(guarded.post(f"/v1/runs/{run['id']}/cancel", headers=read), 403).detail
    assert guarded.post(f"/v1/runs/{run['id']}/cancel", headers=write).status_code == 200
    problem_of(guarded.delete(f"/v1/runs/{run['id']}", headers=read), 403)
    assert guarded.delete(f"/v1/runs/{run['id']}", headers=write).status_code == 204


def test_the_interface_is_described_without_other_hosts(client: Any) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "POST /v1/what-if" in page.text
    assert re.findall(r'(?:src|href)="(?![/#])', page.text) == []


def test_requests_have_an_id_and_the_log_has_no_secret(
    guarded: Any, keys: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    secret = "name-in-a-document"
    body = {"network": {"name": secret, "nodes": [{"id": secret, "kind": "hots"}]}}
    with caplog.at_level(logging.INFO, "twin.api"):
        answer = guarded.post(
            f"/v1/score?x={secret}", json=body, headers=bearer(keys["read"]) | {"x-request-id": "a-1"}
        )
        assert guarded.get("/livez", headers={"x-request-id": "bad id\n"}).headers["x-request-id"] != "bad id\n"
    assert answer.headers["x-request-id"] == "a-1"
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records if record.name == "twin.api"]
    expected = {"message": "request", "request_id": "a-1", "route": "/v1/score", "status": 422, "key_name": "reader"}
    assert len(lines) == 1
    assert expected.items() <= lines[0].items()
    assert lines[0]["duration_s"] > 0
    try:
        raise ValueError(secret)
    except ValueError:
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, f"fault\n{secret}", (), sys.exc_info())
    text = JsonFormatter().format(record) + json.dumps(lines)
    assert "ValueError" in text
    assert not any(word in text for word in (secret, keys["read"], "hots"))


def test_figures_are_there_under_their_names(guarded: Any, keys: dict[str, str]) -> None:
    guarded.post("/v1/score", json=SCORE)
    guarded.post("/v1/score", json=SCORE, headers=bearer(keys["read"]))
    text = guarded.get("/metrics").text
    assert 'twin_request_seconds_count{route="/v1/score",status="200"}' in text
    assert 'twin_refusals_total{reason="key"}' in text
    for name in (
        "twin_questions_waiting",
        "twin_process_restarts_total",
        "twin_network_cache",
        "twin_questions_running",
    ):
        assert name in text


def test_answers_state_their_time_in_the_queue_and_at_work(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["state"]["spent"] = Spent(queue_s=0.5, work_s=0.25)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/score", "headers": []}
    with caplog.at_level(logging.INFO, "twin.api"):
        asyncio.run(Observation(app, Metrics())(scope, send, send))
    timing = dict(sent[0]["headers"])[b"server-timing"]
    assert re.fullmatch(rb"queue;dur=500\.0, work;dur=250\.0, total;dur=[0-9.]+", timing)
    line = json.loads(JsonFormatter().format(caplog.records[-1]))
    assert (line["queue_s"], line["work_s"]) == (0.5, 0.25)


def test_large_answers_are_compressed_for_clients_that_accept_it(client: Any) -> None:
    plain = client.post("/v1/score", json={"network": "leaf-spine-demo"}, headers={"accept-encoding": "identity"})
    small = client.post("/v1/score", json={"network": "leaf-spine-demo"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(plain.content) / 3
    assert small.content == plain.content
    for accepted in ("gzip;q=0, identity", "gzip;q=0.5, identity", "identity;q=1, gzip;q=0.0", "br", "xgzip", "*"):
        other = client.post("/v1/score", json={"network": "leaf-spine-demo"}, headers={"accept-encoding": accepted})
        assert "content-encoding" not in other.headers, accepted
        assert other.headers["vary"] == "Accept-Encoding"
    small = client.post("/v1/score", json={"network": "leaf-spine-demo"}, headers={"accept-encoding": "br, gzip;q=0.5"})
    assert small.headers["content-encoding"] == "gzip"


def test_a_body_that_does_not_arrive_is_408() -> None:
    app = create_app(warm=False, settings=Settings(max_body_s=0.05))
    sent: list[Any] = []
    parts = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> Any:
        if parts:
            return parts.pop()
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/score", "headers": [], "query_string": b""}
    scope |= {"http_version": "1.1", "scheme": "http", "server": ("test", 80), "client": ("test", 1), "root_path": ""}
    asyncio.run(asyncio.wait_for(app(scope, receive, send), WAIT_S))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


@pytest.mark.parametrize("headers", [[], [(b"idempotency-key", b"k")]])
@pytest.mark.parametrize("path", ["score", "runs/score", "runs/batch", "import/auto", "networks/a/measurements"])
def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_fault(
    strict_client: Any, path: str, headers: list[Any]
) -> None:
    parts: list[Any] = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"{", "more_body": True}]
    sent: list[Any] = []

    async def receive() -> Any:
        return parts.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": f"/v1/{path}", "headers": headers, "query_string": b""}
    scope |= {"http_version": "1.1", "scheme": "http", "server": ("test", 80), "client": ("test", 1), "root_path": ""}
    asyncio.run(strict_client.app(scope, receive, send))
    assert sent[0]["status"] == 499


def test_sigterm_ends_the_service_whatever_connections_are_open() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "twin.cli.main", "serve", "--port", str(port), "--processes", "1"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TWIN_", "COV"))}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            half_body = connected(port)
            half_body.sendall(b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
            half_header, idle = connected(port), connected(port)
            half_header.sendall(b"POST /v1/score HT")
            idle.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200 OK" in idle.recv(1000)
            process.send_signal(signal.SIGTERM)
            start_s = time.monotonic()
            _, text = process.communicate(timeout=WAIT_S)  # its other processes have closed the pipe, too
        finally:
            process.kill()
    for connection in (half_body, half_header, idle):
        connection.close()
    assert time.monotonic() - start_s < 10
    assert f"127.0.0.1:{port}" in text


def connected(port: int) -> socket.socket:
    """A connection to the service, once it listens."""
    end_s = time.monotonic() + WAIT_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), WAIT_S)
        except OSError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.1)
