"""Faults for which changes are refused: those that they make, worsen or touch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import State
from .build_fault import BuildFault

LINK_PARTS = ("link_transceiver", "link_mux", "link_booster")
LINK_COLUMNS = ("link_n_parallel", "link_n_fibre_pairs", "link_launch_dbm")
SPAN_PARTS = ("span_fibre", "span_amplifier")
SPAN_COLUMNS = ("span_length_km", "span_n_connectors", "span_lumped_loss_db", "span_measured_loss_db")
"""Columns of what is built: ageing, failures and repairs do not touch them."""


def refused_faults(
    before: Mapping[str, BuildFault], after: Mapping[str, BuildFault], old: State, new: State
) -> list[BuildFault]:
    """Find the faults for which changes are refused.

    Args:
        before: faults before the changes.
        after: faults after them.
        old: state before the changes.
        new: state after them.

    Returns:
        Faults that are new, worse, or of a link whose parts, members or spans changed without a gain.
    """
    refused = []
    for key, fault in after.items():
        known = before.get(key)
        if (
            known is None
            or fault.excess > known.excess
            or fault.n_records > known.n_records
            or (fault.excess == known.excess and _built(old, fault.where) != _built(new, fault.where))
        ):
            refused.append(fault)
    return refused


def _built(state: State, where: str) -> tuple[Any, ...]:
    """Return what is built of the link that a place names, as comparable values; empty for other places."""
    name = where.removeprefix("links[").partition("].")[0].removesuffix("]")
    row = state.arrays.link_index.get(name) if where.startswith("links[") else None
    if row is None:
        return ()
    spans = slice(*state["span_first"][row : row + 2].tolist())
    parts = [state.part_id(int(state[column][row])) for column in LINK_PARTS]
    parts += [state.part_id(int(code)) for column in SPAN_PARTS for code in state[column][spans]]
    values = [np.nan_to_num(state[column][row]).item() for column in LINK_COLUMNS]
    values += [np.nan_to_num(value).item() for column in SPAN_COLUMNS for value in state[column][spans]]
    return (*parts, *values)
