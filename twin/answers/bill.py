"""Bill of materials of a plan, change by change, with the price book behind each price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..arrays import State
from ..catalogue.figure_reader import PLACEHOLDER, FigureReader
from ..economics.bill import BillLine, differences, total_usd
from ..economics.cost import NetworkCost, network_cost
from ..errors.wording import counted
from ..render.bill_table import bill_table
from ..render.quantities import names_text, usd_text
from ..scenario.apply import Scenario, apply_one_by_one
from ..scenario.changes import Change
from .data import Answer
from .money_metrics import unpriced_purchases_text, unpriced_text
from .score import data_frame


@dataclass(frozen=True, slots=True)
class UsedBook:
    """A price book, and what of a bill it prices."""

    book: str
    """Name, version and date; empty for what no book prices."""
    n_lines: int
    capex_usd: float
    opex_usd_per_year: float


@dataclass(frozen=True, kw_only=True, repr=False)
class Bill(Answer):
    """Purchases of a plan and its added cost of a year, line by line.

    The sums are those of the what-if to the last bit. A later change may take away what an earlier one buys: its line
    then has a quantity below zero.
    """

    network: str
    plan: str | None
    summary: tuple[str, ...]
    capex_usd: float | None
    capex_low_usd: float
    """With all prices at the low end of their ranges; lines of unknown price left out."""
    capex_high_usd: float
    opex_change_usd_per_year: float | None
    lines: tuple[BillLine, ...]
    books: tuple[UsedBook, ...]
    why: dict[str, str] = field(default_factory=dict, metadata={"optional": True})

    def to_pandas(self) -> Any:
        """Return the lines as a DataFrame (needs the extra `tables`)."""
        return data_frame(self.to_dict()["lines"], [spec.name for spec in fields(BillLine)])

    def _table(self) -> Any:
        return bill_table(self.to_dict())


def bill_of(
    plan: str | None, network: str, before: Scenario, changes: Sequence[Change], reader: FigureReader, where: str
) -> Bill:
    """List what changes buy, one change after the other in the order of their application.

    Args:
        plan: id of the plan; None for a list of changes.
        network: label of the network.
        before: scenario without the changes; they are known to apply.
        changes: the changes.
        reader: source of figures and prices.
        where: place of the changes, for messages.
    """
    old = before.case
    known = cost = network_cost(old.state, old.document, reader, old.state)
    lines: list[BillLine] = []
    for i, scenario in apply_one_by_one(before, changes, reader, where):
        cost = _cost_after(scenario, old.state, reader)
        label = f"{i + 1} {changes[i].kind}"
        lines += [replace(line, change=label) for line in differences(known.lines, cost.lines)]
        known = cost
    why = _unknown(cost)
    once = [line for line in lines if line.paid == "once"]
    capex_usd = None if "capex_usd" in why else total_usd(lines, "once")
    opex_usd = None if "opex_change_usd_per_year" in why else total_usd(lines, "a year")
    return Bill(
        network=network,
        plan=plan,
        summary=tuple(_summary(capex_usd, opex_usd, lines, why)),
        capex_usd=capex_usd,
        capex_low_usd=sum((line.total_low_usd or 0.0 for line in once), start=0.0),
        capex_high_usd=sum((line.total_high_usd or 0.0 for line in once), start=0.0),
        opex_change_usd_per_year=opex_usd,
        lines=tuple(lines),
        books=tuple(_books(lines)),
        why=why,
    )


def _cost_after(scenario: Scenario, before: State, reader: FigureReader) -> NetworkCost:
    return network_cost(scenario.case.state, scenario.case.document, reader, before)


def _unknown(cost: NetworkCost) -> dict[str, str]:
    parts = cost.unpriced_parts
    found = {
        "capex_usd": unpriced_purchases_text(cost),
        "opex_change_usd_per_year": unpriced_text(parts) if parts else "",
    }
    return {name: why for name, why in found.items() if why}


def _summary(
    capex_usd: float | None, opex_usd: float | None, lines: Sequence[BillLine], why: dict[str, str]
) -> Iterator[str]:
    if not lines:
        yield "Nothing to buy, and the cost of operation stays."
        return
    if capex_usd is not None:
        yield f"To buy: {usd_text(capex_usd)}."
    elif known_usd := total_usd(lines, "once"):
        yield f"To buy: {usd_text(known_usd)}, and items of unknown price."
    if opex_usd:
        yield f"A year costs {usd_text(abs(opex_usd))} {'more' if opex_usd > 0 else 'less'}."
    unknown = sorted({line.item for line in lines if line.total_usd is None and line.quantity > 0})
    if unknown:
        yield f"Price unknown: {names_text(unknown)}."
    yield from (f"{text[0].upper()}{text[1:]}." for name, text in why.items() if name != "capex_usd")
    n = sum(line.status == PLACEHOLDER for line in lines)
    if n:
        yield f"{counted(n, 'line')} of {len(lines)} with placeholder prices: state yours in a price book."


def _books(lines: Iterable[BillLine]) -> Iterator[UsedBook]:
    by_book: dict[str, list[BillLine]] = {}
    for line in lines:
        by_book.setdefault(line.book, []).append(line)
    for book, own in sorted(by_book.items()):
        yield UsedBook(book, len(own), total_usd(own, "once"), total_usd(own, "a year"))
