"""What requests may be: content types, query parameters, whole numbers; and the schema says so."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from twin.topologies import GENERATORS

from tests.api.schemas import described
from tests.api.test_errors import problem_of
from twin.scenario.changes import CHANGES
from twin.traffic.demand_generators import DEMAND_GENERATORS

SCORE = "/v1/score"
BODY = b'{"network": "leaf-spine-demo"}'


def components(client: Any) -> dict[str, Any]:
    found: dict[str, Any] = described(client)["components"]["schemas"]
    return found


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/x+json"],
)
def test_types_that_may_hold_json_are_read_as_json(client: Any, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    assert client.post(SCORE, content=BODY, headers=headers).content == client.post(SCORE, content=BODY).content


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"content-type": "text/plain"}, "send application/json"),
        ({"content-type": "multipart/form-data; boundary=x"}, "send application/json"),
        ({"content-encoding": "gzip"}, "without compression"),
    ],
)
def test_other_types_and_compressed_bodies_are_415(client: Any, headers: dict[str, str], text: str) -> None:
    body = gzip.compress(BODY) if "content-encoding" in headers else BODY
    answer = client.post(SCORE, content=body, headers=headers)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert text in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", SCORE), ("GET", "/v1/topologies"), ("GET", "/v1/parts"), ("GET", "/v1/health"), ("GET", "/v1/networks")],
)
def test_unknown_and_repeated_parameters_are_refused_on_every_path(client: Any, method: str, path: str) -> None:
    content = BODY if method == "POST" else None
    answer = client.request(method, f"{path}?feilds=x&feilds=y", content=content)
    assert answer.status_code == 422
    (issue,) = answer.json()["issues"]
    assert issue["where"] == "query.feilds"
    assert issue["hint"]


def test_a_parameter_is_given_once(client: Any) -> None:
    answer = client.get("/v1/parts?kind=fec&kind=fibre")
    assert answer.status_code == 422
    assert answer.json()["issues"] == [{"where": "query.kind", "problem": "is there 2 times", "hint": "give it once"}]


@pytest.mark.parametrize("name", ["Idempotency-Key", "Authorization", "Content-Type", "Origin"])
def test_a_header_of_one_value_is_given_once(client: Any, name: str) -> None:
    headers = [(name, "http://testserver"), (name.lower(), "http://testserver")]
    (issue,) = problem_of(
        client.put("/v1/networks/twice", content=b"nodes: []", headers=headers), 422, "document-error"
    ).issues
    assert (issue.where, issue.hint) == (f"header.{name}", "give it once")


def test_lines_of_a_list_are_one_list(client: Any) -> None:
    tag = client.put("/v1/networks/lines", content=b"nodes: [{id: a, kind: host}]").headers["etag"]
    for lines in (['"x"', tag], [tag, '"x"'], ["", tag]):
        found = client.get("/v1/networks/lines", headers=[("If-None-Match", line) for line in lines])
        assert found.status_code == 304, lines
    headers = [("Accept", "text/csv;q=0.1"), ("Accept", "application/json")]
    found = client.post("/v1/links", json={"network": "two-campus"}, headers=headers)
    assert found.headers["content-type"] == "application/json"


def test_a_byte_order_mark_says_nothing(client: Any) -> None:
    mark, document = b"\xef\xbb\xbf", b'{"nodes":\t[{"id": "a", "kind": "host"}]}'
    assert client.post(SCORE, content=mark + BODY).content == client.post(SCORE, content=BODY).content
    assert (
        client.post("/v1/runs/score", content=mark + BODY).json()["id"]
        == (client.post("/v1/runs/score", content=BODY).json()["id"])
    )
    batch = b'{"questions": [{"question": "score", "request": ' + BODY + b"}]}"
    assert client.post("/v1/runs/batch", content=mark + batch).status_code in (200, 202)
    assert client.put("/v1/networks/marked", content=mark + document).status_code == 201
    stored = client.get("/v1/networks/marked")
    assert (stored.content, stored.headers["content-type"]) == (mark + document, "application/json")
    added = client.post("/v1/networks/marked/measurements", content=mark + b'{"measurements":\t[]}')
    assert added.status_code == 200


def test_a_whole_number_may_be_written_as_a_float(client: Any) -> None:
    body = {"network": "leaf-spine-demo", "years": 2}
    as_float = client.post("/v1/forecast", content=json.dumps(body).replace("2}", "2.0}"))
    assert as_float.content == client.post("/v1/forecast", json=body).content
    assert client.post("/v1/forecast", json=body | {"years": 2.5}).status_code == 422


def test_changes_need_their_kind(client: Any) -> None:
    schemas = components(client)
    for change in CHANGES.values():
        assert "kind" in schemas[change.__name__]["required"]


def test_either_a_plan_or_changes_is_in_the_schema(client: Any) -> None:
    schemas = components(client)
    what_if, explain = schemas["WhatIfRequest"], schemas["ExplainRequest"]
    assert what_if["if"] == {"required": ["plan"], "properties": {"plan": {"type": "string"}}}
    assert what_if["then"] == {"properties": {"changes": {"type": "null"}}}
    assert what_if["else"] == {"required": ["changes"], "properties": {"changes": {"type": "array"}}}
    assert (explain["if"], explain["then"]) == (what_if["if"], what_if["then"])
    assert "else" not in explain


@pytest.mark.parametrize(
    ("block", "noun", "generators"), [("Fabric", "fabric", GENERATORS), ("TrafficBlock", "traffic", DEMAND_GENERATORS)]
)
def test_blocks_are_typed_by_generator(client: Any, block: str, noun: str, generators: dict[str, Any]) -> None:
    schemas = components(client)
    names = [reference["$ref"].rsplit("/", 1)[1] for reference in schemas[block]["oneOf"]]
    assert names == [f"{name}_{noun}" for name in sorted(generators)]
    for name, generator in zip(names, sorted(generators), strict=True):
        fields = schemas[name]["properties"]
        assert fields["generator"]["const"] == generator
        params = schemas[fields["params"]["$ref"].rsplit("/", 1)[1]]
        assert set(params["properties"]) == set(generators[generator].params.model_fields)


def test_inputs_to_vary_have_a_pattern(client: Any) -> None:
    text = components(client)["SweepRequest"]["properties"]["vary"]["anyOf"][0]
    assert "pattern" in text
    assert client.post("/v1/sweep", json={"network": "leaf-spine-demo", "vary": "colour=1,2"}).status_code == 422
