"""Paths of inputs as text: names joined by dots; a name that contains dots is in double quotes."""

from __future__ import annotations

import re

from ..errors import ChangeError

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=[.=]|$)')
"""A quoted name; within it `\\"` is a quote and `\\\\` a backslash."""
BARE = re.compile(r"[^.=]*")
QUOTING = 'a name with dots stands in double quotes: links."a.b".n_parallel'


def split_axis(text: str) -> tuple[str, str | None]:
    """Split `path=values` at the first equals sign outside quotes; the values are None where there is none.

    Raises ChangeError for an unclosed quote.
    """
    _, end = _read_names(text)
    return text[:end], text[end + 1 :] if end < len(text) else None


def path_names(path: str) -> list[str]:
    """Return the names of a path without quotes: `links."a.b".n_parallel` has links, a.b and n_parallel.

    Raises ChangeError for an unclosed quote.
    """
    names, end = _read_names(path)
    if end < len(path):
        raise ChangeError(f"an equals sign in the path {path!r}", where="vary", expected=QUOTING)
    return names


def _read_names(text: str) -> tuple[list[str], int]:
    """Names at the start of a text, and the position after them."""
    names: list[str] = []
    at = 0
    while True:
        quoted = QUOTED.match(text, at)
        if quoted is not None:
            names.append(re.sub(r"\\(.)", r"\1", quoted[1]))
            at = quoted.end()
        elif text.startswith('"', at):
            raise _unclosed_quote(text, at)
        else:
            bare = BARE.match(text, at)
            assert bare is not None
            names.append(bare[0])
            at = bare.end()
        if not text.startswith(".", at):
            return names, at
        at += 1


def _unclosed_quote(text: str, at: int) -> ChangeError:
    """Error for an unclosed quote at position `at`, with a suggestion."""
    path = text[at + 1 :].split("=", 1)[0]
    name, dot, field = path.replace('"', "").rpartition(".")
    meant = f'{text[:at]}"{name}".{field}' if dot and name else f'{text[:at]}"{field}"'
    problem = f"no closing quote, followed by a dot or the end, in {text[:200]!r}"
    return ChangeError(problem, where="vary", expected=QUOTING, hint=f"did you mean '{meant[:200]}'?")
