"""Descriptions of fields in JSON schemas: the docstrings of attributes, read when a schema is made."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise
from typing import Any


def describe_fields(schema: dict[str, Any], kind: type) -> None:
    """Add the docstring of each attribute to the schema of its field, where the field itself states nothing.

    This is `json_schema_extra` of pydantic. Its option `use_attribute_docstrings` gives the same schemas, but it reads
    the source of every class at import, which took about a fifth of the import.

    Args:
        schema: JSON schema of the class; its properties are changed.
        kind: the class, a model or a dataclass.
    """
    properties = schema.get("properties", {})
    for base in kind.__mro__:
        for name, text in _attribute_docstrings(base).items():
            if name in properties:
                properties[name].setdefault("description", text)


@cache
def _attribute_docstrings(kind: type) -> dict[str, str]:
    """Docstrings of the attributes that a class itself annotates; empty without source."""
    try:
        lines = textwrap.dedent(inspect.getsource(kind))
    except (OSError, TypeError):  # a class of C, or one that is made by a function
        return {}
    body = ast.parse(lines).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
