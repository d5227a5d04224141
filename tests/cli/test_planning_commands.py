"""Commands of capacity planning: exit codes, the same bytes as Python, and refusals."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tests.cli.test_cli import ended
from twin.cli.main import app
from twin.cli.terminal import BAD_INPUT
from twin.loading import load

DEMO = "leaf-spine-demo"


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, args)
    return result.exit_code, result.stdout


def test_failures_print_the_verdict_first_and_json_is_that_of_python() -> None:
    code, text = run("failures", DEMO, "--of", "node")
    assert code == 0
    assert text.splitlines()[:2] == [DEMO, load(DEMO).failures(of="node").summary[0]]
    code, text = run("failures", DEMO, "--of", "node", "--top", "3", "--json")
    assert code == 0
    assert text == load(DEMO).failures(of="node", top=3).to_json()
    assert [len(json.loads(text)[key]) for key in ("failures", "links")] == [3, 3]


@pytest.mark.parametrize(("ratio", "code"), [("0.89", 1), ("0.9", 0), ("0.91", 0)])
def test_the_exit_code_holds_a_rule(ratio: str, code: int) -> None:
    """The fullest link has 90 %: both halves of 45 % that one of two uplinks takes."""
    assert run("failures", DEMO, "--exit-above", ratio)[0] == code


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["failures", DEMO, "--of", "lnk"], "did you mean 'link'"),
        (["optimum", DEMO, "--gap", "7"], "a ratio from 0.0001 to 0.5"),
        (["optimum", "two-campus"], "the document has no demands"),
        (["failures", "two-campus"], "no demands"),
    ],
)
def test_bad_questions_are_refused_with_a_hint(
    words: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = ended(monkeypatch, capsys, *words)
    assert code == BAD_INPUT
    assert says in text


def test_optimum_prints_the_verdict_first_and_json_is_that_of_python() -> None:
    code, text = run("optimum", DEMO)
    assert code == 0
    assert text.splitlines()[1].startswith("Routing costs nothing")
    code, text = run("optimum", DEMO, "--json", "--gap", "0.02")
    assert text == load(DEMO).optimum(gap_ratio=0.02).to_json()
