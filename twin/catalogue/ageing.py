"""The ageing case: which end of its range every figure of ageing is taken at."""

from __future__ import annotations

from typing import Literal, get_args

from twin.errors import CatalogueError, did_you_mean

AgeingCase = Literal["low", "value", "high"]
"""Optimistic, central and pessimistic figures of everything that ages."""


AGEING_CASES: tuple[AgeingCase, ...] = get_args(AgeingCase)


def ageing_case_named(name: str) -> AgeingCase:
    """Return the ageing case of that name. Raises CatalogueError with near names."""
    for case in AGEING_CASES:
        if case == name:
            return case
    hint = did_you_mean(str(name), AGEING_CASES)
    raise CatalogueError(f"no ageing case {name!r}", expected=f"one of {', '.join(AGEING_CASES)}", hint=hint)
