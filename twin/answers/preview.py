"""What changes would do to a network, before anything is evaluated: records, totals, purchases, warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, Literal

import numpy as np

from ..arrays import LAST_END_POINT, TIERS, Floats, State
from ..catalogue.figure_reader import FigureReader
from ..economics.cost import bill_of_materials, network_cost
from ..errors.wording import counted
from ..model.demand_columns import demand_pairs
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..model.leases import SiteLease
from ..render.preview_table import preview_table
from ..render.quantities import names_text, rate_text, usd_text
from ..scenario.apply import Scenario
from ..scenario.feasibility import member_rate_gbps, ports_used
from .data import Answer, to_data
from .purchase import Purchase
from .record_changes import FieldChange, RecordChange, record_changes

MAX_LISTED = 6
"""Longest list of a workload that is written in full."""
MAX_SITE_PAIRS = 200
"""Pairs of sites that are listed, those that change first."""


@dataclass(frozen=True, slots=True)
class Total:
    """A total of the network before and after; null where a part of it is unknown, `n_unknown` says of how many."""

    name: str
    """`capacity of fabric links`, `capacity c1 - c2`, `power`, `switch ports`, `racks and hosts`, `accelerators`."""
    before: float
    after: float
    unit: str
    n_unknown: int = field(default=0, metadata={"optional": True})
    """Links of unknown rate after the changes, which the total leaves out."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Preview(Answer):
    """The changes of a what-if as a list of records, with totals and purchases; nothing is evaluated."""

    network: str
    plan: str | None
    summary: tuple[str, ...]
    changes: tuple[RecordChange, ...]
    totals: tuple[Total, ...]
    """Totals that change. Capacity is that of all members at their nominal rate, up or not, in one direction."""
    purchases: tuple[Purchase, ...]
    capacity_falls: tuple[str, ...]
    """Warnings: where the changes leave less capacity than before."""

    def _table(self) -> Any:
        return preview_table(self.to_dict())


def preview_of(plan: str | None, network: str, before: Scenario, after: Scenario, reader: FigureReader) -> Preview:
    """List what changes between two scenarios of one network.

    Args:
        plan: id of the plan; None for a list of changes.
        network: label of the network.
        before: scenario without the changes.
        after: scenario with them.
        reader: source of figures and prices.
    """
    old, new = before.case, after.case
    changes = (
        *record_changes(old.state, new.state),
        *_workload_changes(before, after),
    )
    totals = tuple(total for total in _totals(before, after, reader) if total.before != total.after)
    cost = network_cost(new.state, new.document, reader, old.state)
    purchases = tuple(Purchase(*row) for row in cost.purchases)
    falls = tuple(_falls(totals, changes))
    return Preview(
        network=network,
        plan=plan,
        summary=(*_summary(changes, purchases), *falls),
        changes=changes,
        totals=totals,
        purchases=purchases,
        capacity_falls=falls,
    )


def _summary(changes: tuple[RecordChange, ...], purchases: tuple[Purchase, ...]) -> Iterator[str]:
    if not changes:
        yield "Nothing changes."
        return
    counts: dict[tuple[str, str], int] = {}
    for change in changes:
        if change.record in ("node", "link"):
            key = change.action, change.record
            counts[key] = counts.get(key, 0) + change.n
    verbs = {"add": "added", "remove": "removed", "replace": "with other parts", "change": "with other values"}
    parts = [f"{counted(n, record)} {verbs[action]}" for (action, record), n in counts.items()]
    workload = [change.record for change in changes if change.record in ("demands", "job", "network")]
    parts += [f"{name} changed" for name in dict.fromkeys(workload)]
    for action in ("add", "remove"):
        leases = sum(change.n for change in changes if (change.action, change.record) == (action, "lease"))
        parts += [f"{counted(leases, 'lease')} {verbs[action]}"] if leases else []
    spans = sum(change.n for change in changes if change.record == "span")
    parts += [f"{counted(spans, 'span')} changed"] if spans else []
    text = "; ".join(parts)
    yield f"{text[0].upper()}{text[1:]}."
    usd = sum(purchase.usd or 0.0 for purchase in purchases)
    unknown = [purchase.item for purchase in purchases if purchase.usd is None]
    if usd or unknown:
        more = f"price unknown: {names_text(unknown)}" if unknown else ""
        yield f"To buy: {'; '.join(text for text in (usd_text(usd) if usd else '', more) if text)}."


