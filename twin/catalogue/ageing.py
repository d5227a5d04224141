"""The ageing case: the end of its range that every ageing figure takes."""

from __future__ import annotations

from typing import Literal, get_args

from twin.errors import CatalogueError, did_you_mean

AgeingCase = Literal["low", "value", "high"]
"""Optimistic, central and pessimistic ageing figures."""


AGEING_CASES: tuple[AgeingCase, ...] = get_args(AgeingCase)


def ageing_case_named(name: str) -> AgeingCase:
    """Return the ageing case of a name. Raises CatalogueError with similar names."""
    for case in AGEING_CASES:
        if case == name:
            return case
    hint = did_you_mean(str(name), AGEING_CASES)
    raise CatalogueError(f"no ageing case {name!r}", expected=f"one of {', '.join(AGEING_CASES)}", hint=hint)
