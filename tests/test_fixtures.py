"""Every fixture that ships keeps its answers; one test per file, with each figure that is out in its message."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.check import check_file
from twin.check.fixture import read_fixture

FOLDER = Path(__file__).parent.parent / "fixtures"
FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in (".json", ".yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_fixture_keeps_its_answers(path: Path) -> None:
    result = check_file(path)
    out = [f"{row.case}: {row.name} expected {row.expected}, got {row.got} {row.why}" for row in result.out]
    assert result.within, "\n".join([*map(str, result.figures), *out])


def test_there_are_fixtures_of_every_source_that_ships() -> None:
    assert {read_fixture(path).source for path in FILES} == {"hand", "peer", "published", "regression"}
