"""Batches: several questions as one run. Each is answered by itself, with a status of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from twin.answers.data import json_text
from twin.errors import DocumentError, Issue
from twin.errors.wording import counted
from twin.model.validation import validate_as
from twin.store import NetworkStore

from .answers import Answer, Problem
from .bodies import NetworkRequest
from .body_reader import BODY, read_mapping, read_request
from .pinned_requests import canonical_text, network_label, pinned_request
from .questions.table import QUESTION_BY_PATH, Question

BATCH = "batch"
"""Name of the kind of run."""
MAX_QUESTIONS = 1000
"""Most questions of a batch."""
MAX_ANSWER_BYTES = 64 * 2**20
"""Most bytes of all answers of a batch."""


class BatchQuestion(BaseModel):
    """A question of a batch."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    question: Annotated[str, Field(min_length=1, max_length=64, json_schema_extra={"enum": [*QUESTION_BY_PATH]})]
    """Last part of its address: `what-if` of `/v1/what-if`."""
    request: dict[str, Any]
    """Body of the question."""


class BatchRequest(BaseModel):
    """Several questions, on one or more networks."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    questions: Annotated[tuple[BatchQuestion, ...], Field(min_length=1, max_length=MAX_QUESTIONS)]


class BatchAnswerRow(Answer):
    """One question of a batch with its answer, or the problem in its place."""

    question: str
    network: str
    """Name of its network, with the revision of a stored one."""
    status: int
    """HTTP status that the question alone would have."""
    answer: dict[str, Any] | None
    """Its answer; null if there is a problem."""
    problem: Problem | None
    """Problem that it met; null if there is an answer."""


class BatchAnswer(Answer):
    """Answers of a batch, in the order of its questions."""

    n_answered: int
    n_failed: int
    answers: list[BatchAnswerRow]


BATCH_EXAMPLES: dict[str, dict[str, Any]] = {
    "two questions": {
        "questions": [
            {"question": "score", "request": {"network": "leaf-spine-demo", "main_assumptions": False}},
            {"question": "failures", "request": {"network": "two-campus", "of": "srlg"}},
        ]
    }
}


class BatchPart(NamedTuple):
    """A question of a batch, ready to be asked."""

    question: Question
    asked: NetworkRequest
    where: str = ""
    """Place of the request in the body, for messages; empty for a question that is the body."""


class QueuedPart(NamedTuple):
    """A question of a batch as the queue of runs holds it, with a body that is read where it is answered."""

    path: str
    """Question by its path in the table."""
    network: str
    """Name of its network, with the revision of a stored one."""
    body: bytes


def read_batch(body: bytes) -> tuple[BatchPart, ...]:
    """Return the questions of a batch.

    body: JSON text in UTF-8.

    Raises:
        DocumentError: the body is invalid; each invalid field of each question is an issue.
    """
    data = read_mapping(body, f"a JSON object with {', '.join(BatchRequest.model_fields)}")
    batch: BatchRequest = validate_as(BatchRequest, data, BODY)
    parts, issues = [], list[Issue]()
    for i, item in enumerate(batch.questions):
        where = f"questions[{i}]"
        place = f"{where}.request"
        question = QUESTION_BY_PATH.get(item.question)
        if question is None:
            hint = f"known: {', '.join(QUESTION_BY_PATH)}"
            issues.append(Issue(f"{where}.question", f"no question {item.question!r}", hint))
            continue
        try:
            asked = read_request(item.request, question.request)
        except DocumentError as error:
            issues += [replace(issue, where=f"{place}.{issue.where}") for issue in error.issues]
        else:
            parts.append(BatchPart(question, asked, place))
    if issues:
        raise DocumentError(counted(len(issues), "bad field"), where=BODY, found=issues)
    return tuple(parts)


class SplitTask(NamedTuple):
    """Task to read the body of a batch. Its result is the tuple of QueuedParts."""

    body: bytes

    @property
    def n_bytes(self) -> int:
        """Return the amount of work."""
        return len(self.body)

    def run(self, _: object = None) -> tuple[QueuedPart, ...]:
        """Return the questions."""
        return queued_parts(self.body)


def queued_parts(body: bytes) -> tuple[QueuedPart, ...]:
    """Return the questions of a batch of the queue of runs.

    body: JSON text in UTF-8.

    Raises:
        DocumentError: the body is invalid, as `read_batch` says.
    """
    parts, rows = read_batch(body), json.loads(body)["questions"]
    labels = (network_label({"network": part.asked.network}) for part in parts)
    bodies = (json.dumps(row["request"]).encode() for row in rows)
    paths = (part.question.path for part in parts)
    return tuple(map(QueuedPart, paths, labels, bodies))


def pinned_batch(parts: Iterable[BatchPart], store: NetworkStore) -> dict[str, Any]:
    """Return a batch as plain data, with the revisions that stored networks have now.

    Raises:
        NotFoundError: there is no network of a name.
    """
    rows = [
        {"question": part.question.path, "request": pinned_request(part.asked, store, part.where)} for part in parts
    ]
    return {"questions": rows}


def batch_label(data: dict[str, Any]) -> str:
    """Return the network of a pinned batch, or how many there are."""
    requests = [row["request"] for row in data["questions"]]
    distinct = {canonical_text({"network": request["network"]}) for request in requests}
    return network_label(requests[0]) if len(distinct) == 1 else f"{len(distinct)} networks"


class BatchItem(NamedTuple):
    """End of one question of a batch."""

    status: int
    text: str
    """Answer, or problem document."""

    @property
    def is_answer(self) -> bool:
        """Return whether the text is an answer."""
        return self.status == 200

    def to_bytes(self) -> bytes:
        """Return the item as a kept part of a run."""
        return f"{self.status}\n{self.text}".encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> BatchItem:
        """Return the item of a kept part."""
        status, _, text = content.decode().partition("\n")
        return cls(int(status), text)


def part_name(number: int) -> str:
    """Return the name of the kept part of a question of a batch."""
    return f"item-{number:06d}"


def batch_text(parts: Iterable[QueuedPart], items: Iterable[BatchItem]) -> str:
    """Return the answer of a batch as JSON."""
    rows: list[dict[str, Any]] = []
    for part, item in zip(parts, items, strict=True):
        found = json.loads(item.text)
        row = {"question": part.path, "network": part.network, "status": item.status}
        rows.append(row | {"answer": found if item.is_answer else None, "problem": None if item.is_answer else found})
    n_answered = sum(row["status"] == 200 for row in rows)
    return json_text({"n_answered": n_answered, "n_failed": len(rows) - n_answered, "answers": rows})


class JoinTask(NamedTuple):
    """Task to make the answer of a batch. Its result is the answer as text."""

    parts: tuple[QueuedPart, ...]
    items: tuple[BatchItem, ...]

    @property
    def n_bytes(self) -> int:
        """Return the amount of work."""
        return sum(len(item.text) for item in self.items)

    def run(self, _: object = None) -> str:
        """Return the answer."""
        return batch_text(self.parts, self.items)
