"""Networks as tables: the shipped ones, or one with its jobs, plans and assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from .table_parts import add_plain_row, bare_table, sentences, two_columns


def networks_table(networks: Mapping[str, str]) -> RenderableType:
    """Show networks by name, each with its description."""
    table = bare_table()
    table.add_column("network", no_wrap=True)
    table.add_column("what it is")
    for name, description in sorted(networks.items()):
        add_plain_row(table, name, description)
    return table


def network_table(
    label: str,
    document: Mapping[str, Any],
    n_nodes: int,
    n_links: int,
    unused: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> RenderableType:
    """Show a document: size of its expanded network, jobs, plans, assumptions, unused fields.

    Args:
        label: name of the network.
        document: the document as plain data.
        n_nodes: nodes of the expanded network.
        n_links: links of the expanded network.
        unused: fields that no answer uses yet, as text.
        warnings: inputs that are missing, as text.
    """
    size = f"{label} · {n_nodes:,} nodes · {n_links:,} links"
    parts: list[RenderableType] = [Text(f"{size} · as of {document.get('as_of') or 'no date'}")]
    if document.get("note"):
        parts += [Text(document["note"]), Text()]
    for kind in ("job", "plan"):
        records = document.get(f"{kind}s", ())
        if records:
            parts.append(two_columns(kind, [(record["id"], record.get("note", "")) for record in records]))
    parts += sentences("Assumptions", document.get("assumptions", ()))
    return Group(*parts, *sentences("Fields that no answer uses yet", unused), *sentences("Warnings", warnings))
