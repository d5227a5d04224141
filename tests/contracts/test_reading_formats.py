"""Every format of `twin measurements`: its sample is recognised, read, reported, compared; a broken file is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.readings.samples import SAMPLES, network
from twin.errors import DocumentError
from twin.imports.files import source_files
from twin.loading import from_document, load
from twin.readings import FORMATS, read, read_given

KEYS = ["format", "network", "files", "summary", "records", "kept", "converted", "assumed", "dropped", "findings"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=FORMATS)
def name(request: pytest.FixtureRequest) -> str:
    assert request.param in SAMPLES, "give the new format a sample in tests/readings/samples.py"
    return str(request.param)


def test_a_row_says_what_it_is_and_the_how_to_page_lists_it(name: str) -> None:
    row = FORMATS[name]
    assert row.name == name
    assert row.sentence.endswith(".")
    assert f"| `{name}` |" in (ROOT / "docs/how-to/measurements.md").read_text(encoding="utf-8")


def test_its_sample_is_recognised_as_nothing_else(name: str, tmp_path: Path) -> None:
    files = source_files([SAMPLES[name](tmp_path / "x")])
    assert [row.name for row in FORMATS.values() if row.recognise(files)] == [name]
    assert read(SAMPLES[name](tmp_path / "x"), network()).report.format == name


def test_its_measurements_are_valid_and_have_residuals(name: str, tmp_path: Path) -> None:
    found = read(SAMPLES[name](tmp_path / "x"), network())
    assert found.measurements
    path = tmp_path / "network.yaml"
    found.write(path)
    loaded = load(path)
    assert loaded.document == found.document
    links = {m.of.link for m in found.measurements}
    rows = [row for link in sorted(links) for row in loaded.link(link, years=None).residuals]
    assert len(rows) == len(found.measurements)
    assert all(row.model is not None for row in rows)
    assert all(m.source is not None and "/" not in m.source.file for m in found.measurements)  # type: ignore[union-attr]


def test_its_report_accounts_for_the_file(name: str, tmp_path: Path) -> None:
    report = read(SAMPLES[name](tmp_path / "x"), network(), format=name).report
    data = json.loads(report.to_json())
    assert list(data) == KEYS
    assert data["network"] == "measured"
    assert data["records"]["n_measurements"] > 0
    assert sum(row["n"] for row in data["kept"] + data["converted"]) >= data["records"]["n_readings"]
    assert str(report).startswith(data["summary"][0].split(":")[0])


def test_reading_twice_gives_the_same_bytes_and_again_into_the_result_adds_nothing(name: str, tmp_path: Path) -> None:
    first, second = (read(SAMPLES[name](tmp_path / "x"), network()) for _ in range(2))
    assert first.document.to_json() == second.document.to_json()
    assert first.report.to_json() == second.report.to_json()
    content_by_name = {file.name: file.content for file in source_files([SAMPLES[name](tmp_path / "x")])}
    given = read_given(content_by_name, network(), format=name)
    assert (given.document, given.report.to_json()) == (first.document, first.report.to_json())
    again = read(SAMPLES[name](tmp_path / "x"), from_document(first.document))
    assert again.measurements == ()
    assert {row.kind for row in again.report.findings} >= {"already stated"}


CONTENTS = [
    b"", b"\xff\xfe\x00", b"[1, 2]", b"{", b"\x00", b"Map\0", b"x", b"{}", b"5", b"null", b'"x"',
    b'[{"a": 1}]', b'{"a": {"b": 1}}'
]  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS, ids=repr)
def test_what_is_no_such_file_is_refused_with_its_name(name: str, content: bytes, tmp_path: Path) -> None:
    path = SAMPLES[name](tmp_path / "x")
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=path.name):
        read(path, network(), format=name)
