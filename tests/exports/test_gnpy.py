"""Lines for GNPy: losses, gains, noise figures and powers of both directions; an import gives them back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.imports.gnpy_samples import folder
from twin.imports import read
from twin.loading import from_document, load
from twin.network import Network

LINE: dict[str, Any] = {
    "as_of": "2026-01-01",
    "sites": [{"id": "Köln", "latitude_deg": 50.9, "longitude_deg": 6.9}],
    "nodes": [{"id": "a", "kind": "core", "site": "Köln"}, {"id": "b", "kind": "core"}],
    "links": [
        {"id": "line", "ends": ["a", "b"], "transceiver": "OpenZR+-400G", "n_design_channels": 4, "launch_dbm": 1.0,
         "booster": "EDFA-booster", "booster_gain_db": 8.0, "booster_voa_db": 0.5,
         "spans": [
             {"length_km": 80.0, "n_connectors": 2, "amplifier": "EDFA-variable-26", "amplifier_gain_db": 17.0},
             {"length_km": 30.0, "lumped_loss_db": 0.5},
             {"length_km": 40.0, "fibre": "G.654.E", "amplifier": "EDFA", "amplifier_voa_db": 0.25}]},
        {"id": "patch", "ends": ["a", "b"], "capacity_gbps": 100.0},
        {"id": "passive", "ends": ["b", "a"], "transceiver": "400ZR", "mux": "mux-8", "spans": [{"length_km": 20.0}]},
    ],
}  # fmt: skip


def elements_of(network: Network) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the elements by uid, and the equipment."""
    files = network.export("gnpy").files
    topology = json.loads(files["topology.json"])
    return {element["uid"]: element for element in topology["elements"]}, json.loads(files["eqpt_config.json"])


def test_a_line_is_written_with_its_losses_gains_and_powers() -> None:
    network = from_document(LINE)
    elements, equipment = elements_of(network)
    assert elements["trx a (line)"]["type_variety"] == "OpenZR+-400G"
    location = elements["trx a (line)"]["metadata"]["location"]
    assert location == {"city": "Köln", "region": "line", "latitude": 50.9, "longitude": 6.9}
    # transmitters give 0 dBm; into the booster go 1 dBm + 0.5 dB - 8 dB
    assert elements["line transmitter"]["params"]["loss"] == 6.5
    assert elements["line booster"]["operational"] == {
        "gain_target": 8.0, "delta_p": None, "tilt_target": 0.0, "out_voa": 0.5
    }  # fmt: skip
    first = elements["line span 1"]["params"]
    connector_db = first["con_in"]
    assert first["con_out"] == connector_db > 0
    assert (first["length"], first["loss_coef"]) == (80.0, pytest.approx(0.21, abs=1e-4))
    assert elements["line amplifier 1"]["operational"]["gain_target"] == 17.0
    assert elements["line amplifier 1"]["type_variety"] == "EDFA-variable-26"
    assert "line amplifier 2" not in elements
    assert elements["line joint 2"]["type"] == "Fused"
    assert elements["line span 3"]["type_variety"] == "G.654.E"
    gain_db = elements["line amplifier 3"]["operational"]["gain_target"]
    amplification = network.evaluate().health.budgets.amplification
    assert gain_db == pytest.approx(amplification.gain_db[2], abs=1e-6)
    by_type = {entry["type_variety"]: entry for entry in equipment["Edfa"]}
    assert by_type["EDFA"]["nf0"] == 5.5
    assert (by_type["EDFA-variable-26"]["nf_min"], by_type["EDFA-variable-26"]["nf_max"]) == (6, 10)
    (comb,) = equipment["SI"]
    assert comb["power_dbm"] == 0
    assert (comb["f_max"] - comb["f_min"]) // comb["spacing"] + 1 == 4
    assert equipment["Span"][0]["power_mode"] is False
    dispersion = {entry["type_variety"]: entry["dispersion"] for entry in equipment["Fiber"]}
    assert dispersion["G.652.D"] == pytest.approx(1.67e-5)


