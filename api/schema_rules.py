"""Rules for JSON schemas: which differences break a client, and which only add something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
FORMS = ("pattern", "format", "multipleOf")


class Difference(NamedTuple):
    """One difference between two schemas."""

    breaking: bool
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def compare_openapi(old: Schema, new: Schema) -> Iterator[Difference]:
    """Differences between two OpenAPI documents."""
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
    """Differences between two JSON schemas of what a user writes; `name` is how the report calls them."""
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
    before, after = ({(p["in"], p["name"]): p for p in side.get("parameters", ())} for side in (old, new))
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
    for kind, body in before.items():
        if kind not in after:
            yield Difference(True, where, f"{kind} removed")
        else:
            yield from comparison.compare(body["schema"], after[kind]["schema"], where, sent=sent)
    for kind in sorted(after.keys() - before.keys()):
        yield Difference(False, where, f"{kind} added")


class Branch(NamedTuple):
    """One alternative of a schema, references resolved."""

    name: str
    """Name of its definition; empty where it has none."""
    schema: Schema

    @property
    def type(self) -> str:
        """JSON type."""
        return str(self.schema.get("type", "object" if "properties" in self.schema else "string"))

    @property
    def label(self) -> str:
        """Name in a report."""
        return self.name or (self.schema.get("title", "object") if self.type == "object" else self.type)


class Comparison:
    """Compares schemas of two documents and follows their references; each pair of definitions is compared once.

    What a client sends may only be widened: what was accepted stays accepted. What it gets may only be narrowed, or
    get new fields and new values of an enumeration.
    """

    def __init__(self, old: Schema, new: Schema, sent: str = "request", got: str = "answer") -> None:
        self._old, self._new = old, new
        self._place = {True: sent, False: got}
        self._compared: set[tuple[str, str, bool]] = set()

    def compare(self, old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[Difference]:
        """Differences between two schemas.

        Args:
            old: schema in the old document.
            new: schema in the new one.
            where: place that the report names.
            sent: True for what a client sends, False for what it gets.
        """
        before, after = _branches(self._old, old), _branches(self._new, new)
        if not before or not after:  # a schema without a type takes any value
            if before or after:
                yield Difference(bool(after) == sent, where, "has a type now" if after else "may be of any type now")
            return
        if len(before) > 1 or len(after) > 1:  # values that stand beside the alternatives
            yield from _compare_values(old, new, where, sent=sent)
        pairs, lost, added = _paired(before, after)
        for branch in lost:
            if sent:
                yield Difference(True, where, f"{branch.label} is no longer accepted")
        for branch in added:
            what = f"{branch.label} is now accepted" if sent else f"may be {branch.label} now"
            yield Difference(not sent, where, what)
        for one, other in pairs:
            yield from self._compare_branch(one, other, where, sent=sent)

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
        pairs += [(one, other, f"[{i}]") for i, (one, other) in enumerate(zip(before, after, strict=False))]
        for one, other, place in pairs:
            yield from self.compare(_schema(one), _schema(other), where + place, sent=sent)

    def _compare_fields(self, old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[Difference]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed_before, needed = set(old.get("required", ())), set(new.get("required", ()))
        for name in [*before, *(key for key in after if key not in before)]:
            place = f"{where}.{name}"
            if name not in after:
                yield Difference(True, place, "removed")
            elif name not in before:
                required = sent and name in needed
                yield Difference(required, place, "added, and required" if required else "added")
            else:
                yield from _compare_need(name in needed_before, name in needed, place, sent=sent)
                yield from self.compare(before[name], after[name], place, sent=sent)
        yield from self._compare_others(old, new, where, sent=sent)

    def _compare_others(self, old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[Difference]:
        """Fields that `properties` does not name."""
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if after is False and before is not False and sent:
            yield Difference(True, where, "other fields are no longer accepted")
        elif before is False and after is not False:
            yield Difference(False, where, "other fields are possible now")
        elif before is not False and after is not False:
            yield from self.compare(_schema(before), _schema(after), f"{where}.*", sent=sent)


def _schema(value: Any) -> Schema:
    """A schema from a place where `true` may stand for any value."""
    return value if isinstance(value, Mapping) else {}


def _branches(root: Schema, schema: Schema, name: str = "") -> list[Branch]:
    """Alternatives of a schema; none where it takes any value."""
    if "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].split("/")[1:]:
            target = target[step]
        return _branches(root, target, schema["$ref"].rsplit("/", 1)[1])
    unions = [branch for key in ("anyOf", "oneOf") for branch in schema.get(key, ())]
    if unions:
        return [found for branch in unions for found in _branches(root, branch)]
    if isinstance(schema.get("type"), list):
        return [Branch(name, {**schema, "type": one}) for one in schema["type"]]
    return [Branch(name, schema)] if {"type", "properties", "enum", "const"} & schema.keys() else []


def _paired(
    before: list[Branch], after: list[Branch]
) -> tuple[list[tuple[Branch, Branch]], list[Branch], list[Branch]]:
    """(pairs that belong together, old branches without a partner, new ones)."""
    one_object = all(sum(branch.type == "object" for branch in side) == 1 for side in (before, after))

    def same_label(a: Branch, b: Branch) -> bool:
        return a.type == b.type and (a.label == b.label or (one_object and a.type == "object"))

    def both_numbers(a: Branch, b: Branch) -> bool:
        return {a.type, b.type} == {"integer", "number"}

    pairs, lost, added = [], list(before), list(after)
    for belong in (same_label, both_numbers):
        for old in list(lost):
            new = next((branch for branch in added if belong(old, branch)), None)
            if new is not None:
                pairs.append((old, new))
                lost.remove(old)
                added.remove(new)
    return pairs, lost, added


def _compare_need(before: bool, after: bool, where: str, *, sent: bool) -> Iterator[Difference]:
    if before == after:
        return
    if sent:
        yield Difference(after, where, "now required" if after else "no longer required")
    else:
        yield Difference(before, where, "may be absent now" if before else "is always there now")


def _compare_values(old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[Difference]:
    """Enumerations and constants."""
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
    """Limits of what is accepted."""
    for key in (*LOWER_BOUNDS, *UPPER_BOUNDS, *FORMS):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if key in FORMS:
            narrower = after is not None
        else:
            tighter = before is None or after is None or (after > before) == (key in LOWER_BOUNDS)
            narrower = after is not None and tighter
        yield Difference(narrower, where, f"{key} {before} became {after}")
