"""Text on what a change did to a link, a demand or a job: members, parts, detours, limits, slower groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..arrays import Bools, at_an_end
from ..render.numbers import number_text, seconds_text
from ..render.quantities import is_noise, names_text
from ..stages.evaluation import Evaluation
from ..training.step import Step
from .arc_text import capacity_reason
from .compared_rows import Trial
from .reasons import PHASE_NAMES, slowest_text
from .record_changes import changed_fields

MAX_FIELDS = 3
"""Most fields of a record that a reason names."""

LEAST_LATENCY_US = 1e-6
"""Least change of the latency of a link that a reason names."""


def link_reason(old: Evaluation, new: Evaluation, old_row: int, new_row: int, figure: str) -> str:
    """Describe what changed at a link.

    Args:
        old: evaluation without the cause.
        new: evaluation with it.
        old_row: row of the link in `old`.
        new_row: row of the link in `new`.
        figure: capacity_gbps, utilisation_ratio or margin_db.
    """
    own = _own_change(old, new, old_row, new_row, figure)
    if figure != "utilisation_ratio":
        if own:
            return own
        return capacity_reason(new, 2 * new_row) if figure == "capacity_gbps" else ""
    capacities = [_capacity_gbps(e, row) for e, row in ((old, old_row), (new, new_row))]
    loads = [_load_gbps(e, row) for e, row in ((old, old_row), (new, new_row))]
    if is_noise(*loads) and not is_noise(*capacities):
        return f"the same load on {number_text(capacities[1], 'Gb/s')}, before {number_text(capacities[0], 'Gb/s')}" + (
            f": {own}" if own else ""
        )
    offered = [_offered_gbps(e, row) for e, row in ((old, old_row), (new, new_row))]
    return _load_reason(old, new, loads, offered) or own


def _own_change(old: Evaluation, new: Evaluation, old_row: int, new_row: int, figure: str) -> str:
    """Describe what changed on the records of the link itself and of its ends, as far as it affects a figure."""
    before, after = old.case.state, new.case.state
    if before.in_service[old_row] and not after.in_service[new_row]:
        down = [after.node_ids[node] for node in after["link_ends"][new_row] if not after["node_up"][node]]
        return f"{names_text(down)} is down" if down else "the link is down"
    members = int(before.n_members_up[old_row]), int(after.n_members_up[new_row])
    texts = [f"{members[0]:,} → {members[1]:,} members up"] if members[0] != members[1] else []
    member_gbps = [
        _capacity_gbps(e, row) / max(n, 1) for e, row, n in zip((old, new), (old_row, new_row), members, strict=True)
    ]
    if texts and figure != "margin_db" and is_noise(*member_gbps):
        return texts[0]
    fields = changed_fields(before, after, old_row, new_row)
    texts += [text for name, text in fields if name not in ("n_parallel", "n_failed")]
    return ", ".join(texts[:MAX_FIELDS])


def _capacity_gbps(e: Evaluation, row: int) -> float:
    return float(e.health.arc_capacity_gbps[2 * row : 2 * row + 2].min())


def _load_gbps(e: Evaluation, row: int) -> float:
    return float(e.arc_load_gbps[2 * row : 2 * row + 2].max())


def _offered_gbps(e: Evaluation, row: int) -> float:
    """Return what demands offer in the busier direction of a link."""
    if e.demands is None:
        return 0.0
    arcs = slice(2 * row, 2 * row + 2)
    return float(e.demands.arc_offered_gbps[arcs][int(np.argmax(e.arc_load_gbps[arcs]))])


def _load_reason(old: Evaluation, new: Evaluation, loads_gbps: Sequence[float], offered_gbps: Sequence[float]) -> str:
    before_gbps, after_gbps = loads_gbps
    loads = f"{number_text(before_gbps, 'Gb/s')} → {number_text(after_gbps, 'Gb/s')}"
    if old.step is not None and new.step is not None:
        bits = (
            (before_gbps - offered_gbps[0]) * old.step.step_time_s,
            (after_gbps - offered_gbps[1]) * new.step.step_time_s,
        )
        same = is_noise(*bits) and (offered_gbps[0] == offered_gbps[1] or is_noise(*offered_gbps))
        if same and not is_noise(old.step.step_time_s, new.step.step_time_s):
            times = seconds_text(new.step.step_time_s), seconds_text(old.step.step_time_s)
            of_job = " of the job" if offered_gbps[0] else ""
            return f"the same bits{of_job} in a step of {times[0]} instead of {times[1]}"
    lost, gained = _changed_links(old, new)
    if lost and after_gbps > before_gbps:
        return f"carries {loads}, rerouted from {_which(lost, 'which is down', 'which are down')}"
    if gained and after_gbps < before_gbps:
        return f"carries {loads}, as {_which(gained, 'takes some', 'take some')}"
    if lost or gained:
        changed = lost or gained
        return f"carries {loads} after {_which(changed, *(('failed',) * 2 if lost else ('came',) * 2))}"
    return f"carries {loads}"


def _which(names: list[str], one: str, several: str) -> str:
    return f"{names_text(names)}{',' if one.startswith('which') else ''} {one if len(names) == 1 else several}"


def _changed_links(old: Evaluation, new: Evaluation) -> tuple[list[str], list[str]]:
    """Return the links that carried traffic and no longer exist or work, and those that are new or work again."""
    before, after = old.case.state, new.case.state
    if before.arrays is after.arrays:
        lost, gained = old.health.lit & ~new.health.lit, new.health.lit & ~old.health.lit
        return _loaded_ids(old, lost), _loaded_ids(new, gained)
    ids = [e.case.state.link_ids for e in (old, new)]
    lit = [{ids[i][row] for row in np.flatnonzero(e.health.lit).tolist()} for i, e in enumerate((old, new))]
    only = lit[0] - lit[1], lit[1] - lit[0]
    masks = [np.array([name in only[i] for name in ids[i]], dtype=np.bool_) for i in (0, 1)]
    return _loaded_ids(old, masks[0]), _loaded_ids(new, masks[1])


def _loaded_ids(e: Evaluation, links: Bools) -> list[str]:
    """Return the ids of some links that carry traffic."""
    loaded = at_an_end((np.nan_to_num(e.arc_load_gbps, nan=1.0) != 0.0).reshape(-1, 2))
    return [e.case.state.link_ids[row] for row in np.flatnonzero(links & loaded).tolist()]


def demand_reason(
    old: Evaluation, new: Evaluation, rows: tuple[int, int], limits: tuple[str | None, str | None], figure: str
) -> str:
    """Describe what limits a pair of nodes after a change, and what limited it before.

    Args:
        old: evaluation without the cause.
        new: evaluation with it.
        rows: row of the pair in both.
        limits: link that limits the pair in both.
        figure: carried_ratio or latency_us.
    """
    old_row, new_row = rows
    lost, gained = _changed_links(old, new)
    assert old.demands is not None
    assert new.demands is not None
    after = f" after {_which(lost, 'failed', 'failed')}" if lost else f" with {names_text(gained)}" if gained else ""
    if not new.demands.reachable[new_row]:
        return f"no path{after}"
    if not old.demands.reachable[old_row]:
        return f"a path again{after}"
    if figure == "latency_us":
        return f"another path{after}" if after else _other_latencies(old, new)
    if limits[1] is None:
        return f"no longer limited by {limits[0]}{after}"
    if limits[0] != limits[1]:
        return f"limited by {limits[1]}, which is full{after}"
    other = f", now without {names_text(lost)}" if lost else f", now with {names_text(gained)}" if gained else ""
    return f"still limited by {limits[1]}{other}"


def _other_latencies(old: Evaluation, new: Evaluation) -> str:
    """Name the links whose latency changed, those that changed most first; empty where none did."""
    ids = [e.case.state.link_ids for e in (old, new)]
    rows = old.case.state.link_index
    old_rows = np.array([rows.get(name, -1) for name in ids[1]], dtype=np.int64)
    new_rows = np.flatnonzero(old_rows >= 0)
    before_us, after_us = (e.health.arc_latency_us[0::2] for e in (old, new))
    change_us = np.abs(np.nan_to_num(after_us[new_rows] - before_us[old_rows[new_rows]]))
    found = [row for row in np.argsort(-change_us, kind="stable").tolist() if change_us[row] > LEAST_LATENCY_US]
    if not found:
        return ""
    first = int(new_rows[found[0]])
    latency = f"{before_us[old_rows[first]]:.4g} → {after_us[first]:.4g} µs"
    if len(found) > 1:  # not all of them need be on the path of the demand
        return f"{len(found):,} links have another latency, most {ids[1][first]} {latency}"
    return f"latency of {ids[1][first]} {latency}"


def job_reason(old: Trial, new: Trial, job: str) -> str:
    """Describe the part of the step of a job that changed most."""
    case = new.evaluation.case
    if case.job is None or case.job.id != job:
        row = next((row for row in new.among if row.id == job), None)
        slowed = row.slowed_by[0] if row is not None and row.slowed_by else None
        return f"{slowed.job} slows it most, on {slowed.link}" if slowed else ""
    before, after = old.evaluation.step, new.evaluation.step
    if after is None:
        return f"cannot run: {new.evaluation.why_no_step}"
    if before is None:
        return "can run"
    parts = {name: (before_s, after_s) for name, before_s, after_s in _step_parts(before, after)}
    name = max(parts, key=lambda name: abs(parts[name][1] - parts[name][0]))
    old_s, new_s = parts[name]
    if name == "compute":
        who = f"slower step of {slowest_text(new.evaluation, after)}" if new_s > old_s else "compute"
        verb = "waits for " if new_s > old_s else ""
        return f"{verb}{who}: {seconds_text(new_s)} instead of {seconds_text(old_s)}"
    return f"{name}: {seconds_text(new_s)} exposed instead of {seconds_text(old_s)}"


def _step_parts(before: Step, after: Step) -> Iterator[tuple[str, float, float]]:
    yield "compute", before.compute_time_s, after.compute_time_s
    yield "pipeline bubble", before.bubble_time_s, after.bubble_time_s
    for phase, name in PHASE_NAMES.items():
        if phase in before.exposed_s and phase in after.exposed_s:
            yield name, before.exposed_s[phase], after.exposed_s[phase]
