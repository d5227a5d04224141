"""Endpoints of stored networks: documents by name with revisions, pages of them, and what differs between two."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from twin.answers.data import json_text, to_data
from twin.answers.network_diff import NetworkDiff
from twin.catalogue.ageing import AgeingCase
from twin.store import NetworkStore
from twin.store.documents import media_type_of
from twin.store.networks import check_name
from twin.store.records import NetworkPage, RevisionPage, StoredNetwork

from .answering import Answering
from .bodies import DiffRequest
from .compute.estimate import Estimate
from .compute.work import Task
from .conditions import IfNoneMatch, WriteCondition, etag, revisions_of
from .file_schemas import DOCUMENT_BODY, DOCUMENT_RESPONSE
from .file_tasks import FileAnswer, PostedFile, PutTask
from .idempotency import IDEMPOTENCY_KEY
from .openapi import problems_of, responses_of
from .parameters import KNOWN_PARAMETERS
from .problems import find
from .question_routes import QUESTION_ERRORS
from .questions.table import QUESTION_BY_PATH
from .raw_body import Body

MAX_PAGE_ROWS = 1000
MAX_EFFECTS = 1000
WRITE_ERRORS = (409, 412, 413, 415, 422, 429, 499, 503)
"""Statuses of problems that a write of a document or file may end with."""
Name = Annotated[str, Path(description="Name of a stored network: 1 to 64 of a-z, 0-9, `.`, `_` and `-`.")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_ROWS, description="Most rows of the page.")]
Revision = Annotated[str | None, Query(description="Digest of a revision; the current one without it.")]


def stored_network_routes(answering: Answering, store: NetworkStore) -> APIRouter:
    """Return the endpoints of stored networks. Those of the database are plain functions, so each runs in a thread."""
    router = APIRouter(prefix="/v1/networks", tags=["networks"], dependencies=[KNOWN_PARAMETERS])
    _add_writes(router, answering, store)
    _add_reads(router, store)
    _add_diff(router, answering, store)
    return router


def _add_writes(router: APIRouter, answering: Answering, store: NetworkStore) -> None:
    @router.put(
        "/{name}",
        responses=responses_of(StoredNetwork, *WRITE_ERRORS) | responses_of(StoredNetwork, success=201),
        openapi_extra=DOCUMENT_BODY,
        operation_id="put_network",
        response_class=Response,
        dependencies=[IDEMPOTENCY_KEY],
    )
    async def put(request: Request, name: Name, body: Body, condition: WriteCondition) -> Response:
        """Store a document under a name. It is validated first; the same bytes again change nothing."""
        check_name(name)
        place = PostedFile(body, name, None).estimate(name)
        return await response_of(answering, PutTask(name, body, condition), request, place)

    @router.delete(
        "/{name}",
        status_code=204,
        responses=problems_of(404, 412, 422, 503),
        operation_id="delete_network",
        response_class=Response,
    )
    def delete(name: Name, condition: WriteCondition) -> Response:
        """Delete a stored network with all its revisions."""
        find(partial(store.delete, name, condition))
        return Response(status_code=204)


def _add_reads(router: APIRouter, store: NetworkStore) -> None:
    @router.get("", responses=responses_of(NetworkPage, 422, 503), operation_id="networks", response_class=Response)
    def page(
        limit: Limit = 100,
        after: Annotated[str | None, Query(max_length=64, description="`next` of the page before.")] = None,
        name: Annotated[str | None, Query(description="Names to list; `*` is any characters, `?` one.")] = None,
    ) -> Response:
        """Return the stored networks by name, a page at a time."""
        return _json(store.page(limit, after, name))

    @router.get(
        "/{name}",
        responses=DOCUMENT_RESPONSE | {304: {"description": "The revision is that of If-None-Match."}}
        | problems_of(404, 422, 503),
        operation_id="network", response_class=Response,
    )  # fmt: skip
    def get(name: Name, revision: Revision = None, if_none_match: IfNoneMatch = None) -> Response:
        """Return the document of a stored network, byte for byte as it was stored."""
        known = revisions_of(if_none_match, "If-None-Match", strong=False) or frozenset()
        network = find(partial(store.find, name, revision))
        headers = {"ETag": etag(network.revision)}
        if known & {network.revision, "*"}:
            return Response(status_code=304, headers=headers | {"Vary": "Accept-Encoding"})
        content = find(partial(store.get, name, network.revision)).content
        return Response(content, headers=headers, media_type=media_type_of(content))

    @router.get(
        "/{name}/revisions",
        responses=responses_of(RevisionPage, 404, 422, 503),
        operation_id="revisions",
        response_class=Response,
    )
    def revisions(
        name: Name,
        limit: Limit = 100,
        after: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="`next` of the page before.")] = None,
    ) -> Response:
        """Return the revisions of a stored network, the newest first."""
        return _json(find(partial(store.revisions, name, limit, after)))


def _add_diff(router: APIRouter, answering: Answering, store: NetworkStore) -> None:
    @router.get(
        "/{name}/diff",
        responses=responses_of(NetworkDiff, *QUESTION_ERRORS),
        operation_id="diff_of_revisions",
        response_class=Response,
    )
    async def diff(
        request: Request,
        name: Name,
        from_: Annotated[str, Query(alias="from", description="Digest of the earlier revision.")],
        to: Annotated[str | None, Query(description="Digest of the later revision; the current one otherwise.")] = None,
        job: Annotated[str | None, Query(max_length=200, description="Job of both; the default job of each.")] = None,
        ageing: AgeingCase = "value",
        top: Annotated[int, Query(ge=1, le=MAX_EFFECTS, description="Most rows better, and as many worse.")] = 10,
        fields: Annotated[str | None, Query(description="Fields of the answer: names with commas between.")] = None,
    ) -> Response:
        """Return what differs between two revisions of a stored network: records, then metrics."""
        digests = await run_in_threadpool(
            lambda: [find(partial(store.find, name, digest)).revision for digest in (from_, to)]
        )
        before, after = (f"{name}@{digest}" for digest in digests)
        chosen = None if fields is None else tuple(fields.split(","))
        asked = DiffRequest(network=before, other=after, job=job, ageing=ageing, top=top, fields=chosen)
        return await answering.answer(QUESTION_BY_PATH["diff"], asked, request)


async def response_of(answering: Answering, task: Task, request: Request, place: Estimate) -> Response:
    """Return the response to a document or file, whose work is done like that of a question.

    Args:
        answering: does the work.
        task: the work; its result is a FileAnswer.
        request: HTTP request; its body has been read.
        place: key of its network, and whether it takes about a second or less.
    """
    answer: FileAnswer = await answering.result(task, request, place)
    return answer.response()


def _json(answer: NetworkPage | RevisionPage) -> Response:
    return Response(json_text(to_data(answer)), media_type="application/json")
