"""The application: `uvicorn --factory twin.api.app:create_app`, or `twin serve`."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from twin.arrays import package_version
from twin.store import NetworkStore, RunStore, StoreLimits, open_database
from twin.warmup import warm_up

from .answering import Answering
from .body_limit import BodyLimit
from .catalogue_routes import catalogue_routes
from .compute.pool import Pool, PoolSettings
from .compute.work import GIB
from .compute.worker import WorkerSettings
from .file_routes import file_routes
from .networks import Networks
from .openapi import openapi_document
from .problems import add_problem_handlers
from .question_routes import question_routes
from .questions.context import Limits
from .run_queue import RunQueue
from .run_routes import run_routes
from .settings import MAX_BODY_BYTES, Settings
from .stored_networks import stored_network_routes

DATA_VARIABLE = "TWIN_DATA"
"""Environment variable of the place of stored networks."""
LOG = logging.getLogger("twin.api")


def create_app(
    *,
    limits: Limits | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    warm: bool = True,
    data: str | Path | None = None,
    store_limits: StoreLimits | None = None,
    settings: Settings | None = None,
) -> FastAPI:
    """Create the application with its own cache of networks.

    Args:
        limits: bounds on the work of one question; None = the usual ones. Without warm kernels the first questions
            compile them, so then the usual ones have no bound on the time of an answer.
        max_body_bytes: largest body of a request.
        warm: whether to compile the kernels at start.
        data: directory or PostgreSQL URL of stored networks; None = the environment variable TWIN_DATA, else in memory.
        store_limits: bounds of what is stored; None = the usual ones.
        settings: other settings; None = the usual ones, with threads in place of compute processes.
    """
    limits, settings = limits or (Limits() if warm else Limits(max_answer_s=math.inf)), settings or Settings()
    data = data or os.environ.get(DATA_VARIABLE) or None
    database = open_database(data)
    store = NetworkStore(database, store_limits or StoreLimits(), limits.max_records)
    networks, runs = Networks(limits.max_records, store), RunStore(database)
    pool = _pool_of(settings, limits, warm=warm) if settings.n_processes else None
    answering = Answering(networks, limits, pool)
    queue = RunQueue(answering, runs, limits, max(settings.n_processes - 1, 1))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        starting = None if pool is None else asyncio.create_task(_start(pool))
        if pool is None and warm:
            await run_in_threadpool(warm_up)
        queue.start()
        yield
        await queue.stop()
        if pool is not None:
            await pool.close()
        if starting is not None:
            starting.cancel()
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
    app.include_router(question_routes(answering))
    app.include_router(run_routes(networks, runs, queue))
    app.include_router(stored_network_routes(networks, store))
    app.include_router(file_routes(store))
    app.include_router(catalogue_routes())
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


def _pool_of(settings: Settings, limits: Limits, *, warm: bool) -> Pool:
    worker = WorkerSettings(limits.max_records, settings.memory_gib, round(settings.memory_gib * GIB))
    return Pool(PoolSettings(worker, settings.n_processes, warm=warm))


async def _start(pool: Pool) -> None:
    """Start the compute processes while the service already listens. Without them it ends."""
    try:
        await pool.start()
    except Exception:
        LOG.critical("no compute process could be started; the service ends")
        os.kill(os.getpid(), signal.SIGTERM)
