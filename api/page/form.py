"""Fields of forms as HTML, each with its label, unit, bounds, meaning and error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from twin.catalogue import KINDS, catalogue
from twin.scenario.change_reference import values_text

from .fields import MAX_RECORDS, FormField, Values, n_records, numbered
from .html import Attribute, Html, element, joined, marked

Errors = Mapping[str, Sequence[str]]
"""Problems of fields by name."""
ENTRY_ROWS = {"lines": 2, "pairs": 3, "json": 4}
FORMAT_HINTS = {
    "lines": "one per line",
    "pairs": "one name=value per line",
    "json": "JSON",
}


def form_fields(fields: Sequence[FormField], values: Values, errors: Errors) -> Html:
    """Return the fields of a form; those that are not required are folded if they are many.

    Args:
        fields: the fields.
        values: texts that were entered before, by name.
        errors: problems by name of the field.
    """
    required = [field for field in fields if field.is_required]
    optional = [field for field in fields if not field.is_required]
    if not required or len(optional) <= 4:
        shown = (field_html(field, values, errors) for field in (*required, *optional))
        return element("div", *shown, class_="fields")
    is_used = any(name in values or name in errors for field in optional for name in _names(field))
    return joined(
        (
            element("div", *(field_html(field, values, errors) for field in required), class_="fields"),
            element(
                "details",
                element("summary", f"{len(optional)} optional fields"),
                element("div", *(field_html(field, values, errors) for field in optional), class_="fields"),
                open=is_used,
            ),
        )
    )


def _names(field: FormField) -> Iterator[str]:
    yield field.name
    for inner in field.fields:
        yield from _names(inner)


def field_html(field: FormField, values: Values, errors: Errors) -> Html:
    """Return one field with its label; a record is a group of fields.

    Args:
        field: the field.
        values: texts that were entered before, by name.
        errors: problems by name of the field.
    """
    if field.input == "record":
        inner = form_fields(field.fields, values, errors)
        if field.is_required:
            return element("fieldset", *_legend(field), _error(field, errors), inner, data_field=field.name)
        is_used = any(name in values or name in errors for name in _names(field))
        title = element("summary", f"{field.label}, if not the default" if field.help else field.label)
        help_ = element("p", marked(_plain_help(field.help)), class_="help") if field.help else None
        return element("details", title, help_, _error(field, errors), inner, open=is_used, data_field=field.name)
    if field.input == "records":
        return _records(field, values, errors)
    identity = field_id(field.name)
    marks = {"aria_describedby": f"{identity}-help", "aria_invalid": "true" if field.name in errors else None}
    unit = element("span", f" ({field.unit})", class_="unit") if field.unit else None
    need = element("span", " required", class_="need") if field.is_required else None
    return element(
        "div",
        element("label", field.label, unit, need, for_=identity),
        _control(field, values, identity, marks),
        element("p", marked(_help(field)), class_="help", id=f"{identity}-help"),
        _error(field, errors),
        class_="field",
        data_field=field.name,
    )


def field_id(name: str) -> str:
    """Return the id of the input of a field."""
    return "in-" + re.sub(r"[^A-Za-z0-9_-]", "-", name)


def _legend(field: FormField) -> Iterator[Html]:
    yield element("legend", field.label, element("span", " required", class_="need") if field.is_required else None)
    if field.help:
        yield element("p", marked(_plain_help(field.help)), class_="help")


def _error(field: FormField, errors: Errors) -> Html | None:
    texts = errors.get(field.name, ())
    return element("p", *texts, class_="error", role="alert") if texts else None


def _records(field: FormField, values: Values, errors: Errors) -> Html:
    n = n_records(field, values)
    groups = [
        element(
            "fieldset",
            element("legend", f"{field.label} {row + 1}"),
            form_fields(numbered(field.fields, field.name, row), values, errors),
        )
        for row in range(n)
    ]
    more = element(
        "button",
        "Add one more",
        type="submit",
        name=f"n.{field.name}",
        value=n + 1,
        formnovalidate=True,
        class_="quiet",
    )
    stated = element("input", type="hidden", name=f"n.{field.name}", value=n)
    return element(
        "fieldset", *_legend(field), _error(field, errors), groups, more if n < MAX_RECORDS else None, stated
    )


def _control(field: FormField, values: Values, identity: str, marks: Mapping[str, str | None]) -> Html:
    texts = values.get(field.name, ())
    text = texts[0] if texts else ""
    if field.input == "choice" and not text and field.default in field.choices:
        text = field.default
    attributes: dict[str, Attribute] = {"id": identity, "name": field.name, **marks}
    if field.input == "choice":
        empty = [] if field.is_required and text else [""]
        names = [*empty, *field.choices]
        options = [element("option", name or "–", value=name, selected=name == text) for name in names]
        return element("select", *options, **attributes, required=field.is_required)
    if field.input in ENTRY_ROWS:
        return element("textarea", text, **attributes, rows=ENTRY_ROWS[field.input])
    attributes |= {"value": text, "required": field.is_required, "autocomplete": "off"}
    if field.input == "date":
        return element("input", type="date", **attributes)
    if field.input == "number":
        step = "1" if field.schema.get("type") == "integer" else "any"
        bounds = {"min": field.schema.get("minimum"), "max": field.schema.get("maximum")}
        return element("input", type="number", step=step, **bounds, **attributes)
    suggestions = _parts_list(field.key, f"{identity}-parts")
    if suggestions:
        attributes["list"] = f"{identity}-parts"
    length = field.schema.get("maxLength")
    return joined((element("input", type="text", maxlength=length, **attributes), suggestions))


def _parts_list(key: str, identity: str) -> Html | None:
    """Return the ids of the catalogue that a field may hold, as a list of suggestions; None for other fields."""
    kinds = KINDS if key == "part" else tuple(kind for kind in KINDS if kind == key)
    if not kinds:
        return None
    names = [part.id for kind in kinds for part in catalogue().parts(kind)]
    return element("datalist", *(element("option", value=name) for name in names), id=identity)


def _help(field: FormField) -> str:
    texts = [_plain_help(field.help)]
    if field.input == "number":
        texts.append(_capital(values_text(field.schema)) + ".")
    elif field.input in FORMAT_HINTS:
        texts.append(_capital(FORMAT_HINTS[field.input]) + ".")
    if field.default not in (None, [], {}, "") and field.input != "record":
        default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
        default = default.lower() if isinstance(field.default, bool) else default
        texts.append(f"Empty: {default}.")
    return " ".join(filter(None, texts))


def _plain_help(text: str) -> str:
    """Return the description of a field for a form, where an empty field stands for null."""
    return re.sub(r"\b([Nn]one|null)( =|:)", "empty =", text).replace("; null for no", "; empty for no")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
