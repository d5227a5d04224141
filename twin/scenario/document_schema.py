"""JSON Schema of a document: records, changes of plans, and the parameters of each generator."""

from __future__ import annotations

from typing import Any

from ..model.document import TopologyDocument
from ..model.validation import adapter_of
from ..topologies import GENERATORS
from .changes import Change


def document_schema() -> dict[str, Any]:
    """Return the JSON Schema of a document; the changes of plans are typed by the `Change` union."""
    document = adapter_of(TopologyDocument).json_schema()
    change = adapter_of(Change).json_schema()
    definitions = change.pop("$defs", {})
    document["$defs"].update({**definitions, "Change": change})
    document["$defs"]["Plan"]["properties"]["changes"]["items"] = {"$ref": "#/$defs/Change"}
    document["$defs"]["Fabric"] = {"oneOf": [_fabric_schema(document, name) for name in sorted(GENERATORS)]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _fabric_schema(document: dict[str, Any], generator: str) -> dict[str, Any]:
    """Return the schema of a fabric block of one generator; adds the definitions of its parameters to `document`."""
    params = adapter_of(GENERATORS[generator].params).json_schema()
    document["$defs"].update(params.pop("$defs", {}))
    document["$defs"][f"{generator}_params"] = params
    fabric = {
        "id": {"type": "string"},
        "generator": {"const": generator},
        "params": {"$ref": f"#/$defs/{generator}_params"},
    }
    return {
        "type": "object",
        "title": f"{generator} fabric",
        "description": GENERATORS[generator].sentence,
        "properties": fabric,
        "required": ["id", "generator", "params"],
        "additionalProperties": False,
    }
