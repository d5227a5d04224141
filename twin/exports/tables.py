"""Three tables as CSV: nodes, links, demands; one row a record, one column an attribute.

Source: RFC 4180. Lines end with a line feed. Lists are JSON texts in one cell.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from io import StringIO
from typing import Any

from ..imports.ledger import Ledger
from .plain import Attributes, PlainNetwork
from .texts import held_text

NODE_COLUMNS = ("id", "kind", "site", "latitude_deg", "longitude_deg", "status", "forwards", "display_name", "tags")
LINK_COLUMNS = (
    "id", "a", "b", "capacity_gbps", "reverse_capacity_gbps", "n_parallel", "n_failed", "weight", "reverse_weight",
    "length_km", "latency_us", "reverse_latency_us", "status", "srlgs", "display_name", "tags",
)  # fmt: skip
DEMAND_COLUMNS = ("id", "source", "target", "offered_gbps", "display_name", "tags")
DEFAULTS = {"n_parallel": 1, "n_failed": 0, "weight": 1.0}
NOT_IN_CSV = re.compile("\0")
RENAMED = {"source": "a", "target": "b"}


def write(network: PlainNetwork, ledger: Ledger) -> dict[str, bytes]:
    """Return the three files. Ends of a link are `a` and `b`, as in cabling sheets; `status` is up or down."""
    ledger.converted("links.source, links.target", "columns a and b", len(network.links))
    ledger.dropped("document.name", "the name of the network in answers")
    links = [{RENAMED.get(name, name): value for name, value in link.items()} for link in network.links]
    return {
        "nodes.csv": _table("nodes", NODE_COLUMNS, network.nodes, {}, ledger),
        "links.csv": _table("links", LINK_COLUMNS, links, DEFAULTS, ledger),
        "demands.csv": _table("demands", DEMAND_COLUMNS, network.demands, {}, ledger),
    }


def _table(
    kind: str, columns: Sequence[str], records: Sequence[Attributes], defaults: Attributes, ledger: Ledger
) -> bytes:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for record in records:
        row = {**defaults, "status": "up" if record.get("up", True) else "down", **record}
        writer.writerow([_cell(row.get(name, ""), f"{kind}.{name}", ledger) for name in columns])
    return out.getvalue().encode()


def _cell(value: Any, name: str, ledger: Ledger) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return held_text(value, NOT_IN_CSV, name, ledger) if isinstance(value, str) else repr(value)
