"""One server and one browser for the tests of the page in a browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from site_pages.browser import BROWSER, FLAGS
from twin.api.app import create_app


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of a server that serves the page."""
    config = uvicorn.Config(create_app(warm=False), host="127.0.0.1", port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The Chromium of the system, driven by Playwright, whose event loop must end before tests that have their own."""
    if BROWSER is None:
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright comes with the extra `test`")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=BROWSER, args=list(FLAGS))
        yield started
        started.close()
