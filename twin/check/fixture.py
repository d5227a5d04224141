"""Reads and validates fixture files; all faults are reported before anything is computed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, JsonValue, model_validator

from .. import errors
from ..errors import DocumentError, Issue, TwinError, did_you_mean
from ..errors.wording import counted
from ..formats import read_mapping
from ..formats.locate import located
from ..model.records import STRICT
from ..model.validation import validate_as
from .kinds import KINDS

ERRORS: dict[str, type[TwinError]] = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, TwinError) and not name.startswith("_")
}
"""Errors that a case can expect, by class name."""
Limit = Annotated[float, Field(ge=0)]
Expected = float | None
Text = Annotated[str, Field(max_length=20_000)]


class Tolerance(BaseModel):
    """Tolerance of a figure: `abs`, `rel`, both (one of them suffices), or `mape`, a mean over the file.

    `rel` and `mape` are ratios. A figure without a tolerance must be exact: within 1e-9 of its value, or 1e-12 of zero.
    """

    model_config = STRICT | {"frozen": True}

    abs: Limit | None = None
    rel: Limit | None = None
    mape: Limit | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Tolerance:
        if self.abs is None and self.rel is None and self.mape is None:
            raise ValueError("a tolerance says abs, rel, both, or mape")
        if self.mape is not None and (self.abs is not None or self.rel is not None):
            raise ValueError("mape stands alone: the mean over the file decides")
        return self

    def holds(self, off_by: float, expected: float) -> bool:
        """Return whether one value is within `abs` or `rel`; `mape` is not checked.

        off_by: absolute difference, in the unit of the figure.
        """
        within_abs = self.abs is not None and off_by <= self.abs
        return within_abs or (self.rel is not None and off_by <= self.rel * abs(expected))


EXACT = Tolerance(abs=1e-12, rel=1e-9)
"""Tolerance of a figure without a stated tolerance."""


@dataclass(frozen=True, slots=True)
class ExpectedError:
    """An expected error: class name (subclasses match) and a text that the message contains."""

    error: str
    contains: str


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `given` is the model of the kind, or the expected error of its validation."""

    id: str
    given: BaseModel | DocumentError
    expect: ExpectedError | Mapping[str, Expected | Mapping[str, Expected]]
    note: str


@dataclass(frozen=True, slots=True)
class Fixture:
    """A file of cases of one kind, with the source and the tolerances of its numbers."""

    kind: str
    source: str
    origin: str
    tolerance: Mapping[str, Tolerance]
    cases: tuple[Case, ...]


class _CaseRecord(BaseModel):
    model_config = STRICT | {"frozen": True}

    id: Annotated[str, Field(min_length=1, max_length=1000)]
    given: dict[str, JsonValue]
    expect: Annotated[dict[str, JsonValue], Field(min_length=1)]
    note: Text = ""


class _FixtureRecord(BaseModel):
    model_config = STRICT | {"frozen": True}

    kind: str
    source: Literal["hand", "published", "peer", "regression"]
    origin: Text = ""
    note: Text = ""
    tolerance: dict[str, Tolerance] = {}
    cases: Annotated[tuple[_CaseRecord, ...], Field(min_length=1)]


def read_fixture(path: Path) -> Fixture:
    """Read a fixture file, JSON or YAML by its extension. Raises DocumentError with all faults."""
    with located(path):
        return _read_fixture(path)


def _read_fixture(path: Path) -> Fixture:
    data, where = read_mapping(path, expected="a mapping with kind and cases"), str(path)
    kind = data.get("kind")
    known = ", ".join(sorted(KINDS))
    if kind is None:
        raise DocumentError("is no fixture: it has no `kind`", where=where, expected=f"one of {known}")
    if not isinstance(kind, str) or kind not in KINDS:
        raise DocumentError(
            f"unknown kind {kind!r}", where=where, expected=f"one of {known}", hint=did_you_mean(str(kind), KINDS)
        )
    _raise_issues(where, list(_non_finite_issues(data, "")))
    shared_model = KINDS[kind].shared
    of_cases = shared_model.model_fields.keys() if shared_model is not None else ()
    record: _FixtureRecord = validate_as(
        _FixtureRecord, {name: value for name, value in data.items() if name not in of_cases}, where
    )
    shared = None
    if shared_model is not None:
        shared = validate_as(shared_model, {name: data[name] for name in of_cases if name in data}, where)
    issues = list(_id_issues(record))
    cases = [_read_case(case, kind, shared, issues) for case in record.cases]
    issues += _tolerance_issues(record.tolerance, cases)
    _raise_issues(where, issues)
    return Fixture(kind, record.source, record.origin, record.tolerance, tuple(cases))


