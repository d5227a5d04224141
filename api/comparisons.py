"""Endpoints that compare: two networks or plans in detail, and plans side by side."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Response

from twin.answers.comparison import PlanComparison
from twin.answers.network_diff import NetworkDiff
from twin.errors import ChangeError

from .bodies import MAX_PLANS_COMPARED, CompareRequest, DiffRequest
from .body_reader import read_body
from .examples import COMPARE_EXAMPLES, DIFF_EXAMPLES
from .networks import Networks, check_names
from .openapi import request_body_of, responses_of
from .problems import find
from .raw_body import Body


def comparison_routes(networks: Networks) -> APIRouter:
    """Return the endpoints that compare networks and plans."""
    router = APIRouter(prefix="/v1", tags=["questions"])

    @router.post(
        "/diff",
        responses=responses_of(NetworkDiff, 404, 413, 422),
        openapi_extra=request_body_of(DiffRequest, DIFF_EXAMPLES),
        response_class=Response,
    )
    def diff(body: Body) -> Response:
        """Return what differs between two networks, or two plans of one: records, then metrics."""
        request = read_body(body, DiffRequest)
        if request.other is None and not (request.plan_or_changes or request.other_plan_or_changes):
            raise ChangeError("one network and 0 plans to compare", hint="name other, or a plan or changes of a side")
        network = networks.get(request.network)
        check_names(network, request)
        other = network if request.other is None else networks.get(request.other)
        find(partial(other.job, request.job))
        if request.other_plan is not None:
            find(partial(other.plan_record, request.other_plan))
        answer = network.compare(
            other,
            changes=request.plan_or_changes,
            other_changes=request.other_plan_or_changes,
            job=request.job,
            ageing=request.ageing,
            top=request.top,
        )
        return _json(answer.to_json(fields=request.fields))

    @router.post(
        "/compare",
        responses=responses_of(PlanComparison, 404, 413, 422),
        openapi_extra=request_body_of(CompareRequest, COMPARE_EXAMPLES),
        response_class=Response,
    )
    def compare(body: Body) -> Response:
        """Return the what-ifs of plans side by side, and which is best."""
        request = read_body(body, CompareRequest)
        network = networks.get(request.network)
        find(partial(network.job, request.job))
        for plan in request.plans or ():
            find(partial(network.plan_record, plan))
        n_plans = len(network.document.plans)
        if request.plans is None and n_plans > MAX_PLANS_COMPARED:
            raise ChangeError(
                f"{n_plans:,} plans", where="plans", expected=f"at most {MAX_PLANS_COMPARED} at once", hint="name some"
            )
        answer = network.compare_plans(request.plans, request.job, ageing=request.ageing)
        return _json(answer.to_json(fields=request.fields))

    return router


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
