"""Answers as plain data. The fields of a dataclass are its JSON keys, in their order; nothing is listed twice.

`api/` derives the JSON schemas of HTTP from the same classes. The metadata of a field says where its data differs:

* `alias`: the JSON key, where it is not the field's name (pydantic reads the same entry for the schema);
* `decimals`: a float is rounded to so many decimals;
* `optional`: the key is absent while the field has its default value;
* `hidden`: the field is not part of the data.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any, NamedTuple

METADATA = frozenset({"alias", "decimals", "optional", "hidden"})


class DataField(NamedTuple):
    """Appearance of one field of a dataclass as data."""

    name: str
    """Attribute of the dataclass."""
    key: str
    decimals: int | None
    """Floats are rounded to so many decimals; None where they are not rounded."""
    optional: bool
    """True where the key is absent while the field has its default value."""
    default: Any


@cache
def data_fields(kind: type) -> tuple[DataField, ...]:
    """The fields of a dataclass that are part of its data, in order."""
    for spec in dataclasses.fields(kind):
        assert METADATA.issuperset(spec.metadata), f"{kind.__name__}.{spec.name}: {dict(spec.metadata)}"
    return tuple(
        DataField(
            spec.name,
            spec.metadata.get("alias", spec.name),
            spec.metadata.get("decimals"),
            spec.metadata.get("optional", False),
            spec.default_factory() if callable(spec.default_factory) else spec.default,
        )
        for spec in dataclasses.fields(kind)
        if not spec.metadata.get("hidden")
    )
