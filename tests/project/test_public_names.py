"""What `import twin` offers: the names a user needs, typed, and nothing else."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

import twin

ROOT = Path(__file__).parents[2]
TREE = ast.parse((ROOT / "twin" / "__init__.py").read_text(encoding="utf-8"))


def seen_by_type_checkers() -> dict[str, str]:
    """Names and modules of the imports that only type checkers see."""
    (block,) = [node for node in TREE.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module or alias.name for node in imports for alias in node.names}


def test_the_names_are_listed_alike_three_times() -> None:
    assert seen_by_type_checkers() == twin._HOMES
    assert sorted(twin._HOMES) == twin.__all__


def test_dir_shows_the_public_names_alone() -> None:
    assert dir(twin) == sorted([*twin.__all__, "__version__"])


@pytest.mark.parametrize("name", ["TwinError", "CatalogueError", "Sweep", "Explanation", "Forecast", "LinkReport"])
def test_errors_and_answers_are_there_for_annotations_and_except(name: str) -> None:
    assert isinstance(getattr(twin, name), type)


def test_the_catalogue_is_the_package_whoever_imports_it_first() -> None:
    assert twin.catalogue.catalogue().get("H100").id == "H100"


def test_attributes_are_found_at_run_time_only() -> None:
    """A type checker that sees a module's `__getattr__` takes any attribute for granted."""
    functions = {node.name for node in TREE.body if isinstance(node, ast.FunctionDef)}
    assert "__getattr__" not in functions
    assert callable(twin.__getattr__)


def test_each_package_says_that_it_is_typed_in_the_wheel_too() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    for package, folder in setup["package-dir"].items():
        assert (ROOT / folder / "py.typed").is_file(), package
        assert "py.typed" in setup["package-data"][package]


def test_the_changelog_begins_with_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if line.startswith("## ")).startswith(f"## [{version}]")
