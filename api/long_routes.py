"""Endpoints of questions that may take minutes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from twin.answers.routing_report import RoutingReport
from twin.planner.records import PlanReport
from twin.studies.availability_report import AvailabilityReport
from twin.studies.decision_report import DecisionReport
from twin.studies.failure_records import FailureReport
from twin.studies.growth import GrowthReport
from twin.studies.sample_report import SampleReport
from twin.studies.sweep import Sweep

from .bodies import (
    AvailabilityRequest,
    DecideRequest,
    FailuresRequest,
    GrowthRequest,
    OptimumRequest,
    PlanRequest,
    SampleRequest,
    SweepRequest,
)
from .examples import (
    AVAILABILITY_EXAMPLES,
    DECIDE_EXAMPLES,
    FAILURES_EXAMPLES,
    GROWTH_EXAMPLES,
    OPTIMUM_EXAMPLES,
    PLAN_EXAMPLES,
    SAMPLE_EXAMPLES,
    SWEEP_EXAMPLES,
)
from .openapi import request_body_of, responses_of
from .planning import Planning
from .raw_body import Body
from .sweeps import Sweeps


def long_question_routes(sweeps: Sweeps, planning: Planning) -> APIRouter:
    """Return the endpoints of questions that may take minutes. They do not block the others."""
    router = APIRouter(prefix="/v1", tags=["questions"])

    @router.post(
        "/sweep",
        responses=responses_of(Sweep, 404, 413, 422),
        openapi_extra=request_body_of(SweepRequest, SWEEP_EXAMPLES),
        response_class=Response,
    )
    async def sweep(body: Body, request: Request) -> Response:
        """Return a metric over one or two inputs, its knees, and where it crosses that of another plan."""
        return await sweeps.answer(body, request)

    @router.post(
        "/failures",
        responses=responses_of(FailureReport, 404, 413, 422),
        openapi_extra=request_body_of(FailuresRequest, FAILURES_EXAMPLES),
        response_class=Response,
    )
    async def failures(body: Body, request: Request) -> Response:
        """Return what each failure of a kind loses, what becomes of the job, and how full links get."""
        return await planning.failures(body, request)

    @router.post(
        "/availability",
        responses=responses_of(AvailabilityReport, 404, 413, 422),
        openapi_extra=request_body_of(AvailabilityRequest, AVAILABILITY_EXAMPLES),
        response_class=Response,
    )
    async def availability(body: Body, request: Request) -> Response:
        """Return how much of the time demands, pairs of sites and jobs are served, and what fails most often."""
        return await planning.availability(body, request)

    @router.post(
        "/growth",
        responses=responses_of(GrowthReport, 404, 413, 422),
        openapi_extra=request_body_of(GrowthRequest, GROWTH_EXAMPLES),
        response_class=Response,
    )
    async def growth(body: Body, request: Request) -> Response:
        """Return when the first link passes a limit as demands grow, with and without the worst failure."""
        return await planning.growth(body, request)

    @router.post(
        "/plan",
        responses=responses_of(PlanReport, 404, 413, 422),
        openapi_extra=request_body_of(PlanRequest, PLAN_EXAMPLES),
        response_class=Response,
    )
    async def plan(body: Body, request: Request) -> Response:
        """Return the best set of changes within a budget, or the least expensive one that meets conditions."""
        return await planning.plan(body, request)

    @router.post(
        "/optimum",
        responses=responses_of(RoutingReport, 404, 413, 422),
        openapi_extra=request_body_of(OptimumRequest, OPTIMUM_EXAMPLES),
        response_class=Response,
    )
    async def optimum(body: Body, request: Request) -> Response:
        """Return the utilisation under the routing in use and under the best one, with a certified bound."""
        return await planning.optimum(body, request)

    @router.post(
        "/sample",
        responses=responses_of(SampleReport, 404, 413, 422),
        openapi_extra=request_body_of(SampleRequest, SAMPLE_EXAMPLES),
        response_class=Response,
    )
    async def sample(body: Body, request: Request) -> Response:
        """Return intervals of every metric under uncertain inputs, how often plans win, and what to measure first."""
        return await planning.sample(body, request)

    @router.post(
        "/decide",
        responses=responses_of(DecisionReport, 404, 413, 422),
        openapi_extra=request_body_of(DecideRequest, DECIDE_EXAMPLES),
        response_class=Response,
    )
    async def decide(body: Body, request: Request) -> Response:
        """Return plans and leases by net dollars a year, with probabilities, and the rent at which that flips."""
        return await planning.decide(body, request)

    return router
