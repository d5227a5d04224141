"""The command that compares the twin with fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import AsJson, progress, show, show_json


def check(
    paths: Annotated[list[Path], typer.Argument(help="Fixture files, or folders of them.")],
    all_rows: Annotated[bool, typer.Option("--all", help="Every row, not only those that are out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the twin with fixtures: exit 1 if a figure is out, 2 if a file is no fixture."""
    from ..check import check_paths, exit_code
    from ..render.check_table import check_table

    with progress("checking") as notify:
        results = check_paths(paths, notify=notify)
    if as_json:
        show_json({"files": [result.to_dict() for result in results]})
    else:
        data = [{**result.to_dict(), "problem": result.problem and str(result.problem)} for result in results]
        show(check_table(data, all_rows=all_rows))
    raise typer.Exit(exit_code(results))
