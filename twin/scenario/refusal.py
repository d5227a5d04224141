"""Faults for which changes are refused: those that they make, worsen or touch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import State
from .build_fault import BuildFault

LINK_PARTS = ("link_transceiver", "link_mux", "link_booster")
LINK_COLUMNS = ("link_n_fibre_pairs", "link_launch_dbm")
SPAN_PARTS = ("span_fibre", "span_amplifier")
SPAN_COLUMNS = ("span_length_km", "span_n_connectors", "span_lumped_loss_db", "span_measured_loss_db")
"""Columns of what is built: ageing, failures and repairs do not touch them. More members do, fewer do not."""
TOLERANCE_RATIO = 1e-12
"""A smaller change of an excess, by the value of the fault, is rounding."""


def refused_faults(
    before: Mapping[str, BuildFault], after: Mapping[str, BuildFault], old: State, new: State
) -> list[BuildFault]:
    """Find the faults for which changes are refused.

    A change that lessens a fault is accepted, also where it leaves other faults of the record as they are.

    Args:
        before: faults before the changes.
        after: faults after them.
        old: state before the changes.
        new: state after them.

    Returns:
        Faults that are new, worse, or of a link whose parts, members or spans changed without a gain.
    """
    kept: dict[str, BuildFault] = {}
    refused = []
    for key, fault in after.items():
        if key not in before or _is_greater(fault, before[key]):
            refused.append(fault)
        else:
            kept[key] = fault
    if kept:
        better = {_record(fault.where) for key, fault in before.items() if _is_less(after.get(key), fault)}
        refused += [
            fault
            for key, fault in kept.items()
            if not fault.is_shared
            and not _is_less(fault, before[key])
            and (record := _record(fault.where)) not in better
            and _is_touched(old, new, record)
        ]
    return refused


def _is_greater(fault: BuildFault, known: BuildFault) -> bool:
    """Tell whether a fault exceeds its limit by more than it did, or in more members."""
    return fault.n_members > known.n_members or fault.excess > known.excess + _tolerance(known)


def _is_less(fault: BuildFault | None, known: BuildFault) -> bool:
    """Tell whether a fault is gone, or exceeds its limit by less or in fewer members."""
    return fault is None or fault.n_members < known.n_members or fault.excess < known.excess - _tolerance(known)


def _tolerance(fault: BuildFault) -> float:
    return 0.0 if isinstance(fault.value, str) else TOLERANCE_RATIO * abs(fault.value)


def _record(where: str) -> str:
    """Return the id of the link that a place names, else the place."""
    return where.removeprefix("links[").partition("].")[0].removesuffix("]") if where.startswith("links[") else where


def _is_touched(old: State, new: State, link: str) -> bool:
    """Tell whether a link of this id has other parts or spans, or more members."""
    rows = [state.arrays.link_index.get(link) for state in (old, new)]
    if rows[0] is None or rows[1] is None:
        return False
    n_before, n_after = (int(state["link_n_parallel"][row]) for state, row in zip((old, new), rows, strict=True))
    return n_after > n_before or _built(old, rows[0]) != _built(new, rows[1])


def _built(state: State, row: int) -> tuple[Any, ...]:
    """Return what is built of a link, as comparable values."""
    spans = slice(*state["span_first"][row : row + 2].tolist())
    parts = [state.part_id(int(state[column][row])) for column in LINK_PARTS]
    parts += [state.part_id(int(code)) for column in SPAN_PARTS for code in state[column][spans]]
    values = [np.nan_to_num(state[column][row]).item() for column in LINK_COLUMNS]
    values += [np.nan_to_num(value).item() for column in SPAN_COLUMNS for value in state[column][spans]]
    return (*parts, *values)
