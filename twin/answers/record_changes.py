"""Changes of records between two states: which nodes, links and spans are added, removed, replaced or changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..arrays import NODE_KINDS, TIERS, Floats, Ints, State

Action = Literal["add", "remove", "replace", "change"]
Value = str | float | None
MAX_EXAMPLES = 3
"""Ids that stand for all records of a group."""
MAX_GROUPS = 8
"""Groups of the same records and fields; more are listed as one with ranges of values."""
NONE_CODE = -1


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field before and after. `*_high` is the other end of the range, where records of a group differ."""

    name: str
    before: Value
    after: Value
    before_high: float | None = field(default=None, metadata={"optional": True})
    after_high: float | None = field(default=None, metadata={"optional": True})


@dataclass(frozen=True, slots=True)
class RecordChange:
    """Records of one kind that change alike."""

    action: Action
    record: str
    """`node`, `link`, `span`, `demands`, `job`, `lease` or `network`."""
    group: str
    """Kind of the nodes, tier of the links and spans, site of the leases."""
    n: int
    examples: tuple[str, ...]
    fields: tuple[FieldChange, ...]


class Kind:
    """Kinds of columns; -1 is none in those of parts and of counts."""

    NUMBER, PART, FLAG, NAME, COUNT = range(5)


LINK_COLUMNS: dict[str, tuple[str, int]] = {
    "link_n_parallel": ("n_parallel", Kind.NUMBER),
    "link_n_failed": ("n_failed", Kind.NUMBER),
    "link_capacity_gbps": ("capacity_gbps", Kind.NUMBER),
    "link_transceiver": ("transceiver", Kind.PART),
    "link_mux": ("mux", Kind.PART),
    "link_protection": ("protection", Kind.PART),
    "link_launch_dbm": ("launch_dbm", Kind.NUMBER),
    "link_booster": ("booster", Kind.PART),
    "link_n_fibre_pairs": ("n_fibre_pairs", Kind.NUMBER),
    "link_booster_gain_db": ("booster_gain_db", Kind.NUMBER),
    "link_booster_voa_db": ("booster_voa_db", Kind.NUMBER),
    "link_booster_noise_figure_db": ("booster_noise_figure_db", Kind.NUMBER),
    "link_n_design_channels": ("n_design_channels", Kind.COUNT),
    "link_age_years": ("age_years", Kind.NUMBER),
    "link_required_margin_db": ("required_margin_db", Kind.NUMBER),
    "link_loss_ratio": ("loss_ratio", Kind.NUMBER),
    "link_measured_received_dbm": ("measured_received_dbm", Kind.NUMBER),
    "link_macsec": ("macsec", Kind.FLAG),
    "link_up": ("up", Kind.FLAG),
}
SPAN_COLUMNS: dict[str, tuple[str, int]] = {
    "span_length_km": ("length_km", Kind.NUMBER),
    "span_fibre": ("fibre", Kind.PART),
    "span_age_years": ("age_years", Kind.NUMBER),
    "span_undated": ("undated", Kind.FLAG),
    "span_n_splices": ("n_splices", Kind.NUMBER),
    "span_n_connectors": ("n_connectors", Kind.NUMBER),
    "span_lumped_loss_db": ("lumped_loss_db", Kind.NUMBER),
    "span_amplifier": ("amplifier", Kind.PART),
    "span_amplifier_gain_db": ("amplifier_gain_db", Kind.NUMBER),
    "span_amplifier_output_dbm": ("amplifier_output_dbm", Kind.NUMBER),
    "span_amplifier_voa_db": ("amplifier_voa_db", Kind.NUMBER),
    "span_amplifier_noise_figure_db": ("amplifier_noise_figure_db", Kind.NUMBER),
    "span_amplifier_age_years": ("amplifier_age_years", Kind.NUMBER),
    "span_leased": ("leased", Kind.FLAG),
    "span_measured_loss_db": ("measured_loss_db", Kind.NUMBER),
    "span_regenerated": ("regenerated", Kind.FLAG),
    "span_standby": ("standby", Kind.FLAG),
}
NODE_COLUMNS: dict[str, tuple[str, int]] = {
    "node_kind": ("kind", Kind.NAME),
    "node_part": ("part", Kind.PART),
    "node_accelerator": ("accelerator", Kind.PART),
    "node_n_accelerators": ("n_accelerators", Kind.NUMBER),
    "node_n_cards": ("n_cards", Kind.COUNT),
    "node_n_servers": ("n_servers", Kind.COUNT),
    "node_rail": ("rail", Kind.COUNT),
    "node_age_years": ("age_years", Kind.NUMBER),
    "node_up": ("up", Kind.FLAG),
    "node_forwards": ("forwards", Kind.FLAG),
}
NAMES_IN_REASONS = {"link_age_years": "transceiver age_years", "span_age_years": "fibre age_years"}
"""Names of fields in a text on a link and its spans, where both have a field of the name."""
STATED_BY_ADDED = {
    "link": ("transceiver", "capacity_gbps", "n_parallel"),
    "node": ("part", "accelerator", "n_accelerators"),
}
"""Fields that describe records which are added or removed."""


