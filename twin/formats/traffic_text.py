"""Traffic from the command line: a CSV file, or a generator with its parameters in one text."""

from __future__ import annotations

import base64
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
NPY_ENDING = ".npy"
MAX_NPY_BYTES = 48_000_000
EXPECTED = "a CSV file, a .npy file, or a generator such as all-to-all:total_gbps=100"


def read_traffic(text: str | Path) -> TrafficBlock:
    """Return the block of `traffic` that a text or file stands for; its parameters are checked where it is used.

    Args:
        text: path of a CSV or .npy file, or `generator:name=value,name=value`.

    Raises:
        DocumentError: the file cannot be read, or a parameter without a value.
    """
    path = Path(text)
    if isinstance(text, Path) or path.suffix.lower() in (*CSV_ENDINGS, NPY_ENDING) or path.is_file():
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
        near = [str(item) for item in sorted(folder.iterdir()) if item.suffix.lower() in (*CSV_ENDINGS, NPY_ENDING)]
        hint = did_you_mean(str(path), near)
        raise DocumentError("no such file", where=str(path), expected=EXPECTED, hint=hint)
    if path.suffix.lower() == NPY_ENDING:
        return _block_of_npy(path)
    content = decode_utf8(read_content(path), str(path))
    if not content.strip():
        raise DocumentError("is empty", where=str(path), expected="a traffic matrix as CSV")
    return TrafficBlock(id=path.name[:100], generator="matrix", params={"csv": content})


def _block_of_npy(path: Path) -> TrafficBlock:
    if path.stat().st_size > MAX_NPY_BYTES:
        raise DocumentError("is too large", where=str(path), expected=f"at most {MAX_NPY_BYTES / 1e6:g} MB")
    text = base64.b64encode(path.read_bytes()).decode("ascii")
    return TrafficBlock(id=path.name[:100], generator="array_matrix", params={"npy": text})


def _value(text: str) -> Any:
    """Return a number, true or false, a list in brackets, or the text itself."""
    if text.startswith("[") and text.endswith("]"):
        return [_value(item.strip()) for item in text[1:-1].split(",") if item.strip()]
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | bool | str) else text
