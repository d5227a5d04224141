"""Report of an export: what the files hold of the network, in which form, and what they do not hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..answers.data import Answer
from ..errors.wording import counted
from ..imports.ledger import Ledger
from ..imports.report import Converted, Dropped, Kept, converted_of, dropped_of, kept_of
from .plain import PlainNetwork, size_text


@dataclass(frozen=True, slots=True)
class ExportedRecords:
    """Numbers of records in the files."""

    n_nodes: int
    n_links: int
    n_demands: int


@dataclass(frozen=True, repr=False)
class ExportReport(Answer):
    """Fate of each field of the network: kept, converted or dropped."""

    format: str
    network: str
    plan: str | None
    """Plan that was applied first, or `changes`; None = the network as it is."""
    files: tuple[str, ...]
    """Names of the files of a folder; empty for a single file."""
    summary: tuple[str, ...]
    records: ExportedRecords
    kept: tuple[Kept, ...]
    converted: tuple[Converted, ...]
    dropped: tuple[Dropped, ...]

    def _table(self) -> Any:
        from ..render.import_table import import_table

        return import_table(self.to_dict())


def report_of(
    format_name: str, label: str, plan: str | None, files: tuple[str, ...], network: PlainNetwork, ledger: Ledger
) -> ExportReport:
    """Return the report of an export, its rows in a fixed order: the most frequent first."""
    dropped = dropped_of(ledger)
    lost = f"{counted(len(dropped), 'field')} not held" if dropped else "every stated field is held"
    return ExportReport(
        format=format_name,
        network=label,
        plan=plan,
        files=files,
        summary=(f"{size_text(network)} exported as {format_name}: {lost}.",),
        records=ExportedRecords(len(network.nodes), len(network.links), len(network.demands)),
        kept=kept_of(ledger),
        converted=converted_of(ledger),
        dropped=dropped,
    )
