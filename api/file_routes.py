"""Endpoints that take files of other tools: networks to import, and measurements of a stored network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from twin.imports import FORMATS
from twin.imports.choice import named_format
from twin.readings import FORMATS as READING_FORMATS
from twin.store.networks import check_name

from .answering import Answering
from .answers import ImportAnswer, MeasurementsAnswer
from .conditions import WriteCondition
from .file_schemas import FILE_BODY, MEASUREMENTS_BODY
from .file_tasks import ImportTask, MeasurementsTask, PostedFile
from .idempotency import IDEMPOTENCY_KEY
from .openapi import responses_of
from .parameters import KNOWN_PARAMETERS, placed_at
from .posted_files import Filename
from .raw_body import Body
from .stored_networks import WRITE_ERRORS, Name, response_of

ANY_FORMAT = "auto"
"""Format that stands for the one that recognises the files."""
IMPORT_NAMES, READING_NAMES = (", ".join((ANY_FORMAT, *formats)) for formats in (FORMATS, READING_FORMATS))
ImportFormat = Annotated[str, Path(description=f"One of {IMPORT_NAMES}; `{ANY_FORMAT}` recognises the file.")]
ReadingFormat = Annotated[
    str | None,
    Query(description=f"Kind of file, one of {READING_NAMES}. Without it the body is an object with `measurements`."),
]
StoreAs = Annotated[
    str | None, Query(alias="store", description="Store the network under this name; without it nothing is stored.")
]
Texts = Annotated[list[str], Query(max_length=1000)]
Text = Annotated[str | None, Query(max_length=200)]


def file_routes(answering: Answering) -> APIRouter:
    """Return the endpoints that take files.

    answering: does the work in compute processes.
    """
    router = APIRouter(prefix="/v1", tags=["networks"], dependencies=[KNOWN_PARAMETERS])
    _add_import(router, answering)
    _add_measurements(router, answering)
    return router


def _format(name: str, formats: Mapping[str, Any], place: str) -> str | None:
    """Return the format that a request names, or None for the one that recognises the file. Raises DocumentError."""
    with placed_at(place):
        named_format(name, {ANY_FORMAT: None, **formats})
    return None if name == ANY_FORMAT else name


def _add_import(router: APIRouter, answering: Answering) -> None:
    @router.post(
        "/import/{format}",
        responses=responses_of(ImportAnswer, *WRITE_ERRORS) | responses_of(ImportAnswer, success=201),
        openapi_extra=FILE_BODY,
        operation_id="import_files",
        response_class=Response,
        dependencies=[IDEMPOTENCY_KEY],
    )
    async def import_(
        request: Request,
        format: ImportFormat,
        body: Body,
        condition: WriteCondition,
        filename: Filename = "posted",
        store_as: StoreAs = None,
        capacity_gbps: Annotated[float | None, Query(allow_inf_nan=False)] = None,
        demand_scale: Annotated[float | None, Query(allow_inf_nan=False)] = None,
        length_factor: Annotated[float | None, Query(allow_inf_nan=False)] = None,
        site: Text = None,
        role: Texts = [],  # noqa: B006  # FastAPI copies it
        map: Texts = [],  # noqa: B006
        layer: Text = None,
        decimal: Text = None,
        keep_management: bool = False,
    ) -> Response:
        """Import a network from a file of another tool: its document, and what became of each field.

        The other parameters are the options of `twin import`.
        """
        if store_as is not None:
            with placed_at("query.store"):
                check_name(store_as)
        options = {
            "capacity_gbps": capacity_gbps,
            "demand_scale": demand_scale,
            "length_factor": length_factor,
            "site": site,
            "roles": role,
            "columns": map,
            "layer": layer,
            "decimal": decimal,
            "keep_management": keep_management,
        }
        file = PostedFile(body, filename, _format(format, FORMATS, "path.format"))
        task = ImportTask(file, options, store_as, condition)
        return await response_of(answering, task, request, file.estimate(store_as or ""))


def _add_measurements(router: APIRouter, answering: Answering) -> None:
    @router.post(
        "/networks/{name}/measurements",
        responses=responses_of(MeasurementsAnswer, 404, *WRITE_ERRORS),
        openapi_extra=MEASUREMENTS_BODY,
        operation_id="add_measurements",
        response_class=Response,
        dependencies=[IDEMPOTENCY_KEY],
    )
    async def measurements(
        request: Request,
        name: Name,
        body: Body,
        condition: WriteCondition,
        format: ReadingFormat = None,
        filename: Filename = "posted",
        at: Text = None,
        as_of: Text = None,
        device: Text = None,
        quantity: Text = None,
        unit: Text = None,
        map: Texts = [],  # noqa: B006  # FastAPI copies it
        decimal: Text = None,
    ) -> Response:
        """Add measurements to a stored network, which makes a new revision; measurements that it has count once.

        The other parameters are the options of `twin measurements`.
        """
        options = {
            "at": at,
            "as_of": as_of,
            "device": device,
            "quantity": quantity,
            "unit": unit,
            "maps": map,
            "decimal": decimal,
        }
        file = PostedFile(body, filename, _format(format or ANY_FORMAT, READING_FORMATS, "query.format"))
        task = MeasurementsTask(name, body if format is None else file, options, condition)
        return await response_of(answering, task, request, file.estimate(name))
