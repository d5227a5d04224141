"""Report of reading measurements: what became of each field, and what looks wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..answers.data import Answer
from ..errors.wording import counted
from ..imports.ledger import Ledger
from ..imports.report import (
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
from ..model.measurements import Measurement
from ..render.residual_table import quantity_text


@dataclass(frozen=True, slots=True)
class ReadRecords:
    """Counts of readings in the files and of measurements that were made of them."""

    n_readings: int
    n_measurements: int
    n_links: int
    n_in_budget: int
    """Measurements that link budgets use in place of the model."""


@dataclass(frozen=True, repr=False)
class MeasurementReport(Answer):
    """Report of one run."""

    format: str
    network: str
    files: tuple[str, ...]
    summary: tuple[str, ...]
    records: ReadRecords
    kept: tuple[Kept, ...]
    converted: tuple[Converted, ...]
    assumed: tuple[Assumed, ...]
    dropped: tuple[Dropped, ...]
    findings: tuple[Finding, ...]

    def _table(self) -> Any:
        from ..render.import_table import import_table

        return import_table(self.to_dict())


def report_of(
    format_name: str,
    network: str,
    files: tuple[str, ...],
    n_readings: int,
    made: Sequence[Measurement],
    ledger: Ledger,
) -> MeasurementReport:
    """Return the report of a run, its rows in a fixed order: the most frequent first."""
    links = {m.of.link for m in made}
    n_in_budget = sum(m.is_used for m in made)
    findings, assumed = findings_of(ledger), assumed_of(ledger)
    n_findings, n_assumed = (sum(row.n for row in rows) for rows in (findings, assumed))
    verdict = (
        f"{counted(n_readings, 'reading')} of {format_name}, {counted(len(made), 'measurement')} of "
        f"{counted(len(links), 'link')}: {counted(n_assumed, 'assumption')}, {counted(n_findings, 'finding')}."
    )
    quantities = sorted({quantity_text(m.quantity) for m in made})
    told = [f"Quantities: {', '.join(quantities)}."] if quantities else []
    if n_in_budget:
        told.append(f"{counted(n_in_budget, 'measurement')} will replace the model in link budgets.")
    return MeasurementReport(
        format=format_name,
        network=network,
        files=files,
        summary=(verdict, *told),
        records=ReadRecords(n_readings, len(made), len(links), n_in_budget),
        kept=kept_of(ledger),
        converted=converted_of(ledger),
        assumed=assumed,
        dropped=dropped_of(ledger),
        findings=findings,
    )
