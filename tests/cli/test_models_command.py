"""`twin models`: what a document may name."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from twin.cli.main import app
from twin.model.known_models import MODELS, known_shape
from twin.model.shape import ModelShape


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["models", *words], env={"COLUMNS": "140"})
    assert result.exit_code == 0, result.output
    return result.output


def test_every_model_is_listed_with_its_parameters() -> None:
    lines = run().splitlines()
    for name in MODELS:
        assert any(line.startswith(f"{name} ") for line in lines), name
    (line,) = [line for line in lines if line.startswith("llama-3.1-405b")]
    assert "405.9B" in line
    assert "16,384" in line


def test_as_data_a_shape_makes_the_model_again() -> None:
    rows = {row["id"]: row for row in json.loads(run("--json"))["models"]}
    assert list(rows) == list(MODELS)
    for name, row in rows.items():
        assert ModelShape(**row["shape"]) == MODELS[name].shape
        assert row["source"]
    assert known_shape("llama-3.1-8b", n_sequence=4096).n_sequence == 4096
