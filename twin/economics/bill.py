"""Bill of materials: lines with quantity, price, range and source, for purchases and for the cost of a year."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ..catalogue import Kind
from ..catalogue.figure_reader import FigureReader, UsedFigure, price_item

CATEGORIES = {
    "transceiver": "transceiver",
    "mux": "line system",
    "protection": "line system",
    "amplifier": "amplifier",
    "switch": "switch",
    "accelerator": "accelerator",
    "card": "card",
    "server": "server",
}
"""Category of a part on a bill by its kind."""
STEPS_PER_USD = 1024.0
"""Totals are whole multiples of 1/1024 USD. Sums of them are exact in any order up to 8e12 USD."""
UNKNOWN_TRANSCEIVER = "transceivers of links that name none"
UNKNOWN_SWITCH = "switches without a part"
Range = tuple[float, float, float]
"""Low, central and high case."""


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a bill. Prices and totals are null where the price is unknown, `why` then says of what."""

    item: str
    category: str
    """A value of `CATEGORIES`, or fibre, labour, electricity, maintenance or lease."""
    quantity: float
    unit: str
    unit_price_usd: float | None
    unit_price_low_usd: float | None
    unit_price_high_usd: float | None
    total_usd: float | None
    """Price of all pieces; that of one year for the cost of operation."""
    total_low_usd: float | None
    total_high_usd: float | None
    paid: Literal["once", "a year"]
    source: str
    status: str
    """Status of the price: `placeholder` for one that ships and is not replaced; empty for an unknown price."""
    book: str
    """Name, version and date of the price book that states the price."""
    why: str = field(default="", metadata={"optional": True})
    change: str = field(default="", metadata={"optional": True})
    """Change that the line belongs to, by its position and kind: `2 set_channels`."""

    def minus(self, other: BillLine) -> BillLine:
        """Return the line with quantity and totals of another line of the same item taken away."""
        own, theirs = _totals(self), _totals(other)
        less = [None if a is None or b is None else a - b for a, b in zip(own, theirs, strict=True)]
        return replace(
            self,
            quantity=self.quantity - other.quantity,
            total_usd=less[0],
            total_low_usd=less[1],
            total_high_usd=less[2],
        )


def _totals(line: BillLine) -> tuple[float | None, float | None, float | None]:
    return line.total_usd, line.total_low_usd, line.total_high_usd


def in_steps(usd: float) -> float:
    """Return an amount rounded to a whole multiple of 1/1024 USD."""
    return round(usd * STEPS_PER_USD) / STEPS_PER_USD


def purchase_lines(
    pieces: Mapping[str, int], fibre_km: float, n_unpriced_links: int, n_unpriced_switches: int, reader: FigureReader
) -> tuple[BillLine, ...]:
    """List what is bought: parts, fibre with its trench, and labour.

    Args:
        pieces: new pieces by part.
        fibre_km: km of route to lay; fibre of several links in one cable counts once.
        n_unpriced_links: links with new members that name no transceiver.
        n_unpriced_switches: new switches that name no part.
        reader: source of prices.

    Returns:
        The lines, by item.
    """
    priced, kinds, hours = reader.prices.part_usd, dict[Kind, int](), 0.0
    lines = []
    for part, n in sorted(pieces.items()):
        if not n:
            continue
        kind = reader.catalogue.get(part).kind
        kinds[kind] = kinds.get(kind, 0) + n
        price = reader.price_figure("part_usd", part) if part in priced else None
        lines.append(_line(reader, part, CATEGORIES[kind], n, "piece", price, "part_usd", part))
    if fibre_km > 0:
        price = reader.price_figure("fibre_install_usd_per_km")
        lines.append(_line(reader, "fibre laid, km", "fibre", fibre_km, "km", price, price.name))
    if n_unpriced_links:
        lines.append(_unpriced(UNKNOWN_TRANSCEIVER, "transceiver", n_unpriced_links, "link", "name the transceiver"))
    if n_unpriced_switches:
        lines.append(_unpriced(UNKNOWN_SWITCH, "switch", n_unpriced_switches, "piece", "name the part of the switch"))
    for kind, n in sorted(kinds.items()):
        hours += n * reader.price("labour_h", kind) if kind in reader.prices.labour_h else 0.0
    price = reader.price_figure("labour_usd_per_hour")
    if hours and price.high:
        lines.append(_line(reader, "labour, h", "labour", hours, "h", price, price.name))
    return tuple(lines)


