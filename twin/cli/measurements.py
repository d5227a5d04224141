"""The command that reads measurements of a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .imports import format_and_paths
from .terminal import CHECK_FAILED, AsJson, check_writable, load_network, progress, show, show_answer


def measurements(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="[FORMAT] FILE...", help="A format, then files or a folder; it may be left out."),
    ],
    network: Annotated[
        str, typer.Option("--network", metavar="NETWORK", help="Measured network: a catalogue name or a path.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", callback=check_writable, help="Write the network with them: .yaml or .json."),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option("--decimal", help="Decimal sign of the numbers in a sheet: point or comma.")
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="NAME=LINK[#SPAN][@NODE]", help="Link of a port, fibre or file name; repeatable."
        ),
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="Node whose ports the files name.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="DAY", help="Day of readings that state none.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DAY", help="Day of the network that is written; its own otherwise."),
    ] = None,
    quantity: Annotated[
        str | None, typer.Option("--quantity", help="Quantity of series whose name says none, such as latency.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Unit of values that state none, such as ms.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything was assumed or found.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read measurements: OTDR, ethtool, SONiC, Prometheus, CSV."""
    from ..readings import FORMATS, read, reading_options

    format_name, paths = format_and_paths(sources, FORMATS, "measurements --network NETWORK")
    options = reading_options(
        at=at, as_of=as_of, device=device, quantity=quantity, unit=unit, maps=maps or (), decimal=decimal
    )
    with progress("reading"):
        measured = read(paths, load_network(network, None), format=format_name, options=options)
        if output is not None:
            measured.write(output)
    if as_json:
        show_answer(measured.report)
    else:
        from ..render.import_table import import_table

        show(import_table(measured.report.to_dict()))
    if strict and (measured.report.assumed or measured.report.findings):
        raise typer.Exit(CHECK_FAILED)
