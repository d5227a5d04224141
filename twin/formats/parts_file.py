"""Own parts from a file: a mapping with `parts`, in the form of a document or of the shipped sheets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..catalogue import Part, catalogue
from ..catalogue.sheets import full_figure
from ..errors import DocumentError, did_you_mean
from ..errors.wording import quoted, type_text
from ..model.document import TopologyDocument
from ..model.part_rules import check_parts
from . import read_mapping, write_document
from .native import parse_document

FILE_KEYS = ("parts", "sources", "note", "schema_version")
EXPECTED = "a mapping with a list `parts`"


def read_own_parts(path: str | Path) -> tuple[Part, ...]:
    """Read own parts from a YAML or JSON file, and check them as those of a document.

    Figures may be short, as in the shipped sheets: `{value, range, from}`, where `from` names an entry of `sources`.
    FEC that the parts name is in the catalogue or in the file.

    Raises:
        DocumentError: the file cannot be read, or bad fields; it lists all of them.
        TopologyError: an id that the catalogue has, or missing figures.
    """
    where = str(path)
    data = read_mapping(Path(path), expected=EXPECTED)
    return own_parts_of(data, where)


def own_parts_of(data: Mapping[str, Any], where: str) -> tuple[Part, ...]:
    """Return own parts from plain data of a file; see `read_own_parts`."""
    unknown = [str(key) for key in data if key not in FILE_KEYS]
    if unknown:
        hint = did_you_mean(unknown[0], FILE_KEYS) or f"known: {', '.join(FILE_KEYS)}"
        raise DocumentError(f"unknown key {quoted(unknown[0])}", where=where, expected=EXPECTED, hint=hint)
    listed, sources = data.get("parts"), data.get("sources", {})
    for name, value, kind in (("parts", listed, list), ("sources", sources, Mapping)):
        if not isinstance(value, kind):
            raise DocumentError(f"{name} holds {type_text(value)}", where=where, expected=EXPECTED)
    full = [_full(part, sources, f"{where}: parts[{i}]") for i, part in enumerate(listed or ())]
    document = parse_document({"parts": full}, where)
    check_parts(document.parts, catalogue(), where)
    return document.parts


def merged_parts(document: TopologyDocument, parts: Iterable[Part]) -> TopologyDocument:
    """Return a document with additional own parts; one of the same id replaces that of the document."""
    added = tuple(parts)
    ids = {part.id for part in added}
    kept = tuple(part for part in document.parts if part.id not in ids)
    return document.model_copy(update={"parts": (*kept, *added)}) if added else document


def write_own_parts(parts: Iterable[Part], path: Path) -> None:
    """Write parts as a file that `read_own_parts` reads. Raises DocumentError for an unknown ending."""
    write_document(TopologyDocument(parts=tuple(parts)), path)


def _full(value: Any, sources: Mapping[str, Any], where: str) -> Any:
    """Return plain data with full figures in place of short ones, at any depth."""
    if isinstance(value, list):
        return [_full(item, sources, f"{where}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if "value" in value and not value.keys().isdisjoint(("from", "range", "assumed")):
        try:
            return full_figure(value, sources)
        except ValueError as error:
            raise DocumentError(str(error), where=where) from error
    return {key: _full(item, sources, f"{where}.{key}") for key, item in value.items()}
