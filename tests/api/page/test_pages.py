"""Pages without a browser: structure, escaping, headers, problems, and addresses that hold the state."""

from __future__ import annotations

import json
import time
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from twin.api.page.html import VOID, element
from twin.api.page.network_list import networks_page
from twin.api.page.parts import drawing_content
from twin.api.page.problem import problem_html
from twin.api.page.state import PageState
from twin.api.page.views import VIEWS
from twin.topologies import NETWORKS

import twin
from twin.errors import DocumentError
from twin.store.records import NetworkPage

SMALL = "/networks/memphis-small"
WAIT_S = 60.0
"""Longest wait for a run, of a machine under load."""


class Reader(HTMLParser):
    """Reads a page and checks its form: tags that end, ids that are unique, labels, and headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.inputs: list[dict[str, str | None]] = []
        self.addresses: list[str] = []
        self.headings: list[int] = []
        self.inline: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label" and given.get("for"):
            self.labelled.add(str(given["for"]))
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden" and "label" not in self.open:
            self.inputs.append(given)
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        self.addresses += [str(given[name]) for name in ("href", "src", "action", "hx-get") if given.get(name)]
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self.inline += [tag] if tag == "style" or (tag == "script" and not given.get("src")) else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


PAGES = ["/", *(f"{SMALL}?view={view}" for view in VIEWS), f"{SMALL}?view=change&kind=set_fibre&plan=fibre-upgrade"]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_well_formed_labelled_and_local(client: Any, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    page = Reader(answer.text)
    assert len(set(page.ids)) == len(page.ids)
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(str(each.get("id")) in page.labelled for each in page.inputs)
    assert all(each.startswith(("/", "#")) and not each.startswith("//") for each in page.addresses)
    assert page.inline == []
    for landmark in ("<header>", "<main ", "<nav ", "<footer>"):
        assert landmark in answer.text


def ended(client: Any, address: str) -> Any:
    """The answer of an address whose question is a run, once the run has ended."""
    end = time.monotonic() + WAIT_S
    while (answer := client.get(address)).status_code == 202:
        assert time.monotonic() < end, answer.text
    return answer


@pytest.mark.parametrize("address", ["/", SMALL, "/assets/page.js", f"{SMALL}/parts/preview", "/networks/x"])
def test_every_answer_of_the_page_has_its_headers(client: Any, address: str) -> None:
    headers = client.get(address).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_every_shipped_network_is_listed(client: Any) -> None:
    page = client.get("/").text
    assert all(f'href="/networks/{name}"' in page for name in NETWORKS)


def test_stored_networks_are_listed_with_their_revisions(client: Any) -> None:
    document = twin.load("leaf-spine-demo").document.to_dict() | {"name": "<b>mine</b>"}
    document["plans"] = [{"id": "older", "changes": [{"kind": "age", "years": 5}]}]
    first = client.put("/v1/networks/mine", json=document).json()
    client.put("/v1/networks/mine", json=document | {"plans": []})
    try:
        page = Reader(client.get("/").text)
        assert {"/networks/mine", "/networks/mine/revisions"} <= set(page.addresses)
        assert "<b>" not in client.get("/").text
        revisions = client.get("/networks/mine/revisions").text
        assert f'href="/networks/mine%40{first["revision"]}"' in revisions
        assert "after older" in client.get(f"/networks/mine@{first['revision']}").text
        assert "after older" not in client.get("/networks/mine").text
        assert client.get(f"/networks/mine@{first['revision']}/parts/verdict?plan=older").status_code == 200
        assert client.get("/networks/mine/parts/verdict?plan=older").status_code == 404
    finally:
        client.delete("/v1/networks/mine")
    assert client.get("/networks/mine").status_code == client.get("/networks/mine/revisions").status_code == 404


def test_an_unknown_network_gets_similar_names(client: Any) -> None:
    answer = client.get("/networks/memphis-smal")
    assert answer.status_code == 404
    assert "memphis-small" in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://other.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://testserver"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 200),
    ],
)
def test_another_site_cannot_ask_questions(client: Any, headers: dict[str, str], status: int) -> None:
    address = "/networks/leaf-spine-demo/parts/verdict"
    assert client.get(address, headers=headers).status_code == status


def test_a_part_shows_the_answer_of_the_service(client: Any) -> None:
    page = client.get(f"{SMALL}/parts/verdict").text
    answer = client.post("/v1/score", json={"network": "memphis-small", "main_assumptions": False}).json()
    assert page.startswith(str(element("p", answer["summary"][0], class_="verdict")))


def test_a_problem_names_its_field_and_keeps_its_status(client: Any) -> None:
    answer = client.get(f"{SMALL}/parts/forecast?view=forecast&growth_ratio_per_year=much&years=2")
    assert answer.status_code == 422
    assert 'data-where="growth_ratio_per_year"' in answer.text
    assert "much" in answer.text
    unknown = client.get(f"{SMALL}/parts/link?view=links&link=wan-9")
    assert unknown.status_code == 422
    assert "wan-1-2" in unknown.text


def test_a_problem_says_what_was_expected_unless_a_similar_name_says_more() -> None:
    assert "Expected a list." in problem_html(DocumentError("holds a text", where="x", expected="a list"))
    long = DocumentError("no part", where="x", expected="x" * 201, hint="did you mean 'y'?")
    assert "Expected" not in problem_html(long)


def test_a_valid_change_goes_to_the_address_and_a_bad_one_stays_in_the_form(client: Any) -> None:
    fields = "view=change&kind=set_channels&add=1&links.id=wan-*"
    good = client.get(f"{SMALL}?{fields}&n_parallel=16", follow_redirects=False)
    assert good.status_code == 303
    query = parse_qs(urlsplit(good.headers["location"]).query)
    assert json.loads(query["changes"][0]) == [{"kind": "set_channels", "links": "wan-*", "n_parallel": 16}]
    bad = client.get(f"{SMALL}?{fields}&n_parallel=none", follow_redirects=False)
    assert bad.status_code == 200
    assert bad.text.count('role="alert"') == 1
    assert 'value="none"' in bad.text


def test_a_change_that_cannot_be_applied_has_its_error_beside_it(client: Any) -> None:
    changes = json.dumps([{"kind": "age", "years": 1}, {"kind": "fail_srlg", "srlg": "duct-99"}])
    page = client.get(f"{SMALL}/parts/preview", params={"view": "change", "changes": changes}).text
    first, second = page.split("<li>")[1:]
    assert "error" not in first
    assert "duct-99" in second
    assert 'class="error"' in second


@pytest.mark.parametrize("changes", ["[", "{}", "[1]", "[" * 9999, "x" * 40_000])
def test_changes_of_a_broken_address_are_refused(client: Any, changes: str) -> None:
    answer = client.get(f"{SMALL}/parts/preview", params={"view": "change", "changes": changes})
    assert answer.status_code == 422
    assert "remove `changes` from the address" in answer.text.lower()
    assert client.get(SMALL, params={"view": "change", "changes": changes}).status_code == 200


def test_own_changes_are_compared_beside_the_plans(client: Any) -> None:
    changes = json.dumps([{"kind": "age", "years": 5}])
    query = {"view": "compare", "plans": "balance-load", "changes": changes}
    page = client.get(f"{SMALL}/parts/compare", params=query).text
    assert "After own changes" in page
    assert "Of the plans, without own changes: best goodput" in page
    assert "After own changes" not in client.get(f"{SMALL}/parts/compare", params=query | {"changes": ""}).text


def test_a_network_without_demands_has_no_worst_failure(client: Any) -> None:
    address = "/parts/drawing?heat=worst_failure_utilisation_ratio"
    assert "The network has no demands" in ended(client, f"{SMALL}{address}").text
    drawn = ended(client, f"/networks/leaf-spine-demo{address}")
    assert drawn.status_code == 200
    assert "no demands" not in drawn.text


def test_the_list_says_whether_stored_networks_are_kept() -> None:
    empty = NetworkPage((), None)
    assert "end with this service" in networks_page((), empty, is_kept=False)
    assert "end with this service" not in networks_page((), empty, is_kept=True)


def test_unknown_views_and_parameters_are_named(client: Any) -> None:
    view = client.get(f"{SMALL}?view=forcast")
    assert view.status_code == client.get(f"{SMALL}/parts/verdict?view=forcast").status_code == 404
    assert "Did you mean &#x27;forecast&#x27;?" in view.text
    assert "?." not in view.text
    page = client.get(f"{SMALL}?view=forecast&yeers=3&links.tier=wide_area&n.placement=2").text
    assert page.count("unknown parameter") == 1
    assert "Did you mean &#x27;years&#x27;" in page
    assert client.get(f"{SMALL}/report?yeers=3").status_code == 422


def test_views_share_the_growth_of_the_traffic(client: Any) -> None:
    report = client.get(f"{SMALL}?view=report").text
    assert "Empty: 0." in report
    assert "Empty: 0.3." not in report
    page = Reader(client.get(f"{SMALL}?view=forecast&growth_ratio_per_year=0.2").text)
    grown = [each for each in page.addresses if "growth_ratio_per_year=0.2" in each]
    assert any("view=report" in each for each in grown)
    assert 'value="0.2"' in client.get(f"{SMALL}?view=report&growth_ratio_per_year=0.2").text


def test_more_than_four_plans_are_refused(client: Any) -> None:
    plans = [plan.id for plan in twin.load("memphis-small").document.plans][:5]
    answer = client.get(f"{SMALL}/parts/compare", params={"view": "compare", "plans": plans})
    assert answer.status_code == 422
    assert 'data-where="plans"' in answer.text


def test_the_report_is_a_file_that_is_never_run_here(client: Any) -> None:
    answer = ended(client, "/networks/leaf-spine-demo/report?format=markdown&years=1")
    assert answer.headers["content-disposition"] == 'attachment; filename="report-leaf-spine-demo.md"'
    assert answer.text.startswith("# leaf-spine-demo")
    assert ended(client, "/networks/leaf-spine-demo/report?plans=x").status_code == 404


def test_names_of_the_user_are_escaped_everywhere() -> None:
    evil = "</a><script>x</script>"
    document = twin.load("leaf-spine-demo").document.to_dict()
    text = json.dumps(document).replace('"leaf-1"', json.dumps(evil))
    data = twin.from_document(json.loads(text)).draw().to_dict()
    from twin.api.page.layout import part_html

    page = part_html("drawing", drawing_content(data, PageState(evil, "overview", {"plan": [evil]})))
    assert "<script" not in page
    assert json.dumps(evil)[1:-1] not in page


def test_a_state_comes_back_from_its_address() -> None:
    values = {"plan": ["a&b"], "ageing": ["high"], "heat": ["margin_db"], "job": ["j #1"]}
    state = PageState("n", "overview", values)
    query = parse_qs(urlsplit(state.address("links", link="l?")).query)
    assert query == values | {"view": ["links"], "link": ["l?"]}
