"""The reference pages of the document format, from its JSON Schema: records, fabrics and changes."""

from __future__ import annotations

import json
import shlex
from functools import cache
from typing import Any

import yaml
from twin.topologies import GENERATORS

from twin.loading import document_schema
from twin.scenario.change_reference import change_rows
from twin.traffic.demand_generators import DEMAND_GENERATORS

from . import markdown

Schema = dict[str, Any]
DOCUMENT, FABRICS, TRAFFIC, CHANGES = "document.md", "fabrics.md", "traffic.md", "changes.md"
FABRIC_OWN = ("Borders", "Join", "RackGroup", "FatTreeCampus", "LeafSpineCampus", "RailClosCampus")
"""Definitions that only the parameters of fabrics use."""
SELECTORS = ("LinkSelector", "NodeSelector")
BLOCKS = {"Change": CHANGES, "Fabric": FABRICS, "TrafficBlock": TRAFFIC}
"""Definitions that have a page of their own."""
HIDDEN = (*BLOCKS, "JsonValue")
"""Definitions without fields of their own."""
DOCUMENT_INTRO = f"""\
A document is a YAML or JSON file. `twin schema` prints its JSON Schema, which an editor can use to complete and check
while you type. Field names end with their unit. Only `nodes` and `links` are needed.
Blocks of `fabrics` stand for many records: see [Fabrics]({FABRICS}). Blocks of `traffic` stand for many demands: see
[Traffic]({TRAFFIC}). Plans hold changes: see [Changes]({CHANGES}).
How the records work together is described in [Describing a network](../explanation/networks.md).
"""
FABRICS_INTRO = """\
A block of `fabrics` names a generator and its parameters. It stands for all nodes and links of that fabric. Ids of its
records begin with the id of the block. Examples are in [Describing a network](../explanation/networks.md#fabrics).
"""
TRAFFIC_INTRO = """\
A block of `traffic` names a generator and its parameters. It stands for all of its demands, whose ids are
`block/source>target`. One amount sets how much traffic there is. `--demands` takes a generator with its parameters, or
a CSV file, in place of the demands of a document: see [Generate traffic](../how-to/traffic.md).
"""
CHANGES_INTRO = """\
A plan, `--change` and `what_if` take changes. Each change has a `kind`. A change edits one level: what exists
(structure), what runs (workload), or state such as age and installed parts. Structure is applied first, then workload,
then state, whatever the order of the list. What cannot be built is refused with the reason. `twin changes` prints this
list, and `twin changes KIND` one of them.
"""


@cache
def _definitions() -> dict[str, Schema]:
    schema = document_schema()
    return {**schema["$defs"], "Document": {**schema, "title": "Document"}}


def _kinds() -> list[str]:
    """Names of the change classes, in the order of the union."""
    change = _definitions()["Change"]
    return [item["$ref"].rsplit("/", 1)[1] for item in change["oneOf"]]


def _page_of(name: str) -> str:
    if name in _kinds() or name in SELECTORS:
        return CHANGES
    if name.endswith("_traffic"):
        return TRAFFIC
    return FABRICS if name in FABRIC_OWN or name.endswith("_params") or name == "Fabric" else DOCUMENT


def _title(name: str) -> str:
    schema = _definitions()[name]
    if name in _kinds():
        return str(schema["properties"]["kind"]["const"])
    return name.removesuffix("_params").removesuffix("_traffic")


def document_page(_: str = "") -> str:
    """Return the page of the document and its records."""
    names = ["Document", *(name for name in _definitions() if _page_of(name) == DOCUMENT and name not in HIDDEN)]
    names = list(dict.fromkeys(names))
    return markdown.page("Document", DOCUMENT_INTRO, *(_section(name, DOCUMENT) for name in names))


def fabrics_page(_: str = "") -> str:
    """Return the page of generators and their parameters."""
    generators = [name for name in _definitions() if name.endswith("_params")]
    names = [*sorted(generators), *FABRIC_OWN]
    return markdown.page("Fabrics", FABRICS_INTRO, *(_section(name, FABRICS) for name in names))


def traffic_page(_: str = "") -> str:
    """Return the page of demand generators and their parameters, each with an example."""
    sections = []
    for name, row in DEMAND_GENERATORS.items():
        block = {"id": "t", "generator": name, "params": row.example}
        example = markdown.fence(yaml.safe_dump({"traffic": [block]}, sort_keys=False).strip(), "yaml")
        sections.append(_section(f"{name}_traffic", TRAFFIC) + "\n" + example)
    return markdown.page("Traffic", TRAFFIC_INTRO, *sections)


