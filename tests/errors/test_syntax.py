"""Hints for texts that cannot be parsed, by what users write."""

from __future__ import annotations

import pytest

from twin.errors import DocumentError
from twin.formats.native import parse_mapping
from twin.imports.files import json_of


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{"a": [1, 2,]}', "leave out the comma behind the last value"),
        ('{"a": {"b": 1,\n }}', "leave out the comma behind the last value"),
        ('{"a": }', "the value is missing"),
        ("{'a': 1}", "JSON has double quotes"),
        ('{"a": 1 "b": 2}', "a comma is missing before this place"),
        ('{"a": [{} {}]}', "a comma is missing before this place"),
        ('{"a": None}', "JSON writes true, false and null"),
        ('{"a": 1} # note', "JSON has no comments"),
        ('{"a": [1,', "the file may be truncated"),
        ('{"a": x}', ""),
    ],
)
def test_json(text: str, hint: str) -> None:
    for read in (lambda: parse_mapping(text, "f", as_json=True), lambda: json_of(text, "f")):
        with pytest.raises(DocumentError) as caught:
            read()
        assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("nodes:\n\t- {id: a}", "indent with blanks in place of tabs"),
        ("nodes:\n- {id: a, kind: switch\n- {id: b}", "a comma or '}' is missing before this place"),
        ("ends: [a, b\nid: x", "a comma or ']' is missing before this place"),
        ("name: a: b", "put a text that holds ': ' in quotes, or align the entries of a mapping"),
        ("nodes:\n- {id: a}\n  - {id: b}", "align the entries of one mapping"),
        ("a: - b", "start a list on a line of its own"),
        ("a: *b", ""),
    ],
)
def test_yaml(text: str, hint: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_mapping(text, "f", as_json=False)
    assert caught.value.hint == hint