def _raise_issues(where: str, issues: list[Issue]) -> None:
    if issues:
        raise DocumentError(counted(len(issues), "bad field"), where=where, found=issues)


def _non_finite_issues(data: Any, where: str) -> Iterator[Issue]:
    """Find NaN and infinity, which Python's JSON parser accepts."""
    if isinstance(data, float) and not math.isfinite(data):
        yield Issue(where or "document", f"{data} is not a number that can be compared", "leave it out, or say null")
    elif isinstance(data, dict):
        for name, value in data.items():
            if isinstance(value, dict | list | float):
                yield from _non_finite_issues(value, f"{where}.{name}" if where else str(name))
    elif isinstance(data, list):
        for i, value in enumerate(data):
            if isinstance(value, dict | list | float):
                name = value.get("id") if isinstance(value, dict) else None
                yield from _non_finite_issues(value, f"{where}[{name if isinstance(name, str) else i}]")


def _id_issues(record: _FixtureRecord) -> Iterator[Issue]:
    for name, n in Counter(case.id for case in record.cases).items():
        if n > 1:
            yield Issue(f"cases[{name}]", f"id {name!r} stands {n} times", "ids are unique within a file")
        if not name.isprintable():
            yield Issue(f"cases[{name!r}].id", "is not printable text")


def _tolerance_issues(tolerance: Mapping[str, Tolerance], cases: list[Case]) -> Iterator[Issue]:
    """Find tolerances of misspelled figures, which would leave the figure itself exact."""
    figures = {name for case in cases if not isinstance(case.expect, ExpectedError) for name in case.expect}
    for name in tolerance:
        hint = did_you_mean(name, figures - tolerance.keys()) if name not in figures else ""
        if hint:
            yield Issue(f"tolerance.{name}", "no case has this figure", hint)


def _read_case(record: _CaseRecord, kind: str, shared: BaseModel | None, issues: list[Issue]) -> Case:
    where = f"cases[{record.id}]"
    expect = _read_expected(record.expect, f"{where}.expect", issues)
    given: BaseModel | DocumentError
    try:
        given = KINDS[kind].bind(validate_as(KINDS[kind].given, record.given, f"{where}.given"), shared)
    except DocumentError as fault:
        given = fault
        if not (isinstance(expect, ExpectedError) and issubclass(DocumentError, ERRORS[expect.error])):
            issues += [Issue(f"{where}.given.{issue.where}", issue.problem, issue.hint) for issue in fault.issues]
    return Case(record.id, given, expect, record.note)


def _read_expected(
    data: Mapping[str, Any], where: str, issues: list[Issue]
) -> ExpectedError | Mapping[str, Expected | Mapping[str, Expected]]:
    if "error" in data:
        return _read_expected_error(data, where, issues)
    expect: dict[str, Expected | Mapping[str, Expected]] = {}
    for name, value in data.items():
        place = f"{where}.{name}"
        if not isinstance(value, dict):
            expect[name] = _read_number(value, place, issues)
            continue
        if not value:
            issues.append(Issue(place, "is an empty map", "list the keys to compare"))
        expect[name] = {key: _read_number(number, f"{place}[{key}]", issues) for key, number in value.items()}
    return expect


def _read_number(value: Any, where: str, issues: list[Issue]) -> Expected:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = "" if isinstance(value, list | dict) else f", found {value!r}"
        issues.append(Issue(where, f"is no number, null or map of numbers{shown}"))
        return None
    try:
        return float(value)
    except OverflowError:
        issues.append(Issue(where, "is too large a number"))
        return None


def _read_expected_error(data: Mapping[str, Any], where: str, issues: list[Issue]) -> ExpectedError:
    name, contains = data["error"], data.get("contains", "")
    for key in data:
        if key not in ("error", "contains"):
            issues.append(Issue(f"{where}.{key}", "stands beside an error", "a case that fails has no figures"))
    if not isinstance(name, str) or name not in ERRORS:
        hint = did_you_mean(str(name), ERRORS) or f"known: {', '.join(sorted(ERRORS))}"
        issues.append(Issue(f"{where}.error", f"unknown error {name!r}", hint))
        name = "TwinError"
    if not isinstance(contains, str):
        issues.append(Issue(f"{where}.contains", f"is no text, found {contains!r}"))
        contains = ""
    return ExpectedError(name, contains)
