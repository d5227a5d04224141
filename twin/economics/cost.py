"""The money: what stands in a network, what a change has to buy, what it costs to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Floats, Ints, State
from ..catalogue.figure_reader import FigureReader
from ..model.document import TopologyDocument
from ..units import DAYS_PER_YEAR, HOURS_PER_MONTH, MONTHS_PER_YEAR

KM_PER_MILE = 1.609344
HOURS_PER_YEAR = HOURS_PER_MONTH * MONTHS_PER_YEAR


@dataclass(frozen=True, eq=False)
class Bill:
    """A bill of materials: pieces by part, own fibre in km of route, leased fibre in pair-miles."""

    n_parts: Mapping[str, int]
    n_accelerators: Mapping[str, int]
    """Those of the parts that are accelerators."""
    own_fibre_km: float
    leased_pair_miles: float
    power_w: float
    """At the meter."""


@dataclass(frozen=True, eq=False)
class Money:
    """What the network is worth new, what it costs a year, and what was bought to get there."""

    bill: Bill
    asset_usd: float
    opex_usd_per_year: float
    capex_usd: float
    purchases: tuple[tuple[str, float, float], ...]
    """(item, amount, USD) of what a change buys, dearest first."""


def bill_of(state: State, document: TopologyDocument, reader: FigureReader) -> Bill:
    """Count everything that stands in a state, up or not."""
    n_parts: dict[str, int] = {}
    n_ends = 2 * (1 + state.link_n_regenerators)
    _count(n_parts, state, state["link_transceiver"], n_ends * state["link_n_parallel"])
    _count(n_parts, state, state["link_mux"], n_ends * state["link_n_fibre_pairs"])
    _count(n_parts, state, state["link_protection"], 2 * state["link_n_fibre_pairs"])
    _count(n_parts, state, state["node_part"], np.ones(state.n_nodes, dtype=np.int64))
    _count(n_parts, state, state["span_amplifier"], _n_amplifiers(state))
    n_accelerators: dict[str, int] = {}
    _count(n_accelerators, state, state["node_accelerator"], state["node_n_accelerators"])
    n_parts |= n_accelerators
    leased, length_km = state["span_leased"], state["span_length_km"]
    pairs = state["link_n_fibre_pairs"][state["span_link"]]
    return Bill(
        n_parts=n_parts,
        n_accelerators=n_accelerators,
        own_fibre_km=float(length_km[~leased].sum()),
        leased_pair_miles=float((length_km * pairs)[leased].sum()) / KM_PER_MILE,
        power_w=float(site_power_w(state, document, reader).sum()),
    )


def bought(before: State, after: State) -> tuple[dict[str, int], float]:
    """(pieces by part, km of own fibre) that `after` has to buy: what is new, renewed, or of another kind.

    A slot, rack or span that stays as it was costs nothing; what is pulled out is neither sold nor used again.
    """
    pieces: dict[str, int] = {}
    links = _row_before(before.link_index, after.link_ids, before.link_ids is after.link_ids)
    nodes = _row_before(before.node_index, after.node_ids, before.node_ids is after.node_ids)
    n_ends = 2 * (1 + after.link_n_regenerators)
    each: int | Ints
    for part, n, age, rows, each in (
        ("link_transceiver", "link_n_parallel", "link_age_years", links, n_ends),
        ("link_mux", "link_n_fibre_pairs", None, links, n_ends),
        ("link_protection", "link_n_fibre_pairs", None, links, 2),
        ("node_part", None, "node_age_years", nodes, 1),
        ("node_accelerator", "node_n_accelerators", "node_age_years", nodes, 1),
    ):
        count = after[n] if n else np.ones(len(rows), dtype=np.int64)
        had = np.where(rows >= 0, _before(before, n, rows) if n else 1, 0)
        kinds = _names(before, _before(before, part, rows))
        same = (rows >= 0) & (kinds == _names(after, after[part]))
        if age is not None:
            was = _before(before, age, rows)
            with np.errstate(invalid="ignore"):
                same &= ~((after[age] < was) | (np.isnan(was) & ~np.isnan(after[age])))
        more = np.where(same, np.maximum(count - had, 0), count)
        _count(pieces, after, after[part], each * more)
    pairs_before = np.where(links >= 0, _before(before, "link_n_fibre_pairs", links), 0)
    more_pairs = np.maximum(after["link_n_fibre_pairs"] - pairs_before, 0)
    _count(pieces, after, after["span_amplifier"], 2 * more_pairs[after["span_link"]])
    return pieces, _new_fibre_km(before, after, links)


def _row_before(index: Mapping[str, int], names: tuple[str, ...], same: bool) -> Ints:
    """Row that each record had before, -1 for a new one."""
    if same:
        return np.arange(len(names))
    return np.fromiter((index.get(name, -1) for name in names), dtype=np.int64, count=len(names))


def _before(state: State, column: str, rows: Ints) -> npt.NDArray[Any]:
    """Values of a column at rows, -1 where there is none (row -1): a network may have had no links at all."""
    return np.append(state[column], -1)[rows]


def _names(state: State, codes: Ints) -> npt.NDArray[np.object_]:
    return np.array([*state.parts, None], dtype=object)[codes]


def _new_fibre_km(before: State, after: State, links: Ints) -> float:
    """Own glass that was not there: another kind, younger, longer, or leased before."""
    new_km = 0.0
    for link in np.unique(after["span_link"]):
        was = links[link]
        old = before["span_first"][was] if was >= 0 else 0
        n_old = before["span_first"][was + 1] - old if was >= 0 else 0
        first, last = after["span_first"][link : link + 2]
        for i, row in enumerate(range(first, last)):
            if after["span_leased"][row]:
                continue
            kept = i < n_old and not before["span_leased"][old + i]
            kept = kept and before.part_id(before["span_fibre"][old + i]) == after.part_id(after["span_fibre"][row])
            was_years, is_years = (
                (before["span_age_years"][old + i], after["span_age_years"][row]) if kept else (0.0, 0.0)
            )
            kept = kept and not (is_years < was_years or (np.isnan(was_years) and not np.isnan(is_years)))
            length_km = float(after["span_length_km"][row])
            new_km += max(0.0, length_km - float(before["span_length_km"][old + i])) if kept else length_km
    return new_km


def _n_amplifiers(state: State) -> Ints:
    """Amplifiers after each span: one for each direction of each fibre pair."""
    return np.asarray(2 * state["link_n_fibre_pairs"][state["span_link"]])


def _count(n_parts: dict[str, int], state: State, codes: Ints, n: Ints) -> None:
    used = codes >= 0
    if used.any():
        total = np.bincount(codes[used], weights=n[used], minlength=len(state.parts))
        for code in np.flatnonzero(total):
            n_parts[state.parts[code]] = n_parts.get(state.parts[code], 0) + int(total[code])


def node_power_w(state: State, reader: FigureReader) -> Floats:
    """Power of each node before PUE: accelerators with their share of the rack, switches, and optics of their ports."""
    per_accelerator = reader.by_code(
        state.parts, state["node_accelerator"], "rack_w_per_accelerator", "accelerator", 0.0
    )
    power = per_accelerator * state["node_n_accelerators"]
    power += reader.by_code(state.parts, state["node_part"], "power_w", "switch", 0.0)
    optics = reader.by_code(state.parts, state["link_transceiver"], "power_w", "transceiver", 0.0)
    optics = optics * state["link_n_parallel"]
    is_rack = state["node_kind"] <= 1
    for side in (0, 1):
        end = state["link_ends"][:, side]
        # the optics of a rack's own ports are in its power per accelerator already
        power += np.bincount(end, weights=np.where(is_rack[end], 0.0, optics), minlength=state.n_nodes)
    return np.asarray(power)


def site_power_w(state: State, document: TopologyDocument, reader: FigureReader) -> Floats:
    """Power at the meter by row of `sites`, and of nodes without a site in the last place."""
    sites = {site.id: site for site in document.sites}
    default = reader.general("site_pue_ratio")
    pue = np.array([sites[name].pue_ratio or default for name in state.sites] + [default])
    site = state["node_site"]
    by_site = np.bincount(
        np.where(site < 0, len(pue) - 1, site), weights=node_power_w(state, reader), minlength=len(pue)
    )
    return np.asarray(by_site * pue)


def money(state: State, document: TopologyDocument, reader: FigureReader, before: State | None) -> Money:
    """Prices of a state; with `before`, also what has to be bought to get here from there."""
    bill = bill_of(state, document, reader)
    asset = sum(n * reader.price("part_usd", part) for part, n in sorted(bill.n_parts.items()))
    install = reader.price("fibre_install_usd_per_km")
    asset += install * bill.own_fibre_km
    purchases: list[tuple[str, float, float]] = []
    if before is not None:
        pieces, new_km = bought(before, state)
        purchases += [(part, float(n), n * reader.price("part_usd", part)) for part, n in sorted(pieces.items()) if n]
        if new_km > 0:
            purchases.append(("fibre laid, km", new_km, new_km * install))
    power = reader.price("electricity_usd_per_mwh")
    upkeep = reader.price("maintenance_ratio_per_year")
    lease = reader.price("fibre_lease_usd_per_mile_pair_month")
    opex = (
        bill.power_w / 1e6 * HOURS_PER_YEAR * power + asset * upkeep + bill.leased_pair_miles * lease * MONTHS_PER_YEAR
    )
    return Money(
        bill=bill,
        asset_usd=asset,
        opex_usd_per_year=opex,
        capex_usd=sum(usd for _, _, usd in purchases),
        purchases=tuple(sorted(purchases, key=lambda item: (-item[2], item[0]))),
    )


def usd_per_day(money: Money, reader: FigureReader, allocated: Mapping[str, int], n_accelerators: int) -> float:
    """Annuity of the purchase price and running cost of a job's part of the network, per day.

    Its part: the accelerators it takes, by kind, and of everything else as much as its share of all accelerators.
    """
    years = reader.price("horizon_years")
    interest = reader.price("discount_ratio_per_year")
    annuity = interest / (1.0 - (1.0 + interest) ** -years) if interest else 1.0 / years
    of_kind = {kind: reader.price("part_usd", kind) for kind in sorted(money.bill.n_accelerators)}
    rest = money.asset_usd - sum(usd * money.bill.n_accelerators[kind] for kind, usd in of_kind.items())
    share = sum(allocated.values()) / n_accelerators if n_accelerators else 1.0
    own = sum(of_kind[kind] * n for kind, n in sorted(allocated.items()))
    return ((own + rest * share) * annuity + money.opex_usd_per_year * share) / DAYS_PER_YEAR
