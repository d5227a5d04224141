"""The OpenAPI document: components for requests, answers and errors."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from twin.imports.report import ImportReport
from twin.readings.report import MeasurementReport
from twin.store.records import NetworkPage, RevisionPage, StoredNetwork
from twin.store.run_records import Run, RunPage

from . import answers
from .answer_schemas import answer_definitions
from .batches import BatchAnswer, BatchRequest
from .posted_files import MeasurementsBody
from .problems import MEDIA_TYPE
from .questions.table import QUESTIONS
from .request_schemas import state_rules

PREFIX = "#/components/schemas/"
LISTS: tuple[type[BaseModel], ...] = (
    answers.TopologyList,
    answers.TopologyAnswer,
    answers.PartAnswer,
    answers.PartList,
    answers.Health,
    answers.ImportAnswer,
    answers.MeasurementsAnswer,
    MeasurementsBody,
    answers.Problem,
    BatchRequest,
    BatchAnswer,
)
"""Bodies and answers of endpoints that are no questions."""
RECORDS: tuple[type, ...] = (StoredNetwork, NetworkPage, RevisionPage, Run, RunPage, ImportReport, MeasurementReport)
"""Answers of endpoints that are no questions, as dataclasses."""
ERRORS = {
    404: "A network, job, plan, part or path does not exist; the hints hold near names.",
    401: "The request has no known API key, and the service asks for one.",
    403: "The API key may only read.",
    406: "Only CSV is accepted, and the answer is no table.",
    408: "The body did not arrive in time.",
    429: "Too many questions of this client wait; Retry-After says when to ask again.",
    409: "The store holds as much as it may, or a run has no answer.",
    412: "The stored network has another revision than the request expects.",
    413: "The body is too large.",
    415: "The body is compressed, or of a type that this path does not read.",
    422: "The body is invalid, its records contradict each other, a change cannot be applied, or a bound is exceeded.",
    499: "The client left before the answer; nobody receives it.",
    500: "An internal error.",
    503: "No room for a question now, or the database cannot be used; Retry-After says when to ask again.",
}


def request_body_of(model: type[BaseModel], examples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return `openapi_extra` of an endpoint that reads its body itself.

    Args:
        model: class of the request.
        examples: example bodies by title.
    """
    content = {
        "schema": {"$ref": PREFIX + model.__name__},
        "examples": {name: {"value": value} for name, value in examples.items()},
    }
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def responses_of(model: type, *errors: int, success: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return `responses` of an endpoint: its answer, and the problems that it may return instead.

    Args:
        model: class of the answer.
        errors: HTTP statuses of the problems; 500 is always included.
        success: HTTP status of the answer.
    """
    return {success: _response(_first_sentence(model), "application/json", model)} | problems_of(*errors)


def problems_of(*errors: int) -> dict[int | str, dict[str, Any]]:
    """Return `responses` of the problems of these statuses, and of 500."""
    return {status: _response(ERRORS[status], MEDIA_TYPE, answers.Problem) for status in (*errors, 500)}


def _response(description: str, media_type: str, model: type) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {"$ref": PREFIX + model.__name__}}}}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the application."""
    schema: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schema["components"] = {"schemas": _components()}
    return schema


@cache
def _components() -> dict[str, Any]:
    template = PREFIX + "{model}"
    models = [*dict.fromkeys(question.request for question in QUESTIONS), *LISTS]
    _, schema = models_json_schema([(model, "validation") for model in models], ref_template=template)
    components: dict[str, Any] = schema["$defs"]
    # changes of a plan are plain data until they are used; the schema states the union that validates them
    state_rules(components, PREFIX)
    components["Plan"]["properties"]["changes"]["items"] = {"$ref": template.format(model="Change")}
    for model in (answers.PartAnswer, answers.FigureAnswer):  # an answer contains fields with default values too
        components[model.__name__]["required"] = list(components[model.__name__]["properties"])
    classes = dict.fromkeys((*(question.answer for question in QUESTIONS), *RECORDS))
    answer_schemas = answer_definitions(tuple(classes), template)
    assert not components.keys() & answer_schemas.keys(), components.keys() & answer_schemas.keys()
    return components | answer_schemas


def _first_sentence(model: type) -> str:
    return (model.__doc__ or "").partition("\n")[0]