def changes_page(_: str = "") -> str:
    """Return the page of changes and selectors."""
    rows = change_rows()
    links = [(f"[{row['kind']}](#{row['kind']})", row["level"], row["summary"]) for row in rows]
    overview = markdown.table(("kind", "level", "what it does"), links)
    classes = {_title(name): name for name in _kinds()}
    changes = [_section(classes[row["kind"]], CHANGES) + "\n" + _example(row["example"]) for row in rows]
    return markdown.page("Changes", CHANGES_INTRO, overview, *changes, *(_section(name, CHANGES) for name in SELECTORS))


def _example(example: Schema) -> str:
    change = json.dumps(example["change"], ensure_ascii=False)
    return markdown.fence(f"twin whatif {example['network']} --change {shlex.quote(change)}", "sh")


def _section(name: str, page: str) -> str:
    schema = _definitions()[name]
    heading = f"## {_title(name)} {{ #{_title(name)} }}"
    tables: dict[str, Any] = {FABRICS: GENERATORS, TRAFFIC: DEMAND_GENERATORS}
    generator = tables.get(page, {}).get(_title(name))
    told = generator.sentence if generator else str(schema.get("description", ""))
    required = schema.get("required", [])
    rows = [
        (markdown.code(field), _type_text(spec, page), _default(field, spec, required), spec.get("description", ""))
        for field, spec in schema["properties"].items()
        if field != "kind" or name not in _kinds()
    ]
    table = markdown.table(("field", "type", "default", "meaning"), rows) if rows else "No fields."
    return "\n\n".join([heading, told, table])


def _default(field: str, spec: Schema, required: list[str]) -> str:
    if field in required:
        return "required"
    default = spec.get("default")
    if default in (None, "") or isinstance(default, list | dict):
        return ""
    return markdown.code(str(default).lower() if isinstance(default, bool) else default)


def _type_text(spec: Schema, page: str) -> str:
    """Return the type of a field as text, with links to the records that it holds."""
    if "$ref" in spec:
        name = spec["$ref"].rsplit("/", 1)[1]
        if name in BLOCKS:
            return f"[{name.removesuffix('Block').lower()}]({BLOCKS[name]})"
        return "any" if name in HIDDEN else f"[{_title(name)}]({_link(name, page)})"
    if "anyOf" in spec or "oneOf" in spec:
        parts = [_type_text(item, page) for item in spec.get("anyOf") or spec["oneOf"]]
        return " or ".join(dict.fromkeys(part for part in parts if part != "null"))
    if "enum" in spec:
        shown = spec["enum"]
        return ", ".join(map(markdown.code, shown[:8])) + (f" and {len(shown) - 8} more" if len(shown) > 8 else "")
    if "const" in spec:
        return markdown.code(spec["const"])
    return _plain_type(spec, page)


def _plain_type(spec: Schema, page: str) -> str:
    kind = spec.get("type")
    if kind == "array":
        if "prefixItems" in spec:
            return f"list of {len(spec['prefixItems'])} ({_type_text(spec['prefixItems'][0], page)})"
        return f"list of {_type_text(spec.get('items', {}), page)}"
    if kind == "object":
        values = spec.get("additionalProperties")
        if isinstance(values, dict) and values:
            return f"mapping to {_type_text(values, page)}"
        return "mapping"
    if kind == "string":
        return "date" if spec.get("format") == "date" else "text"
    if kind == "boolean":
        return "`true` or `false`"
    if kind in ("number", "integer"):
        return ("number" if kind == "number" else "whole number") + _bounds(spec)
    return str(kind or "any")


def _bounds(spec: Schema) -> str:
    low = f"above {spec['exclusiveMinimum']:g}" if "exclusiveMinimum" in spec else None
    low = f"from {spec['minimum']:g}" if "minimum" in spec else low
    high = f"below {spec['exclusiveMaximum']:g}" if "exclusiveMaximum" in spec else None
    high = f"up to {spec['maximum']:g}" if "maximum" in spec else high
    told = " ".join(part for part in (low, high) if part)
    return f", {told}" if told else ""


def _link(name: str, page: str) -> str:
    target = _page_of(name)
    place = f"#{_title(name)}"
    return place if target == page else f"{target}{place}"
