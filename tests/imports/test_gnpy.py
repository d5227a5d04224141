"""GNPy files: lines with fibre, boosters and amplifiers, workbooks, services, own parts; faults are findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imports.gnpy_samples import EQUIPMENT, SERVICES, SHEETS, Data, edfa, fibre, folder, topology, workbook, write
from tests.imports.test_hostile import ODD, QUIET, attempt, places, replaced
from twin.catalogue.two_stage_noise import two_stages
from twin.errors import DocumentError
from twin.imports import Imported, read
from twin.imports.parts import make_parts
from twin.loading import from_document


def kinds(found: Imported) -> dict[str, int]:
    """Count findings by kind."""
    counts: dict[str, int] = {}
    for row in found.report.findings:
        counts[row.kind] = counts.get(row.kind, 0) + row.n
    return counts


def read_topology(data: Data, tmp_path: Path) -> Imported:
    return read(write(tmp_path / "net.json", data), format="gnpy")


def test_a_line_has_the_losses_and_amplifiers_of_its_elements(tmp_path: Path) -> None:
    found = read(folder(tmp_path / "all"))
    assert found.report.format == "gnpy"
    by_id = {link.id: link for link in found.document.links}
    line = by_id["roadm Köln~roadm Bonn"]
    assert line.ends == ("roadm Köln", "roadm Bonn")
    # ROADM -20 dBm + 21 dB - 0.5 dB, and 1.25 dB before the fibre
    assert (line.booster, line.booster_gain_db, line.booster_voa_db, line.launch_dbm) == (
        "own booster",
        21,
        1.75,
        -0.75,
    )
    assert line.n_design_channels == 77
    first, second = line.spans
    assert (first.length_km, first.lumped_loss_db, first.amplifier) == (80.0, 0.5, "own amplifier")
    assert (first.amplifier_gain_db, first.amplifier_voa_db) == (17.75, 0.25)  # 0.25 dB before the second fibre
    assert (second.amplifier_gain_db, second.amplifier_voa_db) == (12.75, 0.0)
    parts = {part.id: part for part in found.document.parts}
    figures = parts[first.fibre].figures
    assert figures["attenuation_db_per_km"].value == 0.2
    assert figures["dispersion_ps_per_nm_km"].value == pytest.approx(17)
    assert figures["pmd_ps_per_sqrt_km"].value == pytest.approx(0.04, rel=1e-3)
    joined = by_id["roadm Köln~roadm Aachen"]
    # 0.5 dB behind the first fibre, 0.6 dB of the joint, 0.25 dB before the second
    assert [span.lumped_loss_db for span in joined.spans] == pytest.approx([0.5 + 0.6 + 0.25, 0.5])
    assert [span.length_km for span in joined.spans] == [40, 30]
    assert joined.launch_dbm == -20.25
    assert found.document.required_margin_db == 2
    assert found.document.name == "drei Städte"
    assert {node.kind for node in found.document.nodes} == {"roadm"}
    assert [node.name for node in found.document.nodes] == ["Köln", "Bonn", "Aachen"]
    assert {(site.id, site.latitude_deg) for site in found.document.sites} == {
        ("Köln", 50.9), ("Bonn", 50.7), ("Aachen", 50.8)
    }  # fmt: skip
    assert kinds(found) == {"missing amplifiers": 2, "unknown rate": 2, "bad part": 1, "mixed figures": 1}


def test_services_are_demands_between_the_roadms(tmp_path: Path) -> None:
    found = read(folder(tmp_path / "all"))
    assert [(d.id, d.source, d.target, d.offered_gbps) for d in found.document.demands] == [
        ("7", "roadm Köln", "roadm Bonn", 300),
        ("7 back", "roadm Bonn", "roadm Köln", 300),
        ("8", "roadm Bonn", "roadm Aachen", 100),
    ]


def test_without_an_equipment_file_types_stand_for_parts_of_the_catalogue(tmp_path: Path) -> None:
    found = read_topology(topology(), tmp_path)
    line = next(link for link in found.document.links if link.booster)
    assert (line.booster, line.spans[0].amplifier) == ("EDFA", "EDFA")
    assert [part.id for part in found.document.parts] == ["SSMF 0.2 dB/km"]
    assumed = {row.what: row.n for row in found.report.assumed}
    assert assumed == {"amplifier own amplifier": 2, "amplifier own booster": 1, "fibre SSMF": 1}
    assert from_document(found.document).score(main_assumptions=False).summary


def test_a_line_between_transceivers_takes_their_type_from_a_service(tmp_path: Path) -> None:
    elements = [{"uid": key, "type": "Transceiver"} for key in "ab"]
    elements += [
        fibre("f", 80.0),
        edfa("e", "own amplifier", 16.75),
        fibre("g", 80.0),
        edfa("h", "own amplifier", 16.75),
    ]
    arcs = ["af", "fe", "eb", "bg", "gh", "ha"]
    data = {"elements": elements, "connections": [{"from_node": x, "to_node": y} for x, y in arcs]}
    service = json.loads(json.dumps(SERVICES).replace("trx K\\u00f6ln", "a").replace("trx Bonn", "b"))
    files = [write(tmp_path / f"{i}.json", each) for i, each in enumerate((data, service, EQUIPMENT))]
    found = read(files)
    (link,) = found.document.links
    assert link.transceiver == "own optics"
    assert [row.kind for row in found.report.findings if row.kind == "directions differ"] == []
    row = from_document(found.document).link_table().rows[0]
    assert row.member_gbps == 400
    assert kinds(found)["unknown end"] == 1  # Aachen


def test_own_parts_have_the_figures_of_the_equipment_file(tmp_path: Path) -> None:
    made = make_parts(folder(tmp_path / "all"), format="gnpy")
    parts = {part.id: part for part in made.parts}
    assert set(parts) == {"own amplifier", "own booster", "two stages", "open preamplifier", "open line", "detailed",
                          "SSMF", "own optics"}  # fmt: skip
    assert parts["own amplifier"].noise_law == "two_stage"
    assert parts["own amplifier"].value("max_output_dbm") == 23
    assert parts["own booster"].value("noise_figure_db") == 5.5
    # Friis: 5.5 dB, then 6 dB at 26 dB behind 21 dB of gain
    last = parts["two stages"].noise_figures[-1]
    assert last.gain_db == 47
    assert last.noise_figure_db.value == pytest.approx(5.5 + 0.0379, abs=1e-3)
    low = two_stages(15, 26, 6, 10).noise_figure_db(15)
    assert parts["two stages"].noise_figures[0].noise_figure_db.value == pytest.approx(5.5 + 0.0962, abs=2e-2)
    assert low == pytest.approx(10, abs=0.01)
    by_input = {point.input_dbm: point.noise_figure_db.value for point in parts["open preamplifier"].noise_figures}
    assert by_input == {-50.0: pytest.approx(-50 - 75 / 7 + 58), -11.0: -11 - 33 + 58, 10.0: 10 - 33 + 58}
    assert {point.noise_figure_db.value for point in parts["open line"].noise_figures} == {8.0}  # OSNR = input + 50 dB
    detailed = {point.gain_db: point.noise_figure_db.value for point in parts["detailed"].noise_figures}
    assert detailed[25.0] == 5.0
    assert detailed[15.0] == pytest.approx(0.01 * -1000 + 0.1 * -10 + 5)
    optics = parts["own optics"]
    assert [(mode.rate_gbps, mode.modulation) for mode in optics.modes] == [(400, "DP-16QAM"), (100, "DP-QPSK")]
    assert [(p.impairment, p.at) for p in optics.modes[0].penalties] == [
        ("dispersion_ps_per_nm", 4000), ("dispersion_ps_per_nm", 20000), ("pmd_ps", 20)
    ]  # fmt: skip
    assert (optics.value("tx_osnr_db"), optics.value("spacing_ghz")) == (36, 75)
    assert [row.problem for row in made.report.findings if row.kind == "bad part"] == [
        "an amplifier is left out: nf0 is no number from -100 to 60"
    ]


def test_an_extended_gain_is_the_greatest_of_an_amplifier(tmp_path: Path) -> None:
    equipment = {"Edfa": EQUIPMENT["Edfa"][:1], "Span": [{"target_extended_gain": 2.5}]}
    (part,) = make_parts(write(tmp_path / "eqpt.json", equipment), format="gnpy").parts
    assert part.value("max_gain_db") == 28.5
    stages = two_stages(15, 26, 6, 10)
    by_gain = {point.gain_db: point.noise_figure_db.value for point in part.noise_figures}
    assert by_gain[28.5] == pytest.approx(stages.noise_figure_db(28.5))
    assert by_gain[20.5] == pytest.approx(stages.noise_figure_db(20.5))


@pytest.mark.parametrize("ending", [".xls", ".xlsx"])
def test_a_workbook_gives_lines_between_its_roadms(ending: str, tmp_path: Path) -> None:
    pytest.importorskip("xlrd" if ending == ".xls" else "openpyxl")
    found = read([workbook(tmp_path / f"net{ending}"), write(tmp_path / "eqpt.json", EQUIPMENT)])
    assert found.report.format == "gnpy"
    line, joined = found.document.links
    assert (line.ends, joined.ends) == (("Köln", "Bonn"), ("Köln", "Aachen"))
    assert (line.booster, line.booster_gain_db, line.booster_voa_db) == ("own booster", 21, 0.75)
    assert line.launch_dbm == pytest.approx(-18 + 21 - 0.75)
    first, second = line.spans
    assert (first.amplifier, first.amplifier_gain_db) == ("own amplifier", 17)
    assert first.lumped_loss_db == pytest.approx(0.5 + 0.3)  # connector, and the attenuator before the amplifier
    assert second.amplifier_gain_db == 12.75
    assert (first.srlgs, second.srlgs) == (("cable F1",), ("cable F2",))
    pmd = {part.id: part.value("pmd_ps_per_sqrt_km") for part in found.document.parts if part.kind == "fibre"}
    assert pmd[first.fibre] == pytest.approx(1 / 80**0.5)
    assert [span.length_km for span in joined.spans] == [40, 30]
    assert [(d.id, d.source, d.target, d.offered_gbps) for d in found.document.demands] == [
        ("7", "Köln", "Bonn", 300), ("8", "Bonn", "Aachen", 100)
    ]  # fmt: skip
    problems = [row.problem for row in found.report.findings if row.kind == "directions differ"]
    assert problems[0] == "the two directions differ in loss of fibre; the first is used for both"
    assert kinds(found)["unknown end"] == 1  # Paris
    assumed = {row.what: row.n for row in found.report.assumed}
    assert assumed["type of a fibre"] == assumed["attenuation of a fibre, dB/km"] == 2


def changed_sheets(sheet: str, *rows: list[object]) -> dict[str, list[list[object]]]:
    return {**SHEETS, sheet: [*SHEETS[sheet], *rows]}


@pytest.mark.parametrize(
    ("sheet", "row", "kind"),
    [
        ("Nodes", ["Köln", "", "", "", 0, 0, "ROADM"], "duplicate id"),
        ("Nodes", ["Trier", "", "", "", 99, 0, "ILA"], "bad value"),
        ("Links", ["Köln", "Rom", 10], "unknown end"),
        ("Links", ["Köln", "Köln", 10], "self-loop"),
        ("Links", ["Köln", "Brühl", 80, "SSMF", 0.2, "", "", "", "F1"], "duplicate cable"),
        ("Links", ["Köln", "Bonn", "80 miles"], "bad value"),
        ("Eqpt", ["Köln", "Bonn", "own amplifier"], "unknown link"),
        ("Eqpt", ["Köln", "Brühl", "own amplifier"], "duplicate id"),
        ("Service", [9, "Köln", "Bonn", "", "", "much"], "bad value"),
    ],
)
def test_faults_of_a_workbook_are_findings(sheet: str, row: list[object], kind: str, tmp_path: Path) -> None:
    pytest.importorskip("xlrd")
    before = kinds(read(workbook(tmp_path / "net.xls")))
    found = read(workbook(tmp_path / "net.xls", changed_sheets(sheet, row)))
    assert kinds(found).get(kind, 0) > before.get(kind, 0)
    from_document(found.document)


def test_a_sheet_without_headings_is_refused_with_its_name(tmp_path: Path) -> None:
    pytest.importorskip("xlrd")
    with pytest.raises(DocumentError, match=r"net\.xls.*'Links' has no headings.*node a, node z"):
        read(workbook(tmp_path / "net.xls", {**SHEETS, "Links": [["A", "B"]]}))


def with_element(**element: Any) -> Data:
    data = topology()
    return {**data, "elements": [*data["elements"], element]}


def with_arc(a: str, z: str) -> Data:
    data = topology()
    return {**data, "connections": [*data["connections"], {"from_node": a, "to_node": z}]}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (with_element(uid="roadm Köln", type="Roadm"), "duplicate id"),
        (with_element(uid="x", type="Laser"), "unknown type"),
        (with_element(type="Fiber"), "bad value"),
        (with_element(uid="x", type="Fiber", params=3), "bad value"),
        (with_element(uid="x", type="Fiber", params={"length": 80, "length_units": "miles"}), "dangling element"),
        (with_element(uid="x", type="Multiband_amplifier", amplifiers=7), "dangling element"),
        (with_arc("roadm Köln", "nowhere"), "unknown end"),
        (with_arc("Köln Bonn 1", "preamplifier Bonn"), "broken line"),
        (with_arc("roadm Bonn", "booster Köln"), "directions differ"),
    ],
)
def test_faults_of_a_topology_are_findings(data: Data, kind: str, tmp_path: Path) -> None:
    found = read_topology(data, tmp_path)
    assert kinds(found).get(kind, 0) >= (kind != "directions differ")
    from_document(found.document)


def test_a_line_in_a_circle_is_a_finding(tmp_path: Path) -> None:
    data = topology()
    arcs = [arc for arc in data["connections"] if arc["from_node"] != "preamplifier Bonn"]
    arcs.append({"from_node": "preamplifier Bonn", "to_node": "Köln Bonn 1"})
    found = read_topology({**data, "connections": arcs}, tmp_path)
    problems = [row.problem for row in found.report.findings]
    assert "a line runs in a circle; no link is made" in problems
    assert "a line without its opposite direction; the link is made in both" in problems


def test_one_fused_element_may_serve_both_directions(tmp_path: Path) -> None:
    data = topology()
    text = json.dumps(data, ensure_ascii=False).replace("joint Aachen Köln", "joint Köln Aachen")
    found = read_topology(json.loads(text), tmp_path)
    joined = next(link for link in found.document.links if "Aachen" in link.id)
    assert [span.length_km for span in joined.spans] == [40, 30]
    assert kinds(found) == {"duplicate id": 1, "missing amplifiers": 2, "unknown rate": 2}


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"elements": 3}, r"elements: holds a number"),
        ({"elements": [3]}, r"elements\[0\]"),
        ({"connections": {}}, r"connections"),
        ({"elements": []}, "holds no device"),
    ],
)
def test_a_broken_topology_is_refused_with_its_place(changed: Data, text: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=text):
        read_topology({**topology(), **changed}, tmp_path)


def test_two_topologies_or_none_are_refused(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{i}.json", topology()) for i in range(2)]
    with pytest.raises(DocumentError, match="2 topologies"):
        read(files)
    with pytest.raises(DocumentError, match="holds no topology"):
        read(write(tmp_path / "eqpt.json", EQUIPMENT), format="gnpy")


def test_metadata_of_the_file_does_not_refuse_it(tmp_path: Path) -> None:
    found = read_topology({**topology(), "metadata": {"year": 2006}}, tmp_path)
    assert {"topology.metadata"} <= {row.field for row in found.report.dropped}


def test_yang_names_and_texts_for_numbers_are_read(tmp_path: Path) -> None:
    data = json.loads(json.dumps(topology(), ensure_ascii=False), parse_float=str, parse_int=str)
    for element in data["elements"]:
        element["type"] = f"gnpy-network-topology:{element['type']}"
    found = read_topology({"gnpy-network-topology:topology": data}, tmp_path)
    assert found.document.links == read_topology(topology(), tmp_path).document.links


def test_one_request_of_the_api_holds_topology_equipment_and_services(tmp_path: Path) -> None:
    data = topology()
    data["elements"][0]["params"] = {"per_degree_power_targets": [
        {"degree_uid": "booster Köln", "per_degree_pch_out_db": "-19"}, 7, {"degree_uid": [None]}
    ]}  # fmt: skip
    data["elements"][1]["metadata"]["location"]["city"] = [None]
    content = {
        "gnpy-network-topology:topology": data,
        "gnpy-eqpt-config:equipment": EQUIPMENT,
        "gnpy-path-computation:services": SERVICES,
    }
    found = read(write(tmp_path / "api.json", {"gnpy-api:api": content}))
    assert len(found.document.demands) == 3
    assert next(link for link in found.document.links if link.booster).launch_dbm == pytest.approx(0.25)
    assert "bad value" not in kinds(found)


def test_services_may_be_a_workbook_of_their_own(tmp_path: Path) -> None:
    pytest.importorskip("xlrd")
    services = workbook(tmp_path / "services.xls", {"Service": SHEETS["Service"]})
    found = read([write(tmp_path / "net.json", topology()), services])
    assert [demand.source for demand in found.document.demands] == ["roadm Köln", "roadm Bonn"]


def test_loss_by_frequency_is_its_mean_and_lumped_losses_add_up(tmp_path: Path) -> None:
    data = topology()
    params = next(e for e in data["elements"] if e["uid"] == "Köln Aachen 1")["params"]
    params["loss_coef"] = {"value": [0.2, 0.3], "frequency": [191e12, 195e12]}
    params["lumped_losses"] = [{"position": 1, "loss": 0.5}, {"position": 2, "loss": 0.25}]
    found = read_topology(data, tmp_path)
    span = next(link for link in found.document.links if "Aachen" in link.id).spans[0]
    parts = {part.id: part for part in found.document.parts}
    assert parts[span.fibre].value("attenuation_db_per_km") == 0.25
    assert span.lumped_loss_db == pytest.approx(1.35 + 0.75)


def test_many_fibres_share_parts_beyond_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.imports.gnpy_cables.MAX_FIBRE_PARTS", 1)
    data = topology()
    for i, element in enumerate(e for e in data["elements"] if e["type"] == "Fiber"):
        element["params"]["loss_coef"] = 0.2 + i / 100
    found = read_topology(data, tmp_path)
    assert len(found.document.parts) == 1
    assert any(row.what == "figures of a fibre" for row in found.report.assumed)


@settings(QUIET, max_examples=max(QUIET.max_examples // 2, 1))
@given(data=st.data())
def test_odd_values_are_read_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    files: list[Any] = [topology(), SERVICES, EQUIPMENT]
    for _ in range(data.draw(st.integers(1, 4))):
        i = data.draw(st.integers(0, 2))
        files[i] = replaced(files[i], data.draw(st.sampled_from(places(files[i])[1:])), data.draw(ODD))
    folder_path = tmp_path / "odd"
    folder_path.mkdir(exist_ok=True)
    for name, content in zip(("net", "services", "eqpt"), files, strict=True):
        (folder_path / f"{name}.json").write_text(json.dumps(content))
    attempt(folder_path, "gnpy")


def test_an_amplifier_without_usable_figures_is_not_called_absent(tmp_path: Path) -> None:
    """Its figures are in a file that is not named; the report says that the equipment file has it."""
    where = folder(tmp_path / "all")
    data = json.loads((where / "net.json").read_text())
    for element in data["elements"]:
        if element["type"] == "Edfa":
            element["type_variety"] = "detailed"
    write(where / "net.json", data)
    found = read([where / "net.json", where / "eqpt.json"], format="gnpy")
    reasons = {row.why for row in found.report.assumed if row.what == "amplifier detailed"}
    assert reasons == {"the equipment file has this amplifier, but no figures that can be used: see the findings"}
    assert any("detailed.json: name that file too" in row.problem for row in found.report.findings)


def test_a_dropped_tilt_says_what_it_could_change(tmp_path: Path) -> None:
    data = topology()
    amplifiers = [element for element in data["elements"] if element["type"] == "Edfa"]
    amplifiers[0]["operational"]["tilt_target"] = -1.8
    rows = [row for row in read_topology(data, tmp_path).report.dropped if row.field == "Edfa.tilt_target"]
    assert [(row.n, "up to 0.9 dB" in row.effect) for row in rows] == [(1, True)]
