"""Rows of the tables of readers and writers, and the decoding of file contents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import DocumentError
from ..model.document import TopologyDocument


@dataclass(frozen=True, slots=True)
class Reader:
    """A row of the table of readers: one kind of file."""

    name: str
    sentence: str
    parse: Callable[[bytes, str, str], dict[str, Any]]
    """Function of (content, place for messages, description of the expected mapping) that returns plain data.

    Raises DocumentError, with line and column for text formats.
    """


@dataclass(frozen=True, slots=True)
class Writer:
    """A row of the table of writers: one kind of file."""

    name: str
    sentence: str
    write: Callable[[TopologyDocument], bytes]
    """Function from a document to file content that the reader of the same extension reads."""


MAX_DIGITS = 3_500
"""Longest whole number of a text. Python writes no number of over 4,300 decimal digits; so many hexadecimal ones fit.
"""

UTF8_MARK = b"\xef\xbb\xbf"
"""Byte order mark of UTF-8, which says nothing about the text."""


def whole_number(text: str, base: int = 10) -> int:
    """Return the whole number that a text states. Raises ValueError for another text, or too many digits."""
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text):,} digits; at most {MAX_DIGITS:,} are read")
    return int(text, base)


def decode_utf8(content: bytes, where: str) -> str:
    """Return UTF-8 content as text, without the mark that some editors write at its start.

    Args:
        content: bytes of a file or a body.
        where: its place, for messages.

    Raises:
        DocumentError: the content is no UTF-8; it has the position of the first invalid byte.
    """
    try:
        return content.decode("utf-8").removeprefix(UTF8_MARK.decode())
    except UnicodeDecodeError as error:
        raise DocumentError(f"is not UTF-8 text (byte {error.start})", where=where) from error
