"""Endpoints for operators: whether the service lives, whether it is ready, and its figures."""

from __future__ import annotations

from fastapi import APIRouter, Response

from twin.answers.data import json_text
from twin.errors import TwinError
from twin.store import NetworkStore

from .compute.pool import Pool
from .metrics import Metrics
from .problems import problem_response

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def operation_routes(pool: Pool | None, store: NetworkStore, metrics: Metrics) -> APIRouter:
    """Return the endpoints for operators. They need no key and are no part of the API that OpenAPI describes.

    Args:
        pool: compute processes; None = threads of this process.
        store: stored networks.
        metrics: figures of the service.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/livez")
    async def livez() -> Response:
        """Return that the service runs. It needs no thread."""
        return Response(json_text({"status": "ok"}), media_type="application/json")

    @router.get("/readyz")
    def readyz() -> Response:
        """Return whether compute processes and database are ready."""
        if pool is not None and not pool.is_ready:
            return problem_response(503, pool.starting_text, headers={"Retry-After": str(pool.retry_s)})
        try:
            store.page(1)
        except TwinError:
            return problem_response(503, "the database cannot be used now", headers={"Retry-After": "5"})
        return Response(json_text({"status": "ok"}), media_type="application/json")

    @router.get("/metrics")
    async def figures() -> Response:
        """Return the figures of the service for Prometheus."""
        return Response(metrics.text(), media_type=METRICS_TYPE)

    return router
