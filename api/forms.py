"""Form of an answer that a request asks for: JSON, or CSV where the answer is a table."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request

from .csv_tables import TABLES, Form
from .problems import ProblemError
from .weights import weights_of

FormParameter = Annotated[Form | None, Query(description="Form of the answer, in place of the header `Accept`.")]
NOT_ACCEPTABLE = 406
CSV_CONTENT: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}}


def form_of(path: str, request: Request, stated: Form | None) -> Form:
    """Return the form of an answer.

    Args:
        path: question by its path.
        request: HTTP request with its header `Accept`.
        stated: query parameter `format`; it decides where it is there.

    Raises:
        ProblemError: 406 if only CSV is accepted and the answer is no table.
    """
    weights = weights_of(request.headers.get("accept", ""))
    csv = max(weights.get("text/csv", 0.0), weights.get("text/*", 0.0))
    json = max(weights.get(name, 0.0) for name in ("application/json", "application/*", "*/*"))
    form: Form = stated or ("csv" if csv > json or (csv == json > 0 and next(iter(weights)) == "text/csv") else "json")
    if form == "csv" and path not in TABLES:
        if stated is None and json > 0:
            return "json"
        detail = f"the answer of {path} is no table, so it has no CSV"
        raise ProblemError(NOT_ACCEPTABLE, detail, "NotAcceptableError", hint=f"tables: {', '.join(TABLES)}")
    return form
