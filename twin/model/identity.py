"""Identification of a record: id, display name, tags and source."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ..errors import Issue
from ..errors.wording import quoted
from ..field_descriptions import describe_fields
from ..printable import SHOWN, id_problem, refuse, text_problem

STRICT = ConfigDict(extra="forbid", json_schema_extra=describe_fields, allow_inf_nan=False)
MAX_ID_LENGTH = 200
MAX_SOURCE_LENGTH = 2000


def _validate_id(text: str) -> str:
    refuse(id_problem(text))
    return text


Id = Annotated[
    str,
    Field(min_length=1, max_length=MAX_ID_LENGTH, json_schema_extra={"pattern": r"^\S(.*\S)?$"}),
    AfterValidator(_validate_id),
]
"""Any printable Unicode text of at most 200 characters, without spaces at its ends; kept as it is written.

Two ids of one list that differ only by Unicode normalisation look alike, and are refused as duplicates.
"""
Name = Annotated[str, Field(max_length=200), SHOWN]
Tag = Annotated[str, Field(min_length=1, max_length=200), SHOWN]
Tags = Annotated[tuple[Tag, ...], Field(max_length=1000)]
Note = Annotated[str, Field(max_length=4000), SHOWN]
"""Text for readers; it may have several lines."""


def normal_form(text: str) -> str:
    """Return the text in Unicode normal form C: texts that look alike by composition become equal."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@dataclass(frozen=True, slots=True)
class Source:
    """Origin of a record: a file, the position in it, and the id of the record in it."""

    __pydantic_config__ = STRICT

    file: Annotated[str, Field(min_length=1, max_length=MAX_SOURCE_LENGTH), SHOWN]
    """Name or address of the file or service."""
    position: Annotated[str, Field(max_length=MAX_SOURCE_LENGTH), SHOWN] = ""
    """Position in the file: a line, a row of a sheet, a path of keys."""
    id: Annotated[str, Field(max_length=MAX_SOURCE_LENGTH), SHOWN] = ""
    """Id of the record in the file."""


class TextOrSource:
    """Annotation of a field that holds a `Source` or a text; a text is kept unchanged."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the validator of a text or a mapping; faults are reported at the field itself."""
        record = handler.generate_schema(Source)
        return core_schema.no_info_wrap_validator_function(
            _validate_source, record, serialization=core_schema.plain_serializer_function_ser_schema(_to_plain)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON Schema of both forms."""
        assert schema["type"] == "function-wrap"
        text = {"type": "string", "minLength": 1, "maxLength": MAX_SOURCE_LENGTH}
        return {"anyOf": [handler(schema["schema"]), text]}


def _validate_source(value: Any, handler: Callable[[Any], Source]) -> Source | str:
    if not isinstance(value, str):
        return handler(value)
    if not 1 <= len(value) <= MAX_SOURCE_LENGTH:
        raise PydanticCustomError("source", "a source has 1 to {n} characters", {"n": MAX_SOURCE_LENGTH})
    refuse(text_problem(value))
    return value


def _to_plain(value: Source | str) -> str | dict[str, str]:
    if isinstance(value, str):
        return value
    fields = {"file": value.file, "position": value.position, "id": value.id}
    return {name: text for name, text in fields.items() if text}


Provenance = Annotated[Source | str, TextOrSource()]
"""A `Source`, or a text."""


def duplicate_issues(list_name: str, ids: Iterable[str]) -> Iterator[Issue]:
    """Find ids of one list that stand twice, or that differ only by Unicode normalisation."""
    n_by_id = Counter(ids)
    for record_id, n in n_by_id.items():
        if n > 1:
            yield Issue(
                f"{list_name}[{record_id}]", f"id {quoted(record_id)} stands {n} times", "ids are unique within a list"
            )
    yield from lookalike_issues(list_name, n_by_id)


def lookalike_issues(list_name: str, names: Iterable[str]) -> Iterator[Issue]:
    """Find different names that differ only by Unicode normalisation, so that they look the same."""
    alike: dict[str, set[str]] = {}
    for name in names:
        if not name.isascii():
            alike.setdefault(normal_form(name), set()).add(name)
    for names_alike in alike.values():
        if len(names_alike) > 1:
            shown = " and ".join(sorted(map(ascii, names_alike)))
            problem = f"{shown} look the same: they differ only by Unicode normalisation"
            yield Issue(f"{list_name}[{min(names_alike)}]", problem, "write the id in one form")
