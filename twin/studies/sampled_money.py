"""Figures of money of one evaluation that a decision needs beside the metrics."""

from __future__ import annotations

from collections.abc import Callable

from ..stages.evaluation import Evaluation

MONEY_FIGURES: dict[str, Callable[[Evaluation], float]] = {}
"""Figures by name; the unit is the end of the name."""
