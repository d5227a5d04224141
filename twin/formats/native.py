"""The native format, YAML or JSON, and its faults said so that they can be mended in one go."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping
from datetime import date, datetime
from threading import RLock
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from ..errors import DocumentError, Issue
from ..errors.validation import MAX_SHOWN, document_error, place_of
from ..model.document import TopologyDocument
from .migrations import migrate
from .readers import text_of

MAX_VALUES = 50_000_000
MAX_DEPTH = 100
"""Of lists and mappings within one another; far beyond what a document needs, far below what parsers can bear."""
MERGE_TAG = "tag:yaml.org,2002:merge"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeyLoader(_Loader):  # type: ignore[misc]
    """YAML in which a key said twice is a fault and not a silent overwrite."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == MERGE_TAG:  # merges of merges grow without bound before anything can count them
                raise yaml.constructor.ConstructorError(None, None, "no merge keys (<<) here", key_node.start_mark)
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, list | dict | set):
                raise yaml.constructor.ConstructorError(None, None, "a key must be plain text", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Writes a text in quotes where `_UniqueKeyLoader` would take it for a number."""


for _kind in (_UniqueKeyLoader, _Dumper):  # YAML 1.1 takes 1e-6 for text, which nobody means
    _kind.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
    )


def parse_json(content: bytes, where: str, expected: str) -> dict[str, Any]:
    """Return JSON content as plain data; see `parse_mapping`."""
    return parse_mapping(text_of(content, where), where, as_json=True, expected=expected)


def parse_yaml(content: bytes, where: str, expected: str) -> dict[str, Any]:
    """Return YAML content as plain data; see `parse_mapping`."""
    return parse_mapping(text_of(content, where), where, as_json=False, expected=expected)


def parse_mapping(
    text: str, where: str, *, as_json: bool, expected: str = "a mapping with nodes and links"
) -> dict[str, Any]:
    """Text as plain data, a mapping at the top. Raises DocumentError with line and column."""
    try:
        data = json.loads(text, object_pairs_hook=_unique) if as_json else _load_yaml(text)
        n_values, depth = _extent(data, {})
    except json.JSONDecodeError as error:
        raise DocumentError(f"line {error.lineno}, column {error.colno}: {error.msg}", where=where) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise DocumentError(f"{place}{getattr(error, 'problem', None) or error}", where=where) from error
    except RecursionError as error:
        raise DocumentError("is nested too deeply", where=where, expected=f"at most {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise DocumentError(str(error), where=where) from error
    except (TypeError, LookupError, AttributeError) as error:  # PyYAML's ways to say so
        raise DocumentError(f"a tag does not fit its value: {error}", where=where) from error
    if depth > MAX_DEPTH:
        raise DocumentError("is nested too deeply", where=where, expected=f"at most {MAX_DEPTH} levels")
    if n_values > MAX_VALUES:
        raise DocumentError(
            "is too large once its aliases are written out", where=where, expected=f"{MAX_VALUES} values"
        )
    if not isinstance(data, dict):
        raise DocumentError("is empty" if data is None else f"holds {in_words(data)}", where=where, expected=expected)
    return data


def in_words(value: Any) -> str:
    """What kind of plain data a value is, for whoever wrote it as YAML or JSON."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    kinds = ((int | float, "a number"), (str, "a text"), (list, "a list"), (dict, "a mapping"))
    return next((words for kind, words in kinds if isinstance(value, kind)), f"a {type(value).__name__}")


def _load_yaml(text: str) -> Any:
    """YAML as plain data; nesting is measured on its events first, for libyaml's composer overruns the C stack."""
    indentation = max(map(len, re.findall(r"^[ ?:-]+", text, re.MULTILINE)), default=0)
    if text.count("[") + text.count("{") + 2 * indentation > MAX_DEPTH:
        depth = 0
        for event in yaml.parse(text, _Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise RecursionError
    return yaml.load(text, _UniqueKeyLoader)


def _extent(data: Any, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """(values, depth) of nested data with every alias written out; shared parts are looked at once and multiplied."""
    if not isinstance(data, dict | list):
        return 1, 0
    if id(data) not in known:
        known[id(data)] = MAX_VALUES + 1, 0  # an alias to itself has no end
        parts = [_extent(part, known) for part in (data.values() if isinstance(data, dict) else data)]
        known[id(data)] = 1 + sum(n for n, _ in parts), 1 + max((depth for _, depth in parts), default=0)
    return known[id(data)]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in pairs:
        if key in data:
            raise ValueError(f"key {key!r} stands twice")
        data[key] = value
    return data


def parse_document(data: Mapping[str, Any], where: str = "document") -> TopologyDocument:
    """Plain data as a validated document. Raises DocumentError with every bad field and near names."""
    document: TopologyDocument = validate_as(TopologyDocument, migrate(dict(data), where), where)
    return document


_BUILDING = RLock()
_ADAPTERS: dict[Hashable, TypeAdapter[Any]] = {}


def adapter_of(kind: Any) -> TypeAdapter[Any]:
    """The validator of a model, record or union, built once in a process; of threads that ask at once one builds it.

    Building takes up to 40 ms, and Python 3.11 cannot do it in two threads at a time: it parses source, and its parser
    counts depth for all threads together.
    """
    with _BUILDING:
        if kind not in _ADAPTERS:
            _ADAPTERS[kind] = TypeAdapter(kind)
        return _ADAPTERS[kind]


def validate_as(kind: Any, data: Any, where: str) -> Any:
    """Data as a pydantic model or union, strictly typed; DocumentError lists every fault with its place."""
    adapter = adapter_of(kind)
    try:
        text = json.dumps(data, default=_json_value)
    except RecursionError as error:
        raise DocumentError("is nested too deeply", where=where, expected=f"at most {MAX_DEPTH} levels") from error
    except (TypeError, ValueError) as error:
        raise DocumentError(str(error), where=where, expected="plain data: text, numbers, lists, mappings") from error
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        place = _surrogate(data)
        if place is not None:
            raise DocumentError("1 bad field", where=where, found=[place]) from error
        raise document_error(error, data, adapter.json_schema, where) from error


_SURROGATE = re.compile("[\\ud800-\\udfff]")


def _surrogate(data: Any) -> Issue | None:
    """The first text with half of a surrogate pair: no encoding can write it."""
    waiting: list[tuple[list[Any], Any]] = [([], data)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += [(path, key) for key in item]
            waiting += [([*path, key], value) for key, value in item.items()]
        elif isinstance(item, list | tuple):
            waiting += [([*path, i], value) for i, value in enumerate(item)]
        elif isinstance(item, str) and _SURROGATE.search(item):
            where = place_of(path, data).encode("ascii", "backslashreplace").decode()
            problem = f"a lone surrogate, half of a character, in {ascii(item)[:MAX_SHOWN]}"
            return Issue(where, problem, "write the whole character as UTF-8")
    return None


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        raise TypeError(f"{value} is a time; dates are written 2026-01-31")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    raise TypeError(f"{value!r} is a {type(value).__name__}")


def json_of(document: TopologyDocument) -> bytes:
    """Return a document in canonical order as JSON."""
    return document.to_json().encode()


def yaml_of(document: TopologyDocument) -> bytes:
    """Return a document in canonical order as YAML."""
    text: str = yaml.dump(document.to_dict(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()
