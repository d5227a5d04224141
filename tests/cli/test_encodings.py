"""Output in any locale: JSON is UTF-8, and tables replace what the terminal cannot show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from twin.cli.main import app

ROOT = Path(__file__).parents[2]
ENCODINGS = [
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
]
MAIN_FOR_EACH = """
import json, os, sys
from twin.cli.main import main
for words in json.loads(sys.argv[1]):
    sys.argv[1:] = words
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code or 0
    for stream, end in ((sys.stdout, f"\\0{code}\\0"), (sys.stderr, "\\0")):
        stream.flush()
        os.write(stream.fileno(), end.encode())
"""
"""A program that runs several commands, since its start takes longer than they do."""


def run(environment: dict[str, str], *commands: list[str]) -> list[tuple[int, bytes, bytes]]:
    """Exit code, stdout and stderr of each command, in one process of this environment."""
    kept = {name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LANG", "PYTHONIOENCODING")}
    found = subprocess.run(
        [sys.executable, "-c", MAIN_FOR_EACH, json.dumps(commands)],
        capture_output=True,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        timeout=240,
        check=True,
    )
    *out, nothing = found.stdout.split(b"\0")
    *said, nothing_said = found.stderr.split(b"\0")
    assert (nothing, nothing_said) == (b"", b"")
    return list(zip(map(int, out[1::2]), out[::2], said, strict=True))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "network.json"
    nodes = [{"id": name, "kind": "leaf"} for name in ("Zürich", "光-7", "µ–①")]
    links = [{"id": "光~Z", "ends": ["光-7", "Zürich"], "capacity_gbps": 100}]
    path.write_text(json.dumps({"note": "→ 光", "nodes": nodes, "links": links}), encoding="utf-8")
    return path


@pytest.mark.parametrize("environment", ENCODINGS, ids=str)
def test_json_is_utf_8_tables_are_ascii_and_errors_are_printed(environment: dict[str, str], document: Path) -> None:
    words = ["topologies", str(document)]
    answers = run(environment, [*words, "--json"], words, ["topologies", "光"])
    code, out, said = answers[0]
    assert (code, said) == (0, b"")
    assert out == CliRunner().invoke(app, [*words, "--json"]).stdout_bytes
    assert "光-7" in out.decode("utf-8")
    code, table, said = answers[1]
    assert (code, said) == (0, b"")
    assert b"-> ?" in table
    code, _, said = answers[2]
    assert code == 2
    assert said.startswith(b"error: no network '")
    assert b"Traceback" not in said


def test_json_of_answers_is_utf_8(document: Path) -> None:
    [(code, out, said)] = run(ENCODINGS[0], ["links", str(document), "*", "--json"])
    assert (code, said) == (0, b"")
    assert "光~Z" in out.decode("utf-8")


def test_no_command_writes_to_stdout_by_itself() -> None:
    for path in sorted((ROOT / "twin" / "cli").glob("*.py")):
        assert path.name == "terminal.py" or "sys.stdout" not in path.read_text(encoding="utf-8"), path
