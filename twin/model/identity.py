"""What names a record: its id, a free name, tags, and the place that it was read from."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

STRICT = ConfigDict(extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)
MAX_ID_LENGTH = 200
MAX_SOURCE_LENGTH = 2000
REFUSED = {
    "Cc": "a control character",
    "Cf": "an invisible format character",
    "Cs": "a lone surrogate",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
    "Zs": "a space other than U+0020",
}
"""Unicode categories that an id does not hold, and what they are called in messages."""


def id_problem(text: str) -> str:
    """What makes a text no id, or an empty string: ids are printable, and no space stands at either end."""
    if text[:1] == " " or text[-1:] == " ":
        return "an id has no space at its start or end"
    if text.isprintable():
        return ""
    for i, letter in enumerate(text):
        kind = REFUSED.get(unicodedata.category(letter))
        if kind is not None:
            return f"an id holds printable characters only: character {i + 1} is {kind} (U+{ord(letter):04X})"
    return ""


def _checked(text: str) -> str:
    problem = id_problem(text)
    if problem:
        raise PydanticCustomError("id", "{problem}", {"problem": problem})
    return text


Id = Annotated[
    str,
    Field(min_length=1, max_length=MAX_ID_LENGTH, json_schema_extra={"pattern": r"^\S(.*\S)?$"}),
    AfterValidator(_checked),
]
"""Any printable Unicode text of at most 200 characters, without spaces at its ends; kept as it is written.

Two ids of one list that differ only by Unicode normalisation look alike, and are refused as duplicates.
"""
Name = Annotated[str, Field(max_length=200)]
Tag = Annotated[str, Field(min_length=1, max_length=200)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=1000)]


def normal_form(text: str) -> str:
    """The text in Unicode normal form C, in which texts that look alike by composition are equal."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@dataclass(frozen=True, slots=True)
class Source:
    """The place that a record was read from: a file, the position in it, and the id that the record has there."""

    __pydantic_config__ = STRICT

    file: Annotated[str, Field(min_length=1, max_length=MAX_SOURCE_LENGTH)]
    """Name or address of the file or service."""
    position: Annotated[str, Field(max_length=MAX_SOURCE_LENGTH)] = ""
    """Where in it: a line, a row of a sheet, a path of keys."""
    id: Annotated[str, Field(max_length=MAX_SOURCE_LENGTH)] = ""
    """What the record is called there."""


class TextOrSource:
    """Annotation of a field that holds a `Source`, or the same as one text, which is kept as it is."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A text, or a mapping; the place of a fault is the field's own."""
        record = handler.generate_schema(Source)
        return core_schema.no_info_wrap_validator_function(
            _text_or_record, record, serialization=core_schema.plain_serializer_function_ser_schema(_written)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Either form."""
        assert schema["type"] == "function-wrap"
        text = {"type": "string", "minLength": 1, "maxLength": MAX_SOURCE_LENGTH}
        return {"anyOf": [handler(schema["schema"]), text]}


def _text_or_record(value: Any, handler: Callable[[Any], Source]) -> Source | str:
    if not isinstance(value, str):
        return handler(value)
    if not 1 <= len(value) <= MAX_SOURCE_LENGTH:
        raise PydanticCustomError("source", "a source has 1 to {n} characters", {"n": MAX_SOURCE_LENGTH})
    return value


def _written(value: Source | str) -> str | dict[str, str]:
    if isinstance(value, str):
        return value
    fields = {"file": value.file, "position": value.position, "id": value.id}
    return {name: text for name, text in fields.items() if text}


Provenance = Annotated[Source | str, TextOrSource()]
"""A `Source`, or the same as one text."""
