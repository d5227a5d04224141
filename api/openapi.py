"""The OpenAPI document: components for requests, answers and errors."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from twin.answers.bill import Bill
from twin.answers.comparison import PlanComparison
from twin.answers.demand_table import DemandTable
from twin.answers.diff import Diff
from twin.answers.explanation import Explanation
from twin.answers.forecast import Forecast
from twin.answers.lease_report import LeaseReport
from twin.answers.link_report import LinkReport
from twin.answers.link_table import LinkTable
from twin.answers.network_diff import NetworkDiff
from twin.answers.path_report import PathReport
from twin.answers.plan_money import PlanMoney
from twin.answers.preview import Preview
from twin.answers.readiness import Readiness
from twin.answers.routing_report import RoutingReport
from twin.answers.score import Score
from twin.imports.report import ImportReport
from twin.planner.records import PlanReport
from twin.readings.report import MeasurementReport
from twin.store.records import NetworkPage, RevisionPage, StoredNetwork
from twin.studies.availability_report import AvailabilityReport
from twin.studies.decision_report import DecisionReport
from twin.studies.failure_records import FailureReport
from twin.studies.growth import GrowthReport
from twin.studies.sample_report import SampleReport
from twin.studies.sweep import Sweep

from . import answers
from .answer_schemas import answer_definitions
from .bodies import (
    AvailabilityRequest,
    BillRequest,
    CompareRequest,
    DecideRequest,
    DemandsRequest,
    DiffRequest,
    ExplainRequest,
    FailuresRequest,
    ForecastRequest,
    GrowthRequest,
    LeasesRequest,
    LinkRequest,
    LinksRequest,
    MoneyRequest,
    OptimumRequest,
    PathRequest,
    PlanRequest,
    PreviewRequest,
    ReadinessRequest,
    SampleRequest,
    ScoreRequest,
    SweepRequest,
    WhatIfRequest,
)
from .posted_files import MeasurementsBody
from .problems import MEDIA_TYPE

PREFIX = "#/components/schemas/"
MODELS: tuple[type[BaseModel], ...] = (
    ScoreRequest,
    WhatIfRequest,
    PreviewRequest,
    BillRequest,
    MoneyRequest,
    ReadinessRequest,
    DiffRequest,
    CompareRequest,
    ForecastRequest,
    GrowthRequest,
    LeasesRequest,
    LinkRequest,
    PathRequest,
    PlanRequest,
    DemandsRequest,
    LinksRequest,
    AvailabilityRequest,
    ExplainRequest,
    SweepRequest,
    FailuresRequest,
    OptimumRequest,
    SampleRequest,
    DecideRequest,
    answers.TopologyList,
    answers.TopologyAnswer,
    answers.PartAnswer,
    answers.PartList,
    answers.Health,
    answers.ImportAnswer,
    answers.MeasurementsAnswer,
    MeasurementsBody,
    answers.Problem,
)
ANSWERS: tuple[type, ...] = (
    Score,
    Diff,
    Preview,
    Bill,
    PlanMoney,
    Readiness,
    NetworkDiff,
    PlanComparison,
    Forecast,
    GrowthReport,
    PlanReport,
    LeaseReport,
    SampleReport,
    DecisionReport,
    LinkReport,
    LinkTable,
    PathReport,
    DemandTable,
    AvailabilityReport,
    Explanation,
    Sweep,
    FailureReport,
    RoutingReport,
    StoredNetwork,
    NetworkPage,
    RevisionPage,
    ImportReport,
    MeasurementReport,
)
ERRORS = {
    404: "A network, job, plan, part or path does not exist; the hints hold near names.",
    409: "The store holds as much as it may.",
    412: "The stored network has another revision than the request expects.",
    413: "The body is too large.",
    422: "The body is invalid, its records contradict each other, a change cannot be applied, or a bound is exceeded.",
    500: "An internal error.",
    503: "The database of stored networks cannot be used now; nothing was stored.",
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
    _, schema = models_json_schema([(model, "validation") for model in MODELS], ref_template=template)
    components: dict[str, Any] = schema["$defs"]
    # changes of a plan are plain data until they are used; the schema states the union that validates them
    components["Plan"]["properties"]["changes"]["items"] = {"$ref": template.format(model="Change")}
    for model in (answers.PartAnswer, answers.FigureAnswer):  # an answer contains fields with default values too
        components[model.__name__]["required"] = list(components[model.__name__]["properties"])
    answer_schemas = answer_definitions(ANSWERS, template)
    assert not components.keys() & answer_schemas.keys(), components.keys() & answer_schemas.keys()
    return components | answer_schemas


def _first_sentence(model: type) -> str:
    return (model.__doc__ or "").partition("\n")[0]
