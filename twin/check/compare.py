"""Compares expected and computed figures: one row per number, one summary per figure of a file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import TwinError, did_you_mean
from .figures import Figures, Missing, Value
from .fixture import ERRORS, EXACT, Case, Expected, ExpectedError, Tolerance

ERROR_FIGURE = "error"
"""Figure name of a case that expects an error."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number of one case; `key` if the figure is a map. `within` is None if the mean over the file decides."""

    case: str
    figure: str
    key: str | None
    expected: float | str | None
    got: float | str | None
    off_by: float | None
    """Computed minus expected, in the unit of the figure; None if either is missing."""
    off_by_ratio: float | None
    """|computed - expected| / |expected|; None for an expected zero that is missed."""
    within: bool | None
    why: str = ""
    """Reason why the figure could not be computed."""

    @property
    def name(self) -> str:
        """Name of the row: `load_gbps[L0>]`, or the figure alone."""
        return self.figure if self.key is None else f"{self.figure}[{self.key}]"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; `why` only if it is not empty."""
        data = {name: getattr(self, name) for name in Row.__slots__}
        if not self.why:
            del data["why"]
        return data


@dataclass(frozen=True, slots=True)
class FigureErrors:
    """Errors of one figure over a file, of the numbers that could be computed; None if there are none."""

    figure: str
    n: int
    n_out: int
    """Numbers outside their tolerance; with mape, numbers that could not be computed."""
    tolerance: Mapping[str, float]
    largest_off_by: float | None
    mean_off_by: float | None
    largest_ratio: float | None
    mean_ratio: float | None
    """Mean absolute error (mape), as a ratio."""
    within: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in FigureErrors.__slots__} | {"tolerance": dict(self.tolerance)}


def compare_figures(case: Case, figures: Figures, tolerance: Mapping[str, Tolerance]) -> list[Row]:
    """Return the rows of a case with an answer."""
    if isinstance(case.expect, ExpectedError):
        expected_error = _error_text(case.expect.error, case.expect.contains)
        return [Row(case.id, ERROR_FIGURE, None, expected_error, "no error", None, None, False)]
    rows: list[Row] = []
    for name, expected in case.expect.items():
        limit = tolerance.get(name, EXACT)
        figure = figures.get(name)
        if isinstance(expected, Mapping):
            known = figure if isinstance(figure, Mapping) else {}
            why = "" if isinstance(figure, Mapping) else _no_figure(name, figure, figures, "is one number and no map")
            for key, number in expected.items():
                got = known[key] if key in known else Missing(why or _no_name("key", key, known))
                rows.append(_row(case.id, name, key, number, got, limit))
        elif figure is None or isinstance(figure, Mapping):
            got = Missing(_no_figure(name, figure, figures, "is a map: list the keys to compare"))
            # an expected null means a known figure without a value, not an unknown figure
            rows.append(Row(case.id, name, None, expected, None, None, None, False, got.why))
        else:
            rows.append(_row(case.id, name, None, expected, figure, limit))
    return rows


def compare_error(case: Case, error: TwinError) -> list[Row]:
    """Return the rows of a failed case: the expected error, or all figures out of tolerance with the error text."""
    name, text = type(error).__name__, str(error)
    if isinstance(case.expect, ExpectedError):
        expected_error = _error_text(case.expect.error, case.expect.contains)
        within = isinstance(error, ERRORS[case.expect.error]) and case.expect.contains in text
        return [Row(case.id, ERROR_FIGURE, None, expected_error, _error_text(name, text), None, None, within)]
    why = _error_text(name, text)
    rows = []
    for figure, expected in case.expect.items():
        numbers: Iterable[tuple[str | None, Expected]]
        numbers = expected.items() if isinstance(expected, Mapping) else [(None, expected)]
        rows += [Row(case.id, figure, key, number, None, None, None, False, why) for key, number in numbers]
    return rows


def summarise_by_figure(rows: Sequence[Row], tolerance: Mapping[str, Tolerance]) -> tuple[FigureErrors, ...]:
    """Summarise the rows by figure, in the order of first appearance."""
    by_figure: dict[str, list[Row]] = {}
    for row in rows:
        by_figure.setdefault(row.figure, []).append(row)
    return tuple(_figure_errors(name, group, tolerance.get(name)) for name, group in by_figure.items())


def _figure_errors(figure: str, rows: list[Row], tolerance: Tolerance | None) -> FigureErrors:
    compared = [row for row in rows if isinstance(row.got, float) and isinstance(row.expected, float)]
    errors = [math.inf if row.off_by is None else abs(row.off_by) for row in compared]
    # an expected zero that is missed has no finite ratio
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
        largest_off_by=_finite(max(errors)) if errors else None,
        mean_off_by=_finite(_mean(errors)),
        largest_ratio=_finite(max(ratios)) if ratios else None,
        mean_ratio=_finite(mean),
        within=within,
    )


def _row(case: str, figure: str, key: str | None, expected: Expected, got: Value, limit: Tolerance) -> Row:
    if isinstance(got, Missing):
        return Row(case, figure, key, expected, None, None, None, expected is None, got.why)
    if expected is None:
        return Row(case, figure, key, None, got, None, None, False, "expected to have no value")
    error = got - expected
    ratio = abs(error) / abs(expected) if expected else (0.0 if error == 0 else None)
    within = None if limit.mape is not None else limit.holds(abs(error), expected)
    return Row(case, figure, key, expected, got, _finite(error), _finite(ratio), within)


def _mean(values: Sequence[float]) -> float | None:
    return sum(value / len(values) for value in values) if values else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _error_text(name: str, text: str) -> str:
    return f"{name}: {text}" if text else name


def _no_figure(name: str, figure: Any, figures: Figures, wrong_form: str) -> str:
    return _no_name("figure", name, figures) if figure is None else wrong_form


def _no_name(noun: str, name: str, known: Mapping[str, Any]) -> str:
    hint = did_you_mean(name, known)
    return f"no {noun} {name!r}" + (f" ({hint})" if hint else "")
