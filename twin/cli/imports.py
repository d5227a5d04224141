"""The command that imports files of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .terminal import (
    CHECK_FAILED,
    AsJson,
    OwnParts,
    check_data_file,
    load_network,
    progress,
    refuse,
    show,
    show_answer,
    write_changes,
)

if TYPE_CHECKING:
    from ..model.document import TopologyDocument


def import_(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="[FORMAT] PATH...", help="A format, then files or a folder; it may be left out."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", callback=check_data_file, help="Write the network there: .yaml or .json."),
    ] = None,
    capacity_gbps: Annotated[
        float | None, typer.Option("--capacity-gbps", help="Rate of links whose rate the source does not state.")
    ] = None,
    demand_scale: Annotated[
        float | None, typer.Option("--demand-scale", help="Gb/s of one unit, where amounts have no unit.")
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="REGEX=KIND", help="Kind of devices by role or name; may be repeated."),
    ] = None,
    length_factor: Annotated[
        float | None, typer.Option("--length-factor", help="Route over straight line, for lengths from positions.")
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option("--site", metavar="[REGEX=]NAME", help="Site of devices without a location; may be repeated."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="Field of a column of a table; may be repeated."),
    ] = None,
    own_parts: OwnParts = None,
    layer: Annotated[
        str | None, typer.Option("--layer", help="Layer to read of several, such as a network of RFC 8345.")
    ] = None,
    decimal: Annotated[
        str | None, typer.Option("--decimal", help="Decimal sign of the numbers in a sheet: point or comma.")
    ] = None,
    keep_management: Annotated[
        bool, typer.Option("--keep-management", help="Keep the cables of management ports, such as mgmt0.")
    ] = False,
    diff: Annotated[
        str | None,
        typer.Option("--diff", metavar="NETWORK", help="Compare with an earlier import; -o writes the changes."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything was assumed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import a network from files of another tool, and report what became of each field."""
    from ..imports import FORMATS, read
    from ..imports.options import import_options

    first = sources[0]
    is_word = not Path(first).exists() and not set(first) & set("./\\")
    is_format = first in FORMATS or (is_word and len(sources) > 1)  # an unknown format is refused with similar names
    paths, format_name = (sources[1:], first) if is_format else (sources, None)
    if not paths:
        refuse(f"no path after {first}", f"twin import {first} PATH")
    options = import_options(
        capacity_gbps=capacity_gbps,
        demand_scale=demand_scale,
        length_factor=length_factor,
        site=site,
        roles=role or (),
        columns=column or (),
        parts=own_parts,
        layer=layer,
        decimal=decimal,
        keep_management=keep_management,
    )
    with progress("reading"):
        is_to_be_written = output is not None and diff is None
        imported = read(paths, format=format_name, options=options, is_to_be_written=is_to_be_written)
        if output is not None and diff is None:
            imported.write(output)
    if diff is not None:
        _show_difference(imported.document, diff, output, own_parts, as_json=as_json)
    elif as_json:
        show_answer(imported.report)
    else:
        from ..render.import_table import import_table

        show(import_table(imported.report.to_dict()))
        _show_written(output, "network")
    if strict and imported.report.assumed:
        raise typer.Exit(CHECK_FAILED)


def _show_difference(
    new: TopologyDocument, old_name: str, output: Path | None, own_parts: Path | None, *, as_json: bool
) -> None:
    """Show what differs from an earlier import, and write the changes to a file."""
    from ..imports.difference import difference
    from ..render.difference_table import difference_table

    network = load_network(old_name, None, own_parts=own_parts)
    answer = difference(
        network.document, new, old_name, lambda changes: network.what_if(changes, main_assumptions=False)
    )
    if output is not None:
        write_changes(output, list(answer.changes))
    if as_json:
        show_answer(answer)
    else:
        show(difference_table(answer.to_dict()))
        _show_written(output, "changes")


def _show_written(output: Path | None, what: str) -> None:
    """Show where the network or the changes were written, or which option writes them."""
    written = f"Nothing was written: `-o {what}.yaml` writes the {what}."
    there = (
        f"The network is in {output}. Next: twin score {output}"
        if what == "network"
        else f"The {what} are in {output}."
    )
    show("\n" + (written if output is None else there))
