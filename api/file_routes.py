"""Endpoints that take files of other tools: networks to import, and measurements of a stored network."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from twin.topologies import check_size

from twin.answers.data import json_text, to_data
from twin.formats.native import parse_mapping, to_json_bytes
from twin.formats.readers import decode_utf8
from twin.imports import FORMATS, import_options, read_given
from twin.model.measurements import Measurement
from twin.model.validation import validate_as
from twin.network import Network
from twin.readings import FORMATS as READING_FORMATS
from twin.readings import ReadingOptions, reading_options
from twin.readings import read_given as read_measurements
from twin.store import NetworkStore
from twin.store.documents import JSON, media_type_of
from twin.store.measuring import Measured, add_measurements, with_records
from twin.store.networks import check_name

from .answers import ImportAnswer, MeasurementsAnswer
from .conditions import WriteCondition
from .file_schemas import FILE_BODY, MEASUREMENTS_BODY
from .idempotency import IDEMPOTENCY_KEY
from .openapi import responses_of
from .parameters import KNOWN_PARAMETERS, options_as_parameters
from .posted_files import Filename, MeasurementsBody, posted_files
from .problems import find
from .raw_body import Body
from .stored_networks import Name, network_response

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


def file_routes(store: NetworkStore) -> APIRouter:
    """Return the endpoints that take files. They are plain functions, so each runs in a thread."""
    router = APIRouter(prefix="/v1", tags=["networks"], dependencies=[KNOWN_PARAMETERS])
    _add_import(router, store)
    _add_measurements(router, store)
    return router


def _add_import(router: APIRouter, store: NetworkStore) -> None:
    @router.post(
        "/import/{format}",
        responses=responses_of(ImportAnswer, 409, 412, 413, 415, 422, 503) | responses_of(ImportAnswer, success=201),
        openapi_extra=FILE_BODY,
        operation_id="import_files",
        response_class=Response,
        dependencies=[IDEMPOTENCY_KEY],
    )
    def import_(
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
            check_name(store_as)
        with options_as_parameters():
            options = import_options(
                capacity_gbps=capacity_gbps,
                demand_scale=demand_scale,
                length_factor=length_factor,
                site=site,
                roles=role,
                columns=map,
                layer=layer,
                decimal=decimal,
                keep_management=keep_management,
            )
            files = posted_files(body, filename)
            imported = read_given(files, format=None if format == ANY_FORMAT else format, options=options)
        check_size(imported.document, store.max_records)
        answer = {"network": None, "report": imported.report.to_dict(), "document": imported.document.to_dict()}
        if store_as is None:
            return Response(json_text(answer), media_type="application/json")
        written = store.put(store_as, to_json_bytes(imported.document), condition)
        return network_response(written.network, answer | {"network": to_data(written.network)}, is_new=written.is_new)


def _add_measurements(router: APIRouter, store: NetworkStore) -> None:
    @router.post(
        "/networks/{name}/measurements",
        responses=responses_of(MeasurementsAnswer, 404, 409, 412, 413, 415, 422, 503),
        openapi_extra=MEASUREMENTS_BODY,
        operation_id="add_measurements",
        response_class=Response,
        dependencies=[IDEMPOTENCY_KEY],
    )
    def measurements(
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
        with options_as_parameters():
            options = reading_options(
                at=at, as_of=as_of, device=device, quantity=quantity, unit=unit, maps=map, decimal=decimal
            )
        measure: Callable[[Network], Measured]
        if format is None:
            measure = partial(with_records, records=_records(body))
        else:
            named = None if format == ANY_FORMAT else format
            measure = partial(_measured, posted_files(body, filename), named, options)
        find(partial(store.find, name))
        added = add_measurements(store, name, measure, condition)
        report = None if added.report is None else added.report.to_dict()
        answer: dict[str, Any] = {"network": to_data(added.network), "n_added": added.n_added, "report": report}
        return network_response(added.network, answer)


def _measured(files: dict[str, bytes], format: str | None, options: ReadingOptions, network: Network) -> Measured:
    found = read_measurements(files, network, format=format, options=options)
    return Measured(found.document, found.report)


def _records(body: bytes) -> tuple[Measurement, ...]:
    """Return the measurements of an object with the list `measurements`, JSON or YAML."""
    as_json = media_type_of(body) == JSON
    data = parse_mapping(decode_utf8(body, "body"), "body", as_json=as_json, expected="an object with `measurements`")
    found: MeasurementsBody = validate_as(MeasurementsBody, data, "body")
    return found.measurements
