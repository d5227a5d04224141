"""Pages of the docs site that are made from the code: every row of a table of the code has its place on its page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import typer
import yaml
from site_pages import command_line, http, markdown, metrics, root_pages, schema, shipped, sweep_inputs
from site_pages.tutorials import NOTEBOOKS
from twin.api.app import create_app
from twin.topologies import GENERATORS, NETWORKS

from twin.answers.metrics import METRICS
from twin.catalogue import catalogue
from twin.cli.main import COMMANDS, app
from twin.model.document import TopologyDocument
from twin.model.known_models import MODELS
from twin.model.records import Link, Node, Site, Span
from twin.scenario.changes import Change
from twin.studies.inputs import PATHS
from twin.traffic.demand_generators import DEMAND_GENERATORS

ROOT = Path(__file__).parents[2]


def rows(page: str) -> set[str]:
    """First cells of all table rows, without marks."""
    return {line.split("|")[1].strip().strip("`") for line in page.splitlines() if line.startswith("| ")}


def test_the_command_line_has_every_command_and_option() -> None:
    page = command_line.page()
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert len(commands) == len(COMMANDS)
    for name, command in commands.items():
        section = page[page.index(f"## twin {name}\n") :].split("\n## ")[0]
        for param in command.params:
            if param.name != "help":
                assert (param.opts[0] in section) or (param.metavar or param.name.upper()) in section


def test_metrics_inputs_and_shipped_names_have_a_row() -> None:
    assert set(METRICS) <= rows(metrics.page())
    assert set(PATHS) <= rows(sweep_inputs.page())
    parts = {part.id for part in catalogue().parts()}
    assert {*NETWORKS, *MODELS, *parts} <= rows(shipped.page())


@pytest.mark.parametrize("record", [Site, Node, Link, Span])
def test_the_document_page_has_every_field(record: type) -> None:
    page = schema.document_page()
    section = page[page.index(f"## {record.__name__} {{") :].split("\n## ")[0]
    assert set(record.__dataclass_fields__) <= rows(section)
    assert set(TopologyDocument.model_fields) <= rows(page)


def test_changes_and_fabrics_have_a_section_each() -> None:
    kinds = {cls.model_fields["kind"].default for cls in get_args(get_args(Change)[0])}
    page = schema.changes_page()
    assert kinds <= set(re.findall(r"^## (\w+) ", page, re.MULTILINE))
    assert page.count("\ntwin whatif ") == len(kinds)
    assert set(GENERATORS) <= set(re.findall(r"^## (\w+) ", schema.fabrics_page(), re.MULTILINE))
    assert set(DEMAND_GENERATORS) <= set(re.findall(r"^## (\w+) ", schema.traffic_page(), re.MULTILINE))


def test_http_has_every_endpoint() -> None:
    page = http.page()
    for path, calls in create_app().openapi()["paths"].items():
        for verb in calls:
            assert f"## {verb.upper()} {path} {{" in page


def test_links_between_the_made_pages_lead_to_their_anchors() -> None:
    pages = {
        "document.md": schema.document_page(),
        "fabrics.md": schema.fabrics_page(),
        "changes.md": schema.changes_page(),
        "traffic.md": schema.traffic_page(),
    }
    anchors = {name: set(re.findall(r"\{ #([\w-]+) \}", text)) for name, text in pages.items()}
    for name, text in pages.items():
        for target, anchor in re.findall(r"\]\((\w+\.md)?#([\w-]+)\)", text):
            assert anchor in anchors[target or name], (name, target, anchor)


def test_pages_of_the_root_link_to_the_site_and_name_other_files() -> None:
    page = root_pages.root_page("contributing.md")
    assert "](extending.md)" in page
    assert "](docs/" not in page
    assert "](changelog.md)" in page


def test_a_table_keeps_pipes_and_line_breaks_in_their_cells() -> None:
    assert markdown.table(("a", "b"), [("x|y", "one\ntwo")]) == "| a | b |\n| --- | --- |\n| x\\|y | one two |\n"


def test_the_site_shows_each_tutorial() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [f"tutorials/{name}.md" for name in NOTEBOOKS if f"tutorials/{name}.md" not in nav] == []


def test_a_citation_names_the_version_and_nobody_by_invention() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["authors"] == [{"name": "the dc-twin developers"}]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{citation['version']}]" in changelog
