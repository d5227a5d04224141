"""JSON Schema of a document: records, changes of plans, parameters of generators."""

from __future__ import annotations

from collections.abc import Mapping
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


BLOCKS: dict[str, tuple[Mapping[str, _Row], str, str]] = {
    "Fabric": (GENERATORS, "fabric", "params"),
    "TrafficBlock": (DEMAND_GENERATORS, "traffic", "traffic_params"),
}
"""Blocks by name: the generators, the noun of a block, and the end of the names of the parameters."""


def document_schema() -> dict[str, Any]:
    """Return the JSON Schema of a document; the changes of plans are typed by the `Change` union."""
    document = adapter_of(TopologyDocument).json_schema()
    change = adapter_of(Change).json_schema()
    definitions = change.pop("$defs", {})
    document["$defs"].update({**definitions, "Change": change})
    document["$defs"]["Plan"]["properties"]["changes"]["items"] = {"$ref": "#/$defs/Change"}
    for block, (generators, noun, suffix) in BLOCKS.items():
        rows = sorted(generators.items())
        names = [_add_block(document, block, name, row, noun, suffix) for name, row in rows]
        document["$defs"][block] = {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in names]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _add_block(document: dict[str, Any], block: str, name: str, row: _Row, noun: str, suffix: str) -> str:
    """Add the definitions of a block of one generator and of its parameters; returns the name of the block's.

    Args:
        document: schema of the document.
        block: name of the definition of any such block, whose other fields stay.
        name: name of the generator.
        row: its row.
        noun: kind of block, for the title.
        suffix: end of the name of the definition of its parameters.
    """
    definitions = document["$defs"]
    params = adapter_of(row.params).json_schema()
    definitions.update(params.pop("$defs", {}))
    definitions[f"{name}_{suffix}"] = params | {"title": f"{name} {suffix}".replace("_", " ")}
    fields = {
        "generator": {"const": name, "type": "string", "description": "Name of the generator."},
        "params": {"$ref": f"#/$defs/{name}_{suffix}", "description": "Parameters of the generator."},
    }
    definitions[f"{name}_{noun}"] = {
        "type": "object",
        "title": f"{name} {noun}",
        "description": row.sentence,
        "properties": definitions[block]["properties"] | fields,
        "required": ["id", "generator", *(["params"] if params.get("required") else [])],
        "additionalProperties": False,
    }
    return f"{name}_{noun}"
