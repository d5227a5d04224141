"""Files of an import: bounded content, and its plain data, parsed once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from ..errors import DocumentError
from ..errors.syntax import json_hint
from ..errors.wording import type_text
from ..formats.readers import UTF8_MARK, decode_utf8, whole_number

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_FILES = 1000
MAX_FILES_BELOW = 50_000
"""Most files of a folder and all folders in it."""
MAX_RECORDS = 1_000_000
"""Records of one list: rows of a table, nodes, edges, demands, or objects of an endpoint."""
HEAD_BYTES = 4096
"""Bytes at the start of a file by which a format is recognised."""


class SourceFile:
    """A file that the user named, or a file in a folder that the user named."""

    sheet: str | None = None
    """Sheet of a workbook; None = the first."""
    book: Any = None
    """Its workbook, once it is open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)
        self.name = path.name
        """Name in the `source` of records, so that a document does not depend on where the file lay."""

    @property
    def whole(self) -> SourceFile:
        """The file that this sheet is part of; itself for any other file."""
        return self

    @property
    def ending(self) -> str:
        """Ending of the file name, lower case."""
        return self.path.suffix.lower()

    @cached_property
    def content(self) -> bytes:
        """Content of the file. Raises DocumentError if it is missing or too large."""
        try:
            size = self.path.stat().st_size
            if size > MAX_FILE_BYTES:
                raise DocumentError(f"{size:,} bytes", where=self.where, expected=f"at most {MAX_FILE_BYTES:,} bytes")
            return self.path.read_bytes().removeprefix(UTF8_MARK)
        except OSError as error:
            raise DocumentError(f"cannot be read: {error.strerror}", where=self.where) from error

    @cached_property
    def text(self) -> str:
        """Content as text. Raises DocumentError with the position of the first byte that is no UTF-8."""
        return decode_utf8(self.content, self.where)

    @property
    def head(self) -> str:
        """Start of the content as text; bytes that are no UTF-8 are replaced."""
        return self.content[:HEAD_BYTES].decode("utf-8", "replace").lstrip()

    @cached_property
    def data(self) -> Any:
        """Content as plain data of JSON. Raises DocumentError with line and column of a syntax error."""
        return json_of(self.text, self.where)

    @property
    def looks_like_json(self) -> bool:
        """Return whether the content starts as JSON does."""
        return self.head[:1] in ("{", "[") and self.ending not in (".csv", ".tsv", ".xml", ".graphml")


class GivenFile(SourceFile):
    """Content that the caller has, which looks like a file of this name."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(Path(name))
        self.content = content.removeprefix(UTF8_MARK)


def json_of(text: str, where: str) -> Any:
    """Return a JSON text as plain data. Raises DocumentError with line and column of a syntax error."""
    try:
        return json.loads(
            text, parse_constant=_refuse_constant, parse_int=whole_number, object_pairs_hook=_without_duplicates
        )
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise DocumentError(problem, where=where, hint=json_hint(text, error.pos)) from error
    except RecursionError as error:
        raise DocumentError("is nested too deeply", where=where) from error
    except ValueError as error:
        raise DocumentError(str(error), where=where) from error


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"key {twice!r} stands twice in one object")
    return data


def source_files(paths: Iterable[Path]) -> list[SourceFile]:
    """Return the files of paths, those of a folder by name; links out of a folder and hidden files are left out.

    Raises:
        DocumentError: a path that is missing, an empty folder, or too many files.
    """
    found: list[SourceFile] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.is_file() and not p.is_symlink() and p.name[0] != ".")
            if not inside:
                raise DocumentError("is a folder without files", where=str(path))
            found += map(SourceFile, inside[: MAX_FILES + 1])
        elif not path.exists():
            raise DocumentError("no such file or folder", where=str(path))
        else:
            found.append(SourceFile(path))
    if not found:
        raise DocumentError("no file to import", hint="name a file or a folder")
    if len(found) > MAX_FILES:
        raise DocumentError(f"{len(found):,} files", where=found[0].where, expected=f"at most {MAX_FILES:,}")
    return found


def files_below(paths: Iterable[Path], endings: tuple[str, ...]) -> list[SourceFile]:
    """Return the files of paths and of all folders in them, by path; links and hidden names are left out.

    Raises:
        DocumentError: a path that is missing, no file with one of the endings, or too many files.
    """
    found: list[SourceFile] = []
    listed = list(paths)
    for path in listed:
        if not path.is_dir():
            found += source_files([path])
            continue
        for folder, folders, names in os.walk(path):  # links to folders are not followed
            folders[:] = sorted(name for name in folders if name[0] != ".")
            inside = (Path(folder, name) for name in sorted(names) if name[0] != "." and name.endswith(endings))
            found += [SourceFile(file) for file in inside if not file.is_symlink()]
            if len(found) > MAX_FILES_BELOW:
                expected, hint = f"at most {MAX_FILES_BELOW:,} files", "name a folder below it"
                raise DocumentError("holds too many files", where=str(path), expected=expected, hint=hint)
    if not found:
        where = ", ".join(map(str, listed[:10]))
        raise DocumentError("holds no such file", where=where, expected=f"files that end in {', '.join(endings)}")
    return found


def records_of(value: Any, where: str, hint: str = "") -> list[Mapping[str, Any]]:
    """Return a list of mappings. Raises DocumentError for anything else, naming the first item that is none."""
    if not isinstance(value, list):
        raise DocumentError(f"holds {type_text(value)}", where=where, expected="a list of objects", hint=hint)
    check_count(len(value), where)
    for i, item in enumerate(value):
        if not isinstance(item, Mapping):
            raise DocumentError(f"holds {type_text(item)}", where=f"{where}[{i}]", expected="an object", hint=hint)
    return value


def check_count(n: int, where: str) -> None:
    """Raise DocumentError for more records than an import takes."""
    if n > MAX_RECORDS:
        raise DocumentError(
            f"{n:,} records", where=where, expected=f"at most {MAX_RECORDS:,}", hint="split it into several files"
        )
