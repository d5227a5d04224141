"""Forms made from schemas: every kind of change can be entered, and comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from twin.api.page.changes import change_of
from twin.api.page.fields import FormField, Values, data_of, fields_of, n_records, numbered, values_of
from twin.api.page.form import form_fields

from twin.model.validation import adapter_of
from twin.scenario.changes import CHANGES
from twin.scenario.select import LinkSelector


def fields_of_change(kind: str) -> tuple[FormField, ...]:
    return fields_of(adapter_of(CHANGES[kind]).json_schema())


def names_of(fields: tuple[FormField, ...], values: Values) -> set[str]:
    """Names of all inputs that a form shows."""
    found: set[str] = set()
    for field in fields:
        if field.input == "record":
            found |= names_of(field.fields, values)
        elif field.input == "records":
            for row in range(n_records(field, values)):
                found |= names_of(numbered(field.fields, field.name, row), values)
        else:
            found.add(field.name)
    return found


def shortest(value: Any) -> Any:
    """A change in the shortest form of its selectors: one name for a list of it, ids for conditions on ids alone."""
    if isinstance(value, dict):
        value = {key: shortest(item) for key, item in value.items()}
        return value["id"] if list(value) == ["id"] else value
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 and isinstance(value[0], str) else value


@pytest.mark.parametrize("kind", CHANGES)
def test_the_example_of_each_change_can_be_entered(kind: str) -> None:
    example: dict[str, Any] = dict(CHANGES[kind].example)
    texts = values_of(example)
    shown = names_of(fields_of_change(kind), texts)
    change, errors = change_of(kind, {name: each for name, each in texts.items() if name in shown or name[:2] == "n."})
    assert errors == {}
    assert shortest(change) == shortest({"kind": kind, **example})


@pytest.mark.parametrize("kind", CHANGES)
def test_a_form_shows_every_field_with_a_label_and_its_error(kind: str) -> None:
    fields = fields_of_change(kind)
    change, errors = change_of(kind, {})
    page = form_fields(fields, {}, errors)
    for name in names_of(fields, {}):
        assert f'name="{name}"' in page
    assert page.count("<label ") >= len(names_of(fields, {}))
    assert page.count('class="error" role="alert"') == sum(field.is_required for field in fields)
    assert change["kind"] == kind


@pytest.mark.parametrize("selector", LinkSelector.forms)
def test_a_selector_is_one_id_several_or_conditions(selector: Any) -> None:
    fields = fields_of_change("remove_links")
    assert data_of(fields, values_of({"links": selector})) == {"links": selector}


def test_a_number_that_is_none_is_refused_at_its_field() -> None:
    _, errors = change_of("set_channels", {"links.id": ["wan-*"], "n_parallel": ["many"]})
    assert list(errors) == ["n_parallel"]
    assert "many" in errors["n_parallel"][0]


def test_units_bounds_and_meaning_come_from_the_schema() -> None:
    page = form_fields(fields_of_change("set_channels"), {}, {})
    assert "New number of members." in page
    assert 'min="1" max="1000000"' in page
    assert "Whole number from 1 to 1,000,000." in page


def test_a_list_of_records_grows_by_one() -> None:
    fields = fields_of_change("place_job")
    values = {"n.placement": ["2"], "placement[1].site": ["c2"], "placement[0].site": ["c1"]}
    assert data_of(fields, values) == {"placement": [{"site": "c1"}, {"site": "c2"}]}
    page = form_fields(fields, values, {})
    assert 'name="n.placement" value="3"' in page
    assert page.count("<legend>placement ") == 2


def test_texts_of_the_user_are_escaped() -> None:
    page = form_fields(fields_of_change("fail_srlg"), {"srlg": ["</textarea><script>x</script>"]}, {"srlg": ["<b>"]})
    assert "<script" not in page
    assert "<b>" not in page
