"""The application: `uvicorn --factory twin.api.app:create_app`, or `twin serve`."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from twin.arrays import package_version
from twin.store import NetworkStore, RunStore, StoreLimits, open_database
from twin.store.replies import ReplyStore
from twin.warmup import warm_up

from .access import HostCheck, KeyCheck, OriginCheck
from .answering import Answering
from .body_limit import BodyLimit
from .catalogue_routes import catalogue_routes
from .compute.pool import Pool
from .compute.pool_records import PoolSettings
from .compute.work import GIB
from .compute.worker import WorkerSettings
from .file_routes import file_routes
from .http_rules import Compression, ExpectedBody, HeadAsGet, HeaderLines
from .idempotency import Idempotency
from .keys import read_keys
from .metrics import Metrics
from .networks import Networks
from .observation import Observation
from .openapi import openapi_document
from .operation_routes import operation_routes
from .page.background import Background
from .page.docs import docs_routes
from .page.routes import page_routes
from .problems import add_problem_handlers
from .question_routes import question_routes
from .questions.context import Limits
from .room import RoomCheck
from .run_queue import RunQueue
from .run_routes import run_routes
from .settings import MAX_BODY_BYTES, Settings
from .stored_networks import stored_network_routes

LOG = logging.getLogger("twin.api")
DATA_VARIABLE = "TWIN_DATA"
"""Environment variable of the place of stored networks."""
MIN_COMPRESSED_BYTES = 1000
GZIP_LEVEL = 4


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
        data: directory or PostgreSQL URL of stored networks; None = the environment variable TWIN_DATA, else they end
            with the application.
        store_limits: bounds of what is stored; None = the usual ones.
        settings: other settings; None = the usual ones, with threads in place of compute processes.
    """
    limits, settings = limits or (Limits() if warm else Limits(max_answer_s=math.inf)), settings or Settings()
    data = data or os.environ.get(DATA_VARIABLE) or None
    is_kept = data is not None
    closing = ExitStack()
    if data is None and settings.n_processes:  # compute processes read it, so it cannot be in the memory of this one
        data = closing.enter_context(TemporaryDirectory(prefix="twin-networks-", ignore_cleanup_errors=True))
    database = open_database(data)
    if data is not None:  # one in memory lives as long as the application
        closing.callback(database.close)
    store, runs = NetworkStore(database, store_limits or StoreLimits(), limits.max_records), RunStore(database)
    networks, metrics = Networks(limits.max_records, store), Metrics()
    pool = None
    if data and settings.n_processes:
        make_networks = partial(networks_of_process, data, limits.max_records, store.limits)
        pool = _pool_of(settings, make_networks, metrics, warm=warm)
    answering = Answering(networks, limits, pool)
    queue = RunQueue(answering, runs, limits, max(settings.n_processes - 1, 1))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with closing:
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

    app = FastAPI(
        title="dc-twin",
        version=package_version(),
        description="A digital twin of data-centre networks: metrics of a network, and the effect of a change.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,  # its assets come from other hosts; docs_page is served in its place
        redoc_url=None,
    )
    app.add_middleware(Idempotency, replies=ReplyStore(database))
    _add_middleware(app, settings, max_body_bytes, metrics, pool)
    add_problem_handlers(app)
    app.include_router(question_routes(answering))
    app.include_router(run_routes(answering, store, runs, queue))
    app.include_router(stored_network_routes(answering, store))
    app.include_router(file_routes(answering))
    app.include_router(catalogue_routes())
    app.include_router(operation_routes(pool, store, metrics))
    app.include_router(page_routes(answering, Background(store, runs, queue.wake), store, is_kept=is_kept))
    app.include_router(docs_routes(app))
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


def _add_middleware(app: FastAPI, settings: Settings, max_body_bytes: int, metrics: Metrics, pool: Pool | None) -> None:
    """Add the middleware, the innermost first."""
    app.add_middleware(Compression, minimum_size=MIN_COMPRESSED_BYTES, compresslevel=GZIP_LEVEL)
    if pool is not None:
        app.add_middleware(RoomCheck, pool=pool)
    app.add_middleware(BodyLimit, max_bytes=max_body_bytes, max_s=settings.max_body_s)
    if settings.keys is not None:
        app.add_middleware(KeyCheck, keys=read_keys(settings.keys))
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["ETag", "Location", "Retry-After", "X-Request-Id"],
        )
    app.add_middleware(OriginCheck, allowed=settings.cors_origins)
    if settings.allowed_hosts is not None:
        app.add_middleware(HostCheck, allowed=settings.allowed_hosts)
    app.add_middleware(HeaderLines)
    app.add_middleware(Observation, metrics=metrics)
    app.add_middleware(ExpectedBody)
    app.add_middleware(HeadAsGet)


def _pool_of(settings: Settings, make_networks: Callable[[], Networks], metrics: Metrics, *, warm: bool) -> Pool:
    worker = WorkerSettings(make_networks, settings.memory_gib, round(settings.memory_gib * GIB))
    pool = Pool(PoolSettings(worker, settings.n_processes, warm=warm), metrics)
    metrics.observe(pool)
    return pool


def networks_of_process(data: str | Path, max_records: int, store_limits: StoreLimits) -> Networks:
    """Return the cache of networks of a compute process, with a connection of its own to the store.

    Args:
        data: directory or URL of stored networks.
        max_records: most nodes and links of a document.
        store_limits: bounds of what is stored.
    """
    return Networks(max_records, NetworkStore(open_database(data), store_limits, max_records))


async def _start(pool: Pool) -> None:
    """Start the compute processes while the service already listens. Without them it ends."""
    try:
        await pool.start()
    except Exception:
        LOG.critical("no compute process could be started; the service ends")
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        LOG.info("ready", extra={"processes": pool.n_processes})
