"""What the product's own source says, for tests that ask whether something is read."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ANY = r"\w+"
FOLDERS = ("twin", "api", "topologies")


@cache
def product_files() -> tuple[Path, ...]:
    """Every module of the product."""
    return tuple(sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")))


@cache
def trees() -> dict[Path, ast.Module]:
    """The syntax tree of every module."""
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in product_files()}


@cache
def texts() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Every text constant of the product, and its f-strings as patterns, those with enough of their own to tell."""
    plain: set[str] = set()
    patterns: set[str] = set()
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                plain.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                patterns.add(_pattern(node))
    return frozenset(plain), tuple(re.compile(text) for text in sorted(patterns) if len(text.replace(ANY, "")) >= 6)


def _pattern(node: ast.JoinedStr) -> str:
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ANY for part in node.values)


def names_text(name: str) -> bool:
    """Tell whether the product holds this text, or an f-string that makes it."""
    plain, patterns = texts()
    return name in plain or any(pattern.fullmatch(name) for pattern in patterns)
