"""What a reader and a writer of files are, and how a file's text comes out of its bytes."""

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
    """From content, the place that errors name, and what the mapping is expected to hold, to plain data.

    Raises DocumentError with line and column where the content has them.
    """


@dataclass(frozen=True, slots=True)
class Writer:
    """A row of the table of writers: one kind of file."""

    name: str
    sentence: str
    write: Callable[[TopologyDocument], bytes]
    """From a document to the content of a file that the reader of the same ending reads."""


def text_of(content: bytes, where: str) -> str:
    """Return UTF-8 content as text. Raises DocumentError with the place of the first byte that is none."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(f"is not UTF-8 text (byte {error.start})", where=where) from error
