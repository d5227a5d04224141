"""Parsers of ratios on the command line: a percentage is refused with the ratio that is meant."""

from __future__ import annotations

from collections.abc import Callable

import typer

from ..errors.wording import ratio_hint


def read_ratio(text: str) -> float:
    """Return a number of the command line; a percentage is refused with the ratio that is meant."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number ({ratio_hint(text.rstrip(' %'))})") from None


def ratio_up_to(most: float) -> Callable[[str], float]:
    """Return a parser of ratios from 0 to `most`; a larger number is refused with the ratio that may be meant."""

    def read(text: str) -> float:
        ratio = read_ratio(text)
        if ratio < 0.0 or ratio > most:
            hint = f" ({ratio_hint(f'{ratio:g}')})" if ratio > most else ""
            raise typer.BadParameter(f"{ratio:g} is no ratio from 0 to {most:g}{hint}")
        return ratio

    return read
