"""Works of a plan: each change in waves, what each wave drains, and how long it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Ints
from ..arrays.cables import grouped_by_cable, links_on_same_cables
from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError, did_you_mean
from ..scenario.apply import Scenario, apply_one_by_one
from ..scenario.changes import Change
from ..scenario.select import select_links, select_nodes

SELECTORS = {
    "set_transceivers": "links",
    "set_channels": "links",
    "set_fibre": "links",
    "swap_switches": "nodes",
    "swap_servers": "nodes",
    "swap_accelerators": "racks",
}
"""Kinds of changes that drain what they select, with the field of the selector."""
LEAD_DAYS = {
    "add_link": 180,
    "add_node": 120,
    "set_channels": 84,
    "set_fibre": 180,
    "set_transceivers": 84,
    "swap_accelerators": 180,
    "swap_servers": 90,
    "swap_switches": 120,
}
"""Days from order to delivery by kind of change; assumed, and 0 for all other kinds."""
DRAIN_DAYS = 1
"""Days for which a wave is out of service; assumed."""
MAX_LISTED = 10_000
"""Most records of a wave that a selector can list."""
MAX_DAYS = 36_500


@dataclass(frozen=True)
class WorkQuestion:
    """Waves, lead times and drain windows."""

    n_waves: int = 2
    lead_days: Mapping[str, int] | None = None
    """Days by kind of change, in place of `LEAD_DAYS`."""
    drain_days: int = DRAIN_DAYS

    def check(self) -> None:
        """Raise ChangeError for a number out of bounds, or an unknown kind of change."""
        numbers = {"n_waves": (self.n_waves, 1, 64), "drain_days": (self.drain_days, 0, MAX_DAYS)}
        numbers |= {f"lead_days.{kind}": (n, 0, MAX_DAYS) for kind, n in (self.lead_days or {}).items()}
        for name, (value, low, high) in numbers.items():
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ChangeError(f"{value!r}"[:200], where=name, expected=f"a whole number from {low} to {high}")
        for kind in self.lead_days or {}:
            if kind not in LEAD_DAYS:
                hint = did_you_mean(kind, LEAD_DAYS) or f"known: {', '.join(LEAD_DAYS)}"
                raise ChangeError(f"no lead time of {kind!r}"[:200], where="lead_days", hint=hint)


@dataclass(frozen=True)
class Wave:
    """Changes that are done together, and what is out of service meanwhile."""

    changes: tuple[tuple[int, Change], ...]
    """(position in the plan, change) of each."""
    links: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Work:
    """One change of a plan, or several that cannot be built apart, in waves."""

    label: str
    waves: tuple[Wave, ...]
    lead_days: int

    @property
    def drains(self) -> bool:
        """Return whether anything is out of service meanwhile."""
        return any(wave.links or wave.nodes for wave in self.waves)


def works_of(
    before: Scenario, changes: Sequence[Change], reader: FigureReader, where: str, ask: WorkQuestion
) -> list[Work]:
    """Return the works of a plan, in its order. Each selects what the change selects in the plan.

    Args:
        before: scenario without the changes.
        changes: the changes of the plan.
        reader: source of figures.
        where: place of the changes, for messages.
        ask: waves and lead times.
    """
    found: dict[int, Work] = {}
    lead_days = LEAD_DAYS | dict(ask.lead_days or {})
    scenario = before
    for i, after in apply_one_by_one(before, changes, reader, where):
        change = changes[i]
        waves = _waves(scenario, i, change, f"{where}[{i}] {change.kind}", ask.n_waves)
        found[i] = Work(f"{i + 1} {change.kind}", waves, lead_days.get(change.kind, 0))
        scenario = after
    return [found[i] for i in sorted(found)]


def _waves(before: Scenario, i: int, change: Change, where: str, n_waves: int) -> tuple[Wave, ...]:
    """Split what a change selects into waves: every n-th record by id, so that neighbours are in different waves.

    New fibre drains all links on the cables of a wave. Links on one cable are in the same wave.
    """
    field = SELECTORS.get(change.kind)
    if field is None:
        return (Wave(((i, change),)),)
    state, as_of = before.case.state, before.case.document.as_of
    select, ids = (select_links, state.link_ids) if field == "links" else (select_nodes, state.node_ids)
    rows: Ints = select(state, getattr(change, field), as_of, where)
    on_cables = change.kind == "set_fibre"
    units = grouped_by_cable(state, rows) if on_cables else [[row] for row in rows.tolist()]
    target = "links" if field == "links" else "nodes"

    def wave(own: Change, selected: Ints) -> Wave:
        drained = links_on_same_cables(state, selected) if on_cables else selected
        return replace(Wave(((i, own),)), **{target: tuple(ids[row] for row in drained.tolist())})

    if n_waves == 1 or len(units) < 2 or len(rows) > n_waves * MAX_LISTED or getattr(change, "fit_power", False):
        return (wave(change, rows),)
    groups = [[row for unit in units[first::n_waves] for row in unit] for first in range(min(n_waves, len(units)))]
    return tuple(
        wave(change.model_copy(update={field: tuple(ids[row] for row in group)}), np.array(group, np.int64))
        for group in groups
    )


def joined(works: Sequence[Work]) -> Work:
    """Return one work of several that cannot be built one after the other; everything is drained at once."""
    waves = [wave for work in works for wave in work.waves]
    together = Wave(
        tuple(change for wave in waves for change in wave.changes),
        tuple(sorted({name for wave in waves for name in wave.links})),
        tuple(sorted({name for wave in waves for name in wave.nodes})),
    )
    return Work(", ".join(work.label for work in works), (together,), max(work.lead_days for work in works))
