"""Page of the HTTP interface, from its OpenAPI document. It needs no script and nothing from another host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Response

from .html import Html, element, marked
from .layout import page_html
from .security import HEADERS


def docs_routes(app: FastAPI) -> APIRouter:
    """Return the address of the page.

    app: application whose interface it shows.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def docs() -> Response:
        return Response(page_html("HTTP interface", *_content(app.openapi())), media_type="text/html", headers=HEADERS)

    return router


def _content(spec: dict[str, Any]) -> Iterator[Html]:
    schemas = spec["components"]["schemas"]
    yield element(
        "p",
        "The ",
        element("a", "OpenAPI document", href="/openapi.json"),
        " has every schema. Each error is a problem document (RFC 9457) with all faults in ",
        element("code", "issues"),
        ".",
    )
    for path, calls in spec["paths"].items():
        for verb, call in calls.items():
            yield _operation(f"{verb.upper()} {path}", call, schemas)


def _operation(title: str, call: dict[str, Any], schemas: dict[str, Any]) -> Html:
    """Return one operation, folded: its parameters, the fields of its body, an example and its statuses."""
    text = call.get("description") or call.get("summary") or ""
    parts = [element("summary", element("code", title), " – ", marked(text.split("\n")[0]))]
    parameters = [(row["name"], row["in"], row.get("description", "")) for row in call.get("parameters", ())]
    parts += _table(("parameter", "in", "meaning"), parameters)
    body = call.get("requestBody", {}).get("content", {}).get("application/json", {})
    reference = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if reference:
        parts += _table(("field of the body", "", "meaning"), _fields(schemas[reference]))
    for name, example in list(body.get("examples", {}).items())[:1]:
        parts += [element("p", f"Example: {name}"), element("pre", json.dumps(example["value"], indent=1))]
    statuses = [(status, row["description"]) for status, row in call["responses"].items()]
    parts += _table(("status", "meaning"), statuses)
    return element("details", *parts)


def _fields(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    required = schema.get("required", ())
    return [
        (name, "required" if name in required else "", field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]


def _table(columns: tuple[str, ...], rows: list[Any]) -> Iterator[Html]:
    if rows:
        head = element("tr", *(element("th", column, scope="col") for column in columns))
        lines = [element("tr", element("th", element("code", str(row[0])), scope="row"),
                         *(element("td", marked(str(cell))) for cell in row[1:])) for row in rows]  # fmt: skip
        yield element(
            "div",
            element("table", element("thead", head), element("tbody", *lines)),
            class_="wide",
            tabindex="0",
            role="region",
            aria_label=columns[0],
        )
