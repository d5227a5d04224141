"""What a new user of the command meets first: changes in YAML, verdicts, hints and figures that are unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import twin
from twin.catalogue import catalogue
from twin.cli.main import app
from twin.errors import ChangeError, TwinError
from twin.loading import from_document
from twin.render.check_table import check_verdict


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def output(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def what_if(change: str) -> Any:
    return json.loads(output("whatif", "leaf-spine-demo", "--no-assumptions", "--json", "--change", change))


def test_a_change_is_json_or_yaml_and_may_be_named_by_its_kind() -> None:
    plain = what_if('{"kind": "fail_nodes", "nodes": "spine-1"}')
    assert what_if("{kind: fail_nodes, nodes: spine-1}") == plain
    assert what_if("{fail_nodes: {nodes: spine-1}}") == plain
    assert what_if("fail_nodes: {nodes: [spine-1]}") == plain


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ('{"kind": "fail_nodes", "nodes": "spine-1"', "--change 1"),
        ("{kind: fail_nodes, nodes: spine-1", "--change 1"),
        ("{fail_node: {nodes: spine-1}}", "fail_nodes"),
        ("spine-1", "expected {kind: ..., ...} in YAML or JSON"),
    ],
)
def test_a_bad_change_is_refused_in_each_form(change: str, text: str) -> None:
    result = CliRunner().invoke(app, ["whatif", "leaf-spine-demo", "--change", change])
    assert isinstance(result.exception, TwinError)
    assert text in str(result.exception)


def test_a_file_of_changes_without_its_sign_is_named() -> None:
    result = CliRunner().invoke(app, ["whatif", "leaf-spine-demo", "--change", "shares.yaml"])
    assert result.exit_code == 2
    assert "did you mean `--change @shares.yaml`?" in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["availability", "leaf-spine-demo", "--rest", "2"], "--rest: 2.0"),
        (["availability", "leaf-spine-demo", "--loss-above", "2"], "--loss-above: 2.0"),
        (["failures", "leaf-spine-demo", "--of", "lnik"], "--of: no kind"),
        (["failures", "leaf-spine-demo", "--depth", "3"], "--depth: depth 3"),
    ],
)
def test_errors_name_the_option_that_was_given(words: list[str], told: str) -> None:
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, TwinError)
    assert str(result.exception).startswith(told)


def test_a_check_starts_with_its_verdict(tmp_path: Path) -> None:
    case = {"id": "a", "given": {"links": [{"id": "x", "capacity_gbps": 10}], "flows": [{"id": "f", "links": ["x"]}]}}
    for name, rate in (("good", 10), ("bad", 9)):
        cases = [case | {"expect": {"rate_gbps": {"f": rate}}}]
        fixture = {"kind": "max_min", "source": "hand", "origin": "by hand", "cases": cases}
        (tmp_path / f"{name}.json").write_text(json.dumps(fixture), encoding="utf-8")
    assert output("check", str(tmp_path / "good.json")).splitlines()[0] == "1 of 1 checks pass."
    result = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.startswith("1 of 2 checks fail: ")


def test_the_verdict_of_checks_names_what_fails() -> None:
    figures = [{"figure": "step_time_s", "within": True}, {"figure": "mfu_ratio", "within": False}]
    results = [
        {"path": "a.json", "figures": figures, "problem": None},
        {"path": "b.json", "figures": [], "problem": "is empty"},
    ]
    assert check_verdict(results) == "1 of 2 checks fail: a.json mfu_ratio. No fixture: b.json."


def test_sorting_by_the_head_of_a_column_gets_a_hint() -> None:
    with pytest.raises(ChangeError, match=r"no column 'used' to sort by.*did you mean 'utilisation'"):
        twin.load("leaf-spine-demo").link_table(sort="used")


def lines(**wide: Any) -> dict[str, Any]:
    kinds = {"a": "host", "b": "host", "l": "leaf", "m": "leaf"}
    pairs = [("a", "l"), ("l", "m"), ("m", "b")]
    links: list[dict[str, Any]] = [{"id": x + y, "ends": [x, y], "capacity_gbps": 100} for x, y in pairs]
    links[1] |= wide
    return {"nodes": [{"id": name, "kind": kind} for name, kind in kinds.items()], "links": links}


def test_a_diameter_of_unknown_lengths_is_unknown() -> None:
    """Before, it was 0."""
    metric = from_document(lines()).score(main_assumptions=False).metrics["latency_diameter_us"]
    assert metric.value is None
    assert metric.why == "no link between end points states a length or a latency, and no switch has one"
    stated = from_document(lines(latency_us=3.0)).score(main_assumptions=False)
    assert stated.metrics["latency_diameter_us"].value == pytest.approx(3.0)


def test_a_failed_single_point_of_failure_is_lost_and_one_with_a_second_way_is_none_any_more() -> None:
    data = lines()
    data["nodes"] += [{"id": "n", "kind": "leaf"}, {"id": "c", "kind": "host"}]
    data["links"] += [
        {"id": "mn", "ends": ["m", "n"], "capacity_gbps": 100},
        {"id": "nc", "ends": ["n", "c"], "capacity_gbps": 100},
    ]
    network = from_document(data)
    failed = network.what_if([{"kind": "fail_nodes", "nodes": "m"}], main_assumptions=False).summary
    assert "Lost single point of failure: m." in failed
    assert "Lost bridges: lm, mn." in failed
    change = {"kind": "add_link", "link": {"id": "ln", "ends": ["l", "n"], "capacity_gbps": 100}}
    joined = network.what_if([change], main_assumptions=False).summary
    assert "No longer a single point of failure: m." in joined


def test_a_queue_above_the_limit_of_the_model_is_said_to_be_one() -> None:
    demand = {"id": "d", "source": "a", "target": "b", "offered_gbps": 95}
    text = " ".join(from_document(lines() | {"demands": [demand]}).path("a", "b").summary)
    assert "on al, lm, mb that is the delay at 90 % use, above which there is no estimate." in " ".join(text.split())
    demand["offered_gbps"] = 85
    assert "Queueing" not in " ".join(from_document(lines() | {"demands": [demand]}).path("a", "b").summary)


def test_the_warning_of_links_between_sites_gives_the_ratio() -> None:
    data = lines() | {
        "sites": [
            {"id": "x", "latitude_deg": 35.0, "longitude_deg": -90.0},
            {"id": "y", "latitude_deg": 36.0, "longitude_deg": -90.0},
        ]
    }
    for node in data["nodes"]:
        node["site"] = "x" if node["id"] in "al" else "y"
    warning = from_document(data).warnings[0]
    ratio = catalogue().general["route_over_straight_ratio"].value
    assert warning.effect == f"latency and cuts are those of the great circle times {ratio:g}, loss that of 0 km"


def test_a_demand_of_a_node_to_itself_is_local_traffic() -> None:
    demands = [{"id": "d", "source": "a", "target": "a", "offered_gbps": 5.0}]
    table = from_document(lines() | {"demands": demands}).demand_table()
    assert "local traffic" in str(table)
    assert table.carried_gbps == 5.0
