"""Commands around the HTTP service and the compiled kernels."""

from __future__ import annotations

import gc
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .terminal import progress, refuse


class LogFormat(StrEnum):
    """Forms of the log of the service."""

    text = "text"
    json = "json"


def warmup() -> None:
    """Compile the kernels once; numba keeps them on disk (see NUMBA_CACHE_DIR)."""
    from ..warmup import warm_up

    with progress("compiling kernels") as notify:
        times = warm_up(notify)
    for name, seconds in times:
        typer.echo(f"{name}: {seconds:.1f} s")


def serve(
    host: Annotated[str, typer.Option(envvar="TWIN_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="TWIN_PORT", min=0, max=65535, help="Port to listen on.")] = 8000,
    processes: Annotated[
        int | None,
        typer.Option(
            envvar="TWIN_PROCESSES",
            min=0,
            max=256,
            help="Compute processes; default: one for each core. 0 = threads, without a memory limit.",
        ),
    ] = None,
    memory_gib: Annotated[
        float, typer.Option(envvar="TWIN_MEMORY_GIB", min=0.1, max=4096, help="Memory of one compute process.")
    ] = 4.0,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DIR_OR_URL",
            envvar="TWIN_DATA",
            help="Directory or PostgreSQL URL of stored networks; without it they end with the service.",
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(envvar="TWIN_KEYS", metavar="FILE", help="API keys, made by `twin keys add`; without it no key."),
    ] = None,
    allowed_hosts: Annotated[
        str,
        typer.Option(
            envvar="TWIN_ALLOWED_HOSTS",
            metavar="NAMES",
            help="Host names of requests, commas between; * = any. Default on a loopback address: its names.",
        ),
    ] = "",
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(envvar="TWIN_CORS_ORIGIN", metavar="URL", help="Origin whose pages may ask; repeatable."),
    ] = None,
    max_body_mib: Annotated[
        float, typer.Option(envvar="TWIN_MAX_BODY_MIB", min=0.01, max=1024, help="Largest body of a request.")
    ] = 8.0,
    log_format: Annotated[LogFormat, typer.Option(envvar="TWIN_LOG_FORMAT", help="Form of the log.")] = LogFormat.text,
) -> None:
    """The same answers over HTTP; see /docs and /openapi.json."""
    if data is not None:
        from ..store import open_database

        open_database(data).close()  # a wrong place is refused here, as other bad input
    from ..api import server

    settings = server.settings_of(
        host,
        n_processes=processes,
        memory_gib=memory_gib,
        keys=keys,
        allowed_hosts=tuple(name for name in allowed_hosts.replace(" ", "").split(",") if name),
        cors_origins=tuple(cors_origin or ()),
    )
    gc.enable()
    server.serve(
        host, port, settings, max_body_bytes=round(max_body_mib * 2**20), data=data, log_format=log_format.value
    )


def mcp(
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", exists=True, file_okay=False, help="Directory whose documents may be read; repeatable."),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option("--http", metavar="HOST:PORT", help="Serve over HTTP on a loopback address."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DIR_OR_URL",
            envvar="TWIN_DATA",
            help="Stored networks of `twin serve`, by name; they are only read.",
        ),
    ] = None,
    max_seconds: Annotated[float, typer.Option(min=1, max=3600, help="Longest time of a call.")] = 120.0,
    memory_gib: Annotated[
        float, typer.Option(envvar="TWIN_MEMORY_GIB", min=0.1, max=4096, help="Memory that a call may take.")
    ] = 4.0,
) -> None:
    """Tools for planning agents (Model Context Protocol), over stdio by default; needs the extra mcp."""
    from importlib.util import find_spec

    if find_spec("mcp") is None:
        refuse("the package mcp is not installed", "pip install 'dc-twin[mcp]'")
    if http is not None and root:
        refuse("--root beside --http", "files are read over stdio only")
    from ..api.mcp.server import serve_http, serve_stdio
    from ..api.mcp.worker import WorkerSettings

    if data is not None:
        from ..store import open_database

        open_database(data).close()  # a wrong place is refused here, as other bad input
    settings = WorkerSettings(tuple(map(str, root or ())), data, max_seconds, memory_gib)
    gc.enable()
    if http is not None:
        serve_http(http, settings)
    else:
        serve_stdio(settings)
