"""`twin forecast` and `twin link`: tables, JSON that is the Python face's, pictures, and slips of the pen."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.answers.lines import a_span, document, zr
from tests.model.samples import campus_data
from twin.cli import main as cli
from twin.loading import from_document, load

SMALL = "memphis-small"
HEADS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def ask(*words: str, columns: int = 100) -> Result:
    return CliRunner().invoke(cli.app, list(words), env={"COLUMNS": str(columns)})


def told(*words: str, columns: int = 100) -> str:
    result = ask(*words, columns=columns)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command says on stderr, as it is run from a shell, when it exits 2."""
    monkeypatch.setattr(sys, "argv", ["twin", *words])
    monkeypatch.setattr("gc.disable", lambda: None)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err


@pytest.fixture
def campus(tmp_path: Path) -> str:
    """A small network as a file."""
    return saved(tmp_path, campus_data())


def saved(tmp_path: Path, data: dict[str, Any]) -> str:
    path = tmp_path / "net.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return str(path)


# --- forecast --------------------------------------------------------------------------------------------------------


def test_a_forecast_is_a_table_of_three_cases_a_link() -> None:
    text = told("forecast", SMALL, "--years", "40", "--growth", "0.1", columns=160)
    lines = text.splitlines()
    assert "next 40 years, traffic +10 % a year" in lines[0]
    found = load(SMALL).forecast(40, 0.1)
    rows = lines[next(i for i, line in enumerate(lines) if line.split()[:2] == ["link", "case"]) + 1 :]
    starts = [rows.index(next(row for row in rows if row.startswith(link.id))) for link in found.links]
    assert starts == sorted(starts)
    cases = [word for row in rows for word in row.split() if word in ("optimistic", "central", "pessimistic")]
    assert cases == ["optimistic", "central", "pessimistic"] * len(found.links)
    central = found.links[0].cases["value"].margin_gone
    assert central is not None
    assert central.date is not None
    row = next(row for row in rows[starts[0] :] if "central" in row.split())
    assert f"{central.date:%Y-%m} to 300G" in row
    assert f"and {found.links[-1].n_alike - 1} alike" in text
    assert lines[1] == found.summary[0]
    assert "Ageing is the least certain input" in lines[-1]


def test_the_table_fits_a_terminal() -> None:
    for words in (("forecast", "ageing-lines", "*", "--years", "30"), ("link", SMALL, "wan-1-2", "--years", "1")):
        text = told(*words, columns=80)
        assert max(map(len, text.splitlines())) <= 80
        assert "…" not in text


def test_the_table_says_how_many_links_it_leaves_out(tmp_path: Path) -> None:
    path = saved(tmp_path, document(*(zr(a_span(20.0 + km)) for km in range(15))))
    text = told("forecast", path, "--years", "90")
    assert "\n3 more links are no worse; select links, or use --json.\n" in text
    assert len(re.findall(r"central +[–\d]", text, re.MULTILINE)) == 12


def test_links_without_an_event_need_no_table(tmp_path: Path) -> None:
    path = saved(tmp_path, document(zr(a_span(20.0))))
    text = told("forecast", path, "--years", "2")
    assert "No link loses its margin" in text
    assert "central" not in text


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ([], {}),
        (["--years", "5", "--growth", "0.3"], {"years": 5, "growth_ratio_per_year": 0.3}),
        (["a-*", "--years", "3"], {"years": 3, "links": "a-*"}),
        (["--tier", "access", "--years", "3"], {"years": 3, "links": {"tier": "access"}}),
        (["a-*", "--tier", "access", "--years", "2"], {"years": 2, "links": {"id": "a-*", "tier": "access"}}),
        (["--plan", "wait", "--years", "4"], {"years": 4, "changes": "wait"}),
        (
            ["--job", "alone", "--years", "4", "--growth", "-0.1"],
            {"years": 4, "job": "alone", "growth_ratio_per_year": -0.1},
        ),
    ],
    ids=str,
)
def test_json_is_the_python_answer(words: list[str], asked: dict[str, Any], campus: str) -> None:
    assert told("forecast", campus, *words, "--json") == from_document(campus_data()).forecast(**asked).to_json()


# --- link ------------------------------------------------------------------------------------------------------------


def test_a_link_report_has_summary_budget_modes_directions_failures_and_forecast() -> None:
    text = told("link", SMALL, "wan-1-2", "--years", "3", "--growth", "0.2")
    assert text.startswith("wan-1-2 · c1/border-1 – c2/border-1 · 8 x OpenZR+-400G")
    for part in (
        "\nLink up, 3.8 dB margin: enough, 1 dB is required.\nLimit, ",
        "PFC headroom per port of c2/border-1",
        "link budget, whole link",
        "fibre, ageing",
        "required for 400G",
        "\nmodes\n",
        "in use",
        "propagation, µs",
        "\nFailures\n",
        "All members at once: fails once in 14 years, 12 h to repair.",
        "fibre cuts once in 14 years",
        "next 3 years, traffic +20 % a year",
        "pessimistic",
    ):
        assert part in text


def test_a_protected_and_regenerated_link_has_a_budget_for_each_line(tmp_path: Path) -> None:
    spans = (a_span(40.0, regenerated=True), a_span(50.0), a_span(66.0, standby=True))
    text = told("link", saved(tmp_path, document(zr(*spans, protection="optical-protection"))), "l0", "--years", "1")
    for line in ("working path, span 1", "working path, span 2", "standby path, span 3"):
        assert f"budget, {line}" in text


