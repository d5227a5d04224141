"""Every format of `twin parts --from`: its sample gives parts that a network can use; a broken file is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.imports.part_samples import PART_SAMPLES
from twin.errors import DocumentError, TopologyError
from twin.formats.parts_file import read_own_parts
from twin.imports.part_formats import PART_FORMATS
from twin.imports.parts import make_parts
from twin.loading import from_document

KEYS = ["format", "files", "summary", "parts", "kept", "converted", "assumed", "dropped", "findings"]


@pytest.fixture(params=PART_FORMATS)
def name(request: pytest.FixtureRequest) -> str:
    assert request.param in PART_SAMPLES, "give the new format a sample in tests/imports/part_samples.py"
    return str(request.param)


def test_a_row_says_what_it_is(name: str) -> None:
    assert PART_FORMATS[name].name == name
    assert PART_FORMATS[name].sentence.endswith(".")


@pytest.mark.parametrize("ending", [".yaml", ".json"])
def test_its_parts_are_written_read_and_used(name: str, ending: str, tmp_path: Path) -> None:
    made = make_parts(PART_SAMPLES[name](tmp_path / "x"), format=name)
    made.write(tmp_path / f"parts{ending}")
    assert read_own_parts(tmp_path / f"parts{ending}") == made.parts
    network = from_document({"nodes": [{"id": "a", "kind": "leaf"}]}, parts=tmp_path / f"parts{ending}")
    assert all(network.catalogue.get(part.id) == part for part in made.parts)
    assert network.arrays.n_nodes == 1


def test_its_report_accounts_for_the_file(name: str, tmp_path: Path) -> None:
    made = make_parts(PART_SAMPLES[name](tmp_path / "x"), format=name)
    data = json.loads(made.report.to_json())
    assert list(data) == KEYS
    assert [row["id"] for row in data["parts"]] == sorted(part.id for part in made.parts) != []
    assert data["kept"]
    assert data["converted"]
    assert data["assumed"]
    assert repr(made.report).startswith(data["summary"][0].split(" made")[0])
    assert make_parts(PART_SAMPLES[name](tmp_path / "x"), format=name).report.to_json() == made.report.to_json()


def test_figures_that_no_source_states_are_estimates_and_counted(name: str, tmp_path: Path) -> None:
    made = make_parts(PART_SAMPLES[name](tmp_path / "x"), format=name)
    for part, row in zip(made.parts, made.report.parts, strict=True):
        estimates = [figure for figure in part.figures.values() if figure.status == "estimate"]
        assert row.n_assumed == len(estimates)
        assert all("assumed" in figure.source for figure in estimates)
        assert {figure.status for figure in part.figures.values()} <= {"own", "estimate"}


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1, 2]", b"{", b"\x00", b"a: b: c", b"x"], ids=repr)
def test_what_is_no_such_file_is_refused_with_its_name(name: str, content: bytes, tmp_path: Path) -> None:
    path = PART_SAMPLES[name](tmp_path / "x")
    broken = next(p for p in sorted(path.rglob("*")) if p.is_file()) if path.is_dir() else path
    broken.write_bytes(content)
    with pytest.raises((DocumentError, TopologyError)) as caught:
        make_parts(broken, format=name)
    assert broken.name in str(caught.value)
