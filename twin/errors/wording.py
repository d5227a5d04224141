"""Words of messages: values, counts, and the rules that a field breaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

MAX_SHOWN = 100
LARGE = 1e15
"""Larger numbers are written with an exponent."""
"""Maximum characters of a wrong value in a message."""


def counted(n: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, which has an `s` in the plural unless the plural is given."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def type_text(value: Any) -> str:
    """Name the type of a plain value in terms of YAML and JSON."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    kinds = (
        (int | float, "a number"),
        (str, "a text"),
        (date, "a date"),
        (list | tuple, "a list"),
        (Mapping, "a mapping"),
    )
    return next((text for kind, text in kinds if isinstance(value, kind)), "no plain data")


def quoted(name: str) -> str:
    """Return a name in quotes; only a name that cannot be printed is escaped."""
    return f"'{name}'" if name.isprintable() else ascii(name)


def value_text(value: Any) -> str:
    """Return a value as it would be written, shortened; lists and mappings by their type."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | date):
        return type_text(value)
    if isinstance(value, float):
        text = f"{value:f}".rstrip("0").rstrip(".")
        text = text if float(text) == value and abs(value) < LARGE else repr(value)
    elif isinstance(value, date):
        text = value.isoformat()
    else:
        text = quoted(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def rule_text(fault: Mapping[str, Any]) -> str:
    """Return the rule that a fault of pydantic is about, with the value that breaks it."""
    kind, context, value = fault["type"], fault.get("ctx") or {}, fault.get("input")
    size = _SIZES.get(kind)
    if size is not None:
        return size(context, value)
    if kind in _OWN_TEXT:
        return str(context.get("error") or fault["msg"]).removeprefix("Value error, ")
    rule = _RULES.get(kind)
    found = value_text(value)
    if rule is None:
        text = re.sub("^Input should be", "must be", fault["msg"])
        if found in text:
            return text
    else:
        bounds = {name: value_text(bound) if isinstance(bound, float) else bound for name, bound in context.items()}
        text = rule.format(**bounds)
    return text if "input" not in fault or kind in _WITHOUT_VALUE else f"{text}, found {found}"


def number_hint(field: str, fault: Mapping[str, Any]) -> str:
    """Return how a number is written that was given as a text, with a unit or in per cent; empty for other faults."""
    value, kind = fault.get("input"), fault["type"]
    if isinstance(value, str) and kind.partition("_")[0] in ("int", "float"):
        match = re.fullmatch(r"\s*([-+]?\d[\d.]*(?:[eE][-+]?\d+)?)\s*(\D*?)\s*", value)
        if match is None:
            return f"write {value.replace('_', '')}" if re.fullmatch("[-+]?[0-9][0-9_]*", value) else ""
        if match[2] == "%":
            return ratio_hint(match[1])
        return "a number alone: the unit is in the name of the field" if match[2] else "write the number without quotes"
    bound = (fault.get("ctx") or {}).get("le", (fault.get("ctx") or {}).get("lt"))
    is_percentage = isinstance(value, int | float) and bound is not None and bound <= 1 < abs(value) <= 100
    return ratio_hint(f"{value:g}") if is_percentage and field.endswith("_ratio") else ""


def ratio_hint(per_cent: str) -> str:
    """Return how a number of per cent is written as a ratio."""
    try:
        return f"a ratio: {per_cent} % is {float(per_cent) / 100:g}"
    except ValueError:
        return "a ratio: 20 % is 0.2"


def _n_items(text: str, bound: str) -> Callable[[Mapping[str, Any], Any], str]:
    def size(context: Mapping[str, Any], value: Any) -> str:
        n = context.get("actual_length")
        n = len(value) if n is None and isinstance(value, list | tuple | dict) else n
        return f"must have {text} {counted(context[bound], 'item')}" + (f", found {n}" if n is not None else "")

    return size


def _n_characters(text: str, bound: str) -> Callable[[Mapping[str, Any], Any], str]:
    def size(context: Mapping[str, Any], value: Any) -> str:
        found = f", found {len(value)}" if isinstance(value, str) else ""
        return f"must have {text} {counted(context[bound], 'character')}{found}"

    return size


_SIZES: dict[str, Callable[[Mapping[str, Any], Any], str]] = {
    "too_short": _n_items("at least", "min_length"),
    "too_long": _n_items("at most", "max_length"),
    "string_too_short": _n_characters("at least", "min_length"),
    "string_too_long": _n_characters("at most", "max_length"),
}
_DATE = "must be a date such as 2026-01-31"
TYPES = {
    "string_type": "a text",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "date_type": "a date such as 2026-01-31",
}
"""Types in terms of YAML and JSON, by the fault of a value of another type."""
_RULES = {
    **{kind: f"must be {text}" for kind, text in TYPES.items()},
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "none_required": "must be null",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "json_invalid": "is no valid JSON",
    "union_type": "must be {expected}",
}
_WITHOUT_VALUE = ("json_invalid",)
_OWN_TEXT = ("value_error", "assertion_error")
