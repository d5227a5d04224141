"""The native format, YAML or JSON; all faults of a file are reported at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from ..collector import collector_paused
from ..errors import DocumentError
from ..errors.syntax import json_hint, yaml_hint
from ..errors.wording import type_text
from ..model.document import TopologyDocument
from ..model.validation import MAX_DEPTH, validate_as
from .migrations import migrate
from .readers import MAX_DIGITS, decode_utf8, whole_number

MAX_VALUES = 50_000_000
MAX_MERGED = 1_000_000
"""Pairs that merge keys may copy in one file."""
CONTENT = re.compile(r"^[ \t]*(?!#|---\s*$)\S", re.MULTILINE)
"""Start of a text of YAML that is no comment."""
MERGE_TAG = "tag:yaml.org,2002:merge"
TEXT_TAG = "tag:yaml.org,2002:str"
VALUE_TAG = "tag:yaml.org,2002:value"
"""Tag of the key `=`, which is a text here."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _UniqueKeyLoader(_Loader):  # type: ignore[misc]
    """YAML loader that refuses duplicate keys instead of overwriting silently."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._tags: dict[str, str] = {}

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of a node; each plain text is matched with the patterns once."""
        if kind is not yaml.ScalarNode or not implicit[0]:
            return super().resolve(kind, value, implicit)
        if value not in self._tags:
            self._tags[value] = super().resolve(kind, value, implicit)
        return self._tags[value]

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        if not isinstance(node, yaml.MappingNode):
            return super().construct_mapping(node, deep)  # refuses a tag before another value
        data: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE_TAG:  # merges of merges grow without bound before anything can count them
                raise yaml.constructor.ConstructorError(None, None, "no merge keys (<<) here", key_node.start_mark)
            key = key_node.value if key_node.tag == VALUE_TAG else self.construct_object(key_node, deep=True)
            if isinstance(key, list | dict | set):
                raise yaml.constructor.ConstructorError(None, None, "a key must be plain text", key_node.start_mark)
            if key in data:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
            data[key] = self.construct_object(value_node, deep)
        return data

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Return the value of a node; a text, the most frequent one, without the way through the constructors."""
        if node.tag == TEXT_TAG and type(node) is yaml.ScalarNode:
            return node.value
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, AttributeError) as error:  # PyYAML raises these for odd tags
            problem = f"a tag does not fit its value: {error}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


class _MergingLoader(_UniqueKeyLoader):
    """Loader that also expands merge keys (`<<`), each key once, within a bound on the pairs that are copied."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._n_merged = 0
        self._open: set[int] = set()

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        self._merge(node)
        return super().construct_mapping(node, deep)

    def _merge(self, node: Any) -> None:
        """Put the pairs of merged mappings into a node; its own keys, and those of earlier mappings, go first."""
        if all(key.tag != MERGE_TAG for key, _ in node.value):
            return
        if id(node) in self._open:
            raise yaml.constructor.ConstructorError(None, None, "a merge key names itself", node.start_mark)
        self._open.add(id(node))
        own = [pair for pair in node.value if pair[0].tag != MERGE_TAG]
        taken = {key.value for key, _ in own if isinstance(key, yaml.ScalarNode)}
        for key, value in node.value:
            if key.tag != MERGE_TAG:
                continue
            for other in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(other, yaml.MappingNode):
                    raise yaml.constructor.ConstructorError(None, None, "a merge key takes mappings", key.start_mark)
                self._merge(other)
                own += [pair for pair in other.value if pair[0].value not in taken]
                taken |= {pair[0].value for pair in other.value if isinstance(pair[0], yaml.ScalarNode)}
                self._n_merged += len(other.value)
                if self._n_merged > MAX_MERGED:
                    raise yaml.constructor.ConstructorError(None, None, "too many merge keys (<<)", key.start_mark)
        node.value = own
        self._open.discard(id(node))


class _Dumper(_SafeDumper):  # type: ignore[misc]
    """YAML dumper that quotes texts which `_UniqueKeyLoader` would read as numbers."""

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> Any:
        """Return the node of a mapping; texts, the most frequent values, without the way through the representers."""
        pairs: list[tuple[Any, Any]] = []
        node = yaml.MappingNode(tag, pairs, flow_style=bool(flow_style))
        if self.alias_key is not None:
            self.represented_objects[self.alias_key] = node
        pairs += ((self._node(key), self._node(value)) for key, value in mapping.items())
        return node

    def _node(self, value: Any) -> Any:
        return yaml.ScalarNode(TEXT_TAG, value) if type(value) is str else self.represent_data(value)


CORE_SCHEMA = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
}
"""Plain texts that are read as numbers and booleans, by tag: those of the core schema of YAML 1.2. Others are texts:
`1:30`, `1_000` and `yes`, which YAML 1.1 reads as 90, 1000 and true.

Source: YAML 1.2.2, section 10.3.2."""
_UniqueKeyLoader.yaml_implicit_resolvers = {
    first: [row for row in rows if row[0].rpartition(":")[2] not in CORE_SCHEMA]
    for first, rows in _Loader.yaml_implicit_resolvers.items()
}
for _tag, (_pattern, _first) in CORE_SCHEMA.items():
    for _kind in (_UniqueKeyLoader, _Dumper):  # the dumper also quotes what YAML 1.1 reads as a number
        _kind.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^({_pattern})$"), list(_first))


