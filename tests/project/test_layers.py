"""Layers: imports point down, at the top of a file and inside functions alike."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = {
    "units": 0,
    "errors": 0,
    "leftovers": 0,
    "progress": 1,
    "seal": 0,
    "printable": 0,
    "field_descriptions": 0,
    "deadline": 0,
    "collector": 0,
    "kernels": 1,
    "catalogue": 1,
    "render": 1,
    "model": 2,
    "workload": 3,
    "formats": 3,
    "topologies": 3,
    "arrays": 3,
    "optics": 4,
    "traffic": 4,
    "reliability": 4,
    "structure": 4,
    "failures": 5,
    "training": 5,
    "economics": 6,
    "stages": 7,
    "scenario": 8,
    "answers": 9,
    "studies": 10,
    "imports": 10,
    "evaluated_network": 10,
    "sampled_network": 11,
    "exports": 11,
    "readings": 11,
    "planner": 11,
    "money_network": 11,
    "plan_network": 12,
    "planning_network": 12,
    "compared_network": 13,
    "network": 14,
    "loading": 15,
    "reports": 15,
    "check": 16,
    "client": 16,
    "warmup": 16,
    "store": 16,
    "api": 17,
    "cli": 18,
}
HOMES = {"twin": ROOT / "twin", "twin.api": ROOT / "api", "twin.topologies": ROOT / "topologies"}


class Import(NamedTuple):
    module: str
    line: int


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name, the two mapped packages among them."""
    found = {}
    for package, home in HOMES.items():
        for file in sorted(home.rglob("*.py")):
            inner = [part for part in file.relative_to(home).with_suffix("").parts if part != "__init__"]
            found[".".join([package, *inner])] = file
    return found


MODULES = modules()


def package_of(module: str) -> str | None:
    """The package of a dotted name: `twin.model.records` -> model; None for `twin` itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def imports_of(source: str, module: str, *, is_package: bool) -> Iterator[Import]:
    """What a module imports from `twin`, absolute or relative, at the top or inside a function."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{target}.{alias.name}"
                yield Import(full if full in MODULES or target == "twin" else target, node.lineno)
        elif isinstance(node, ast.Call) and _is_import_call(node):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Import(argument.value, node.lineno)


def _is_import_call(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in ("import_module", "__import__")


def ours(found: Iterator[Import]) -> list[Import]:
    return [item for item in found if item.module == "twin" or item.module.startswith("twin.")]


def faults(module: str, source: str, *, is_package: bool) -> list[str]:
    """Imports of a module that neither point down nor stay in its package, as sentences."""
    here = package_of(module)
    found = []
    for target, line in ours(imports_of(source, module, is_package=is_package)):
        there = package_of(target)
        place = f"{module}:{line} imports {target}"
        if there is None:
            found.append(f"{place}: no module imports `twin` itself")
        elif there not in LAYERS:
            found.append(f"{place}: a package without a layer")
        elif here is not None and there != here and LAYERS[there] >= LAYERS[here]:
            found.append(f"{place}: layer {LAYERS[here]} does not import layer {LAYERS[there]}")
    return found


def test_every_package_has_a_layer_and_every_layer_its_package() -> None:
    packages = {name for module in MODULES if (name := package_of(module)) is not None}
    assert packages <= set(LAYERS), f"give these a layer: {sorted(packages - set(LAYERS))}"
    assert set(LAYERS) <= packages, f"gone: {sorted(set(LAYERS) - packages)}"


def test_the_walk_sees_the_whole_package() -> None:
    for module in ("twin", "twin.units", "twin.model.records", "twin.topologies.campuses", "twin.api", "twin.loading"):
        assert module in MODULES
    source = MODULES["twin.loading"].read_text()
    seen = {item.module for item in ours(imports_of(source, "twin.loading", is_package=False))}
    assert {"twin.scenario.document_schema", "twin.topologies", "twin.errors", "twin.formats"} <= seen


@pytest.mark.parametrize("module", [name for name in sorted(MODULES) if name != "twin"])
def test_imports_point_down(module: str) -> None:
    file = MODULES[module]
    assert faults(module, file.read_text(encoding="utf-8"), is_package=file.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("twin.model.rules", "from ..economics import cost"),
        ("twin.model.rules", "def f():\n    from ..loading import load"),
        ("twin.kernels.paths", "import twin.model.records"),
        ("twin.arrays.cache", "from twin.formats import native"),
        ("twin.workload.job_arithmetic", "from .. import answers"),
        ("twin.topologies.fat_tree", "from twin.arrays import State"),
        ("twin.api.app", "from twin.cli import main"),
        ("twin.units", "from .errors import TwinError"),
        ("twin.answers.reasons", "import importlib\nimportlib.import_module('twin.studies.sweep')"),
        ("twin.answers.reasons", "import twin"),
        ("twin.answers.reasons", "from twin.attic import x"),
    ],
)
def test_the_walk_finds_what_points_up_or_sideways(module: str, line: str) -> None:
    assert len(faults(module, line, is_package=False)) == 1


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("twin.model.rules", "from ..errors import Issue\nfrom .records import Link\nimport networkx"),
        ("twin.answers.reasons", "def f():\n    from ..economics import cost"),
        ("twin.api.app", "from twin.loading import load\nfrom .routes import x"),
    ],
)
def test_the_walk_lets_pass_what_points_down(module: str, line: str) -> None:
    assert faults(module, line, is_package=False) == []


def test_twin_itself_imports_nothing_but_for_type_checkers() -> None:
    tree = ast.parse(MODULES["twin"].read_text())
    checking = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    exempt = {id(inner) for block in checking for inner in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in exempt:
            assert node.level == 0, ast.unparse(node)
            assert node.module in ("__future__", "typing", "importlib"), ast.unparse(node)
        assert not isinstance(node, ast.Import), ast.unparse(node)


def test_the_catalogue_imports_the_lowest_layer_only() -> None:
    for module in (name for name in MODULES if package_of(name) == "catalogue"):
        file = MODULES[module]
        for target, line in ours(imports_of(file.read_text(), module, is_package=file.name == "__init__.py")):
            assert package_of(target) in ("catalogue", "errors", "field_descriptions", "printable", "units"), (
                f"{module}:{line} imports {target}"
            )


def test_kernels_import_kernels_alone() -> None:
    files = [name for name in MODULES if package_of(name) == "kernels"]
    assert len(files) > 4
    for module in files:
        file = MODULES[module]
        for target, line in ours(imports_of(file.read_text(), module, is_package=file.name == "__init__.py")):
            assert package_of(target) in ("kernels", "leftovers"), f"{module}:{line} imports {target}"


@pytest.mark.parametrize("module", [name for name in sorted(MODULES) if MODULES[name].stat().st_size])
def test_every_module_says_in_a_sentence_what_it_is(module: str) -> None:
    text = ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8")))
    assert text, f"{module} has no docstring"
    assert text.splitlines()[0].rstrip().endswith((".", ":", "?")), module


def test_no_module_is_empty_but_the_marker_of_api() -> None:
    assert [name for name in MODULES if not MODULES[name].stat().st_size] in ([], ["twin.api"])
