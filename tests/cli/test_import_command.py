"""`twin import`: formats named or recognised, the report, files written, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.imports.samples import SAMPLES
from twin.cli.main import app
from twin.errors import DocumentError
from twin.loading import load

RUN = CliRunner()


def test_the_verdict_is_the_first_line(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["import", str(SAMPLES["sndlib"](tmp_path / "x"))])
    assert result.exit_code == 0
    assert result.stdout.startswith("3 nodes, 3 links, 2 demands imported from sndlib:")
    assert "Assumed" in result.stdout


def test_it_writes_a_network_that_is_scored(tmp_path: Path) -> None:
    target = tmp_path / "network.yaml"
    result = RUN.invoke(app, ["import", "netbox", str(SAMPLES["netbox"](tmp_path / "x")), "-o", str(target), "--json"])
    data = json.loads(result.stdout)
    assert data["format"] == "netbox"
    assert data["records"]["n_links"] == len(load(target).document.links) == 3
    assert RUN.invoke(app, ["score", str(target), "--no-assumptions"]).exit_code == 0


def test_strict_fails_where_anything_is_assumed(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    nodes = [{"id": "a", "role": "leaf"}, {"id": "b", "role": "spine"}]
    edge = {"source": "a", "target": "b", "capacity_gbps": 10}
    path.write_text(json.dumps({"nodes": nodes, "edges": [edge]}))
    assert RUN.invoke(app, ["import", str(path), "--strict"]).exit_code == 0
    assert RUN.invoke(app, ["import", str(path), "--strict", "--capacity-gbps", "10"]).exit_code == 0
    path.write_text(json.dumps({"nodes": [{"id": "a"}, {"id": "b"}], "edges": [edge]}))
    assert RUN.invoke(app, ["import", str(path), "--strict"]).exit_code == 1


def test_options_reach_the_document(tmp_path: Path) -> None:
    target = tmp_path / "network.json"
    words = ["--capacity-gbps", "40", "--site", "Hall", "--role", "leaf=core", "--map", "Cable ID=id"]
    result = RUN.invoke(app, ["import", str(SAMPLES["table"](tmp_path / "x")), "-o", str(target), *words])
    assert result.exit_code == 0, result.output
    document = load(target).document
    assert {link.capacity_gbps for link in document.links} == {100, 25, 40}
    assert {site.id for site in document.sites} == {"Hall"}
    assert {node.kind for node in document.nodes if node.id.startswith("leaf")} == {"core"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nettbox", "."], "did you mean 'netbox'"),
        (["missing.json"], "no such file"),
        (["netbox", "missing"], "no such file"),
    ],
)
def test_bad_words_are_refused(words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(app, ["import", *words])
    assert isinstance(result.exception, DocumentError)
    assert message in str(result.exception)


def test_a_format_without_a_path_is_refused() -> None:
    result = RUN.invoke(app, ["import", "netbox"])
    assert result.exit_code == 2
    assert "twin import netbox PATH" in result.stderr


def test_it_says_what_was_written_and_where(tmp_path: Path) -> None:
    source, target = str(SAMPLES["sndlib"](tmp_path / "x")), tmp_path / "n.yaml"
    assert RUN.invoke(app, ["import", source]).stdout.endswith(
        "Nothing was written: `-o network.yaml` writes the network.\n"
    )
    result = RUN.invoke(app, ["import", source, "-o", str(target)])
    assert "".join(result.stdout.split()).endswith(
        "".join(f"The network is in {target}. Next: twin score {target}".split())
    )
