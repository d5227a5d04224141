"""Table of formats of parts of other tools: one row each; `twin parts --from` and the contract test read this table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..catalogue import Part
from . import device_types, gnpy_equipment
from .files import SourceFile, files_below, source_files
from .ledger import Ledger

Read = Callable[[Sequence[SourceFile], Ledger], list[Part]]


@dataclass(frozen=True, slots=True)
class PartFormat:
    """A row of the table: files of one tool that describe parts."""

    name: str
    sentence: str
    read: Read
    """Makes parts of files, and counts each field in the ledger. Raises DocumentError with file, place and hint."""
    files: Callable[[Iterable[Path]], list[SourceFile]]
    """Lists the files of the paths that a user names: `source_files`, or `files_below` for folders in folders."""


def _yaml_below(paths: Iterable[Path]) -> list[SourceFile]:
    return files_below(paths, (".yaml", ".yml"))


ROWS = (
    PartFormat(
        "netbox-device-types",
        "YAML files of NetBox's device-type library: switches, servers and cards with ports and watts.",
        device_types.read,
        _yaml_below,
    ),
    PartFormat(
        "gnpy",
        "Equipment JSON of GNPy: amplifiers, fibres and transceivers with their modes.",
        gnpy_equipment.read_parts,
        source_files,
    ),
)
PART_FORMATS: dict[str, PartFormat] = {row.name: row for row in ROWS}
"""Formats by name."""
