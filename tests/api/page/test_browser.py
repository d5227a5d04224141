"""The page in a real browser: main paths, keyboard, narrow width, script errors, and requests that leave the host."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from twin.api import run_queue, run_routes
from twin.api.page import background
from twin.api.questions import studies
from twin.api.questions.context import Context
from twin.api.questions.table import QUESTION_BY_PATH

import twin

ACCESSIBILITY = Path(__file__).with_name("accessibility.js").read_text(encoding="utf-8")
LOADED = """() => document.readyState === "complete" && [...document.querySelectorAll("[hx-get]")]
    .every((part) => part.getAttribute("aria-busy") === "false")"""
TIMEOUT_MS = 60_000
SMALL = "/networks/memphis-small"
SIZES = {"wide": (1400, 900), "narrow": (360, 800)}


def window(browser: Any, site: str, size: str, **options: Any) -> Any:
    """A context of the browser: its pages share a size and a cache."""
    width, height = SIZES[size]
    return browser.new_context(viewport={"width": width, "height": height}, base_url=site, **options)


class Visit:
    """A page of the browser that records what must not happen."""

    def __init__(self, context: Any, site: str) -> None:
        self.site = site
        self.page = context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        self.page.on("request", self._check_host)

    def _check_host(self, sent: Any) -> None:
        if not sent.url.startswith(self.site):
            self.faults.append(sent.url)

    def open(self, address: str) -> Any:
        self.page.goto(address)
        return self.wait()

    def wait(self) -> Any:
        self.page.wait_for_function(LOADED)
        return self.page

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.page.url).query)

    def close(self) -> None:
        data = self.page.evaluate("({...document.documentElement.dataset})")
        self.page.close()
        assert self.faults == []
        assert "error" not in data, data
        assert "blocked" not in data, data


@pytest.fixture(scope="module")
def wide(browser: Any, site: str) -> Any:
    """The window of most tests; a shared one loads scripts from its cache."""
    return window(browser, site, "wide")


@pytest.fixture
def visit(wide: Any, site: str) -> Iterator[Visit]:
    visit = Visit(wide, site)
    yield visit
    visit.close()


def test_from_the_list_to_the_verdict_and_the_drawing(visit: Visit) -> None:
    page = visit.open("/")
    page.get_by_role("link", name="memphis-small", exact=True).click()
    visit.wait()
    assert page.locator("#part-verdict .verdict").inner_text().startswith("Step ")
    assert page.locator("canvas").count() == 2
    page.get_by_label("Colour by").first.select_option(label="age")
    assert visit.query["heat"] == ["age_years"]
    page.reload()
    visit.wait()
    assert page.get_by_label("Colour by").first.evaluate("(menu) => menu.selectedOptions[0].text") == "age"


def test_a_drawing_under_the_pointer_survives_a_resize(visit: Visit) -> None:
    page = visit.open(SMALL)
    place = page.locator('[data-kind="drawing"]')
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    for right_px in range(250, 350, 2):  # across a line between two tiers, until its tooltip opens
        page.mouse.move(box["x"] + right_px, box["y"] + 200)
        if place.get_by_text("b/s").count():
            break
    else:
        pytest.fail("no line was found under the pointer")
    page.set_viewport_size({"width": SIZES["wide"][0] - 20, "height": SIZES["wide"][1]})
    page.wait_for_timeout(300)  # ECharts shows a tooltip of the new drawing after a moment


def test_a_plan_is_chosen_previewed_run_and_shared(visit: Visit, browser: Any, site: str) -> None:
    page = visit.open(f"{SMALL}?view=change")
    page.get_by_label("Show the network").select_option("fibre-upgrade")
    page.get_by_role("button", name="Apply").click()
    visit.wait()
    assert "To buy" in page.locator("#part-preview").inner_text()
    page.get_by_role("link", name="Run the what-if").click()
    visit.wait()
    verdict = page.locator("#part-what-if .verdict").inner_text()
    assert " instead of " in verdict
    other = Visit(window(browser, site, "narrow", color_scheme="dark"), site)
    assert other.open(page.url).locator("#part-what-if .verdict").inner_text() == verdict
    assert other.page.evaluate("document.documentElement.scrollWidth") == SIZES["narrow"][0]
    other.close()


def test_changes_are_composed_by_form_with_errors_at_their_fields(visit: Visit) -> None:
    page = visit.open(f"{SMALL}?view=change")
    page.get_by_label("Kind of change").select_option("set_channels")
    page.get_by_role("button", name="Show its fields").click()
    visit.wait()
    page.get_by_role("button", name="Add this change").click()
    visit.wait()
    assert "missing" in page.locator('[data-field="n_parallel"] .error').inner_text()
    page.get_by_label("id", exact=True).fill("wan-*")
    page.get_by_label("number of members").fill("16")
    page.get_by_role("button", name="Add this change").click()
    visit.wait()
    assert "set_channels" in page.locator(".changes li").inner_text()
    assert "16" in page.locator("#part-preview").inner_text()
    page.get_by_role("link", name="Remove change 1").click()
    visit.wait()
    assert "changes" not in visit.query


def test_a_line_is_clicked_and_leads_to_the_budget_of_a_link(visit: Visit) -> None:
    page = visit.open("/networks/leaf-spine-demo")
    box = page.locator("canvas").first.bounding_box()
    for x, y in ((0.47, 0.28), (0.5, 0.3), (0.45, 0.25), (0.53, 0.33), (0.4, 0.3), (0.35, 0.35)):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if page.locator(".detail table").count():
            break
    page.locator(".detail table a").first.click()
    visit.wait()
    text = page.locator("#part-link").inner_text()
    assert "link budget" in text
    assert "Forecast" in text


def test_up_to_four_plans_are_compared(visit: Visit) -> None:
    page = visit.open(f"{SMALL}?view=compare")
    for plan in ("fibre-upgrade", "second-pair"):
        page.get_by_label(plan, exact=True).check()
    page.get_by_role("button", name="Compare").click()
    visit.wait()
    assert sorted(visit.query["plans"]) == ["fibre-upgrade", "second-pair"]
    assert page.locator("#part-compare table tbody tr").count() == 3


def test_the_slider_shows_each_year_of_the_forecast(visit: Visit) -> None:
    page = visit.open(f"{SMALL}?view=forecast&years=4&growth_ratio_per_year=0.3")
    slider = page.get_by_label("Year of the forecast")
    before = page.locator("[data-year-table]").inner_text()
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator("[data-year-table]").inner_text() != before
    assert visit.query["year"] == ["0"]


def test_problems_stand_beside_their_fields(visit: Visit) -> None:
    page = visit.open(f"{SMALL}?view=forecast&years=900")
    assert page.locator('[data-field="years"] .error').inner_text()
    assert page.get_by_role("spinbutton", name="length of the forecast").get_attribute("aria-invalid") == "true"
    visit.faults = [fault for fault in visit.faults if "422" not in fault]  # the browser logs the status


def test_everything_is_reached_by_keyboard(visit: Visit) -> None:
    page = visit.open("/")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
        if reached[-1] == "leaf-spine-demo":
            break
    assert reached[0] == "Skip to the content"
    page.keyboard.press("Enter")
    page.wait_for_url("**/networks/leaf-spine-demo")
    visit.wait()
    page.get_by_role("link", name="Skip to the content").focus()
    page.keyboard.press("Enter")
    stops: set[str] = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        stops.add(page.evaluate("document.activeElement.innerText || document.activeElement.name || ''").split("\n")[0])
    assert {"Overview", "Failures", "Metrics", "Kinds of equal links, each with one link to open"} <= stops
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.get_by_text("Kinds of equal links").press("Enter")
    page.locator("#part-drawing td a").first.press("Enter")
    visit.wait()
    assert "All figures of the link" in page.locator("#part-link").inner_text()


def test_a_document_is_stored_opened_and_deleted(visit: Visit) -> None:
    page = visit.open("/")
    content = json.dumps(twin.load("leaf-spine-demo").document.to_dict())
    for text, name in (
        ("a_device,b_device\nx,y\n", "cables"),
        ("nodes: [", "bad"),
        (content, "leaf-spine-demo"),
        (content, "mine"),
    ):
        page.get_by_label("Name", exact=True).fill(name)
        ending = "csv" if name == "cables" else "yaml"
        file = {"name": f"d.{ending}", "mimeType": "application/yaml", "buffer": text.encode()}
        page.get_by_label("File", exact=True).set_input_files(file)
        page.get_by_role("button", name="Store").click()
        if name != "mine":
            page.locator(".problem").wait_for()
            assert page.locator('[data-field="kind"] .error').count() == (name != "leaf-spine-demo")
            if name == "cables":
                assert "Expected a mapping with nodes and links." in page.locator(".problem").inner_text()
            page.locator(".problem").evaluate("(box) => box.remove()")
    page.wait_for_url("**/networks/mine")
    visit.wait()
    assert page.locator("#part-verdict .verdict").inner_text() == "All demand is carried."
    visit.open("/")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete mine").click()
    page.get_by_text("No network is stored here").wait_for()
    visit.faults = [fault for fault in visit.faults if "422" not in fault]  # the browser logs the status


def test_narrow_pages_fit_and_can_be_read_by_all(browser: Any, site: str) -> None:
    query = ("view=overview", "view=change&kind=add_link", "view=links&link=wan-1-2", "view=search", "view=forcast")
    for scheme, addresses in (("light", ["/", *(f"{SMALL}?{each}" for each in query)]), ("dark", ["/", SMALL])):
        visit = Visit(window(browser, site, "narrow", color_scheme=scheme), site)
        for address in addresses:
            page = visit.open(address)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            assert page.evaluate(ACCESSIBILITY) == [], address
            assert page.evaluate("document.documentElement.scrollWidth") == SIZES["narrow"][0], address
        visit.faults = [fault for fault in visit.faults if "404" not in fault]  # the browser logs the status
        visit.close()


def test_a_long_question_shows_progress_and_is_cancelled(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, started = threading.Event(), threading.Event()

    def failures(request: Any, context: Context) -> Any:
        advance = context.advance("failures", "of", "")
        while not go_on.is_set():
            advance(3, 12)
            started.set()
            go_on.wait(0.05)
        return studies.failures(request, context)

    for module, name in ((background, "QUICK_S"), (run_queue, "REPORT_S"), (run_routes, "EVENT_S")):
        monkeypatch.setattr(module, name, 0.1)
    row = QUESTION_BY_PATH["failures"]
    monkeypatch.setitem(QUESTION_BY_PATH, "failures", row._replace(compute=failures))
    page = visit.page
    page.goto("/networks/leaf-spine-demo?view=failures&run=1")
    part = page.locator("#part-failures")
    part.get_by_text("3 of 12 failures, 25 %").wait_for()
    assert part.locator("progress").evaluate("(bar) => bar.value") == 0.25
    part.get_by_role("button", name="Cancel").click()
    part.get_by_role("button", name="Run again").click()
    part.get_by_text("3 of 12 failures, 25 %").wait_for()
    go_on.set()
    part.locator(".verdict").wait_for()
    assert "the worst first" in page.locator("#status").inner_text()


def test_a_file_of_another_tool_is_imported_and_revisions_are_compared(visit: Visit) -> None:
    page = visit.open("/")
    sheet = "a_device,a_port,b_device,b_port,speed,length_m\nleaf1,e1,spine1,e1,400G,20\n"
    for text in (sheet, sheet + "leaf2,e1,spine1,e2,400G,20\n"):
        file = {"name": "My cables.csv", "mimeType": "text/csv", "buffer": text.encode()}
        page.get_by_label("File", exact=True).set_input_files(file)
        page.get_by_label("Kind of file", exact=True).select_option("auto")
        page.get_by_role("button", name="Store").click()
        page.get_by_role("heading", name="Imported as my-cables").wait_for()
        assert page.get_by_role("table", name="Assumed").count()
        visit.open("/")
    page.get_by_role("row").filter(has_text="my-cables").get_by_role("link", name="2", exact=True).click()
    page.get_by_role("link", name="what revision 2 changed").click()
    visit.wait()
    assert "my-cables, revision 1" in page.locator("h1").inner_text()
    assert page.locator("#part-difference .verdict").inner_text() == "Records: 1 node added, 1 link added."
    page.request.delete("/v1/networks/my-cables")


def test_results_are_announced_and_can_be_cancelled(visit: Visit) -> None:
    page = visit.page
    page.route("**/parts/verdict*", lambda _route: None)  # never answered
    page.goto("/networks/leaf-spine-demo")
    page.wait_for_function("() => document.getElementById('status').textContent.startsWith('The network')")
    page.locator("#part-verdict").get_by_role("button", name="Cancel").click()
    assert "Cancelled" in page.locator("#status").inner_text()
    page.unroute("**/parts/verdict*")
    page.get_by_role("button", name="Run again").click()
    page.wait_for_selector("#part-verdict .verdict")
    visit.faults = [fault for fault in visit.faults if not fault.startswith("htmx:")]  # htmx logs what was cancelled
