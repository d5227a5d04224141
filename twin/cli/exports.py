"""The command that exports a network for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import (
    AfterPlan,
    AsJson,
    ChangeOption,
    Demands,
    NetworkName,
    OwnParts,
    check_writable,
    load_network,
    progress,
    read_optional_changes,
    refuse,
    show,
    show_answer,
)


def export(
    format_name: Annotated[
        str, typer.Argument(metavar="FORMAT", help="node-link, graphml, csv, gnpy, containerlab or rfc8345.")
    ],
    network: NetworkName,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write; a folder for csv and gnpy.")],
    plan: AfterPlan = None,
    change: ChangeOption = None,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Export a network, after changes if given, and report what the files hold of it."""
    from ..exports import FORMATS
    from ..imports.choice import named_format

    is_folder = named_format(format_name, FORMATS).is_folder
    if not is_folder:
        check_writable(output)
    elif output.exists() and not output.is_dir():
        refuse(f"cannot write {output}: {format_name} makes a folder", "name a folder")
    elif not output.parent.is_dir():
        refuse(f"cannot write {output}: no folder {output.parent}", "make it first")
    changes = read_optional_changes(plan, change)
    with progress("loading") as notify:
        loaded = load_network(network, None, traffic, own_parts)
        answer = loaded.export(format_name, output, changes=changes, notify=notify)
    if as_json:
        show_answer(answer.report)
    else:
        from ..render.import_table import import_table

        show(import_table(answer.report.to_dict()))
