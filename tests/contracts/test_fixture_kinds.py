"""Every kind of fixture: a shipped file of it, a sentence, and bad input that is told with its place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.contracts.product import ROOT
from twin.check import check_file
from twin.check.fixture import read_fixture
from twin.check.kinds import KINDS
from twin.errors import DocumentError

FILES = sorted(path for path in (ROOT / "fixtures").rglob("*") if path.suffix in (".json", ".yaml"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_it_ships(kind: str) -> None:
    cases = [case for path in FILES if (fixture := read_fixture(path)).kind == kind for case in fixture.cases]
    assert cases, f"no file of kind {kind} in fixtures/"
    assert any(not isinstance(case.given, DocumentError) for case in cases)


@pytest.mark.parametrize("kind", KINDS)
def test_its_row_says_what_it_is(kind: str) -> None:
    assert KINDS[kind].sentence.endswith(".")
    assert KINDS[kind].given.__doc__
    assert KINDS[kind].run.__doc__


@pytest.mark.parametrize("kind", KINDS)
def test_a_misspelt_field_is_told_with_its_case(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "one.json"
    case = {"id": "c", "given": {"nodez_of": 1}, "expect": {"x": 1}}
    path.write_text(json.dumps({"kind": kind, "source": "hand", "origin": "test", "cases": [case]}))
    with pytest.raises(DocumentError, match=r"cases\[c\]\.given\.nodez_of: unknown field"):
        check_file(path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_fixtures_names_it(kind: str) -> None:
    assert re.search(rf"\b{kind}\b", (ROOT / "fixtures" / "README.md").read_text(encoding="utf-8"))
