"""The description of every change: complete, and its example runs as YAML, as JSON and on the command line."""

from __future__ import annotations

import json
import re
import shlex
from functools import cache
from io import StringIO
from typing import Any

import pytest
import yaml
from rich.console import Console

from twin.arrays import State
from twin.loading import Network, load
from twin.model.validation import validate_as
from twin.render.reference_tables import change_table, changes_table, yaml_text
from twin.scenario.apply import parse_changes
from twin.scenario.change_reference import LEVELS, change_row, change_rows
from twin.scenario.changes import CHANGES
from twin.scenario.select import Links, LinkSelector, Nodes, NodeSelector, select_links, select_nodes
from twin.units import SUFFIXES


@cache
def network(name: str) -> Network:
    return load(name)


def shown(renderable: Any, width: int) -> str:
    console = Console(width=width, record=True, file=StringIO())
    console.print(renderable)
    return console.export_text()


def every_field(row: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    lists = {row["kind"]: row["fields"]} | {name: record["fields"] for name, record in row["records"].items()}
    return [(f"{name}.{field['name']}", field) for name, fields in lists.items() for field in fields]


def test_every_kind_is_listed_by_level() -> None:
    rows = change_rows()
    assert {row["kind"] for row in rows} == set(CHANGES)
    levels = [row["level"] for row in rows]
    assert levels == sorted(levels, key=list(LEVELS).index)


@pytest.mark.parametrize("kind", CHANGES)
def test_every_field_has_values_and_a_meaning(kind: str) -> None:
    row = change_row(kind)
    assert [field["name"] for field in row["fields"]] == [name for name in CHANGES[kind].model_fields if name != "kind"]
    assert row["summary"].endswith(".")
    for name, field in every_field(row):
        assert field["meaning"].endswith("."), f"{name} has no docstring"
        assert field["values"], name
        assert not (field["required"] and field["default"] is not None), name
        last_word = field["name"].rsplit("_", 1)[-1]
        if field["values"].startswith("number") and last_word not in ("ratio", "weight"):
            assert field["unit"], name
            assert last_word in SUFFIXES or "_per_" in field["name"], name


@pytest.mark.parametrize("kind", CHANGES)
def test_the_example_runs_as_yaml_and_as_json(kind: str) -> None:
    example = change_row(kind)["example"]
    (from_yaml,) = parse_changes(yaml.safe_load(yaml_text([example["change"]])))
    (from_json,) = parse_changes([json.loads(json.dumps(example["change"]))])
    assert isinstance(from_json, CHANGES[kind])
    assert from_yaml == from_json
    assert network(example["network"]).what_if([from_json], main_assumptions=False).after.metrics


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("kind", CHANGES)
def test_its_table_fits_and_its_command_can_be_pasted(kind: str, width: int) -> None:
    row = change_row(kind)
    text = shown(change_table(row), width)
    assert all(len(line) <= width for line in text.splitlines())
    for name, _ in every_field(row):
        assert re.search(rf"^(field: )?{name.rpartition('.')[2]}\b", text, re.MULTILINE), name
    command = shlex.split(text[text.index("twin whatif") :].replace("\\", ""))
    assert command[:4] == ["twin", "whatif", row["example"]["network"], "--change"]
    assert json.loads(command[4]) == row["example"]["change"]
    in_a_plan = text[text.index("- ", text.index("under `changes`")) : text.index("Example on the command line")]
    indent = " " * 2
    assert yaml.safe_load(indent + in_a_plan) == [row["example"]["change"]]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_list_shows_every_kind_and_fits(width: int) -> None:
    text = shown(changes_table(change_rows()), width)
    assert all(len(line) <= width for line in text.splitlines())
    assert set(CHANGES) <= set(re.findall(r"^\w+", text, re.MULTILINE))


def test_every_form_of_a_selector_selects() -> None:
    state = State.of(network("memphis-small").arrays)
    as_of = network("memphis-small").document.as_of
    for form in LinkSelector.forms:
        links = validate_as(Links, form, "test")
        assert len(select_links(state, links, as_of, "test"))
    for form in NodeSelector.forms:
        nodes = validate_as(Nodes, form, "test")
        assert len(select_nodes(state, nodes, as_of, "test"))
    assert change_row("age")["records"]["link selector"]["forms"] == list(LinkSelector.forms)
    assert change_row("fail_nodes")["records"]["node selector"]["forms"] == list(NodeSelector.forms)
