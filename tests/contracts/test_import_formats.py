"""Every format of `twin import`: its sample is recognised, read, reported and evaluated; a broken file is refused."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.imports.samples import SAMPLES
from twin.errors import DocumentError
from twin.imports import FORMATS, ImportOptions, read, read_given
from twin.imports.files import source_files
from twin.loading import from_document, load

ROOT = Path(__file__).parents[2]
KEYS = ["format", "files", "summary", "records", "kept", "converted", "assumed", "dropped", "findings", "supports"]


@pytest.fixture(params=FORMATS)
def name(request: pytest.FixtureRequest) -> str:
    assert request.param in SAMPLES, "give the new format a sample in tests/imports/samples.py"
    return str(request.param)


def test_a_row_says_what_it_is(name: str) -> None:
    row = FORMATS[name]
    assert row.name == name
    assert row.sentence.endswith(".")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert not row.extra or row.extra in extras


def test_its_sample_is_recognised_as_nothing_else(name: str, tmp_path: Path) -> None:
    files = source_files([SAMPLES[name](tmp_path / "x")])
    assert [row.name for row in FORMATS.values() if row.recognise(files)] == [name]
    assert read(SAMPLES[name](tmp_path / "x")).report.format == name


def test_its_report_accounts_for_the_file(name: str, tmp_path: Path) -> None:
    found = read(SAMPLES[name](tmp_path / "x"), format=name)
    data = json.loads(found.report.to_json())
    assert list(data) == KEYS
    assert data["records"]["n_links"] == len(found.document.links) > 0
    assert data["kept"]
    assert data["converted"]
    assert set(data["supports"]) == {"routing", "latency", "optics", "money"}
    assert all(row["why"] for row in data["supports"].values() if not row["supported"])
    without_rate = sum(link.capacity_gbps is None for link in found.document.links)
    assert sum(row["n"] for row in data["findings"] if row["kind"] == "unknown rate") == without_rate > 0
    assert repr(found.report).startswith(data["summary"][0].split(" imported")[0])


def test_records_name_their_origin(name: str, tmp_path: Path) -> None:
    document = read(SAMPLES[name](tmp_path / "x"), format=name).document
    for record in (*document.nodes, *document.links):
        assert record.source is not None
        assert not isinstance(record.source, str)
        assert "/" not in record.source.file


def test_the_document_is_written_and_scored_with_unknown_rates(name: str, tmp_path: Path) -> None:
    found = read(SAMPLES[name](tmp_path / "x"), format=name)
    path = tmp_path / "network.yaml"
    found.write(path)
    network = load(path)
    assert network.document == found.document.canonical()
    assert network.score(main_assumptions=False).to_dict()["metrics"]
    unknown = {link.id for link in found.document.links if link.capacity_gbps is None}
    assert {row.id for row in network.link_table().rows if row.member_gbps is None} == unknown


def test_a_stated_rate_leaves_none_unknown(name: str, tmp_path: Path) -> None:
    found = read(SAMPLES[name](tmp_path / "x"), format=name, options=ImportOptions(capacity_gbps=10))
    assert all(link.capacity_gbps is not None for link in found.document.links)
    assert any(row.option == "--capacity-gbps" for row in found.report.assumed)


def test_reading_twice_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    first, second = (read(SAMPLES[name](tmp_path / "x"), format=name) for _ in range(2))
    assert first.document == second.document
    assert first.report.to_json() == second.report.to_json()
    from_document(first.document)
    content_by_name = {file.name: file.content for file in source_files([SAMPLES[name](tmp_path / "x")])}
    given = read_given(content_by_name, format=name)
    assert (given.document, given.report.to_json()) == (first.document, first.report.to_json())


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1, 2]", b"{", b"\x00", b"<a", b"<a/>", b"x"], ids=repr)
def test_what_is_no_such_file_is_refused_with_its_name(name: str, content: bytes, tmp_path: Path) -> None:
    path = SAMPLES[name](tmp_path / "x")
    broken = path / "devices.json" if path.is_dir() else path
    broken.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        read(broken, format=name)
    assert broken.name in str(caught.value)
