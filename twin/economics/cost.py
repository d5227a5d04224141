"""Cost of a network: bill of materials, purchases of a change, cost of operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..arrays.boosters import booster_codes, booster_parts, n_boosters
from ..arrays.cables import counted_spans, new_pairs_by_span, spans_before
from ..arrays.columns import LAST_END_POINT
from ..arrays.node_ports import CARD_KINDS, figure_of_kind, is_of_kinds, n_pieces
from ..arrays.sums import sum_of, sums_by
from ..catalogue.figure_reader import FigureReader
from ..model.document import TopologyDocument
from ..units import DAYS_PER_YEAR, HOURS_PER_MONTH, MONTHS_PER_YEAR
from .bill import CASES, BillLine, Range, operation_lines, purchase_lines, total_usd

KM_PER_MILE = 1.609344
HOURS_PER_YEAR = HOURS_PER_MONTH * MONTHS_PER_YEAR


@dataclass(frozen=True, eq=False)
class BillOfMaterials:
    """Pieces by part, own fibre in km of route, leased fibre in pair-miles."""

    n_parts: Mapping[str, int]
    n_accelerators: Mapping[str, int]
    """Accelerators among the parts."""
    own_fibre_km: float
    leased_pair_miles: float
    power_w: float
    """At the meter, with PUE."""


@dataclass(frozen=True, eq=False)
class NetworkCost:
    """Price of the network when new, cost of operation per year, and purchases of a change."""

    bill: BillOfMaterials
    asset_usd: float
    opex_usd_per_year: float
    capex_usd: float
    lines: tuple[BillLine, ...]
    """Purchases of a change, then the cost of a year. Their sums are `capex_usd` and `opex_usd_per_year`."""
    unpriced_parts: tuple[str, ...] = ()
    """Own parts of the network that the price book does not price; no sum counts them."""
    unpriced_purchases: tuple[str, ...] = ()
    """Parts among them that a change buys."""
    n_unpriced_links: int = 0
    """Links that a change gives more members, and whose transceiver is not named."""
    n_unpriced_switches: int = 0
    """Switches that a change adds, and whose part is not named."""

    @property
    def purchases(self) -> tuple[tuple[str, float, float | None], ...]:
        """(item, amount, USD) of what a change buys, most expensive first; None where the price is unknown."""
        bought = [(line.item, line.quantity, line.total_usd) for line in self.lines if line.paid == "once"]
        return tuple(sorted(bought, key=lambda item: (item[2] is not None, -(item[2] or 0.0), item[0])))


def bill_of_materials(state: State, document: TopologyDocument, reader: FigureReader) -> BillOfMaterials:
    """Count all parts of a state, whether up or not."""
    n_parts: dict[str, int] = {}
    n_ends = 2 * (1 + state.link_n_regenerators)
    _add_counts(n_parts, state, state["link_transceiver"], n_ends * state["link_n_parallel"])
    _add_counts(n_parts, state, state["link_mux"], n_ends * state["link_n_fibre_pairs"])
    _add_counts(n_parts, state, state["link_protection"], 2 * state["link_n_fibre_pairs"])
    _add_counts(n_parts, state, state["node_part"], n_pieces(state, reader))
    counts = counted_spans(state)
    _add_counts(n_parts, state, state["span_amplifier"], _n_amplifiers(state) * counts)
    _add_counts(n_parts, state, booster_codes(state, reader), n_boosters(state), booster_parts(state))
    n_accelerators: dict[str, int] = {}
    _add_counts(n_accelerators, state, state["node_accelerator"], state["node_n_accelerators"])
    n_parts |= n_accelerators
    leased, length_km = state["span_leased"], state["span_length_km"]
    pairs = state["link_n_fibre_pairs"][state["span_link"]]
    return BillOfMaterials(
        n_parts=n_parts,
        n_accelerators=n_accelerators,
        own_fibre_km=sum_of(length_km[~leased & counts & laid_spans(state, reader)]),
        leased_pair_miles=sum_of((length_km * pairs)[leased & counts]) / KM_PER_MILE,
        power_w=sum_of(site_power_w(state, document, reader)),
    )


def purchased_items(before: State, after: State, reader: FigureReader) -> tuple[dict[str, int], float]:
    """Count what a change buys: what is new, renewed, or of another kind.

    A slot, rack or span that stays as it was costs nothing. Removed parts are neither sold nor used again.

    Args:
        before: state before the change.
        after: state after the change.
        reader: source of figures.

    Returns:
        (pieces by part, km of own fibre).
    """
    pieces: dict[str, int] = {}
    links = _rows_before(before.link_index, after.link_ids, before.link_ids is after.link_ids)
    nodes = _rows_before(before.node_index, after.node_ids, before.node_ids is after.node_ids)
    n_ends = 2 * (1 + after.link_n_regenerators)
    n_per_record: int | Ints
    for part_column, count_column, age_column, rows, n_per_record in (
        ("link_transceiver", "link_n_parallel", "link_age_years", links, n_ends),
        ("link_mux", "link_n_fibre_pairs", None, links, n_ends),
        ("link_protection", "link_n_fibre_pairs", None, links, 2),
        ("node_part", None, "node_age_years", nodes, 1),
        ("node_accelerator", "node_n_accelerators", "node_age_years", nodes, 1),
    ):
        if count_column:
            n_after, n_before = after[count_column], _values_before(before, count_column, rows)
        else:
            n_after, n_before = n_pieces(after, reader), np.append(n_pieces(before, reader), 0)[rows]
        n_before = np.where(rows >= 0, n_before, 0)
        parts_before = _part_names(before, _values_before(before, part_column, rows))
        is_unchanged = (rows >= 0) & (parts_before == _part_names(after, after[part_column]))
        if age_column is not None:
            age_before = _values_before(before, age_column, rows)
            with np.errstate(invalid="ignore"):
                is_unchanged &= ~(
                    (after[age_column] < age_before) | (np.isnan(age_before) & ~np.isnan(after[age_column]))
                )
        n_new = np.where(is_unchanged, np.maximum(n_after - n_before, 0), n_after)
        _add_counts(pieces, after, after[part_column], n_per_record * n_new)
    pairs_before = np.where(links >= 0, _values_before(before, "link_n_fibre_pairs", links), 0)
    n_new_pairs = new_pairs_by_span(before, after, pairs_before)
    _add_counts(pieces, after, after["span_amplifier"], 2 * n_new_pairs)
    _add_new_boosters(pieces, before, after, reader, links)
    is_counted = ~after["span_leased"] & laid_spans(after, reader) & counted_spans(after)
    return pieces, _new_fibre_km(before, after, spans_before(before, after, links), is_counted)


def _add_new_boosters(pieces: dict[str, int], before: State, after: State, reader: FigureReader, links: Ints) -> None:
    """Add boosters that a change buys: those of another part than before, and those of more pairs or paths."""
    codes, names = booster_codes(after, reader), booster_parts(after)
    if not (codes >= 0).any():
        return
    codes_before = np.append(booster_codes(before, reader), -1)[links]
    same = np.array([*booster_parts(before), None], dtype=object)[codes_before]
    is_same = (links >= 0) & (same == np.array([*names, None], dtype=object)[codes])
    n_before = np.where(is_same, np.append(n_boosters(before), 0)[links], 0)
    _add_counts(pieces, after, codes, np.maximum(n_boosters(after) - n_before, 0), names)


def unpriced_links(before: State, after: State) -> int:
    """Count the links with new members that name no transceiver, so that nothing tells what they cost."""
    rows = _rows_before(before.link_index, after.link_ids, before.link_ids is after.link_ids)
    n_before = np.where(rows >= 0, _values_before(before, "link_n_parallel", rows), 0)
    return int(((after["link_transceiver"] < 0) & (after["link_n_parallel"] > n_before)).sum())


def unpriced_switches(before: State, after: State) -> int:
    """Count the new switches, routers and optical nodes that name no part, so that nothing tells what they cost."""
    rows = _rows_before(before.node_index, after.node_ids, before.node_ids is after.node_ids)
    is_new = (rows < 0) & (after["node_kind"] > LAST_END_POINT)
    return int((is_new & (after["node_part"] < 0)).sum())


def _rows_before(index: Mapping[str, int], names: tuple[str, ...], unchanged: bool) -> Ints:
    """Row that each record had before, -1 for a new one."""
    if unchanged:
        return np.arange(len(names))
    return np.fromiter((index.get(name, -1) for name in names), dtype=np.int64, count=len(names))


def _values_before(state: State, column: str, rows: Ints) -> npt.NDArray[Any]:
    """Values of a column at rows, -1 for row -1; a network may have had no links at all."""
    return np.append(state[column], -1)[rows]


def _part_names(state: State, codes: Ints) -> npt.NDArray[np.object_]:
    """Part id by code, None for code -1."""
    return np.array([*state.parts, None], dtype=object)[codes]


def laid_spans(state: State, reader: FigureReader) -> Bools:
    """Tell which spans are laid in ducts, bool[n_spans]: single-mode fibre of wide-area links, no indoor cables."""
    is_laid = np.ones(len(state.parts) + 1, dtype=np.bool_)
    codes = np.unique(state["span_fibre"])
    is_laid[codes] = [code < 0 or reader.catalogue.get(state.parts[code]).medium is None for code in codes]
    is_wide_area = state.link_tier == TIERS.index("wide_area")
    return np.asarray(is_laid[state["span_fibre"]] & is_wide_area[state["span_link"]])


def _new_fibre_km(before: State, after: State, old: Ints, is_counted: Bools) -> float:
    """Own fibre that did not exist before: of another kind, younger, longer, or leased before.

    `old`: row of each span before, -1 for none; `is_counted`: spans of own fibre in ducts that count, bool[n_spans].
    """
    new_km = 0.0
    for row in np.flatnonzero(is_counted).tolist():
        length_km = float(after["span_length_km"][row])
        if old[row] >= 0 and _is_same_fibre(before, after, int(old[row]), row):
            length_km = max(0.0, length_km - float(before["span_length_km"][old[row]]))
        new_km += length_km
    return new_km


def _is_same_fibre(before: State, after: State, old: int, row: int) -> bool:
    """Whether a span's own fibre is still that of row `old` before: of the same kind and not renewed."""
    if before["span_leased"][old]:
        return False
    if before.part_id(before["span_fibre"][old]) != after.part_id(after["span_fibre"][row]):
        return False
    years_before, years_after = before["span_age_years"][old], after["span_age_years"][row]
    is_dated = before["span_undated"][old] and not after["span_undated"][row]
    return not (years_after < years_before or is_dated)