def record_changes(before: State, after: State) -> tuple[RecordChange, ...]:
    """List what changes between two states of a network, in groups of records that change alike.

    Args:
        before: state before the changes.
        after: state after the changes; its network may have other nodes and links.
    """
    return (
        *_changes_of("node", NODE_COLUMNS, before, after, before.node_ids, after.node_ids),
        *_changes_of("link", LINK_COLUMNS, before, after, before.link_ids, after.link_ids),
        *_span_changes(before, after),
    )


def changed_fields(before: State, after: State, old: int, new: int) -> list[tuple[str, str]]:
    """Return the fields of one link and of its spans that differ, each with its text: `n_parallel 8 → 2`.

    Args:
        before: state before the changes.
        after: state after them.
        old: row of the link before.
        new: row of the link after.
    """
    found: list[tuple[str, str]] = []
    spans = (_spans_of(before, np.array([old])), _spans_of(after, np.array([new])))
    rows = {"link": (np.array([old]), np.array([new])), "span": spans}
    for record, columns in (("link", LINK_COLUMNS), ("span", SPAN_COLUMNS)):
        sides = _Side(before, record, columns), _Side(after, record, columns)
        if len(rows[record][0]) != len(rows[record][1]):
            found.append(("n_spans", f"n_spans {len(rows[record][0])} → {len(rows[record][1])}"))
            continue
        parts: dict[str, int] = {}
        for column, (name, _) in columns.items():
            values = [side.values(column, rows[record][i], parts) for i, side in enumerate(sides)]
            differ = np.flatnonzero((values[0] != values[1]) & ~(np.isnan(values[0]) & np.isnan(values[1])))
            if len(differ):
                texts = [_short(sides[i].text(column, values[i][differ[0]], list(parts))) for i in (0, 1)]
                found.append((name, f"{NAMES_IN_REASONS.get(column, name)} {texts[0]} → {texts[1]}"))
    return found


def _short(value: Value) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else value


def _changes_of(
    record: str,
    columns: dict[str, tuple[str, int]],
    before: State,
    after: State,
    ids_before: Sequence[str],
    ids_after: Sequence[str],
) -> Iterator[RecordChange]:
    sides = _Side(before, record, columns), _Side(after, record, columns)
    if ids_before is ids_after:
        rows = np.arange(len(ids_before))
        old, new = rows, rows
    else:
        place = {name: i for i, name in enumerate(ids_before)}
        found = np.array([place.get(name, -1) for name in ids_after], dtype=np.int64).reshape(-1)
        new, old = np.flatnonzero(found >= 0), found[found >= 0]
        gone = np.setdiff1d(np.arange(len(ids_before)), old)
        yield from _whole("add", sides[1], np.flatnonzero(found < 0), ids_after)
        yield from _whole("remove", sides[0], gone, ids_before)
    yield from _changed(sides[0], sides[1], old, new, ids_after)


