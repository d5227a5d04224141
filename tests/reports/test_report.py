"""Reports: one file with all sections, which draws in a browser without an error and loads nothing."""

from __future__ import annotations

import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from site_pages.browser import BROWSER, FLAGS
from typer.testing import CliRunner

import twin
from twin.cli.main import app
from twin.errors import ChangeError, TwinError
from twin.model.document import Plan
from twin.render.score_table import score_table
from twin.reports.answers import ReportQuestion, report_parts
from twin.reports.blocks import Grid, Sentence, block_html, blocks_of, markdown_text
from twin.reports.page import report_html
from twin.reports.sections import SECTIONS
from twin.studies.study_bounds import StudyBounds

DUMP = ("--headless", *FLAGS, "--virtual-time-budget=8000", "--dump-dom")
MAX_BYTES = 3_000_000
USE_MENUS = """<script>
addEventListener("load", () => {
  document.querySelectorAll("select").forEach((select) => [...select.options].forEach((option, i) => {
    select.value = i; select.dispatchEvent(new Event("change"));
  }));
  document.querySelectorAll("details").forEach((each) => { each.open = true; });
  dispatchEvent(new Event("resize"));
  document.documentElement.dataset.used = document.querySelectorAll("select").length;
});
</script></body>"""
"""Chooses every entry of every menu, as a reader might."""


@pytest.fixture(scope="module")
def small() -> twin.Report:
    return twin.report(twin.load("memphis-small"), ["fibre-upgrade", "leave-out-first-campus"], main_assumptions=False)


@pytest.fixture(scope="module")
def demo() -> twin.Report:
    return twin.report(twin.load("leaf-spine-demo"), main_assumptions=False)


@pytest.fixture(scope="module")
def sampled() -> twin.Report:
    """A report with a search for the best plan, and with samples."""
    return twin.report(twin.load("leaf-spine-demo"), budget_usd=2e5, n_samples=8, main_assumptions=False)


