"""The command that makes API keys of the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import refuse

USAGE = "twin keys add NAME --scope read|write --file FILE"


def keys(
    action: Annotated[str, typer.Argument(metavar="add", help="What to do.")],
    name: Annotated[str, typer.Argument(help="Name of the key, as it stands in the log.")],
    file: Annotated[Path, typer.Option("--file", envvar="TWIN_KEYS", help="File of keys; made if it is missing.")],
    scope: Annotated[str, typer.Option("--scope", help="read: questions; write: stored networks, too.")] = "read",
) -> None:
    """Make an API key for `twin serve --keys` and print it once. The file has its digest alone."""
    if action != "add":
        refuse(f"no action {action!r}", USAGE)
    from ..api.keys import add_key

    typer.echo(add_key(file, name, scope))
