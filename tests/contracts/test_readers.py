"""Every reader: a file of its kind gives the document that was meant; every writer writes what its reader reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.model.samples import campus_data
from twin import formats
from twin.errors import DocumentError
from twin.formats import READERS, WRITERS, Reader, parse_document, read_mapping, write_document
from twin.loading import from_document, load

DATA = campus_data()
SAMPLES: dict[str, str] = {".json": json.dumps(DATA), ".yaml": yaml.safe_dump(DATA), ".yml": yaml.safe_dump(DATA)}
"""A file of each kind that stands for `campus_data()`, written by hand or by another tool, never by our writer."""


@pytest.mark.parametrize("ending", READERS)
def test_a_file_of_its_kind_is_read(tmp_path: Path, ending: str) -> None:
    assert ending in SAMPLES, "give the new reader a sample here"
    path = tmp_path / f"network{ending}"
    path.write_text(SAMPLES[ending], encoding="utf-8")
    assert parse_document(read_mapping(path)) == parse_document(DATA)
    assert (
        load(path).score(main_assumptions=False).to_json()
        == from_document(DATA).score(main_assumptions=False).to_json()
    )
    shouting = path.rename(tmp_path / f"network{ending.upper()}")
    assert parse_document(read_mapping(shouting)) == parse_document(DATA)


@pytest.mark.parametrize("ending", READERS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1, 2]", b"{", b"\x00"], ids=repr)
def test_what_is_no_such_file_is_refused_with_its_name(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"broken{ending}"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        parse_document(read_mapping(path), str(path))
    assert f"broken{ending}" in str(caught.value)


@pytest.mark.parametrize("ending", WRITERS)
def test_what_it_writes_is_read_again(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"network{ending}"
    document = parse_document(DATA)
    write_document(document, path)
    assert parse_document(read_mapping(path)) == document.canonical()


@pytest.mark.parametrize("row", [*READERS.values(), *WRITERS.values()], ids=lambda row: row.name)
def test_its_row_says_what_it_is(row: Any) -> None:
    assert row.name
    assert row.sentence.endswith(".")


def test_a_row_is_all_that_a_new_reader_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(content: bytes, where: str, expected: str) -> dict[str, Any]:
        return {"nodes": [{"id": name, "kind": "switch"} for name in content.decode().split()]}

    monkeypatch.setitem(formats.READERS, ".names", Reader("names", "Ids of switches.", parse))
    path = tmp_path / "three.names"
    path.write_text("a b c")
    assert [node.id for node in load(path).nodes] == ["a", "b", "c"]


def test_any_other_ending_is_read_as_yaml(tmp_path: Path) -> None:
    path = tmp_path / "network.txt"
    path.write_text(SAMPLES[".yaml"])
    assert parse_document(read_mapping(path)) == parse_document(DATA)