class _Side:
    """The columns of one state, as values that compare equal between states."""

    def __init__(self, state: State, record: str, columns: dict[str, tuple[str, int]]) -> None:
        self.state, self.record, self.columns = state, record, columns

    def group(self, rows: Ints) -> Ints:
        """Code of the kind of nodes or of the tier of links."""
        if self.record == "node":
            return np.asarray(self.state["node_kind"][rows])
        links = rows if self.record == "link" else self.state["span_link"][rows]
        return np.asarray(self.state.arrays.link_tier[links])

    def group_name(self, code: int) -> str:
        return NODE_KINDS[code] if self.record == "node" else TIERS[code]

    def values(self, column: str, rows: Ints, parts: dict[str, int]) -> Floats:
        """Values as floats: parts by their number in `parts`, which grows; -1 for none."""
        column_values = self.state[column][rows]
        if column == "span_amplifier_age_years":  # spans without an amplifier have the age of the line in it
            return np.where(self.state["span_amplifier"][rows] >= 0, column_values, np.nan)
        if self.columns[column][1] != Kind.PART:
            return np.asarray(column_values, dtype=np.float64)
        codes = [parts.setdefault(part, len(parts)) for part in self.state.parts]
        return np.asarray(np.array([*codes, NONE_CODE], dtype=np.float64)[column_values])

    def text(self, column: str, value: float, names: Sequence[str]) -> Value:
        """A value as it stands in a document; None where it is not set."""
        kind = self.columns[column][1]
        if np.isnan(value) or (kind in (Kind.PART, Kind.COUNT) and value < 0):
            return None
        if kind == Kind.PART:
            return names[int(value)]
        if kind == Kind.FLAG:
            return "yes" if value else "no"
        if kind == Kind.NAME:
            return NODE_KINDS[int(value)]
        return float(value)


def _whole(action: Action, side: _Side, rows: Ints, ids: Sequence[str]) -> Iterator[RecordChange]:
    """Group records that are added or removed."""
    if side.record == "span" or not len(rows):
        return
    parts: dict[str, int] = {}
    stated = STATED_BY_ADDED[side.record]
    columns = [column for column, (name, _) in side.columns.items() if name in stated]
    table = np.stack([side.group(rows), *(side.values(column, rows, parts) for column in columns)], axis=1)
    names = list(parts)
    for members in grouped_rows(table):
        values = [side.text(column, table[members[0], i + 1], names) for i, column in enumerate(columns)]
        fields = tuple(
            FieldChange(side.columns[column][0], *((None, value) if action == "add" else (value, None)))
            for column, value in zip(columns, values, strict=True)
            if value not in (None, 0.0)
        )
        group = side.group_name(int(table[members[0], 0]))
        yield RecordChange(action, side.record, group, len(members), _examples(ids, rows[members]), fields)


def _changed(before: _Side, after: _Side, old: Ints, new: Ints, ids: Sequence[str]) -> Iterator[RecordChange]:
    """Group records of both states by the fields that differ, and by their values where these are few."""
    parts: dict[str, int] = {}
    differ, values = {}, {}
    for column in before.columns:
        if before.state[column] is after.state[column] and not _is_part(before, column):
            continue
        pair = before.values(column, old, parts), after.values(column, new, parts)
        is_other = (pair[0] != pair[1]) & ~(np.isnan(pair[0]) & np.isnan(pair[1]))
        if is_other.any():
            differ[column], values[column] = is_other, pair
    if not differ:
        return
    names = list(parts)
    rows = np.flatnonzero(np.any(list(differ.values()), axis=0))
    which = np.stack([after.group(new[rows]), *(column[rows] for column in differ.values())], axis=1)
    for members in grouped_rows(which):
        chosen = rows[members]
        columns = [column for column in differ if differ[column][chosen[0]]]
        sides = [values[column][side][chosen] for column in columns for side in (0, 1)]
        exact = list(grouped_rows(np.stack(sides, axis=1)))
        by_text = [i for i, column in enumerate(columns) if after.columns[column][1] not in (Kind.NUMBER, Kind.COUNT)]
        if len(exact) > MAX_GROUPS:
            texts = [np.zeros(len(chosen)), *(sides[2 * i + side] for i in by_text for side in (0, 1))]
            exact = list(grouped_rows(np.stack(texts, axis=1)))
        for group in exact:
            fields = tuple(
                _field_change(after, column, sides[2 * i][group], sides[2 * i + 1][group], names)
                for i, column in enumerate(columns)
            )
            yield RecordChange(
                "replace"
                if any(_is_part(after, c) and _both(f) for c, f in zip(columns, fields, strict=True))
                else "change",
                after.record,
                after.group_name(int(which[members[0], 0])),
                len(group),
                _examples(ids, new[chosen[group]]),
                fields,
            )


