"""The reference page of the HTTP service, from its OpenAPI document."""

from __future__ import annotations

import json
from typing import Any

from twin.api.app import create_app

from . import markdown

INTRO = """\
`twin serve --port 8000` starts the service. `GET /openapi.json` returns its OpenAPI document, and `/docs` shows it in a
browser. Request and answer schemas are in `docs/schemas/openapi.json`. Every error is a problem document
(`application/problem+json`).
"""


def page(_: str = "") -> str:
    """Return the page: one section for each endpoint, with the fields of its body and one example."""
    spec = create_app().openapi()
    schemas = spec["components"]["schemas"]
    endpoints = [(verb.upper(), path, call) for path, calls in spec["paths"].items() for verb, call in calls.items()]
    rows = [(f"[{verb} {path}](#{_anchor(verb, path)})", _told(call)) for verb, path, call in endpoints]
    sections = [_section(verb, path, call, schemas) for verb, path, call in endpoints]
    return markdown.page("HTTP", INTRO, markdown.table(("endpoint", "what it returns"), rows), *sections)


def _anchor(verb: str, path: str) -> str:
    kept = "".join(sign if sign.isalnum() or sign in "-_" else " " for sign in path)
    return "-".join([verb.lower(), *kept.split()])


def _told(call: dict[str, Any]) -> str:
    text: str = call.get("description") or call.get("summary") or ""
    return text.split("\n\n")[0]


def _section(verb: str, path: str, call: dict[str, Any], schemas: dict[str, Any]) -> str:
    parts = [f"## {verb} {path} {{ #{_anchor(verb, path)} }}", call.get("description") or call.get("summary") or ""]
    if call.get("parameters"):
        rows = [(markdown.code(p["name"]), p["in"], p.get("description", "")) for p in call["parameters"]]
        parts.append(markdown.table(("parameter", "in", "meaning"), rows))
    body = call.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        schema = schemas[body["schema"]["$ref"].rsplit("/", 1)[1]]
        required = schema.get("required", [])
        rows = [
            (markdown.code(name), "required" if name in required else "", field.get("description", ""))
            for name, field in schema["properties"].items()
        ]
        parts.append(markdown.table(("field of the body", "", "meaning"), rows))
        for name, example in list(body.get("examples", {}).items())[:1]:
            parts += [f"Example: {name}.", markdown.fence(json.dumps(example["value"], indent=1), "json")]
    codes = [(status, answer["description"]) for status, answer in call["responses"].items()]
    parts.append(markdown.table(("status", "meaning"), codes))
    return "\n\n".join(part for part in parts if part)
