"""Bodies and tables of runs; large ones are worked on in compute processes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import NamedTuple

from twin.deadline import DeadlineError, deadline
from twin.errors import ChangeError
from twin.store import NetworkStore
from twin.store.run_records import NewRun

from .batches import BATCH, BatchPart, batch_label, pinned_batch, read_batch
from .body_reader import read_body
from .compute.checking import MAX_CHECK_S, checking_of
from .csv_tables import TABLES, csv_text
from .pinned_requests import new_run, run_of
from .problems import ProblemError
from .questions.context import Context
from .questions.table import QUESTION_BY_PATH


def read_run(kind: str, body: bytes) -> tuple[BatchPart, ...]:
    """Return the questions of a run; one, unless it is a batch.

    Args:
        kind: name of a question, or of batches.
        body: JSON text in UTF-8.

    Raises:
        DocumentError: the body is invalid; each invalid field of each question is an issue.
    """
    if kind == BATCH:
        return read_batch(body)
    question = QUESTION_BY_PATH[kind]
    return (BatchPart(question, read_body(body, question.request)),)


def pinned_run(kind: str, parts: tuple[BatchPart, ...], store: NetworkStore) -> NewRun:
    """Return a run, with the revisions that stored networks have now.

    Args:
        kind: name of a question, or of batches.
        parts: its questions.
        store: store of networks that it may name.

    Raises:
        NotFoundError: there is no network of a name.
    """
    if kind != BATCH:
        return new_run(parts[0].question, parts[0].asked, store)
    data = pinned_batch(parts, store)
    return run_of(BATCH, data, batch_label(data))


class RunTask(NamedTuple):
    """Task to read the body of a run. Its result is the NewRun."""

    kind: str
    """Name of a question, or of batches."""
    body: bytes
    """JSON text, not validated."""
    is_checking: bool
    """True to validate documents in it, too, if that is quickly done."""

    def run(self, context: Context) -> NewRun:
        """Return the run."""
        parts = read_run(self.kind, self.body)
        if self.is_checking:
            checking = checking_of({part.where: part.asked for part in parts}, context.store)
            if checking is not None:
                # what ends the validation is for the run to report
                with suppress(ProblemError, DeadlineError), deadline(MAX_CHECK_S, context.client_gone.is_set):
                    checking.run(context)
        return pinned_run(self.kind, parts, context.store)


class TableTask(NamedTuple):
    """Task to make the table of the answer of a run. Its result is CSV text."""

    path: str
    """Question by its path in the table."""
    answer: bytes
    """Answer as JSON."""

    def run(self, _: Context) -> str:
        """Return the table. Raises ChangeError for an answer with some fields only."""
        data = json.loads(self.answer)
        if TABLES[self.path] not in data:
            hint = "ask for a run without fields for CSV"
            raise ChangeError("the run has some fields only", where="format", hint=hint)
        return csv_text(self.path, data, QUESTION_BY_PATH[self.path].answer)