def _field_change(side: _Side, column: str, before: Any, after: Any, names: Sequence[str]) -> FieldChange:
    ends = []
    for values in (before, after):
        known = values[~np.isnan(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
        ends.append((low, high))
    (before_low, before_high), (after_low, after_high) = ends
    return FieldChange(
        side.columns[column][0],
        side.text(column, before_low, names),
        side.text(column, after_low, names),
        before_high if before_high > before_low else None,
        after_high if after_high > after_low else None,
    )


def _is_part(side: _Side, column: str) -> bool:
    return side.columns[column][1] == Kind.PART


def _both(change: FieldChange) -> bool:
    return change.before is not None and change.after is not None


def _span_changes(before: State, after: State) -> Iterator[RecordChange]:
    """Changes of spans, of links that have as many as before; else the links with their number and length."""
    if before.link_ids is after.link_ids:
        rows = np.arange(len(after.link_ids))
        old, new = rows, rows
    else:
        place = before.link_index
        found = np.array([place.get(name, -1) for name in after.link_ids], dtype=np.int64).reshape(-1)
        new, old = np.flatnonzero(found >= 0), found[found >= 0]
    n_old, n_new = (np.diff(state["span_first"]) for state in (before, after))
    alike = n_old[old] == n_new[new]
    ids = _SpanIds(after)
    sides = _Side(before, "span", SPAN_COLUMNS), _Side(after, "span", SPAN_COLUMNS)
    spans_old = _spans_of(before, old[alike])
    spans_new = _spans_of(after, new[alike])
    yield from _changed(*sides, spans_old, spans_new, ids)
    other = np.flatnonzero(~alike)
    if len(other):
        km = before["link_length_km"][old[other]], after["link_length_km"][new[other]]
        fields = (
            _range_change("n_spans", n_old[old[other]], n_new[new[other]]),
            _range_change("route_km", *km),
        )
        names = after.link_ids
        yield RecordChange("change", "link", "wide_area", len(other), _examples(names, new[other]), fields)


def _range_change(name: str, before: Any, after: Any) -> FieldChange:
    ends = [(float(values.min()), float(values.max())) for values in (before, after)]
    high = [top if top > low else None for low, top in ends]
    return FieldChange(name, ends[0][0], ends[1][0], high[0], high[1])


def _spans_of(state: State, links: Ints) -> Ints:
    first = state["span_first"]
    n = first[links + 1] - first[links]
    return np.asarray(np.arange(n.sum()) + np.repeat(first[links] - (np.cumsum(n) - n), n))


class _SpanIds(Sequence[str]):
    """Names of spans: the link, and the place in it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def __len__(self) -> int:
        return len(self._state["span_link"])

    def __getitem__(self, row: Any) -> Any:
        link = int(self._state["span_link"][row])
        return f"{self._state.link_ids[link]} span {int(row) - int(self._state['span_first'][link])}"


def grouped_rows(table: np.ndarray[Any, Any]) -> Iterator[Ints]:
    """Rows of each distinct row of a table, in the order of first appearance; NaN equals NaN."""
    codes = np.unique(np.nan_to_num(table, nan=-np.pi * 1e300), axis=0, return_inverse=True)[1].reshape(-1)
    order = np.argsort(codes, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(codes) else []
    yield from sorted(groups, key=lambda rows: int(rows[0]))


def _examples(ids: Sequence[str], rows: Ints) -> tuple[str, ...]:
    return tuple(ids[row] for row in rows[:MAX_EXAMPLES].tolist())
