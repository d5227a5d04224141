"""Inputs of a sweep in a request: a text `path=values` as after `--vary`, or a path and a list of values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from twin.errors import ChangeError, DocumentError, Issue, did_you_mean
from twin.errors.wording import type_text
from twin.model.validation import validate_as
from twin.studies.inputs import FORM, MAX_VALUES, PATHS, Axis, axis_of
from twin.studies.paths import split_axis

MAX_TEXT_CHARACTERS = 2000
"""Longest text of values. A list may be longer."""
MAX_NUMBER = 1e15
MAX_AXES = 2
FIRST_WORDS = {path.partition(".")[0] for path in PATHS}
WORD_PATTERN = r"^[A-Za-z_]\w*([.+-]\w+)*$"
PATH_PATTERN = r'^([^="]|"([^"\\]|\\.)*")+$'
"""Names joined by dots; a name in double quotes may hold dots and equals signs."""

AXIS_PATTERN = rf"^({'|'.join(sorted(FIRST_WORDS))})([.].*)?=.+"
"""First word of a known path, and values after an equals sign."""

AxisText = Annotated[
    str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS, json_schema_extra={"pattern": AXIS_PATTERN})
]
ValuesText = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)]
AxisValue = float | Annotated[str, Field(max_length=200, pattern=WORD_PATTERN)]
AxisPath = Annotated[
    str, Field(min_length=1, max_length=500, pattern=PATH_PATTERN, description=f"One of {', '.join(PATHS)}.")
]


class AxisRequest(BaseModel):
    """An input and the values it takes."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    path: AxisPath
    values: SkipValidation[ValuesText | Annotated[list[AxisValue], Field(min_length=1, max_length=MAX_VALUES)]]
    """A list of numbers or words; or a text: `1,2,5`, `1..10:4` (equal steps), `1..1000:log7` (equal factors)."""


Vary = AxisText | AxisRequest | Annotated[list[AxisText | AxisRequest], Field(min_length=1, max_length=MAX_AXES)]


class PostedAxis(NamedTuple):
    """An input of a sweep: its place in the body, and the value there."""

    where: str
    value: Any

    @property
    def path(self) -> str:
        """Return the path of the input."""
        path: str = self.value["path"] if isinstance(self.value, dict) else split_axis(self.value)[0]
        return path

    def parse(self) -> Axis:
        """Parse the path and the values. Raises ChangeError."""
        axis = axis_of(self.value)
        if any(isinstance(value, float) and abs(value) > MAX_NUMBER for value in axis.values):
            raise ChangeError(f"values beyond {MAX_NUMBER:g}", where=self.where, hint="no input is as large")
        return axis


def axes_of(vary: Any) -> list[PostedAxis]:
    """Return the inputs of a request that `axis_issues` has checked."""
    return [PostedAxis(where, item) for where, item in _items(vary)]


def axis_issues(vary: Any) -> Iterator[Issue]:
    """Return the errors in the form of inputs. The sweep itself checks that an input exists."""
    if vary is None or vary == []:
        yield Issue("vary", "nothing to vary", FORM)
    elif isinstance(vary, list) and len(vary) > MAX_AXES:
        yield Issue("vary", f"{len(vary)} inputs", "one or two")
    else:
        for where, item in _items(vary):
            yield from _item_issues(item, where)


def _items(vary: Any) -> list[tuple[str, Any]]:
    """Return (place in the body, value) of each input."""
    return [(f"vary[{i}]", item) for i, item in enumerate(vary)] if isinstance(vary, list) else [("vary", vary)]


def _item_issues(item: Any, where: str) -> Iterator[Issue]:
    if isinstance(item, str):
        yield from list(_text_issues(item, where)) or _path_issues(item, where)
    elif not isinstance(item, dict):
        yield Issue(where, f"is {type_text(item)}", FORM)
    else:
        yield from _path_issues(item.get("path"), f"{where}.path")
        try:
            validate_as(AxisRequest, item | dict.fromkeys(item.keys() & {"values"}), where)
        except DocumentError as error:
            yield from (replace(issue, where=f"{where}.{issue.where}") for issue in error.issues)
        if "values" in item:
            yield from _values_issues(item["values"], f"{where}.values")


def _path_issues(path: Any, where: str) -> Iterator[Issue]:
    """Return an error if the first word of a path is unknown. The sweep itself checks the rest."""
    if isinstance(path, str) and re.split("[.=]", path, maxsplit=1)[0] not in FIRST_WORDS:
        path = path.partition("=")[0]
        similar = did_you_mean(path[:100], PATHS)
        hint = f"{similar} " * bool(similar) + f"known: {', '.join(PATHS)}"
        yield Issue(where, f"nothing to vary at {path[:100]!r}", hint)


def _values_issues(values: Any, where: str) -> Iterator[Issue]:
    if isinstance(values, str):
        yield from _text_issues(values, where)
    elif not isinstance(values, list):
        yield Issue(where, f"is {type_text(values)}", "a list of numbers, or a text like 0..30:7")
    elif not 1 <= len(values) <= MAX_VALUES:
        yield Issue(where, f"{len(values)} values", f"1 to {MAX_VALUES}")
    else:
        for i, value in enumerate(values):
            if not _is_value(value):
                value_text = repr(value)[:100] if isinstance(value, str | bool) else type_text(value)
                hint = "ranges are texts: 0..30:7"
                yield Issue(f"{where}[{i}]", f"{value_text} is neither a number nor a word", hint)


def _text_issues(text: str, where: str) -> Iterator[Issue]:
    if not 1 <= len(text) <= MAX_TEXT_CHARACTERS:
        hint = f"1 to {MAX_TEXT_CHARACTERS}; more values are written as a list: {FORM.rpartition(' or ')[2]}"
        yield Issue(where, f"a text of {len(text)} characters", hint)


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 200 and re.fullmatch(WORD_PATTERN, value) is not None
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e300)
