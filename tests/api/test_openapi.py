"""The description: its examples work, its references resolve, its unions are those of the twin."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

from tests.api.schemas import described, faults
from twin.answers.metrics import METRICS
from twin.model.document import TopologyDocument
from twin.scenario.changes import Change
from twin.studies.inputs import MAX_VALUES, PATHS

QUESTIONS = (
    "ScoreRequest",
    "WhatIfRequest",
    "ForecastRequest",
    "LinkRequest",
    "PathRequest",
    "DemandsRequest",
    "LinksRequest",
    "ExplainRequest",
    "SweepRequest",
)
KINDS = {change.model_fields["kind"].default for change in get_args(get_args(Change)[0])}


def test_every_example_is_answered_as_described(client: Any) -> None:
    n_examples = 0
    schema = described(client)
    components = schema["components"]["schemas"]
    for path, methods in schema["paths"].items():
        if methods.get("post", {}).get("tags") == ["questions"]:
            body = methods["post"]["requestBody"]["content"]["application/json"]
            answered = methods["post"]["responses"]["200"]["content"]["application/json"]["schema"]
            for name, example in body["examples"].items():
                answer = client.post(path, json=example["value"])
                assert answer.status_code == 200, (path, name, answer.text)
                if "fields" not in example["value"]:  # chosen fields are a part of the answer
                    assert faults(answered, answer.json(), components) == [], (path, name)
                n_examples += 1
    assert n_examples >= 17


def test_what_is_not_as_described_is_found(client: Any) -> None:
    components = described(client)["components"]["schemas"]
    answer = client.post("/v1/forecast", json={"network": "memphis-small", "years": 1}).json()
    schema = {"$ref": "#/components/schemas/Forecast"}
    assert faults(schema, answer, components) == []
    link = answer["links"][0]
    assert faults(schema, answer | {"more": 1}, components) == [".more is unknown"]
    assert faults(schema, answer | {"links": [link | {"n_alike": 1.5}]}, components) == [
        ".links[0].n_alike: 1.5 is no integer"
    ]
    del link["cases"]["high"]["runout"]["0.7"]
    assert faults(schema, answer, components) == [".links[0].cases.high.runout.0.7 is missing"]


def test_every_reference_resolves(client: Any) -> None:
    schema = described(client)
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)))
    assert names <= set(schema["components"]["schemas"])


def test_changes_are_the_union_in_bodies_and_in_plans(client: Any) -> None:
    components = described(client)["components"]["schemas"]
    assert set(components["Change"]["discriminator"]["mapping"]) == KINDS
    reference = {"$ref": "#/components/schemas/Change"}
    assert components["Plan"]["properties"]["changes"]["items"] == reference
    for request in QUESTIONS[1:]:
        assert components[request]["properties"]["changes"]["anyOf"][0]["items"] == reference


def test_a_network_is_a_name_or_a_document(client: Any) -> None:
    components = described(client)["components"]["schemas"]
    for request in QUESTIONS:
        name, document = components[request]["properties"]["network"]["anyOf"]
        assert name["type"] == "string"
        assert document == {"$ref": "#/components/schemas/TopologyDocument"}
    assert set(components["TopologyDocument"]["properties"]) == set(TopologyDocument.model_fields)


def test_every_route_says_what_it_answers_and_how_it_fails(client: Any) -> None:
    for methods in described(client)["paths"].values():
        for route in methods.values():
            assert "HTTPValidationError" not in json.dumps(route)
            statuses = {int(status) for status in route["responses"]}
            assert any(200 <= status < 300 for status in statuses)
            for status, response in route["responses"].items():
                assert int(status) < 400 or "application/problem+json" in response["content"]
                assert int(status) in (204, 304) or response["content"]


def test_links_are_an_id_a_glob_or_conditions_and_bounds_are_told(client: Any) -> None:
    components = described(client)["components"]["schemas"]
    forecast, page = (components[name]["properties"] for name in ("ForecastRequest", "LinkRequest"))
    glob, globs, conditions, nothing = forecast["links"]["anyOf"]
    assert (globs["type"], globs["items"], globs["minItems"]) == ("array", glob, 1)
    assert (glob["type"], glob["maxLength"], nothing) == ("string", 200, {"type": "null"})
    assert conditions == {"$ref": "#/components/schemas/LinkSelector"}
    assert (forecast["years"]["minimum"], forecast["years"]["maximum"], forecast["years"]["default"]) == (1, 100, 20)
    growth = page["growth_ratio_per_year"]
    assert (growth["minimum"], growth["maximum"], growth["default"]) == (-0.9, 10, 0)
    assert components["LinkRequest"]["required"] == ["network", "link"]


def test_inputs_to_vary_are_texts_or_paths_with_values_and_metrics_are_named(client: Any) -> None:
    components = described(client)["components"]["schemas"]
    sweep, axis = components["SweepRequest"], components["AxisRequest"]["properties"]
    text, one, two = sweep["properties"]["vary"]["anyOf"]
    assert text["type"] == "string"
    assert one == {"$ref": "#/components/schemas/AxisRequest"}
    assert (two["items"]["anyOf"], two["minItems"], two["maxItems"]) == ([text, one], 1, 2)
    assert all(path in axis["path"]["description"] for path in PATHS)
    assert axis["values"]["anyOf"][1]["maxItems"] == MAX_VALUES
    assert sweep["properties"]["metric"]["enum"] == [*METRICS, None]
    assert sweep["required"] == ["network", "vary"]
    assert components["ExplainRequest"]["required"] == ["network"]
