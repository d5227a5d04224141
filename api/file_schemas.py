"""Bodies that are files or documents, as OpenAPI describes them."""

from __future__ import annotations

from typing import Any

from twin.store.documents import JSON, YAML

from .openapi import PREFIX

_DOCUMENT = {
    JSON: {"schema": {"$ref": f"{PREFIX}TopologyDocument"}},
    YAML: {"schema": {"type": "string", "description": "The same document as YAML."}},
}
_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
DOCUMENT_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": _DOCUMENT}}
"""`openapi_extra` of an endpoint that takes a document."""
DOCUMENT_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The document as it was stored.", "content": _DOCUMENT}
}
"""`responses` of an endpoint that returns a document."""
FILE_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": _FILE}}
"""`openapi_extra` of an endpoint that takes a file, or a zip archive of files."""
MEASUREMENTS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": _FILE | {JSON: {"schema": {"$ref": f"{PREFIX}MeasurementsBody"}}},
    }
}
"""`openapi_extra` of an endpoint that takes measurements, as a file or as records."""
