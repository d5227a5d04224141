"""Hints for texts of JSON and YAML that cannot be parsed."""

_WORDS_OF_PYTHON = ("True", "False", "None", "NaN", "Infinity")
_YAML = (
    ("mapping values are not allowed", "put a text that holds ': ' in quotes, or align the entries of a mapping"),
    ("expected ',' or '}'", "a comma or '}' is missing before this place"),
    ("expected ',' or ']'", "a comma or ']' is missing before this place"),
    ("did not find expected key", "align the entries of one mapping"),
    ("did not find expected '-' indicator", "align the entries of one list"),
    ("block sequence entries are not allowed", "start a list on a line of its own"),
)
"""What PyYAML says, and what is usually wrong."""


def json_hint(text: str, position: int) -> str:
    """Return what is usually wrong where JSON cannot be parsed on; empty if nothing is known.

    Args:
        text: the text.
        position: place in the text at which the parser stopped.
    """
    before, rest = text[:position].rstrip(), text[position:].lstrip()
    if not rest:
        return "the file may be truncated"
    if before.endswith(",") and rest[0] in "}]":
        return "leave out the comma behind the last value"
    if rest[0] in "}]" and before.endswith(":"):
        return "the value is missing"
    if rest[0] == "'":
        return "JSON has double quotes"
    if rest[0] in "#/":
        return "JSON has no comments"
    if rest.startswith(_WORDS_OF_PYTHON):
        return "JSON writes true, false and null"
    if rest[0] in '"{[' and before and before[-1] not in ",:{[":
        return "a comma is missing before this place"
    return ""


def yaml_hint(text: str, line: int, column: int, problem: str) -> str:
    """Return what is usually wrong where YAML cannot be parsed on; empty if nothing is known.

    Args:
        text: the text.
        line: line of the fault, from 0.
        column: place in the line, from 0.
        problem: text of the parser.
    """
    lines = text.splitlines()
    if line < len(lines) and lines[line][column : column + 1] == "\t":
        return "indent with blanks in place of tabs"
    return next((hint for part, hint in _YAML if part in problem), "")
