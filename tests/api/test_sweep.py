"""Inputs varied over HTTP: the bytes of the command however they are posted, and faults with their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from twin.api.axes import MAX_TEXT_CHARACTERS
from typer.testing import CliRunner

import twin
from tests.api.schemas import faults_of
from tests.api.test_errors import problem_of
from tests.model.samples import campus_data
from twin.cli.main import app
from twin.studies.inputs import PATHS

SWEEP = "/v1/sweep"
SMALL = {"network": "memphis-small"}
CAMPUS = campus_data()
GBPS = "links.wan-*.total_gbps"

QUESTIONS: list[tuple[dict[str, Any], list[str]]] = [
    (SMALL | {"vary": "age=0..30:4"}, ["--vary", "age=0..30:4"]),
    (SMALL | {"vary": ["age=0,12"], "job": None, "plan": None, "against": None}, ["--vary", "age=0,12"]),
    (SMALL | {"vary": {"path": "age", "values": "0..30:4"}}, ["--vary", "age=0..30:4"]),
    (SMALL | {"vary": {"path": GBPS, "values": [400, 3200.5, 51200]}}, ["--vary", f"{GBPS}=400,3200.5,51200"]),
    (
        SMALL | {"vary": [{"path": "age", "values": [0, 0.1]}, "job.split=uniform,balanced"]},
        ["--vary", "age=0,0.1", "--vary", "job.split=uniform,balanced"],
    ),
    (
        SMALL | {"vary": [{"path": "job.split", "values": ["uniform", "balanced"]}, {"path": "age", "values": [3]}]},
        ["--vary", "job.split=uniform,balanced", "--vary", "age=3"],
    ),
    (
        SMALL | {"vary": f"{GBPS}=400..51200:log9", "plan": "fibre-and-balance", "against": "leave-out-first-campus"},
        ["--vary", f"{GBPS}=400..51200:log9", "--plan", "fibre-and-balance", "--against", "leave-out-first-campus"],
    ),
    (
        SMALL | {"vary": "links.wan-*.length_km=10,400", "job": "everything", "ageing": "high"},
        ["--vary", "links.wan-*.length_km=10,400", "--job", "everything", "--ageing", "high"],
    ),
    (
        {"network": CAMPUS, "vary": "demands=0..2:3", "metric": "max_link_utilisation_ratio", "plan": "wait"},
        ["--vary", "demands=0..2:3", "--metric", "max_link_utilisation_ratio", "--plan", "wait"],
    ),
    (
        {"network": CAMPUS, "vary": {"path": "links.wan.n_parallel", "values": [1, 2, 8]}},
        ["--vary", "links.wan.n_parallel=1,2,8"],
    ),
    ({"network": "leaf-spine-demo", "vary": "demands=1,2"}, ["--vary", "demands=1,2"]),
]


@pytest.mark.parametrize(("body", "words"), QUESTIONS)
def test_answers_are_the_bytes_of_the_command_and_of_the_described_type(
    client: Any, body: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    network = body["network"]
    if not isinstance(network, str):
        file = tmp_path / "net.json"
        file.write_text(json.dumps(network), encoding="utf-8")
        network = str(file)
    result = CliRunner().invoke(app, ["sweep", network, *words, "--json"])
    assert result.exit_code == 0, result.output
    answer = client.post(SWEEP, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == result.stdout_bytes
    assert faults_of(client, "Sweep", answer.json()) == []


def test_numbers_of_a_list_arrive_to_the_last_bit(client: Any) -> None:
    values = [0.1, 1 / 3, 1e-7, 29.999999999999996, 7]
    answer = client.post(SWEEP, json={"network": CAMPUS, "vary": {"path": "age", "values": values}}).json()
    assert answer["axes"] == [{"path": "age", "values": values}]


def test_changes_come_first_and_a_point_is_its_what_if(client: Any) -> None:
    cut = [{"kind": "fail_srlg", "srlg": "duct-13-a"}]
    answer = client.post(SWEEP, json=SMALL | {"vary": "age=0,5", "changes": cut})
    network = twin.load("memphis-small")
    assert answer.text == network.sweep("age=0,5", changes=cut).to_json()
    aged = client.post("/v1/what-if", json=SMALL | {"changes": [*cut, {"kind": "age", "years": 5}]}).json()
    assert answer.json()["values"][1] == aged["metrics"]["step_time_s"]["after"]


def test_the_prices_are_those_of_the_posted_document(client: Any) -> None:
    asked = {"vary": "age=0", "metric": "usd_per_effective_pflop_day"}
    dear = CAMPUS | {"price_book": {"part_usd": {"H100": 60000}}}
    plain, priced = (client.post(SWEEP, json={"network": n, **asked}).json()["values"][0] for n in (CAMPUS, dear))
    assert priced > plain


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (SMALL | {"network": "memphis-smal"}, "memphis-small"),
        (SMALL | {"job": "flagshp"}, "flagship"),
        (SMALL | {"plan": "fibre-upgrde"}, "fibre-upgrade"),
        (SMALL | {"against": "leave-out-first-campu"}, "leave-out-first-campus"),
    ],
)
def test_names_that_do_not_exist_are_404_with_near_ones(client: Any, body: Any, hint: str) -> None:
    problem = problem_of(client.post(SWEEP, json=body | {"vary": "age=1"}), 404, "catalogue-error")
    assert hint in problem.issues[0].hint


def axis(path: Any = "age", values: Any = (1,), **more: Any) -> dict[str, Any]:
    return {"path": path, "values": values, **more}


@pytest.mark.parametrize(
    ("body", "where", "told"),
    [
        ({}, "vary", "is missing"),
        ({"vary": None}, "vary", "age=0..30:7"),
        ({"vary": []}, "vary", "age=0..30:7"),
        ({"vary": 5}, "vary", "is a number"),
        ({"vary": ["age=1", 5]}, "vary[1]", "is a number"),
        ({"vary": ["age=1", "demands=1", "demands=2"]}, "vary", "one or two"),
        ({"vary": ""}, "vary", "0 characters"),
        ({"vary": "age=" + "1," * MAX_TEXT_CHARACTERS + "1"}, "vary", "written as a list"),
        ({"vary": "agee=1"}, "vary", "did you mean 'age'"),
        ({"vary": ["age=1", "moon=1"]}, "vary[1]", "known: " + ", ".join(PATHS)),
        ({"vary": axis("link.wan-1-2.n_parallel")}, "vary.path", "links.GLOB.n_parallel"),
        ({"vary": [axis(None)]}, "vary[0].path", "must be a text"),
        ({"vary": axis("job.split=a")}, "vary.path", "pattern"),
        ({"vary": {"path": "age"}}, "vary.values", "is missing"),
        ({"vary": {"values": [1]}}, "vary.path", "is missing"),
        ({"vary": axis(value=[1])}, "vary.value", "did you mean 'values'"),
        ({"vary": axis(values=None)}, "vary.values", "a list of numbers"),
        ({"vary": axis(values=3)}, "vary.values", "is a number"),
        ({"vary": axis(values=[])}, "vary.values", "1 to 10000"),
        ({"vary": axis(values=[1] * 10_001)}, "vary.values", "1 to 10000"),
        ({"vary": axis(values="")}, "vary.values", "0 characters"),
        ({"vary": axis(values=[1, True])}, "vary.values[1]", "neither a number nor a word"),
        ({"vary": axis(values=[None])}, "vary.values[0]", "neither a number nor a word"),
        ({"vary": axis(values=["0..30:7"])}, "vary.values[0]", "ranges are texts"),
        ({"vary": axis(values=["1,2"])}, "vary.values[0]", "neither a number nor a word"),
        ({"vary": axis(values=["a\n"])}, "vary.values[0]", "neither a number nor a word"),
        ({"vary": axis(values=[10**400])}, "vary.values[0]", "neither a number nor a word"),
        ({"vary": "age=1", "against": ["wait"]}, "against", "must be a text"),
        ({"vary": "age=1", "metrics": ["step_time_s"]}, "metrics", "did you mean 'metric'"),
        ({"vray": "age=1"}, "vray", "did you mean 'vary'"),
        ({"vary": "age=1", "plan": "p", "changes": []}, "plan, changes", "both are there"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
def test_bad_fields_are_422_with_place_and_hint(client: Any, body: Any, where: str, told: str) -> None:
    problem = problem_of(client.post(SWEEP, json=SMALL | body), 422, "document-error")
    found = {issue.where: f"{issue.problem} {issue.hint}" for issue in problem.issues}
    assert told in found[where], found


def test_every_bad_field_is_told_at_once(client: Any) -> None:
    body = SMALL | {"vary": [axis("moon", [True]), axis(valeus=2)], "ageing": "value"}
    problem = problem_of(client.post(SWEEP, json=body), 422, "document-error")
    assert {issue.where for issue in problem.issues} == {"vary[0].path", "vary[0].values[0]", "vary[1].valeus"}


@pytest.mark.parametrize(
    ("vary", "where", "told"),
    [
        ("age", "vary", "no path=values"),
        ("age=", "vary", "no path=values"),
        ("age=1,,2", "vary", "1..10:4"),
        ("age=0..30:log3", "vary", "above 0"),
        ("age=0..30:20000", "vary", "at most 10000 values"),
        ("age=0..1e999:3", "vary", "finite"),
        ("age=-1.7e308..1.7e308:3", "vary", "finite"),
        (axis(values=["nan"]), "vary", "finite"),
        (axis("links.wan-*.n_parallel", [1e300]), "vary", "1e+15"),
        (["age=1", "age=2"], "vary", "age stands twice"),
        ("age=-3", "vary", "must be at least 0"),
        (["demands=1", axis(values=[101])], "vary[1]", "must be at most 100"),
        ("demands=many", "vary", "no number"),
        ("links=3", "vary", "links.GLOB.total_gbps"),
        (["age=1", "links.wan-1.n_parallel=2"], "vary[1]", "'wan-1-2'"),
        ("links.wan-*.n_paralel=2", "vary", "'n_parallel'"),
        ("links.wan-*.n_parallel=2.5", "vary", "whole"),
        (["age=1", "job.n_local_step=3"], "vary[1]", "'n_local_steps'"),
        ("job.foo=3", "vary", "n_local_steps"),
        (["job.split=fair"], "vary[0]", "'balanced'"),
        (["age=1", "job.n_local_steps=0"], "vary[1]", "must be at least 1"),
        ("placement.c9.n_accelerators=5", "vary", "'c1'"),
        ("lossless.policy=shape", "vary", "'shaped'"),
    ],
    ids=lambda value: json.dumps(value)[:60] if not isinstance(value, str) or "=" in value else "",
)
def test_inputs_that_cannot_be_varied_are_422_with_their_place(client: Any, vary: Any, where: str, told: str) -> None:
    problem = problem_of(client.post(SWEEP, json=SMALL | {"vary": vary}), 422, "change-error")
    assert problem.issues[0].where == where
    assert told in f"{problem.issues[0].problem} {problem.issues[0].hint}"
    assert "--" not in problem.detail


def test_a_metric_that_is_none_is_422_with_near_ones(client: Any) -> None:
    body = SMALL | {"vary": "age=1", "metric": "step_tim_s"}
    issue = problem_of(client.post(SWEEP, json=body), 422, "change-error").issues[0]
    assert issue.where == "metric"
    assert "'step_time_s'" in issue.hint
    issue = problem_of(client.post(SWEEP, json=body | {"metric": "foo"}), 422, "change-error").issues[0]
    assert "a score's `metrics`" in issue.hint


def test_changes_and_points_that_cannot_be_are_told_as_elsewhere(client: Any) -> None:
    body = SMALL | {"vary": "age=1", "changes": [{"kind": "fail_links", "links": "wan-1-9"}]}
    assert "wan-1-2" in problem_of(client.post(SWEEP, json=body), 422, "change-error").issues[0].hint
    body = SMALL | {"vary": "placement.c1.n_accelerators=1024,1e7"}
    answer = client.post(SWEEP, json=body).json()
    assert answer["values"][1] is None
    assert "10000000 accelerators asked for" in answer["why"][1]
