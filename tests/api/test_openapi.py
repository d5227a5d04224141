"""The description: its examples work, its references resolve, its unions are those of the twin."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

from twin.model.document import TopologyDocument
from twin.scenario.changes import Change

KINDS = {change.model_fields["kind"].default for change in get_args(get_args(Change)[0])}


def described(client: Any) -> dict[str, Any]:
    schema: dict[str, Any] = client.get("/openapi.json").json()
    return schema


def test_every_example_is_answered(client: Any) -> None:
    n_examples = 0
    for path, methods in described(client)["paths"].items():
        if "post" in methods:
            body = methods["post"]["requestBody"]["content"]["application/json"]
            for name, example in body["examples"].items():
                answer = client.post(path, json=example["value"])
                assert answer.status_code == 200, (path, name, answer.text)
                n_examples += 1
    assert n_examples >= 6


def test_every_reference_resolves(client: Any) -> None:
    schema = described(client)
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)))
    assert names <= set(schema["components"]["schemas"])


def test_changes_are_the_union_in_bodies_and_in_plans(client: Any) -> None:
    components = described(client)["components"]["schemas"]
    assert set(components["Change"]["discriminator"]["mapping"]) == KINDS
    reference = {"$ref": "#/components/schemas/Change"}
    assert components["Plan"]["properties"]["changes"]["items"] == reference
    assert components["WhatIfRequest"]["properties"]["changes"]["anyOf"][0]["items"] == reference


def test_a_network_is_a_name_or_a_document(client: Any) -> None:
    components = described(client)["components"]["schemas"]
    for request in ("ScoreRequest", "WhatIfRequest"):
        name, document = components[request]["properties"]["network"]["anyOf"]
        assert name["type"] == "string"
        assert document == {"$ref": "#/components/schemas/TopologyDocument"}
    assert set(components["TopologyDocument"]["properties"]) == set(TopologyDocument.model_fields)


def test_every_route_says_what_it_answers_and_how_it_fails(client: Any) -> None:
    for methods in described(client)["paths"].values():
        for route in methods.values():
            assert "application/json" in route["responses"]["200"]["content"]
            assert "HTTPValidationError" not in json.dumps(route)
            for status, response in route["responses"].items():
                assert status == "200" or "application/problem+json" in response["content"]
