"""Changes and exports of fibre that several links share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.exports.round_trip import FILE_NAMES
from twin.exports import FORMATS
from twin.imports import read
from twin.loading import from_document


def on_one_cable(**more: Any) -> dict[str, Any]:
    spans = [{"length_km": 60, "amplifier": "EDFA", "cable": "F1", "installed": "2010-01-01"}]
    link = {"ends": ["a", "b"], "transceiver": "OpenZR+-400G", "mux": "mux-8", "launch_dbm": 0, "spans": spans, **more}
    nodes = [{"id": name, "kind": "border"} for name in "ab"]
    return {"as_of": "2026-11-01", "nodes": nodes, "links": [{"id": f"l{i}", **link} for i in (1, 2)]}


def bought(changes: list[dict[str, Any]]) -> dict[str, float]:
    purchases = from_document(on_one_cable()).what_if(changes, main_assumptions=False).purchases
    return {row.item: row.amount for row in purchases}


def test_new_fibre_of_a_shared_cable_is_bought_once() -> None:
    assert bought([{"kind": "set_fibre", "links": "l*", "fibre": "G.654.E"}])["fibre laid, km"] == 60


def test_more_pairs_on_a_shared_cable_buy_amplifiers_once() -> None:
    more = [{"kind": "set_channels", "links": "l*", "n_parallel": 2, "n_fibre_pairs": 2}]
    assert bought(more)["EDFA"] == 2
    assert bought([more[0] | {"links": "l2"}])["EDFA"] == 2


@pytest.mark.parametrize("name", ["node-link", "graphml", "csv", "rfc8345"])
def test_an_export_keeps_the_risk_of_a_shared_cable(name: str, tmp_path: Path) -> None:
    network = from_document(on_one_cable())
    path = tmp_path / FILE_NAMES[name]
    exported = network.export(name, path)
    assert "links.spans.cable" in {row.field for row in exported.report.dropped}
    converted = [row for row in exported.report.converted if row.field == "links.spans.cable"]
    assert [row.n for row in converted] == [2]
    assert "links.spans.srlgs" not in {row.field for row in exported.report.converted}
    again = read(path, format=FORMATS[name].import_name).document
    assert {link.srlgs for link in again.links} == {("F1",)}
