"""Answers as CSV: tables by header or parameter, 406 for others."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
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


def columns_in(row: Mapping[str, Any], header: list[str], prefix: str = "") -> Iterator[str]:
    """Yield the column of each value of a row."""
    for key, value in row.items():
        name = prefix + key
        if isinstance(value, Mapping) and name not in header:
            yield from columns_in(value, header, f"{name}.")
        elif value is not None or name in header:
            yield name


@pytest.mark.parametrize("path", QUICK)
def test_tables_have_a_csv_with_the_same_columns_for_any_rows(client: TestClient, path: str) -> None:
    body: dict[str, Any] = {**next(iter(QUESTION_BY_PATH[path].examples.values()))}
    body.pop("fields", None)
    answer = client.post(f"/v1/{path}", json=body, headers=CSV)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    data = client.post(f"/v1/{path}", json=body).json()
    table, rows = data[TABLES[path]], rows_of(answer.text)
    assert rows
    if path == "sweep":
        return
    empty = csv_text(path, data | {TABLES[path]: type(table)()}, QUESTION_BY_PATH[path].answer)
    assert [list(row) for row in rows] == [empty.rstrip("\n").split(",")] * len(rows)
    if isinstance(table, list):
        assert len(rows) == len(table)
        for row, record in zip(rows, table, strict=True):
            assert set(columns_in(record, list(row))) <= set(row), "no value is left out"
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


def test_mappings_with_free_keys_are_one_column() -> None:
    interval = {"unit": "s", "n_null": 2, "why": {"no transceiver of a link, 3": 2}}
    data = {"plans": [{"plan": None, "metrics": {"step_time_s": interval}}]}
    text = csv_text("sample", data, QUESTION_BY_PATH["sample"].answer)
    header = "plan,metric,at_value,p10,p50,p90,unit,n_null,why,beats_ratio"
    assert text == header + '\n,step_time_s,,,,,s,2,"{""no transceiver of a link, 3"": 2}",\n'


def test_a_text_is_no_formula_and_a_number_stays_one() -> None:
    rows = [{"day": -1.5, "work": text} for text in ("=1+1", "+1", "-x", "@x", "\tx", "a=1", "-")]
    text = csv_text("schedule", {"states": rows}, QUESTION_BY_PATH["schedule"].answer)
    works = [line.removeprefix("-1.5,,,").removesuffix(",,,,,,") for line in text.splitlines()[1:]]
    assert works == ["'=1+1", "'+1", "'-x", "'@x", "'\tx", "a=1", "'-"]
