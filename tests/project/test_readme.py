"""The README: short, its pictures early, its commands true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from twin.cli.main import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAX_LINES = 129


def test_it_is_short_and_shows_a_picture_early() -> None:
    lines = README.splitlines()
    assert len(lines) <= MAX_LINES
    assert next(i for i, line in enumerate(lines) if line.startswith("![")) < 15


def test_its_links_lead_to_files() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_commands_on_a_network_of_your_own_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)[0])
    commands = [line.split("#")[0].split()[1:] for line in README.splitlines() if line.startswith("twin ")]
    assert len(commands) >= 4
    for command in commands:
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "link.png").is_file()
