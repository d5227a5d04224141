"""Answers as CSV: tables by header or parameter, 406 for others."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from twin.api.csv_tables import TABLES, csv_text
from twin.api.questions.table import QUESTION_BY_PATH

import twin
from tests.api.conftest import TestClient
from tests.api.test_errors import problem_of
from tests.api.test_runs import ended

CSV = {"Accept": "text/csv"}
QUICK = [path for path in TABLES if path not in ("score", "what-if", "sample")]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("path", QUICK)
def test_tables_have_a_csv(client: TestClient, path: str) -> None:
    body: dict[str, Any] = {**next(iter(QUESTION_BY_PATH[path].examples.values()))}
    body.pop("fields", None)
    answer = client.post(f"/v1/{path}", json=body, headers=CSV)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    data = client.post(f"/v1/{path}", json=body).json()
    table, rows = data[TABLES[path]], rows_of(answer.text)
    if isinstance(table, list):
        assert len(rows) == len(table)
        for row, record in zip(rows, table if path != "sweep" else (), strict=False):
            same = {key: value for key, value in record.items() if isinstance(value, str | float)}
            assert {key: row[key] for key in same} == {key: str(value) for key, value in same.items()}


def test_the_csv_of_a_sweep_is_that_of_python(client: TestClient) -> None:
    body = {"network": "leaf-spine-demo", "vary": ["demands=1,2", "age=0,5"]}
    answer = client.post("/v1/sweep?format=csv", json=body)
    assert answer.text == twin.load("leaf-spine-demo").sweep(["demands=1,2", "age=0,5"]).to_csv()
    run = ended(client, client.post("/v1/runs/sweep", json=body).json())
    assert client.get(f"/v1/runs/{run['id']}/answer", headers=CSV).text == answer.text


def test_what_is_no_table_is_refused(client: TestClient) -> None:
    body = {"network": "leaf-spine-demo", "link": "host-1-1~leaf-1"}
    problem_of(client.post("/v1/link", json=body, headers=CSV), 406, "not-acceptable-error")
    for accept in ("text/csv, application/json;q=0.5", "text/html", "*/*"):
        answer = client.post("/v1/optimum", json={"network": "leaf-spine-demo"}, headers={"Accept": accept})
        assert answer.headers["content-type"].startswith("text/csv" if "csv" in accept else "application/json")
    both = {"network": "leaf-spine-demo", "fields": ["summary"]}
    problem_of(client.post("/v1/optimum?format=csv", json=both), 422, "change-error")
    problem_of(client.post("/v1/optimum?format=xml", json=body), 422, "document-error")


def test_a_table_without_rows_is_its_header(client: TestClient) -> None:
    bare = {"network": {"nodes": [{"id": "a", "kind": "switch"}]}}
    for path in ("links", "leases", "bill", "schedule"):
        empty = client.post(
            f"/v1/{path}", json=bare | ({"changes": []} if path in ("bill", "schedule") else {}), headers=CSV
        )
        example = {**next(iter(QUESTION_BY_PATH[path].examples.values()))} | {"fields": None}
        full = client.post(f"/v1/{path}", json=example, headers=CSV)
        header, *rows = empty.text.splitlines()
        assert (rows, len(full.text.splitlines()) > 1) == ([], True), path
        # a record that may be null has one column, or a column for each of its fields
        roots = [[name.partition(".")[0] for name in text.split(",")] for text in (header, full.text.splitlines()[0])]
        assert set(roots[1]) <= set(roots[0]), path


def test_a_text_is_no_formula_and_a_number_stays_one() -> None:
    rows = [{"id": text, "n": -1.5} for text in ("=1+1", "+1", "-x", "@x", "\tx", "a=1", "-")]
    text = csv_text("links", {"links": rows}, QUESTION_BY_PATH["links"].answer)
    assert text == "id,n\n'=1+1,-1.5\n'+1,-1.5\n'-x,-1.5\n'@x,-1.5\n'\tx,-1.5\na=1,-1.5\n'-,-1.5\n"
