"""Query parameters: names that an endpoint does not have, and repeated ones, are refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_origin

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
def options_as_parameters() -> Iterator[None]:
    """Name the query parameter in errors about an option of the command."""
    try:
        yield
    except DocumentError as error:
        if error.where.startswith("--"):
            error.where = f"query.{error.where[2:].replace('-', '_')}"
        raise
