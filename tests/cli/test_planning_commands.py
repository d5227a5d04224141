"""Commands of capacity planning: exit codes, the same bytes as Python, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.test_cli import ended
from twin.cli.main import app
from twin.cli.terminal import BAD_INPUT
from twin.failures.sweep import Part, Sweep
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


def test_the_exit_code_says_what_broke_the_rule() -> None:
    result = CliRunner().invoke(app, ("failures", DEMO, "--exit-above", "0.5"))
    assert "the greatest use of a link is 0.9, so the exit code is 1" in result.stderr
    result = CliRunner().invoke(app, ("failures", "memphis-small", "--of", "site", "--exit-above", "0.5"))
    assert "no demands, so no link has a use to compare" in str(result.exception)


def test_pairs_are_those_of_python() -> None:
    code, text = run("failures", DEMO, "--depth", "2", "--sample", "10", "--seed", "4", "--json")
    assert code == 0
    assert text == load(DEMO).failures(depth=2, sample=10, seed=4).to_json()


def test_ctrl_c_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("failures", DEMO, "--depth", "2", "--json", "--checkpoint", str(tmp_path))
    expected = load(DEMO).failures(depth=2).to_json()
    taken = Sweep.take

    def interrupted(sweep: Sweep, part: Part) -> None:
        taken(sweep, part)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Sweep, "take", interrupted)
        code, text = ended(monkeypatch, capsys, *words)
        assert (code, text) == (130, f"interrupted; to go on, give the same command with --checkpoint {tmp_path}\n")
        code, text = ended(monkeypatch, capsys, *words[:-2])
        assert (code, text) == (130, "interrupted; with --checkpoint DIR the next run can go on where this one ends\n")
    assert run(*words) == (0, expected)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["failures", DEMO, "--of", "lnk"], "did you mean 'link'"),
        (["optimum", DEMO, "--gap", "7"], "a ratio from 0.0001 to 0.5"),
        (["failures", DEMO, "--exit-above", "90"], "90 is no ratio from 0 to 10 (a ratio: 90 % is 0.9)"),
        (["failures", DEMO, "--exit-above", "90%"], "a ratio: 90 % is 0.9"),
        (["availability", DEMO, "--below", "99.9"], "a ratio: 99.9 % is 0.999"),
        (["availability", DEMO, "--loss-above", "10%"], "a ratio: 10 % is 0.1"),
        (["optimum", DEMO, "--gap", "5%"], "a ratio: 5 % is 0.05"),
        (["growth", DEMO, "--rate", "0.3", "--limit", "70"], "a ratio: 70 % is 0.7"),
        (["growth", DEMO, "--rate", "0.3", "--member-usd", "-1"], "a price above 0, up to 1,000,000,000"),
        (["optimum", DEMO, "--entries", "8"], "-o FILE writes them"),
        (["optimum", "two-campus"], "the document has no demands"),
        (["failures", DEMO, "--job", "j"], "no job 'j'"),
        (["failures", DEMO, "--picture", "x.gif"], ".gif"),
        (["failures", DEMO, "--depth", "3"], "1 (single failures) or 2 (pairs)"),
        (["failures", DEMO, "--sample", "9"], "pairs: --depth 2"),
        (["failures", DEMO, "--dask", "localhost:8786"], "tcp://host:port of a scheduler"),
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
    n_links = len(load(DEMO).optimum().links)
    assert n_links > 1
    assert run("optimum", DEMO, "--top", "1", "--json")[1] == load(DEMO).optimum(top=1).to_json()
    assert load(DEMO).optimum(top=1).links == load(DEMO).optimum().links[:1]


def test_groups_near_the_optimum_are_changes_of_other_commands(tmp_path: Path) -> None:
    file = tmp_path / "shares.yaml"
    code, text = run("optimum", DEMO, "-o", str(file), "--entries", "8", "--json")
    assert code == 0
    report = load(DEMO).optimum(n_entries=8)
    assert text == report.to_json()
    assert report.wcmp is not None
    code, text = run("whatif", DEMO, "--change", f"@{file}", "--no-assumptions", "--json")
    assert code == 0
    found = json.loads(text)["metrics"]["max_link_utilisation_ratio"]["after"]
    assert found == report.wcmp.max_utilisation_ratio
    assert run("optimum", DEMO, "-o", str(tmp_path / "none" / "shares.yaml"))[0] == BAD_INPUT
    code, text = run("optimum", DEMO, "-o", str(tmp_path / "shares.txt"))
    assert (code, text) == (BAD_INPUT, "")
    assert run("whatif", DEMO, "--change", f"@{tmp_path / 'missing.yaml'}")[0] != 0


def test_growth_is_that_of_python(tmp_path: Path) -> None:
    code, text = run("growth", DEMO, "--rate", "0.3", "--of", "node", "--top", "3", "--json")
    assert code == 0
    assert text == load(DEMO).growth(growth_ratio_per_year=0.3, of="node", top=3).to_json()
    code, text = run("growth", DEMO, "--rate", "0.3", "--picture", str(tmp_path / "growth.svg"))
    assert code == 0
    assert text.splitlines()[0] == DEMO
    assert "cost of a" in text
    assert (tmp_path / "growth.svg").stat().st_size > 1000


@pytest.mark.parametrize(
    "words",
    [
        ("--rate", "30%"),
        ("--rate", "video=0.3"),
        ("--rate", "0.3", "--limit", "70%"),
        ("--rate", "1", "--rate", "1"),
        (),
    ],
)
def test_growth_refuses_bad_options(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, error = ended(monkeypatch, capsys, "growth", DEMO, *words)
    assert code == BAD_INPUT
    assert error.startswith("error: ")


def test_failures_of_a_network_without_demands_are_those_of_its_job(tmp_path: Path) -> None:
    picture = tmp_path / "failures.svg"
    code, text = run("failures", "memphis-small", "--of", "srlg", "--picture", str(picture))
    assert code == 0
    assert "stops job flagship" in text
    assert "duct-shared" in text
    assert "fullest link" not in text
    assert picture.read_text().startswith("<?xml")
    code, text = run("failures", "memphis-small", "--of", "srlg", "--json")
    assert text == load("memphis-small").failures(of="srlg").to_json()
