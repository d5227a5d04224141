"""The application: `uvicorn --factory twin.api.app:create_app`, or `twin serve`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from twin.arrays import package_version
from twin.warmup import warm_up

from .answering import Answering
from .body_limit import BodyLimit
from .catalogue_routes import catalogue_routes
from .networks import Networks
from .openapi import openapi_document
from .page.routes import page_routes
from .problems import add_problem_handlers
from .question_routes import question_routes
from .questions.context import Limits

MAX_BODY_BYTES = 8 * 1024 * 1024


def create_app(*, limits: Limits | None = None, max_body_bytes: int = MAX_BODY_BYTES, warm: bool = True) -> FastAPI:
    """Create the application with its own cache of networks.

    Args:
        limits: bounds on the work of one question; None = the usual ones.
        max_body_bytes: largest body of a request.
        warm: whether to compile the kernels at start.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if warm:
            await run_in_threadpool(warm_up)
        yield

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
    limits = limits or Limits()
    networks = Networks(limits.max_records)
    answering = Answering(networks, limits)
    app.include_router(question_routes(answering))
    app.include_router(catalogue_routes())
    app.include_router(page_routes(answering))
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app
