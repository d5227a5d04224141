"""Traffic from the command line: a CSV file, or a generator with its parameters in one text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ..errors import DocumentError, did_you_mean
from ..errors.wording import value_text
from ..model.document import TrafficBlock
from . import read_content
from .readers import decode_utf8

CSV_ENDINGS = (".csv", ".tsv", ".txt")
EXPECTED = "a CSV file, or a generator such as all-to-all:total_gbps=100"


def read_traffic(text: str | Path) -> TrafficBlock:
    """Return the block of `traffic` that a text or file stands for; its parameters are checked where it is used.

    Args:
        text: path of a CSV file, or `generator:name=value,name=value`.

    Raises:
        DocumentError: the file cannot be read, or a parameter without a value.
    """
    path = Path(text)
    if isinstance(text, Path) or path.suffix.lower() in CSV_ENDINGS or path.is_file():
        return _block_of_file(path)
    generator, colon, listed = text.partition(":")
    if not re.fullmatch(r"[A-Za-z][\w-]*", generator):
        raise DocumentError(f"{value_text(text)} is no traffic", where="--demands", expected=EXPECTED)
    name = generator.replace("-", "_")
    params: dict[str, Any] = {}
    for item in re.split(r",(?![^\[]*\])", listed) if colon else ():
        key, equals, value = item.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not key:
            raise DocumentError(f"{value_text(item)} is no parameter", where="--demands", expected="name=value")
        if key in params:
            raise DocumentError(f"{key} stands twice", where="--demands", hint="give it once")
        params[key] = _value(value.strip())
    return TrafficBlock(id=name, generator=name, params=params)


def _block_of_file(path: Path) -> TrafficBlock:
    if not path.is_file():
        folder = path.parent if path.parent.is_dir() else Path()
        near = [str(item) for item in sorted(folder.iterdir()) if item.suffix.lower() in CSV_ENDINGS]
        hint = did_you_mean(str(path), near)
        raise DocumentError("no such file", where=str(path), expected=EXPECTED, hint=hint)
    content = decode_utf8(read_content(path), str(path))
    if not content.strip():
        raise DocumentError("is empty", where=str(path), expected="a traffic matrix as CSV")
    return TrafficBlock(id=path.name[:100], generator="matrix", params={"csv": content})


def _value(text: str) -> Any:
    """Return a number, true or false, a list in brackets, or the text itself."""
    if text.startswith("[") and text.endswith("]"):
        return [_value(item.strip()) for item in text[1:-1].split(",") if item.strip()]
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | bool | str) else text
