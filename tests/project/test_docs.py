"""The documents say what is there: files, fields, kinds and names, and examples that run."""

from __future__ import annotations

import json
import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import typer
import yaml

from twin.check import check_file
from twin.cli.main import app
from twin.errors import TopologyError
from twin.formats.native import parse_mapping
from twin.loading import from_document, load
from twin.model.jobs import Parallelism, Placement, TrainingJob
from twin.scenario.apply import parse_changes

ROOT = Path(__file__).parents[2]
DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
NETWORKS = (ROOT / "docs/explanation/networks.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@cache
def files() -> tuple[str, ...]:
    """Every file of the checkout, relative to its root."""
    return tuple(str(file.relative_to(ROOT)) for file in ROOT.rglob("*.*") if ".venv" not in file.parts)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_or_say_where_a_clone_has_the_page(path: Path) -> None:
    """Pages that only the build of the site makes are no files: the paragraph, or the page of a table, says so."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for paragraph in text.split("\n\n"):
        targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", paragraph)
        missing = [target for target in targets if not (path.parent / target).exists()]
        said = text if paragraph.startswith("|") else paragraph
        assert not missing or "in a clone" in said, missing


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_are_there(path: Path) -> None:
    """Links between pages of the site are left to its build, which knows the pages that are made."""
    text = path.read_text(encoding="utf-8")
    text = text if path.parent == ROOT else re.sub(r"\]\([^)]*\)", "]", text)
    named = set(re.findall(r"[\w/*-]+\.(?:py|yaml|json|md)(?![\w-])", text))
    yours = {"mine.json", "shares.yaml", "mine.yaml", "yours.yaml", "topology.yaml", "optical_line.py"}
    yours |= {"network.yaml", "germany50.json", "devices.json", "interfaces.json", "cables.json"}
    yours |= {"measured.yaml", "dump.json", "rates.json", "leaf-1_Ethernet0.json"}
    yours |= {"cables-1.json", "cables-2.json", "parts.yaml", "plan.yaml"}
    yours |= {"layer1_topology.json", "config_db.json", "leaf-1.json", "leaf-1_lldp.json"}
    yours |= {
        "ticket.md",
        "before.yaml",
        "after.yaml",
        "upgraded.yaml",
        "manage.py",
        "eqpt_config.json",
        "network.json",
        "services.json",
        "topology.json",
    }
    missing = [name for name in named - yours if "*" not in name and not any(f.endswith(name) for f in files())]
    assert not missing


@pytest.mark.parametrize("path", [path for path in DOCS if "```python" in path.read_text()], ids=str)
def test_python_examples_run(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The blocks of a page run one after the other, in one namespace; what they write is not left in the checkout."""
    told = blocks(path.read_text(), "python")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in told:
        exec(compile(block, path.name, "exec"), names)


def commands(path: Path) -> list[str]:
    """Every `twin` command of a page: continued lines joined, comments left out, names in place of `NETWORK`."""
    lines = "\n".join(blocks(path.read_text(), "sh")).replace("\\\n", " ").splitlines()
    told = [line.split(" && ")[-1].removeprefix(".venv/bin/") for line in lines]
    return [line for line in told if line.startswith("twin ")]


@pytest.mark.parametrize("path", [path for path in DOCS if commands(path)], ids=str)
def test_commands_of_the_docs_are_understood(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each names a command and options that there are, with values that are read; none is run."""
    monkeypatch.chdir(tmp_path)
    group = typer.main.get_command(app)
    for line in commands(path):
        _, name, *words = shlex.split(line, comments=True)
        group.commands[name].make_context(name, words)  # type: ignore[attr-defined]
        for change in (words[i + 1] for i, word in enumerate(words) if word == "--change"):
            assert parse_changes([json.loads(change)], line)


def test_the_fixture_of_the_docs_holds(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(blocks((ROOT / "docs/how-to/checks.md").read_text(), "yaml")[0])
    result = check_file(path)
    assert result.within, result.problem
    assert result.n_cases == 1


def test_the_prices_of_the_docs_are_read() -> None:
    prices = yaml.safe_load(blocks((ROOT / "docs/how-to/prices.md").read_text(), "yaml")[0])
    network = load("memphis-small", prices=prices)
    assert network.price_book.part_usd["OpenZR+-400G"].value == 3900
    assert network.price_book.electricity_usd_per_mwh.value == 61


@pytest.mark.parametrize("page", ["what_if", "compare_plans"])
def test_plans_of_the_docs_are_read(page: str) -> None:
    for block in blocks((ROOT / f"docs/how-to/{page}.md").read_text(), "yaml"):
        for plan in yaml.safe_load(block)["plans"]:
            assert load("memphis-small").what_if(plan["changes"]).after["step_time_s"] > 0


def test_every_field_of_a_job_is_listed() -> None:
    jobs = NETWORKS[NETWORKS.index("## Jobs") : NETWORKS.index("## Fabrics")]
    for record in (TrainingJob, Parallelism, Placement):
        names = set(record.__dataclass_fields__) - {"id", "note", "placement"}
        assert names <= set(re.findall(r"\w+", jobs)), record


def test_the_job_of_the_readme_runs() -> None:
    network = {
        "sites": [{"id": "here"}],
        "nodes": [{"id": "r", "kind": "rack", "site": "here", "accelerator": "GB200", "n_accelerators": 64}],
    }
    job = next(yaml.safe_load(block) for block in blocks((ROOT / "README.md").read_text(), "yaml") if "jobs:" in block)
    assert from_document(network | job).score()["step_time_s"] > 0


def test_the_fabrics_of_the_docs_carry_the_job_of_the_readme() -> None:
    """Written one below the other, as a reader would."""
    fabrics = next(block for block in blocks(NETWORKS, "yaml") if "fabrics:" in block)
    job = next(block for block in blocks((ROOT / "README.md").read_text(), "yaml") if "jobs:" in block)
    network = from_document(parse_mapping(fabrics + job, "docs", as_json=False))
    assert network.score()["n_accelerators"] == 16 * 64
    without = fabrics.replace("sites:\n  - {id: here}\n", "")
    with pytest.raises(TopologyError) as caught:
        assert from_document(parse_mapping(without + job, "docs", as_json=False)).arrays
    (issue,) = caught.value.issues
    assert issue.problem.startswith("no site 'here', named ")
    assert issue.hint == "sites: [{id: here}] adds it"


def test_the_smallest_document_of_the_readme_loads() -> None:
    smallest = yaml.safe_load(blocks((ROOT / "README.md").read_text(), "yaml")[0])
    assert from_document(smallest).what_if("ten-more-years").after["demand_satisfied_ratio"] == 1


def test_the_measurements_and_parts_of_the_docs_load() -> None:
    own = next(block for block in blocks(NETWORKS, "yaml") if "parts:" in block)
    measured = next(block for block in blocks(NETWORKS, "yaml") if "measurements:" in block)
    network = f"""
as_of: 2026-11-01
nodes: [{{id: a, kind: border}}, {{id: b, kind: border}}]
links: [{{id: wan, ends: [a, b], transceiver: 400ZR, spans: [{{length_km: 60, fibre: north-ring-fibre}}]}}]
{own}
{measured}"""
    loaded = from_document(parse_mapping(network, "docs", as_json=False))
    row = loaded.link_table("wan").rows[0]
    assert row["received_dbm"] < -14.6  # as measured, and aged since
    assert [each.field for each in loaded.unused_fields] == ["measurements pre_fec_ber"]


def test_entries_of_the_changelog_are_whole_and_stand_once() -> None:
    entries = re.findall(r"^- (.*?)(?=^- |^#|\Z)", (ROOT / "CHANGELOG.md").read_text(), re.DOTALL | re.MULTILINE)
    texts = [" ".join(entry.split("\n\n")[0].split()) for entry in entries]
    assert [text for text in texts if not text.endswith((".", ":"))] == []
    first = [re.split(r"(?<=[.:]) ", text)[0] for text in texts]
    assert {text for text in first if len(text) > 40 and first.count(text) > 1} == set()
