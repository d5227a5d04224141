"""Endpoints of the catalogue: shipped networks and parts, and the health of the server."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from twin.topologies import NETWORKS, network_text

from twin.answers.data import json_text
from twin.answers.fields import chosen_fields
from twin.arrays import package_version
from twin.catalogue import KINDS, catalogue
from twin.formats.native import parse_document, parse_mapping

from .answers import Health, PartAnswer, PartList, TopologyAnswer, TopologyList, part_answer, topology_answer
from .openapi import responses_of
from .parameters import KNOWN_PARAMETERS
from .problems import find

Fields = Annotated[str | None, Query(description="Fields of the answer to return: names with commas between.")]


def catalogue_routes() -> APIRouter:
    """Return the endpoints of the catalogue and of the health of the server."""
    router = APIRouter(prefix="/v1", tags=["catalogue"])

    @router.get(
        "/topologies", operation_id="topologies", responses=responses_of(TopologyList, 422), response_class=Response
    )
    def topologies(fields: Fields = None) -> Response:
        """Return the shipped networks."""
        rows = [{"name": name, "sentence": sentence} for name, sentence in sorted(NETWORKS.items())]
        return _json_of({"topologies": rows}, fields)

    @router.get(
        "/topologies/{name}",
        operation_id="topology",
        responses=responses_of(TopologyAnswer, 404, 422),
        response_class=Response,
    )
    def topology(name: str, fields: Fields = None) -> Response:
        """Return a shipped network: its compact document, jobs and plans."""
        return _json_of(find(lambda: _topology_answer(name)), fields)

    @router.get(
        "/parts",
        operation_id="parts",
        responses=responses_of(PartList, 422),
        response_class=Response,
        dependencies=[KNOWN_PARAMETERS],
    )
    def parts(
        kind: Annotated[str | None, Query(json_schema_extra={"enum": list(KINDS)})] = None,
        fields: Fields = None,
    ) -> Response:
        """Return the parts of the catalogue, all or of one kind."""
        rows = catalogue().parts(kind)  # type: ignore[arg-type]  # an unknown kind is refused with similar ones
        return _json_of({"parts": [part_answer(part) for part in rows]}, fields)

    @router.get(
        "/parts/{part_id:path}",
        operation_id="part",
        responses=responses_of(PartAnswer, 404, 422),
        response_class=Response,
    )
    def part(part_id: str, fields: Fields = None) -> Response:
        """Return a part with every figure, its range and its source."""
        return _json_of(part_answer(find(lambda: catalogue().get(part_id))), fields)

    @router.get(
        "/health", operation_id="health", responses=responses_of(Health), response_class=Response, tags=["server"]
    )
    async def health() -> Response:
        """Return the version. It needs no thread, so it answers while all threads compute."""
        return _json_of({"status": "ok", "version": package_version()})

    return router


@cache
def _topology_answer(name: str) -> dict[str, Any]:
    data = parse_mapping(network_text(name), name, as_json=False)
    return topology_answer(name, NETWORKS[name], parse_document(data, name).canonical())


def _json_of(data: Any, fields: str | None = None) -> Response:
    return _json(json_text(data if fields is None else chosen_fields(data, fields.split(","))))


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
