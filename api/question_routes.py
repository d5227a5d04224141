"""Endpoints of questions, made from the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from .answering import Answering
from .bodies import NetworkRequest
from .body_reader import read_body
from .csv_tables import TABLES
from .forms import CSV_CONTENT, NOT_ACCEPTABLE, FormParameter, form_of
from .openapi import request_body_of, responses_of
from .parameters import KNOWN_PARAMETERS
from .questions.table import QUESTIONS, Question
from .raw_body import JsonBody

MAX_READ_BYTES = 16 * 1024
"""Largest body that is read on the event loop, in less time than a thread takes; others are where they are answered."""
QUESTION_ERRORS = (401, 404, 408, 413, 415, 422, 429, 499, 503)
"""Statuses of problems that a question may end with."""


def question_routes(answering: Answering) -> APIRouter:
    """Return one endpoint for each question.

    answering: answers the questions.
    """
    router = APIRouter(prefix="/v1", tags=["questions"], dependencies=[KNOWN_PARAMETERS])
    for question in QUESTIONS:
        router.add_api_route(
            f"/{question.path}",
            _endpoint(question, answering),
            methods=["POST"],
            operation_id=question.name,
            summary=question.path,
            description=question.summary,
            responses=answer_responses(question),
            openapi_extra=request_body_of(question.request, question.examples),
            response_class=Response,
        )
    return router


def answer_responses(question: Question) -> dict[int | str, dict[str, Any]]:
    """Return `responses` of a question: its answer as JSON, and as CSV where it is a table."""
    responses = responses_of(question.answer, *QUESTION_ERRORS, NOT_ACCEPTABLE)
    if question.path in TABLES:
        responses[200]["content"] |= CSV_CONTENT
    return responses


def _endpoint(question: Question, answering: Answering) -> Callable[..., Any]:
    async def endpoint(request: Request, body: JsonBody, format: FormParameter = None) -> Response:
        form = form_of(question.path, request, format)
        if len(body) > MAX_READ_BYTES:
            return await answering.answer_body(question, body, request, form)
        return await answering.answer(question, read_body(body, question.request), request, form)

    return endpoint


def body_of(model: type[NetworkRequest]) -> Callable[[bytes], NetworkRequest]:
    """Return the dependency that reads and validates the body of a request.

    model: class of the request.
    """

    def read(body: JsonBody) -> NetworkRequest:
        return read_body(body, model)

    return read
