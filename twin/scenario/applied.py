"""The network that changes leave: columns of a state written back to records, and the document with its workload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from ..arrays import NO_CODE, Ints, State
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..model.measurement_rules import issues_of
from ..model.measurements import Measurement
from ..model.records import Link, Node, Span
from ..units import DAYS_PER_YEAR
from .apply import Scenario

Fields = dict[str, Any]
PART_FIELDS = frozenset({"part", "accelerator", "transceiver", "mux", "fibre"})
AGES = {
    "node_age_years": ("installed", "age_years"),
    "link_age_years": ("installed", "age_years"),
    "link_measured_years": ("measured", "measured_years"),
    "span_age_years": ("installed", "age_years"),
    "span_amplifier_age_years": ("amplifier_installed", "amplifier_age_years"),
    "span_measured_years": ("measured", "measured_years"),
}
"""Column of an age -> the fields of the record that state it, as a date or in years."""
NOT_FIELDS = frozenset({"span_undated", "arc_capacity_gbps"})
"""Columns that follow from fields of other columns."""
STATED_COUNTS = ("node_n_cards", "node_n_servers")
"""Counts that a record need not state."""
MEASURED = ("link_measured_received_dbm", "link_measured_years", "span_measured_loss_db", "span_measured_years")


def applied_document(scenario: Scenario, jobs: Sequence[TrainingJob] = ()) -> TopologyDocument:
    """Return the document of a network after its changes: it loads to the columns and the workload of the scenario.

    Plans stay. Measurements go where a change replaced what was measured.

    Args:
        scenario: scenario after the changes.
        jobs: other jobs after the changes, beside that of the scenario.
    """
    network, case = scenario.network, scenario.case
    state = case.state
    changed = _changed_fields(state, case.document.as_of)
    nodes = tuple(_with_fields(node, changed["node"].get(row)) for row, node in enumerate(network.nodes))
    spans = _by_link(state, changed["span"])
    links = tuple(
        _changed_link(link, changed["link"].get(row), spans.get(row)) for row, link in enumerate(network.links)
    )
    if changed["node"] or changed["link"] or changed["span"]:
        network = network.with_records(nodes, links)
    own_jobs = {job.id: job for job in (*jobs, case.job) if job is not None}
    document = case.document
    return network.document.model_copy(
        update={
            "demands": document.demands if scenario.generated is None else network.document.demands,
            "load_balancing": document.load_balancing,
            "wcmp_groups": document.wcmp_groups,
            "leases": document.leases,
            "jobs": tuple(own_jobs.get(job.id, job) for job in document.jobs),
            "measurements": tuple(_kept_measurements(network.document, state, {link.id: link for link in links})),
        }
    )


def _changed_fields(state: State, as_of: date | None) -> dict[str, dict[int, Fields]]:
    """Return the fields that the overlay changes, by kind of record and row."""
    found: dict[str, dict[int, Fields]] = {"node": {}, "link": {}, "span": {}}
    for column in state.overlay:
        if column in NOT_FIELDS:
            continue
        kind, _, name = column.partition("_")
        rows = _changed_rows(state, column)
        if column == "span_amplifier_age_years":
            rows = rows[state["span_amplifier"][rows] >= 0]
        for row, value in zip(rows.tolist(), state[column][rows].tolist(), strict=True):
            fields = found[kind].setdefault(row, {})
            if column in AGES:
                fields.update(_age_fields(state, column, row, value, as_of))
            elif name in PART_FIELDS:
                fields[name] = state.part_id(value)
            else:
                is_unstated = value != value or (column in STATED_COUNTS and value == NO_CODE)
                fields[name] = None if is_unstated else value
    for row, fields in found["span"].items():
        # without an own age an amplifier has that of the fibre, which may be replaced without it
        if {"installed", "age_years"} & fields.keys() and state["span_amplifier"][row] >= 0:
            years = float(state["span_amplifier_age_years"][row])
            fields.update(_age_fields(state, "span_amplifier_age_years", row, years, as_of))
    for row, fields in found["link"].items():
        n_failed = int(state["link_n_failed"][row])
        if n_failed > state["link_n_parallel"][row]:
            fields["n_failed"] = int(state["link_n_parallel"][row])
    for column in MEASURED:
        _state_measurement(state, column, found, as_of)
    return found


def _changed_rows(state: State, column: str) -> Ints:
    before, after = getattr(state.arrays, column), state[column]
    both_unknown = np.isnan(before) & np.isnan(after) if before.dtype.kind == "f" else False
    return np.flatnonzero((before != after) & ~np.asarray(both_unknown))


def _age_fields(state: State, column: str, row: int, years: float, as_of: date | None) -> Fields:
    """Return an age as a date where one gives exactly that age, else in years.

    A measurement may be older than the part: a date of installation behind it would contradict it.
    """
    day_field, years_field = AGES[column]
    if years != years:
        return {day_field: None, years_field: None}
    day = None if as_of is None or _is_measured(state, column, row) else _exact_day(as_of, years)
    return {day_field: day, years_field: years if day is None else None}


def _exact_day(as_of: date, years: float) -> date | None:
    n_days = round(years * DAYS_PER_YEAR)
    is_exact = n_days / DAYS_PER_YEAR == years and n_days < as_of.toordinal()
    return as_of - timedelta(days=n_days) if is_exact else None


def _is_measured(state: State, column: str, row: int) -> bool:
    measured = {"link_age_years": "link_measured_received_dbm", "span_age_years": "span_measured_loss_db"}.get(column)
    return measured is not None and not np.isnan(state[measured][row])


def _state_measurement(state: State, column: str, found: Mapping[str, dict[int, Fields]], as_of: date | None) -> None:
    """State value and day of a measurement on the record where either changed: the other may stand elsewhere."""
    if column not in state.overlay:
        return
    kind, other = column.partition("_")[0], {
        "link_measured_received_dbm": "link_measured_years", "link_measured_years": "link_measured_received_dbm",
        "span_measured_loss_db": "span_measured_years", "span_measured_years": "span_measured_loss_db",
    }[column]  # fmt: skip
    for row in _changed_rows(state, column).tolist():
        value = float(state[other][row])
        fields = found[kind].setdefault(row, {})
        if other in AGES:
            fields.update(_age_fields(state, other, row, value, as_of))
        else:
            fields[other.partition("_")[2]] = None if value != value else value


def _by_link(state: State, spans: Mapping[int, Fields]) -> dict[int, dict[int, Fields]]:
    """Return changed fields of spans by row of the link and place of the span in it."""
    found: dict[int, dict[int, Fields]] = {}
    for row, fields in spans.items():
        link = int(state["span_link"][row])
        found.setdefault(link, {})[row - int(state["span_first"][link])] = fields
    return found


def _with_fields(node: Node, fields: Fields | None) -> Node:
    return node if fields is None else replace(node, **fields)


def _changed_link(link: Link, fields: Fields | None, spans: Mapping[int, Fields] | None) -> Link:
    if fields is None and spans is None:
        return link
    changed: tuple[Span, ...] = link.spans
    if spans is not None:
        changed = tuple(replace(span, **spans.get(i, {})) for i, span in enumerate(link.spans))
    return replace(link, spans=changed, **(fields or {}))


def _kept_measurements(document: TopologyDocument, state: State, links: Mapping[str, Link]) -> Iterator[Measurement]:
    """Yield the measurements that still hold: those of replaced parts, and those that were re-dated, are left out."""
    replaced: set[tuple[str, int | None]] = set()
    for column in MEASURED:
        if column not in state.overlay:
            continue
        for row in _changed_rows(state, column).tolist():
            if column.startswith("link"):
                replaced.add((state.link_ids[row], None))
            else:
                link = int(state["span_link"][row])
                replaced.add((state.link_ids[link], row - int(state["span_first"][link])))
    for m in document.measurements:
        if m.is_used and (m.of.link, m.of.span) in replaced:
            continue
        if next(issues_of(m, links[m.of.link], document.as_of), None) is None:
            yield m
