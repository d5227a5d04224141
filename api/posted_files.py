"""Files in a request body: one file, or those of a zip archive, by name and within bounds."""

from __future__ import annotations

import re
import zipfile
import zlib
from io import BytesIO
from lzma import LZMAError
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from twin.errors import DocumentError
from twin.errors.wording import counted, quoted
from twin.imports.files import MAX_FILES
from twin.model.measurements import Measurement

MAX_UNPACKED_BYTES = 64 * 1024 * 1024
"""Most bytes of all files of an archive."""
NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")
Filename = Annotated[
    str,
    Query(description="Name of the posted file; its ending counts. A `.zip` is read as a folder of files."),
]


class MeasurementsBody(BaseModel):
    """Measurements as records of a document."""

    model_config = ConfigDict(extra="forbid")

    measurements: Annotated[tuple[Measurement, ...], Field(max_length=2_000_000)]


def posted_files(body: bytes, filename: str) -> dict[str, bytes]:
    """Return the content of posted files by name.

    Args:
        body: a file, or a zip archive of files if its name ends in `.zip`.
        filename: name of the file, without folders.

    Raises:
        DocumentError: a bad name, an empty body, or an archive that cannot be read or is too large.
    """
    if not NAME.fullmatch(filename) or filename in (".", ".."):
        raise DocumentError(f"{quoted(filename)} is no name of a file", where="query.filename", hint="cables.csv")
    if not body:
        raise DocumentError("is empty", where="body", expected="the content of a file")
    return _unpacked(body, filename) if filename.lower().endswith(".zip") else {filename: body}


def _unpacked(body: bytes, filename: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    n_bytes = 0
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) > MAX_FILES:
                raise DocumentError(counted(len(members), "file"), where=filename, expected=f"at most {MAX_FILES:,}")
            for info in members:
                name = PurePosixPath(info.filename).name
                if name.startswith(".") or not NAME.fullmatch(name):
                    continue
                if name.lower().endswith(".zip"):
                    problem = f"{quoted(name)} in it is an archive; archives in archives are not read"
                    raise DocumentError(problem, where=filename, hint="put its files into this archive")
                if name in found:
                    raise DocumentError(f"two files {quoted(name)}", where=filename, hint="folders in it do not count")
                with archive.open(info) as member:
                    content = member.read(MAX_UNPACKED_BYTES - n_bytes + 1)  # sizes in the archive may lie
                n_bytes += len(content)
                if n_bytes > MAX_UNPACKED_BYTES:
                    expected = f"at most {MAX_UNPACKED_BYTES:,} bytes of files"
                    raise DocumentError("holds too much", where=filename, expected=expected)
                found[name] = content
    except (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, RuntimeError, ValueError) as error:
        # RuntimeError: encrypted, or NotImplementedError for another compression
        raise DocumentError(f"is no zip archive that can be read: {error}", where=filename) from error
    if not found:
        raise DocumentError("holds no file", where=filename)
    return dict(sorted(found.items()))
