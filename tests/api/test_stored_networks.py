"""Stored networks over HTTP: conditions, questions by reference, files of other tools, a database that fails."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from twin.api.app import create_app

import twin
from tests.api.conftest import TestClient
from tests.api.schemas import faults_of
from tests.store.conftest import PostgresServer, postgres
from tests.store.samples import document, reading
from twin.store import StoreLimits

__all__ = ["postgres"]
ONE, TWO = document(100.0), document(200.0)
READINGS_OF_ZZ = b"link,date,osnr (dB),snr (dB)\nab,2020-01-01,30,20\nzz,2020-01-01,30,20\n"
CABLES = b"device_a,device_b\nleaf1,spine1\nleaf2,spine1\n"


@pytest.fixture
def service() -> Iterator[TestClient]:
    """A service with an empty store."""
    with TestClient(create_app(warm=False), raise_server_exceptions=False) as client:
        yield client


def score(client: TestClient, network: str) -> Any:
    """Load of the busiest link, or the status where there is none."""
    metric = "max_link_utilisation_ratio"
    body = {"network": network, "fields": [f"metrics.{metric}.value"], "main_assumptions": False}
    answer = client.post("/v1/score", json=body)
    return answer.json()["metrics"][metric]["value"] if answer.status_code == 200 else answer.status_code


NO_NETWORKS = ("\ud800", "pair@\ud800", "pair@", "pair@zz", "@", "a\0", "x" * 150)


@pytest.mark.parametrize("path", ["score", "runs/score", "outage", "diff"])
@pytest.mark.parametrize("name", NO_NETWORKS)
def test_a_text_that_names_no_network_is_not_found(service: TestClient, path: str, name: str) -> None:
    service.put("/v1/networks/pair", content=ONE)
    more = {"other": name} if path == "diff" else {}
    body = {"network": "pair" if more else name} | more
    answer = service.post(f"/v1/{path}", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 404, answer.text


def test_a_document_goes_in_and_comes_out_with_its_tag(service: TestClient) -> None:
    put = service.put("/v1/networks/pair", content=ONE)
    assert (put.status_code, put.headers["Location"]) == (201, "/v1/networks/pair")
    tag = put.headers["ETag"]
    assert tag == f'"{put.json()["revision"]}"'
    got = service.get("/v1/networks/pair")
    assert (got.content, got.headers["ETag"], got.headers["Content-Type"]) == (ONE, tag, "application/json")
    for known in (tag, f'"x", W/{tag}', "*"):
        same = service.get("/v1/networks/pair", headers={"If-None-Match": known})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    assert service.get("/v1/networks/pair", headers={"If-None-Match": '"x"'}).status_code == 200
    assert service.put("/v1/networks/pair", content=TWO, headers={"If-Match": f"W/{tag}"}).status_code == 412
    assert service.put("/v1/networks/pair", content=TWO, headers={"If-None-Match": "*"}).status_code == 412
    assert service.put("/v1/networks/pair", content=TWO, headers={"If-Match": "pair"}).status_code == 422
    assert service.put("/v1/networks/pair", content=TWO, headers={"If-Match": tag}).status_code == 200
    assert service.get("/v1/networks/pair", params={"revision": put.json()["revision"]}).content == ONE
    assert service.delete("/v1/networks/pair", headers={"If-Match": tag}).status_code == 412
    assert service.delete("/v1/networks/pair").status_code == 204
    assert service.delete("/v1/networks/pair").status_code == 404


def test_a_question_by_name_is_that_of_the_document(service: TestClient) -> None:
    first = service.put("/v1/networks/pair", content=ONE).json()["revision"]
    expected = twin.from_document(json.loads(ONE), label="pair").score(main_assumptions=False).to_json()
    answer = service.post("/v1/score", json={"network": "pair", "main_assumptions": False})
    assert answer.text == expected
    assert score(service, "pair") == 0.5
    second = service.put("/v1/networks/pair", content=TWO).json()["revision"]
    assert score(service, "pair") == score(service, f"pair@{second}") == 0.25
    assert score(service, f"pair@{first}") == 0.5
    assert score(service, "pair@") == 404
    assert [score(service, name) for name in ("par", f"pair@{'0' * 64}", f"memphis@{first}")] == [404, 404, 404]
    service.delete("/v1/networks/pair")
    assert [score(service, name) for name in ("pair", f"pair@{first}")] == [404, 404]


def test_a_stored_revision_stays_compiled(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    service.put("/v1/networks/pair", content=ONE)
    score(service, "pair")

    def read_again(*_: object) -> None:
        raise AssertionError("read a second time")

    monkeypatch.setattr("twin.api.networks.read_network", read_again)
    assert score(service, "pair") == 0.5


def test_two_revisions_are_compared(service: TestClient) -> None:
    first = service.put("/v1/networks/pair", content=ONE).json()["revision"]
    service.put("/v1/networks/pair", content=TWO)
    answer = service.get("/v1/networks/pair/diff", params={"from": first})
    label = "pair"
    old, new = (twin.from_document(json.loads(content), label=label) for content in (ONE, TWO))
    assert answer.text == old.compare(new).to_json()
    assert not faults_of(service, "NetworkDiff", answer.json())
    assert service.get("/v1/networks/pair/diff").status_code == 422
    assert service.get("/v1/networks/pair/diff", params={"from": "x"}).status_code == 404
    assert service.get("/v1/networks/pair/diff", params={"from": first, "job": "x"}).status_code == 404


def test_lists_have_pages(service: TestClient) -> None:
    for name in ("b", "a", "c"):
        service.put(f"/v1/networks/{name}", content=ONE)
    page = service.get("/v1/networks", params={"limit": 2}).json()
    assert not faults_of(service, "NetworkPage", page)
    assert ([row["name"] for row in page["networks"]], page["next"]) == (["a", "b"], "b")
    assert [row["name"] for row in service.get("/v1/networks?after=b").json()["networks"]] == ["c"]
    revisions = service.get("/v1/networks/a/revisions").json()
    assert not faults_of(service, "RevisionPage", revisions)
    for bad in ("?limit=0", "?limit=x", "?nane=a", "?name=%C3%BC"):
        assert service.get(f"/v1/networks{bad}").status_code == 422, bad


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("memphis-small", ONE, 422), ("A", ONE, 422), ("a", b"{}x", 422), ("a", b"", 422), ("a", b"\x00", 422)],
)
def test_what_cannot_be_stored_is_refused(service: TestClient, name: str, content: bytes, status: int) -> None:
    answer = service.put(f"/v1/networks/{name}", content=content)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert service.get("/v1/networks").json()["networks"] == []


def archive(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name.replace("__", "."), content)
    return packed.getvalue()


def test_a_file_of_another_tool_is_imported_and_stored(service: TestClient) -> None:
    plain = service.post("/v1/import/table", content=CABLES, params={"filename": "cables.csv", "capacity_gbps": 100})
    assert plain.status_code == 200
    assert not faults_of(service, "ImportAnswer", plain.json())
    assert service.get("/v1/networks").json()["networks"] == []
    posted = {"filename": "cables.csv", "capacity_gbps": 100, "store": "cabling"}
    stored = service.post("/v1/import/auto", content=CABLES, params=posted)
    assert (stored.status_code, stored.json()["network"]["n_links"]) == (201, 2)
    assert stored.json()["document"] == plain.json()["document"] == service.get("/v1/networks/cabling").json()
    assert score(service, "cabling") != 404
    lldp = json.dumps({"lldp": {"interface": []}}).encode()
    zipped = archive(cables__csv=CABLES)
    answer = service.post("/v1/import/table", content=zipped, params={"filename": "c.zip", "capacity_gbps": 100})
    assert answer.json()["document"]["links"] == plain.json()["document"]["links"]
    for options, content in (
        ({"filename": "cables.csv", "capacity_gbps": -1}, CABLES),
        ({"filename": "cables.csv", "capacity": 1}, CABLES),
        ({"filename": "../cables.csv"}, CABLES),
        ({"filename": "cables.csv", "store": "memphis"}, CABLES),
        ({"filename": "c.zip"}, CABLES),
        ({"filename": "c.zip"}, archive()),
        ({"filename": "c.zip"}, archive(big__csv=bytes(65 * 1024 * 1024))),
        ({"filename": "x.json"}, lldp),
        ({}, b""),
    ):
        answer = service.post("/v1/import/table", content=content, params=options)
        assert answer.status_code == 422, options
    nested = archive(inner__zip=archive(cables__csv=CABLES))
    answer = service.post("/v1/import/table", content=nested, params={"filename": "x.zip"})
    assert "'inner.zip' in it is an archive; archives in archives are not read" in answer.json()["detail"]


def test_reports_and_hints_name_query_parameters_and_no_options_of_the_command(service: TestClient) -> None:
    answer = service.post("/v1/import/table", content=CABLES, params={"filename": "cables.csv"})
    report = json.dumps(answer.json()["report"])
    assert "capacity_gbps states one for all such links" in report
    assert not re.search("--|twin import", report)
    service.put("/v1/networks/pair", content=ONE)
    url = "/v1/networks/pair/measurements?format=table&filename=x.csv"
    added = service.post(url, content=READINGS_OF_ZZ)
    assert added.status_code == 200, added.text
    (finding,) = added.json()["report"]["findings"]
    assert (finding["hint"], finding["places"]) == ("map='zz'=LINK", ["x.csv: line 3: 'zz'"])
    refused = service.post(f"{url}&map=zz=yy", content=READINGS_OF_ZZ)
    assert [issue["where"] for issue in refused.json()["issues"]] == ["query.map='zz'"]


def test_the_place_of_a_fault_is_the_name_of_what_was_sent(service: TestClient) -> None:
    cables = {"content": CABLES}
    for method, path, sent, where, expected in (
        ("GET", "networks?name=[", {}, "query.name", ""),
        ("POST", "import/tabel", cables, "path.format", "one of auto, "),
        ("POST", "networks/pair/measurements?format=oter", cables, "query.format", "one of auto, "),
        ("POST", "import/table?store=memphis", cables, "query.store", ""),
        ("POST", "links", {"json": {"network": "memphis-small", "sort": "zz"}}, "sort", ""),
        ("POST", "demands", {"json": {"network": "leaf-spine-demo", "sort": "zz"}}, "sort", ""),
    ):
        answer = service.request(method, f"/v1/{path}", **sent)
        (issue,) = answer.json()["issues"]
        assert (answer.status_code, issue["where"]) == (422, where), path
        assert answer.json()["expected"].startswith(expected), path


def test_measurements_are_added_as_records_and_as_files(service: TestClient) -> None:
    tag = service.put("/v1/networks/pair", content=ONE).headers["ETag"]
    url = "/v1/networks/pair/measurements"
    added = service.post(url, json={"measurements": [reading()]}, headers={"If-Match": tag})
    assert (added.status_code, added.json()["n_added"], added.json()["network"]["number"]) == (200, 1, 2)
    assert not faults_of(service, "MeasurementsAnswer", added.json())
    assert service.post(url, json={"measurements": [reading()]}, headers={"If-Match": tag}).status_code == 412
    csv = b"link,quantity,value,unit,date\nab,latency,9,us,2026-10-05\n"
    answer = service.post(url, content=csv, params={"format": "table", "filename": "r.csv"})
    assert answer.status_code == 200, answer.text
    assert not faults_of(service, "MeasurementsAnswer", answer.json())
    assert (answer.json()["n_added"], answer.json()["network"]["n_measurements"]) == (1, 2)
    assert service.post("/v1/networks/none/measurements", json={"measurements": []}).status_code == 404
    for body in ({"measurements": [{}]}, {"measurments": []}, []):
        assert service.post(url, json=body).status_code == 422


def test_a_service_whose_database_is_lost_answers_503_and_then_works_again(postgres: PostgresServer) -> None:
    with TestClient(create_app(warm=False, data=postgres.new_url())) as client:
        client.put("/v1/networks/pair", content=ONE)
        postgres.stop()
        try:
            for answer in (client.put("/v1/networks/pair", content=TWO), client.get("/v1/networks/pair")):
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
                assert "no connection" in answer.json()["detail"]
            assert score(client, "pair") == 503
            assert score(client, "leaf-spine-demo") != 503, "shipped networks need no database"
        finally:
            postgres.start()
        assert score(client, "pair") == 0.5


def test_a_full_store_is_a_conflict() -> None:
    with TestClient(create_app(warm=False, store_limits=StoreLimits(n_networks=1))) as client:
        client.put("/v1/networks/a", content=ONE)
        answer = client.put("/v1/networks/b", content=ONE)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:dc-twin:problem:store-limit-error")
