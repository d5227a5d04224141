"""`twin export`: files written, the report, plans, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from twin.cli.main import app
from twin.errors import DocumentError
from twin.imports import read
from twin.loading import load

RUN = CliRunner()


def test_the_verdict_is_the_first_line(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["export", "csv", "leaf-spine-demo", "-o", str(tmp_path / "tables")])
    assert result.exit_code == 0
    assert result.stdout.startswith("14 nodes, 16 links, 5 demands exported as csv: 4 fields not held.")
    assert sorted(file.name for file in (tmp_path / "tables").iterdir()) == ["demands.csv", "links.csv", "nodes.csv"]


def test_a_plan_and_changes_are_in_the_file(tmp_path: Path) -> None:
    network, target = load("leaf-spine-demo"), tmp_path / "net.json"
    down, gone = network.links[0].id, next(node.id for node in network.nodes if node.kind == "spine")
    changes = [{"kind": "fail_links", "links": [down]}, {"kind": "fail_nodes", "nodes": [network.nodes[1].id]}]
    words = [word for change in changes for word in ("--change", json.dumps(change))]
    result = RUN.invoke(app, ["export", "node-link", "leaf-spine-demo", "-o", str(target), "--json", *words])
    assert json.loads(result.stdout)["plan"] == "changes"
    document = read(target).document
    assert [link.id for link in document.links if not link.up] == [down]
    assert [node.id for node in document.nodes if not node.up] == [network.nodes[1].id]
    removed = network.export("node-link", target, changes=[{"kind": "remove_nodes", "nodes": [gone]}])
    assert removed.report.records.n_nodes == len(network.nodes) - 1
    assert gone not in {node.id for node in read(target).document.nodes}


def test_a_plan_is_named_in_the_report() -> None:
    network = load("ageing-lines")
    plan = network.document.plans[0].id
    assert network.export("csv", changes=plan).report.plan == plan
    assert network.export("csv").report.plan is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["graphm", "leaf-spine-demo", "-o", "x"], "graphml"),
        (["graphml", "leaf-spine-dem", "-o", "x"], "leaf-spine-demo"),
        (["graphml", "leaf-spine-demo", "-o", "."], "folder"),
        (["csv", "leaf-spine-demo", "-o", "file"], "folder"),
        (["csv", "leaf-spine-demo", "-o", "no/where"], "no folder"),
        (["graphml", "leaf-spine-demo", "-o", "x", "--plan", "none"], "none"),
    ],
)
def test_what_cannot_be_done_is_refused(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    result = RUN.invoke(app, ["export", *words])
    assert result.exit_code != 0
    assert told in result.output + str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_python_refuses_a_file_in_place_of_a_folder_and_the_reverse(tmp_path: Path) -> None:
    network = load("leaf-spine-demo")
    (tmp_path / "file").write_text("")
    for name, path in (("csv", "file"), ("graphml", ".")):
        with pytest.raises(DocumentError, match="makes a"):
            network.export(name, tmp_path / path)
