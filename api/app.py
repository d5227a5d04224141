"""The application: `uvicorn --factory twin.api.app:create_app`, or `twin serve`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from twin.arrays import package_version
from twin.store import NetworkStore, StoreLimits, open_database
from twin.warmup import warm_up

from .answering import Answering
from .body_limit import BodyLimit
from .catalogue_routes import catalogue_routes
from .file_routes import file_routes
from .networks import Networks
from .openapi import openapi_document
from .page.routes import page_routes
from .problems import add_problem_handlers
from .question_routes import question_routes
from .questions.context import Limits
from .stored_networks import stored_network_routes

MAX_BODY_BYTES = 8 * 1024 * 1024
DATA_VARIABLE = "TWIN_DATA"
"""Environment variable of the place of stored networks."""


def create_app(
    *,
    limits: Limits | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    warm: bool = True,
    data: str | Path | None = None,
    store_limits: StoreLimits | None = None,
) -> FastAPI:
    """Create the application with its own cache of networks.

    Args:
        limits: bounds on the work of one question; None = the usual ones.
        max_body_bytes: largest body of a request.
        warm: whether to compile the kernels at start.
        data: directory or PostgreSQL URL of stored networks; None = the environment variable TWIN_DATA, else in memory.
        store_limits: bounds of what is stored; None = the usual ones.
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
    limits = limits or Limits()
    store = NetworkStore(database, store_limits or StoreLimits(), limits.max_records)
    networks = Networks(limits.max_records, store)
    answering = Answering(networks, limits)
    app.include_router(question_routes(answering))
    app.include_router(stored_network_routes(networks, store))
    app.include_router(file_routes(store))
    app.include_router(catalogue_routes())
    app.include_router(page_routes(answering, store))
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app
