"""Endpoints of money: the bill of a plan, and what it costs against what it brings."""

from __future__ import annotations

from fastapi import APIRouter, Response

from twin.answers.bill import Bill
from twin.answers.plan_money import PlanMoney
from twin.answers.readiness import Readiness

from .bodies import BillRequest, MoneyRequest, ReadinessRequest
from .body_reader import read_body
from .examples import MONEY_EXAMPLES, READINESS_EXAMPLES, WHAT_IF_EXAMPLES
from .networks import Networks, check_names
from .openapi import request_body_of, responses_of
from .raw_body import Body


def money_routes(networks: Networks) -> APIRouter:
    """Return the endpoints of money. They are plain functions, so each runs in a thread."""
    router = APIRouter(prefix="/v1", tags=["questions"])

    @router.post(
        "/bill",
        responses=responses_of(Bill, 404, 413, 422),
        openapi_extra=request_body_of(BillRequest, WHAT_IF_EXAMPLES),
        response_class=Response,
    )
    def bill(body: Body) -> Response:
        """Return what a plan or changes buy, line by line, and what a year then costs more."""
        request = read_body(body, BillRequest)
        network = networks.get(request.network)
        check_names(network, request)
        return Response(
            network.bill(request.plan_or_changes, request.job).to_json(fields=request.fields),
            media_type="application/json",
        )

    @router.post(
        "/money",
        responses=responses_of(PlanMoney, 404, 413, 422),
        openapi_extra=request_body_of(MoneyRequest, MONEY_EXAMPLES),
        response_class=Response,
    )
    def money(body: Body) -> Response:
        """Return the present value of a plan, its payback, and the cost of what it gains."""
        request = read_body(body, MoneyRequest)
        network = networks.get(request.network)
        check_names(network, request)
        answer = network.money(
            request.plan_or_changes,
            request.job,
            horizon_years=request.horizon_years,
            discount_ratio_per_year=request.discount_ratio_per_year,
            usd_per_million_tokens=request.usd_per_million_tokens,
            leases=request.leases,
            jobs=request.jobs,
            ageing=request.ageing,
        )
        return Response(answer.to_json(fields=request.fields), media_type="application/json")

    @router.post(
        "/readiness",
        responses=responses_of(Readiness, 404, 413, 422),
        openapi_extra=request_body_of(ReadinessRequest, READINESS_EXAMPLES),
        response_class=Response,
    )
    def readiness(body: Body) -> Response:
        """Return when the budgets of sites are enough for what stands there after a plan, and what blocks."""
        request = read_body(body, ReadinessRequest)
        network = networks.get(request.network)
        check_names(network, request)
        answer = network.readiness(request.plan_or_changes, on=request.on, job=request.job)
        return Response(answer.to_json(fields=request.fields), media_type="application/json")

    return router
