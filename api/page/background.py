"""Long questions of the page: asked as runs, whose progress the page follows until it fetches the answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool

from twin.errors import Issue
from twin.store import NetworkStore
from twin.store.run_records import Ending, Run, RunState
from twin.store.runs import RunStore

from ..bodies import NetworkRequest
from ..pinned_requests import new_run
from ..problems import TITLES, find
from ..questions.table import Question
from .html import Html, element
from .problem import UNANSWERED, problem_box, title_of

QUICK_S = 1.0
"""Time that a part waits for its run, so that a quick answer needs no progress."""
LOOK_S = 0.05
"""Time between two looks at a run in that time."""
ITEMS = {
    "failures": "failures",
    "availability": "steps",
    "growth": "steps",
    "optimum": "steps",
    "schedule": "steps",
    "plan": "sets of changes",
    "sample": "samples",
    "decide": "samples",
    "report": "parts",
}
"""Items that the progress of a question counts."""


class PendingRunError(Exception):
    """The answer is not there yet: its run waits or runs."""

    def __init__(self, run: Run) -> None:
        self.run = run
        super().__init__(run.id)


class EndedRunError(Exception):
    """A run that ended without an answer: it was cancelled, or met a problem."""

    def __init__(self, run_id: str, ending: Ending) -> None:
        self.run_id, self.ending = run_id, ending
        super().__init__(run_id)


class Background:
    """Asks questions as runs.

    Args:
        networks: stored networks that questions name.
        runs: runs in the database.
        wake: tells the queue of runs that there is a new one.
    """

    def __init__(self, networks: NetworkStore, runs: RunStore, wake: Callable[[], None]) -> None:
        self._networks, self._runs, self._wake = networks, runs, wake

    async def answer(self, question: Question, asked: NetworkRequest, followed: str, key_name: str = "") -> str:
        """Return the answer of a run as JSON, if it is there within a second.

        Args:
            question: row of the table of questions.
            asked: validated request.
            followed: id of the run that the page follows; that run is not asked for again.
            key_name: name of the API key that asks; empty without a key.

        Raises:
            PendingRunError: the run takes longer.
            EndedRunError: it was cancelled, or met a problem.
            NotFoundError: there is no network of this name.
        """
        new = await run_in_threadpool(new_run, question, asked, self._networks)
        if new.id != followed:
            await run_in_threadpool(self._runs.ask, new, key_name)
            self._wake()
        ending = await self._ending(new.id)
        if ending is None:
            raise PendingRunError(await run_in_threadpool(find, partial(self._runs.find, new.id)))
        if ending.state != RunState.DONE or ending.answer is None:
            raise EndedRunError(new.id, ending)
        return ending.answer.decode()

    async def _ending(self, run_id: str) -> Ending | None:
        """Return the end of a run; None if it does not end soon."""
        for _ in range(round(QUICK_S / LOOK_S)):
            ending = await run_in_threadpool(find, partial(self._runs.ending, run_id))
            if ending is not None:
                return ending
            await asyncio.sleep(LOOK_S)
        return None


def progress_html(run: Run, address: str) -> Html:
    """Return the progress of a run; the script of the page keeps it up to date.

    Args:
        run: a run that waits or runs.
        address: address that shows the part once the run has ended.
    """
    items = ITEMS.get(run.question, "items")
    return element(
        "div",
        element(
            "p",
            element("progress", aria_label="Share done"),
            " ",
            element("span", "Computing", data_progress=True),
            ", ",
            element("span", "0 s", data_seconds=True),
        ),
        element(
            "p",
            element("button", "Cancel", type="button", data_cancel_run=True, class_="quiet"),
            element("span", " This page may be closed. The same address shows the answer later.", class_="help"),
        ),
        element("noscript", element("p", element("a", "Show the answer", href=address))),
        data_run=run.id,
        data_items=items,
        data_address=address,
        class_="run",
    )


def ended_html(error: EndedRunError) -> Html:
    """Return what is shown of a run that ended without an answer."""
    if error.ending.state == RunState.CANCELLED:
        again = element("button", "Run again", type="button", data_again=True, class_="quiet")
        return element("p", "Cancelled. ", again)
    problem: dict[str, Any] = json.loads(error.ending.problem or b"{}")
    detail = problem.get("detail") or error.ending.detail or "The run failed."
    issues = [
        Issue(**{key: row.get(key, "") for key in ("where", "problem", "hint")}) for row in problem.get("issues", ())
    ]
    title = title_of("ChangeError", issues) if problem.get("title") == TITLES["ChangeError"] else problem.get("title")
    return problem_box(title or UNANSWERED, issues, "" if issues else detail, expected=problem.get("expected", ""))
