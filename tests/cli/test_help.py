"""The help of a command fits the width of a terminal."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from twin.cli.main import app

WIDEST = ["whatif", "sweep", "sample", "decide", "failures", "plan", "measurements"]
"""Commands whose options leave least room for their texts."""


@pytest.mark.parametrize("name", WIDEST)
def test_no_word_of_the_help_is_cut_at_80_columns(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    assert "…" not in shown.stdout