def operation_lines(
    energy_mwh: float, asset: Range, pair_miles: float, months: float, reader: FigureReader
) -> tuple[BillLine, ...]:
    """List the cost of a year: electricity, maintenance and leased fibre.

    Args:
        energy_mwh: electricity of a year.
        asset: price of the network when new, USD; low and high are those of its prices.
        pair_miles: leased fibre.
        months: months of a year.
        reader: source of prices.
    """
    electricity = reader.price_figure("electricity_usd_per_mwh")
    lease = reader.price_figure("fibre_lease_usd_per_mile_pair_month")
    maintenance = reader.price_figure("maintenance_ratio_per_year")
    upkeep = [in_steps(usd * getattr(maintenance, case)) for usd, case in zip(asset, CASES, strict=True)]
    lines = [
        _line(reader, "electricity", "electricity", energy_mwh, "MWh", electricity, electricity.name, paid="a year"),
        replace(
            _line(reader, "maintenance", "maintenance", asset[1], "USD", maintenance, maintenance.name, paid="a year"),
            total_low_usd=upkeep[0],
            total_usd=upkeep[1],
            total_high_usd=upkeep[2],
        ),
        _line(
            reader, "leased fibre", "lease", pair_miles * months, "pair-mile month", lease, lease.name, paid="a year"
        ),
    ]
    return tuple(line for line in lines if line.quantity)


CASES = ("low", "value", "high")


def _line(
    reader: FigureReader,
    item: str,
    category: str,
    quantity: float,
    unit: str,
    price: UsedFigure | None,
    name: str,
    part: str | None = None,
    paid: Literal["once", "a year"] = "once",
) -> BillLine:
    if price is None:
        return _unpriced(item, category, quantity, unit, f"state part_usd of {item} in a price book")
    return BillLine(
        item=item,
        category=category,
        quantity=float(quantity),
        unit=unit,
        unit_price_usd=price.value,
        unit_price_low_usd=price.low,
        unit_price_high_usd=price.high,
        total_usd=in_steps(quantity * price.value),
        total_low_usd=in_steps(quantity * price.low),
        total_high_usd=in_steps(quantity * price.high),
        paid=paid,
        source=price.source,
        status=price.status,
        book=reader.prices.books[price_item(name, part)],
    )


def _unpriced(item: str, category: str, quantity: float, unit: str, missing: str) -> BillLine:
    """Return the line of a purchase of unknown price. `missing`: what tells the price."""
    return BillLine(
        item=item,
        category=category,
        quantity=float(quantity),
        unit=unit,
        unit_price_usd=None,
        unit_price_low_usd=None,
        unit_price_high_usd=None,
        total_usd=None,
        total_low_usd=None,
        total_high_usd=None,
        paid="once",
        source="",
        status="",
        book="",
        why=f"price unknown: {missing}",
    )


def total_usd(lines: Iterable[BillLine], paid: str) -> float:
    """Return the sum of the lines of one kind, `once` or `a year`; lines of unknown price are left out."""
    return sum((line.total_usd for line in lines if line.paid == paid and line.total_usd is not None), start=0.0)


def differences(before: Iterable[BillLine], after: Iterable[BillLine]) -> Iterator[BillLine]:
    """Yield the lines of `after` without those of `before`, item by item; equal items are left out."""
    old = {(line.item, line.paid): line for line in before}
    new = {(line.item, line.paid): line for line in after}
    for key in dict.fromkeys([*new, *old]):
        line = new.get(key) or _nothing(old[key])
        changed = line.minus(old.get(key) or _nothing(line))
        if changed.quantity or changed.total_usd:
            yield changed


def _nothing(line: BillLine) -> BillLine:
    return line.minus(line)
