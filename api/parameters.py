"""Query parameters: names that an endpoint does not have, and repeated ones, are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, get_origin

from fastapi import Depends, Request

from twin.errors import DocumentError, Issue, did_you_mean
from twin.errors.wording import quoted


async def _check(request: Request) -> None:
    """Refuse such parameters. It is a coroutine, because a thread for it would take more time than it does."""
    fields = request.scope["route"].dependant.query_params
    known = [field.alias for field in fields]
    lists = {field.alias for field in fields if get_origin(field.field_info.annotation) is list}
    issues = []
    for name in dict.fromkeys(request.query_params.keys()):
        n_times = len(request.query_params.getlist(name))
        if name not in known:
            hint = did_you_mean(name, known) or (f"known: {', '.join(known)}" if known else "there are none here")
            issues.append(Issue(f"query.{name}", f"unknown parameter {quoted(name)}", hint))
        elif n_times > 1 and name not in lists:
            issues.append(Issue(f"query.{name}", f"is there {n_times} times", "give it once"))
    if issues:
        raise DocumentError(str(issues[0]), where="query", found=issues)


KNOWN_PARAMETERS = Depends(_check)
"""Dependency of a router whose endpoints refuse unknown and repeated query parameters."""


@contextmanager
def placed_at(parameter: str) -> Iterator[None]:
    """Name a parameter as the place of an error: `query.name`, whatever the argument of the function is called."""
    try:
        yield
    except DocumentError as error:
        error.where = parameter
        raise


_OPTION = re.compile(r"(?<![\w'-])--([a-z]+(?:-[a-z]+)*)(?: (?=['A-Z0-9]))?")
_NOT_HERE = {"parts": "`parts` of the document"}
"""Options that the endpoints of files do not have, and what takes their place."""
_COMMANDS = (
    (re.compile(r"^twin import (\S+) PATH$"), r"/v1/import/\1"),
    (re.compile(r"^twin measurements (\S+) FILE.*"), r"format=\1"),
)
"""Commands in hints, and what names the format over HTTP."""


def in_parameters(text: str) -> str:
    """Return a text about options of the command in terms of query parameters: `--site NAME` becomes `site=NAME`."""
    for command, parameter in _COMMANDS:
        text = command.sub(parameter, text)
    return _OPTION.sub(_parameter, text)


def _parameter(option: re.Match[str]) -> str:
    name = option[1].replace("-", "_")
    return _NOT_HERE.get(name, name) + ("=" if option[0].endswith(" ") else "")


def report_in_parameters(report: Any) -> Any:
    """Return the report of files as plain data, with query parameters for options. Places stay as they are."""
    if isinstance(report, dict):
        return {key: item if key in ("places", "files") else report_in_parameters(item) for key, item in report.items()}
    if isinstance(report, list | tuple):
        return [report_in_parameters(item) for item in report]
    return in_parameters(report) if isinstance(report, str) else report


@contextmanager
def options_as_parameters() -> Iterator[None]:
    """Name the query parameter in errors about an option of the command."""
    try:
        yield
    except DocumentError as error:
        if error.where.startswith("--"):
            error.where = f"query.{in_parameters(error.where)}"
        error.hint, error.expected = in_parameters(error.hint), in_parameters(error.expected)
        if error.has_issues:
            error.set_issues([replace(issue, hint=in_parameters(issue.hint)) for issue in error.issues])
        raise
