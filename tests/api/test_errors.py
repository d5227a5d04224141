"""Every error is a problem (RFC 9457) with the place and, where there is one, the near name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from twin.api.answers import Problem
from twin.api.problems import MAX_ISSUES, MEDIA_TYPE

from twin.client import error_of

SCORE, WHAT_IF = "/v1/score", "/v1/what-if"
SMALL = {"network": "memphis-small"}
PLAN = {"id": "p", "changes": [{"kind": "agee"}]}
NODE = {"id": "a", "kind": "host"}
LEAF_SPINE = {"n_leaves": 2, "n_spines": 2}


def problem_of(answer: Any, status: int, slug: str = "") -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem = Problem.model_validate_json(answer.content, strict=True)
    assert problem.status == status
    assert problem.title
    assert problem.detail
    assert problem.type == (f"urn:dc-twin:problem:{slug}" if slug else "about:blank")
    return problem


@pytest.mark.parametrize(
    ("path", "body", "hint"),
    [
        (SCORE, {"network": "memphis-smal"}, "memphis-small"),
        (SCORE, SMALL | {"job": "flagshp"}, "flagship"),
        (WHAT_IF, SMALL | {"plan": "fibre-upgrde"}, "fibre-upgrade"),
        (WHAT_IF, SMALL | {"job": "everythin", "changes": []}, "everything"),
        (SCORE, {"network": {"nodes": [NODE]}, "job": "any"}, ""),
    ],
)
def test_names_that_do_not_exist_are_404_with_near_ones(client: Any, path: str, body: Any, hint: str) -> None:
    problem = problem_of(client.post(path, json=body), 404, "catalogue-error")
    assert hint in problem.issues[0].hint


@pytest.mark.parametrize(
    ("path", "body", "where", "hint"),
    [
        (SCORE, {"netwrk": "memphis-small"}, "netwrk", "'network'"),
        (SCORE, {}, "network", ""),
        (SCORE, {"network": None}, "network", "GET /v1/topologies"),
        (SCORE, {"network": ["memphis-small"]}, "network", "GET /v1/topologies"),
        (SCORE, {"network": "m" * 201}, "network", "GET /v1/topologies"),
        (SCORE, SMALL | {"plan": "fibre-upgrade"}, "plan", "known: ageing, fields, job, jobs, main_assumptions"),
        (SCORE, SMALL | {"ageing": "hihg"}, "ageing", "'high'"),
        (SCORE, SMALL | {"job": 5}, "job", ""),
        (WHAT_IF, SMALL | {"chnages": []}, "chnages", "'changes'"),
        (WHAT_IF, SMALL, "plan, changes", "exactly one"),
        (WHAT_IF, SMALL | {"plan": "fibre-upgrade", "changes": []}, "plan, changes", "exactly one"),
        (WHAT_IF, SMALL | {"changes": "fibre-upgrade"}, "changes", "plan"),
        (WHAT_IF, SMALL | {"changes": {"kind": "age"}}, "changes", "put it in a list"),
        (WHAT_IF, SMALL | {"changes": [{"kind": "fail_link", "links": "wan-1-2"}]}, "changes[0].kind", "'fail_links'"),
        (WHAT_IF, SMALL | {"changes": [{"links": "wan-1-2"}]}, "changes[0].kind", ""),
        (WHAT_IF, SMALL | {"changes": [{"kind": "fail_links", "linsk": "wan-1-2"}]}, "changes[0].linsk", "'links'"),
        (SCORE, {"network": {"nods": []}}, "nods", "'nodes'"),
        (SCORE, {"network": {"nodes": [NODE | {"knd": "host"}]}}, "nodes[a].knd", "'kind'"),
        (SCORE, {"network": {"nodes": [{"id": "a", "kind": "hots"}]}}, "nodes[a].kind", "'host'"),
        (
            SCORE,
            {"network": {"plans": [{"id": "p", "changes": [{"kind": "agee"}]}]}},
            "plans[p].changes[0].kind",
            "'age'",
        ),
    ],
)
def test_bad_and_misspelled_fields_are_422_with_place_and_hint(
    client: Any, path: str, body: Any, where: str, hint: str
) -> None:
    problem = problem_of(client.post(path, json=body), 422, "document-error")
    found = {issue.where.replace("changes.[", "changes["): issue.hint for issue in problem.issues}
    assert hint in found[where]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b"{", "line 1"),
        (b"[]", "holds a list; expected a JSON object with network, job, fields, jobs, ageing"),
        (b'"memphis-small"', "holds a text"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"network": "memphis-small", "network": "two-campus"}', "twice"),
        (b'{"network": NaN}', "nan"),
        (b'{"network": {"required_margin_db": -Infinity}}', "required_margin_db"),
        (b'{"network": {"price_book": {"horizon_years": 1e999}}}', "price_book.horizon_years"),
        (b'{"network": {"nodes": [{"id": "a", "kind": "host", "rail": 1e999}]}}', "nodes[0].rail"),
        (b'{"network": {"nodes": [{"id": "\\ud800", "kind": "host"}]}}', "bad field"),
        (b"[" * 100_000, "nested"),
        (b'{"network": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested"),
        (b'{"network": {"price_book": ' + b'{"a": ' * 400 + b"1" + b"}" * 400 + b"}}", "nested"),
        (b'{"network": {"required_margin_db": ' + b"1" * 5000 + b"}}", "digits"),
        (b'{"network": {"required_margin_db": ' + b"1" * 400 + b"}}", "bad field"),
    ],
)
def test_bodies_that_are_no_plain_json_are_422(client: Any, body: bytes, text: str) -> None:
    assert text in problem_of(client.post(SCORE, content=body), 422, "document-error").detail
    problem_of(client.post(WHAT_IF, content=body), 422, "document-error")


def test_a_byte_order_mark_before_a_question_is_not_part_of_it(client: Any) -> None:
    for body in (json.dumps(SMALL), json.dumps(SMALL | {"changes": []})):
        for path in (SCORE, WHAT_IF):
            answers = [client.post(path, content=mark + body.encode()) for mark in (b"", b"\xef\xbb\xbf")]
            assert answers[0].text == answers[1].text


def test_records_that_do_not_fit_together_are_all_told(client: Any) -> None:
    links = [{"id": f"l{i}", "ends": ["a", f"b{i}"]} for i in range(MAX_ISSUES + 5)]
    problem = problem_of(client.post(SCORE, json={"network": {"nodes": [NODE], "links": links}}), 422, "topology-error")
    assert len(problem.issues) == MAX_ISSUES
    assert f"of {MAX_ISSUES + 5} issues" in problem.detail
    assert problem.issues[0].where == "links[l0].ends"


def test_a_part_in_a_body_that_does_not_exist_is_422(client: Any) -> None:
    change = {"kind": "swap_switches", "nodes": {"kind": "border"}, "part": "border-deep-51T"}
    problem = problem_of(client.post(WHAT_IF, json=SMALL | {"changes": [change]}), 422, "catalogue-error")
    assert "border-deep-51.2T" in problem.issues[0].hint


def test_a_change_that_cannot_be_applied_is_422(client: Any) -> None:
    change = {"kind": "fail_links", "links": "wan-1-9"}
    problem = problem_of(client.post(WHAT_IF, json=SMALL | {"changes": [change]}), 422, "change-error")
    assert "wan-1-2" in problem.issues[0].hint


def test_a_network_asked_wrongly_still_answers(client: Any) -> None:
    before = client.post(SCORE, json=SMALL).content
    for body in (SMALL | {"job": "x"}, SMALL | {"changes": [{"kind": "fail_links", "links": "x"}]}):
        assert client.post(WHAT_IF, json=body).status_code in (404, 422)
    assert client.post(SCORE, json=SMALL).content == before


@pytest.mark.parametrize("path", ["/pages", "/v1", "/v2/score", "/v1/score/", "/v1/topologies/", "/v1/topologies/a/b"])
def test_unknown_routes_are_404(client: Any, path: str) -> None:
    assert path in problem_of(client.get(path), 404).detail


def test_a_wrong_method_is_405_and_says_which_are_allowed(client: Any) -> None:
    for method, path, allowed in (("GET", SCORE, "POST"), ("DELETE", WHAT_IF, "POST"), ("POST", "/v1/parts", "GET")):
        answer = client.request(method, path)
        problem_of(answer, 405)
        assert answer.headers["allow"] == allowed


def test_a_body_over_the_limit_is_413_announced_or_not(strict_client: Any) -> None:
    fits = b'{"network": "leaf-spine-demo"}'.ljust(2000)
    assert strict_client.post(SCORE, content=fits).status_code == 200
    announced = strict_client.post(SCORE, content=fits + b" ")
    assert "2000 bytes" in problem_of(announced, 413).detail

    def chunks() -> Iterator[bytes]:
        yield from (b" " * 1000 for _ in range(3))

    assert "2000 bytes" in problem_of(strict_client.post(SCORE, content=chunks()), 413).detail


def test_a_fault_is_500_and_tells_nothing_of_its_inside(strict_client: Any) -> None:
    answer = strict_client.get("/fault")
    problem_of(answer, 500)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_the_size_of_a_posted_document_counts_with_its_fabrics_written_out(strict_client: Any) -> None:
    def fabrics(n: int, **params: int) -> dict[str, Any]:
        rows = [{"id": f"f{i}", "generator": "leaf_spine", "params": LEAF_SPINE | params} for i in range(n)]
        return {"network": {"fabrics": rows}}

    assert strict_client.post(SCORE, json=fabrics(1)).status_code == 200
    for body in (fabrics(6), fabrics(1, n_leaves=1000)):
        problem = problem_of(strict_client.post(SCORE, json=body), 422, "topology-error")
        assert "at most 30 records" in problem.detail
    answer = strict_client.post(SCORE, json={"network": {"fabrics": [{"id": "f", "generator": "leaf_spin"}]}})
    assert "leaf_spine" in problem_of(answer, 422, "catalogue-error").issues[0].hint


def test_whole_floats_are_integers_and_others_are_refused(client: Any) -> None:
    def body(n: float) -> dict[str, Any]:
        nodes = [{"id": name, "kind": "switch"} for name in "ab"]
        links = [{"id": "l", "ends": ["a", "b"], "capacity_gbps": 100, "n_parallel": n}]
        return {"network": {"nodes": nodes, "links": links}, "main_assumptions": False}

    answers = [client.post(SCORE, json=body(n)) for n in (2, 2.0)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    problem_of(client.post(SCORE, json=body(2.5)), 422, "document-error")


def test_remote_errors_keep_what_was_expected(client: Any) -> None:
    answer = client.post("/v1/links", json={"network": "leaf-spine-demo", "sort": "ofered"})
    problem = problem_of(answer, 422, "change-error")
    assert problem.expected
    assert error_of(422, answer.text, "").expected == problem.expected
