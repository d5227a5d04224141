"""Loads networks by name or path, or from a document."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .catalogue import load_price_book
from .catalogue.prices import GROUPS
from .errors import CatalogueError, DocumentError, Issue, TwinError, did_you_mean
from .formats import READERS, parse_document, read_mapping
from .formats.native import parse_mapping
from .model.document import TopologyDocument
from .model.network import Generators
from .network import Network
from .scenario.apply import parse_changes
from .scenario.document_schema import document_schema
from .topologies import NETWORKS, check_size, digest, expand, network_text

__all__ = ["Network", "document_schema", "from_document", "load"]

GENERATORS = Generators(expand, digest)


def load(name_or_path: str | Path, *, prices: str | Path | Mapping[str, Any] | None = None) -> Network:
    """Load a shipped network by name, or a document from a file.

    Args:
        name_or_path: name of a shipped network, or path of a file.
        prices: entries, or a file of entries, that replace those of the price book.

    Raises:
        CatalogueError: unknown name; the message has similar names.
        DocumentError: the file is not a valid document.
    """
    if not isinstance(name_or_path, str | Path):
        kind = type(name_or_path).__name__
        raise DocumentError(
            f"cannot load a {kind}", expected="a name or a path", hint="twin.from_document takes documents"
        )
    text = str(name_or_path)
    if text in NETWORKS:
        document = parse_document(parse_mapping(network_text(text), text, as_json=False), text)
        return _network(document, text, prices)
    path = Path(text)
    if path.suffix.lower() in READERS or path.exists():
        return _network(parse_document(read_mapping(path), text), path.stem, prices)
    raise CatalogueError(
        f"no network {text!r}",
        expected=f"one of {', '.join(sorted(NETWORKS))}, or a path ending in {', '.join(sorted(READERS))}",
        hint=did_you_mean(text, NETWORKS),
    )


def from_document(document: TopologyDocument | Mapping[str, Any], *, label: str = "document") -> Network:
    """Create a network from a document or plain data.

    label: name in answers if the document has none. Raises DocumentError for invalid data.
    """
    if not isinstance(document, TopologyDocument):
        document = parse_document(document, label)
    return _network(document, label, None)


def _network(document: TopologyDocument, label: str, prices: str | Path | Mapping[str, Any] | None) -> Network:
    if prices is not None:
        book = read_mapping(Path(prices)) if isinstance(prices, str | Path) else prices
        where = str(prices) if isinstance(prices, str | Path) else "prices"
        load_price_book(book, where=where, own_parts=document.parts)
        document = document.model_copy(update={"price_book": _merge_price_books(document.price_book, book)})
    check_size(document)
    network = Network(document, GENERATORS)
    network.label = document.name or label
    issues: list[Issue] = []
    for plan in document.plans:
        try:
            parse_changes(plan.changes, f"plans[{plan.id}].changes")
        except TwinError as error:
            issues += [
                Issue(f"plans[{plan.id}].changes{issue.where}", issue.problem, issue.hint) for issue in error.issues
            ]
    if issues:
        raise DocumentError(f"{len(issues)} bad fields in plans", where=label, found=issues)
    return network


def _merge_price_books(base: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two price books; entries of `user` replace those of `base`, one by one within groups of parts."""
    merged = {**base, **user}
    for group in (*GROUPS, "sources"):
        if group in base and group in user:
            merged[group] = {**base[group], **user[group]}
    return merged
