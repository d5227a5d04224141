"""JSON schemas of answers, derived from the dataclasses whose `to_dict` makes the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_type_hints

from pydantic import ConfigDict, create_model

from twin.answers.data import data_fields

NAME = "Answers"
CONFIG = ConfigDict(use_attribute_docstrings=True)


def answer_definitions(kinds: Iterable[type], ref_template: str) -> dict[str, Any]:
    """JSON schemas by class name: of the answers, and of every class that their fields name.

    Args:
        kinds: answer dataclasses.
        ref_template: where a definition is found, with `{model}` for its name.
    """
    known = {kind.__name__: kind for kind in _reachable(kinds)}
    # a model around the dataclasses gives them its configuration, so they need none of their own
    fields: dict[str, Any] = {f"field_{name}": (kind, ...) for name, kind in known.items()}
    model = create_model(NAME, __config__=CONFIG, **fields)
    definitions: dict[str, Any] = model.model_json_schema(ref_template=ref_template)["$defs"]
    for name, kind in known.items():
        _as_data(definitions[name], kind)
    return definitions


def _as_data(schema: dict[str, Any], kind: type) -> None:
    """Describe what `to_data` makes: every key is there unless it is optional, and no other key."""
    rows = data_fields(kind)
    schema["properties"] = {row.key: schema["properties"][row.key] for row in rows}
    schema["required"] = [row.key for row in rows if not row.optional]
    schema["additionalProperties"] = False


def _reachable(kinds: Iterable[type]) -> Iterator[type]:
    """These dataclasses and those in the types of their data, each once."""
    waiting, known = list(kinds), set[type]()
    while waiting:
        kind = waiting.pop()
        if kind in known:
            continue
        known.add(kind)
        yield kind
        hints = get_type_hints(kind)
        for row in data_fields(kind):
            waiting += _dataclasses_in(hints[row.name])


def _dataclasses_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
    for inner in get_args(hint):
        yield from _dataclasses_in(inner)