def test_a_link_without_a_transceiver_has_no_budget(tmp_path: Path) -> None:
    text = told("link", saved(tmp_path, document({"capacity_gbps": 100.0})), "l0", "--years", "1")
    assert "1 x no transceiver" in text
    assert "budget" not in text
    assert "modes" not in text


def test_ids_that_look_like_markup_are_printed_as_they_are(tmp_path: Path) -> None:
    nodes = [{"id": "[/a]", "kind": "leaf"}, {"id": "[bold]b", "kind": "leaf"}]
    link = {"id": "[/l]", "ends": ["[/a]", "[bold]b"], "capacity_gbps": 100.0}
    demand = {"id": "d", "source": "[/a]", "target": "[bold]b", "offered_gbps": 10.0}
    path = saved(tmp_path, {"nodes": nodes, "links": [link], "demands": [demand]})
    text = told("link", path, "[/l]", "--years", "1")
    assert "[/l] · [/a] – [bold]b" in text
    assert "[/a] → [bold]b" in text
    assert re.search(r"^\[/l\] +optimistic", told("forecast", path, "--growth", "0.5"), re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["--years", "2"], {"years": 2}),
        (["--years", "3", "--growth", "0.3", "--job", "both"], {"years": 3, "growth_ratio_per_year": 0.3}),
        (["--years", "2", "--plan", "wait"], {"years": 2, "changes": "wait"}),
        (["--years", "2", "--ageing", "high"], {"years": 2, "ageing": "high"}),
    ],
    ids=str,
)
def test_json_of_a_link_is_the_python_answer(words: list[str], asked: dict[str, Any], campus: str) -> None:
    assert told("link", campus, "wan", *words, "--json") == from_document(campus_data()).link("wan", **asked).to_json()


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "ending"), [("link", ".png"), ("forecast", ".svg"), ("forecast", ".pdf")])
def test_a_picture_is_written_beside_the_answer(command: str, ending: str, campus: str, tmp_path: Path) -> None:
    picture = tmp_path / f"drawn{ending}"
    text = told(command, campus, "a-up", "--years", "1", "--picture", str(picture), "--json")
    assert picture.read_bytes().startswith(HEADS[ending])
    assert text == told(command, campus, "a-up", "--years", "1", "--json")


# --- slips of the pen ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["forecast", "link"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--years", "0"], "--years"),
        (["--years", "101"], "--years"),
        (["--years", "2.5"], "--years"),
        (["--years", "many"], "--years"),
        (["--growth", "-0.95"], "growth -0.95; expected a share a year from -0.9 to 10"),
        (["--growth", "11"], "growth 11; expected a share a year from -0.9 to 10"),
        (["--growth", "nan"], "growth: nan; expected a finite number"),
        (["--growth", "inf"], "growth: inf; expected a finite number"),
        (["--growth", "30%"], "--growth"),
        (["--plan", "wiat"], "did you mean 'wait'"),
        (["--job", "bth"], "did you mean 'both'"),
        (["--picture", "x.jpg"], "end the name in .png, .svg, .pdf"),
        (["--picture", "x"], "no picture format ''"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_of_the_pen_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    words: list[str],
    sentence: str,
    campus: str,
) -> None:
    said = refused(monkeypatch, capsys, command, campus, "wan", *words)
    assert sentence in " ".join(said.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["forecast", "NET", "wna"], "did you mean 'wan'"),
        (["forecast", "NET", "--tier", "wide-area"], "did you mean 'wide_area'"),
        (["forecast", "NET", "wan", "--tier", "border"], "no link meets all of"),
        (["forecast", "memphis-smal"], "did you mean 'memphis-small'"),
        (["link", "NET", "wna"], "did you mean 'wan'"),
        (["link", "NET", "*-up"], "2 links match '*-up'"),
        (["link", "NET", "wan", "--ageing", "hihg"], "did you mean 'high'"),
        (["link", "NET"], "missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_not_there_is_told_with_near_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str, campus: str
) -> None:
    said = refused(monkeypatch, capsys, *(campus if word == "NET" else word for word in words))
    assert sentence in " ".join(said.replace("│", " ").split())


@pytest.mark.parametrize("command", ["forecast", "link"])
def test_a_picture_that_cannot_be_written_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, campus: str, tmp_path: Path
) -> None:
    path = tmp_path / "nowhere" / "x.svg"
    said = refused(monkeypatch, capsys, command, campus, "a-cable-1", "--years", "1", "--picture", str(path))
    assert said.startswith("error: ")
    assert str(path) in said
    assert said.count("\n") == 1


def test_from_a_shell_too(campus: str) -> None:
    command = [sys.executable, "-m", "twin.cli", "link", campus, "wna"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: links: no link matches 'wna'")
    assert result.stderr.count("\n") == 1


def test_growth_in_per_cent_is_told_what_a_ratio_is(campus: str) -> None:
    result = CliRunner().invoke(cli.app, ["forecast", campus, "--growth", "20%"], env={"COLUMNS": "160"})
    assert result.exit_code == 2
    assert "'20%' is no number (a ratio: 20 % is 0.2)" in result.output
