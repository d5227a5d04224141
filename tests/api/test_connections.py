"""Connections of the web server: turns, split requests, refusals before the body, pipelining, and their ends."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import pytest
import uvicorn
from twin.api import connections
from twin.api.connections import GuardedProtocol
from twin.api.http_rules import ExpectedBody, HeadAsGet

WAIT_S = 10.0
LARGE = 4 * 2**20
"""Bytes of a body that fills the buffers of a socket."""


class Echo:
    """An application that answers with method, path and length of the body, and notes the order of requests."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.paths.append(scope["path"])
        if scope["path"] == "/refuse":
            await respond(send, 429, b"busy")
            return
        n_bytes, message = 0, {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            n_bytes += len(message.get("body", b""))
        if message["type"] == "http.request":
            await respond(send, 200, f"{scope['method']} {scope['path']} {n_bytes}".encode())


async def respond(send: Any, status: int, content: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


class Served:
    """The web server with an application, on a thread of its own."""

    def __init__(self) -> None:
        self.app = Echo()
        app = HeadAsGet(ExpectedBody(self.app))
        config = uvicorn.Config(app, http=GuardedProtocol, ws="none", lifespan="off", log_config=None, access_log=False)
        self.server = uvicorn.Server(config)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self.server.serve([self.listener]))

    def connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), WAIT_S)

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(WAIT_S)
        self.listener.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    found = Served()
    try:
        yield found
    finally:
        found.close()


def post(path: str, content: bytes = b"", *headers: str, n_bytes: int | None = None) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(content) if n_bytes is None else n_bytes}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + content