def charts_of(page: str) -> list[dict[str, object]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    charts: list[dict[str, object]] = json.loads(found[1])["charts"]
    return charts


def test_a_job_with_plans_has_every_section(small: twin.Report) -> None:
    page = small.to_html()
    asked_for = {"best", "sure", "decision"}
    for name, title, _ in SECTIONS:
        assert (f'<section id="{name}">\n<h2>{title}</h2>' in page) == (name not in asked_for)
    kinds = {chart["kind"] for chart in charts_of(page)}
    assert {"drawing", "map", "plans", "causes", "forecast"} <= kinds
    assert len(page.encode()) < MAX_BYTES


def test_the_verdict_comes_first_and_is_that_of_the_answers(small: twin.Report) -> None:
    page = small.to_markdown()
    network = twin.load("memphis-small")
    expected = network.score(main_assumptions=False).summary[0]
    assert page.index(markdown_text(expected)) < page.index("## The network")
    after = network.what_if("fibre-upgrade", main_assumptions=False).summary[0]
    assert markdown_text(after) in page


def test_a_network_without_a_job_has_no_causes(demo: twin.Report) -> None:
    page = demo.to_html()
    assert 'id="causes"' not in page
    assert {"drawing", "failures"} <= {chart["kind"] for chart in charts_of(page)}


def test_every_chart_has_an_element_and_a_description(small: twin.Report) -> None:
    page = small.to_html()
    ids = [chart["id"] for chart in charts_of(page)]
    assert len(set(ids)) == len(ids)
    for name in ids:
        assert re.search(rf'id="{name}" data-kind="\w+" role="img" aria-label="[^"]+"', page)


def test_samples_and_a_budget_add_sections(sampled: twin.Report) -> None:
    page = sampled.to_html()
    assert {"intervals", "pareto"} <= {chart["kind"] for chart in charts_of(page)}
    assert sampled.answers.plan is not None
    assert sampled.answers.samples is not None
    for line in (*sampled.answers.plan.summary, *sampled.answers.samples.summary):
        assert markdown_text(line) in sampled.to_markdown()


class Tags(HTMLParser):
    """Counts open tags; every tag that needs an end must get one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        assert not any(name in ("src", "href") and not str(value).startswith("#") for name, value in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_links_only_to_itself(small: twin.Report) -> None:
    tags = Tags()
    tags.feed(small.to_html())
    assert not tags.open


def test_names_of_the_user_cannot_end_the_script_or_make_tags() -> None:
    evil = "</script><script>document.title='x'</script>&<b>"
    document = twin.load("leaf-spine-demo").document.model_dump(mode="json", exclude_unset=True)
    document["name"] = evil
    report = twin.report(twin.from_document(document), main_assumptions=False)
    page = report.to_html()
    own, _library = page.split("<script>/*", 1) if "<script>/*" in page else page.split("</script>", 1)
    assert own.count("<script") == 1
    assert "<b>" not in page.partition("<main>")[2].partition("</main>")[0]
    assert "<b>" not in report_html(evil, evil, []).partition("<script>")[0]


def test_its_parts_are_counted() -> None:
    network, phases, shares = twin.load("leaf-spine-demo"), list[str](), list[tuple[int, int]]()
    age = {"kind": "age", "years": 1}
    network = network.with_document(network.document.model_copy(update={"plans": (Plan(id="wait", changes=(age,)),)}))

    def advance(n_done: int, n_parts: int) -> None:
        shares.append((n_done, n_parts))

    twin.report(network, ["wait"], main_assumptions=False, notify=phases.append, advance=advance)
    assert phases == report_parts(network, ReportQuestion(["wait"]))
    assert shares == [(i, len(phases)) for i in range(len(phases))]


def test_the_same_question_gives_the_same_bytes(demo: twin.Report) -> None:
    again = twin.report(twin.load("leaf-spine-demo"), main_assumptions=False)
    assert again.to_html() == demo.to_html()
    assert again.to_markdown() == demo.to_markdown()


def test_tables_are_those_of_the_terminal_without_its_width() -> None:
    diff = twin.load("leaf-spine-demo").what_if(
        [{"kind": "fail_links", "links": "leaf-1~spine-1"}], main_assumptions=False
    )
    grids = [block for block in blocks_of(diff._table()) if isinstance(block, Grid)]
    assert grids[0].headings[:3] == ("metric", "before", "after")
    assert all(len(row) == len(grids[0].headings) for row in grids[0].rows)
    assert grids[0].is_number[1]


def test_text_is_escaped_in_both_forms() -> None:
    assert block_html(Sentence("a < b & c"), "x") == "<p>a &lt; b &amp; c</p>"
    assert markdown_text("a|b *c* <d>\n[e]") == "a\\|b \\*c\\* &lt;d&gt; \\[e\\]"


@pytest.mark.parametrize(
    ("plans", "problem"),
    [
        (["fibre-upgrad"], "fibre-upgrade"),
        (["local-sgd", "local-sgd"], "twice"),
        ([f"p{i}" for i in range(20)], "no plan"),
    ],
)
def test_bad_plans_are_refused_by_name(plans: list[str], problem: str) -> None:
    with pytest.raises(ChangeError, match=problem):
        twin.report(twin.load("memphis-small"), plans)


def test_the_command_writes_both_forms(tmp_path: Path) -> None:
    page, text = tmp_path / "out.html", tmp_path / "out.md"
    arguments = ["report", "leaf-spine-demo", "--html", str(page), "--markdown", str(text), "--no-assumptions"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert text.read_text().startswith("# leaf-spine-demo")
    assert CliRunner().invoke(app, ["report", "leaf-spine-demo"]).exit_code == 2


def test_a_report_is_written_by_its_ending(tmp_path: Path, demo: twin.Report) -> None:
    demo.write(tmp_path / "a.md")
    assert (tmp_path / "a.md").read_text() == demo.to_markdown()
    with pytest.raises(TwinError, match=r"\.html or \.md"):
        demo.write(tmp_path / "a.pdf")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; .ci/run installs it")
@pytest.mark.parametrize("name", ["small", "sampled"])
def test_a_browser_draws_every_chart_without_error_or_request(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    page = request.getfixturevalue(name).to_html()
    file = tmp_path / "report.html"
    file.write_text(USE_MENUS.join(page.rsplit("</body>", 1)), encoding="utf-8")
    assert BROWSER
    command = [BROWSER, *DUMP, f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    attributes = re.search(r"<html[^>]*>", shown)
    assert attributes
    charts = charts_of(page)
    assert f'data-drawn="{len(charts)}"' in attributes[0]
    assert 'data-used="' in attributes[0]
    assert "data-error" not in attributes[0]
    assert "data-blocked" not in attributes[0]
    for chart in charts:
        start = shown.index(f'id="{chart["id"]}"')
        assert "<path" in shown[start : start + 20_000]


def test_a_network_that_nothing_uses_is_reported() -> None:
    document = {
        "name": "idle",
        "nodes": [{"id": name, "kind": "switch"} for name in "ab"],
        "links": [{"id": "a-b", "ends": ["a", "b"], "capacity_gbps": 100}],
    }
    page = twin.report(twin.from_document(document), main_assumptions=False).to_markdown()
    assert "## Metrics" in page
    assert "so a failure takes nothing" in page


def test_failures_that_take_too_long_are_named_with_their_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.planning_network.BRIEF_BOUNDS", StudyBounds(most_s=0.0))
    page = twin.report(twin.load("two-campus"), main_assumptions=False).to_markdown()
    assert "Failures of each link are left out" in page
    assert "twin failures two-campus --of link --job both" in page


def test_every_metric_has_a_value_or_a_place_among_those_without_one() -> None:
    score = twin.load("leaf-spine-demo").score(main_assumptions=False)
    grids = [each for each in blocks_of(score_table(score.to_dict(), all_metrics=True)) if isinstance(each, Grid)]
    assert all(value != "–" for _, value in grids[0].rows)
    missing = dict(grids[1].rows)
    assert "step_time_s" in missing["the document has no job"].split(", ")
    named = {name for name, _ in grids[0].rows} | {name for names in missing.values() for name in names.split(", ")}
    assert named == set(score.metrics)