def test_the_way_back_has_the_same_sites_and_restores_its_own_losses() -> None:
    elements, _ = elements_of(from_document(LINE))
    lengths = [elements[f"line back span {i}"]["params"]["length"] for i in (1, 2, 3)]
    assert lengths == [40.0, 30.0, 80.0]
    assert "line back amplifier 1" not in elements
    losses_db = [_loss_db(elements[f"line back span {i}"]["params"]) for i in (1, 2, 3)]
    gain_db = elements["line back amplifier 2"]["operational"]["gain_target"]
    assert gain_db == pytest.approx(losses_db[0] + losses_db[1], abs=0.02)
    assert elements["line back amplifier 3"]["type_variety"] == "EDFA"


def _loss_db(params: dict[str, float]) -> float:
    return params["length"] * params["loss_coef"] + params["con_in"] + params["con_out"]


def test_an_import_gives_lines_back(tmp_path: Path) -> None:
    network = from_document(LINE)
    report = network.export("gnpy", tmp_path / "lines").report
    assert {row.field: row.n for row in report.dropped}["links that are no optical lines"] == 1
    found = read(tmp_path / "lines")
    assert {node.id for node in found.document.nodes} == {"a", "b"}
    by_id = {link.id: link for link in found.document.links}
    assert set(by_id) == {"line", "passive"}
    line = by_id["line"]
    assert line.ends == ("a", "b")
    connector_db = network.evaluate().health.budgets.spans.connectors_db[0] / 2
    assert line.launch_dbm == pytest.approx(1.0 - connector_db)  # half of the connectors are before the fibre
    assert (line.booster_gain_db, line.booster_voa_db) == (8.0, pytest.approx(0.5 + connector_db))
    assert [span.length_km for span in line.spans] == [80.0, 30.0, 40.0]
    assert [span.amplifier is None for span in line.spans] == [False, True, False]
    assert line.transceiver == "own-OpenZR+-400G"
    there, back = (_gsnr_db(each) for each in (network, from_document(found.document)))
    assert back == pytest.approx(there, abs=0.02)


def _gsnr_db(network: Network) -> float:
    health = network.evaluate().health
    return float(health.line_gsnr_db[list(network.arrays.link_ids).index("line")])


def test_regenerators_and_standby_paths_are_told(tmp_path: Path) -> None:
    answer = load("ageing-lines").export("gnpy", tmp_path / "lines")
    found = read(tmp_path / "lines")
    assert {"spans.standby", "demands"} <= {row.field for row in answer.report.dropped}
    ids = {link.id for link in found.document.links}
    assert {"regenerated part 1", "regenerated part 2", "amplified", "protected"} <= ids


def test_a_network_of_gnpy_keeps_its_roadms(tmp_path: Path) -> None:
    network = from_document(read(folder(tmp_path / "all")).document)
    elements, _ = elements_of(network)
    assert elements["roadm Köln"]["type"] == "Roadm"
    line = "roadm Köln~roadm Bonn"
    # 1.25 dB before the fibre is at the attenuator of the booster, so the power of the ROADM is -20 dBm
    assert elements["roadm Köln"]["params"]["per_degree_pch_out_db"][f"{line} booster"] == -20
    network.export("gnpy", tmp_path / "again")
    again = {link.id: link for link in read(tmp_path / "again").document.links}
    assert set(again) == {"roadm Köln~roadm Bonn", "roadm Köln~roadm Aachen"}
    assert again[line].launch_dbm == pytest.approx(-0.75)
    assert [span.amplifier_gain_db for span in again[line].spans] == [17.75, 12.75]


def test_copper_is_no_optical_line(tmp_path: Path) -> None:
    copper = {"id": "dac", "ends": ["a", "b"], "transceiver": "DAC-100G"}
    copper["spans"] = [{"length_km": 0.003, "fibre": "copper-cable"}]
    network = from_document(LINE | {"links": [*LINE["links"], copper]})
    report = network.export("gnpy", tmp_path / "lines").report
    assert {row.field: row.n for row in report.dropped}["links that are no optical lines"] == 2
