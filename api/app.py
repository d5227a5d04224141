"""The application: `uvicorn --factory twin.api.app:create_app`, or `twin serve`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from twin.topologies import MAX_RECORDS, NETWORKS, network_text

from twin.arrays import package_version
from twin.catalogue import KINDS, catalogue
from twin.errors import DocumentError, Issue, did_you_mean
from twin.formats.native import parse_document, parse_mapping
from twin.warmup import warm_up

from .answers import (
    DiffAnswer,
    Health,
    PartAnswer,
    PartList,
    ScoreAnswer,
    TopologyAnswer,
    TopologyList,
    part_answer,
    topology_answer,
)
from .answers_explain import ExplainAnswer, SweepAnswer
from .answers_links import ForecastAnswer, LinkAnswer
from .bodies import ExplainRequest, ForecastRequest, LinkRequest, ScoreRequest, SweepRequest, WhatIfRequest, read_body
from .examples import (
    EXPLAIN_EXAMPLES,
    FORECAST_EXAMPLES,
    LINK_EXAMPLES,
    SCORE_EXAMPLES,
    SWEEP_EXAMPLES,
    WHAT_IF_EXAMPLES,
)
from .limits import BodyLimit
from .networks import Networks, find_names
from .openapi import body_of, describe, responses_of
from .problems import add_problem_handlers, find
from .sweeps import MAX_SWEEP_S, MAX_SWEEP_WORK, Sweeps

MAX_BODY_BYTES = 8 * 1024 * 1024


def create_app(
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    max_records: int = MAX_RECORDS,
    max_sweep_work: int = MAX_SWEEP_WORK,
    max_sweep_s: float = MAX_SWEEP_S,
    warm: bool = True,
) -> FastAPI:
    """The application, with a store of networks of its own.

    max_records: nodes and links of a posted document, fabrics written out. max_sweep_work: points of a sweep times
    nodes, links and demands. warm: compile kernels at start.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if warm:
            await run_in_threadpool(warm_up)
        yield

    app = FastAPI(
        title="dc-twin",
        version=package_version(),
        description="A digital twin of data-centre networks: what a network is worth, and what a change does to it.",
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, max_bytes=max_body_bytes)
    add_problem_handlers(app)
    networks = Networks(max_records)
    app.include_router(_questions(networks))
    app.include_router(_long_questions(Sweeps(networks, max_sweep_work, max_sweep_s)))
    app.include_router(_lists())
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


async def _body(request: Request) -> bytes:
    """The body as it came; whatever its content type says, it is read as JSON."""
    return await request.body()


Body = Annotated[bytes, Depends(_body)]


def _questions(networks: Networks) -> APIRouter:
    """What can be asked of a network; plain functions, so that each runs in a thread of its own."""
    router = APIRouter(prefix="/v1", tags=["questions"])

    @router.post(
        "/score",
        responses=responses_of(ScoreAnswer, 404, 413, 422),
        openapi_extra=body_of(ScoreRequest, SCORE_EXAMPLES),
        response_class=Response,
    )
    def score(body: Body) -> Response:
        """Every metric of a network as it stands."""
        asked = read_body(body, ScoreRequest)
        with networks.asked(asked.network) as network:
            find(lambda: network.job(asked.job))
            answer = network.score(asked.job, ageing=asked.ageing)
        return _json(answer.to_json())

    @router.post(
        "/what-if",
        responses=responses_of(DiffAnswer, 404, 413, 422),
        openapi_extra=body_of(WhatIfRequest, WHAT_IF_EXAMPLES),
        response_class=Response,
    )
    def what_if(body: Body) -> Response:
        """Every metric before and after a plan or changes, the causes, and the shopping list."""
        asked = read_body(body, WhatIfRequest)
        with networks.asked(asked.network) as network:
            find_names(network, asked)
            answer = network.what_if(asked.after, asked.job, ageing=asked.ageing)
        return _json(answer.to_json())

    @router.post(
        "/forecast",
        responses=responses_of(ForecastAnswer, 404, 413, 422),
        openapi_extra=body_of(ForecastRequest, FORECAST_EXAMPLES),
        response_class=Response,
    )
    def forecast(body: Body) -> Response:
        """When margins are gone, rates drop and traffic outgrows links, in three ageing cases."""
        asked = read_body(body, ForecastRequest)
        with networks.asked(asked.network) as network:
            find_names(network, asked)
            answer = network.forecast(
                asked.years, asked.growth_ratio_per_year, links=asked.links, changes=asked.after, job=asked.job
            )
        return _json(answer.to_json())

    @router.post(
        "/link",
        responses=responses_of(LinkAnswer, 404, 413, 422),
        openapi_extra=body_of(LinkRequest, LINK_EXAMPLES),
        response_class=Response,
    )
    def link(body: Body) -> Response:
        """One link explained: where its light goes, its modes, latency, goodput, failures, calendar."""
        asked = read_body(body, LinkRequest)
        with networks.asked(asked.network) as network:
            find_names(network, asked)
            answer = network.link(
                asked.link,
                years=asked.years,
                growth_ratio_per_year=asked.growth_ratio_per_year,
                changes=asked.after,
                job=asked.job,
                ageing=asked.ageing,
            )
        return _json(answer.to_json())

    @router.post(
        "/explain",
        responses=responses_of(ExplainAnswer, 404, 413, 422),
        openapi_extra=body_of(ExplainRequest, EXPLAIN_EXAMPLES),
        response_class=Response,
    )
    def explain(body: Body) -> Response:
        """What is in the way of a training step: its parts, and what each of eight causes costs."""
        asked = read_body(body, ExplainRequest)
        with networks.asked(asked.network) as network:
            find_names(network, asked)
            answer = network.explain(asked.job, changes=asked.after, ageing=asked.ageing)
        return _json(answer.to_json())

    return router