def _n_amplifiers(state: State) -> Ints:
    """Amplifiers after each span: one for each direction of each fibre pair."""
    return np.asarray(2 * state["link_n_fibre_pairs"][state["span_link"]])


def _add_counts(
    n_parts: dict[str, int], state: State, codes: Ints, n: Ints, parts: tuple[str, ...] | None = None
) -> None:
    """Add `n` pieces of each part to `n_parts`; code -1 is no part. `parts`: ids by code, None = those of the state."""
    used, names = codes >= 0, parts or state.parts
    if used.any():
        total = np.bincount(codes[used], weights=n[used], minlength=len(names))
        for code in np.flatnonzero(total):
            n_parts[names[code]] = n_parts.get(names[code], 0) + int(total[code])


def node_power_w(state: State, reader: FigureReader) -> Floats:
    """Power of each node before PUE: accelerators with their part of the rack, switches, servers, optics, boosters.

    The power per accelerator includes its server, its network cards and the optics of its ports.

    Returns:
        float64[n_nodes].
    """
    per_accelerator = reader.by_code(
        state.parts, state["node_accelerator"], "rack_w_per_accelerator", "accelerator", 0.0
    )
    power = per_accelerator * state["node_n_accelerators"]
    power += reader.by_code(state.parts, state["node_part"], "power_w", "switch", 0.0)
    has_own = (state["node_n_accelerators"] == 0) & is_of_kinds(state, reader, CARD_KINDS)
    if has_own.any():
        for kind in sorted(CARD_KINDS):
            piece_w = np.nan_to_num(figure_of_kind(state, reader, "power_w", kind))
            power += np.where(has_own, piece_w * n_pieces(state, reader), 0.0)
    optics = reader.by_code(state.parts, state["link_transceiver"], "power_w", "transceiver", 0.0)
    optics = optics * state["link_n_parallel"]
    boosters = booster_power_w(state, reader)
    is_rack = (state["node_kind"] <= 1) & ~has_own
    for side in (0, 1):
        end = state["link_ends"][:, side]
        power += sums_by(end, np.where(is_rack[end], 0.0, optics), state.n_nodes)
        power += sums_by(end, boosters / 2.0, state.n_nodes)
    return np.asarray(power)