def _falls(totals: tuple[Total, ...], changes: tuple[RecordChange, ...]) -> Iterator[str]:
    fewer = any(
        change.name == "n_parallel" and isinstance(change.after, float) and change.after < (change.before or 0)
        for record in changes
        for change in record.fields
        if not isinstance(change.before, str)
    )
    for total in totals:
        if total.unit == "Gb/s" and total.after < total.before:
            what = f"{total.name[0].upper()}{total.name[1:]}"
            text = f"{what} falls from {rate_text(total.before)} to {rate_text(total.after)}"
            yield text + ("; n_parallel is the new number of members, not a factor." if fewer else ".")


def _totals(before: Scenario, after: Scenario, reader: FigureReader) -> Iterator[Total]:
    sides = [(scenario.case.state, scenario.case.document) for scenario in (before, after)]
    capacity = [_capacity_gbps(state, reader) for state, _ in sides]
    for tier, name in enumerate(TIERS):
        old, new = (
            float(np.nansum(gbps[state.arrays.link_tier == tier]))
            for gbps, (state, _) in zip(capacity, sides, strict=True)
        )
        chosen = sides[1][0].arrays.link_tier == tier
        yield Total(
            f"capacity of {name.replace('_', '-')} links", old, new, "Gb/s", int(np.isnan(capacity[1][chosen]).sum())
        )
    yield from _between_sites(sides, capacity)
    bills = [bill_of_materials(state, document, reader) for state, document in sides]
    yield Total("power", bills[0].power_w / 1e6, bills[1].power_w / 1e6, "MW")
    counts = [
        (
            ports_used(state, reader)[0][state["node_kind"] > LAST_END_POINT].sum(),
            (n := state["node_n_accelerators"]).astype(bool).sum(),
            n.sum(),
        )
        for state, _ in sides
    ]
    for name, old, new in zip(("switch ports", "racks and hosts", "accelerators"), *counts, strict=True):
        yield Total(name, float(old), float(new), "")
    yield Total("own fibre", bills[0].own_fibre_km, bills[1].own_fibre_km, "km")
    yield Total("leased fibre", bills[0].leased_pair_miles, bills[1].leased_pair_miles, "pair-miles")


def _capacity_gbps(state: State, reader: FigureReader) -> Floats:
    return np.asarray(member_rate_gbps(state, reader) * state["link_n_parallel"])


def _between_sites(sides: list[tuple[State, TopologyDocument]], capacity: list[Floats]) -> Iterator[Total]:
    found: dict[tuple[str, str], list[float]] = {}
    unknown: dict[tuple[str, str], int] = {}
    for side, ((state, _), gbps) in enumerate(zip(sides, capacity, strict=True)):
        site = state["node_site"][state["link_ends"]]
        for link in np.flatnonzero((site >= 0).all(axis=1) & (site[:, 0] != site[:, 1])).tolist():
            a, b = sorted(state.arrays.sites[code] for code in site[link].tolist())
            amounts = found.setdefault((a, b), [0.0, 0.0])
            if np.isnan(gbps[link]):
                unknown[a, b] = unknown.get((a, b), 0) + side
            else:
                amounts[side] += float(gbps[link])
    changed = [key for key, (old, new) in sorted(found.items()) if old != new]
    for a, b in changed[:MAX_SITE_PAIRS]:
        old, new = found[a, b]
        yield Total(f"capacity {a} – {b}", old, new, "Gb/s", unknown.get((a, b), 0))


