"""Endpoints of runs: ask in the background, follow the progress, fetch the answer, cancel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from twin.answers.data import json_text, to_data
from twin.errors import DocumentError, StoreError, did_you_mean
from twin.errors.wording import quoted
from twin.store import NetworkStore
from twin.store.run_askers import OtherAskerError
from twin.store.run_records import Run, RunPage, RunState
from twin.store.runs import ID_FORM, RunStore

from .answering import Answering
from .batches import BATCH, BATCH_EXAMPLES, BatchRequest
from .body_reader import MAX_READ_BYTES
from .compute.estimate import MAX_LIGHT_BYTES, Estimate
from .csv_tables import MEDIA_TYPES
from .forms import CSV_CONTENT, FormParameter, form_of
from .idempotency import IDEMPOTENCY_KEY
from .openapi import problems_of, request_body_of, responses_of
from .parameters import KNOWN_PARAMETERS
from .problems import find, problem_response
from .question_routes import QUESTION_ERRORS
from .questions.table import QUESTIONS, Question
from .raw_body import JsonBody
from .room import key_name_of
from .run_queue import RunQueue
from .run_requests import TableTask, pinned_run, read_run

EVENT_S = 0.5
"""Time between two looks at a run whose events a client follows."""
MAX_FOLLOWERS = 200
"""Most clients that follow events at the same time."""
KEEP_ALIVE_S = 15.0
"""Time after which a comment is sent where nothing happens, so that proxies keep the connection."""
ANSWER_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, the same bytes as those of the question itself.",
        "content": {"application/json": {"schema": {"type": "object"}}, **CSV_CONTENT},
    }
}
EVENTS_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `progress` with the run as data, then one event `end`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
KINDS = (*(question.path for question in QUESTIONS), BATCH)
"""Kinds of runs: every question, and batches of them."""
RunId = Annotated[str, Path(pattern=f"^{ID_FORM.pattern}$", description="Id of a run.")]


class Runs(NamedTuple):
    """Parts that the endpoints which ask for runs share."""

    answering: Answering
    """Validates posted documents."""
    networks: NetworkStore
    """Networks that requests name."""
    store: RunStore
    queue: RunQueue
    """Computes the runs; it is woken by new ones."""

    async def ask(self, kind: str, body: bytes, request: Request) -> Response:
        """Queue a run, and return it; its answer may be there already.

        Args:
            kind: name of a question, or of batches.
            body: JSON text, not validated.
            request: HTTP request with the body.
        """
        if len(body) > MAX_READ_BYTES:
            new = await self.answering.read_run(kind, body, request)
        else:
            parts = read_run(kind, body)
            await self.answering.check({part.where: part.asked for part in parts}, request)
            new = await run_in_threadpool(pinned_run, kind, parts, self.networks)
        found = await run_in_threadpool(self.store.ask, new, key_name_of(request))
        self.queue.wake()
        return _run(found.run, 200 if found.run.state == RunState.DONE else 202)


def run_routes(answering: Answering, networks: NetworkStore, runs: RunStore, queue: RunQueue) -> APIRouter:
    """Return the endpoints of runs.

    Args:
        answering: validates posted documents.
        networks: stored networks that requests name.
        runs: runs in the database.
        queue: computes the runs; it is woken by new ones.
    """
    router = APIRouter(prefix="/v1/runs", tags=["runs"], dependencies=[KNOWN_PARAMETERS])
    asking = Runs(answering, networks, runs, queue)
    for question in QUESTIONS:
        router.add_api_route(
            f"/{question.path}",
            _asking(question, asking),
            methods=["POST"],
            status_code=202,
            operation_id=f"run_{question.name}",
            summary=f"run {question.path}",
            description=f"In the background: {question.summary}",
            responses=responses_of(Run, *QUESTION_ERRORS, 409) | responses_of(Run, success=202),
            openapi_extra=request_body_of(question.request, question.examples),
            response_class=Response,
            dependencies=[IDEMPOTENCY_KEY],
        )
    _add_batch(router, asking)
    _add_reads(router, answering, runs)
    _add_ends(router, runs)
    return router


def _asking(question: Question, runs: Runs) -> Callable[..., Any]:
    async def ask(request: Request, body: JsonBody) -> Response:
        return await runs.ask(question.path, body, request)

    return ask


def _add_batch(router: APIRouter, runs: Runs) -> None:
    @router.post(
        f"/{BATCH}",
        status_code=202,
        operation_id="run_batch",
        summary="run batch",
        responses=responses_of(Run, *QUESTION_ERRORS, 409) | responses_of(Run, success=202),
        openapi_extra=request_body_of(BatchRequest, BATCH_EXAMPLES),
        response_class=Response,
        dependencies=[IDEMPOTENCY_KEY],
    )
    async def batch(request: Request, body: JsonBody) -> Response:
        """In the background: Answer several questions, on one or more networks. Each has a status of its own."""
        return await runs.ask(BATCH, body, request)


def _add_reads(router: APIRouter, answering: Answering, runs: RunStore) -> None:
    @router.get("", responses=responses_of(RunPage, 422, 503), operation_id="runs", response_class=Response)
    def page(
        limit: Annotated[int, Query(ge=1, le=1000, description="Most rows of the page.")] = 100,
        after: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="`next` of the page before.")] = None,
        state: Annotated[str | None, Query(json_schema_extra={"enum": [*RunState]})] = None,
        question: Annotated[str | None, Query(max_length=64, description="Name of a question: `failures`.")] = None,
    ) -> Response:
        """Return runs, the newest first, a page at a time."""
        if question is not None and question not in KINDS:
            hint = did_you_mean(question, KINDS) or f"known: {', '.join(KINDS)}"
            raise DocumentError(f"{quoted(question)} is no question", where="query.question", hint=hint)
        return _json(runs.page(limit, after, state, question))

    @router.get("/{run}", responses=responses_of(Run, 404, 422, 503), operation_id="run", response_class=Response)
    def get(run: RunId) -> Response:
        """Return the state and the progress of a run."""
        return _run(find(partial(runs.find, run)), 200)

    @router.get(
        "/{run}/answer",
        responses=ANSWER_RESPONSE | problems_of(404, 406, 409, 413, 422, 429, 499, 500, 503),
        operation_id="run_answer",
        response_class=Response,
    )
    async def answer(run: RunId, request: Request, format: FormParameter = None) -> Response:
        """Return the answer of a run, or the problem that it met."""
        ending = await run_in_threadpool(find, partial(runs.ending, run))
        if ending is None or ending.state == RunState.CANCELLED:
            state = "was cancelled" if ending else "has not ended"
            return problem_response(409, f"the run {state}; GET /v1/runs/{run} has its state")
        if ending.state == RunState.FAILED:
            if ending.problem is None:
                return problem_response(ending.status, ending.detail or "the run failed")
            return Response(ending.problem, ending.status, media_type="application/problem+json")
        found = await run_in_threadpool(find, partial(runs.find, run))
        form, content, headers = form_of(found.question, request, format), ending.answer or b"", {"Vary": "Accept"}
        if form == "json":
            return Response(content, media_type=MEDIA_TYPES[form], headers=headers | {"ETag": f'"{run}"'})
        await request.body()  # it must have been read before the client can be seen to leave
        place = Estimate("tables of runs", len(content) <= MAX_LIGHT_BYTES)
        text = await answering.result(TableTask(found.question, content), request, place)
        return Response(text, media_type=MEDIA_TYPES[form], headers=headers)

    followers = asyncio.Semaphore(MAX_FOLLOWERS)

    @router.get(
        "/{run}/events",
        responses=EVENTS_RESPONSE
        | problems_of(404, 422, 503),
        operation_id="run_events",
        response_class=Response,
    )  # fmt: skip
    async def events(run: RunId, request: Request) -> Response:
        """Follow a run: an event whenever its state or progress changes, until it ends."""
        await run_in_threadpool(find, partial(runs.find, run))
        if followers.locked():
            return problem_response(503, f"{MAX_FOLLOWERS} clients follow runs already", headers={"Retry-After": "5"})
        await followers.acquire()
        return StreamingResponse(
            _events(runs, run, request, followers),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


async def _events(runs: RunStore, run_id: str, request: Request, followers: asyncio.Semaphore) -> AsyncIterator[str]:
    """Yield the events of a run. A run that is deleted meanwhile has ended."""
    before, waited_s = "", 0.0
    try:
        while not await request.is_disconnected():
            try:
                run = await run_in_threadpool(find, partial(runs.find, run_id))
            except StoreError:
                run = None  # the database is away for the moment
            except Exception:
                yield "event: end\ndata: {}\n\n"
                return
            text = before if run is None else json.dumps(to_data(run))
            if text != before:
                name = "end" if run is not None and run.is_ended else "progress"
                yield f"event: {name}\ndata: {text}\n\n"
                before, waited_s = text, 0.0
                if name == "end":
                    return
            elif waited_s >= KEEP_ALIVE_S:
                yield ": still there\n\n"
                waited_s = 0.0
            await asyncio.sleep(EVENT_S)
            waited_s += EVENT_S
    finally:
        followers.release()


def _add_ends(router: APIRouter, runs: RunStore) -> None:
    @router.post(
        "/{run}/cancel",
        responses=responses_of(Run, 403, 404, 422, 503),
        operation_id="cancel_run",
        response_class=Response,
    )
    def cancel(run: RunId, request: Request) -> Response:
        """Cancel a run. One that has ended stays as it is. A key that may only read cancels what it alone asked for."""
        only_asker = None if getattr(request.state, "may_write", True) else key_name_of(request)
        try:
            return _run(find(partial(runs.cancel, run, only_asker)), 200)
        except OtherAskerError:
            detail = f"the key {only_asker} may only read, so it cancels runs that it alone asked for"
            return problem_response(403, detail)

    @router.delete(
        "/{run}", status_code=204, responses=problems_of(404, 422, 503), operation_id="delete_run",
        response_class=Response,
    )  # fmt: skip
    def delete(run: RunId) -> Response:
        """Delete a run with its answer; the work of one that runs ends."""
        find(partial(runs.delete, run))
        return Response(status_code=204)


def _run(run: Run, status: int) -> Response:
    headers = {"Location": f"/v1/runs/{run.id}"}
    if not run.is_ended:
        headers["Retry-After"] = "1"
    return Response(json_text(to_data(run)), status, headers, media_type="application/json")


def _json(page: RunPage) -> Response:
    return Response(json_text(to_data(page)), media_type="application/json")
