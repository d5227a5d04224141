"""The ageing case: which end of its range every figure of ageing is taken at."""

from __future__ import annotations

from typing import Literal

AgeingCase = Literal["low", "value", "high"]
"""Optimistic, central and pessimistic figures of everything that ages."""
