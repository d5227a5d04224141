"""JSON Schema of a document: records, changes of plans, parameters of generators."""

from __future__ import annotations

from typing import Any, Protocol

from ..model.document import TopologyDocument
from ..model.validation import adapter_of
from ..topologies import GENERATORS
from ..traffic.demand_generators import DEMAND_GENERATORS
from .changes import Change


class _Row(Protocol):
    """What rows of both tables of generators have."""

    @property
    def params(self) -> type:
        """Model of the parameters."""

    @property
    def sentence(self) -> str:
        """One sentence about the generator."""


def document_schema() -> dict[str, Any]:
    """Return the JSON Schema of a document; the changes of plans are typed by the `Change` union."""
    document = adapter_of(TopologyDocument).json_schema()
    change = adapter_of(Change).json_schema()
    definitions = change.pop("$defs", {})
    document["$defs"].update({**definitions, "Change": change})
    document["$defs"]["Plan"]["properties"]["changes"]["items"] = {"$ref": "#/$defs/Change"}
    document["$defs"]["Fabric"] = {
        "oneOf": [_block_schema(document, name, row, "fabric", "params") for name, row in sorted(GENERATORS.items())]
    }
    document["$defs"]["TrafficBlock"] = {
        "oneOf": [
            _block_schema(document, name, row, "traffic", "traffic") for name, row in sorted(DEMAND_GENERATORS.items())
        ]
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _block_schema(document: dict[str, Any], name: str, row: _Row, noun: str, suffix: str) -> dict[str, Any]:
    """Return the schema of a block of one generator; adds the definitions of its parameters to `document`.

    Args:
        document: schema of the document.
        name: name of the generator.
        row: its row.
        noun: kind of block, for the title.
        suffix: end of the name of the definition of its parameters.
    """
    params = adapter_of(row.params).json_schema()
    document["$defs"].update(params.pop("$defs", {}))
    document["$defs"][f"{name}_{suffix}"] = params
    block = {
        "id": {"type": "string"},
        "generator": {"const": name},
        "params": {"$ref": f"#/$defs/{name}_{suffix}"},
    }
    return {
        "type": "object",
        "title": f"{name} {noun}",
        "description": row.sentence,
        "properties": block,
        "required": ["id", "generator", "params"],
        "additionalProperties": False,
    }
