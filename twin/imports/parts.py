"""Makes own parts of files of another tool, with a report of what became of each field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..answers.data import Answer
from ..catalogue import Part, catalogue
from ..errors import DocumentError, did_you_mean
from ..errors.wording import counted, quoted
from ..formats.parts_file import write_own_parts
from ..model.part_rules import check_parts
from .ledger import Ledger
from .part_formats import PART_FORMATS
from .report import (
    Assumed,
    Converted,
    Dropped,
    Finding,
    Kept,
    assumed_of,
    converted_of,
    dropped_of,
    findings_of,
    kept_of,
)

MAX_PARTS = 10_000
"""Most parts of one document."""


@dataclass(frozen=True, slots=True)
class MadePart:
    """A part that was made, and how many of its figures the source does not state."""

    id: str
    kind: str
    name: str
    n_figures: int
    n_assumed: int


@dataclass(frozen=True, repr=False)
class PartsReport(Answer):
    """Report of parts made of files of another tool."""

    format: str
    files: tuple[str, ...]
    summary: tuple[str, ...]
    """The verdict, then what to do next."""
    parts: tuple[MadePart, ...]
    kept: tuple[Kept, ...]
    converted: tuple[Converted, ...]
    assumed: tuple[Assumed, ...]
    dropped: tuple[Dropped, ...]
    findings: tuple[Finding, ...]

    def _table(self) -> Any:
        from ..render.import_table import import_table

        return import_table(self.to_dict())


@dataclass(frozen=True, eq=False)
class MadeParts:
    """Parts, and the report of how they were made."""

    parts: tuple[Part, ...]
    report: PartsReport

    def write(self, path: str | Path) -> None:
        """Write a file of parts for `--parts`. Raises DocumentError for an unknown ending."""
        write_own_parts(self.parts, Path(path))


def make_parts(paths: str | Path | Iterable[str | Path], *, format: str) -> MadeParts:
    """Make parts of files of another tool.

    Args:
        paths: a file, a folder, or several of them. No file that is named inside a file is read.
        format: name in `PART_FORMATS`.

    Raises:
        DocumentError: unknown format, a file that cannot be read, or no part in it.
        TopologyError: a part that breaks the rules of own parts.
    """
    row = PART_FORMATS.get(format)
    if row is None:
        hint = did_you_mean(format, PART_FORMATS)
        expected = f"one of {', '.join(PART_FORMATS)}"
        raise DocumentError(f"no format of parts {quoted(format)}", expected=expected, hint=hint)
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    where = ", ".join(str(path) for path in listed[:10])
    files = row.files(map(Path, listed))
    ledger = Ledger()
    parts = tuple(sorted(row.read(files, ledger), key=lambda part: part.id))
    if not parts:
        first = next((f": {key[1]}" for key in ledger.finding_rows), "")
        raise DocumentError(f"no part in {counted(len(files), 'file')}{first}", where=where, hint=row.sentence)
    if len(parts) > MAX_PARTS:
        hint = "name the folder of one manufacturer"
        raise DocumentError(f"{len(parts):,} parts", where=where, expected=f"at most {MAX_PARTS:,}", hint=hint)
    check_parts(parts, catalogue(), where)
    return MadeParts(parts, _report(row.name, files, parts, ledger))


def _report(name: str, files: Iterable[Any], parts: tuple[Part, ...], ledger: Ledger) -> PartsReport:
    assumed, findings = assumed_of(ledger), findings_of(ledger)
    made = tuple(_made(part) for part in parts)
    n_assumed, n_findings = sum(part.n_assumed for part in made), sum(row.n for row in findings)
    return PartsReport(
        format=name,
        files=tuple(file.name for file in files),
        summary=(
            f"{counted(len(parts), 'part')} made from {name}: {counted(n_assumed, 'assumed figure')}, "
            f"{counted(n_findings, 'finding')}.",
            "Prices are not stated: name them in a price book, part_usd.",
        ),
        parts=made,
        kept=kept_of(ledger),
        converted=converted_of(ledger),
        assumed=assumed,
        dropped=dropped_of(ledger),
        findings=findings,
    )


def _made(part: Part) -> MadePart:
    n_assumed = sum(figure.status == "estimate" for figure in part.figures.values())
    return MadePart(part.id, part.kind, part.name, len(part.figures), n_assumed)
