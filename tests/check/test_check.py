"""The harness: tolerances, maps, errors, and what is no fixture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twin import formats
from twin.check import KINDS, check_file, check_paths, exit_code, read_fixture
from twin.errors import DocumentError

SHARED = {
    "links": [{"id": "L", "capacity_gbps": 10}],
    "flows": [{"id": "f", "links": ["L"]}, {"id": "g", "links": ["L"]}],
}
TWO = {
    "nodes": [{"id": "a", "kind": "switch"}, {"id": "b", "kind": "switch"}],
    "links": [{"id": "ab", "ends": ["a", "b"], "capacity_gbps": 100}],
    "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 30}],
}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def make(name: str = "f.json", **fields: Any) -> Path:
        data = {"kind": "max_min", "source": "hand", "origin": "test", **fields}
        path = tmp_path / name
        path.write_text(json.dumps(data))
        return path

    return make


def rates(case_id: str, *, given: Any = SHARED, **expect: float) -> dict[str, Any]:
    return {"id": case_id, "given": given, "expect": {"rate_gbps": expect}}


def whatif(expect: Any, given: Any = None) -> dict[str, Any]:
    return {"kind": "whatif", "cases": [{"id": "c", "given": given or {"network": TWO}, "expect": expect}]}


def test_right_numbers_are_within(write: Any) -> None:
    result = check_file(write(cases=[rates("two flows", f=5, g=5)]))
    assert result.within
    assert result.exit_code == 0
    assert [row.name for row in result.rows] == ["rate_gbps[f]", "rate_gbps[g]"]


def test_wrong_number_is_reported_as_out_with_how_far(write: Any) -> None:
    result = check_file(write(cases=[rates("two flows", f=5, g=4)]))
    (row,) = result.out
    assert (row.key, row.expected, row.got, row.off_by, row.off_by_ratio) == ("g", 4.0, 5.0, 1.0, 0.25)
    (figure,) = result.figures
    assert (figure.n, figure.n_out, figure.largest_off_by, figure.mean_off_by) == (2, 1, 1.0, 0.5)
    assert (figure.largest_ratio, figure.mean_ratio) == (0.25, 0.125)
    assert result.verdict == "out"
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("tolerance", "within"),
    [
        ({"abs": 1.0}, True),
        ({"abs": 0.99}, False),
        ({"rel": 0.25}, True),
        ({"rel": 0.24}, False),
        ({"abs": 0.1, "rel": 0.25}, True),
        ({"abs": 1.0, "rel": 0.1}, True),
        ({"abs": 0.9, "rel": 0.2}, False),
        ({"mape": 0.125}, True),
        ({"mape": 0.12}, False),
    ],
)
def test_tolerance_decides(write: Any, tolerance: dict[str, float], within: bool) -> None:
    path = write(tolerance={"rate_gbps": tolerance}, cases=[rates("two flows", f=5, g=4)])
    assert check_file(path).within is within


def test_without_a_tolerance_a_figure_is_exact(write: Any) -> None:
    assert check_file(write(cases=[rates("a", f=5 * (1 + 9e-10))])).within
    assert not check_file(write(cases=[rates("a", f=5 * (1 + 2e-9))])).within


def test_mape_is_judged_over_the_file_and_shown_by_case(write: Any) -> None:
    cases = [rates("near", f=5), rates("far", f=4)]
    result = check_file(write(tolerance={"rate_gbps": {"mape": 0.13}}, cases=cases))
    assert result.within
    assert [row.within for row in result.rows] == [None, None]
    assert [row.off_by_ratio for row in result.rows] == [0.0, 0.25]


def test_mape_does_not_forgive_a_figure_that_cannot_be_computed(write: Any) -> None:
    result = check_file(write(tolerance={"rate_gbps": {"mape": 10.0}}, cases=[rates("a", f=5, h=5)]))
    assert not result.within
    assert "no key 'h'" in result.out[0].why


def test_mape_of_a_missed_zero_is_out(write: Any) -> None:
    result = check_file(write(tolerance={"rate_gbps": {"mape": 10.0}}, cases=[rates("a", f=0.0)]))
    assert not result.within
    assert result.to_dict()["figures"][0]["mean_ratio"] is None


def test_only_listed_keys_of_a_map_compare(write: Any) -> None:
    result = check_file(write(cases=[rates("one", f=5)]))
    assert len(result.rows) == 1
    assert result.within


def test_map_and_number_are_not_mixed_up(write: Any) -> None:
    case = {"id": "c", "given": SHARED, "expect": {"rate_gbps": 5}}
    assert "is a map" in check_file(write(cases=[case])).out[0].why
    assert "no map" in check_file(write(**whatif({"min_margin_db": {"a": 1}}))).out[0].why


def test_null_expects_a_figure_without_value(write: Any) -> None:
    assert check_file(write(**whatif({"min_margin_db": None, "step_time_s": None}))).within
    assert not check_file(write(**whatif({"unrouted_gbps": None}))).within


def test_unknown_figure_is_out_with_near_names_even_where_null_is_expected(write: Any) -> None:
    for expected in (None, 0.3):
        (row,) = check_file(write(**whatif({"max_link_utilization_ratio": expected}))).out
        assert "did you mean 'max_link_utilisation_ratio'" in row.why


def test_figure_that_has_no_value_is_out_and_says_why(write: Any) -> None:
    (row,) = check_file(write(**whatif({"step_time_s": 1.0}))).out
    assert (row.got, row.off_by) == (None, None)
    assert row.why == "the document has no job"


def test_expected_error_must_come_and_carry_its_text(write: Any) -> None:
    given = {"network": "nowhere"}
    assert check_file(write(**whatif({"error": "CatalogueError", "contains": "no network"}, given))).within
    assert check_file(write(**whatif({"error": "TwinError"}, given))).within
    assert not check_file(write(**whatif({"error": "CatalogueError", "contains": "else"}, given))).within
    assert not check_file(write(**whatif({"error": "ChangeError"}, given))).within
    (row,) = check_file(write(**whatif({"error": "CatalogueError"}))).out
    assert row.got == "no error"


def test_unexpected_error_puts_every_figure_out_and_shows_its_text(write: Any) -> None:
    case = whatif({"step_time_s": 1.0, "tokens_per_s": None}, {"network": "memphis-smal"})
    result = check_file(write(**case))
    assert [row.figure for row in result.out] == ["step_time_s", "tokens_per_s"]
    assert all("CatalogueError" in row.why and "memphis-small" in row.why for row in result.out)


def test_fixture_names_no_files(write: Any, tmp_path: Path) -> None:
    document = tmp_path / "net.json"
    document.write_text(json.dumps(TWO))
    (row,) = check_file(write(**whatif({"unrouted_gbps": 0}, {"network": str(document)}))).out
    assert "no network" in row.why


def test_faults_of_the_twin_itself_are_raised(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.check.max_min.max_min", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        check_file(write(cases=[rates("a", f=5)]))


def test_json_answer_is_plain_data_without_nan(write: Any) -> None:
    result = check_file(write(cases=[rates("a", f=5, h=0), rates("b", f=0)]))
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["verdict"] == "out"


def test_someone_who_listens_is_told_each_case_and_may_stop(write: Any) -> None:
    told: list[str] = []
    path = write(cases=[rates("first", f=5), rates("second", f=5)])
    check_file(path, notify=told.append)
    assert [text.rsplit(": ", 1)[1] for text in told] == ["1 of 2, first", "2 of 2, second"]

    def stop(_text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_paths([path], notify=stop)


# --- no fixture ------------------------------------------------------------------------------------------------


def problem(path: Path) -> str:
    with pytest.raises(DocumentError) as caught:
        read_fixture(path)
    (result,) = check_paths([path])
    assert result.verdict == "no fixture"
    assert exit_code([result]) == 2
    assert result.to_dict()["problem"]["error"] == "DocumentError"
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"kind": "what_if"},
            f"one of {', '.join(sorted(KINDS))} (did you mean 'whatif'?)",
        ),
        ({"kind": 3}, "unknown kind 3"),
        ({"kind": None}, "it has no `kind`"),
        ({"source": "heard"}, "source: "),
        ({"tolerence": {}}, "did you mean 'tolerance'"),
        ({"tolerance": {"rate_gbps": {"relative": 1}}}, "relative"),
        ({"tolerance": {"rate_gbps": {"rel": -1}}}, "must be at least 0"),
        ({"tolerance": {"rate_gbps": {}}}, "abs, rel, both, or mape"),
        ({"tolerance": {"rate_gbps": {"rel": 1, "mape": 1}}}, "mape stands alone"),
        ({"cases": []}, "at least 1 item"),
        ({"cases": [rates("a", f=1), rates("a", f=1)]}, "id 'a' stands 2 times"),
        ({"cases": [rates("a\nb", f=1)]}, "is not printable text"),
        ({"cases": [rates("a")]}, "is an empty map"),
        ({"cases": [{"id": "a", "given": SHARED, "expect": {}}]}, "cases[a].expect"),
        ({"cases": [{"id": "a", "given": SHARED, "expect": {"rate_gbps": "5"}}]}, "found '5'"),
        ({"cases": [{"id": "a", "given": SHARED, "expect": {"rate_gbps": True}}]}, "found True"),
        ({"cases": [{"id": "a", "given": SHARED, "expects": {"rate_gbps": 1}}]}, "did you mean 'expect'"),
        ({"cases": [{"id": "a", "given": SHARED, "expect": {"error": "ChangErr"}}]}, "did you mean 'ChangeError'"),
        ({"cases": [{"id": "a", "given": SHARED, "expect": {"error": "ChangeError", "x": 1}}]}, "stands beside"),
        ({"cases": [{"id": "a", "given": {"flows": []}, "expect": {"r": 1}}]}, "cases[a].given.links: is missing"),
    ],
)
def test_what_is_no_fixture_says_why(write: Any, change: dict[str, Any], text: str) -> None:
    assert text in problem(write(**{"cases": [rates("a", f=5)], **change}))


def test_all_faults_are_named_at_once(write: Any) -> None:
    bad = {"links": [], "flows": [], "extra": 1}
    text = problem(write(cases=[rates("a", given=bad, f=1), rates("b", given=bad, f=1), rates("b", f=1)]))
    assert "cases[a].given.extra" in text
    assert "cases[b].given.extra" in text
    assert "stands 2 times" in text


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(tmp_path: Path, number: str) -> None:
    path = tmp_path / "f.json"
    case = json.dumps(rates("a", f=7)).replace("7", number)
    path.write_text('{"kind": "max_min", "source": "hand", "cases": [' + case + "]}")
    assert "cases[a].expect.rate_gbps.f" in problem(path)


def test_numbers_beyond_doubles_are_refused_or_simply_far_off(write: Any) -> None:
    assert "too large a number" in problem(write(cases=[rates("a", f=10**400)]))
    for expected in (5e-324, 1.7e308, -1.7e308):
        result = check_file(write(tolerance={"rate_gbps": {"mape": 1e300}}, cases=[rates("a", f=expected)]))
        json.dumps(result.to_dict(), allow_nan=False)


def test_too_large_a_file_is_refused(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(cases=[rates("a", f=5)])
    monkeypatch.setattr(formats, "MAX_FILE_BYTES", 50)
    assert "at most 50 bytes" in problem(path)


@pytest.mark.parametrize("text", ["{", "[]", "", "\0", "kind: [", '{"kind": "max_min", "kind": "max_min"}'])
def test_broken_files_are_no_fixtures(tmp_path: Path, text: str) -> None:
    path = tmp_path / "f.json"
    path.write_text(text)
    assert str(path) in problem(path)


def test_a_list_is_told_what_a_fixture_is(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text("[]")
    assert "a mapping with kind and cases" in problem(path)


def test_missing_file_and_empty_folder_are_no_fixtures(tmp_path: Path) -> None:
    assert "cannot be read" in problem(tmp_path / "none.json")
    (result,) = check_paths([tmp_path])
    assert result.exit_code == 2
    assert exit_code([]) == 2


def test_folder_is_searched_by_name_and_the_worst_file_decides(write: Any, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write("sub/b.json", cases=[rates("a", f=5)])
    write("a.json", cases=[rates("a", f=4)])
    write("notes.txt")
    results = check_paths([tmp_path])
    assert [(Path(result.path).name, result.verdict) for result in results] == [("a.json", "out"), ("b.json", "within")]
    assert exit_code(results) == 1
    write("c.yaml", kind="other", cases=[rates("a", f=5)])
    results = check_paths([tmp_path])
    assert [result.verdict for result in results] == ["out", "no fixture", "within"]
    assert exit_code(results) == 2


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(
        """
kind: max_min
source: hand
cases:
  - id: "Größe, 5 ✓"
    given: {links: [{id: L, capacity_gbps: 10}], flows: [{id: f, links: [L]}, {id: g, links: [L]}]}
    expect: {rate_gbps: {f: 5}}
"""
    )
    assert check_file(path).within
