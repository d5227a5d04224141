"""Calendar and page of a link: the bytes of the command, typed answers, bounds, and faults with their place."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import twin
from tests.api.schemas import described, faults_of
from tests.api.test_errors import problem_of
from tests.model.samples import campus_data
from twin.answers import forecast as forecast_
from twin.answers.link_table import COLUMNS
from twin.cli.main import app

FORECAST, LINK = "/v1/forecast", "/v1/link"
SMALL = {"network": "memphis-small"}
WAN = {**SMALL, "link": "wan-1-2"}
CAMPUS = campus_data()
OPTICS = [{"kind": "set_transceivers", "links": "wan", "part": "400ZR"}]

FORECASTS: list[tuple[dict[str, Any], list[str]]] = [
    (SMALL, []),
    (SMALL | {"links": None, "plan": None, "changes": None, "job": None, "years": 2}, []),
    (SMALL | {"years": 7, "growth_ratio_per_year": 0.25}, ["--years", "7", "--growth", "0.25"]),
    (SMALL | {"years": 3, "growth_ratio_per_year": 0}, ["--years", "3"]),
    (SMALL | {"years": 3, "links": "wan-1-*"}, ["wan-1-*", "--years", "3"]),
    (SMALL | {"years": 3, "links": {"tier": "border"}}, ["--years", "3", "--tier", "border"]),
    (SMALL | {"years": 3, "plan": "fibre-upgrade", "job": "everything"}, ["--plan", "fibre-upgrade"]),
    ({"network": CAMPUS, "years": 4}, ["--years", "4"]),
    ({"network": CAMPUS, "years": 4, "plan": "wait", "links": "*"}, ["*", "--years", "4", "--plan", "wait"]),
]
PAGES: list[tuple[dict[str, Any], list[str]]] = [
    (WAN, []),
    (WAN | {"years": 5, "growth_ratio_per_year": 0.1, "ageing": "high"}, ["--growth", "0.1", "--ageing", "high"]),
    (WAN | {"years": 2, "plan": "fibre-upgrade", "job": "everything"}, ["--plan", "fibre-upgrade"]),
    ({"network": CAMPUS, "link": "w*", "years": 2, "plan": "wait"}, ["--plan", "wait"]),
    ({"network": CAMPUS, "link": "a-cable-1", "years": 2}, []),
    ({"network": CAMPUS, "link": "a-up", "years": 2, "ageing": "low"}, ["--ageing", "low"]),
]


def command(path: str, body: dict[str, Any], words: list[str], folder: Path) -> bytes:
    """What `--json` of the command prints to the same question."""
    network = body["network"]
    if not isinstance(network, str):
        file = folder / "net.json"
        file.write_text(json.dumps(network), encoding="utf-8")
        network = str(file)
    asked = [path.removeprefix("/v1/"), network, *([body["link"]] if path == LINK else []), *words, "--json"]
    for option in ("years", "job"):
        if body.get(option) is not None and f"--{option}" not in words:
            asked += [f"--{option}", str(body[option])]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


@pytest.mark.parametrize("sort", [None, "utilisation"])
def test_links_without_a_selection_are_those_of_the_command(client: Any, sort: str | None) -> None:
    answer = client.post("/v1/links", json=SMALL | {"sort": sort, "top": 9})
    words = ["links", "memphis-small", "--json", "--top", "9", *([] if sort is None else ["--sort", sort])]
    assert answer.content == CliRunner().invoke(app, words).stdout_bytes
    tiers = {row["tier"] for row in answer.json()["links"]}
    assert (tiers == {"wide_area"}) == (sort is None)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [*((FORECAST, *row) for row in FORECASTS), *((LINK, *row) for row in PAGES)],
)
def test_answers_are_the_bytes_of_the_command_and_of_the_described_type(
    client: Any, path: str, body: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == command(path, body, words, tmp_path)
    assert faults_of(client, "Forecast" if path == FORECAST else "LinkReport", answer.json()) == []


def test_changes_come_first_as_in_python(client: Any) -> None:
    network = twin.from_document(CAMPUS)
    asked = {"network": CAMPUS, "changes": OPTICS, "years": 3}
    assert client.post(FORECAST, json=asked).text == network.forecast(3, changes=OPTICS).to_json()
    asked |= {"link": "wan"}
    assert client.post(LINK, json=asked).text == network.link("wan", years=3, changes=OPTICS).to_json()
    assert client.post(LINK, json=asked).json()["transceiver"] == "400ZR"
    aged = {**WAN, "years": None, "changes": [{"kind": "age", "years": 5}]}
    page = twin.load("memphis-small").link("wan-1-2", years=None, changes=aged["changes"])
    assert client.post(LINK, json=aged).text == page.to_json()
    nothing = {"network": CAMPUS, "changes": [], "years": 3}
    assert client.post(FORECAST, json=nothing).text == network.forecast(3).to_json()


def test_a_page_has_a_calendar_unless_none_is_wanted(client: Any) -> None:
    assert client.post(LINK, json=WAN).json()["forecast"]["years"][-1] == 20
    assert client.post(LINK, json=WAN | {"years": None}).json()["forecast"] is None


@pytest.mark.parametrize("name", ["ageing-lines", "two-campus", "leaf-spine-demo"])
def test_every_kind_of_link_that_ships_is_of_the_described_type(client: Any, name: str) -> None:
    answer = client.post(FORECAST, json={"network": name, "links": "*", "years": 2})
    assert faults_of(client, "Forecast", answer.json()) == []
    for link in answer.json()["links"][:8]:
        page = client.post(LINK, json={"network": name, "link": link["id"], "years": 1})
        assert faults_of(client, "LinkReport", page.json()) == []


def test_residuals_are_the_bytes_of_python_and_of_the_described_type(client: Any) -> None:
    rate = {"of": {"link": "wan"}, "quantity": "interface_rate", "value_gbps": 1.0, "at": "2025-09-01"}
    network = CAMPUS | {"measurements": [rate, rate | {"quantity": "osnr", "value_gbps": None, "value_db": 30.0}]}
    network["measurements"][1].pop("value_gbps")
    read = twin.from_document(network)
    page = client.post(LINK, json={"network": network, "link": "wan", "years": None})
    assert page.text == read.link("wan", years=None).to_json()
    assert faults_of(client, "LinkReport", page.json()) == []
    assert [row["why"] is None for row in page.json()["residuals"]] == [False, True]
    table = client.post("/v1/links", json={"network": network, "links": "wan", "sort": "residual"})
    assert table.text == read.link_table("wan", sort="residual").to_json()
    assert faults_of(client, "LinkTable", table.json()) == []


@pytest.mark.parametrize("spans", [[], [{"length_km": 30.0}]])
@pytest.mark.parametrize("policy", ["shaped", "drop_on_pause", "lossy"])
def test_a_link_of_unknown_rate_is_of_the_described_type(client: Any, spans: list[Any], policy: str) -> None:
    ends = [{"id": name, "kind": "border", "part": "border-deep-28.8T"} for name in "ab"]
    link = {"id": "l", "ends": ["a", "b"], "spans": spans, "loss_ratio": 1e-4}
    demand = {"id": "d", "source": "a", "target": "b", "offered_gbps": 5.0}
    network = {"nodes": ends, "links": [link], "demands": [demand], "lossless": {"policy": policy}}
    page = client.post(LINK, json={"network": network, "link": "l", "years": 1}).json()
    assert faults_of(client, "LinkReport", page) == []
    assert [side["member_gbps"] for side in page["directions"]] == [None, None]
    calendar = client.post(FORECAST, json={"network": network, "links": "*", "years": 2}).json()
    assert faults_of(client, "Forecast", calendar) == []
    assert calendar["links"][0]["cases"]["value"]["member_gbps"] == [None] * 3


def test_the_columns_of_a_direction_are_those_of_the_table_of_links(client: Any) -> None:
    direction = described(client)["components"]["schemas"]["LinkDirection"]
    assert tuple(direction["properties"]) == tuple(direction["required"]) == COLUMNS


def test_no_date_is_counted_from_where_the_document_has_no_day(client: Any) -> None:
    bare = {"nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}]}
    bare |= {"links": [{"id": "l", "ends": ["a", "b"], "capacity_gbps": 100}]}  # type: ignore[dict-item]
    bare |= {"demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 50}]}  # type: ignore[dict-item]
    answer = client.post(FORECAST, json={"network": bare, "growth_ratio_per_year": 0.1}).json()
    assert answer["as_of"] is None
    runout = answer["links"][0]["cases"]["value"]["runout"]
    assert runout["0.7"] == {"years": pytest.approx(math.log(1.4) / math.log(1.1), abs=0.001), "date": None}


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "hint"),
    [
        (FORECAST, {"network": "memphis-smal"}, "memphis-small"),
        (FORECAST, SMALL | {"job": "flagshp"}, "flagship"),
        (FORECAST, SMALL | {"plan": "fibre-upgrde"}, "fibre-upgrade"),
        (LINK, WAN | {"network": "memphis-smal"}, "memphis-small"),
        (LINK, WAN | {"job": "flagshp"}, "flagship"),
        (LINK, WAN | {"plan": "fibre-upgrde"}, "fibre-upgrade"),
    ],
)
def test_names_that_do_not_exist_are_404_with_near_ones(client: Any, path: str, body: Any, hint: str) -> None:
    assert hint in problem_of(client.post(path, json=body), 404, "catalogue-error").issues[0].hint


@pytest.mark.parametrize(
    ("path", "body", "hint"),
    [
        (FORECAST, SMALL | {"links": "wan-1-9"}, "'wan-1-2'"),
        (FORECAST, SMALL | {"links": {"id": "wan-1-9"}}, "'wan-1-2'"),
        (FORECAST, SMALL | {"links": {"site": "c9"}}, "'c1'"),
        (FORECAST, SMALL | {"links": {"id": "wan-1-2", "tier": "access"}}, "loosen"),
        (FORECAST, SMALL | {"changes": [{"kind": "fail_links", "links": "wan-1-9"}]}, "'wan-1-2'"),
        (LINK, SMALL | {"link": "wan-1-9"}, "'wan-1-2'"),
        (LINK, SMALL | {"link": "wan-1-9", "years": None}, "'wan-1-2'"),
        (LINK, SMALL | {"link": "wan-*", "years": None}, "`links` shows several"),
        (LINK, WAN | {"changes": [{"kind": "remove_links", "links": "wan-1-2"}]}, "'wan-1-3'"),
    ],
)
def test_links_that_are_not_there_are_422_with_near_ones(client: Any, path: str, body: Any, hint: str) -> None:
    assert hint in problem_of(client.post(path, json=body), 422, "change-error").issues[0].hint


@pytest.mark.parametrize(
    ("path", "body", "where", "told"),
    [
        (FORECAST, SMALL | {"years": 0}, "years", "must be at least 1"),
        (FORECAST, SMALL | {"years": 101}, "years", "must be at most 100"),
        (FORECAST, SMALL | {"years": 2.5}, "years", "must be a whole number"),
        (FORECAST, SMALL | {"years": "20"}, "years", "must be a whole number"),
        (FORECAST, SMALL | {"years": True}, "years", "must be a whole number"),
        (FORECAST, SMALL | {"years": None}, "years", "must be a whole number"),
        (FORECAST, SMALL | {"years": 10**30}, "years", ""),
        (FORECAST, SMALL | {"growth_ratio_per_year": -0.91}, "growth_ratio_per_year", "must be at least -0.9"),
        (FORECAST, SMALL | {"growth_ratio_per_year": 10.5}, "growth_ratio_per_year", "must be at most 10"),
        (FORECAST, SMALL | {"growth_ratio_per_year": "10%"}, "growth_ratio_per_year", "number"),
        (FORECAST, SMALL | {"growth": 0.1}, "growth", "did you mean 'growth_ratio_per_year'"),
        (FORECAST, SMALL | {"ageing": "high"}, "ageing", "known: "),
        (FORECAST, SMALL | {"link": "wan-1-2"}, "link", "did you mean 'links'"),
        (FORECAST, SMALL | {"links": []}, "links", "at least 1 item"),
        (FORECAST, SMALL | {"links": 5}, "links", "must be a text, a list or a mapping"),
        (FORECAST, SMALL | {"links": ""}, "links", "at least 1 character"),
        (FORECAST, SMALL | {"links": "w" * 201}, "links", "at most 200 characters"),
        (FORECAST, SMALL | {"links": {"tir": "border"}}, "links.tir", "did you mean 'tier'"),
        (FORECAST, SMALL | {"links": {"tier": "boarder"}}, "links.tier", "did you mean 'border'"),
        (FORECAST, SMALL | {"links": {"installed_before": "soon"}}, "links.installed_before", "date"),
        (FORECAST, SMALL | {"plan": "p", "changes": []}, "plan, changes", "both are there"),
        (FORECAST, SMALL | {"changes": "fibre-upgrade"}, "changes", "goes to plan"),
        (FORECAST, SMALL | {"changes": [{"kind": "agee"}]}, "changes[0].kind", "'age'"),
        (FORECAST, {"years": 5}, "network", "is missing"),
        (FORECAST, {"network": None}, "network", "neither a name nor a document"),
        (LINK, SMALL, "link", "missing"),
        (LINK, SMALL | {"link": None}, "link", "must be a text"),
        (LINK, SMALL | {"link": ""}, "link", "at least 1 character"),
        (LINK, SMALL | {"link": "w" * 201}, "link", "at most 200 characters"),
        (LINK, SMALL | {"link": {"id": "wan-1-2"}}, "link", "must be a text"),
        (LINK, WAN | {"links": "wan-1-2"}, "links", "did you mean 'link'"),
        (LINK, WAN | {"years": 0}, "years", "must be at least 1"),
        (LINK, WAN | {"years": 101}, "years", "must be at most 100"),
        (LINK, WAN | {"growth_ratio_per_year": 11}, "growth_ratio_per_year", "must be at most 10"),
        (LINK, WAN | {"ageing": "hihg"}, "ageing", "'high'"),
        (LINK, WAN | {"plan": "p", "changes": []}, "plan, changes", "both are there"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
def test_bad_fields_are_422_with_place_and_bound(client: Any, path: str, body: Any, where: str, told: str) -> None:
    problem = problem_of(client.post(path, json=body), 422, "document-error")
    found = {issue.where.replace("changes.[", "changes["): f"{issue.problem} {issue.hint}" for issue in problem.issues}
    assert told in found[where], found


def test_a_list_of_links_has_a_bound(client: Any) -> None:
    body = SMALL | {"links": {"id": ["w"] * 10_001}}
    issues = problem_of(client.post(FORECAST, json=body), 422, "document-error").issues
    assert any("at most 10,000" in issue.problem for issue in issues)
    assert all(issue.where.startswith("links.id") for issue in issues)


def test_every_bad_field_is_told_at_once(client: Any) -> None:
    body = SMALL | {"years": 0, "growth_ratio_per_year": 99, "lnks": "*"}
    problem = problem_of(client.post(FORECAST, json=body), 422, "document-error")
    assert {issue.where for issue in problem.issues} == {"years", "growth_ratio_per_year", "lnks"}


@pytest.mark.parametrize("growth", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
@pytest.mark.parametrize("path", [FORECAST, LINK])
def test_growth_is_a_number(client: Any, path: str, growth: bytes) -> None:
    body = b'{"network": "memphis-small", "link": "wan-1-2", "growth_ratio_per_year": ' + growth + b"}"
    assert "growth_ratio_per_year" in problem_of(client.post(path, content=body), 422, "document-error").detail


def test_links_that_differ_in_numbers_nobody_would_wait_for_are_422(client: Any) -> None:
    day = date(2026, 1, 1)
    links = [
        {"id": f"l{i}", "ends": ["a", "b"], "transceiver": "400G-DR4", "installed": str(day - timedelta(days=i))}
        for i in range(2500)
    ]
    nodes = [{"id": name, "kind": "border"} for name in "ab"]
    network = {"as_of": str(day), "nodes": nodes, "links": links}
    body = {"network": network, "years": 100}
    problem = problem_of(client.post(FORECAST, json=body), 422, "change-error")
    assert "2,500 links that differ, over 100 years are too many at once" in problem.detail
    assert "narrow the choice" in problem.issues[0].hint
    assert forecast_.MAX_WORK < 2500 * 101
    assert client.post(FORECAST, json=body | {"links": "l1?"}).status_code == 200
    assert client.post(LINK, json={"network": network, "link": "l7", "years": 100}).status_code == 200


def test_a_posted_network_is_bounded_as_elsewhere(strict_client: Any) -> None:
    params = {"n_leaves": 1000, "n_spines": 2}
    network = {"fabrics": [{"id": "f", "generator": "leaf_spine", "params": params}]}
    for path, body in ((FORECAST, {}), (LINK, {"link": "*"})):
        answer = strict_client.post(path, json={"network": network, **body})
        assert "at most 30 records" in problem_of(answer, 422, "topology-error").detail
        answer = strict_client.post(path, content=b" " * 2001)
        assert "2000 bytes" in problem_of(answer, 413).detail


def test_a_name_is_never_a_path(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    file.write_text(json.dumps(CAMPUS), encoding="utf-8")
    for path, more in ((FORECAST, {}), (LINK, {"link": "wan"})):
        problem_of(client.post(path, json={"network": str(file), **more}), 404, "catalogue-error")


def test_wrong_methods_are_405(client: Any) -> None:
    for path in (FORECAST, LINK):
        answer = client.get(path)
        problem_of(answer, 405)
        assert answer.headers["allow"] == "POST"


# --- many at once ----------------------------------------------------------------------------------------------------

MIXED: list[tuple[str, dict[str, Any]]] = [
    (FORECAST, SMALL | {"years": 2}),
    (LINK, WAN | {"years": None}),
    ("/v1/score", SMALL),
    (FORECAST, {"network": CAMPUS, "years": 2, "plan": "wait"}),
    (LINK, {"network": CAMPUS, "link": "wan", "years": 2}),
]


def test_questions_of_all_kinds_at_once_each_get_their_own_answer(client: Any) -> None:
    @cache
    def alone(i: int) -> bytes:
        content: bytes = client.post(MIXED[i][0], json=MIXED[i][1]).content
        return content

    expected = [alone(i) for i in range(len(MIXED))]
    asked = [i % len(MIXED) for i in range(20)]
    with ThreadPoolExecutor(10) as group:
        answers = list(group.map(lambda i: client.post(MIXED[i][0], json=MIXED[i][1]), asked))
    for i, answer in zip(asked, answers, strict=True):
        assert answer.status_code == 200
        assert answer.content == expected[i]
