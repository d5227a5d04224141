"""NetBox by URL: a small server on this machine, its pages, its token, and answers that must not be followed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from tests.imports.samples import SAMPLES
from twin.cli.main import app
from twin.errors import DocumentError
from twin.imports import netbox_url, read

pytest.importorskip("pynetbox", reason="the extra netbox is not installed")
SECRET = "0123456789abcdef"


class Handler(BaseHTTPRequestHandler):
    """Answers as NetBox does: pages of an endpoint, to those who have the token."""

    endpoints: ClassVar[dict[str, list[Any]]] = {}
    mode: ClassVar[str] = ""
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
        self.asked.append(self.path)
        name = parts.path.rstrip("/").rpartition("/")[2]
        base = f"http://{self.headers['Host']}"
        if self.headers.get("authorization") != f"Token {SECRET}":
            return self.answer(403, b'{"detail": "no"}')
        if self.mode == "redirect":
            return self.answer(302, b"", Location="http://127.0.0.2:9/")
        if self.mode == "html":
            return self.answer(200, b"<html>")
        if self.mode == "flood":
            return self.answer(200, b"[" + b" " * 100_000)
        if name not in self.endpoints:
            return self.answer(404, b'{"detail": "not found"}')
        records, start = self.endpoints[name], query.get("offset", 0)
        n = query.get("limit", 50)
        more = f"{base}{parts.path}?limit={n}&offset={start + n}" if start + n < len(records) else None
        if self.mode == "elsewhere":
            more = "http://127.0.0.2:9/api/dcim/devices/"
        page = {"count": len(records), "next": more, "previous": None, "results": records[start : start + n]}
        return self.answer(200, json.dumps([1] if self.mode == "list" else page).encode())

    def answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Write nothing."""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = SAMPLES["netbox"](tmp_path / "dump")
    Handler.endpoints = {file.stem: json.loads(file.read_text())["results"] for file in folder.iterdir()}
    Handler.mode, Handler.asked = "", []
    monkeypatch.setenv(netbox_url.TOKEN, SECRET)
    monkeypatch.setattr(netbox_url, "PAGE", 2)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_gives_what_a_dump_gives(url: str, tmp_path: Path) -> None:
    found, dumped = read(url), read(tmp_path / "dump")
    assert found.document == dumped.document
    assert found.report.format == "netbox"
    assert any("offset=2" in path for path in Handler.asked)
    assert all(path.startswith("/api/") for path in Handler.asked)


def test_the_token_stands_in_no_output(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(app, ["import", "netbox", f"{url}/api/", "--json"])
    assert result.exit_code == 0
    assert SECRET not in result.output
    Handler.mode = "list"
    with pytest.raises(DocumentError) as caught:
        read(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "message"),
    [("redirect", "redirects"), ("html", "something else than JSON"), ("elsewhere", "refers to another host"),
     ("list", "expected an object")],
)  # fmt: skip
def test_answers_that_are_none_are_refused(mode: str, message: str, url: str) -> None:
    Handler.mode = mode
    with pytest.raises(DocumentError, match=message):
        read(url)


def test_a_wrong_token_is_named_and_not_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(netbox_url.TOKEN, "wrong-token")
    with pytest.raises(DocumentError, match=r"HTTP status 403.*NETBOX_TOKEN") as caught:
        read(url)
    assert "wrong-token" not in str(caught.value)


def test_an_answer_without_end_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Handler.mode = "flood"
    monkeypatch.setattr(netbox_url, "MAX_FILE_BYTES", 70_000)
    with pytest.raises(DocumentError, match=r"without end.*70,000 bytes"):
        read(url)


@pytest.mark.parametrize(
    ("address", "message"),
    [("https://user:secret@nb.example", "user and password"), ("https://nb.example/?token=secret", "no address"),
     ("http://", "no address"), ("http://[::1", "no address"), ("http://127.0.0.1:1", "does not answer")],
)  # fmt: skip
def test_bad_addresses_are_refused(address: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message) as caught:
        read(address)
    assert "secret" not in str(caught.value)


def test_an_address_is_the_only_source(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="only source"):
        read(["http://127.0.0.1:1", tmp_path])
    with pytest.raises(DocumentError, match="only source"):
        read("http://127.0.0.1:1", format="table")
