"""`twin.connect`: the methods, answers and errors of a local network, over HTTP."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from twin.api.questions.table import QUESTIONS

import twin
from twin.client import METHODS, Client, error_of

DEMO, SMALL = "leaf-spine-demo", "memphis-small"
CUT = {"kind": "fail_links", "links": "leaf-1~spine-1"}
MINE = """\
schema_version: 1
as_of: 2026-11-01
nodes:
  - {id: a, kind: switch}
  - {id: b, kind: switch}
links:
  - id: a~b
    ends: [a, b]
    transceiver: 400ZR
    installed: 2022-05-01
    spans: [{length_km: 40, fibre: G.652.D, installed: 2012-05-01, n_splices: 10, n_connectors: 2}]
demands:
  - {id: d, source: a, target: b, offered_gbps: 250}
plans:
  - {id: ten-more-years, changes: [{kind: age, years: 10}]}
"""
LOCAL = {"notify", "advance", "executor", "n_workers", "n_processes", "n_threads", "dask", "cancel", "checkpoint"}
"""Arguments about how a study runs on this machine."""
PICTURES = {"drawing", "report"}
"""Questions whose answers are for a page: the local network draws with libraries that a client need not have."""
LOCAL_OF = {"failures": {"brief"}, "optimum": {"n_entries"}, "sample": {"tornado"}, "decide": {"tornado", "jobs"}}
"""Arguments that the service does not have."""


@pytest.fixture(scope="module")
def remote(client: Any) -> Client:
    return Client("http://testserver", http=client)


def test_every_question_is_a_method_with_the_arguments_of_the_local_one() -> None:
    requests = {question.path: set(question.request.model_fields) for question in QUESTIONS}
    assert {method.path for method in METHODS.values()} == set(requests) - PICTURES
    for name, method in METHODS.items():
        parameters = dict(list(inspect.signature(getattr(twin.Network, name)).parameters.items())[1:])
        positional = [key for key, row in parameters.items() if row.kind is row.POSITIONAL_OR_KEYWORD]
        assert list(method.positional) == positional, name
        for argument in parameters.keys() - LOCAL - LOCAL_OF.get(name, set()):
            field = method.fields.get(argument, argument)
            known = requests[method.path]
            assert field in known or (field == "plan_or_changes" and {"plan", "changes"} <= known), (name, argument)
        assert set(method.fields) <= set(parameters)


def test_answers_are_those_of_the_local_network(remote: Client) -> None:
    there, here = remote.network(DEMO), twin.load(DEMO)
    diff, local = there.what_if(CUT), here.what_if(CUT)
    assert diff.to_json() == local.to_json()
    assert diff.to_dict() == local.to_dict()
    assert diff.summary == local.summary
    assert diff["max_link_utilisation_ratio"] == local["max_link_utilisation_ratio"]
    assert diff.change("max_link_utilisation_ratio") == local.change("max_link_utilisation_ratio")
    assert diff.metrics.max_link_utilisation_ratio.unit == "1"
    assert repr(diff).startswith(diff.summary[0])
    assert there.score()["max_link_utilisation_ratio"] == here.score()["max_link_utilisation_ratio"]
    assert there.link("leaf-1~spine-1", years=None).to_json() == here.link("leaf-1~spine-1", years=None).to_json()
    assert (
        there.link_table("leaf-1~*", sort="utilisation").to_json()
        == here.link_table("leaf-1~*", sort="utilisation", top=1000).to_json()
    )
    paths = there.path("host-1-1", "host-2-1", changes=[CUT])
    assert paths.to_json() == here.path("host-1-1", "host-2-1", changes=[CUT]).to_json()
    assert paths.paths[0].share_ratio == here.path("host-1-1", "host-2-1", changes=[CUT]).paths[0].share_ratio
    assert remote.network(SMALL).preview("fibre-upgrade").plan == "fibre-upgrade"
    assert there.score(fields=["metrics.worst_rtt_us.unit"]).to_dict() == {"metrics": {"worst_rtt_us": {"unit": "µs"}}}


def test_documents_are_sent_with_the_question(remote: Client, tmp_path: Path) -> None:
    document = {"name": "lab", "nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}]}
    file = tmp_path / "lab.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    local = twin.from_document(document)
    for network in (document, file, str(file), local.document):
        assert remote.network(network).score().to_json() == local.score().to_json()
    assert remote.network(DEMO).compare(remote.network(document)).to_json()
    assert {row.name for row in remote.get("topologies").topologies} >= {DEMO, SMALL}


def test_a_file_gives_the_bytes_of_the_local_network(remote: Client, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(MINE, encoding="utf-8")
    local = twin.load(file)
    assert remote.network(str(file)).score().to_json() == local.score().to_json()
    diff = remote.network(file).what_if("ten-more-years")
    assert diff.to_json() == local.what_if("ten-more-years").to_json()
    assert diff.network == "mine"
    file.write_text(f"name: lab\n{MINE}", encoding="utf-8")
    assert remote.network(file).score().to_json() == twin.load(file).score().to_json()
    file.write_text(MINE.replace("length_km: 40", "length_km: .nan"), encoding="utf-8")
    with pytest.raises(twin.DocumentError, match="cannot be sent as JSON"):
        remote.network(file).score()


@pytest.mark.parametrize(
    ("ask", "kind", "where", "hint"),
    [
        (lambda there: there.what_if("fibre-upgrad"), twin.CatalogueError, SMALL, "'fibre-upgrade'"),
        (lambda there: there.score(ageing="hihg"), twin.DocumentError, "ageing", "'high'"),
        (lambda there: there.what_if([{"kind": "agee"}]), twin.DocumentError, "changes[0].kind", "'age'"),
        (lambda there: there.link("wan-*"), twin.ChangeError, "link", "several"),
        (lambda there: there.score(jbo="x"), twin.DocumentError, "jbo", "'job'"),
    ],
)
def test_errors_are_those_of_the_local_network(remote: Client, ask: Any, kind: type, where: str, hint: str) -> None:
    with pytest.raises(kind) as caught:
        ask(remote.network(SMALL))
    (issue,) = caught.value.issues
    assert issue.where == where
    assert hint in issue.hint


def test_other_faults_are_errors_too(remote: Client) -> None:
    with pytest.raises(AttributeError, match=r"no question 'what_iff' \(did you mean 'what_if'"):
        _ = remote.network(DEMO).what_iff
    with pytest.raises(AttributeError, match=r"no field 'sumary' \(did you mean 'summary'"):
        _ = remote.network(DEMO).score().sumary
    with pytest.raises(TypeError, match="at most 2 arguments"):
        remote.network(DEMO).what_if(CUT, None, "x")
    with pytest.raises(twin.TwinError, match=r"no answer.*twin serve"):
        twin.connect("http://127.0.0.1:1").network(DEMO).score()
    assert "status 502: bad" in str(error_of(502, "bad gateway", "http://x"))
    many = {"type": "urn:dc-twin:problem:topology-error", "detail": "2 faults", "issues": [
        {"where": place, "problem": "is bad", "hint": ""} for place in "ab"
    ]}  # fmt: skip
    error = error_of(422, json.dumps(many), "http://x")
    assert isinstance(error, twin.TopologyError)
    assert [issue.where for issue in error.issues] == ["a", "b"]


def test_a_busy_service_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    waits: list[float] = []
    monkeypatch.setattr("twin.client.time.sleep", waits.append)
    keys: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["authorization"])
        busy = len(keys) < 3
        return httpx.Response(
            429 if busy else 200, headers={"Retry-After": "7"} if busy else {}, text='{"summary": []}'
        )

    service = Client("http://x", "secret", http=httpx.Client(transport=httpx.MockTransport(answer)))
    assert service.network(DEMO).score().summary == ()
    assert (waits, keys) == ([7.0, 7.0], ["Bearer secret"] * 3)