def _construct_int(loader: Any, node: Any) -> int:
    text = loader.construct_scalar(node)
    try:
        return whole_number(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    except ValueError as error:  # too long, or a tag !!int before another text
        problem = f"{text!r} is no whole number" if len(text) <= MAX_DIGITS else str(error)
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


def _construct_date(loader: Any, node: Any) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except (ValueError, AttributeError):  # 2026-13-01 stays a text, so that the field that holds it refuses it
        return loader.construct_scalar(node)


_UniqueKeyLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_UniqueKeyLoader.add_constructor("tag:yaml.org,2002:timestamp", _construct_date)


def parse_json(content: bytes, where: str, expected: str) -> dict[str, Any]:
    """Return JSON content as plain data; see `parse_mapping`."""
    return parse_mapping(decode_utf8(content, where), where, as_json=True, expected=expected)


def parse_yaml(content: bytes, where: str, expected: str) -> dict[str, Any]:
    """Return YAML content as plain data; see `parse_mapping`."""
    return parse_mapping(decode_utf8(content, where), where, as_json=False, expected=expected)


def parse_mapping(
    text: str, where: str, *, as_json: bool, expected: str = "a mapping with nodes and links", merges: bool = False
) -> dict[str, Any]:
    """Parse a text to plain data with a mapping at the top level.

    Args:
        text: JSON or YAML text.
        where: file or place, for messages.
        as_json: parse as JSON instead of YAML.
        expected: description of the expected mapping, for messages.
        merges: expand the merge keys of YAML instead of refusing them.

    Raises:
        DocumentError: syntax error (with line and column), too deep, too large, or no mapping.
    """
    try:
        with collector_paused():
            data = _load_json(text) if as_json else _load_yaml(text, merges)
            n_values, depth = _extent(data, {})
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise DocumentError(problem, where=where, hint=json_hint(text, error.pos)) from error
    except _ContainsItselfError as error:
        line, column, name = _alias_to_itself(text)
        problem = f"line {line}, column {column}: alias *{name} stands inside its own anchor &{name}"
        raise DocumentError(problem, where=where, expected="no value that contains itself") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = str(getattr(error, "problem", None) or error)
        hint = yaml_hint(text, mark.line, mark.column, problem) if mark else ""
        raise DocumentError(f"{place}{problem}", where=where, hint=hint) from error
    except RecursionError as error:
        raise DocumentError("is nested too deeply", where=where, expected=f"at most {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise DocumentError(str(error), where=where) from error
    except (TypeError, LookupError, AttributeError) as error:  # PyYAML raises these for such tags
        raise DocumentError(f"a tag does not fit its value: {error}", where=where) from error
    if depth > MAX_DEPTH:
        raise DocumentError("is nested too deeply", where=where, expected=f"at most {MAX_DEPTH} levels")
    if n_values > MAX_VALUES:
        raise DocumentError(
            "is too large once its aliases are written out", where=where, expected=f"{MAX_VALUES} values"
        )
    if not isinstance(data, dict):
        problem = f"holds {type_text(data)}" if CONTENT.search(text) else "is empty"
        raise DocumentError(problem, where=where, expected=expected)
    return data


def _load_json(text: str) -> Any:
    return json.loads(text, parse_int=whole_number, object_pairs_hook=_without_duplicates)


def _load_yaml(text: str, merges: bool) -> Any:
    """Parse YAML; nesting is measured on the events first, because libyaml's composer overruns the C stack."""
    indentation = max(map(len, re.findall(r"^[ ?:-]+", text, re.MULTILINE)), default=0)
    if text.count("[") + text.count("{") + 2 * indentation > MAX_DEPTH:
        depth = 0
        for event in yaml.parse(text, _Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise RecursionError
    return yaml.load(text, _MergingLoader if merges else _UniqueKeyLoader)


class _ContainsItselfError(Exception):
    """A value contains itself by an alias."""


def _extent(data: Any, known: dict[int, tuple[int, int] | None]) -> tuple[int, int]:
    """Return (number of values, depth) of nested data with all aliases expanded.

    known: results by id of shared parts, each counted once and multiplied; None while a part is being counted.
    """
    if not isinstance(data, dict | list):
        return 1, 0
    if id(data) not in known:
        known[id(data)] = None
        parts = [_extent(part, known) for part in (data.values() if isinstance(data, dict) else data)]
        known[id(data)] = 1 + sum(n for n, _ in parts), 1 + max((depth for _, depth in parts), default=0)
    found = known[id(data)]
    if found is None:
        raise _ContainsItselfError
    return found


def _alias_to_itself(text: str) -> tuple[int, int, str]:
    """Return line, column and name of the first alias that stands inside the value of its own anchor."""
    anchors: dict[str, int] = {}
    open_values: list[int] = []
    events: Iterator[Any] = yaml.parse(text, _Loader)
    for i, event in enumerate(events):
        name, mark = getattr(event, "anchor", None) or "", event.start_mark
        if not isinstance(event, yaml.AliasEvent):
            anchors |= {name: i} if name else {}
        elif anchors.get(name, -1) in open_values:
            return mark.line + 1, mark.column + 1, name
        if isinstance(event, yaml.CollectionStartEvent):
            open_values.append(i)
        elif isinstance(event, yaml.CollectionEndEvent):
            open_values.pop()
    raise AssertionError


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in pairs:
        if key in data:
            raise ValueError(f"key {key!r} stands twice")
        data[key] = value
    return data


def parse_document(data: Mapping[str, Any], where: str = "document") -> TopologyDocument:
    """Validate plain data as a document. Raises DocumentError with all bad fields and similar names."""
    document: TopologyDocument = validate_as(TopologyDocument, migrate(dict(data), where), where)
    return document


def to_json_bytes(document: TopologyDocument) -> bytes:
    """Return a document in canonical order as JSON."""
    return document.to_json().encode()


def to_yaml_bytes(document: TopologyDocument) -> bytes:
    """Return a document in canonical order as YAML."""
    with collector_paused():
        text: str = yaml.dump(document.to_dict(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()
