"""Questions of the page: asked through the table of questions, as clients ask them over HTTP."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request

from ..answering import Answering
from ..body_reader import read_body
from ..questions.table import QUESTIONS, Question

BY_PATH: dict[str, Question] = {question.path: question for question in QUESTIONS}


class Asker:
    """Asks questions on behalf of a request of a browser.

    Args:
        answering: answers the questions.
        request: HTTP request; a question ends if its client leaves.
    """

    def __init__(self, answering: Answering, request: Request) -> None:
        self._answering, self._request = answering, request

    async def __call__(self, path: str, **body: Any) -> dict[str, Any]:
        """Return an answer as plain data.

        Args:
            path: last part of the question's address.
            body: fields of the request.

        Raises:
            ClientGoneError: the client has left.
            TwinError, NotFoundError: the question cannot be answered; issues name fields of the body.
        """
        question = BY_PATH[path]
        await self._request.body()  # it must have been read before the client can be seen to leave
        asked = read_body(json.dumps(body).encode(), question.request)
        answer: dict[str, Any] = json.loads(await self._answering.text(question, asked, self._request))
        return answer
