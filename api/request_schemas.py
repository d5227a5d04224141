"""Rules of requests that their classes do not state: either a plan or changes, and the parameters of generators."""

from __future__ import annotations

import json
from typing import Any

from twin.scenario.document_schema import BLOCKS, document_schema

from .body_reader import NEEDS_CHANGES
from .questions.table import QUESTIONS

Schema = dict[str, Any]


def state_rules(components: dict[str, Schema], prefix: str) -> None:
    """Change the components of requests to state all rules of their bodies.

    Args:
        components: schemas by name.
        prefix: start of a reference to one of them.
    """
    for request in {question.request for question in QUESTIONS}:
        schema = components[request.__name__]
        for side in ("", "other_"):
            if f"{side}changes" in schema["properties"]:
                is_needed = not side and issubclass(request, NEEDS_CHANGES)
                schema.update(_plan_or_changes(f"{side}plan", f"{side}changes", is_needed=is_needed))
    definitions = json.loads(json.dumps(document_schema()["$defs"]).replace('"#/$defs/', f'"{prefix}'))
    known = set(components)
    for name in BLOCKS:
        components[name] = definitions[name]
    components.update({name: schema for name, schema in definitions.items() if name not in known})


def _plan_or_changes(plan: str, changes: str, *, is_needed: bool) -> Schema:
    """Return keywords that refuse a plan beside changes, and neither of them if one is needed.

    `if` and `then` leave the properties where a generator of clients looks for them; `oneOf` would not.
    """
    has_plan = {"required": [plan], "properties": {plan: {"type": "string"}}}
    has_changes = {"required": [changes], "properties": {changes: {"type": "array"}}}
    rule: Schema = {"if": has_plan, "then": {"properties": {changes: {"type": "null"}}}}
    return rule | ({"else": has_changes} if is_needed else {})