def get(path: str, method: str = "GET", *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def response(client: socket.socket, *, has_body: bool = True) -> tuple[int, bytes, bytes]:
    """Read one response: status, lower-case header, body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        assert byte, head
        head += byte
    head = head.lower()
    n_bytes = int(head.partition(b"content-length: ")[2].partition(b"\r")[0] or 0) if has_body else 0
    body = b""
    while len(body) < n_bytes:
        body += client.recv(n_bytes - len(body))
    return int(head.split()[1]), head, body


def is_closed(client: socket.socket) -> bool:
    """Tell whether the server has ended the connection, without a reset."""
    return client.recv(1) == b""


def test_requests_take_turns_and_probes_are_first(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_TURN_S", 0.0)
    clients = [served.connected() for _ in range(60)]
    for client in clients:
        client.sendall(get("/livez"))
        assert response(client)[0] == 200
    served.app.paths.clear()
    are_sent = threading.Event()
    served.loop.call_soon_threadsafe(are_sent.wait, WAIT_S)
    for client in clients[:-2]:
        client.sendall(get("/question"))
    clients[-2].sendall(get("/readyz"))
    clients[-1].sendall(get("/livez", "HEAD"))
    are_sent.set()
    for client in clients[:-1]:
        assert response(client)[0] == 200
    assert response(clients[-1], has_body=False)[0] == 200
    assert sorted(served.app.paths[:2]) == ["/livez", "/readyz"]
    assert served.app.paths[2:] == ["/question"] * 58
    for client in clients:
        client.close()


def test_a_fault_in_one_request_does_not_end_the_turns_of_others(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    receive = GuardedProtocol._receive

    def fail(self: GuardedProtocol, data: bytes) -> None:
        if b"/fault" in data:
            raise RuntimeError("a fault")
        receive(self, data)

    monkeypatch.setattr(GuardedProtocol, "_receive", fail)
    with served.connected() as bad, served.connected() as good, caplog.at_level(logging.CRITICAL, "asyncio"):
        are_sent = threading.Event()
        served.loop.call_soon_threadsafe(are_sent.wait, WAIT_S)
        bad.sendall(get("/fault"))
        good.sendall(get("/good"))
        are_sent.set()
        assert response(good)[2] == b"GET /good 0"
        good.sendall(get("/again"))
        assert response(good)[2] == b"GET /again 0"
        assert is_closed(bad)


@pytest.mark.parametrize("place", [1, 20, 55, 90, 95])
def test_requests_in_several_segments_are_read_as_one(served: Served, place: int) -> None:
    sent = post("/split", b"0123456789" * 5)
    with served.connected() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        are_sent = threading.Event()
        served.loop.call_soon_threadsafe(are_sent.wait, WAIT_S)  # the rest arrives while the first part waits
        client.sendall(sent[:place])
        are_sent.set()
        for i in range(place, len(sent), 20):
            client.sendall(sent[i : i + 20])
        assert response(client)[2] == b"POST /split 50"
        client.sendall(post("/large", b"x" * LARGE))
        assert response(client)[2] == f"POST /large {LARGE}".encode()


def test_requests_sent_at_once_are_answered_in_their_order(served: Served) -> None:
    with served.connected() as client:
        client.sendall(get("/one") + post("/two", b"12") + get("/refuse") + get("/three", "HEAD") + get("/fo"[:2]))
        answers = [response(client)[2] for _ in range(3)]
        assert answers == [b"GET /one 0", b"POST /two 2", b"busy"]
        status, head, _ = response(client, has_body=False)
        assert (status, b"content-length: 12" in head) == (200, True)  # that of GET /three 0
        client.sendall(get("/four")[len(get("/fo"[:2])) :])
        assert response(client)[0] == 200


def test_a_refusal_before_the_body_leaves_the_connection_usable(served: Served) -> None:
    with served.connected() as client:
        for _ in range(2):
            client.sendall(post("/refuse", n_bytes=LARGE))
            assert response(client)[0] == 429
            client.sendall(b"x" * LARGE)
            client.sendall(get("/next"))
            assert response(client)[2] == b"GET /next 0"


def test_a_client_that_still_sends_its_body_reads_the_refusal_before_the_end(served: Served) -> None:
    with served.connected() as client:
        client.sendall(post("/refuse", b"x" * LARGE, "Connection: close"))
        status, head, _ = response(client)
        assert (status, b"connection: close" in head) == (429, True)
        assert is_closed(client)


def test_a_client_that_never_ends_its_body_is_closed_after_its_refusal(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_HEADER_S", 0.3)
    with served.connected() as client:
        client.sendall(post("/refuse", n_bytes=LARGE))
        assert response(client)[0] == 429
        with pytest.raises(OSError):  # reset or broken pipe, as the system has it
            send_slowly(client)


def test_late_headers_are_answered_and_silence_is_not(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_HEADER_S", 0.3)
    whole = get("/first")
    for before, sent in ((b"", whole[:-2]), (whole, whole[:9]), (b"", b"G")):
        with served.connected() as client:
            client.sendall(before + sent)
            if before:
                assert response(client)[0] == 200
            status, head, body = response(client)
            assert (status, b"connection: close" in head) == (408, True)
            assert b"the headers did not arrive in 0.3 s" in body
            client.sendall(b"x")
            assert is_closed(client)
    with served.connected() as client:
        assert is_closed(client)


def send_slowly(client: socket.socket) -> None:
    end_s = monotonic() + WAIT_S
    while monotonic() < end_s:
        client.sendall(b"x")
        sleep(0.02)


def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(served: Served) -> None:
    with served.connected() as client:
        client.sendall(post("/asked", b"", "Expect: 100-continue", n_bytes=3))
        assert response(client, has_body=False)[0] == 100
        client.sendall(b"abc" + get("/next"))
        assert [response(client)[2] for _ in range(2)] == [b"POST /asked 3", b"GET /next 0"]


def test_a_refusal_in_place_of_permission_closes_the_connection(served: Served) -> None:
    with served.connected() as client:
        client.sendall(post("/refuse", b"", "Expect: 100-continue", n_bytes=3))
        status, head, _ = response(client)
        assert (status, b"connection: close" in head) == (429, True)
        assert is_closed(client)


BAD_CHUNK = b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("is_answered", [False, True])
def test_a_body_that_is_no_http_ends_its_connection_quietly(
    served: Served, caplog: pytest.LogCaptureFixture, is_answered: bool
) -> None:
    with served.connected() as client, caplog.at_level(logging.ERROR):
        client.sendall(BAD_CHUNK % (b"/refuse" if is_answered else b"/any"))
        if is_answered:
            assert response(client)[0] == 429
        client.sendall(b"no chunk\r\n" + b"x" * LARGE)
        if not is_answered:
            assert b" 400 " in client.recv(1000)
    assert [record.message for record in caplog.records] == []


def test_head_is_get_without_a_body(client: Any) -> None:
    for path in ("/livez", "/readyz", "/metrics", "/v1/topologies", "/"):
        asked, full = client.head(path), client.get(path)
        assert (asked.status_code, asked.content) == (full.status_code, b""), path
        assert asked.headers.get("content-type") == full.headers.get("content-type")
    assert client.head("/v1/score").status_code == 405
