"""The `twin` under test is this checkout's: with mapped packages, a second clone once tested the first one's code."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("package", "folder"),
    [("twin", "twin"), ("twin.kernels", "twin/kernels"), ("twin.api", "api"), ("twin.topologies", "topologies")],
)
def test_the_package_under_test_is_this_checkout(package: str, folder: str) -> None:
    where = [Path(place).resolve() for place in importlib.import_module(package).__path__]
    assert where == [ROOT / folder], f"{package} comes from {where}: run `pip install -e .` in {ROOT}"
