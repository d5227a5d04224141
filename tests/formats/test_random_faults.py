"""A short version of `benchmarks/torture/fuzz.py`: documents with random faults end with the product's own errors."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "torture"


def test_documents_with_random_faults_are_evaluated_or_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    fuzz = importlib.import_module("fuzz")
    with warnings.catch_warnings():
        assert fuzz.main(60) == 0
        monkeypatch.setattr(fuzz, "bounded_network", lambda *_, **__: {}["no error of the product"])
        assert fuzz.main(5) == 1
    assert capsys.readouterr().out.count("verdict | ") == 2
