"""Expected against computed: one row per number, one line per figure of a file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import TwinError, did_you_mean
from .figures import Figures, Missing, Value
from .fixture import ERRORS, EXACT, Case, Expected, ExpectedError, Tolerance

ERROR_FIGURE = "error"
"""Name of the row of a case that expects an error."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number of one case; `key` where the figure is a map. `within` is None where the mean of the file decides."""

    case: str
    figure: str
    key: str | None
    expected: float | str | None
    got: float | str | None
    off_by: float | None
    """Got minus expected, in the unit of the figure; None where there is nothing to subtract."""
    off_by_ratio: float | None
    """|got - expected| / |expected|; None at an expected zero that is missed."""
    within: bool | None
    why: str = ""
    """What happened where the figure could not be computed."""

    @property
    def name(self) -> str:
        """`load_gbps[L0>]`, or the figure alone."""
        return self.figure if self.key is None else f"{self.figure}[{self.key}]"

    def to_dict(self) -> dict[str, Any]:
        """Plain data; `why` only where it says something."""
        data = {name: getattr(self, name) for name in Row.__slots__}
        if not self.why:
            del data["why"]
        return data


@dataclass(frozen=True, slots=True)
class FigureErrors:
    """How near one figure was met over a whole file; errors over what could be computed, None without any."""

    figure: str
    n: int
    n_out: int
    """Numbers that are out by themselves; under mape those that could not be computed."""
    tolerance: Mapping[str, float]
    largest_off_by: float | None
    mean_off_by: float | None
    largest_ratio: float | None
    mean_ratio: float | None
    """The mape, as a ratio."""
    within: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {name: getattr(self, name) for name in FigureErrors.__slots__} | {"tolerance": dict(self.tolerance)}


def compare_figures(case: Case, figures: Figures, tolerance: Mapping[str, Tolerance]) -> list[Row]:
    """Rows of a case that answered."""
    if isinstance(case.expect, ExpectedError):
        wanted = _error_text(case.expect.error, case.expect.contains)
        return [Row(case.id, ERROR_FIGURE, None, wanted, "no error", None, None, False)]
    rows: list[Row] = []
    for name, expected in case.expect.items():
        limit = tolerance.get(name, EXACT)
        found = figures.get(name)
        if isinstance(expected, Mapping):
            known = found if isinstance(found, Mapping) else {}
            why = "" if isinstance(found, Mapping) else _no_figure(name, found, figures, "is one number and no map")
            for key, number in expected.items():
                got = known[key] if key in known else Missing(why or _no_name("key", key, known))
                rows.append(_row(case.id, name, key, number, got, limit))
        elif found is None or isinstance(found, Mapping):
            got = Missing(_no_figure(name, found, figures, "is a map: list the keys to compare"))
            # an expected null means a figure that exists and has no value, not one that nobody knows
            rows.append(Row(case.id, name, None, expected, None, None, None, False, got.why))
        else:
            rows.append(_row(case.id, name, None, expected, found, limit))
    return rows


def compare_error(case: Case, error: TwinError) -> list[Row]:
    """Rows of a case that failed: the expected error, or every figure out with the text of the error."""
    name, text = type(error).__name__, str(error)
    if isinstance(case.expect, ExpectedError):
        wanted = _error_text(case.expect.error, case.expect.contains)
        within = isinstance(error, ERRORS[case.expect.error]) and case.expect.contains in text
        return [Row(case.id, ERROR_FIGURE, None, wanted, _error_text(name, text), None, None, within)]
    why = _error_text(name, text)
    rows = []
    for figure, expected in case.expect.items():
        numbers: Iterable[tuple[str | None, Expected]]
        numbers = expected.items() if isinstance(expected, Mapping) else [(None, expected)]
        rows += [Row(case.id, figure, key, number, None, None, None, False, why) for key, number in numbers]
    return rows


def sum_up(rows: Sequence[Row], tolerance: Mapping[str, Tolerance]) -> tuple[FigureErrors, ...]:
    """One line per figure, in the order of first appearance."""
    by_figure: dict[str, list[Row]] = {}
    for row in rows:
        by_figure.setdefault(row.figure, []).append(row)
    return tuple(_errors(name, group, tolerance.get(name)) for name, group in by_figure.items())


def _errors(figure: str, rows: list[Row], tolerance: Tolerance | None) -> FigureErrors:
    compared = [row for row in rows if isinstance(row.got, float) and isinstance(row.expected, float)]
    off = [math.inf if row.off_by is None else abs(row.off_by) for row in compared]
    # a zero that is missed is off by no finite ratio
    ratios = [math.inf if row.off_by_ratio is None else row.off_by_ratio for row in compared]
    n_out = sum(row.within is False for row in rows)
    mean = _mean(ratios)
    within = n_out == 0
    if tolerance is not None and tolerance.mape is not None and mean is not None:
        within &= mean <= tolerance.mape
    return FigureErrors(
        figure=figure,
        n=len(rows),
        n_out=n_out,
        tolerance=(tolerance or EXACT).model_dump(exclude_none=True) if figure != ERROR_FIGURE else {},
        largest_off_by=_finite(max(off)) if off else None,
        mean_off_by=_finite(_mean(off)),
        largest_ratio=_finite(max(ratios)) if ratios else None,
        mean_ratio=_finite(mean),
        within=within,
    )


def _row(case: str, figure: str, key: str | None, expected: Expected, got: Value, limit: Tolerance) -> Row:
    if isinstance(got, Missing):
        return Row(case, figure, key, expected, None, None, None, expected is None, got.why)
    if expected is None:
        return Row(case, figure, key, None, got, None, None, False, "expected to have no value")
    off = got - expected
    ratio = abs(off) / abs(expected) if expected else (0.0 if off == 0 else None)
    within = None if limit.mape is not None else limit.holds(abs(off), expected)
    return Row(case, figure, key, expected, got, _finite(off), _finite(ratio), within)


def _mean(values: Sequence[float]) -> float | None:
    return sum(value / len(values) for value in values) if values else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _error_text(name: str, text: str) -> str:
    return f"{name}: {text}" if text else name


def _no_figure(name: str, found: Any, figures: Figures, otherwise: str) -> str:
    return _no_name("figure", name, figures) if found is None else otherwise


def _no_name(what: str, name: str, known: Mapping[str, Any]) -> str:
    hint = did_you_mean(name, known)
    return f"no {what} {name!r}" + (f" ({hint})" if hint else "")
