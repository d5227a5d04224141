"""The application: `uvicorn --factory twin.api.app:create_app`, or `twin serve`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from twin.topologies import MAX_RECORDS, NETWORKS, network_text

from twin.answers.data import json_text
from twin.answers.demand_table import DemandTable
from twin.answers.diff import Diff
from twin.answers.explanation import Explanation
from twin.answers.fields import chosen_fields
from twin.answers.forecast import Forecast
from twin.answers.lease_report import LeaseReport
from twin.answers.link_report import LinkReport
from twin.answers.link_table import LinkTable
from twin.answers.path_report import PathReport
from twin.answers.preview import Preview
from twin.answers.score import Score
from twin.arrays import package_version
from twin.catalogue import KINDS, catalogue
from twin.errors import DocumentError, Issue, did_you_mean
from twin.formats.native import parse_document, parse_mapping
from twin.store import NetworkStore, StoreLimits, open_database
from twin.warmup import warm_up

from .answers import Health, PartAnswer, PartList, TopologyAnswer, TopologyList, part_answer, topology_answer
from .bodies import (
    DemandsRequest,
    ExplainRequest,
    ForecastRequest,
    LeasesRequest,
    LinkRequest,
    LinksRequest,
    PathRequest,
    PreviewRequest,
    ScoreRequest,
    TableRequest,
    WhatIfRequest,
)
from .body_reader import read_body
from .comparisons import comparison_routes
from .examples import (
    DEMANDS_EXAMPLES,
    EXPLAIN_EXAMPLES,
    FORECAST_EXAMPLES,
    LEASES_EXAMPLES,
    LINK_EXAMPLES,
    LINKS_EXAMPLES,
    PATH_EXAMPLES,
    SCORE_EXAMPLES,
    WHAT_IF_EXAMPLES,
)
from .file_routes import file_routes
from .limits import BodyLimit
from .long_questions import LongQuestions
from .long_routes import long_question_routes
from .money_routes import money_routes
from .networks import Networks, check_names
from .openapi import openapi_document, request_body_of, responses_of
from .planning import MAX_FAILURES_S, MAX_OPTIMUM_WORK, Planning
from .problems import add_problem_handlers, find
from .raw_body import Body
from .stored_networks import stored_network_routes
from .sweeps import MAX_SWEEP_S, MAX_SWEEP_WORK, Sweeps

Fields = Annotated[str | None, Query(description="Fields of the answer to return: names with commas between.")]
PARAMETERS, PARAMETERS_HINT = ("kind", "fields"), "known: kind, fields"
MAX_BODY_BYTES = 8 * 1024 * 1024
DATA_VARIABLE = "TWIN_DATA"


def create_app(
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    max_records: int = MAX_RECORDS,
    max_sweep_work: int = MAX_SWEEP_WORK,
    max_sweep_s: float = MAX_SWEEP_S,
    max_failures_s: float = MAX_FAILURES_S,
    max_optimum_work: int = MAX_OPTIMUM_WORK,
    warm: bool = True,
    data: str | Path | None = None,
    store_limits: StoreLimits = StoreLimits(),  # noqa: B008  # frozen
) -> FastAPI:
    """Create the application with its own cache of networks.

    Args:
        max_body_bytes: largest body of a request.
        max_records: most nodes and links of a posted document, generators expanded.
        max_sweep_work: most points of a sweep times nodes, links and demands.
        max_sweep_s: longest time of a sweep.
        max_failures_s: longest time of a study of failures, and of one of availability.
        max_optimum_work: most nodes that demands enter at, times nodes and links, for the routing optimum.
        warm: whether to compile the kernels at start.
        data: directory or PostgreSQL URL of stored networks; None = the environment variable TWIN_DATA, else in memory.
        store_limits: bounds of what is stored.
    """

    data = data or os.environ.get(DATA_VARIABLE) or None
    database = open_database(data)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if warm:
            await run_in_threadpool(warm_up)
        yield
        if data is not None:  # one in memory lives as long as the application
            database.close()

    app = FastAPI(
        title="dc-twin",
        version=package_version(),
        description="A digital twin of data-centre networks: metrics of a network, and the effect of a change.",
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, max_bytes=max_body_bytes)
    add_problem_handlers(app)
    store = NetworkStore(database, store_limits, max_records)
    networks = Networks(max_records, store)
    app.include_router(_question_routes(networks))
    app.include_router(_inspection_routes(networks))
    app.include_router(money_routes(networks))
    app.include_router(comparison_routes(networks))
    questions = LongQuestions()
    sweeps = Sweeps(networks, questions, max_sweep_work, max_sweep_s)
    planning = Planning(networks, questions, max_failures_s, max_optimum_work)
    app.include_router(long_question_routes(sweeps, planning))
    app.include_router(stored_network_routes(networks, store))
    app.include_router(file_routes(store))
    app.include_router(_catalogue_routes())
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


def _question_routes(networks: Networks) -> APIRouter:
    """Return the endpoints of questions about a network. They are plain functions, so each runs in a thread."""
    router = APIRouter(prefix="/v1", tags=["questions"])

    @router.post(
        "/score",
        responses=responses_of(Score, 404, 413, 422),
        openapi_extra=request_body_of(ScoreRequest, SCORE_EXAMPLES),
        response_class=Response,
    )
    def score(body: Body) -> Response:
        """Return every metric of a network as it is."""
        request = read_body(body, ScoreRequest)
        network = networks.get(request.network)
        find(lambda: network.job(request.job))
        find(lambda: [network.job(name) for name in request.jobs or ()])
        answer = network.score(
            request.job, jobs=request.jobs, ageing=request.ageing, main_assumptions=request.main_assumptions
        )
        return _json(answer.to_json(fields=request.fields))

    @router.post(
        "/what-if",
        responses=responses_of(Diff, 404, 413, 422),
        openapi_extra=request_body_of(WhatIfRequest, WHAT_IF_EXAMPLES),
        response_class=Response,
    )
    def what_if(body: Body) -> Response:
        """Return every metric before and after a plan or changes, the causes, and the items to buy."""
        request = read_body(body, WhatIfRequest)
        network = networks.get(request.network)
        check_names(network, request)
        answer = network.what_if(
            request.plan_or_changes,
            request.job,
            jobs=request.jobs,
            ageing=request.ageing,
            main_assumptions=request.main_assumptions,
            causes=request.causes,
            top=request.top,
        )
        return _json(answer.to_json(fields=request.fields))

    @router.post(
        "/preview",
        responses=responses_of(Preview, 404, 413, 422),
        openapi_extra=request_body_of(PreviewRequest, WHAT_IF_EXAMPLES),
        response_class=Response,
    )
    def preview(body: Body) -> Response:
        """Return the records that a plan or changes touch, totals before and after, and the items to buy."""
        request = read_body(body, PreviewRequest)
        network = networks.get(request.network)
        check_names(network, request)
        answer = network.preview(request.plan_or_changes, request.job, ageing=request.ageing)
        return _json(answer.to_json(fields=request.fields))

    @router.post(
        "/forecast",
        responses=responses_of(Forecast, 404, 413, 422),
        openapi_extra=request_body_of(ForecastRequest, FORECAST_EXAMPLES),
        response_class=Response,
    )
    def forecast(body: Body) -> Response:
        """Return when links lose margin, rate or spare capacity, in three ageing cases."""
        request = read_body(body, ForecastRequest)
        network = networks.get(request.network)
        check_names(network, request)
        answer = network.forecast(
            request.years,
            request.growth_ratio_per_year,
            links=request.links,
            changes=request.plan_or_changes,
            job=request.job,
        )
        return _json(answer.to_json(fields=request.fields))

    @router.post(
        "/leases",
        responses=responses_of(LeaseReport, 404, 413, 422),
        openapi_extra=request_body_of(LeasesRequest, LEASES_EXAMPLES),
        response_class=Response,
    )
    def leases(body: Body) -> Response:
        """Return leases with what is firm, what else can be leased, and stranded capacity."""
        request = read_body(body, LeasesRequest)
        network = networks.get(request.network)
        check_names(network, request)
        answer = network.leases(request.job, changes=request.plan_or_changes, ageing=request.ageing)
        return _json(answer.to_json(fields=request.fields))

    @router.post(
        "/link",
        responses=responses_of(LinkReport, 404, 413, 422),
        openapi_extra=request_body_of(LinkRequest, LINK_EXAMPLES),
        response_class=Response,
    )
    def link(body: Body) -> Response:
        """Return one link in detail: link budget, modes, latency, goodput, failures and forecast."""
        request = read_body(body, LinkRequest)
        network = networks.get(request.network)
        check_names(network, request)
        answer = network.link(
            request.link,
            years=request.years,
            growth_ratio_per_year=request.growth_ratio_per_year,
            changes=request.plan_or_changes,
            job=request.job,
            ageing=request.ageing,
        )
        return _json(answer.to_json(fields=request.fields))

    @router.post(
        "/explain",
        responses=responses_of(Explanation, 404, 413, 422),
        openapi_extra=request_body_of(ExplainRequest, EXPLAIN_EXAMPLES),
        response_class=Response,
    )
    def explain(body: Body) -> Response:
        """Return the bottlenecks of a training step: its parts, and the cost of each of eight causes."""
        request = read_body(body, ExplainRequest)
        network = networks.get(request.network)
        check_names(network, request)
        answer = network.explain(request.job, changes=request.plan_or_changes, ageing=request.ageing)
        return _json(answer.to_json(fields=request.fields))

    return router


def _inspection_routes(networks: Networks) -> APIRouter:
    """Return the endpoints that look into a network: the paths of a pair, and tables of links and demands."""
    router = APIRouter(prefix="/v1", tags=["questions"])

    @router.post(
        "/path",
        responses=responses_of(PathReport, 404, 413, 422),
        openapi_extra=request_body_of(PathRequest, PATH_EXAMPLES),
        response_class=Response,
    )
    def path(body: Body) -> Response:
        """Return all shortest paths between two nodes: shares, capacity, load, latency, and the bottleneck."""
        request = read_body(body, PathRequest)
        network = networks.get(request.network)
        check_names(network, request)
        answer = network.path(
            request.source,
            request.target,
            max_paths=request.max_paths,
            changes=request.plan_or_changes,
            job=request.job,
            ageing=request.ageing,
        )
        return _json(answer.to_json(fields=request.fields))

    @router.post(
        "/demands",
        responses=responses_of(DemandTable, 404, 413, 422),
        openapi_extra=request_body_of(DemandsRequest, DEMANDS_EXAMPLES),
        response_class=Response,
    )
    def demands(body: Body) -> Response:
        """Return demands: offered, carried, and the link that limits each."""
        request = read_body(body, DemandsRequest)
        network = networks.get(request.network)
        check_names(network, request)
        answer = network.demand_table(**_table_options(request))
        return _json(answer.to_json(fields=request.fields))

    @router.post(
        "/links",
        responses=responses_of(LinkTable, 404, 413, 422),
        openapi_extra=request_body_of(LinksRequest, LINKS_EXAMPLES),
        response_class=Response,
    )
    def links(body: Body) -> Response:
        """Return links, two rows each: budget, capacity and its limit, load, latency, failures."""
        request = read_body(body, LinksRequest)
        network = networks.get(request.network)
        check_names(network, request)
        chosen = "*" if request.links is None else request.links
        answer = network.link_table(chosen, **_table_options(request))
        return _json(answer.to_json(fields=request.fields))

    return router


def _table_options(request: TableRequest) -> dict[str, Any]:
    """Return the arguments of a question whose answer is a table."""
    return {
        "changes": request.plan_or_changes,
        "sort": request.sort,
        "top": request.top,
        "job": request.job,
        "ageing": request.ageing,
    }


def _catalogue_routes() -> APIRouter:
    """Return the endpoints of the catalogue and of the health of the server."""
    router = APIRouter(prefix="/v1", tags=["catalogue"])

    @router.get("/topologies", responses=responses_of(TopologyList, 422), response_class=Response)
    def topologies(fields: Fields = None) -> Response:
        """Return the shipped networks."""
        rows = [{"name": name, "sentence": sentence} for name, sentence in sorted(NETWORKS.items())]
        return _json_of({"topologies": rows}, fields)

    @router.get("/topologies/{name}", responses=responses_of(TopologyAnswer, 404, 422), response_class=Response)
    def topology(name: str, fields: Fields = None) -> Response:
        """Return a shipped network: its compact document, jobs and plans."""
        return _json_of(find(lambda: _topology_answer(name)), fields)

    @router.get("/parts", responses=responses_of(PartList, 422), response_class=Response)
    def parts(
        request: Request,
        kind: Annotated[str | None, Query(json_schema_extra={"enum": list(KINDS)})] = None,
        fields: Fields = None,
    ) -> Response:
        """Return the parts of the catalogue, all or of one kind."""
        unknown = [
            Issue(
                f"query.{name}",
                f"unknown parameter {name!r}",
                did_you_mean(name, ["kind", "fields"]) or "known: kind, fields",
            )
            for name in request.query_params
            if name not in PARAMETERS
        ]
        if unknown:
            raise DocumentError(str(unknown[0]), where="query", found=unknown)
        rows = catalogue().parts(kind)  # type: ignore[arg-type]  # an unknown kind is refused with similar ones
        return _json_of({"parts": [part_answer(part) for part in rows]}, fields)

    @router.get("/parts/{part_id:path}", responses=responses_of(PartAnswer, 404, 422), response_class=Response)
    def part(part_id: str, fields: Fields = None) -> Response:
        """Return a part with every figure, its range and its source."""
        return _json_of(part_answer(find(lambda: catalogue().get(part_id))), fields)

    @router.get("/health", responses=responses_of(Health), response_class=Response, tags=["server"])
    async def health() -> Response:
        """Return the version. It needs no thread, so it answers while all threads compute."""
        return _json_of({"status": "ok", "version": package_version()})

    return router


@cache
def _topology_answer(name: str) -> dict[str, Any]:
    data = parse_mapping(network_text(name), name, as_json=False)
    return topology_answer(name, NETWORKS[name], parse_document(data, name).canonical())


def _json_of(data: Any, fields: str | None = None) -> Response:
    return _json(json_text(data if fields is None else chosen_fields(data, fields.split(","))))


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
