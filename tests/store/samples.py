"""Small documents to store."""

from __future__ import annotations

import json
from typing import Any


def document(capacity_gbps: float = 100.0, **fields: Any) -> bytes:
    """Two switches, a link and a demand, as JSON."""
    nodes = [{"id": "a", "kind": "switch"}, {"id": "b", "kind": "switch"}]
    link = {"id": "ab", "ends": ["a", "b"], "capacity_gbps": capacity_gbps}
    demand = {"id": "d", "source": "a", "target": "b", "offered_gbps": 50.0}
    return json.dumps({"as_of": "2026-11-01", "nodes": nodes, "links": [link], "demands": [demand]} | fields).encode()


def reading(gbps: float = 40.0, day: str = "2026-10-01") -> dict[str, Any]:
    """A measurement of the link."""
    return {"of": {"link": "ab"}, "quantity": "interface_rate", "at": day, "direction": "a_to_b", "value_gbps": gbps}
