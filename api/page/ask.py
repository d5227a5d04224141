"""Questions of the page: asked through the table of questions, as clients ask them over HTTP."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request

from ..answering import Answering
from ..body_reader import read_body
from ..questions.table import QUESTION_BY_PATH
from ..room import key_name_of
from .background import Background
from .state import FOLLOWED


class Asker:
    """Asks questions on behalf of a request of a browser.

    Args:
        answering: answers quick questions.
        background: asks long ones as runs.
        request: HTTP request; a quick question ends if its client leaves.
    """

    def __init__(self, answering: Answering, background: Background, request: Request) -> None:
        self._answering, self._background, self._request = answering, background, request

    async def __call__(self, path: str, **body: Any) -> dict[str, Any]:
        """Return an answer as plain data.

        Args:
            path: last part of the question's address. A drawing with the worst failure is a long question, too.
            body: fields of the request.

        Raises:
            CancelledError: the client has left.
            PendingRunError, EndedRunError: a long question has no answer yet, or ended without one.
            TwinError, NotFoundError: the question cannot be answered; issues name fields of the body.
        """
        question = QUESTION_BY_PATH[path]
        await self._request.body()  # it must have been read before the client can be seen to leave
        asked = read_body(json.dumps(body).encode(), question.request)
        if question.is_long or body.get("worst_failure"):
            followed, key_name = self._request.query_params.get(FOLLOWED, ""), key_name_of(self._request)
            text = await self._background.answer(question, asked, followed, key_name)
        else:
            text = await self._answering.text(question, asked, self._request)
        answer: dict[str, Any] = json.loads(text)
        return answer
