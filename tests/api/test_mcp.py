"""The MCP server: a short catalogue, short answers, verdict first, errors with place and hint, files below roots."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp_types import CallToolResult, TextContent
from twin.api.mcp.answer import ToolAnswer
from twin.api.mcp.half_characters import MARK, REFUSAL, has_half_character, marked_line
from twin.api.mcp.networks import RootedNetworks
from twin.api.mcp.server import create_server, listed_tools, loopback
from twin.api.mcp.shorten import shortened
from twin.api.mcp.tools import TOOLS
from twin.api.mcp.worker import Told, Worker, WorkerSettings, bounded_reply
from twin.api.questions.context import Limits

import twin
from twin import deadline
from twin.errors import ChangeError
from twin.store import NetworkStore, open_database

SMALL, DEMO = {"network": "memphis-small"}, {"network": "leaf-spine-demo"}
UPLINKS = {"id": "uplinks", "changes": [{"kind": "set_channels", "links": "leaf-1~spine-*", "n_parallel": 2}]}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("networks", {}),
    ("describe", SMALL),
    ("describe", SMALL | {"about": "links"}),
    ("describe", SMALL | {"about": "metrics"}),
    ("describe", SMALL | {"about": "changes"}),
    ("describe", SMALL | {"about": "parts"}),
    ("describe", SMALL | {"about": "swap_switches"}),
    ("describe", SMALL | {"about": "border-deep-51.2T"}),
    ("what_if", SMALL | {"plan": "fibre-upgrade"}),
    ("what_if", DEMO | {"changes": [{"kind": "fail_links", "links": "leaf-1~spine-1"}]}),
    ("explain", SMALL),
    ("link", SMALL | {"link": "wan-1-2"}),
    ("failures", DEMO),
    ("failures", SMALL | {"of": "srlg"}),
    ("plan", DEMO | {"budget_usd": 1e6, "generate": False, "candidates": [UPLINKS]}),
    ("compare", SMALL | {"plans": ["fibre-upgrade", "second-pair"]}),
]


@cache
def answers() -> ToolAnswer:
    return ToolAnswer(RootedNetworks(), Limits())


def ask(name: str, arguments: Mapping[str, Any]) -> Told:
    return Told(*answers().answer(name, arguments))


def in_session(use: Callable[[Client], Awaitable[Any]]) -> Any:
    """Use a client whose server answers in this process."""

    async def call(name: str, arguments: Mapping[str, Any]) -> Told:
        return ask(name, arguments)

    async def session() -> Any:
        async with Client(create_server(call)) as client:
            return await use(client)

    return asyncio.run(session())


def text_of(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def test_the_catalogue_is_short_and_every_tool_only_reads() -> None:
    tools = in_session(lambda client: client.list_tools()).tools
    assert 6 <= len(tools) <= 8
    listed = [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools]
    assert listed == [tool.model_dump(by_alias=True, exclude_none=True) for tool in listed_tools()]
    assert len(json.dumps(listed, separators=(",", ":"))) < 5_000
    assert all(tool.annotations.read_only_hint for tool in tools)
    assert {name for name, _ in CALLS} == {tool.name for tool in tools}


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_answers_are_short_with_the_verdict_first(name: str, arguments: dict[str, Any]) -> None:
    told = ask(name, arguments)
    assert not told.is_error, told.text
    assert len(told.text) < 6_000
    data = json.loads(told.text)
    assert next(iter(data)) == "verdict" or (
        name in ("networks", "describe") and ("about" in arguments or not arguments)
    )


def test_figures_are_those_of_the_python_interface() -> None:
    cut = [{"kind": "fail_links", "links": "leaf-1~spine-1"}]
    told = in_session(lambda client: client.call_tool("what_if", DEMO | {"changes": cut}))
    data, diff = json.loads(text_of(told)), twin.load("leaf-spine-demo").what_if(cut)
    assert data["metrics"]
    for key, row in data["metrics"].items():
        assert row["after"] == pytest.approx(diff.after[key], rel=1e-4)
    assert data["verdict"] == list(diff.summary)
    some = ask("what_if", SMALL | {"plan": "fibre-upgrade", "fields": ["metrics.step_time_s.unit"]})
    assert json.loads(some.text) == {"metrics": {"step_time_s": {"unit": "s"}}}


@pytest.mark.parametrize(
    ("name", "arguments", "texts"),
    [
        ("what_iff", SMALL, ["no tool 'what_iff'", "did you mean 'what_if'?"]),
        ("what_if", {"netwrk": "x"}, ["netwrk", "did you mean 'network'?", "network: is required"]),
        ("what_if", SMALL | {"plan": "fibre-upgrad"}, ["memphis-small", "did you mean 'fibre-upgrade'?"]),
        ("what_if", SMALL, ["plan, changes", "neither is there", "exactly one"]),
        ("what_if", SMALL | {"changes": [{"kind": "agee"}]}, ["changes[0].kind", "'age'"]),
        ("explain", {"network": "memphis-smal"}, ["network:", "did you mean 'memphis-small'"]),
        ("explain", {"network": {"nodes": []}}, ["network: is no text"]),
        ("link", SMALL | {"link": "wan-*"}, ["2 links match 'wan-*'"]),
        ("failures", DEMO | {"top": 0}, ["top", "a whole number from 1 to 1000"]),
        ("failures", DEMO | {"fields": "verdict"}, ["fields", "a list of names"]),
        ("describe", SMALL | {"about": "chnages"}, ["about", "did you mean 'changes'"]),
    ],
)
def test_errors_are_tool_errors_with_place_and_hint(name: str, arguments: dict[str, Any], texts: list[str]) -> None:
    result = in_session(lambda client: client.call_tool(name, arguments))
    assert result.is_error
    for text in texts:
        assert text in text_of(result)


def test_files_are_read_below_the_roots_only(tmp_path: Path) -> None:
    document = json.dumps({"nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}]})
    root, outside = tmp_path / "root", tmp_path / "outside.json"
    (root / "lab").mkdir(parents=True)
    (root / "lab" / "small.json").write_text(document, encoding="utf-8")
    (root / "notes.txt").write_text("x", encoding="utf-8")
    outside.write_text(document, encoding="utf-8")
    (root / "link.json").symlink_to(outside)
    (root / "way").symlink_to(tmp_path)
    networks = RootedNetworks([root])
    assert networks.files() == ["lab/small.json"]
    for name in ("lab/small.json", str(root / "lab" / "small.json"), "way/root/lab/small.json"):
        assert networks.get(name).arrays.n_nodes == 2
    for name in ("link.json", "../outside.json", str(outside), "way/outside.json", "notes.txt", "lab", "", "a\0.json"):
        with pytest.raises(twin.CatalogueError, match="no network"):
            networks.get(name)
    with pytest.raises(twin.CatalogueError, match="--root DIR"):
        RootedNetworks().get(str(outside))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    networks = RootedNetworks([tmp_path])
    for n_nodes in (1, 2):
        file.write_text(json.dumps({"nodes": [{"id": f"n{i}", "kind": "host"} for i in range(n_nodes)]}))
        os.utime(file, ns=(n_nodes, n_nodes))
        assert networks.get("lab.json").arrays.n_nodes == n_nodes


def test_long_answers_lose_items_then_fields_and_name_them() -> None:
    data = {"verdict": ["v"], "rows": [{"x_s": i / 7} for i in range(500)], "text": "t" * 3_000}
    text = shortened(data, top=100, max_characters=2_500, more="how")
    assert len(text) <= 2_500
    short = json.loads(text)
    assert (short["verdict"], short["more"], len(short["text"])) == (["v"], "how", 1_000)
    assert short["left_out"] == {"rows": f"{len(short['rows'])} of 500 shown"}
    assert short["rows"][1] == {"x_s": 0.14286}
    tight = json.loads(shortened(data, top=100, max_characters=1_000, more="how"))
    assert tight["left_out"]["text"] == "all"


def test_a_call_that_takes_too_long_ends() -> None:
    async def calls() -> list[Told]:
        worker = Worker(WorkerSettings(max_s=0.05))
        told = [await worker.call("networks", {}), await worker.call("networks", {"x": "y" * 2_000_000})]
        assert worker._process is None
        return told

    slow, large = asyncio.run(calls())
    assert slow.is_error
    assert "took all of the 0.05 s" in slow.text
    assert large.is_error
    assert "2,000," in large.text


def test_http_is_bound_to_this_machine() -> None:
    assert loopback("127.0.0.1:8001") == ("127.0.0.1", 8001)
    assert loopback("[::1]:0") == ("::1", 0)
    for address in ("0.0.0.0:8001", "10.0.0.1:80", "example.org:80", "127.0.0.1", "127.0.0.1:x", ":80"):
        with pytest.raises(ChangeError, match="a loopback address and a port"):
            loopback(address)


def test_a_session_over_stdio(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text('{"nodes": [{"id": "a", "kind": "host"}]}', encoding="utf-8")
    database = open_database(tmp_path / "data")
    NetworkStore(database).put("mine", b'{"nodes": [{"id": "a", "kind": "host"}]}')
    database.close()
    arguments = ["-m", "twin.cli", "mcp", "--root", str(tmp_path), "--data", str(tmp_path / "data")]
    command = StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ))

    async def session() -> None:
        async with Client(stdio_client(command)) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == [tool.name for tool in TOOLS]
            assert json.loads(text_of(await client.call_tool("networks")))["files"] == ["lab.json"]
            error = await client.call_tool("describe", {"network": "lab.jsn"})
            assert error.is_error
            assert "did you mean 'lab.json'?" in text_of(error)
            stored = await client.call_tool("describe", {"network": "mine"})
            assert json.loads(text_of(stored))["n_nodes"] == 1

    asyncio.run(session())


def test_half_characters_are_refused_and_answered() -> None:
    for line in (r'{"network": "a\ud800"}', r'{"\uDFFF": 1}'):
        arguments = json.loads(marked_line(line))
        assert MARK in marked_line(line)
        assert asyncio.run(Worker(WorkerSettings()).call("describe", arguments)) == Told(REFUSAL, True)
        assert has_half_character("describe", json.loads(line))
    for line in (r'{"network": "\ud83d\ude00"}', '{"network": "é"}', r"{\ud800", "[" * 99_999 + r"\ud800"):
        assert MARK not in marked_line(line)


def test_stored_networks_are_read_by_name(tmp_path: Path) -> None:
    database = open_database(None)
    store = NetworkStore(database)
    for n_nodes in (2, 3):
        nodes = [{"id": f"n{i}", "kind": "host"} for i in range(n_nodes)]
        store.put("lab.1", json.dumps({"name": "The lab", "nodes": nodes}).encode())
    networks = RootedNetworks([tmp_path], store)
    assert networks.stored() == {"lab.1": "The lab, 3 nodes, 0 links"}
    assert networks.get("lab.1").arrays.n_nodes == 3
    first = store.revisions("lab.1").revisions[-1].revision
    assert networks.get(f"lab.1@{first}").arrays.n_nodes == 2
    text, is_error = ToolAnswer(networks, Limits()).answer("describe", {"network": "lab.2"})
    assert is_error
    assert "did you mean 'lab.1'?" in text
    database.close()


def test_a_call_has_a_bound_on_time_and_memory() -> None:
    def take_memory() -> tuple[str, bool]:
        raise MemoryError

    def take_time() -> tuple[str, bool]:
        while True:
            deadline.check()

    settings = WorkerSettings(max_s=0.01, max_memory_gib=0.5)
    large, slow = (bounded_reply(take, "plan", settings) for take in (take_memory, take_time))
    assert (large.is_error, large.is_last, slow.is_error, slow.is_last) == (True, True, True, False)
    assert large.text.startswith("plan: took all of the 0.5 GiB of memory that it may take; expected less work")
    assert slow.text.startswith("plan: took all of the 0.009 s that it may take; expected less work")
