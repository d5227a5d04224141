"""Steps of a link budget: optical power from transmitter to receiver, then the signal to noise ratio and the margin."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..catalogue import Part
from ..catalogue.figure_reader import FigureReader
from ..optics.link_budget import LinkBudgets, mode_penalty_db
from ..stages.evaluation import Evaluation

ROUNDING_DB = 1e-9
"""Smaller differences between two levels are rounding."""


@dataclass(frozen=True, slots=True)
class BudgetStep:
    """One step of a link budget: its change, and the level after it."""

    step: str
    change_db: float | None
    """Negative for a loss; null for a step that only states a level."""
    level_dbm: float | None = None
    """Optical power after the step; null in the part of the budget in dB."""
    level_db: float | None = None
    """Signal to noise ratio, or the remaining loss budget."""


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """The link budget between two transponders."""

    line: str
    steps: tuple[BudgetStep, ...]


def budget_lines(e: Evaluation, reader: FigureReader, part: Part | None, kind: int) -> tuple[BudgetLine, ...]:
    """Compute the steps of the link budget of each optical path of a kind of link.

    Args:
        e: evaluation of the network.
        reader: source of the figures.
        part: transceiver of the link, or None.
        kind: row of the kind of link in `LinkBudgets.paths`.

    Returns:
        One line for each optical path; without steps where the link has no transceiver or is copper.
    """
    optical = e.health.budgets.paths
    paths = range(optical.first_path[kind], optical.first_path[kind + 1])
    return tuple(
        BudgetLine(_path_name(e, path, len(paths)), tuple(_budget_steps(e, reader, part, path))) for path in paths
    )


def _path_name(e: Evaluation, path: int, n_paths: int) -> str:
    """Part of the link that an optical path covers, as text."""
    paths, arrays = e.health.budgets.paths, e.case.state.arrays
    if n_paths == 1:
        return "whole link"
    first, last = (
        int(bound[path] - arrays.span_first[paths.link_of_path[path]]) for bound in (paths.span_first, paths.span_last)
    )
    spans = f"span {last}" if last == first + 1 else f"spans {first + 1} to {last}"
    return f"{'standby' if arrays.span_standby[paths.span_first[path]] else 'working'} path, {spans}"


def _budget_steps(e: Evaluation, reader: FigureReader, part: Part | None, path: int) -> Iterator[BudgetStep]:
    """Steps of an optical path: power from transmitter to receiver, then the margin of the mode in use."""
    budgets = e.health.budgets
    if part is None or part.optics in (None, "copper"):
        return
    level_dbm = float(budgets.launch_dbm[path])
    yield BudgetStep("launch power", None, level_dbm)
    if e.case.state["link_at_roadm"][budgets.paths.link_of_path[path]]:  # what follows is not modelled
        return
    for name, change_db in _power_changes_db(e, reader, path):
        if abs(change_db) > ROUNDING_DB:
            level_dbm += change_db
            yield BudgetStep(name, change_db, level_dbm)
    yield BudgetStep("received power", None, level_dbm)
    if part.optics == "coherent":
        yield from _signal_to_noise_steps(budgets, reader, part, path)
    else:
        loss_budget_db = reader.part(part.id, "loss_budget_db")
        yield BudgetStep("loss budget", None, level_db=loss_budget_db)
        change_db = float(budgets.margin_db[path]) - loss_budget_db
        yield BudgetStep("loss of the line", change_db, level_db=loss_budget_db + change_db)
        yield BudgetStep("margin", None, level_db=float(budgets.margin_db[path]))


def _power_changes_db(e: Evaluation, reader: FigureReader, path: int) -> Iterator[tuple[str, float]]:
    """(name, change in dB) of each loss and gain along an optical path; all amplifiers together are one gain."""
    state, budgets = e.case.state, e.health.budgets
    link, paths = budgets.paths.link_of_path[path], budgets.paths
    spans = slice(paths.span_first[path], paths.span_last[path])
    mux = state.part_id(int(state["link_mux"][link]))
    protection = state.part_id(int(state["link_protection"][link]))
    mux_db = reader.part(mux, "loss_db") if mux else 0.0
    switch_db = reader.part(protection, "loss_db") if protection else 0.0
    yield "laser ageing", -float(budgets.droop_db[path])
    yield "multiplexer", -mux_db
    yield "protection switch, near", -switch_db / 2.0
    spans_db = float(budgets.spans.total_db[spans].sum())
    patch_db = 0.0
    if paths.span_first[path] == paths.span_last[path]:
        patch_db = float(budgets.loss_db[path]) - 2.0 * mux_db - switch_db
    yield "patch cord, near", -patch_db / 2.0
    end_db = mux_db + (switch_db + patch_db) / 2.0
    unboosted_dbm = float(budgets.launch_dbm[path] - budgets.droop_db[path]) - end_db
    yield "booster or launch setting", float(budgets.into_fibre_dbm[path]) - unboosted_dbm
    for name, column in (
        ("fibre, as new", "fibre_db"),
        ("fibre, ageing", "ageing_db"),
        ("connectors", "connectors_db"),
        ("splices", "splices_db"),
        ("splices of expected repairs", "repairs_db"),
        ("other losses in the span", "lumped_db"),
        ("measured minus model", "correction_db"),
    ):
        yield name, -float(getattr(budgets.spans, column)[spans].sum())
    at_receiver_dbm = float(budgets.received_dbm[path] - budgets.correction_db[path])
    gain_db = at_receiver_dbm - (float(budgets.into_fibre_dbm[path]) - spans_db - end_db)
    yield "amplifiers", gain_db if (state["span_amplifier"][spans] >= 0).any() else 0.0
    yield "patch cord, far", -patch_db / 2.0
    yield "multiplexer, far", -mux_db
    yield "protection switch, far", -switch_db / 2.0
    yield "received power, measured minus model", float(budgets.correction_db[path])


def _signal_to_noise_steps(budgets: LinkBudgets, reader: FigureReader, part: Part, path: int) -> Iterator[BudgetStep]:
    """Steps from the SNR of the receiver alone to the margin of the mode in use, dB."""
    receiver_db = reader.part(part.id, "receiver_snr_at_0dbm_db") + float(budgets.received_dbm[path])
    yield BudgetStep("receiver SNR", None, level_db=receiver_db)
    noise_ratio = _noise_ratio(receiver_db)
    level_db = receiver_db
    line_db = float(budgets.line_gsnr_db[path])
    for name, snr_db in (
        ("transmitter noise", reader.part_or(part.id, "tx_osnr_db", math.inf)),
        ("line noise", line_db if math.isfinite(line_db) else math.inf),
    ):
        noise_ratio += _noise_ratio(snr_db)
        change_db = -10.0 * math.log10(noise_ratio) - level_db
        level_db += change_db
        if change_db:
            yield BudgetStep(name, change_db, level_db=level_db)
    mode = part.modes[int(budgets.mode[path])] if budgets.mode[path] >= 0 else part.modes[-1]
    for name, impairment, amount in (
        ("dispersion penalty", "dispersion_ps_per_nm", budgets.dispersion_ps_per_nm),
        ("PMD penalty", "pmd_ps", budgets.pmd_ps),
    ):
        penalty_db = float(mode_penalty_db(mode, impairment, amount[path : path + 1])[0])
        if 0.0 < penalty_db < math.inf:
            level_db -= penalty_db
            yield BudgetStep(name, -penalty_db, level_db=level_db)
    level_db -= mode.required_snr_db.value
    yield BudgetStep(f"required for {mode.rate_gbps:g}G", -mode.required_snr_db.value, level_db=level_db)
    margin_db = float(budgets.margin_db[path])
    yield BudgetStep("margin" if math.isfinite(margin_db) else "margin, beyond reach", None, level_db=level_db)


def _noise_ratio(snr_db: float) -> float:
    """Noise over signal; the exponent is limited, so an infinite ratio does not overflow."""
    return math.pow(10.0, min(-snr_db, 3000.0) / 10.0)
