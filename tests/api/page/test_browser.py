"""The page in a real browser: main paths, keyboard, narrow width, script errors, and requests that leave the host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import twin

LOADED = """() => document.readyState === "complete" && [...document.querySelectorAll("[hx-get]")]
    .every((part) => part.getAttribute("aria-busy") === "false")"""
TIMEOUT_MS = 60_000
SMALL = "/networks/memphis-small"
SIZES = {"wide": (1400, 900), "narrow": (360, 800)}


class Visit:
    """A window of the browser that records what must not happen."""

    def __init__(self, browser: Any, site: str, size: str = "wide", **options: Any) -> None:
        width, height = SIZES[size]
        self.context = browser.new_context(viewport={"width": width, "height": height}, base_url=site, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        self.page.on("request", lambda sent: None if sent.url.startswith(site) else self.faults.append(sent.url))

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
        self.context.close()
        assert self.faults == []
        assert "error" not in data, data
        assert "blocked" not in data, data


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Visit]:
    visit = Visit(browser, site)
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
    other = Visit(browser, site, "narrow", color_scheme="dark")
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
    page.get_by_label("number of parallel").fill("16")
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


def test_problems_stand_beside_their_fields(browser: Any, site: str) -> None:
    visit = Visit(browser, site)
    page = visit.open(f"{SMALL}?view=forecast&years=900")
    assert page.locator('[data-field="years"] .error').inner_text()
    assert page.get_by_role("spinbutton", name="length of the forecast").get_attribute("aria-invalid") == "true"
    visit.faults = [fault for fault in visit.faults if "422" not in fault]  # the browser logs the status
    visit.close()


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


def test_a_document_is_stored_opened_and_deleted(browser: Any, site: str) -> None:
    visit = Visit(browser, site)
    page = visit.open("/")
    content = json.dumps(twin.load("leaf-spine-demo").document.to_dict())
    for text, name in (("nodes: [", "bad"), (content, "leaf-spine-demo"), (content, "mine")):
        page.get_by_label("Name", exact=True).fill(name)
        file = {"name": "d.yaml", "mimeType": "application/yaml", "buffer": text.encode()}
        page.get_by_label("File", exact=True).set_input_files(file)
        page.get_by_role("button", name="Store").click()
        if name != "mine":
            page.locator(".problem").wait_for()
            page.locator(".problem").evaluate("(box) => box.remove()")
    page.wait_for_url("**/networks/mine")
    visit.wait()
    assert page.locator("#part-verdict .verdict").inner_text() == "All demand is carried."
    visit.open("/")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete mine").click()
    page.get_by_text("No network is stored here").wait_for()
    visit.faults = [fault for fault in visit.faults if "422" not in fault]  # the browser logs the status
    visit.close()


def test_a_narrow_window_needs_no_sideways_scrolling(browser: Any, site: str) -> None:
    visit = Visit(browser, site, "narrow")
    for view in ("overview", "change&kind=add_link", "compare", "links&link=wan-1-2", "causes", "report"):
        page = visit.open(f"{SMALL}?view={view}")
        assert page.evaluate("document.documentElement.scrollWidth") == SIZES["narrow"][0], view
    visit.close()


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
