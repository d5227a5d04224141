"""The command `twin plan`: the bytes of Python, files in and out, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import twin
from tests.cli.test_cli import ended
from tests.planner.networks import chord, more, ring
from twin.cli.main import app
from twin.cli.terminal import BAD_INPUT, CHECK_FAILED, INTERRUPTED
from twin.planner.trial import Trials

POOL = [more("ab"), chord("a", "c")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a network and candidates."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ring.json").write_text(ring([300.0, 200.0, 100.0, 350.0]).to_document().to_json())
    (tmp_path / "own.json").write_text(json.dumps({"candidates": POOL}))
    return tmp_path


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["plan", "ring.json", "--candidates", "own.json", "--no-generate", *args])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.usefixtures("folder")
def test_json_is_that_of_python() -> None:
    code, text, _ = run("--budget-usd", "5000", "--json")
    assert code == 0
    answer = twin.load("ring.json").plan(budget_usd=5000, candidates=POOL, generate=False)
    assert text == answer.to_json()
    data = json.loads(text)
    assert {"changes", "capex_usd", "metrics"} <= data["plan"].keys()
    assert {"alternatives", "pareto"} <= data.keys()


def test_the_plan_is_a_file_that_a_what_if_reads(folder: Path) -> None:
    code, text, _ = run("--budget-usd", "5000", "-o", "plan.yaml")
    assert code == 0
    assert text.splitlines()[1].startswith("ab x2: max_link_utilisation_ratio")
    shown = CliRunner().invoke(app, ["whatif", "ring.json", "--changes", "plan.yaml", "--json", "--no-assumptions"])
    after = json.loads(shown.stdout)["metrics"]["max_link_utilisation_ratio"]["after"]
    answer = twin.load(folder / "ring.json").plan(budget_usd=5000, candidates=POOL, generate=False)
    assert answer.plan is not None
    assert after == answer.plan.goal


@pytest.mark.usefixtures("folder")
def test_doing_nothing_is_fine_and_a_target_out_of_reach_fails() -> None:
    assert run("--budget-usd", "0")[0] == 0
    assert run("--target", "max_link_utilisation_ratio=0.01")[0] == CHECK_FAILED


@pytest.mark.usefixtures("folder")
def test_ctrl_c_prints_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    look = Trials.of

    def interrupted(self: Trials, members: int, *, any_price: bool = False) -> object:
        if members == 3:
            raise KeyboardInterrupt
        return look(self, members, any_price=any_price)

    monkeypatch.setattr(Trials, "of", interrupted)
    code, text, _ = run("--budget-usd", "1")
    assert code == INTERRUPTED
    assert "best plan found so far" in text


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((), "state one of --budget-usd, --goal, --target, --keep"),
        (("--budget-usd", "-1"), "--budget-usd"),
        (("--goal", "step_tim"), "did you mean 'step_time_s'?"),
        (("--budget-usd", "1", "--until", "2030"), "as_of"),
        (("--budget-usd", "1", "--threads", "2", "--processes", "2"), "give one of them"),
        (("--keep", "mfu_ratio>=1", "--keep", "mfu_ratio<=0"), "contradict"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    args: tuple[str, ...], text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("plan", "ring.json", "--candidates", "own.json", "--no-generate", *args)
    code, error = ended(monkeypatch, capsys, *words)
    assert code == BAD_INPUT
    assert text in error
