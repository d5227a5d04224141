"""`twin parts`: listing, filtering, one with its sources, the figures of no part, and hints for slips of the pen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.cli.test_cli import ended
from tests.imports.part_samples import device_types
from twin.catalogue import catalogue
from twin.cli.main import BAD_INPUT, app


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["parts", *words], env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    return result.stdout


def data(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


def ids(*words: str) -> list[str]:
    return [part["id"] for part in data(*words)["parts"]]


def row(text: str, name: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.startswith(name))


def test_all_parts_are_listed_and_a_kind_filters_them() -> None:
    assert ids() == [part.id for part in catalogue().parts()]
    assert ids("--kind", "protection") == ["optical-protection"]
    assert "optical-protection" in run("--kind", "protection")


def test_search_looks_at_id_name_and_note_in_any_case() -> None:
    assert ids("--search", "openzr+") == ["oFEC", "OpenZR+-400G"]
    assert ids("--search", "Laid about 2006") == ["G.652.D-2006"]
    assert ids("--search", "asks for no FEC") == ["100G-LR4"]
    assert ids("--search", "deep buffer", "--kind", "mux") == []
    assert "No part matches" in run("--search", "zzz")


def test_general_figures_are_shown_by_subject_with_range_status_and_source() -> None:
    text = run("general")
    for subject in ("ageing", "plant", "failures", "transport", "pause"):
        assert row(text, subject)[1:] == ["value", "low", "high", "status", "source"]
    assert row(text, "n_cuts_per_km_year")[1:5] == ["0.003", "0.0027", "0.01", "estimate"]
    assert row(text, "n_pauses_per_s")[4:6] == ["estimate", "*"], "a star where the range is assumed"
    assert "Verbrugge" in text
    assert run("--kind", "general") == text
    assert set(catalogue().general) == {figure["name"] for figure in data("general")["general"]}


def test_general_figures_can_be_searched_and_shown_one_by_one() -> None:
    assert [figure["name"] for figure in data("general", "--search", "meza")["general"]] == [
        "wan_link_mtbf_h",
        "wan_link_mttr_h",
    ]
    (figure,) = data("amplifier_fit")["general"]
    assert (figure["subject"], figure["value"], figure["unit"]) == ("failures", 3333.0, "FIT")
    assert "300000 h" in figure["source"]
    assert row(run("amplifier_fit"), "amplifier_fit")[1] == "3333"
    assert "No general figure matches" in run("general", "--search", "zzz")


def test_a_transceiver_shows_its_modes_and_what_they_pay() -> None:
    text = run("OpenZR+-400G")
    assert "300 Gb/s · DP-8QAM · 63.1 GBd" in text
    after = text[text.index("300 Gb/s") :]
    assert row(after, "required_snr_db")[1] == "20.79"
    assert row(after, "penalty_db, dispersion 18000 ps/nm")[4:5] == ["0.5"]
    assert row(after, "penalty_db, pmd 25 ps")[4:5] == ["0.5"]
    (mode,) = data("400ZR")["modes"]
    assert [(p["impairment"], p["at"], p["penalty_db"]["status"]) for p in mode["penalties"]] == [
        ("dispersion_ps_per_nm", 2400.0, "estimate"),
        ("pmd_ps", 10.0, "vendor"),
    ]


def test_a_switch_shows_cages_port_rates_and_how_it_forwards() -> None:
    deep, leaf = run("border-deep-102.4T"), run("leaf-51.2T")
    assert "Cages: OSFP, QSFP-DD." in deep
    assert "A port carries 800, 600, 400, 300, 200, 100 Gb/s." in deep
    assert "Stores whole frames" in deep
    assert "Cut-through." in leaf
    shown = data("leaf-51.2T")
    assert (shown["port_rates_gbps"], shown["store_and_forward"]) == ([400.0, 300.0, 200.0, 100.0], False)
    assert "Cages" not in run("400ZR")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["400zr+"], "did you mean '400ZR'"),
        (["generl"], "did you mean 'general'"),
        (["amplifier_fits"], "did you mean 'amplifier_fit'"),
        (["qwxyz"], "`twin parts` lists them"),
        (["--kind", "swich"], "did you mean 'switch'"),
        (["--kind", "genral"], "did you mean 'general'"),
    ],
)
def test_a_slip_of_the_pen_brings_near_names(words: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["parts", *words])
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


def test_a_part_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ended(monkeypatch, capsys, "parts", "400ZR", "--kind", "mux")
    assert code == BAD_INPUT
    assert "is of kind transceiver" in said


@pytest.mark.parametrize("part", catalogue().parts(), ids=lambda part: part.id)
def test_every_part_fits_a_terminal(part: Any) -> None:
    result = CliRunner().invoke(app, ["parts", part.id], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "…" not in result.stdout


def test_parts_are_made_of_device_types_and_used(tmp_path: Path) -> None:
    folder, file = device_types(tmp_path / "x"), tmp_path / "parts.yaml"
    words = ("--from", "netbox-device-types", str(folder), "-o", str(file))
    assert "1 part made from netbox-device-types" in run(*words)
    assert [part["id"] for part in data(*words)["parts"]] == ["maker-s-32c"]
    network = tmp_path / "net.yaml"
    network.write_text("nodes: [{id: a, kind: leaf, part: maker-s-32c}, {id: b, kind: leaf}]\n"
                       "links: [{id: l, ends: [a, b], capacity_gbps: 25}]\n")  # fmt: skip
    result = CliRunner().invoke(app, ["links", str(network), "--parts", str(file), "--json"])
    assert result.exit_code == 0, result.output
    assert [row["id"] for row in json.loads(result.stdout)["links"]] == ["l", "l"]
    for bad in (["--from", "netbox-device-types"], ["-o", str(file)]):
        assert CliRunner().invoke(app, ["parts", *bad]).exit_code == 2
