"""Paths of inputs as text: names joined by dots, in quotes where a name holds dots."""

from __future__ import annotations

import re

from ..errors import ChangeError

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=[.=]|$)')
"""A quoted name; within it `\\"` is a quote and `\\\\` a backslash."""
BARE = re.compile(r"[^.=]*")
QUOTING = 'a name with dots stands in double quotes: links."a.b".n_parallel'


def split_axis(text: str) -> tuple[str, str | None]:
    """(path, values) of `path=values`, cut at the first equals sign outside quotes; None where there is none.

    Raises ChangeError for a quote without its partner.
    """
    _, end = _read(text)
    return text[:end], text[end + 1 :] if end < len(text) else None


def path_names(path: str) -> list[str]:
    """The names of a path, without their quotes: `links."a.b".n_parallel` has links, a.b and n_parallel.

    Raises ChangeError for a quote without its partner.
    """
    names, end = _read(path)
    if end < len(path):
        raise ChangeError(f"an equals sign in the path {path!r}", where="vary", expected=QUOTING)
    return names


def _read(text: str) -> tuple[list[str], int]:
    """The names that a text begins with, and where it goes on behind them."""
    names: list[str] = []
    at = 0
    while True:
        quoted = QUOTED.match(text, at)
        if quoted is not None:
            names.append(re.sub(r"\\(.)", r"\1", quoted[1]))
            at = quoted.end()
        elif text.startswith('"', at):
            raise _unbalanced(text, at)
        else:
            bare = BARE.match(text, at)
            assert bare is not None
            names.append(bare[0])
            at = bare.end()
        if not text.startswith(".", at):
            return names, at
        at += 1


def _unbalanced(text: str, at: int) -> ChangeError:
    """The error for a quote at this place that nothing closes, with what was probably meant."""
    path = text[at + 1 :].split("=", 1)[0]
    name, dot, field = path.replace('"', "").rpartition(".")
    meant = f'{text[:at]}"{name}".{field}' if dot and name else f'{text[:at]}"{field}"'
    problem = f"no closing quote, followed by a dot or the end, in {text[:200]!r}"
    return ChangeError(problem, where="vary", expected=QUOTING, hint=f"did you mean '{meant[:200]}'?")
