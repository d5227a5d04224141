"""Every metric: a shipped case with its value, a unit, and a sentence."""

from __future__ import annotations

from functools import cache

import pytest

from tests.contracts.product import ROOT
from tests.model.samples import campus_data
from twin.answers.metrics import METRICS, metric_unit
from twin.check.fixture import ExpectedError, read_fixture
from twin.loading import from_document

FILES = sorted(path for path in (ROOT / "fixtures").rglob("*") if path.suffix in (".json", ".yaml"))


@cache
def values() -> dict[str, list[float]]:
    """The values that shipped `whatif` cases expect, by metric."""
    found: dict[str, list[float]] = {}
    for fixture in map(read_fixture, FILES):
        for case in fixture.cases if fixture.kind == "whatif" else ():
            if not isinstance(case.expect, ExpectedError):
                for name, value in case.expect.items():
                    if isinstance(value, float):
                        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("name", METRICS)
def test_a_case_holds_its_value(name: str) -> None:
    assert values().get(name), "add a case in fixtures/hand, and record fixtures/memphis_small.json again"


@pytest.mark.parametrize("name", METRICS)
def test_its_row_says_what_it_is(name: str) -> None:
    assert METRICS[name].sentence.endswith(".")
    assert METRICS[name].better in ("lower", "higher")
    assert metric_unit(name)


@pytest.mark.parametrize("name", METRICS)
def test_it_is_a_number_or_says_why_not(name: str) -> None:
    for data in ({}, campus_data()):
        score = from_document(data).score(main_assumptions=False)
        value = score.metrics[name]
        assert (value.value is None) == bool(value.why)
