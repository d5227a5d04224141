"""A client that talks to the application in memory; no socket is opened."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

import pytest
from twin.api.app import create_app
from twin.api.questions.context import Limits

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # newer starlette asks for httpx2, and works with httpx
    from starlette.testclient import TestClient


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """The application as it is served, kernels warm."""
    # tests ask many questions at once in this one process, which then takes longer than one question may
    with TestClient(create_app(limits=Limits(max_answer_s=math.inf))) as client:
        yield client


@pytest.fixture(scope="session")
def strict_client() -> Iterator[TestClient]:
    """The application with tight limits; faults come as responses, as they do on a socket."""
    app = create_app(warm=False, max_body_bytes=2000, limits=Limits(max_records=30))

    @app.get("/fault")
    def fault() -> None:
        raise RuntimeError("a secret of the server")

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
