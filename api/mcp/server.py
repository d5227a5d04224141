"""The MCP server over stdio or streamable HTTP."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, TextContent, Tool, ToolAnnotations

from twin.arrays import package_version
from twin.errors import ChangeError

from .half_characters import MarkedLines
from .tools import TOOLS
from .worker import Told, Worker, WorkerSettings

Call = Callable[[str, Mapping[str, Any]], Awaitable[Told]]
INSTRUCTIONS = (
    "Digital twin of data-centre networks. Start with networks, then describe. Read the verdict first; "
    "left_out says what an answer does not show."
)


def create_server(call: Call) -> Server[Any]:
    """Create the server of the tools.

    call: answers a call, given the name of the tool and its arguments.
    """

    async def list_tools(_: Any, __: Any) -> ListToolsResult:
        return ListToolsResult(tools=listed_tools())

    async def call_tool(_: Any, params: CallToolRequestParams) -> CallToolResult:
        told = await call(params.name, params.arguments or {})
        return CallToolResult(content=[TextContent(type="text", text=told.text)], is_error=told.is_error)

    return Server(
        "dc-twin",
        version=package_version(),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def listed_tools() -> list[Tool]:
    """Return the tools as the protocol lists them: all of them read and change nothing."""
    return [
        Tool(
            name=tool.name,
            description=tool.description,
            input_schema=tool.schema,
            annotations=ToolAnnotations(read_only_hint=True),
        )
        for tool in TOOLS
    ]


def serve_stdio(settings: WorkerSettings) -> None:
    """Serve one client over stdin and stdout, until stdin ends.

    settings: what the tools may read, and the bounds of a call.
    """

    async def serve() -> None:
        worker = Worker(settings)
        server = create_server(worker.call)
        try:
            async with stdio_server(cast(Any, MarkedLines())) as (read_stream, write_stream):
                await worker.start()  # it loads while the client reads the list of tools
                await server.run(read_stream, write_stream, server.create_initialization_options())
        finally:
            with anyio.CancelScope(shield=True):
                await worker.close()

    anyio.run(serve)


def serve_http(address: str, settings: WorkerSettings) -> None:
    """Serve clients of this machine over HTTP, at `/mcp`. Files cannot be named.

    Args:
        address: address and port, such as `127.0.0.1:8001`; the address is a loopback one.
        settings: what the tools may read, and the bounds of a call.
    """
    import uvicorn

    host, port = loopback(address)
    worker = Worker(settings)
    app = create_server(worker.call).streamable_http_app(json_response=True, stateless_http=True, host=host)
    uvicorn.run(app, host=host, port=port, log_level="warning")


def loopback(address: str) -> tuple[str, int]:
    """Return host and port of an address of this machine. Raises ChangeError for any other."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not (is_loopback and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ChangeError(
            f"{address!r}", where="--http", expected="a loopback address and a port", hint="such as 127.0.0.1:8001"
        )
    return host, int(port)
