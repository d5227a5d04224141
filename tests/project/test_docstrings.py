"""Docstrings that the reference shows: every field of a document and every argument of a public function."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable

import pytest

import twin
from twin.loading import document_schema

KERNELS = ("congestion", "ecmp", "groups", "optics", "paths")
UNDESCRIBED = {"id", "kind", "factor_ratio", "srlg", "sites"}
"""Fields whose names say all that there is to say."""


def test_fields_of_the_document_are_described() -> None:
    """The reference pages show these descriptions and nothing else."""
    document = document_schema()
    found = {
        f"{name}.{field}"
        for name, definition in {"Document": document, **document["$defs"]}.items()
        for field, spec in definition.get("properties", {}).items()
        if not spec.get("description") and field not in UNDESCRIBED
    }
    assert found == set(), "write a docstring below each field"


def documented(function: Callable[..., object]) -> set[str]:
    """The arguments that the docstring of a function describes."""
    text = inspect.getdoc(function) or ""
    section = text.partition("Args:\n")[2].partition("\n\n")[0]
    return set(re.findall(r"^    (\w+):", section, re.MULTILINE))


def public_functions() -> dict[str, Callable[..., object]]:
    """Functions that a user calls: functions that load networks, the questions, and the kernels."""
    modules = [importlib.import_module(f"twin.kernels.{name}") for name in KERNELS]
    kernels = {
        name: getattr(f, "py_func", f) for module in modules for name, f in vars(module).items() if name[0] != "_"
    }
    kernels = {name: f for name, f in kernels.items() if getattr(f, "__module__", "") in {m.__name__ for m in modules}}
    questions = {name: f for name, f in vars(twin.Network).items() if inspect.isfunction(f) and name[0] != "_"}
    loading = {name: getattr(twin, name) for name in ("load", "from_document", "known_shape")}
    return {name: f for name, f in (kernels | questions | loading).items() if inspect.isfunction(f)}


@pytest.mark.parametrize("name", public_functions())
def test_every_argument_of_a_public_function_is_described(name: str) -> None:
    function = public_functions()[name]
    assert set(inspect.signature(function).parameters) - {"self"} <= documented(function)
