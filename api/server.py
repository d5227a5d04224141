"""The web server of `twin serve`."""

from __future__ import annotations

import gc
import logging
import os
import sys
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from twin.studies.executor import n_cores

from .app import create_app
from .connections import GuardedProtocol
from .logs import set_up_log
from .settings import Settings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
MAX_SHUTDOWN_S = 5
"""Time that requests have to end after SIGTERM; compute processes end within two more seconds."""
MAX_IDLE_S = 15
"""Time that a connection may wait for its next request."""
MAX_CONNECTIONS = 4000
"""More connections are answered with 503."""
MAX_HEADER_BYTES = 32 * 1024
LOG = logging.getLogger("twin.api")


def is_loopback(host: str) -> bool:
    """Return whether only programs of this machine reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def settings_of(
    host: str,
    *,
    n_processes: int | None,
    memory_gib: float,
    keys: Path | None,
    allowed_hosts: tuple[str, ...],
    cors_origins: tuple[str, ...],
) -> Settings:
    """Return the settings of the service from the options of the command.

    Args:
        host: address to listen on. On a loopback address only its names are allowed as hosts of a request.
        n_processes: compute processes; None = one for each core.
        memory_gib: memory that one compute process may take.
        keys: file of API keys.
        allowed_hosts: names of the host; none = the default, `*` = any.
        cors_origins: origins whose pages may ask.
    """
    names: tuple[str, ...] | None = allowed_hosts or (LOOPBACK_NAMES if is_loopback(host) else None)
    if "*" in allowed_hosts:
        names = None
    return Settings(n_cores() if n_processes is None else n_processes, memory_gib, keys, names, cors_origins)


def serve(
    host: str, port: int, settings: Settings, *, max_body_bytes: int, data: str | None, log_format: str = "text"
) -> None:
    """Serve until a signal ends the process.

    Args:
        host: address to listen on.
        port: port to listen on.
        settings: settings of the service.
        max_body_bytes: largest body of a request.
        data: directory or URL of stored networks.
        log_format: json or text.
    """
    set_up_log(log_format)
    app = create_app(max_body_bytes=max_body_bytes, data=data, settings=settings)
    if settings.keys is None and not is_loopback(host):
        LOG.warning("no API keys: everyone who reaches this address may ask and store; see twin keys add")
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    LOG.info("starting: kernels compile first, for seconds to minutes; /readyz tells when", extra={"address": address})
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=GuardedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=MAX_IDLE_S,
        timeout_graceful_shutdown=MAX_SHUTDOWN_S,
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
    )
    _allow_connections()
    gc.collect()
    gc.freeze()  # what is there by now stays; to look through it again would hold all requests for 0.2 s
    server = uvicorn.Server(config)
    server.run()
    LOG.info("ended")
    sys.stderr.flush()
    if not settings.n_processes:  # a question on a thread of this process cannot be ended otherwise
        os._exit(0 if server.started else 1)


def _allow_connections() -> None:
    """Raise the number of files that this process may open to what the system allows, up to what it needs."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MAX_CONNECTIONS
    if soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
