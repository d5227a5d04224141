"""Half characters in calls: JSON may state one, UTF-8 cannot, and the protocol's reader drops such a line in silence.

>>> marked_line('{"network": "a\\\\ud800"}') == '{"network": "a' + MARK + '"}'
True
>>> marked_line('{"network": "\\\\ud83d\\\\ude00"}')
'{"network": "😀"}'
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio

MARK = "\ufdd0"
"""Stands for half a character until the call is refused; Unicode keeps this code for such uses."""
ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
HALF = re.compile("[\ud800-\udfff]")
REFUSAL = (
    "arguments: a text holds half a character (a lone surrogate); expected whole characters, as UTF-8 or as pairs of "
    "\\u escapes"
)


def marked_line(line: str) -> str:
    """Return a line of the protocol with a mark for each half character.

    line: JSON text; one that is none is returned as it is.
    """
    if not ESCAPED_HALF.search(line):
        return line
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return line
    return HALF.sub(MARK, json.dumps(data, ensure_ascii=False))


def has_half_character(name: str, arguments: Mapping[str, Any]) -> bool:
    """Tell whether a call holds half a character, or its mark.

    Args:
        name: name of the tool.
        arguments: arguments of the call.
    """
    text = name + json.dumps(arguments, ensure_ascii=False)
    return MARK in text or HALF.search(text) is not None


class MarkedLines:
    """Lines of stdin, with a mark for each half character."""

    def __init__(self) -> None:
        text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
        self._lines = anyio.wrap_file(text)

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield each line."""
        async for line in self._lines:
            yield marked_line(line)
