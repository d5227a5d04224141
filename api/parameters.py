"""Query parameters: names that an endpoint does not have are refused, with similar ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Depends, Request

from twin.errors import DocumentError, Issue, did_you_mean
from twin.errors.wording import quoted


def _check(request: Request) -> None:
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    issues = [
        Issue(
            f"query.{name}",
            f"unknown parameter {quoted(name)}",
            did_you_mean(name, known) or (f"known: {', '.join(known)}" if known else "there are none here"),
        )
        for name in request.query_params
        if name not in known
    ]
    if issues:
        raise DocumentError(str(issues[0]), where="query", found=issues)


KNOWN_PARAMETERS = Depends(_check)
"""Dependency of a router whose endpoints refuse unknown query parameters."""


@contextmanager
def options_as_parameters() -> Iterator[None]:
    """Name the query parameter in errors about an option of the command."""
    try:
        yield
    except DocumentError as error:
        if error.where.startswith("--"):
            error.where = f"query.{error.where[2:].replace('-', '_')}"
        raise
