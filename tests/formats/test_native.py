"""The native format: what is sound comes through, what is not is told with place and hint, and nothing crashes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict

from tests.model.samples import campus_data
from twin import formats
from twin.errors import DocumentError, TwinError
from twin.formats import WRITERS, parse_document, read_mapping, write_document
from twin.formats.native import parse_mapping
from twin.loading import load
from twin.model.validation import adapter_of, validate_as
from twin.scenario.apply import parse_changes

NODES = "nodes: [{id: a, kind: leaf}, {id: b, kind: leaf}]\n"


def read(text: str, *, as_json: bool = False) -> dict[str, Any]:
    return parse_document(parse_mapping(text, "file", as_json=as_json), "file").to_dict()


def fault(text: str, *, as_json: bool = False) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read(text, as_json=as_json)
    assert "file" in str(caught.value)
    return caught.value


def only_issue(text: str) -> tuple[str, str, str]:
    (issue,) = fault(text).issues
    return issue.where, issue.problem, issue.hint


# --- what is sound -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_a_document_is_written_and_read_again(tmp_path: Path, ending: str) -> None:
    document = parse_document(campus_data())
    path = tmp_path / f"network{ending}"
    write_document(document, path)
    assert parse_document(read_mapping(path)) == document.canonical()
    assert path.read_text(encoding="utf-8").startswith("{" if ending == ".json" else "schema_version")


def test_yaml_and_json_say_the_same() -> None:
    data = campus_data()
    assert read(yaml.safe_dump(data)) == read(json.dumps(data), as_json=True)


def test_a_date_may_be_written_plain_or_quoted() -> None:
    assert read("as_of: 2026-11-01") == read("as_of: '2026-11-01'") == {"schema_version": 1, "as_of": "2026-11-01"}


def test_whole_numbers_serve_as_floats() -> None:
    assert read("required_margin_db: 2")["required_margin_db"] == 2.0


def test_aliases_are_written_out() -> None:
    assert read("sites: [{id: a, note: &n hello}, {id: b, note: *n}]")["sites"][1]["note"] == "hello"


def test_text_beyond_ascii_survives(tmp_path: Path) -> None:
    document = parse_document({"name": "Zürich–Genève 光"})
    for ending in (".yaml", ".json"):
        write_document(document, tmp_path / f"n{ending}")
        assert "Zürich–Genève 光".encode() in (tmp_path / f"n{ending}").read_bytes()
        assert parse_document(read_mapping(tmp_path / f"n{ending}")) == document


# --- fields --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where", "problem", "hint"),
    [
        ("node: []", "node", "unknown field 'node'", "did you mean 'nodes'"),
        ("nodes: [{id: a, knid: leaf, kind: leaf}]", "nodes[a].knid", "unknown field 'knid'", "did you mean 'kind'"),
        ("links: [{id: l, ends: [a, b], wieght: 2}]", "links[l].wieght", "unknown field", "did you mean 'weight'"),
        (
            "links: [{id: l, ends: [a, b], spans: [{length_km: 1, fiber: x}]}]",
            "links[l].spans[0].fiber",
            "unknown field 'fiber'",
            "did you mean 'fibre'",
        ),
        ("lossless: {polcy: shaped}", "lossless.polcy", "unknown field", "did you mean 'policy'"),
        ("sites: [{id: s, zzzzzz: 1}]", "sites[s].zzzzzz", "unknown field", "known: budgets, id, latitude_deg"),
        ("nodes: [{id: a, kind: laef}]", "nodes[a].kind", "found 'laef'", "did you mean 'leaf'"),
        ("routing: ecpm", "routing", "found 'ecpm'", "did you mean 'ecmp'"),
        ("nodes: [{kind: leaf}]", "nodes[0].id", "is missing", ""),
        ("nodes: [{id: a}]", "nodes[a].kind", "is missing", ""),
        ("nodes: {id: a}", "nodes", "must be a list", ""),
        ("nodes: [{id: 7, kind: leaf}]", "nodes[0].id", "must be a text, found 7", ""),
        ("nodes: [{id: a, kind: leaf, up: 1}]", "nodes[a].up", "must be true or false, found 1", ""),
        ("nodes: [{id: a, kind: leaf, n_accelerators: 1.5}]", "nodes[a].n_accelerators", "found 1.5", ""),
        (
            "nodes: [{id: a, kind: leaf, n_accelerators: '1'}]",
            "nodes[a].n_accelerators",
            "found '1'",
            "write",
        ),
        (
            "links: [{id: l, ends: [a, b], weight: '2'}]",
            "links[l].weight",
            "must be a number, found '2'",
            "write",
        ),
        ("links: [{id: l, ends: [a, b], weight: .nan}]", "links[l].weight", "finite number, found nan", ""),
        ("links: [{id: l, ends: [a, b], weight: .inf}]", "links[l].weight", "found inf", ""),
        ("links: [{id: l, ends: [a, b], weight: -1}]", "links[l].weight", "must be more than 0, found -1", ""),
        ("links: [{id: l, ends: [a, b, c]}]", "links[l].ends", "at most 2 items", ""),
        ("as_of: yesterday", "as_of", "must be a date", ""),
        ("as_of: '2026-02-30'", "as_of", "found '2026-02-30'", ""),
        ("1: 2", "1", "unknown field '1'", "known: "),
    ],
)
def test_a_bad_field_is_told_with_place_and_hint(text: str, where: str, problem: str, hint: str) -> None:
    found = only_issue(text)
    assert found[0] == where
    assert problem in found[1]
    assert found[2].startswith(hint)
    assert bool(found[2]) is bool(hint)


def test_every_bad_field_is_told() -> None:
    error = fault("nodes: [{id: a, knd: leaf}, {id: b, kind: lef}]\nlinks: [{id: l, ends: [a]}]\nnot: 1\n")
    assert {issue.where for issue in error.issues} == {
        "nodes[a].knd",
        "nodes[a].kind",
        "nodes[b].kind",
        "links[l].ends[1]",
        "not",
    }
    assert error.problem == "5 bad fields"


def test_a_long_wrong_value_is_cut_short() -> None:
    error = fault(f"routing: {'x' * 5000}")
    assert len(str(error)) < 400


def test_changes_are_told_with_near_kinds_and_fields() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_changes([{"kind": "agee", "years": 1}, {"kind": "age", "yaers": 1}, {"years": 2}])
    found = {issue.where: (issue.problem, issue.hint) for issue in caught.value.issues}
    assert found["changes[0].kind"] == ("unknown kind 'agee'", "did you mean 'age'?")
    assert found["changes[1].yaers"] == ("unknown field 'yaers'", "did you mean 'years'?")
    assert found["changes[1].years"][0] == "is missing"
    assert found["changes[2].kind"][0] == "is missing"
    assert "fail_links" in found["changes[2].kind"][1]


# --- files ---------------------------------------------------------------------------------------------------------


def test_a_missing_file_a_folder_and_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        read_mapping(tmp_path / "none.yaml")
    with pytest.raises(DocumentError, match="there is no folder"):
        read_mapping(tmp_path / "none" / "n.yaml")
    with pytest.raises(DocumentError, match="cannot be read: Is a directory"):
        read_mapping(tmp_path)
    path = tmp_path / "n.yaml"
    path.write_text(NODES)
    assert read_mapping(path)["nodes"]
    with pytest.raises(DocumentError, match=r"n\.yam: cannot be read: No such file.*did you mean 'n\.yaml'"):
        load(tmp_path / "n.yam")
    monkeypatch.setattr(formats, "MAX_FILE_BYTES", 10)
    with pytest.raises(DocumentError, match=rf"n\.yaml: {len(NODES)} bytes; expected at most 10 bytes"):
        read_mapping(path)


def test_an_ending_without_a_writer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"no writer for '\.xml'; expected an ending among \.json, \.yaml, \.yml"):
        write_document(parse_document({}), tmp_path / "n.xml")
    assert not list(tmp_path.iterdir())


def test_what_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_bytes(b"name: caf\xe9\n")
    with pytest.raises(DocumentError, match=r"is not UTF-8 text \(byte 9\)"):
        read_mapping(path)


@pytest.mark.parametrize("ending", [".yaml", ".json"])
def test_an_empty_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"n{ending}"
    path.write_text("")
    with pytest.raises(DocumentError, match=rf"n\{ending}: "):
        read_mapping(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1, 2]", "holds a list"),
        ("7", "holds a number"),
        ("2026-01-31", "holds a date"),
        ("true", "holds true"),
        ("hello", "holds a text"),
        ("", "is empty"),
        ("# nothing yet", "is empty"),
        ("---\n  # nothing yet\n", "is empty"),
        ("null", "holds null"),
    ],
)
def test_what_is_no_mapping(text: str, says: str) -> None:
    assert fault(text).problem == says


@pytest.mark.parametrize(
    ("text", "as_json", "where"),
    [
        ("nodes: [a\nlinks: b]: c", False, "line 2"),
        ("a: b: c", False, "line 1, column 5"),
        ("a: *nobody", False, "line 1, column 4"),
        ('{"a": 1,\n "b": }', True, "line 2, column 7"),
        ("{", True, "line 1, column 2"),
    ],
)
def test_broken_text_is_told_with_line_and_column(text: str, as_json: bool, where: str) -> None:
    assert fault(text, as_json=as_json).problem.startswith(where)


@pytest.mark.parametrize(
    ("text", "as_json", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", False, "line 3, column 1: key 'a' stands twice"),
        ("nodes:\n  - {id: a, kind: leaf, id: b}\n", False, "line 2, column 25: key 'id' stands twice"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', True, "key 'c' stands twice"),
        ("? [1, 2]\n: 3", False, "a key must be plain text"),
        ("? !!set {a: null}\n: 3", False, "a key must be plain text"),
        ("a: &a {x: 1}\nb: {<<: *a}", False, "no merge keys"),
        ("a: !!python/object/apply:os.system ['true']", False, "could not determine a constructor"),
        ("a: !!int ''", False, "is no whole number"),
        ("a: !!bool 'perhaps'", False, "a tag does not fit its value"),
        ("x: 1\na: !!float 'soon'", False, "line 2, column 4: a tag does not fit its value"),
        ("as_of: !!timestamp 'soon'", False, "as_of: must be a date such as 2026-01-31, found 'soon'"),
        ("as_of: 2026-13-01", False, "as_of: must be a date such as 2026-01-31, found '2026-13-01'"),
        ("as_of: 2026-01-31 25:00:00", False, "as_of: must be a date such as 2026-01-31"),
        ("as_of: 2026-01-01 10:00:00", False, "is a time (dates are written 2026-01-31)"),
        ("name: !!binary aGk=", False, "name: is no plain data"),
        ('{"schema_version": %s}' % ("9" * 5000), True, "a number of 5,000 digits; at most 3,500 are read"),
        (f"as_of: 0x{'9' * 5000}", False, "line 1, column 8: a number of 5,002 digits; at most 3,500 are read"),
        ('{"name": "\\ud800"}', True, "name: a lone surrogate"),
        (
            '{"nodes": [{"id": "a\\udfff", "kind": "leaf"}]}',
            True,
            "a lone surrogate, half of a character, in 'a\\udfff'",
        ),
        ('{"required_margin_db": NaN}', True, "finite number"),
        ('{"required_margin_db": 1e999}', True, "finite number"),
    ],
)
def test_odd_content_is_refused_in_words(text: str, as_json: bool, message: str) -> None:
    assert message in str(fault(text, as_json=as_json))


@pytest.mark.parametrize("version", ["2", "99", "0", "-1", "true", "'1'", "1.0", "null"])
def test_an_unknown_schema_version(version: str) -> None:
    error = fault(f"schema_version: {version}")
    assert "schema_version" in error.problem
    assert ("newer than this program" in error.problem) is (version in ("2", "99"))


def test_a_missing_schema_version_is_the_first() -> None:
    assert read("name: x")["schema_version"] == 1


# --- bombs ---------------------------------------------------------------------------------------------------------


def test_an_alias_bomb_is_refused_before_it_is_written_out() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "too large once its aliases are written out" in str(fault("\n".join(lines)))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: &a [*a]", "line 1, column 8"),
        ("price_book: &a {x: *a}", "line 1, column 20"),
        ("a: &a [&d 1, *d]\nb: &b {x: [&c {y: *b}]}", "line 2, column 19"),
    ],
)
def test_an_alias_inside_its_own_anchor_is_refused(text: str, place: str) -> None:
    assert re.search(rf"{place}: alias \*(.) stands inside its own anchor &\1", str(fault(text)))


@pytest.mark.parametrize("depth", [150, 300, 900, 990, 3000, 100_000])
@pytest.mark.parametrize("shape", ["lists", "mappings"])
def test_deep_json_is_refused(depth: int, shape: str) -> None:
    opening, closing = ("[", "]") if shape == "lists" else ('{"a":', "}")
    text = f'{{"price_book": {{"x": {opening * depth}1{closing * depth}}}}}'
    assert "is nested too deeply" in str(fault(text, as_json=True))


@pytest.mark.parametrize(
    "text",
    [
        "price_book: {x: " + "[" * 150 + "1" + "]" * 150 + "}",
        "a: " + "[" * 100_000,
        "- " * 100_000,
        "\n".join(" " * i + "a:" for i in range(400)),
        "\n".join(" " * i + "a:\n" + " " * i + "- b" for i in range(2)) + "\nc: " + "{x: " * 3000,
    ],
    ids=["closed", "open", "dashes", "block", "flow"],
)
def test_deep_yaml_is_refused_and_does_not_break_the_process(text: str) -> None:
    code = (
        "import sys\nfrom twin.formats.native import parse_mapping\nfrom twin.errors import DocumentError\n"
        "try:\n    parse_mapping(sys.stdin.read(), 'file', as_json=False)\n"
        "except DocumentError as error:\n    print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], input=text, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr[-300:]
    assert found.stdout.startswith("file: ")


def test_depth_that_documents_have_is_fine() -> None:
    assert read("price_book: {x: " + "[" * 90 + "1" + "]" * 90 + "}")


def test_many_brackets_are_not_deep() -> None:
    assert len(read("nodes:\n" + "".join(f"  - {{id: n{i}, kind: leaf}}\n" for i in range(500)))["nodes"]) == 500


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        alphabet=st.sampled_from(list("abc:-?[]{},&*!|>'\"%@# \n\t0123456789.<~")) | st.characters(codec="utf-8"),
        max_size=60,
    ),
    st.booleans(),
)
def test_any_text_is_a_mapping_or_a_fault(text: str, as_json: bool) -> None:
    try:
        found: object = parse_mapping(text, "file", as_json=as_json)
    except DocumentError as error:
        found = {"where": error.where}
    assert isinstance(found, dict)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["nodes", "links", "sites", "as_of", "plans", "jobs", "lossless", "schema_version", "x"]), PLAIN
    )
)
def test_any_data_is_a_document_or_a_fault(data: dict[str, Any]) -> None:
    try:
        document = parse_document(data)
    except TwinError as error:
        places = [issue.where for issue in error.issues]
    else:
        places = ["none"] * (parse_document(document.to_dict()) == document.canonical())
    assert places


def test_threads_that_first_meet_a_kind_at_once_all_get_its_validator() -> None:
    """Two builds at a time end in `SystemError: AST constructor recursion depth mismatch`."""

    @dataclass
    class Kind:
        n: int
        """A docstring of a field, for which the source is parsed."""

        __pydantic_config__ = ConfigDict(use_attribute_docstrings=True)

    together = Barrier(4)

    def ask(n: int) -> Any:
        together.wait()
        return validate_as(Kind, {"n": n}, "here")

    with ThreadPoolExecutor(4) as threads:
        assert [kind.n for kind in threads.map(ask, range(4))] == [0, 1, 2, 3]
    assert adapter_of(Kind) is adapter_of(Kind)


@pytest.mark.parametrize("name", ["d.json", "d.yaml"])
def test_a_byte_order_mark_says_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text('\ufeff{"nodes":\n[{"id": "a", "kind": "hosts"}]}', encoding="utf-8")
    with pytest.raises(DocumentError, match="line 2, column 1"):
        load(path)
