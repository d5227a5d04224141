"""Output in any locale: JSON is UTF-8, and tables replace what the terminal cannot show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENCODINGS = [
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
]


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    kept = {name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LANG", "PYTHONIOENCODING")}
    code = "from twin.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        timeout=240,
        check=False,
    )


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "network.json"
    nodes = [{"id": name, "kind": "leaf"} for name in ("Zürich", "光-7", "µ–①")]
    links = [{"id": "光~Z", "ends": ["光-7", "Zürich"], "capacity_gbps": 100}]
    path.write_text(json.dumps({"note": "→ 光", "nodes": nodes, "links": links}), encoding="utf-8")
    return path


@pytest.mark.parametrize("environment", ENCODINGS, ids=str)
def test_json_is_utf_8(environment: dict[str, str], document: Path) -> None:
    found = run(environment, "topologies", str(document), "--json")
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout == run({"PYTHONUTF8": "1"}, "topologies", str(document), "--json").stdout
    assert "光-7" in found.stdout.decode("utf-8")


def test_json_of_answers_is_utf_8(document: Path) -> None:
    found = run(ENCODINGS[0], "links", str(document), "*", "--json")
    assert (found.returncode, found.stderr) == (0, b"")
    assert "光~Z" in found.stdout.decode("utf-8")


def test_no_command_writes_to_stdout_by_itself() -> None:
    for path in sorted((ROOT / "twin" / "cli").glob("*.py")):
        assert path.name == "terminal.py" or "sys.stdout" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("environment", ENCODINGS, ids=str)
def test_tables_show_ascii_where_the_terminal_lacks_a_character(environment: dict[str, str], document: Path) -> None:
    found = run(environment, "topologies", str(document))
    assert (found.returncode, found.stderr) == (0, b"")
    assert b"-> ?" in found.stdout


@pytest.mark.parametrize("environment", ENCODINGS, ids=str)
def test_errors_are_printed_in_any_locale(environment: dict[str, str]) -> None:
    found = run(environment, "topologies", "光")
    assert found.returncode == 2
    assert found.stderr.startswith(b"error: no network '")
    assert b"Traceback" not in found.stderr
