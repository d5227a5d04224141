"""Every public function, method and class is named somewhere in the product, the documentation or a framework."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.contracts.product import ROOT, trees

ALLOWED = {
    "nvlink_all_reduce": "a fit to a published table, explained in docs/explanation/catalogue.md",
}
"""Names that nothing in the product or its documentation says, each with the reason why it stays."""
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "fixtures" / "README.md"]
FRAMEWORK = ("get", "post", "put", "delete", "command", "callback", "middleware", "exception_handler")
"""Decorators that hand a function over to Typer, FastAPI or pydantic, which then call it."""
VALIDATORS = ("field_validator", "model_validator", "field_serializer", "model_serializer")


def public(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name, full name) of public functions, classes and methods at the top of a module."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and _is_public(node):
            yield node.name, node.name
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and _is_public(inner):
                        yield inner.name, f"{node.name}.{inner.name}"


def _is_public(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    handed_over = {_last(decorator) for decorator in node.decorator_list} & {*FRAMEWORK, *VALIDATORS}
    return not node.name.startswith("_") and not handed_over


def _last(node: ast.expr) -> str:
    """The last name of a decorator: `app.get("/x")` -> get."""
    if isinstance(node, ast.Call):
        return _last(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def names_in(tree: ast.AST) -> Iterator[str]:
    """Every name that code uses: plain, after a dot, imported, or as a text such as `twin.api.app:create_app`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[\w.:]+", node.value):
            yield from re.split(r"[.:]", node.value)


@cache
def used() -> Counter[str]:
    """How often each name is used in the product; imports and `__all__` alone do not count."""
    found: Counter[str] = Counter()
    for tree in trees().values():
        found.update(name for node in tree.body if not _is_all(node) for name in names_in(node))
    for text in (path.read_text(encoding="utf-8") for path in DOCS):
        code = " ".join(re.findall(r"```.*?```|`[^`\n]+`|^    .*$", text, re.DOTALL | re.MULTILINE))
        found.update(set(re.findall(r"[A-Za-z_]\w*", code)))
    return found


def _is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(each, ast.Name) and each.id == "__all__" for each in node.targets
    )


def unused() -> dict[str, Path]:
    """Full names of what is public and never named, with their files."""
    return {full: file for file, tree in trees().items() for name, full in public(tree) if not used()[name]}


def test_everything_public_is_used() -> None:
    surplus = {name: str(file.relative_to(ROOT)) for name, file in unused().items() if name not in ALLOWED}
    assert not surplus, "use it, delete it, or say in ALLOWED why it stays"


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_is_there_and_unused(name: str) -> None:
    assert name in unused()


def test_the_walk_sees_what_is_used_and_what_is_not() -> None:
    tree = ast.parse(
        "def lone(): ...\nclass A:\n  def m(self): ...\n  def _n(self): ...\nA().m()\n@app.get('/')\ndef r(): ..."
    )
    assert [full for _, full in public(tree)] == ["lone", "A", "A.m"]
    assert {"A", "m"} <= set(names_in(tree))
    assert "lone" not in set(names_in(tree))
    assert used()["trace_pair"]
    assert not used()["a_name_that_nobody_has"]