def _workload_changes(before: Scenario, after: Scenario) -> Iterator[RecordChange]:
    old, new = before.case, after.case
    if old.document.demands is not new.document.demands and old.document.demands != new.document.demands:
        yield _demand_change(old.document, new.document, old.state, new.state)
    if old.job != new.job and (old.job or new.job):
        fields = _job_fields(old.job, new.job)
        name = (new.job or old.job).id  # type: ignore[union-attr]
        yield RecordChange("change", "job", "training", 1, (name,), fields)
    for action, kept, others in (("remove", old, new), ("add", new, old)):
        for lease in kept.document.leases:
            if lease not in others.document.leases:
                yield _lease_change("add" if action == "add" else "remove", lease)
    for name in ("routing", "load_balancing", "wcmp_groups"):
        values = getattr(old.document, name), getattr(new.document, name)
        if values[0] != values[1]:
            change = FieldChange(name, _text(values[0]), _text(values[1]))
            yield RecordChange("change", "network", name, 1, (), (change,))


def _lease_change(action: Literal["add", "remove"], lease: SiteLease) -> RecordChange:
    terms = {
        name: value
        for name, value in to_data(lease).items()
        if value not in (None, "", []) and name not in ("tenant", "site")
    }
    sides = [(None, _text(value)) if action == "add" else (_text(value), None) for value in terms.values()]
    fields = tuple(FieldChange(name, *side) for name, side in zip(terms, sides, strict=True))
    return RecordChange(action, "lease", lease.site, 1, (lease.tenant,), fields)


def _demand_change(
    old: TopologyDocument, new: TopologyDocument, state_before: State, state_after: State
) -> RecordChange:
    before_gbps, after_gbps = (
        float(demand_pairs(document.demands, state.node_index)[2].sum()) if len(document.demands) else 0.0
        for document, state in ((old, state_before), (new, state_after))
    )
    fields = [FieldChange("offered_gbps", before_gbps, after_gbps)]
    if len(old.demands) != len(new.demands):
        fields.append(FieldChange("n_demands", float(len(old.demands)), float(len(new.demands))))
    return RecordChange("change", "demands", "traffic", len(new.demands), (), tuple(fields))


def _job_fields(old: TrainingJob | None, new: TrainingJob | None) -> tuple[FieldChange, ...]:
    sides = [job for job in (old or new, new or old) if job]
    pairs = [(spec.name, *(getattr(job, spec.name) for job in sides)) for spec in fields(TrainingJob)]
    rows: list[FieldChange] = []
    for name, before, after in pairs:
        if is_dataclass(before) and type(before) is type(after):  # parallelism: only what changes of it
            inner = [(spec.name, getattr(before, spec.name), getattr(after, spec.name)) for spec in fields(before)]
            rows += [FieldChange(f"{name}.{key}", _text(a), _text(b)) for key, a, b in inner if a != b]
        elif before != after:
            rows.append(FieldChange(name, _text(before), _text(after)))
    return tuple(rows)


def _text(value: Any) -> str | float | None:
    """A value as one text: records as `field value` without what is at its default, long lists by their length."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return float(value)
    if value is None or isinstance(value, str):
        return value
    if is_dataclass(value):
        stated = [(spec.name, getattr(value, spec.name)) for spec in fields(value) if _is_stated(spec, value)]
        return ", ".join(f"{name} {_inner(item)}" for name, item in stated)
    data = to_data(value)
    if isinstance(data, str):
        return data
    if len(data) > MAX_LISTED:
        return counted(len(data), "entry", "entries")
    if isinstance(data, Mapping):
        return ", ".join(f"{key} {_inner(item)}" for key, item in value.items() if item is not None)
    return "; ".join(_inner(item) for item in value)


def _is_stated(spec: Field[Any], record: Any) -> bool:
    value = getattr(record, spec.name)
    return value is not None and (spec.default is MISSING or value != spec.default)


def _inner(value: Any) -> str:
    text = _text(value)
    return f"{text:,.10g}" if isinstance(text, float) else text or "none"
