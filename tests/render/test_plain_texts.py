"""Brackets in texts are no markup: extras in hints, names of networks, parts and models."""

from __future__ import annotations

import pytest

from twin.cli.terminal import show
from twin.errors import TwinError
from twin.render.catalogue_tables import models_table, parts_table
from twin.render.import_table import import_table
from twin.render.network_tables import network_table, networks_table

TEXT = "pip install 'dc-twin[topohub]' [bold]x[/]"


def shown(renderable: object, capsys: pytest.CaptureFixture[str]) -> str:
    show(renderable)
    return " ".join(capsys.readouterr().out.split())


def test_lists_of_networks_show_brackets(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert TEXT in shown(networks_table({"a": TEXT}), capsys)
    assert TEXT in shown(network_table("n", {"note": TEXT}, 0, 0), capsys)
    assert TEXT in shown(network_table("n", {}, 0, 0, warnings=[TEXT]), capsys)


def test_lists_of_parts_and_models_show_brackets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    part = {"kind": "fibre", "id": "a[b]", "name": TEXT, "year": 2026, "figures": {}}
    assert TEXT in shown(parts_table([part]), capsys)
    shape = {"n_layers": 1, "n_hidden": 1, "n_sequence": 1}
    model = {"id": "m", "n_parameters": 1, "n_parameters_active": 1, "shape": shape, "source": TEXT}
    assert TEXT in shown(models_table([model]), capsys)


def test_reports_and_plain_texts_show_brackets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    row = {"kind": "k", "problem": "p", "hint": TEXT, "n": 1, "places": [TEXT]}
    assert shown(import_table({"summary": [TEXT], "findings": [row], "kept": []}), capsys).count(TEXT) == 3
    assert shown(TEXT, capsys) == TEXT


def test_a_missing_extra_is_named_in_full(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from twin.cli import main

    def fail() -> None:
        raise TwinError("missing", hint=TEXT)

    monkeypatch.setattr(main, "app", fail)
    with pytest.raises(SystemExit):
        main.main()
    assert TEXT in capsys.readouterr().err