def booster_power_w(state: State, reader: FigureReader) -> Floats:
    """Power of all boosters of each link before PUE, float64[n_links]; half of it at each end."""
    codes = booster_codes(state, reader)
    return np.asarray(reader.by_code(booster_parts(state), codes, "power_w", "amplifier", 0.0) * n_boosters(state))


def site_power_w(state: State, document: TopologyDocument, reader: FigureReader) -> Floats:
    """Power at the meter by row of `sites`, and of nodes without a site in the last row; float64[n_sites + 1]."""
    sites = {site.id: site for site in document.sites}
    default = reader.general("site_pue_ratio")
    pue = np.array([sites[name].pue_ratio or default for name in state.sites] + [default])
    site = state["node_site"]
    by_site = sums_by(np.where(site < 0, len(pue) - 1, site), node_power_w(state, reader), len(pue))
    return np.asarray(by_site * pue)


def network_cost(state: State, document: TopologyDocument, reader: FigureReader, before: State | None) -> NetworkCost:
    """Compute the cost of a state.

    Args:
        state: the state.
        document: sites with their PUE.
        reader: source of prices and power.
        before: state before a change, for its purchases; None for none.
    """
    bill = bill_of_materials(state, document, reader)
    priced = reader.prices.part_usd
    asset = _asset_usd(bill, reader)
    purchases: tuple[BillLine, ...] = ()
    pieces: dict[str, int] = {}
    n_links = n_switches = 0
    if before is not None:
        pieces, new_km = purchased_items(before, state, reader)
        n_links, n_switches = unpriced_links(before, state), unpriced_switches(before, state)
        purchases = purchase_lines(pieces, new_km, n_links, n_switches, reader)
    energy_mwh = bill.power_w / 1e6 * HOURS_PER_YEAR
    operation = operation_lines(energy_mwh, asset, bill.leased_pair_miles, MONTHS_PER_YEAR, reader)
    return NetworkCost(
        bill=bill,
        asset_usd=asset[1],
        opex_usd_per_year=total_usd(operation, "a year"),
        capex_usd=total_usd(purchases, "once"),
        lines=(*purchases, *operation),
        unpriced_parts=tuple(sorted(part for part in bill.n_parts if part not in priced)),
        unpriced_purchases=tuple(sorted(part for part, n in pieces.items() if n and part not in priced)),
        n_unpriced_links=n_links,
        n_unpriced_switches=n_switches,
    )


