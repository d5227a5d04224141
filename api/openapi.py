"""The description of the API: requests and answers as components, and errors."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from . import answers
from .answers_explain import ExplainAnswer, SweepAnswer
from .answers_links import ForecastAnswer, LinkAnswer
from .bodies import ExplainRequest, ForecastRequest, LinkRequest, ScoreRequest, SweepRequest, WhatIfRequest
from .problems import MEDIA_TYPE

PREFIX = "#/components/schemas/"
MODELS: tuple[type[BaseModel], ...] = (
    ScoreRequest,
    WhatIfRequest,
    ForecastRequest,
    LinkRequest,
    ExplainRequest,
    SweepRequest,
    answers.ScoreAnswer,
    answers.DiffAnswer,
    ForecastAnswer,
    LinkAnswer,
    ExplainAnswer,
    SweepAnswer,
    answers.TopologyList,
    answers.TopologyAnswer,
    answers.PartAnswer,
    answers.PartList,
    answers.Health,
    answers.Problem,
)
ERRORS = {
    404: "A network, job, plan, part or path that does not exist; near names in the hints.",
    413: "The body is too large.",
    422: "The body cannot be read, its records do not fit together, a change cannot be applied, or it is too much.",
    500: "A fault in the twin itself.",
}


def body_of(model: type[BaseModel], examples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """`openapi_extra` of an endpoint that reads its body itself."""
    content = {
        "schema": {"$ref": PREFIX + model.__name__},
        "examples": {name: {"value": value} for name, value in examples.items()},
    }
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def responses_of(model: type[BaseModel], *errors: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of an endpoint: its answer, and the problems that may come instead."""
    found: dict[int | str, dict[str, Any]] = {200: _response(_sentence(model), "application/json", model)}
    return found | {status: _response(ERRORS[status], MEDIA_TYPE, answers.Problem) for status in (*errors, 500)}


def _response(description: str, media_type: str, model: type[BaseModel]) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {"$ref": PREFIX + model.__name__}}}}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    schema: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schema["components"] = {"schemas": _components()}
    return schema


@cache
def _components() -> dict[str, Any]:
    _, found = models_json_schema([(model, "validation") for model in MODELS], ref_template=PREFIX + "{model}")
    components: dict[str, Any] = found["$defs"]
    # a plan keeps its changes as plain data until they are used; what may stand there is the union
    components["Plan"]["properties"]["changes"]["items"] = {"$ref": PREFIX + "Change"}
    return components


def _sentence(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").partition("\n")[0]
