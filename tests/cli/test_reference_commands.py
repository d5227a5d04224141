"""The commands that list kinds of changes and metrics."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from twin.answers.metrics import METRICS
from twin.cli import main as cli
from twin.scenario.changes import CHANGES


def run(*words: str, columns: int = 100) -> str:
    result = CliRunner().invoke(cli.app, list(words), env={"COLUMNS": str(columns)})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_changes_lists_every_kind_once() -> None:
    first_words = [line.split()[0] for line in run("changes").splitlines() if line]
    assert [word for word in first_words if word in CHANGES] == list(CHANGES)
    listed = json.loads(run("changes", "--json"))["changes"]
    assert [row["kind"] for row in listed] == list(CHANGES)


def test_one_kind_shows_its_fields_selectors_and_an_example() -> None:
    text = run("changes", "set_channels")
    for part in ("state change", "n_parallel", "whole number from 1 to", "link selector", "installed_before", "wan-*"):
        assert part in text, part
    row = json.loads(run("changes", "set_channels", "--json"))
    by_name = {field["name"]: field for field in row["fields"]}
    assert (by_name["n_parallel"]["required"], by_name["mux"]["required"]) == (True, False)
    assert row["example"]["change"]["kind"] == "set_channels"


@pytest.mark.parametrize(
    ("kind", "hint"), [("set_chanels", "did you mean 'set_channels'"), ("zzz", "`twin changes` lists them")]
)
def test_an_unknown_kind_is_refused_with_near_names(kind: str, hint: str) -> None:
    result = CliRunner().invoke(cli.app, ["changes", kind])
    assert result.exit_code == cli.BAD_INPUT
    assert result.stderr.startswith(f"error: no kind of change '{kind}' ({hint}")


def test_metrics_lists_every_metric_with_its_unit_and_meaning() -> None:
    rows = json.loads(run("metrics", "--json"))["metrics"]
    assert {row["key"]: (row["label"], row["better"], row["meaning"]) for row in rows} == {
        name: (metric.label, metric.better, metric.sentence) for name, metric in METRICS.items()
    }
    units = {row["key"]: row["unit"] for row in rows}
    assert (units["step_time_s"], units["opex_usd_per_year"]) == ("s", "USD/a")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_table_of_metrics_fits(columns: int) -> None:
    text = run("metrics", columns=columns)
    assert all(len(line) <= columns for line in text.splitlines())
    for name in METRICS:
        assert name in text
    for unit in ("USD per year", "ratio", "count", "tokens/s"):
        assert unit in text
