"""Headers of pages, and the refusal of requests that other sites make."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request
from starlette.exceptions import HTTPException

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Headers of every answer of the page. No script and no style inside a page runs."""
OWN_SITES = ("same-origin", "none")
"""Values of Sec-Fetch-Site of requests that come from the page itself, or from the user."""


def check_same_origin(request: Request) -> None:
    """Refuse a request that another site makes in a user's browser.

    Raises:
        HTTPException: status 403.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_own = site in OWN_SITES if site is not None else origin is None or _host(origin) == request.headers.get("host")
    if not is_own:
        raise HTTPException(403, "this address serves the page of this service only, not other sites")


def _host(origin: str) -> str:
    return urlsplit(origin).netloc
