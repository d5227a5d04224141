"""JSON schemas of answers, derived from the dataclasses of the answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_type_hints

from pydantic import ConfigDict, create_model

from twin.answers.data_fields import data_fields

NAME = "Answers"
CONFIG = ConfigDict(use_attribute_docstrings=True)


def answer_definitions(classes: Iterable[type], ref_template: str) -> dict[str, Any]:
    """Return JSON schemas by class name, for the answers and all classes in their fields.

    Args:
        classes: dataclasses of answers.
        ref_template: reference to a definition, with `{model}` for its name.
    """
    class_by_name = {cls.__name__: cls for cls in _reachable(classes)}
    # the dataclasses take the configuration of the model around them
    fields: dict[str, Any] = {f"field_{name}": (cls, ...) for name, cls in class_by_name.items()}
    model = create_model(NAME, __config__=CONFIG, **fields)
    definitions: dict[str, Any] = model.model_json_schema(ref_template=ref_template)["$defs"]
    for name, cls in class_by_name.items():
        _restrict_to_data(definitions[name], cls)
    return definitions


def _restrict_to_data(schema: dict[str, Any], cls: type) -> None:
    """Change a schema to the keys of `to_data`: all keys are required except optional ones, and no others exist."""
    rows = data_fields(cls)
    schema["properties"] = {row.key: schema["properties"][row.key] for row in rows}
    schema["required"] = [row.key for row in rows if not row.optional]
    schema["additionalProperties"] = False


def _reachable(classes: Iterable[type]) -> Iterator[type]:
    """Return dataclasses and the dataclasses in their fields, each once."""
    stack, visited = list(classes), set[type]()
    while stack:
        cls = stack.pop()
        if cls in visited:
            continue
        visited.add(cls)
        yield cls
        hints = get_type_hints(cls)
        for row in data_fields(cls):
            stack += _dataclasses_in(hints[row.name])


def _dataclasses_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
    for inner in get_args(hint):
        yield from _dataclasses_in(inner)
