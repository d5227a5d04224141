"""The `twin` under test is this checkout's: with mapped packages, a second clone once tested the first one's code."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ".ci api benchmarks docs examples fixtures tests topologies twin"
FILES = ".gitignore CHANGELOG.md CITATION.cff CONTRIBUTING.md LICENSE README.md mkdocs.yml pyproject.toml setup.py"
DEPLOYMENT = ".dockerignore Dockerfile compose.yaml"
TOP_LEVEL = {*FOLDERS.split(), *FILES.split(), *DEPLOYMENT.split()}


@pytest.mark.parametrize(
    ("package", "folder"),
    [("twin", "twin"), ("twin.kernels", "twin/kernels"), ("twin.api", "api"), ("twin.topologies", "topologies")],
)
def test_the_package_under_test_is_this_checkout(package: str, folder: str) -> None:
    where = [Path(place).resolve() for place in importlib.import_module(package).__path__]
    assert where == [ROOT / folder], f"{package} comes from {where}: run `pip install -e .` in {ROOT}"


def test_the_top_level_holds_only_what_belongs_there() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout: only git knows which files are tracked")
    listed = subprocess.run([git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.partition("/")[0] for line in listed.splitlines()} <= TOP_LEVEL