def _asset_usd(bill: BillOfMaterials, reader: FigureReader) -> Range:
    """Price of all parts and fibre when new: low, central and high."""
    laying = reader.price_figure("fibre_install_usd_per_km")
    sums = [0.0, 0.0, 0.0]
    for part, n in sorted(bill.n_parts.items()):
        if part in reader.prices.part_usd:
            price = reader.price_figure("part_usd", part)
            sums = [usd + n * getattr(price, case) for usd, case in zip(sums, CASES, strict=True)]
    low, value, high = (usd + getattr(laying, case) * bill.own_fibre_km for usd, case in zip(sums, CASES, strict=True))
    return low, value, high


def annuity_ratio_per_year(reader: FigureReader) -> float:
    """Return the yearly payment for a purchase of one dollar over the horizon of the price book, with its interest."""
    years = reader.price("horizon_years")
    interest = reader.price("discount_ratio_per_year")
    return interest / (1.0 - (1.0 + interest) ** -years) if interest else 1.0 / years


def usd_per_day(cost: NetworkCost, reader: FigureReader, allocated: Mapping[str, int], n_accelerators: int) -> float:
    """Compute the cost per day of a job's part of the network: annuity of its price, and cost of operation.

    Its part is its accelerators by kind, and of everything else its share of all accelerators.

    Args:
        cost: cost of the network.
        reader: source of horizon and discount rate.
        allocated: accelerators of the job by kind.
        n_accelerators: accelerators of the network; 0 for the whole network as the job's part.
    """
    annuity = annuity_ratio_per_year(reader)
    kinds = sorted(set(cost.bill.n_accelerators) - set(cost.unpriced_parts))
    usd_of_kind = {kind: reader.price("part_usd", kind) for kind in kinds}
    other_usd = cost.asset_usd - sum(usd * cost.bill.n_accelerators[kind] for kind, usd in usd_of_kind.items())
    accelerator_ratio = sum(allocated.values()) / n_accelerators if n_accelerators else 1.0
    accelerators_usd = sum(usd_of_kind[kind] * n for kind, n in sorted(allocated.items()) if kind in usd_of_kind)
    return (
        (accelerators_usd + other_usd * accelerator_ratio) * annuity + cost.opex_usd_per_year * accelerator_ratio
    ) / DAYS_PER_YEAR
