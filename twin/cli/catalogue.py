"""Commands that list the contents of the package: networks, parts, models, the schema of a document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .terminal import (
    AsJson,
    check_writable,
    load_network,
    progress,
    refuse,
    show,
    show_answer,
    show_data,
    show_json,
)

if TYPE_CHECKING:
    from ..arrays import CompiledNetwork


def topologies(
    name: Annotated[str | None, typer.Argument(help="Show one: sites, jobs, plans, assumptions.")] = None,
    as_json: AsJson = False,
) -> None:
    """The networks that ship with the twin, or one of them (or a file of yours) in detail."""
    from ..render.network_tables import network_table, networks_table
    from ..topologies import NETWORKS

    if name is None:
        if as_json:
            show_json({"topologies": [{"name": key, "note": NETWORKS[key]} for key in sorted(NETWORKS)]})
        else:
            show(networks_table(NETWORKS))
        return
    with progress("loading"):
        loaded = _shipped_network(name) if name in NETWORKS else load_network(name, None)
        size = None if as_json else (loaded.arrays.n_nodes, loaded.arrays.n_links)
    if size is None:
        show_json(loaded.to_document().to_dict())
    else:
        unused = [str(field) for field in loaded.unused_fields]
        warnings = [str(row) for row in getattr(loaded, "warnings", ())]
        label = loaded.document.name or Path(name).stem
        show(network_table(label, loaded.document.to_dict(), *size, unused, warnings))


def _shipped_network(name: str) -> CompiledNetwork:
    """Load a shipped network without its analyses, whose import takes longer than reading the network."""
    from ..arrays import CompiledNetwork
    from ..formats import parse_document
    from ..formats.native import parse_mapping
    from ..model.network import Generators
    from ..topologies import digest, expand, network_text

    document = parse_document(parse_mapping(network_text(name), name, as_json=False), name)
    return CompiledNetwork(document, Generators(expand, digest))


def parts(
    part: Annotated[
        str | None,
        typer.Argument(
            help="Show one with every figure and its source; `general`: the figures that belong to none. "
            "With --from: a file or a folder."
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind", help="fibre, transceiver, fec, amplifier, mux, protection, switch, accelerator; or general."
        ),
    ] = None,
    search: Annotated[str | None, typer.Option("--search", help="Only what has this text in id, name, note.")] = None,
    source_format: Annotated[
        str | None,
        typer.Option("--from", metavar="FORMAT", help="Make parts of other tools' files: netbox-device-types, gnpy."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", callback=check_writable, help="Write the made parts there: .yaml or .json."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The catalogue of parts: list, filter, or one with its sources; or parts made of files of another tool."""
    if source_format is not None:
        _make_parts(source_format, part, output, as_json)
        return
    if output is not None:
        refuse("-o without --from", "`twin parts PART --json` prints a part of the catalogue")
    from ..catalogue import GENERAL, KINDS, catalogue
    from ..errors import did_you_mean
    from ..render.catalogue_tables import general_table, part_table, parts_table

    shipped_parts = catalogue()
    if kind not in (None, *KINDS, GENERAL):
        refuse(f"unknown kind {kind!r}", did_you_mean(kind or "", (*KINDS, GENERAL)) or "see `twin parts --help`")
    if part in shipped_parts.general or GENERAL in (part, kind):
        by_name = part is not None and part != GENERAL
        subjects = shipped_parts.general_named(part or "") if by_name else shipped_parts.search_general(search or "")
        rows = shipped_parts.general_rows(subjects)
        show_data({"general": rows}, as_json, lambda: general_table(rows))
    elif part is not None:
        part_ids = [item.id for item in shipped_parts.parts()]
        if part not in part_ids:
            hint = did_you_mean(part, (*part_ids, GENERAL, *shipped_parts.general))
            refuse(f"no part {part!r} in the catalogue", hint or "`twin parts` lists them")
        record = shipped_parts.get(part, kind).model_dump(mode="json")  # type: ignore[arg-type]  # checked above
        show_data(record, as_json, lambda: part_table(record))
    else:
        matches = shipped_parts.search(search or "", kind)  # type: ignore[arg-type]  # checked above
        records = [item.model_dump(mode="json") for item in matches]
        show_data({"parts": records}, as_json, lambda: parts_table(records))


def _make_parts(source_format: str, path: str | None, output: Path | None, as_json: bool) -> None:
    """Make parts of files of another tool, write them, and report what became of each field."""
    from ..imports.parts import make_parts

    if path is None:
        refuse("no path after --from", f"twin parts --from {source_format} PATH -o parts.yaml")
    with progress("reading"):
        made = make_parts(path, format=source_format)
        if output is not None:
            made.write(output)
    if as_json:
        show_answer(made.report)
        return
    from ..render.import_table import import_table

    show(import_table(made.report.to_dict()))


def models(as_json: AsJson = False) -> None:
    """Well-known models that a job may name: `model: llama-3.1-405b`."""
    from ..model.known_models import model_rows
    from ..render.catalogue_tables import models_table

    show_data({"models": model_rows()}, as_json, lambda: models_table(model_rows()))


def schema() -> None:
    """The JSON Schema of a document, changes of plans included."""
    from ..scenario.document_schema import document_schema

    show_json(document_schema())
