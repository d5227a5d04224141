"""Networks as tables: the shipped ones, or one with its jobs, plans and assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from .table_parts import bare_table, sentences, two_columns


def networks_table(networks: Mapping[str, str]) -> RenderableType:
    """Show networks by name, with a sentence about each."""
    table = bare_table()
    table.add_column("network", no_wrap=True)
    table.add_column("what it is")
    for name, sentence in sorted(networks.items()):
        table.add_row(name, sentence)
    return table


def network_table(
    label: str, document: Mapping[str, Any], n_nodes: int, n_links: int, unused: Sequence[str] = ()
) -> RenderableType:
    """Show a document as plain data, the size of its expanded network, and the fields that no answer uses yet."""
    size = f"{label} · {n_nodes:,} nodes · {n_links:,} links"
    parts: list[RenderableType] = [Text(f"{size} · as of {document.get('as_of') or 'no date'}")]
    if document.get("note"):
        parts += [Text(document["note"]), Text()]
    for what in ("job", "plan"):
        listed = document.get(f"{what}s", ())
        if listed:
            parts.append(two_columns(what, [(each["id"], each.get("note", "")) for each in listed]))
    parts += sentences("Assumptions", document.get("assumptions", ()))
    return Group(*parts, *sentences("Fields that no answer uses yet", unused))