def _long_questions(sweeps: Sweeps) -> APIRouter:
    """What may take minutes, and is asked beside the rest."""
    router = APIRouter(prefix="/v1", tags=["questions"])

    @router.post(
        "/sweep",
        responses=responses_of(SweepAnswer, 404, 413, 422),
        openapi_extra=body_of(SweepRequest, SWEEP_EXAMPLES),
        response_class=Response,
    )
    async def sweep(body: Body, request: Request) -> Response:
        """A metric over one or two inputs, where it bends, and where it crosses another plan's."""
        return await sweeps.answer(body, request)

    return router


def _lists() -> APIRouter:
    """What there is to ask about."""
    router = APIRouter(prefix="/v1", tags=["catalogue"])

    @router.get("/topologies", responses=responses_of(TopologyList), response_class=Response)
    def topologies() -> Response:
        """The networks that ship."""
        rows = [{"name": name, "sentence": sentence} for name, sentence in sorted(NETWORKS.items())]
        return _json_of({"topologies": rows})

    @router.get("/topologies/{name}", responses=responses_of(TopologyAnswer, 404, 422), response_class=Response)
    def topology(name: str) -> Response:
        """A network that ships: its compact document, jobs and plans."""
        return _json_of(find(lambda: _shipped(name)))

    @router.get("/parts", responses=responses_of(PartList, 422), response_class=Response)
    def parts(
        request: Request, kind: Annotated[str | None, Query(json_schema_extra={"enum": list(KINDS)})] = None
    ) -> Response:
        """The parts of the catalogue, all or of one kind."""
        unknown = [
            Issue(f"query.{name}", f"unknown parameter {name!r}", did_you_mean(name, ["kind"]) or "known: kind")
            for name in request.query_params
            if name != "kind"
        ]
        if unknown:
            raise DocumentError(str(unknown[0]), where="query", found=unknown)
        found = catalogue().parts(kind)  # type: ignore[arg-type]  # an unknown kind is refused with near ones
        return _json_of({"parts": [part_answer(part) for part in found]})

    @router.get("/parts/{part_id:path}", responses=responses_of(PartAnswer, 404, 422), response_class=Response)
    def part(part_id: str) -> Response:
        """A part with every figure, its range and its source."""
        return _json_of(part_answer(find(lambda: catalogue().get(part_id))))

    @router.get("/health", responses=responses_of(Health), response_class=Response, tags=["server"])
    async def health() -> Response:
        """That the server answers; needs no thread, so that it does so while all of them calculate."""
        return _json_of({"status": "ok", "version": package_version()})

    return router


@cache
def _shipped(name: str) -> dict[str, Any]:
    data = parse_mapping(network_text(name), name, as_json=False)
    return topology_answer(name, NETWORKS[name], parse_document(data, name).canonical())


def _json_of(data: Any) -> Response:
    return _json(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
