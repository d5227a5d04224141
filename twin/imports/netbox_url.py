"""NetBox read by its REST API: the endpoints that a dump has, as files in memory (extra `netbox`).

Only the host that the user names is asked. The token comes from the environment. It stands in no message or report.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from ..errors import DocumentError
from .files import MAX_FILE_BYTES, SourceFile, check_count

if TYPE_CHECKING:
    from collections.abc import Iterable

TOKEN = "NETBOX_TOKEN"
"""Variable of the environment that holds the API token."""
SCHEMES = ("http://", "https://")
CIRCUITS = frozenset({"circuits", "circuit-terminations", "provider-networks"})
"""Endpoints of the app `circuits`; the others are of `dcim`."""
REQUIRED = "devices"
PAGE = 1000
"""Records that are asked for at a time."""
TIMEOUT_S = 60.0
PIECE_BYTES = 1 << 16
EXTRA_HINT = "pip install 'dc-twin[netbox]'"
URL_HINT = "https://netbox.example.com"


def is_url(text: object) -> bool:
    """Return whether a source is an address and no path."""
    return isinstance(text, str) and text.lower().startswith(SCHEMES)


class RemoteFile(SourceFile):
    """The records of one endpoint, which look like a file of a dump."""

    def __init__(self, endpoint: str, where: str, records: list[Any]) -> None:
        super().__init__(Path(f"{endpoint}.json"))
        self.where = where
        self.data = records


def remote_files(url: str, endpoints: Iterable[str]) -> list[SourceFile]:
    """Read the endpoints of a NetBox; one that its version does not have is left out.

    Args:
        url: address of the NetBox, without `/api`, without user and password.
        endpoints: names as in file names of a dump.

    Raises:
        DocumentError: a bad address, a host that does not answer, a refused token, too many records or bytes.
    """
    base = _base(url)
    try:
        import pynetbox
        import requests
    except ModuleNotFoundError:
        raise DocumentError("a NetBox by URL needs the package pynetbox", where=base, hint=EXTRA_HINT) from None

    api = pynetbox.api(base, token=os.environ.get(TOKEN) or None)
    api.http_session = _session(base)
    found: list[SourceFile] = []
    for endpoint in endpoints:
        where = f"{base}/api/{'circuits' if endpoint in CIRCUITS else 'dcim'}/{endpoint}/"
        try:
            records = _records(api, where)
        except pynetbox.RequestError as error:
            status = error.req.status_code
            if status == 404 and endpoint != REQUIRED:
                continue
            raise _status_error(status, where) from None
        except pynetbox.ContentError:
            raise DocumentError("answers with something else than JSON", where=where, hint=URL_HINT) from None
        except requests.RequestException as error:
            raise DocumentError(_no_answer(error), where=where, hint="check the address") from None
        except (KeyError, TypeError, AttributeError, ValueError):
            raise DocumentError("answers with no list of records", where=where, hint=URL_HINT) from None
        found.append(RemoteFile(endpoint, where, records))
    return found


def _no_answer(error: Exception) -> str:
    """Return why a service did not answer."""
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return "does not answer: its TLS certificate is not accepted"
    return f"does not answer{' in time' if isinstance(error, requests.exceptions.Timeout) else ''}"


def _base(url: str) -> str:
    """Return the address without `/api` and a slash at its end."""
    try:
        parts: SplitResult = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise DocumentError("is no address", where="URL", hint=URL_HINT) from None
    if parts.username is not None or parts.password is not None:
        raise DocumentError("user and password in the address", where="URL", hint=f"{TOKEN} holds a token") from None
    if not host or parts.query or parts.fragment:
        raise DocumentError("is no address of a NetBox", where=f"{parts.scheme}://{(host or '')[:200]}", hint=URL_HINT)
    shown = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/api")
    return f"{parts.scheme.lower()}://{shown}{'' if port is None else f':{port}'}{path}"


def _records(api: Any, where: str) -> list[Any]:
    from pynetbox.core.query import Request

    request = Request(base=where, token=api.token, http_session=api.http_session, limit=PAGE)
    found: list[Any] = []
    for record in request.get():
        found.append(record)
        if len(found) % PAGE == 1:
            check_count(max(len(found), request.count or 0), where)
    return found


def _status_error(status: int, where: str) -> DocumentError:
    hint = f"{TOKEN} holds an API token that may read" if status in (401, 403) else "check the address"
    return DocumentError(f"HTTP status {status}", where=where, hint=hint)


def _session(base: str) -> Any:
    """Return a session that asks the named host only, follows no redirect, and reads a bounded number of bytes."""
    import requests

    origin = urlsplit(base)

    class Session(requests.Session):
        """Session of one host."""

        def __init__(self) -> None:
            super().__init__()
            self.trust_env = False  # no proxy and no password file of the environment

        def request(self, method: str, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
            """Send a request to the named host. Raises DocumentError for another host, a redirect, or a flood."""
            asked = urlsplit(str(url))
            if (asked.scheme, asked.netloc) != (origin.scheme, origin.netloc):
                problem = f"refers to another host, {asked.scheme}://{asked.hostname}, which is not asked"
                raise DocumentError(problem, where=base, hint="name that address if it is the NetBox")
            options |= {"allow_redirects": False, "timeout": TIMEOUT_S, "stream": True}
            response = super().request(method, url, *args, **options)
            if response.is_redirect:
                raise DocumentError("redirects, which is not followed", where=str(url), hint="name its final address")
            response._content = b"".join(_bounded(response.iter_content(PIECE_BYTES), str(url)))
            return response

    return Session()


def _bounded(pieces: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Yield pieces of an answer. Raises DocumentError beyond the size of a file."""
    n_bytes = 0
    for piece in pieces:
        n_bytes += len(piece)
        if n_bytes > MAX_FILE_BYTES:
            raise DocumentError("answers without end", where=where, expected=f"at most {MAX_FILE_BYTES:,} bytes")
        yield piece
