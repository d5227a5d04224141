"""`twin measurements`: from files of meters to a network whose links show residuals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tests.readings.samples import DOCUMENT, SAMPLES
from twin.cli.main import app


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(DOCUMENT))
    return path


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output if result.exception is None or result.exit_code else str(result.exception)


def test_from_a_trace_and_a_switch_to_the_table_of_residuals(mine: Path, tmp_path: Path) -> None:
    trace, dump = (str(SAMPLES[name](tmp_path / name)) for name in ("otdr", "sonic"))
    code, text = run("measurements", trace, "--network", str(mine), "-o", "one.yaml")
    assert code == 0, text
    assert "1 reading of otdr, 1 measurement of 1 link: 0 assumptions, 0 findings." in text
    code, text = run("measurements", "sonic", dump, "--network", "one.yaml", "-o", "two.yaml", "--json")
    assert code == 0, text
    assert json.loads(text)["records"] == {"n_readings": 6, "n_measurements": 6, "n_links": 1, "n_in_budget": 1}
    code, text = run("links", "two.yaml", "--sort", "residual")
    assert code == 0, text
    assert "received power*" in text
    assert "residual" in text
    code, text = run("link", "two.yaml", "wan", "--json")
    assert {row["quantity"] for row in json.loads(text)["residuals"]} >= {"span_loss", "osnr", "snr", "pre_fec_ber"}


def test_strict_fails_on_assumptions_and_findings(mine: Path, tmp_path: Path) -> None:
    sheet = str(SAMPLES["table"](tmp_path / "t"))
    assert run("measurements", sheet, "--network", str(mine), "--strict")[0] == 0
    assert run("measurements", str(SAMPLES["ethtool"](tmp_path / "e")), "--network", str(mine), "--strict")[0] == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["otdr"], "no path after otdr"),
        (["nothing.sor"], "no such file or folder"),
        (["oddr", "nothing.sor"], "did you mean 'otdr'"),
    ],
)
def test_what_cannot_be_read_is_refused(words: list[str], problem: str, mine: Path) -> None:
    result = CliRunner().invoke(app, ["measurements", *words, "--network", str(mine)])
    assert result.exit_code != 0
    assert problem in result.output + str(result.exception)
