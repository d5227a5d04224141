"""Validation of posted documents before a run is accepted, in a compute process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..bodies import NetworkRequest
from ..networks import NETWORK_FIELDS
from ..questions.context import Context
from .estimate import MAX_LIGHT_RECORDS, n_records_of_network
from .network_key import network_key

MAX_CHECK_S = 2.0
"""Time for it; a document that takes longer is validated when its run begins."""


class Checking(NamedTuple):
    """Task to validate the documents of requests, with the jobs and plans that the requests name."""

    requests: tuple[NetworkRequest, ...]

    def run(self, context: Context) -> None:
        """Raise TwinError for an invalid document, NotFoundError for a job or plan that it lacks."""
        for request in self.requests:
            _ = context.network(request).nodes  # the records, which are made and checked on first use
            other = getattr(request, "other", None)
            if other is not None:
                _ = context.any_network(other).nodes


def checking_of(requests: Iterable[NetworkRequest]) -> Checking | None:
    """Return the task to validate posted documents; None if there are none, or more than is quickly done.

    requests: validated requests; the documents in them have not been validated.
    """
    posting, known, n_records = [], set[str](), 0
    for request in requests:
        documents = [data for name in NETWORK_FIELDS if isinstance(data := getattr(request, name, None), dict)]
        if documents:
            posting.append(request)
        for document in documents:
            key = network_key(document)
            n_records += 0 if key in known else n_records_of_network(document)
            known.add(key)
    return Checking(tuple(posting)) if posting and n_records <= MAX_LIGHT_RECORDS else None
