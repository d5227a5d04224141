"""The command of availability: exit codes, the same bytes as Python, and refusals."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.cli.test_cli import ended
from twin.cli.main import app
from twin.cli.terminal import BAD_INPUT
from twin.loading import load

DEMO = "leaf-spine-demo"
QUICK = ("--samples", "100", "--states", "60")


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["availability", *args])
    return result.exit_code, result.stdout


def test_the_verdict_comes_first_and_json_is_that_of_python() -> None:
    answer = load(DEMO).availability(n_samples=100, n_states=60, top=3, seed=4, loss_above=0.3)
    options = *QUICK, "--top", "3", "--seed", "4", "--loss-above", "0.3"
    code, text = run(DEMO, *options)
    assert code == 0
    assert text.splitlines()[:2] == [DEMO, answer.summary[0]]
    code, text = run(DEMO, *options, "--json")
    assert code == 0
    assert text == answer.to_json()


@pytest.mark.parametrize(("ratio", "code"), [("0.99998", 0), ("0.999986", 1)])
def test_the_exit_code_holds_a_rule(ratio: str, code: int) -> None:
    """The least connected demand has 1 - 1.4624e-5."""
    assert run(DEMO, *QUICK, "--below", ratio)[0] == code


@pytest.mark.parametrize(
    "options", [("--rest", "0"), ("--states", "1"), ("--samples", "1"), ("--loss-above", "2"), ("--job", "none")]
)
def test_bad_questions_are_refused(
    options: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = ended(monkeypatch, capsys, "availability", DEMO, *options)
    assert code == BAD_INPUT
    assert "expected" in text
