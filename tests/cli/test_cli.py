"""The command as a whole: what it refuses before it works, how it ends, and what its tables hold."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from twin.cli import main as cli
from twin.errors import TwinError
from twin.loading import load
from twin.render.numbers import short_text


def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str]:
    """Exit code and stderr of the command, as it is run from a shell."""
    monkeypatch.setattr(sys, "argv", ["twin", *words])
    monkeypatch.setattr("gc.disable", lambda: None)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr()
    assert said.out == ""
    return stop.value.code, said.err


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever begins to work things out fails."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing was to be worked out")

    monkeypatch.setattr("twin.loading.load", refuse)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("option", ["--csv", "--picture"])
def test_what_cannot_be_written_is_told_before_the_work(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "folder.svg").mkdir()
    for path, says in ((tmp_path / "nowhere" / "x.svg", "no folder"), (tmp_path / "folder.svg", "it is a folder")):
        code, said = ended(monkeypatch, capsys, "sweep", "memphis-small", "--vary", "age=0,1", option, str(path))
        assert code == cli.BAD_INPUT
        assert said.startswith(f"error: cannot write {path}: {says}")


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("words", [["sweep", "--vary", "age=0"], ["explain"], ["forecast"], ["link", "wan-1-2"]])
def test_a_picture_without_matplotlib_is_told_before_the_work(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    words = [words[0], "memphis-small", *words[1:], "--picture", "x.png"]
    code, said = ended(monkeypatch, capsys, *words)
    assert code == cli.BAD_INPUT
    assert "matplotlib is not installed" in said
    assert "pip install" in said


@pytest.mark.parametrize("words", [["sweep", "--vary", "age=0"], ["explain"], ["score"]])
def test_an_interrupted_command_says_so(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("twin.loading.load", interrupted)
    assert ended(monkeypatch, capsys, words[0], "memphis-small", *words[1:]) == (cli.INTERRUPTED, "interrupted\n")


def test_the_table_of_plans_has_the_verdict_the_network_and_every_plan_in_a_hundred_columns() -> None:
    result = CliRunner().invoke(cli.app, ["compare", "memphis-small"], env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    network = load("memphis-small")
    assert lines[1].startswith("Best goodput: ")
    assert max(map(len, lines)) <= 100
    header = next(i for i, line in enumerate(lines) if line.split()[:1] == ["step"])
    heads, units, first = (lines[header + i] for i in range(3))
    assert heads.split()[:3] == ["step", "goodput", "change"]
    assert units.split()[0] == "plan"
    assert "tokens/s" in units
    assert first.startswith("as it is")
    goodput = network.score()["goodput_tokens_per_s"]
    assert short_text(goodput) in first.split()
    rows = lines[header + 3 :]
    for plan in network.document.plans:
        assert any(line.split()[:1] == [plan.id] for line in rows), plan.id


def test_an_earlier_name_of_a_command_is_told_its_new_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ended(monkeypatch, capsys, "plans", "memphis-small")
    assert said == (cli.BAD_INPUT, "error: no command 'plans' (did you mean 'compare'?)\n")


def test_every_command_is_in_the_help() -> None:
    text = CliRunner().invoke(cli.app, ["--help"], env={"COLUMNS": "120"}).stdout
    listed = [words[1] for line in text.splitlines() if len(words := line.split()) > 2 and words[0] == "│"]
    names = [command.__name__.rstrip("_") for command in cli.COMMANDS]
    assert [word for word in listed if not word.startswith("-")] == names
    assert not set(cli.RENAMED) & set(names)


def test_processes_and_threads_are_not_given_together(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("sweep", "memphis-small", "--vary", "age=0,1", "--processes", "2", "--threads", "2")
    code, said = ended(monkeypatch, capsys, *words)
    assert (code, said) == (
        cli.BAD_INPUT,
        "error: --processes and --threads are given together (give one of them)\n",
    )


@pytest.mark.parametrize("option", ["--processes", "--threads"])
def test_a_sweep_prints_the_same_on_threads_and_processes(option: str) -> None:
    words = ["sweep", "leaf-spine-demo", "--vary", "age=0,1", "--metric", "max_link_utilisation_ratio", "--json"]
    several = CliRunner().invoke(cli.app, [*words, option, "2"])
    assert several.exit_code == 0, several.output
    assert several.stdout == CliRunner().invoke(cli.app, words).stdout


def test_a_metric_that_is_none_is_told_where_they_are_listed() -> None:
    with pytest.raises(TwinError, match="twin score --all"):
        load("memphis-small").sweep("age=0", metric="foo")


def test_fields_that_no_answer_uses_are_named_and_unknown_rates_shown(tmp_path: Path) -> None:
    document = {
        "as_of": "2026-11-02",
        "nodes": [{"id": "a [x]", "kind": "leaf"}, {"id": "b", "kind": "leaf"}],
        "links": [{"id": "光.1", "ends": ["a [x]", "b"]}],
        "measurements": [{"of": {"link": "光.1"}, "quantity": "latency", "at": "2026-11-01", "value_us": 4.0}],
        "demands": [{"id": "d", "source": "b", "target": "a [x]", "offered_gbps": 1.0}],
    }
    path = tmp_path / "n.json"
    path.write_text(json.dumps(document))
    wide = {"COLUMNS": "160"}
    score = CliRunner().invoke(cli.app, ["score", str(path), "--all"], env=wide)
    assert "Fields that no answer uses yet: measurements latency (1)." in score.stdout
    assert "rate of 1 link unknown: 光.1" in score.stdout
    shown = CliRunner().invoke(cli.app, ["topologies", str(path)], env=wide)
    assert "measurements latency (" in shown.stdout
    links = CliRunner().invoke(cli.app, ["links", str(path), "光.1"], env=wide)
    assert (links.exit_code, "a [x] → b" in links.stdout) == (0, True)
    page = CliRunner().invoke(cli.app, ["link", str(path), "光.1"], env=wide)
    assert "Rate unknown: the link states neither capacity_gbps nor a transceiver." in page.stdout
    assert "unused" not in json.loads(CliRunner().invoke(cli.app, ["score", "leaf-spine-demo", "--json"]).stdout)
