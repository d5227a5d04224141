"""Every format of `twin export`: files of a small network, the report, the same bytes twice, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.exports.round_trip import FILE_NAMES
from tests.exports.test_round_trip import EVERYTHING
from twin.exports import FORMATS
from twin.imports import FORMATS as IMPORT_FORMATS
from twin.imports import read
from twin.loading import from_document, load

KEYS = ["format", "network", "plan", "files", "summary", "records", "kept", "converted", "dropped"]
HOW_TO = (Path(__file__).parents[2] / "docs/how-to/export.md").read_text(encoding="utf-8")


@pytest.fixture(params=FORMATS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_row_says_what_it_is_and_the_page_has_it(name: str) -> None:
    row = FORMATS[name]
    assert row.name == name
    assert row.sentence.endswith(".")
    assert not row.import_name or row.import_name in IMPORT_FORMATS
    assert f"| `{name}` |" in HOW_TO


def test_it_writes_what_the_report_names(name: str, tmp_path: Path) -> None:
    target = tmp_path / FILE_NAMES[name]
    answer = load("ageing-lines").export(name, target)
    assert target.is_dir() == FORMATS[name].is_folder
    if target.is_dir():
        assert sorted(file.name for file in target.iterdir()) == sorted(answer.report.files)
        assert {file.name: file.read_bytes() for file in target.iterdir()} == answer.files
    else:
        assert answer.report.files == ()
        assert target.read_bytes() == answer.files[""]


def test_either_writer_makes_the_files(name: str) -> None:
    assert (FORMATS[name].write is None) != (FORMATS[name].write_lines is None)


def test_its_report_accounts_for_the_network(name: str) -> None:
    data = json.loads(load("ageing-lines").export(name).report.to_json())
    assert list(data) == KEYS
    assert data["records"] == {"n_nodes": 5, "n_links": 5, "n_demands": 5}
    kept = {row["field"]: row["n"] for row in data["kept"]}
    if FORMATS[name].write is None:
        assert (kept["links.id"], kept["spans.length_km"]) == (5, 16)
        return
    assert kept["nodes.id"] == kept["links.capacity_gbps"] == 5
    dropped = {row["field"]: row for row in data["dropped"]}
    assert (dropped["links.protection"]["n"], dropped["links.protection"]["places"]) == (1, ["protected"])
    assert dropped["links.spans"]["n"] == 17
    assert all(row["effect"] for row in data["dropped"])
    assert not set(kept) & set(dropped)


def test_two_exports_have_the_same_bytes_whatever_the_order_of_the_document(name: str) -> None:
    first = from_document(EVERYTHING).export(name)
    turned = {key: value[::-1] if isinstance(value, list) else value for key, value in EVERYTHING.items()}
    second = from_document(turned).export(name)
    assert first.files == second.files
    assert first.report.to_json() == second.report.to_json()


def test_its_files_are_recognised(name: str, tmp_path: Path) -> None:
    row, target = FORMATS[name], tmp_path / FILE_NAMES[name]
    from_document(EVERYTHING).export(name, target)
    if row.import_name:
        assert read(target).report.format == row.import_name
