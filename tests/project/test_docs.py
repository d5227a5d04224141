"""The documents say what is there: files, fields, kinds and names, and examples that run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from twin.errors import TopologyError
from twin.formats.native import parse_mapping
from twin.loading import from_document
from twin.model.jobs import Parallelism, Placement, TrainingJob
from twin.model.known_models import MODELS
from twin.scenario.changes import CHANGES

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
NETWORKS = (ROOT / "docs/networks.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_files_that_are_named_are_there(path: Path) -> None:
    there = {str(file.relative_to(ROOT)) for file in ROOT.rglob("*.*") if ".venv" not in file.parts}
    named = set(re.findall(r"[\w/*-]+\.(?:py|yaml|json|md)(?![\w-])", path.read_text()))
    yours = {"mine.json", "yours.yaml", "topology.yaml", "optical_line.py"}
    missing = [name for name in named - yours if "*" not in name and not any(f.endswith(name) for f in there)]
    assert not missing


@pytest.mark.parametrize("name", ["training_step.md", "questions.md"])
def test_python_examples_run(name: str) -> None:
    found = blocks((ROOT / "docs" / name).read_text(), "python")
    assert found
    for block in found:
        exec(compile(block, name, "exec"), {})


def test_every_kind_of_change_is_listed() -> None:
    assert set(CHANGES) <= set(re.findall(r"`(\w+)`", NETWORKS))


def test_every_field_of_a_job_is_listed() -> None:
    jobs = NETWORKS[NETWORKS.index("## Jobs") : NETWORKS.index("## Fabrics")]
    for record in (TrainingJob, Parallelism, Placement):
        names = set(record.__dataclass_fields__) - {"id", "note", "placement"}
        assert names <= set(re.findall(r"\w+", jobs)), record


def test_every_model_is_listed() -> None:
    start = NETWORKS.index("Models by name")
    groups = re.findall(r"`([\w.-]+)`", NETWORKS[start : NETWORKS.index("## Fabrics")])
    named: list[str] = []
    for word in groups:
        named.append(named[-1].rsplit("-", 1)[0] + word if word.startswith("-") else word)
    assert named == list(MODELS)


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
