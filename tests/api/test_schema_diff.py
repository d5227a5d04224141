"""The published schemas: those of this version are checked in, and each kind of breaking difference is found."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from twin.api import schema_diff
from twin.api.schema_diff import DOCUMENT, OPENAPI, current_schemas, differences, main, read_schemas, report

from twin.scenario.document_schema import document_schema

Edit = Callable[[Any], Any]


@cache
def current() -> dict[str, Any]:
    return current_schemas()


def test_the_checked_in_schemas_are_those_of_this_version() -> None:
    rows = list(differences(read_schemas(), current()))
    assert not rows, f"\n{report(rows)}\nrefresh: {schema_diff.COMMAND}"
    assert current()[DOCUMENT] == document_schema()


def found(edit: Edit, file: str = OPENAPI) -> set[tuple[bool, str, str]]:
    """Differences after an edit of the current schemas."""
    new = deepcopy(current())
    edit(new[file])
    rows = [(row.breaking, row.where, row.change) for row in differences(current(), new)]
    assert len(rows) == len(set(rows))  # what several requests share is told once
    return set(rows)


def component(name: str) -> Edit:
    return lambda schema: schema["components"]["schemas"][name]


def put(path: str, value: Any, root: Edit = lambda schema: schema) -> Edit:
    """An edit that sets what stands at a path of keys and indexes, or removes it where the value is None."""

    def edit(schema: Any) -> None:
        *steps, last = path.split("/")
        node = root(schema)
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node[step]
        if value is None:
            del node[int(last) if isinstance(node, list) else last]
        elif isinstance(node, list):
            node.insert(int(last), value)
        else:
            node[last] = value

    return edit


def operation(path: str, method: str = "post") -> Edit:
    return lambda schema: schema["paths"][path][method]


SCORE = operation("/v1/score")
PARTS = operation("/v1/parts", "get")
FORECAST, LINK, SELECTOR = component("ForecastRequest"), component("LinkRequest"), component("LinkSelector")
JOB, GROWTH_REQUEST = component("TrainingJob"), component("GrowthRequest")
EXPLANATION, METRIC = component("Explanation"), component("MetricValue")
SCORE_200 = "POST /v1/score response 200"
GROWTH = "properties/growth_ratio_per_year"
NO_OTHERS = "other fields are no longer accepted"
YEARS, TIER = "request ForecastRequest.years", "request LinkSelector.tier"

REQUIRED_QUERY = {"in": "query", "name": "year", "required": True, "schema": {"type": "integer"}}
NULLABLE = {"anyOf": [{"type": "number"}, {"type": "null"}]}


def with_new_field(*, required: bool) -> Edit:
    def edit(schema: Any) -> None:
        FORECAST(schema)["properties"]["new"] = {"type": "string"}
        FORECAST(schema)["required"] += ["new"] * required

    return edit


BREAKING: list[tuple[Edit, str, str]] = [
    (lambda schema: schema["paths"].pop("/v1/score"), "POST /v1/score", "removed"),
    (put("responses/200", None, SCORE), "POST /v1/score", "response 200 removed"),
    (lambda schema: SCORE(schema)["responses"]["200"]["content"].clear(), SCORE_200, "application/json removed"),
    (put("parameters/0", None, PARTS), "GET /v1/parts parameter kind", "removed"),
    (put("parameters/0/required", True, PARTS), "GET /v1/parts parameter kind", "now required"),
    (put("parameters/0/schema/enum/0", None, PARTS), "GET /v1/parts parameter kind", "'fibre' is no longer accepted"),
    (put("parameters/1", REQUIRED_QUERY, PARTS), "GET /v1/parts parameter year", "added, and required"),
    (put("properties/years", None, FORECAST), YEARS, "removed"),
    (put("required/0", "years", FORECAST), YEARS, "now required"),
    (with_new_field(required=True), "request ForecastRequest.new", "added, and required"),
    (
        put("properties/years/type", "string", FORECAST),
        YEARS,
        "integer is no longer accepted",
    ),
    (put(f"{GROWTH}/type", "integer", FORECAST), f"request ForecastRequest.{GROWTH[11:]}", "number became integer"),
    (put("properties/years/minimum", 2, FORECAST), YEARS, "minimum 1 became 2"),
    (put("properties/years/maximum", 50, FORECAST), YEARS, "maximum 100 became 50"),
    (put("properties/link/pattern", "^w", LINK), "request LinkRequest.link", "pattern None became ^w"),
    (put("properties/years/anyOf/1", None, LINK), "request LinkRequest.years", "null is no longer accepted"),
    (put("properties/years/enum", [1, 2], FORECAST), YEARS, "has fixed values now"),
    (put("properties/note", {"type": "null"}, JOB), "request TrainingJob.note", "string is no longer accepted"),
    (
        put("properties/tier/anyOf/0/enum/0", None, SELECTOR),
        TIER,
        "'access' is no longer accepted",
    ),
    (put("oneOf/0", None, component("Change")), "request WhatIfRequest.changes[]", "AddNode is no longer accepted"),
    (put("properties/rates/additionalProperties", False, GROWTH_REQUEST), "request GrowthRequest.rates", NO_OTHERS),
    (put("properties/gap_s", None, EXPLANATION), "answer Explanation.gap_s", "removed"),
    (lambda schema: EXPLANATION(schema)["required"].remove("gap_s"), "answer Explanation.gap_s", "may be absent now"),
    (put("properties/gap_s/type", "string", EXPLANATION), "answer Explanation.gap_s", "may be string now"),
    (put("properties/gap_s", NULLABLE, EXPLANATION), "answer Explanation.gap_s", "may be null now"),
    (put("properties/n_figures/type", "number", component("Score")), "answer Score.n_figures", "integer became number"),
    (put("properties/better/enum", None, METRIC), "answer MetricValue.better", "may be any value now"),
]
ADDITIONS: list[tuple[Edit, str, str]] = [
    (put("paths/~v2", {"get": {"responses": {}}}), "GET ~v2", "added"),
    (put("responses/418", {"description": ""}, SCORE), "POST /v1/score", "response 418 added"),
    (put("parameters/1", REQUIRED_QUERY | {"required": False}, PARTS), "GET /v1/parts parameter year", "added"),
    (with_new_field(required=False), "request ForecastRequest.new", "added"),
    (put("properties/years/type", "number", FORECAST), YEARS, "integer became number"),
    (put("properties/years/maximum", 200, FORECAST), YEARS, "maximum 100 became 200"),
    (put("properties/years/minimum", None, FORECAST), YEARS, "minimum 1 became None"),
    (put("required/1", None, LINK), "request LinkRequest.link", "no longer required"),
    (
        put(GROWTH, NULLABLE, LINK),
        f"request LinkRequest.{GROWTH[11:]}",
        "null is now accepted",
    ),
    (put("properties/tier/anyOf/0/enum/0", "metro", SELECTOR), TIER, "'metro' added"),
    (put("properties/new_s", {"type": "number"}, EXPLANATION), "answer Explanation.new_s", "added"),
    (put("properties/better/enum/0", "neither", METRIC), "answer MetricValue.better", "'neither' added"),
    (put("required/3", "why", METRIC), "answer MetricValue.why", "is always there now"),
]


@pytest.mark.parametrize(("edit", "where", "what"), BREAKING, ids=[what for _, _, what in BREAKING])
def test_each_kind_of_breaking_difference_is_found(edit: Edit, where: str, what: str) -> None:
    assert (True, where, what) in found(edit)


@pytest.mark.parametrize(("edit", "where", "what"), ADDITIONS, ids=[what for _, _, what in ADDITIONS])
def test_each_kind_of_addition_passes(edit: Edit, where: str, what: str) -> None:
    rows = found(edit)
    assert (False, where, what) in rows
    assert not [row for row in rows if row[0]]


def test_texts_and_examples_are_no_difference() -> None:
    def edit(schema: Any) -> None:
        schema["info"]["version"] = "9"
        FORECAST(schema)["description"] = "Other words."
        FORECAST(schema)["properties"]["years"]["title"] = "Other words."
        SCORE(schema)["requestBody"]["content"]["application/json"]["examples"] = {}

    assert not found(edit)


def test_the_document_is_compared_as_what_a_user_writes() -> None:
    def node(schema: Any) -> Any:
        return schema["$defs"]["Node"]

    assert found(put("properties/kind/enum/0", None, node), DOCUMENT) == {
        (True, "document Node.kind", "'rack' is no longer accepted")
    }
    assert found(put("properties/colour", {"type": "string"}, node), DOCUMENT) == {
        (False, "document Node.colour", "added")
    }
    first = current()[DOCUMENT]["$defs"]["Fabric"]["oneOf"][0]["$ref"].rpartition("/")[2]
    assert found(put("$defs/Fabric/oneOf/0", None), DOCUMENT) == {
        (True, "document.fabrics[]", f"{first} is no longer accepted")
    }


def test_the_command_lists_refuses_and_refreshes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schema_diff, "FOLDER", tmp_path / "schemas")
    monkeypatch.setattr(schema_diff, "current_schemas", lambda: new)
    new = deepcopy(current())
    assert main([]) == 1  # nothing is checked in
    assert main(["--write"]) == 0
    assert main([]) == 0
    assert "are the checked-in ones" in capsys.readouterr().out
    EXPLANATION(new[OPENAPI])["properties"]["new_s"] = {"type": "number"}
    assert main([]) == 1
    assert "1 additions:\n  answer Explanation.new_s: added" in capsys.readouterr().out
    assert (main(["--write"]), main([])) == (0, 0)
    del EXPLANATION(new[OPENAPI])["properties"]["gap_s"]
    assert main(["--write"]) == 1
    assert "1 breaking changes:\n  answer Explanation.gap_s: removed" in capsys.readouterr().out
    assert main([]) == 1
    assert (main(["--write", "--breaking"]), main([])) == (0, 0)
    assert main(["--wirte"]) == 2
