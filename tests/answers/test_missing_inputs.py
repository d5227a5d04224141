"""Warnings: inputs that links leave out, once for each kind, with their number and the first ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tests.model.samples import campus_data
from twin.cli import main as cli
from twin.loading import Network, from_document, load

SITES = [{"id": "x"}, {"id": "y"}]
NODES = [
    {"id": "a", "kind": "border", "part": "border-12.8T", "site": "x"},
    {"id": "a2", "kind": "border", "part": "border-12.8T", "site": "x"},
    {"id": "b", "kind": "border", "part": "border-12.8T", "site": "y"},
    {"id": "nowhere", "kind": "border", "part": "border-12.8T"},
]
SPAN = {"length_km": 40}


def network(*links: dict[str, Any], **fields: Any) -> Network:
    named = [{"id": f"l{i}", "ends": ["a", "b"], "capacity_gbps": 100} | link for i, link in enumerate(links)]
    return from_document({"as_of": "2026-01-01", "sites": SITES, "nodes": NODES, "links": named, **fields})


def found(*links: dict[str, Any]) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(row.problem, row.n_links, row.links) for row in network(*links).warnings]


def test_each_kind_by_hand() -> None:
    dated = {"spans": [SPAN | {"installed": "2010-01-01"}]}
    zr = {"transceiver": "400ZR"}
    assert found(dated, zr | dated, {"ends": ["a", "a2"]}, {"ends": ["a", "nowhere"]}) == []
    no_length = "between sites without a length or positions"
    assert found(dated, zr) == [("with coherent optics and no spans", 1, ("l1",)), (no_length, 1, ("l1",))]
    assert found({"latency_us": 3}) == []
    assert found(zr | {"ends": ["a", "a2"]}) == [("with coherent optics and no spans", 1, ("l0",))]
    assert found({}, {"transceiver": "400G-FR4"}) == [(no_length, 2, ("l0", "l1"))]
    assert found({"spans": [SPAN | {"installed": "2010-01-01"}, SPAN]}) == [("with fibre without a date", 1, ("l0",))]
    assert found(dated | {"capacity_gbps": None}) == [("without a rate", 1, ("l0",))]
    assert found(dated | zr | {"capacity_gbps": None}) == []
    assert found({"spans": [{**SPAN, "fibre": "copper-cable"}]}) == []


def test_switches_without_a_part_add_no_latency_and_a_warning_says_so() -> None:
    nodes = [{key: value for key, value in node.items() if key != "part"} for node in NODES[:2]] + NODES[2:]
    links = [
        {"id": "l", "ends": ["a", "a2"], "capacity_gbps": 1},
        {"id": "m", "ends": ["a", "nowhere"], "capacity_gbps": 1},
    ]
    (warning,) = from_document({"sites": SITES, "nodes": nodes, "links": links}).warnings
    assert (warning.rule, warning.n_links, warning.effect) == (
        "part",
        2,
        "the latency of 2 switches is not counted",
    )
    stated = [link | {"latency_us": 1} for link in links]
    assert from_document({"sites": SITES, "nodes": nodes, "links": stated}).warnings == ()


def test_a_length_between_sites_that_is_not_stated_is_unknown() -> None:
    asked = network({}, {"ends": ["a", "a2"]}, {"spans": [SPAN | {"installed": "2010-01-01"}]})
    assert [row.length_km for row in asked.link_table("*").rows[::2]] == [None, 0.0, 40.0]


def test_many_links_are_one_warning_that_names_the_first() -> None:
    (warning,) = network(*({"spans": [SPAN]} for _ in range(9))).warnings
    assert (warning.n_links, warning.links) == (9, ("l0", "l1", "l2", "l3"))
    assert str(warning) == (
        "9 links with fibre without a date: no date: 9 of 9 spans taken as new at as_of (l0, l1, l2, l3 …). "
        "State installed of the spans, or fibre_installed of the document."
    )


def test_one_date_for_all_fibre_ages_it_and_removes_the_warning() -> None:
    dated = network({"spans": [SPAN], "transceiver": "400ZR"}, fibre_installed="2006-01-01")
    stated = network({"spans": [{**SPAN, "installed": "2006-01-01"}], "transceiver": "400ZR"})
    assert dated.warnings == ()
    assert dated.link_table("*").rows == stated.link_table().rows


def test_answers_hold_them_and_a_change_can_remove_them() -> None:
    found = network({"transceiver": "400ZR", "latency_us": 200}, {"spans": [SPAN], "capacity_gbps": 100})
    rows = [row.problem for row in found.warnings]
    assert rows == ["with coherent optics and no spans", "with fibre without a date"]
    assert [row["problem"] for row in found.score(main_assumptions=False).to_dict()["warnings"]] == rows
    diff = found.what_if([{"kind": "set_fibre", "links": "l1", "fibre": "G.654.E"}], main_assumptions=False)
    assert [row["problem"] for row in diff.to_dict()["warnings"]] == rows[:1]
    assert [row.problem for row in diff.before.warnings] == rows
    assert [row.problem for row in found.forecast(2, links="l1").warnings] == rows[1:]


def test_without_a_warning_the_key_is_absent() -> None:
    assert load("memphis-small").warnings == ()
    answer = from_document(campus_data())
    assert answer.warnings == ()
    assert "warnings" not in answer.score(main_assumptions=False).to_dict()


def test_the_command_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    path.write_text(json.dumps(network({"transceiver": "400ZR"}).document.to_dict()))
    text = "1 link with coherent optics and no spans: loss is that of 0 km (l0)."
    changes = ["--change", '{"kind": "age", "years": 1}']
    for words in (["score"], ["topologies"], ["whatif", *changes], ["forecast", "--years", "2"]):
        result = CliRunner().invoke(cli.app, [words[0], str(path), *words[1:]], env={"COLUMNS": "200"})
        assert text in result.stdout, words


def test_a_path_warns_of_inputs_that_its_links_leave_out() -> None:
    nodes = [{key: value for key, value in node.items() if key != "part"} for node in NODES[:2]] + NODES[2:]
    links = [{"id": "l", "ends": ["a", "a2"], "capacity_gbps": 100}, {"id": "m", "ends": ["b", "a"], "latency_us": 9}]
    without = from_document({"as_of": "2026-01-01", "sites": SITES, "nodes": nodes, "links": links})
    path = without.path("a", "a2")
    assert [(row.links, row.effect) for row in path.warnings] == [(("l",), "the latency of 2 switches is not counted")]
    assert path.summary[0].endswith(
        "round trip 0 µs, because no length, part or latency of a link or switch there is stated."
    )
    assert "Warning: 1 link at switches without a part" in str(path)
    assert [row.rule for row in without.path("a", "b").warnings] == ["capacity_gbps"]
