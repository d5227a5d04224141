"""Every change: an example that gives what an edited document gives, and a sentence."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from tests.contracts.change_examples import EXAMPLES, Example
from twin.answers.data import to_data
from twin.answers.score import Score
from twin.loading import from_document
from twin.scenario.apply import parse_changes
from twin.scenario.change import StateChange, StructureChange, WorkloadChange
from twin.scenario.changes import CHANGES, Change
from twin.scenario.document_schema import document_schema


def metrics(score: Score) -> dict[str, Any]:
    """Every metric but what was bought, which an edited document does not say."""
    return {name: (value.value, value.why) for name, value in score.metrics.items() if name != "capex_usd"}


def kinds(example: Example) -> str:
    return "+".join(change["kind"] for change in example.changes)


def test_the_table_holds_every_class_of_the_union() -> None:
    assert list(CHANGES.values()) == list(get_args(get_args(Change)[0]))


@pytest.mark.parametrize("kind", CHANGES)
def test_it_has_an_example(kind: str) -> None:
    assert any(change["kind"] == kind for example in EXAMPLES for change in example.changes)


@pytest.mark.parametrize("example", EXAMPLES, ids=kinds)
def test_it_gives_what_an_edited_document_gives(example: Example) -> None:
    found = from_document(example.data).what_if(example.changes, main_assumptions=False).after
    want = from_document(example.edited).score(main_assumptions=False)
    assert metrics(found) != metrics(from_document(example.data).score(main_assumptions=False)), (
        "the change has no effect to compare"
    )
    assert {name: why for name, (_, why) in metrics(found).items()} == {
        name: why for name, (_, why) in metrics(want).items()
    }
    for name, (value, _) in metrics(want).items():
        is_near = example.rel and value is not None
        assert found[name] == (pytest.approx(value, rel=example.rel, abs=1e-12) if is_near else value), name
    if not example.rel:
        assert found.bottlenecks == want.bottlenecks
        assert to_data(found.lease) == to_data(want.lease)


@pytest.mark.parametrize("kind", CHANGES)
def test_its_row_says_what_it_is_and_edits_one_level(kind: str) -> None:
    row = CHANGES[kind]
    assert row.__doc__ is not None
    assert row.__doc__.strip()
    levels = (StructureChange, WorkloadChange, StateChange)
    assert sum(issubclass(row, level) for level in levels) == 1


@pytest.mark.parametrize("kind", CHANGES)
def test_plans_and_the_schema_know_it(kind: str) -> None:
    (change,) = next(parse_changes([each]) for example in EXAMPLES for each in example.changes if each["kind"] == kind)
    assert isinstance(change, CHANGES[kind])
    assert kind in document_schema()["$defs"]["Change"]["discriminator"]["mapping"]
