"""Report of an import: what became of each field of the source, and what the document supports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..answers.data import Answer
from ..errors.wording import counted
from .build import Built
from .cabling import Cabling
from .ledger import Key, Ledger, Row


@dataclass(frozen=True, slots=True)
class Kept:
    """A field that the document holds as it is written."""

    field: str
    n: int


@dataclass(frozen=True, slots=True)
class Converted:
    """A field that the document holds in another unit or form."""

    field: str
    conversion: str
    n: int


@dataclass(frozen=True, slots=True)
class Assumed:
    """A value that the source does not state."""

    what: str
    value: str
    why: str
    option: str
    """Option of the command, or list of the document, that states it; empty = none."""
    n: int
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A field that the document does not hold."""

    field: str
    effect: str
    """Answers that it could change."""
    n: int
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the source that looks wrong or is missing."""

    kind: str
    problem: str
    hint: str
    n: int
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """Support of a document for a kind of answer."""

    supported: bool
    why: str
    """Parts that are missing or assumed; empty = nothing."""


@dataclass(frozen=True, slots=True)
class Supports:
    """Questions about the document that can be answered."""

    routing: Support
    latency: Support
    optics: Support
    money: Support


@dataclass(frozen=True, slots=True)
class Records:
    """Counts of records of the source and of the document."""

    n_devices: int
    n_cables: int
    n_sites: int
    n_nodes: int
    n_links: int
    n_demands: int


@dataclass(frozen=True, repr=False)
class ImportReport(Answer):
    """Report of one import."""

    format: str
    files: tuple[str, ...]
    summary: tuple[str, ...]
    """The verdict, then what supports it."""
    records: Records
    kept: tuple[Kept, ...]
    converted: tuple[Converted, ...]
    assumed: tuple[Assumed, ...]
    dropped: tuple[Dropped, ...]
    findings: tuple[Finding, ...]
    supports: Supports

    def _table(self) -> Any:
        from ..render.import_table import import_table

        return import_table(self.to_dict())


def report_of(format_name: str, files: tuple[str, ...], cabling: Cabling, built: Built, ledger: Ledger) -> ImportReport:
    """Return the report of an import, its rows in a fixed order: the most frequent first."""
    document = built.document
    records = Records(
        len(cabling.devices),
        built.n_cables,
        len(document.sites),
        len(document.nodes),
        len(document.links),
        len(document.demands),
    )
    supports = _supports(built)
    findings, assumed = findings_of(ledger), assumed_of(ledger)
    return ImportReport(
        format=format_name,
        files=files,
        summary=_summary(format_name, records, supports, assumed, findings),
        records=records,
        kept=kept_of(ledger),
        converted=converted_of(ledger),
        assumed=assumed,
        dropped=dropped_of(ledger),
        findings=findings,
        supports=supports,
    )


def findings_of(ledger: Ledger) -> tuple[Finding, ...]:
    """Return what looks wrong or is missing, the most frequent first."""
    return tuple(Finding(k[0], k[1], k[2], row.n, tuple(row.places)) for k, row in _ordered(ledger.finding_rows))


def assumed_of(ledger: Ledger) -> tuple[Assumed, ...]:
    """Return the values that the source does not state, the most frequent first."""
    return tuple(Assumed(k[0], k[1], k[2], k[3], row.n, tuple(row.places)) for k, row in _ordered(ledger.assumed_rows))


def kept_of(ledger: Ledger) -> tuple[Kept, ...]:
    """Return the fields that are held as they are, the most frequent first."""
    return tuple(Kept(k[0], row.n) for k, row in _ordered(ledger.kept_rows))


def converted_of(ledger: Ledger) -> tuple[Converted, ...]:
    """Return the fields that are held in another unit or form, the most frequent first."""
    return tuple(Converted(k[0], k[1], row.n) for k, row in _ordered(ledger.converted_rows))


def dropped_of(ledger: Ledger) -> tuple[Dropped, ...]:
    """Return the fields that are not held, the most frequent first."""
    return tuple(Dropped(k[0], k[1], row.n, tuple(row.places)) for k, row in _ordered(ledger.dropped_rows))


def _ordered(rows: dict[Key, Row]) -> list[tuple[Any, Row]]:
    return sorted(rows.items(), key=lambda item: (-item[1].n, item[0]))


def _supports(built: Built) -> Supports:
    n = built.n_links
    if n == 0:
        none = Support(False, "no links")
        return Supports(none, none, none, none)
    rates = f"yes, but no utilisation for {built.n_without_rate} of {n} links" if built.n_without_rate else ""
    parts = []
    if built.n_without_length:
        parts.append(f"no value for {built.n_without_length} of {n} links")
    if built.n_assumed_length:
        parts.append(f"assumed for {built.n_assumed_length} of {n} links")
    return Supports(
        routing=Support(True, rates),
        latency=Support(built.n_without_length < n, "; ".join(parts)),
        optics=_optics(built),
        money=_money(built),
    )


def _optics(built: Built) -> Support:
    n = sum(link.transceiver is not None for link in built.document.links)
    if not n:
        return Support(False, "no link names a transceiver: state it, or one of that model with --parts")
    return Support(True, "" if n == built.n_links else f"for {n} of {built.n_links} links, others name no transceiver")


def _money(built: Built) -> Support:
    if not built.n_parts and not built.n_own_parts:
        return Support(
            False, "no node names a part, so nothing has a price: state part, or a part of that model with --parts"
        )
    if built.n_own_parts:
        return Support(False, f"no price for {counted(built.n_own_parts, 'own part')}: name them in price_book")
    return Support(True, f"parts of {built.n_parts} of {counted(len(built.document.nodes), 'node')}, no transceivers")


def _summary(
    format_name: str, records: Records, supports: Supports, assumed: tuple[Assumed, ...], findings: tuple[Finding, ...]
) -> tuple[str, ...]:
    made = f"{counted(records.n_nodes, 'node')}, {counted(records.n_links, 'link')}"
    if records.n_demands:
        made += f", {counted(records.n_demands, 'demand')}"
    n_assumed, n_findings = sum(row.n for row in assumed), sum(row.n for row in findings)
    verdict = (
        f"{made} imported from {format_name}: {counted(n_assumed, 'assumption')}, {counted(n_findings, 'finding')}."
    )
    words = []
    for name in ("routing", "latency", "optics", "money"):
        support: Support = getattr(supports, name)
        told = f" {support.why}" if support.supported and support.why else ""
        reason = f" ({support.why})" if support.why else ""
        words.append(f"{name}{told or (' yes' if support.supported else ' no' + reason)}")
    return verdict, f"Supports: {'; '.join(words)}."
