"""A value of a link: one for both directions, or one for each direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

BothWays = float | tuple[float, float]
"""One value, or `(a_to_b, b_to_a)`: from ends[0] to ends[1], and from ends[1] to ends[0]."""


class PerDirection:
    """Annotation of a `BothWays` field: the bounds of each value, and how the field is read and written."""

    def __init__(self, *, gt: float | None = None, ge: float | None = None, le: float | None = None) -> None:
        self._one = core_schema.float_schema(gt=gt, ge=ge, le=le, allow_inf_nan=False)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the validator of a number or a list of two; faults are reported at the field itself."""
        plain = core_schema.plain_serializer_function_ser_schema(_to_plain)
        return core_schema.no_info_wrap_validator_function(_validate, self._one, serialization=plain)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON Schema of both forms."""
        one = handler(self._one)
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 2, "maxItems": 2}]}


def _validate(value: Any, one: Callable[[Any], float]) -> BothWays:
    if not isinstance(value, list | tuple):
        return one(value)
    if len(value) != 2:
        raise PydanticCustomError(
            "per_direction",
            "one value, or two for [a_to_b, b_to_a]; a list of {n} is neither",
            {"n": len(value)},
        )
    return one(value[0]), one(value[1])


def _to_plain(value: BothWays) -> float | list[float]:
    return list(value) if isinstance(value, tuple) else value


def higher_of(value: BothWays) -> float:
    """Return the value, or the higher of both directions."""
    return max(value) if isinstance(value, tuple) else value
