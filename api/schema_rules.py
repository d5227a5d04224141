"""Rules for JSON schemas: which differences break a client, and which are additions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
FORMAT_KEYS = ("pattern", "format", "multipleOf")


class Difference(NamedTuple):
    """One difference between two schemas."""

    breaking: bool
    where: str
    change: str

    def __str__(self) -> str:
        return f"{self.where}: {self.change}"


def compare_openapi(old: Schema, new: Schema) -> Iterator[Difference]:
    """Return the differences between two OpenAPI documents."""
    comparison = Comparison(old, new)
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            where, after = f"{method.upper()} {path}", new["paths"].get(path, {}).get(method)
            if after is None:
                yield Difference(True, where, "removed")
            else:
                yield from _operation(comparison, before, after, where)
    for path, methods in new["paths"].items():
        for method in sorted(methods.keys() - old["paths"].get(path, {}).keys()):
            yield Difference(False, f"{method.upper()} {path}", "added")


def compare_schemas(old: Schema, new: Schema, name: str) -> Iterator[Difference]:
    """Return the differences between two JSON schemas of a file that users write.

    Args:
        old: the earlier schema.
        new: the present schema.
        name: name of the file in the report.
    """
    return Comparison(old, new, sent=name).compare(old, new, name, sent=True)


def _operation(comparison: Comparison, old: Schema, new: Schema, where: str) -> Iterator[Difference]:
    yield from _parameters(comparison, old, new, where)
    before, after = old.get("requestBody", {}), new.get("requestBody", {})
    if after.get("required") and not before.get("required"):
        yield Difference(True, where, "the body is now required")
    yield from _content(comparison, before, after, f"{where} request", sent=True)
    for status, response in old["responses"].items():
        current = new["responses"].get(status)
        if current is None:
            yield Difference(True, where, f"response {status} removed")
        else:
            yield from _content(comparison, response, current, f"{where} response {status}", sent=False)
    for status in sorted(new["responses"].keys() - old["responses"].keys()):
        yield Difference(False, where, f"response {status} added")


def _parameters(comparison: Comparison, old: Schema, new: Schema, where: str) -> Iterator[Difference]:
    before, after = (
        {(parameter["in"], parameter["name"]): parameter for parameter in side.get("parameters", ())}
        for side in (old, new)
    )
    for key in sorted(before.keys() | after.keys()):
        place = f"{where} parameter {key[1]}"
        if key not in after:
            yield Difference(True, place, "removed")
        elif key not in before:
            required = bool(after[key].get("required"))
            yield Difference(required, place, "added, and required" if required else "added")
        else:
            if after[key].get("required") and not before[key].get("required"):
                yield Difference(True, place, "now required")
            yield from comparison.compare(before[key]["schema"], after[key]["schema"], place, sent=True)


def _content(comparison: Comparison, old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[Difference]:
    before, after = old.get("content", {}), new.get("content", {})
    for media_type, body in before.items():
        if media_type not in after:
            yield Difference(True, where, f"{media_type} removed")
        else:
            yield from comparison.compare(body["schema"], after[media_type]["schema"], where, sent=sent)
    for media_type in sorted(after.keys() - before.keys()):
        yield Difference(False, where, f"{media_type} added")


class Branch(NamedTuple):
    """One alternative of a schema, with references resolved."""

    name: str
    """Name of its definition; empty if it has none."""
    schema: Schema

    @property
    def type(self) -> str:
        """Return the JSON type."""
        return str(self.schema.get("type", "object" if "properties" in self.schema else "string"))

    @property
    def label(self) -> str:
        """Return the name in a report."""
        return self.name or (self.schema.get("title", "object") if self.type == "object" else self.type)


class Comparison:
    """Comparison of the schemas of two documents. It follows references and compares each pair of definitions once.

    A new schema of a request must accept all that the old one accepted. A new schema of an answer may only be narrower,
    or have new fields and new values of an enumeration.

    Args:
        old: the earlier document.
        new: the present document.
        sent: name of a request in the report.
        received: name of an answer in the report.
    """

    def __init__(self, old: Schema, new: Schema, sent: str = "request", received: str = "answer") -> None:
        self._old, self._new = old, new
        self._place = {True: sent, False: received}
        self._compared: set[tuple[str, str, bool]] = set()

    def compare(self, old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[Difference]:
        """Return the differences between two schemas.

        Args:
            old: schema in the old document.
            new: schema in the new one.
            where: place in the report.
            sent: True for a request, False for an answer.
        """
        before, after = _branches(self._old, old), _branches(self._new, new)
        if not before or not after:  # a schema without a type takes any value
            if before or after:
                yield Difference(bool(after) == sent, where, "has a type now" if after else "may be of any type now")
            return
        if len(before) > 1 or len(after) > 1:  # values beside the alternatives
            yield from _compare_values(old, new, where, sent=sent)
        pairs, removed, added = _paired(before, after)
        for branch in removed:
            if sent:
                yield Difference(True, where, f"{branch.label} is no longer accepted")
        for branch in added:
            change = f"{branch.label} is now accepted" if sent else f"may be {branch.label} now"
            yield Difference(not sent, where, change)
        for old_branch, new_branch in pairs:
            yield from self._compare_branch(old_branch, new_branch, where, sent=sent)

    def _compare_branch(self, old: Branch, new: Branch, where: str, *, sent: bool) -> Iterator[Difference]:
        if old.name:
            key = (old.name, new.name, sent)
            if key in self._compared:
                return
            self._compared.add(key)
            where = f"{self._place[sent]} {old.name}"
        if old.type != new.type:
            wider = new.type == "number"
            yield Difference(wider != sent, where, f"{old.type} became {new.type}")
        yield from _compare_values(old.schema, new.schema, where, sent=sent)
        if sent:
            yield from _compare_bounds(old.schema, new.schema, where)
        yield from self._compare_items(old.schema, new.schema, where, sent=sent)
        yield from self._compare_fields(old.schema, new.schema, where, sent=sent)

    def _compare_items(self, old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[Difference]:
        places = (("items", "[]"), ("propertyNames", " keys"))
        pairs = [(old.get(key, {}), new.get(key, {}), place) for key, place in places]
        before, after = old.get("prefixItems", ()), new.get("prefixItems", ())
        pairs += [(*items, f"[{i}]") for i, items in enumerate(zip(before, after, strict=False))]
        for old_item, new_item, place in pairs:
            yield from self.compare(_schema(old_item), _schema(new_item), where + place, sent=sent)

    def _compare_fields(self, old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[Difference]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in [*before, *(key for key in after if key not in before)]:
            place = f"{where}.{name}"
            if name not in after:
                yield Difference(True, place, "removed")
            elif name not in before:
                required = sent and name in required_after
                yield Difference(required, place, "added, and required" if required else "added")
            else:
                yield from _compare_required(name in required_before, name in required_after, place, sent=sent)
                yield from self.compare(before[name], after[name], place, sent=sent)
        yield from self._compare_others(old, new, where, sent=sent)

    def _compare_others(self, old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[Difference]:
        """Compare fields that `properties` does not name."""
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if after is False and before is not False and sent:
            yield Difference(True, where, "other fields are no longer accepted")
        elif before is False and after is not False:
            yield Difference(False, where, "other fields are possible now")
        elif before is not False and after is not False:
            yield from self.compare(_schema(before), _schema(after), f"{where}.*", sent=sent)


def _schema(value: Any) -> Schema:
    """Return a schema; the value `true`, which accepts anything, becomes an empty schema."""
    return value if isinstance(value, Mapping) else {}


def _branches(root: Schema, schema: Schema, name: str = "") -> list[Branch]:
    """Return the alternatives of a schema; none if it accepts any value."""
    if "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].split("/")[1:]:
            target = target[step]
        return _branches(root, target, schema["$ref"].rsplit("/", 1)[1])
    unions = [union for key in ("anyOf", "oneOf") for union in schema.get(key, ())]
    if unions:
        return [branch for union in unions for branch in _branches(root, union)]
    if isinstance(schema.get("type"), list):
        return [Branch(name, {**schema, "type": json_type}) for json_type in schema["type"]]
    return [Branch(name, schema)] if {"type", "properties", "enum", "const"} & schema.keys() else []


def _paired(
    before: list[Branch], after: list[Branch]
) -> tuple[list[tuple[Branch, Branch]], list[Branch], list[Branch]]:
    """Return (matching pairs, old branches without a match, new branches without a match)."""
    one_object = all(sum(branch.type == "object" for branch in side) == 1 for side in (before, after))

    def same_label(old: Branch, new: Branch) -> bool:
        return old.type == new.type and (old.label == new.label or (one_object and old.type == "object"))

    def both_numbers(old: Branch, new: Branch) -> bool:
        return {old.type, new.type} == {"integer", "number"}

    pairs, removed, added = [], list(before), list(after)
    for match in (same_label, both_numbers):
        for old in list(removed):
            new = next((branch for branch in added if match(old, branch)), None)
            if new is not None:
                pairs.append((old, new))
                removed.remove(old)
                added.remove(new)
    return pairs, removed, added


def _compare_required(before: bool, after: bool, where: str, *, sent: bool) -> Iterator[Difference]:
    if before == after:
        return
    if sent:
        yield Difference(after, where, "now required" if after else "no longer required")
    else:
        yield Difference(before, where, "may be absent now" if before else "is always there now")


def _compare_values(old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[Difference]:
    """Compare enumerations and constants."""
    before, after = _values(old), _values(new)
    if before is None or after is None:
        if before != after:
            narrower = after is not None
            yield Difference(narrower == sent, where, "has fixed values now" if narrower else "may be any value now")
        return
    for value in before:
        if value not in after and sent:
            yield Difference(True, where, f"{value!r} is no longer accepted")
    for value in after:
        if value not in before:
            yield Difference(False, where, f"{value!r} added")


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _compare_bounds(old: Schema, new: Schema, where: str) -> Iterator[Difference]:
    """Compare the bounds of accepted values."""
    for key in (*LOWER_BOUNDS, *UPPER_BOUNDS, *FORMAT_KEYS):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if key in FORMAT_KEYS:
            narrower = after is not None
        else:
            tighter = before is None or after is None or (after > before) == (key in LOWER_BOUNDS)
            narrower = after is not None and tighter
        yield Difference(narrower, where, f"{key} {before} became {after}")
