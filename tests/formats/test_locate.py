"""Faults of files name the file, the line and the column, for fields, references, plans, fixtures and changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.samples import campus_data
from twin.check.fixture import read_fixture
from twin.errors import DocumentError, TopologyError, TwinError
from twin.formats import locate, parse_document
from twin.formats.locate import located, positions_of
from twin.formats.native import parse_yaml, to_json_bytes, to_yaml_bytes
from twin.loading import load
from twin.printable import text_problem
from twin.scenario.apply import parse_changes

DOCUMENT = """\
as_of: 2026-01-01
lossless:
  policy: loossy
nodes:
  - {id: a, kind: leaf}
  - kind: tor
    id: "a].b"
  - {id: c}
links:
- id: l
  ends: [a, c]
  spans:
    - {length_km: 3}
    - length_km: -3
plans:
  - id: p
    changes:
      - kind: age
        yeers: 4
"""


def error_of(path: Path, text: str) -> TwinError:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TwinError) as error:
        _ = load(path).arrays
    return error.value


def test_field_faults_name_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    error = error_of(path, DOCUMENT)
    assert str(error).startswith(f"{path}: 6 bad fields\n")
    assert {issue.where: (issue.line, issue.column) for issue in error.issues} == {
        "lossless.policy": (3, 3),
        "nodes[a].b].kind": (6, 5),
        "nodes[c].kind": (8, 5),
        "links[l].spans[1].length_km": (14, 7),
        "plans[p].changes[0].years": (18, 9),
        "plans[p].changes[0].yeers": (19, 9),
    }
    assert "line 8, column 5: nodes[c].kind: is missing" in str(error)


@pytest.mark.parametrize("name", ["n.yaml", "n.yml", "n.json"])
def test_faults_between_records_name_file_and_line(name: str, tmp_path: Path) -> None:
    text = '{"nodes": [{"id": "a", "kind": "leaf"}],\n "links": [\n  {"id": "l", "ends": ["a", "z"]}]}'
    error = error_of(tmp_path / name, text)
    assert isinstance(error, TopologyError)
    assert str(error).startswith(f"{tmp_path / name}: 1 fault in the network")
    assert "line 3, column 15: links[l].ends: no node 'z'" in str(error)
    assert error.to_dict()["issues"] == [
        {"where": "links[l].ends", "problem": "no node 'z'", "hint": "", "line": 3, "column": 15}
    ]


def test_faults_of_plans_alone_parts_and_generators_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    nodes = "nodes: [{id: a, kind: leaf}]\n"
    plan = error_of(path, nodes + "plans:\n - id: p\n   changes:\n   - {kind: agee}\n")
    assert str(plan).startswith(f"{path}: 1 bad field in plans\n  - line 5, column 7: plans[p].changes[0].kind")
    generator = error_of(path, nodes + "fabrics:\n - id: f\n   generator: leafspine\n")
    assert str(generator).startswith(f"{path}: line 4, column 4: fabrics[f].generator: unknown generator")
    crowded = error_of(path, "fabrics:\n - {id: f, generator: leaf_spine, params: {n_leaves: 0, n_spines: 2}}\n")
    assert str(crowded).startswith(f"{path}: 1 bad parameter\n  - line 2, column 44: fabrics[f].params.n_leaves")


def test_fixtures_and_files_of_changes_name_lines(tmp_path: Path) -> None:
    fixture = tmp_path / "f.yaml"
    fixture.write_text("kind: whatif\nsource: hand\ncases:\n- id: c\n  given: {network: x}\n  expect: {a: [1]}\n")
    with pytest.raises(DocumentError, match=r"f\.yaml.*\n.*line 6, column 12: cases\[c\]\.expect\.a"):
        read_fixture(fixture)
    changes = tmp_path / "c.yaml"
    changes.write_text("changes:\n  - kind: age\n    years: 1\n  - kind: agee\n")
    with pytest.raises(DocumentError) as error, located(changes):
        parse_changes([{"kind": "age", "years": 1}, {"kind": "agee"}])
    assert "line 4, column 5: changes[1].kind" in str(error.value)


def test_a_fault_of_many_records_names_the_first_lines(tmp_path: Path) -> None:
    lines = "".join(f"  - {{id: n{i}, kind: leaf, part: nothing}}\n" for i in range(5))
    error = error_of(tmp_path / "n.yaml", f"nodes:\n{lines}")
    places = "nodes[n0].part (line 2), nodes[n1].part (line 3), nodes[n2].part (line 4) and 2 more: unknown switch"
    assert places in str(error)


def test_a_place_outside_the_file_has_no_line() -> None:
    places = ["nodes[fabric/leaf-1].part", "as_of", "nodes[x].kind", "lossless.policy.more"]
    assert positions_of(DOCUMENT, places) == {"as_of": (1, 1), "lossless.policy.more": (3, 3)}


def test_a_file_that_is_gone_or_too_large_still_gives_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TopologyError, match=r"gone\.yaml: here: problem"), located(tmp_path / "gone.yaml"):
        raise TopologyError("problem", where="here")
    monkeypatch.setattr(locate, "MAX_JSON_BYTES", 10)
    error = error_of(tmp_path / "n.json", '{"nodes": [{"id": "a"}]}')
    assert error.issues[0].line is None
    assert str(tmp_path / "n.json") in str(error)


def test_lines_are_searched_only_for_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("searched")

    monkeypatch.setattr(locate, "positions_of", refuse)
    path = tmp_path / "n.yaml"
    path.write_text("nodes: [{id: a, kind: leaf}]\n")
    _ = load(path).arrays


def test_every_field_of_a_document_has_its_line() -> None:
    document = parse_document(campus_data())
    for text in (to_yaml_bytes(document).decode(), to_json_bytes(document).decode()):
        lines = text.splitlines()
        for name in ("nodes", "links", "sites", "demands"):
            for record in document.to_dict()[name]:
                for field in record:
                    place = f"{name}[{record['id']}].{field}"
                    line, column = positions_of(text, [place])[place]
                    assert lines[line - 1][column - 1 :].lstrip('"').startswith(field)


# --- YAML 1.2 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10), ("0o10", 8), ("0x1F", 31), ("-7", -7), ("+3", 3), ("1_000", "1_000"), ("1:30", "1:30"),
        ("1:30.5", "1:30.5"), ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("0b1", "0b1"),
        ("true", True), ("False", False), ("~", None), ("null", None), ("1e3", 1000.0), ("1e-6", 1e-6), (".5", 0.5),
        ("1.", 1.0), ("1_0.5", "1_0.5"), ("'5'", "5"), (".inf", float("inf")),
    ],
)  # fmt: skip
def test_plain_values_are_read_by_the_core_schema(text: str, value: object) -> None:
    read = parse_yaml(f"a: {text}".encode(), "file", "")["a"]
    assert (read, type(read)) == (value, type(value))


def test_numbers_of_yaml_1_1_are_refused_with_their_line(tmp_path: Path) -> None:
    text = "nodes: [{id: no, kind: leaf}, {id: b, kind: leaf}]\nlinks:\n- {id: l, ends: [no, b], capacity_gbps: 1:30}\n"
    error = error_of(tmp_path / "n.yaml", text)
    assert "line 3, column 26: links[l].capacity_gbps: must be a number, found '1:30'" in str(error)
    error = error_of(tmp_path / "n.yaml", text.replace("1:30", "1_000"))
    assert "found '1_000' (write 1000)" in str(error)
    error = error_of(tmp_path / "n.yaml", text.replace("1:30", "!!int x"))
    assert "line 3, column 41: 'x' is no whole number" in str(error)


@given(
    st.one_of(st.sampled_from(["0o10", "010", "1_0", "yes", "1:30", "1e5", "~", ".inf", "0x1"]), st.text(max_size=6))
)
def test_a_name_is_read_as_it_was_written(name: str) -> None:
    if text_problem(name) or any(ord(letter) in range(0xD800, 0xE000) for letter in name):
        return
    document = parse_document({"nodes": [{"id": "a", "kind": "leaf", "name": name}]})
    assert parse_yaml(to_yaml_bytes(document), "file", "") == document.to_dict()


def test_a_link_in_the_parameters_of_a_fabric_has_its_line(tmp_path: Path) -> None:
    campus = "generator: leaf_spine, params: {n_leaves: 2, n_spines: 1}, borders: {n_uplinks: 1}"
    error = error_of(
        tmp_path / "n.yaml",
        "as_of: 2026-01-01\nsites: [{id: x}, {id: y}]\nfabrics:\n  - id: b\n    generator: campuses\n    params:\n"
        f"      campuses: [{{id: c, site: x, {campus}}}, {{id: d, site: y, {campus}}}]\n"
        "      interconnects:\n        - id: long\n          ends: [c/border-1, d/border-1]\n"
        "          transceiver: 400ZR\n          mux: mux-9\n          spans: [{length_km: 3, fibre: G.999}]\n",
    )
    assert {issue.where: (issue.line, issue.column) for issue in error.issues} == {
        "links[long].mux": (12, 11),
        "links[long].spans[0].fibre": (13, 34),
    }
