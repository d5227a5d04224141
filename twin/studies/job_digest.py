"""Digest of all that the effect of failures on a job depends on, for its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from hashlib import sha256
from typing import Any

import numpy as np

from ..catalogue.figure_reader import FigureReader
from ..stages.evaluation import Evaluation

NOT_IN_ANSWERS = ("plans", "note", "assumptions")
"""Fields of a document that no failure depends on."""


def job_digest(e: Evaluation, ids: Sequence[str], reader: FigureReader) -> str:
    """Return the SHA-256 of a case, its failures, the catalogue and the price book.

    Args:
        e: evaluation of the intact network.
        ids: failures, in their order.
        reader: source of figures and prices.
    """
    case, state = e.case, e.case.state
    document = {name: value for name, value in case.document.to_dict().items() if name not in NOT_IN_ANSWERS}
    total = sha256()
    plain = [document, repr(case.job), case.ageing, state.parts, ids, reader.catalogue.digest(), reader.prices.digest()]
    total.update(json.dumps(plain, sort_keys=True).encode())
    columns: dict[str, Any] = {field.name: getattr(state.arrays, field.name) for field in fields(state.arrays)}
    for name, column in sorted({**columns, **state.overlay}.items()):
        if isinstance(column, np.ndarray):
            total.update(f"{name} {column.dtype} {column.shape}".encode() + np.ascontiguousarray(column).tobytes())
        elif isinstance(column, tuple):
            total.update(json.dumps([name, column]).encode())
    return total.hexdigest()
