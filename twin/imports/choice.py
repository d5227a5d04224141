"""Choice of a format: by name, or by what recognises the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from ..errors import DocumentError, did_you_mean
from ..errors.wording import quoted
from .files import SourceFile


class Recognising(Protocol):
    """A format that tells whether files are its own."""

    @property
    def name(self) -> str:
        """Name of the format."""

    @property
    def recognise(self) -> Callable[[Sequence[SourceFile]], bool]:
        """Function that looks at files; it never raises for their content."""


Row = TypeVar("Row", bound=Recognising)
Named = TypeVar("Named")


def named_format(name: str, formats: Mapping[str, Named]) -> Named:
    """Return the format of a name. Raises DocumentError with similar names."""
    if name not in formats:
        hint = did_you_mean(name, formats)
        raise DocumentError(f"no format {quoted(name)}", expected=f"one of {', '.join(formats)}", hint=hint)
    return formats[name]


def recognised_format(files: Sequence[SourceFile], formats: Mapping[str, Row], none: str, usage: str) -> Row:
    """Return the only format that recognises the files.

    Args:
        files: at least one file.
        formats: rows by name.
        none: problem where no format fits.
        usage: command that names a format, with FORMAT in the place of the name.

    Raises:
        DocumentError: none or several fit; the message names the candidates.
    """
    found = [row for row in formats.values() if row.recognise(files)]
    if len(found) == 1:
        return found[0]
    where = files[0].where
    if not found:
        raise DocumentError(none, where=where, expected=f"one of {', '.join(formats)}", hint=usage)
    names = ", ".join(row.name for row in found)
    hint = usage.replace("FORMAT", found[0].name)
    raise DocumentError(f"several formats fit: {names}", where=where, hint=hint)
