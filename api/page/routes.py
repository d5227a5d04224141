"""Addresses of the page: the list of networks, a network, its parts, its report, and the files of the page."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.exceptions import HTTPException

from twin.errors import TwinError
from twin.scenario.changes import CHANGES
from twin.store import NetworkStore

from ..answering import Answering
from ..problems import NotFoundError
from .ask import Asker
from .background import Background, EndedRunError, PendingRunError, ended_html, progress_html
from .changes import change_of
from .form import Errors
from .html import Html, element
from .known import UNKNOWN_TITLE, unknown_issues, unknown_parameters, unknown_view
from .layout import network_page, page_html, part_html, unknown_view_page
from .network_list import networks_page, revisions_page
from .networks import PageNetworks
from .problem import problem_box, problem_html
from .security import HEADERS, check_same_origin
from .state import PageState, changes_text, state_of
from .studies import report_body
from .views import VIEWS

PAGE, REPORTS = "twin.api.page", "twin.reports"
ASSETS = {
    "echarts.min.js": (REPORTS, "text/javascript"),
    "labels.js": (REPORTS, "text/javascript"),
    "charts.js": (REPORTS, "text/javascript"),
    "report.css": (REPORTS, "text/css"),
    "htmx.min.js": (PAGE, "text/javascript"),
    "page.js": (PAGE, "text/javascript"),
    "page.css": (PAGE, "text/css"),
    "icon.svg": (PAGE, "image/svg+xml"),
}
"""Files of the page: package that holds each, and its media type."""
PAGED = ("after",)
"""Parameters of the lists of networks and of revisions."""
REPORT_TYPES = {"html": ("text/html", "html"), "markdown": ("text/markdown", "md")}


def page_routes(answering: Answering, background: Background, store: NetworkStore, *, is_kept: bool) -> APIRouter:
    """Return the addresses of the page.

    Args:
        answering: answers quick questions of the page.
        background: answers long ones.
        store: the store of networks.
        is_kept: whether stored networks outlive the service.
    """
    router = APIRouter(include_in_schema=False)
    known = PageNetworks(store)

    @router.get("/")
    def networks(request: Request, after: Annotated[str | None, Query(max_length=64)] = None) -> Response:
        unknown = unknown_issues(request.query_params, PAGED)
        return _html(networks_page(known.shipped(), known.stored(after), is_kept=is_kept, unknown=unknown))

    @router.get("/assets/{name}")
    def asset(name: str) -> Response:
        if name not in ASSETS:
            raise HTTPException(404)
        package, media_type = ASSETS[name]
        data = files(package).joinpath("assets", name).read_bytes()
        return Response(data, media_type=media_type, headers=HEADERS | {"Cache-Control": "max-age=3600"})

    @router.get("/networks/{name}")
    def network(name: str, request: Request) -> Response:
        return _network(known, name, request)

    @router.get("/networks/{name}/revisions")
    def revisions(
        name: str, request: Request, after: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
    ) -> Response:
        unknown = unknown_issues(request.query_params, PAGED)
        try:
            return _html(revisions_page(name, known.revisions(name, after), unknown))
        except NotFoundError as error:
            return _html(page_html("No such network", problem_html(error.error, level=2)), 404)

    @router.get("/networks/{name}/parts/{part}", dependencies=[Depends(check_same_origin)])
    async def part(name: str, part: str, request: Request) -> Response:
        return await _part(
            Asker(answering, background, request), part, state_of(name, request.query_params.multi_items())
        )

    @router.get("/networks/{name}/report", dependencies=[Depends(check_same_origin)])
    async def report(name: str, request: Request) -> Response:
        return await _report(Asker(answering, background, request), state_of(name, request.query_params.multi_items()))

    return router


def _html(text: str, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    return Response(text, status, HEADERS | {"Cache-Control": "no-cache", **headers}, "text/html")


def _network(known: PageNetworks, name: str, request: Request) -> Response:
    try:
        found = known.network(name)
    except NotFoundError as error:
        return _html(page_html("No such network", problem_html(error.error, level=2)), 404)
    state = state_of(name, request.query_params.multi_items())
    if state.view not in VIEWS:
        return _html(unknown_view_page(found, state), 404)
    errors: Errors = {}
    kind = state.text("kind")
    if state.text("add") and kind in CHANGES:
        change, errors = change_of(kind, state.values)
        if not errors:
            try:
                changes = [*state.changes(), change]
            except TwinError:
                changes = [change]
            address = state.address("change", plan=None, changes=changes_text(changes))
            return Response(status_code=303, headers={"Location": address, **HEADERS})
    if state.view == "differences":
        found = found._replace(others=known.others(name))
    return _html(network_page(found, state, errors))


async def _part(ask: Asker, name: str, state: PageState) -> Response:
    if state.view not in VIEWS:
        return _html(problem_box("No such view", [unknown_view(state)]), 404)
    part = next((part for part in VIEWS[state.view].parts if part.name == name), None)
    if part is None:
        return _html(problem_box("No such part", detail=f"The view {state.view} has no part {name}."), 404)
    try:
        content = await part.build(ask, state)
    except PendingRunError as pending:
        return _html(progress_html(pending.run, state.part_address(name, pending.run.id)), 202)
    except EndedRunError as ended:
        return _html(ended_html(ended), ended.ending.status)
    except NotFoundError as error:
        return _html(problem_html(error.error), 404)
    except TwinError as error:
        return _html(problem_html(error), 422)
    except HTTPException as error:
        return _html(_busy(error), error.status_code)
    return _html(part_html(name, content))


def _busy(error: HTTPException) -> Html:
    """Return a refusal by the service itself, such as too many questions at once."""
    wait = (error.headers or {}).get("Retry-After")
    detail = f"{error.detail}. " + (f"Try again in {wait} s." if wait else "")
    return problem_box("The service refuses the question", detail=detail)


async def _report(ask: Asker, state: PageState) -> Response:
    unknown = unknown_parameters(state)
    if unknown:
        return _html(page_html(f"Report of {state.network}", problem_box(UNKNOWN_TITLE, unknown, level=2)), 422)
    title = f"Report of {state.network}"
    try:
        data = await ask("report", **report_body(state))
    except PendingRunError as pending:
        address = state.address("report", **{key: list(texts) for key, texts in state.values.items()})
        follow = element("p", "The report is being written. ", element("a", "Follow it", href=address))
        return _html(page_html(title, follow), 202, {"Location": f"/v1/runs/{pending.run.id}"})
    except EndedRunError as ended:
        return _html(page_html(title, ended_html(ended)), ended.ending.status)
    except (NotFoundError, TwinError) as error:
        problem = error.error if isinstance(error, NotFoundError) else error
        return _html(page_html(title, problem_html(problem, level=2)), 404 if isinstance(error, NotFoundError) else 422)
    media_type, ending = REPORT_TYPES[data["format"]]
    name = "".join(char if (char.isalnum() and char.isascii()) or char in "._-" else "-" for char in state.network)
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="report-{name}.{ending}"'}
    return Response(data["text"], media_type=media_type, headers=headers)
