"""Errors of the command line itself: one line on stderr with a hint, exit code 2, as all other errors."""

from __future__ import annotations

import sys

import pytest

from twin.cli import main as cli


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["scor", "memphis"], "no command 'scor' (did you mean 'score' or 'store'?)"),
        (["zzz"], "no command 'zzz' (`twin --help` lists them)"),
        (["plans", "memphis"], "no command 'plans' (did you mean 'compare'?)"),
        (["--versoin"], "no option '--versoin' (did you mean '--version'?)"),
        (["score", "memphis", "--jbo", "x"], "no option '--jbo' (did you mean '--job' or '--json' or '--jobs'?)"),
        (["score", "memphis", "--hlep"], "no option '--hlep' (did you mean '--help'?)"),
        (["score", "memphis", "--zzz"], "no option '--zzz' (`twin score --help` shows how)"),
        (["score", "memphis", "-z"], "no option '-z' (`twin score --help` shows how)"),
        (["score"], "missing argument 'NETWORK' (`twin score --help` shows how)"),
        (["link", "memphis"], "missing argument 'LINK' (`twin link --help` shows how)"),
        (["sweep", "memphis"], "missing option '--vary' (`twin sweep --help` shows how)"),
        (["score", "memphis", "--job"], "option '--job' requires an argument (`twin score --help` shows how)"),
    ],
)
def test_an_error_is_one_line_with_a_hint(
    words: list[str], line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(words, monkeypatch, capsys) == (cli.BAD_INPUT, "", f"error: {line}\n")


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        (
            ["forecast", "x", "--years", "abc"],
            "invalid value for '--years'",
            "(`twin forecast --help` shows how)",
        ),
        (["forecast", "x", "--years", "0"], "invalid value for '--years'", "(`twin forecast --help` shows how)"),
        (["models", "x"], "got unexpected extra argument", "(`twin models --help` shows how)"),
    ],
)
def test_invalid_values_are_one_line_too(
    words: list[str], start: str, end: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ended(words, monkeypatch, capsys)
    assert (code, out, err.count("\n")) == (cli.BAD_INPUT, "", 1)
    assert err.startswith(f"error: {start}")
    assert err.endswith(f"{end}\n")


@pytest.mark.parametrize(
    "words",
    [
        ["failures", "x", "--exit-above", "nan"],
        ["availability", "x", "--below", "nan"],
        ["decide", "x", "--lease-price", "inf"],
        ["plan", "x", "--budget-usd", "-inf"],
        ["growth", "x", "--limit", "nan"],
        ["serve", "--memory-gib", "nan"],
    ],
)
def test_numbers_are_finite(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ended(words, monkeypatch, capsys)
    assert (code, out, err.count("\n")) == (cli.BAD_INPUT, "", 1)
    assert err.startswith("error: ")
    assert words[-2] in err  # the parser words its own ranges
    assert err.endswith(f"(`twin {words[0]} --help` shows how)\n")


def test_help_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ended(["score", "--help"], monkeypatch, capsys)
    assert (code, err) == (0, "")
    assert "Usage" in out
    _, out, err = ended([], monkeypatch, capsys)
    assert "Usage" in out + err
    assert "error" not in out + err


def ended(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str, str]:
    """Exit code, stdout and stderr of the command, as it is run from a shell."""
    monkeypatch.setattr(sys, "argv", ["twin", *words])
    monkeypatch.setattr("gc.disable", lambda: None)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr()
    return stop.value.code, said.out, said.err
