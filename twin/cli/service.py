"""Commands around the HTTP service and the compiled kernels."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Annotated

import typer

from .terminal import progress, refuse


def warmup() -> None:
    """Compile the kernels once; numba keeps them on disk (see NUMBA_CACHE_DIR)."""
    from ..warmup import warm_up

    with progress("compiling kernels") as notify:
        times = warm_up(notify)
    for name, seconds in times:
        typer.echo(f"{name}: {seconds:.1f} s")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DIR_OR_URL",
            envvar="TWIN_DATA",
            help="Directory or PostgreSQL URL of stored networks; without it they end with the service.",
        ),
    ] = None,
) -> None:
    """The same answers over HTTP; see /docs and /openapi.json."""
    import uvicorn

    if data is not None:
        from ..store import open_database

        open_database(data).close()  # a wrong place is refused here, as other bad input
        os.environ["TWIN_DATA"] = data  # the application reads it
    gc.enable()
    uvicorn.run("twin.api.app:create_app", factory=True, host=host, port=port)


def mcp(
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", exists=True, file_okay=False, help="Directory whose documents may be read; repeatable."),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option("--http", metavar="HOST:PORT", help="Serve over HTTP on a loopback address."),
    ] = None,
    max_seconds: Annotated[float, typer.Option(min=1, max=3600, help="Longest time of a call.")] = 120.0,
) -> None:
    """Tools for planning agents (Model Context Protocol), over stdio by default; needs the extra mcp."""
    from importlib.util import find_spec

    if find_spec("mcp") is None:
        refuse("the package mcp is not installed", "pip install 'dc-twin[mcp]'")
    if http is not None and root:
        refuse("--root beside --http", "files are read over stdio only")
    from ..api.mcp.server import serve_http, serve_stdio

    gc.enable()
    if http is not None:
        serve_http(http, max_seconds)
    else:
        serve_stdio(root or (), max_seconds)
