"""Inputs of a sweep in words, for pictures."""

from __future__ import annotations

import re

from ..units import SUFFIXES, unit_of

PARALLELISM = {
    "cp": "context ranks (cp)",
    "dp": "replicas (dp)",
    "ep": "expert ranks (ep)",
    "pp": "pipeline stages (pp)",
    "tp": "tensor ranks (tp)",
}
LINK_FIELDS = {"total_gbps": "capacity", "length_km": "length", "n_parallel": "members", "n_failed": "failed members"}
UNITS = {"age": "years", "demands": "times those of the document"}
"""Units of inputs whose names have no unit suffix."""
NAME = re.compile(r'"((?:[^"\\]|\\.)*)"|([^.]+)')
"""One name of a path; a name that holds dots is in double quotes."""


def field_words(field: str) -> str:
    """Return a field in words without its unit: `n_global_batch` is `global batch`."""
    words = field.removeprefix("n_").split("_")
    if "per" in words:
        words = words[: words.index("per")]
    if not field.startswith("n_") and words[-1] in SUFFIXES:
        words = words[:-1]
    return " ".join(words)


def input_words(path: str) -> tuple[str, str | None]:
    """Return an input of a sweep in words, and its unit or None.

    `links.wan-*.length_km` is `length of each link wan-*` in km.
    """
    root, *names = [re.sub(r"\\(.)", r"\1", quoted) if quoted else bare for quoted, bare in NAME.findall(path)]
    unit = UNITS.get(path) or unit_of(path.rsplit(".", 1)[-1])
    if root == "links" and len(names) == 2:
        return f"{LINK_FIELDS.get(names[1], field_words(names[1]))} of each link {names[0]}", unit
    if root == "placement" and len(names) == 2:
        return f"{field_words(names[1])} at {names[0]}", unit
    if root == "mix" and len(names) == 3:
        return f"share of {names[1]} at {names[0]}, the others {names[2]}", None
    field = names[-1] if names else root
    return PARALLELISM.get(field) or field_words(field), unit


def with_unit(words: str, unit: str | None) -> str:
    """Return words with a unit in parentheses; nothing for counts and ratios."""
    return f"{words} ({unit})" if unit not in (None, "", "1") else words
