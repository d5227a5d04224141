"""Endpoints of questions, made from the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from .answering import Answering
from .body_reader import read_small
from .csv_tables import TABLES
from .forms import CSV_CONTENT, NOT_ACCEPTABLE, FormParameter, form_of
from .openapi import request_body_of, responses_of
from .parameters import KNOWN_PARAMETERS
from .questions.table import QUESTIONS, Question
from .raw_body import JsonBody

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
        return await answering.answer(question, read_small(body, question.request), request, form)

    return endpoint
