"""Errors as `application/problem+json` (RFC 9457), with every issue in `issues`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from itertools import zip_longest
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from twin.deadline import CancelledError, DeadlineError
from twin.errors import CatalogueError, Issue, RevisionError, StoreError, StoreLimitError, TwinError, grouped
from twin.errors.validation import issues_by_place
from twin.errors.wording import counted

MEDIA_TYPE = "application/problem+json"
MAX_ISSUES = 100
"""Most issues listed in one answer; `detail` gives their number."""
TITLES = {
    "DocumentError": "What was sent, or a field in it, cannot be read",
    "TopologyError": "The records do not fit together",
    "CatalogueError": "A name that is not in the catalogue",
    "ChangeError": "A change that cannot be applied",
    "ConvergenceError": "An iteration that did not settle",
    "StoreError": "The database of stored networks cannot be used now",
    "RevisionError": "A stored network has another revision than expected",
    "StoreLimitError": "The store holds as much as it may",
    "BudgetError": "A question that takes more than it may",
    "NotAcceptableError": "A form that the answer does not have",
    "BusyError": "No room for a question now",
}
STATUS: dict[type[TwinError], int] = {StoreError: 503, RevisionError: 412, StoreLimitError: 409}
"""Status by class of the error; 422 for others."""
CLIENT_CLOSED_REQUEST = 499
"""HTTP status of a request whose client has left. It is not in the standard; nginx introduced it."""
RETRY_AFTER_S = 5
ResultT = TypeVar("ResultT")


class NotFoundError(Exception):
    """The request names a network, job, plan or part that does not exist."""

    def __init__(self, error: TwinError) -> None:
        self.error = error
        super().__init__(str(error))

    def __reduce__(self) -> tuple[type[NotFoundError], tuple[TwinError]]:
        return NotFoundError, (self.error,)


class InternalError(Exception):
    """An error inside the twin that a compute process has logged."""


class ProblemError(Exception):
    """A refusal that is no fault of a document: too much work, no room, no key.

    Args:
        status: HTTP status.
        detail: one sentence about it.
        error: its name, from which type and title come.
        hint: way out.
        headers: further headers of the response.
    """

    def __init__(
        self, status: int, detail: str, error: str, *, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        self.status, self.detail, self.error, self.hint = status, detail, error, hint
        self.headers = dict(headers or {})
        super().__init__(detail)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored_problem, (self.status, self.detail, self.error, self.hint, self.headers)


def _restored_problem(status: int, detail: str, error: str, hint: str, headers: dict[str, str]) -> ProblemError:
    return ProblemError(status, detail, error, hint=hint, headers=headers)


BUSY = "BusyError"
NO_BOUND = "the command and Python have no such bound"


def busy(status: int, detail: str, retry_s: int) -> ProblemError:
    """Return the refusal of a question for which there is no room now.

    Args:
        status: 429 if the client asks too much, 503 if all clients do.
        detail: one sentence about it.
        retry_s: time after which the client should ask again.
    """
    hint = f"ask again in {counted(retry_s, 'second')}"
    return ProblemError(status, detail, BUSY, hint=hint, headers={"Retry-After": str(retry_s)})


def too_much_memory(max_gib: float) -> ProblemError:
    """Return the error of a question that needed more memory than it may.

    max_gib: memory that one question may take.
    """
    detail = f"this question needed more than the {max_gib:g} GiB of memory that it may take"
    return ProblemError(422, detail, "BudgetError", hint=f"ask for less, or about a smaller network; {NO_BOUND}")


def find(look_up: Callable[[], ResultT]) -> ResultT:
    """Return the result of `look_up`. Its CatalogueError becomes NotFoundError, status 404."""
    try:
        return look_up()
    except CatalogueError as error:
        raise NotFoundError(error) from error


@contextmanager
def placed(where: str, *, in_it: bool = True) -> Iterator[None]:
    """Name the field of a body in errors about what is in it.

    Args:
        where: place of the field; empty = the errors stay as they are.
        in_it: whether the places of the errors are inside the field; else the field is their place.
    """
    try:
        yield
    except (TwinError, NotFoundError) as raised:
        error = raised.error if isinstance(raised, NotFoundError) else raised
        if where:
            if error.has_issues:
                error.set_issues([replace(i, where=f"{where}.{i.where}" if in_it else where) for i in error.issues])
                error.where = where
            else:
                error.where = f"{where}.{error.where}" if in_it and error.where else where
        raise


def _most_different(issues: tuple[Issue, ...]) -> Iterable[Issue]:
    """Return at most MAX_ISSUES issues: one of each kind before more places of the same fault."""
    if len(issues) <= MAX_ISSUES:
        return issues
    first, *others = zip_longest(*grouped(issues))
    return [issue for row in (first, *others) for issue in row if issue is not None][:MAX_ISSUES]


def problem_response(
    status: int,
    detail: str,
    *,
    error: str = "",
    issues: tuple[Issue, ...] = (),
    expected: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Create a problem response.

    Args:
        status: HTTP status.
        detail: one sentence about the error.
        error: name of the error class, if there is one.
        issues: errors of single fields; at most `MAX_ISSUES` are listed.
        expected: what would have been valid.
        headers: further headers of the response.
    """
    title = TITLES.get(error) or HTTPStatus(status).phrase
    slug = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", error).lower()
    if len(issues) > MAX_ISSUES:
        detail += f"; {MAX_ISSUES} of {len(issues)} issues are listed"
    content = {
        "type": f"urn:dc-twin:problem:{slug}" if slug else "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "issues": [issue.to_dict() for issue in _most_different(issues)],
        "expected": expected,
    }
    # escaped to ASCII: a request may hold text that UTF-8 cannot encode
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    return Response(text, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Register handlers that turn each exception into a problem response."""
    for kind in (TwinError, NotFoundError, ProblemError, DeadlineError, RequestValidationError, Exception):
        app.add_exception_handler(kind, _on_error)
    app.add_exception_handler(HTTPException, _on_http)
    for left in (ClientDisconnect, CancelledError):
        app.add_exception_handler(left, _on_leaving)


async def _on_error(_: Request, error: Exception) -> Response:
    return problem_of(error)


def left_response() -> Response:
    """Return the response to a client that has left. It counts; nobody receives it."""
    return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _on_leaving(_: Request, __: Exception) -> Response:
    return left_response()


async def _on_http(request: Request, error: Any) -> Response:
    detail = str(error.detail)
    if error.status_code in (404, 405):
        detail = f"{request.method} {request.url.path}: {detail}; /openapi.json lists what there is"
    return problem_response(error.status_code, detail, headers=error.headers)


def problem_of(error: Exception) -> Response:
    """Return the problem response of an error; of an unexpected one it tells nothing."""
    if isinstance(error, NotFoundError):
        return _twin_problem(404, error.error)
    if isinstance(error, TwinError):
        return _twin_problem(STATUS.get(type(error), 422), error)
    if isinstance(error, DeadlineError):
        detail = f"this question took more than the {error.allowed_s:g} s that it may take"
        hint = f"ask for less, or about a smaller network; {NO_BOUND}"
        error = ProblemError(422, detail, "BudgetError", hint=hint)
    if isinstance(error, ProblemError):
        issues = (Issue("question", error.detail, error.hint),) if error.hint else ()
        return problem_response(error.status, error.detail, error=error.error, issues=issues, headers=error.headers)
    if isinstance(error, RequestValidationError):
        faults = tuple(issues_by_place(error))
        return problem_response(422, counted(len(faults), "bad field"), error="DocumentError", issues=faults)
    return problem_response(500, "an internal error of the twin, not of the request; the server's log has the trace")


def _twin_problem(status: int, error: TwinError) -> Response:
    detail = str(error).split("\n", 1)[0]
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
    return problem_response(
        status, detail, error=type(error).__name__, issues=error.issues, expected=error.expected, headers=headers
    )
