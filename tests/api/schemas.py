"""Answers held against the schemas that the service publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def described(client: Any) -> dict[str, Any]:
    schema: dict[str, Any] = client.get("/openapi.json").json()
    return schema


def faults(schema: dict[str, Any], data: Any, components: dict[str, Any], where: str = "") -> list[str]:
    """List where data differs from a JSON schema, as far as the schemas of answers go."""
    if "$ref" in schema:
        return faults(components[schema["$ref"].rsplit("/", 1)[-1]], data, components, where)
    if "allOf" in schema:
        return [fault for part in schema["allOf"] for fault in faults(part, data, components, where)]
    if "anyOf" in schema:
        each = [faults(branch, data, components, where) for branch in schema["anyOf"]]
        return [] if [] in each else min(each, key=len)
    if "const" in schema or "enum" in schema:
        return [] if data in schema.get("enum", [schema.get("const")]) else [f"{where}: {data!r}"]
    kind = schema.get("type")
    if kind is not None and not IS_A[kind](data):
        return [f"{where}: {data!r} is no {kind}"]
    found = []
    if kind == "array":
        for i, item in enumerate(data):
            inner = schema["prefixItems"][i] if "prefixItems" in schema else schema.get("items", {})
            found += faults(inner, item, components, f"{where}[{i}]")
    elif kind == "object":
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        found += [f"{where}.{name} is missing" for name in schema.get("required", []) if name not in data]
        for name, item in data.items():
            if name in known or isinstance(more, dict):
                found += faults(known.get(name, more), item, components, f"{where}.{name}")
            elif not more:
                found.append(f"{where}.{name} is unknown")
    return found


IS_A: dict[str, Callable[[Any], bool]] = {
    "null": lambda x: x is None,
    "string": lambda x: isinstance(x, str),
    "boolean": lambda x: isinstance(x, bool),
    "integer": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "number": lambda x: isinstance(x, int | float) and not isinstance(x, bool),
    "array": lambda x: isinstance(x, list),
    "object": lambda x: isinstance(x, dict),
}


def faults_of(client: Any, name: str, data: Any) -> list[str]:
    """List where an answer differs from the published schema of that name."""
    components = described(client)["components"]["schemas"]
    return faults(components[name], data, components)
